"""An operator's AWS account with one stack, and the documents of a connection as files."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.settings import secrets as valid_secrets
from fakes.settings import settings as valid_settings

NAME = "stack/connections/main"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:stack-orders"
REFUNDS_QUEUE = "arn:aws:sqs:eu-west-1:123456789012:stack-refunds"
INVENTORY_QUEUE = "arn:aws:sqs:eu-west-1:123456789012:stack-inventory-alerts"


class ResourceNotFound(Exception):
    """Secrets Manager: there is no secret of that name."""


class ResourceExists(Exception):
    """Secrets Manager: there is a secret of that name already."""


class InvalidRequest(Exception):
    """Secrets Manager: the secret is marked for deletion."""


class ParameterNotFound(Exception):
    """Parameter Store: there is no parameter of that name."""


class StubAws:
    """boto3's clients over dictionaries: `secretsmanager`, `ssm`, and `cloudformation` with one stack.

    created_meanwhile: a secret that a concurrent connect creates just before ours.
    deleted: secrets that are marked for deletion.
    outputs: of the stack.
    environment: of the stack's functions.
    problem: what every read raises.
    writes: names of the write operations, in order.
    """

    exceptions = SimpleNamespace(
        ResourceNotFoundException=ResourceNotFound,
        ResourceExistsException=ResourceExists,
        InvalidRequestException=InvalidRequest,
        ParameterNotFound=ParameterNotFound,
    )
    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, *, created_meanwhile: str = "") -> None:
        self.secrets: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.problem: Exception | None = None
        self.writes: list[str] = []
        self.created_meanwhile = created_meanwhile
        self.environment: dict[str, str] = {}
        self.outputs = {
            "OrdersQueueArn": QUEUE,
            "RefundsQueueArn": REFUNDS_QUEUE,
            "InventoryAlertsQueueArn": INVENTORY_QUEUE,
            "TableName": "stack-Table-1",
            "ResumeFunctionName": "stack-resume",
        }

    def secret(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(self.secrets[NAME])
        return stored

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # boto3's name
        self._fail()
        if SecretId not in self.secrets:
            raise ResourceNotFound
        if SecretId in self.deleted:
            raise InvalidRequest
        return {"SecretString": self.secrets[SecretId]}

    def create_secret(self, *, Name: str, SecretString: str) -> None:
        if self.created_meanwhile:
            self.secrets[Name] = self.created_meanwhile
        if Name in self.secrets:
            raise ResourceExists
        self.writes.append("create_secret")
        self.secrets[Name] = SecretString

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:
        self.writes.append("put_secret_value")
        self.secrets[SecretId] = SecretString

    def put_parameter(self, *, Name: str, Value: str, Overwrite: bool, **_: str) -> None:
        assert Overwrite
        self.writes.append("put_parameter")
        self.parameters[Name] = Value

    def get_parameter(self, *, Name: str) -> dict[str, dict[str, str]]:
        self._fail()
        if Name not in self.parameters:
            raise ParameterNotFound
        return {"Parameter": {"Value": self.parameters[Name]}}

    def get_paginator(self, operation: str) -> StubAws:
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, *, Path: str) -> list[dict[str, Any]]:
        self._fail()
        below = {name: text for name, text in self.parameters.items() if name.rpartition("/")[0] == Path}
        return [{"Parameters": [{"Name": name, "Value": text} for name, text in below.items()]}]

    def delete_parameter(self, *, Name: str) -> None:
        self.writes.append("delete_parameter")
        del self.parameters[Name]

    def delete_secret(self, *, SecretId: str, RecoveryWindowInDays: int) -> None:
        assert 7 <= RecoveryWindowInDays <= 30
        self.writes.append("delete_secret")
        self.deleted.add(SecretId)

    def restore_secret(self, *, SecretId: str) -> None:
        self.writes.append("restore_secret")
        self.deleted.remove(SecretId)

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        assert FunctionName == "stack-resume"
        return {"Environment": {"Variables": self.environment}}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        self._fail()
        if StackName != "stack":
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": text} for key, text in self.outputs.items()]
        return {"Stacks": [{"Outputs": outputs}]}

    def _fail(self) -> None:
        if self.problem:
            raise self.problem


def install(monkeypatch: pytest.MonkeyPatch, stub: StubAws) -> StubAws:
    monkeypatch.setattr("boto3.client", lambda service: stub)
    return stub


def operators_secrets(**changes: Any) -> str:
    """Return the secrets document as an operator writes it: without a salt."""
    document = valid_secrets() | changes
    del document["buyer_salt"]
    return json.dumps(document)


def documents(folder: Path, settings: str = "", secrets: str = "") -> list[str]:
    """Write the two documents of a connection to files; return the options that name them."""
    texts = {"settings": settings or json.dumps(valid_settings()), "secrets": secrets or operators_secrets()}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return ["--settings", str(folder / "settings"), "--secrets", str(folder / "secrets")]
