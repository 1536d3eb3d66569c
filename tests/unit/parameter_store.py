"""Parameter Store and Secrets Manager with the documents of connections, and the clock of Powertools' cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parameters import base
from botocore.exceptions import ClientError

from fakes.settings import secrets, settings


class FakeParameterStore:
    """The boto3 clients `ssm` and `secretsmanager`, with two connections stored.

    parameters, secrets: documents by the connection's name.
    requests: each call, as operation and path or secret.
    problem: what each call raises.
    """

    def __init__(self) -> None:
        self.parameters = {name: json.dumps(settings()) for name in ("main", "second")}
        self.secrets = {name: json.dumps(secrets()) for name in ("main", "second")}
        self.requests: list[tuple[str, str]] = []
        self.problem: Exception | None = None

    def get_paginator(self, operation: str) -> FakeParameterStore:
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, Path: str, WithDecryption: bool, Recursive: bool) -> Iterator[dict[str, Any]]:
        assert (WithDecryption, Recursive) == (True, False)
        self.requests.append(("get_parameters_by_path", Path))
        self._fail()
        for name, text in self.parameters.items():  # a page each
            yield {"Parameters": [{"Name": f"{Path}/{name}", "Value": text}]}

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        self.requests.append(("get_secret_value", SecretId))
        self._fail()
        name = SecretId.rpartition("/")[2]
        if name not in self.secrets:
            error = {"Code": "ResourceNotFoundException", "Message": "Secrets Manager can't find the secret."}
            raise ClientError({"Error": error}, "GetSecretValue")
        return {"SecretString": self.secrets[name]}

    def _fail(self) -> None:
        if self.problem:
            raise self.problem


class CacheClock:
    """Powertools' own clock, by which cached parameters expire: it moves only when it is advanced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = now = [datetime(2026, 11, 23, 12, 0)]  # noqa: DTZ001  # Powertools compares local times

        class StoppedDatetime(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return now[0]

        monkeypatch.setattr(base, "datetime", StoppedDatetime)

    def advance(self, seconds: float) -> None:
        self._now[0] += timedelta(seconds=seconds)
