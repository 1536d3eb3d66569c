"""SQS, SSM and Secrets Manager through boto3."""

from __future__ import annotations

from typing import Any, Protocol

_ATTRIBUTE_LIMIT = 500  # an SQS attribute may be longer; a person reading a queue does not want it to be


class SqsClient(Protocol):
    def send_message(self, **request: Any) -> Any: ...


class SqsDeadLetters:
    """ports.DeadLetters on one function's dead-letter queue. At least once; raises botocore's errors when it cannot."""

    def __init__(self, sqs: SqsClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, body: str, *, reason: str, hint: str, order_id: str | None = None) -> None:
        texts = {"reason": reason, "hint": hint, "order_id": order_id}
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text[:_ATTRIBUTE_LIMIT]}
                for name, text in texts.items()
                if text
            },
        )


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
