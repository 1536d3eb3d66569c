"""SQS, EventBridge, SSM and Secrets Manager through boto3."""

from __future__ import annotations

from typing import Any


class ParameterStore:
    """The settings documents of all connections, by connection id."""

    def __init__(self, ssm: Any, path: str) -> None:
        self._ssm = ssm
        self._path = path.rstrip("/")

    def documents(self) -> dict[str, str]:
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self._path, WithDecryption=True)
        return {
            parameter["Name"].removeprefix(f"{self._path}/"): parameter["Value"]
            for page in pages
            for parameter in page["Parameters"]
        }


class Secrets:
    """One secret per connection, a JSON text."""

    def __init__(self, secrets_manager: Any, prefix: str) -> None:
        self._secrets_manager = secrets_manager
        self._prefix = prefix.rstrip("/")

    def document(self, connection: str) -> str:
        answer = self._secrets_manager.get_secret_value(SecretId=f"{self._prefix}/{connection}")
        return str(answer["SecretString"])
