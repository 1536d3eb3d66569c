"""AWS in memory, behind the real AWS SDK: it answers the functions' calls, and records which permission each one needs.

Every call of boto3 and of pynamodb passes through one method of botocore, which is replaced; nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from threading import Lock
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from template.template_values import ACCOUNT, REGION

type Permission = tuple[str, str]  # action, ARN of the resource
type Item = dict[str, Any]  # as DynamoDB transmits it

#: Operations whose permission has another name.
_ACTIONS = {
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
}
_KEYS_OF_INDEX = {"due": ("due", "next_attempt_at"), "watched": ("watched", "reason")}
_ENCRYPTED = b"encrypted "
_RANDOM_SUFFIX = "-a1B2c3"  # Secrets Manager appends six characters to a secret's name in its ARN


class RecordedAws:
    """AWS with one table, and the connections' settings and secrets.

    parameters, secrets: by name.
    calls: the permission that each call needed.
    sent: messages by queue. events: entries of the event bus.
    waiting: what each queue delivers to whoever receives from it.
    """

    def __init__(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        self.parameters = dict(parameters)
        self.secrets = dict(secrets)
        self.calls: set[Permission] = set()
        self.sent: list[tuple[str, str]] = []
        self.events: list[Mapping[str, str]] = []
        self.waiting: dict[str, list[Mapping[str, Any]]] = {}
        self._items: dict[tuple[str, str], Item] = {}
        self._lock = Lock()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of AWS until the patch is undone."""

        def call(client: Any, operation: str, arguments: Mapping[str, Any]) -> Any:
            service = client.meta.service_model.service_name
            with self._lock:
                return self._answer(service, operation, arguments)

        patch.setattr(BaseClient, "_make_api_call", call)

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Store what is asked and sent, but forget that it was."""
        before = set(self.calls), list(self.sent), list(self.events)
        try:
            yield
        finally:
            self.calls, self.sent, self.events = before

    def delete(self, sort_key: str) -> None:
        """Delete a row of every connection."""
        self._items = {key: item for key, item in self._items.items() if key[1] != sort_key}

    def _answer(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        operations: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], tuple[list[str], Any]]] = {
            ("dynamodb", "BatchGetItem"): self._batch_get_item,
            ("dynamodb", "PutItem"): self._put_item,
            ("dynamodb", "Query"): self._query,
            ("events", "PutEvents"): self._put_events,
            ("kms", "Decrypt"): self._decrypt,
            ("kms", "Encrypt"): self._encrypt,
            ("s3", "PutObject"): self._put_object,
            ("secretsmanager", "GetSecretValue"): self._get_secret_value,
            ("sns", "Publish"): self._publish,
            ("sqs", "SendMessage"): self._send_message,
            ("sqs", "ReceiveMessage"): self._receive_message,
            ("sqs", "DeleteMessage"): self._of_queue,
            ("sqs", "ChangeMessageVisibilityBatch"): self._of_queue,
            ("ssm", "GetParametersByPath"): self._get_parameters_by_path,
        }
        if (service, operation) not in operations:
            raise AssertionError(f"the functions call {service} {operation}: say here which permission that needs")
        resources, answer = operations[service, operation](arguments)
        action = f"{service}:{_ACTIONS.get((service, operation), operation)}"
        self.calls |= {(action, resource) for resource in resources}
        if isinstance(answer, ClientError):
            raise answer
        return answer

    # --- DynamoDB ---------------------------------------------------------------------------------------------------

    def _batch_get_item(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        found: dict[str, list[Item]] = {}
        for table, request in arguments["RequestItems"].items():
            keys = [(key["pk"]["S"], key["sk"]["S"]) for key in request["Keys"]]
            found[table] = [self._items[key] for key in keys if key in self._items]
        return [_table(table) for table in found], {"Responses": found, "UnprocessedKeys": {}}

    def _put_item(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        item = arguments["Item"]
        key = item["pk"]["S"], item["sk"]["S"]
        resources = [_table(arguments["TableName"])]
        if not self._is_met(arguments, self._items.get(key)):
            error = {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}
            return resources, ClientError({"Error": error}, "PutItem")
        self._items[key] = item
        return resources, {}

    def _is_met(self, arguments: Mapping[str, Any], stored: Item | None) -> bool:
        """Evaluate the two conditions that the table adapter writes."""
        condition = re.sub(
            r"#\w+", lambda name: arguments["ExpressionAttributeNames"][name[0]], arguments["ConditionExpression"]
        )
        if condition == "attribute_not_exists (sk)":
            return stored is None
        if equal := re.fullmatch(r"generation = (:\w+)", condition):
            return stored is not None and stored["generation"] == arguments["ExpressionAttributeValues"][equal[1]]
        raise AssertionError(f"a condition that this table does not evaluate: {condition}")

    def _query(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        """Answer a query of one hash key, and of range keys up to a limit where there is one."""
        hash_key, range_key = _KEYS_OF_INDEX[arguments["IndexName"]]
        texts = [value["S"] for value in arguments["ExpressionAttributeValues"].values()]
        wanted, *until = sorted(texts, key=lambda text: "#" not in text)
        rows = [each for each in self._items.values() if each.get(hash_key) == {"S": wanted}]
        rows = [each for each in rows if not until or each[range_key]["S"] <= until[0]]
        rows.sort(key=lambda each: each[range_key]["S"])
        found = [{name: each[name] for name in ("pk", "sk", hash_key, range_key)} for each in rows]
        found = found[: arguments["Limit"]]
        index = f"{_table(arguments['TableName'])}/index/{arguments['IndexName']}"
        return [index], {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    # --- the other services -----------------------------------------------------------------------------------------

    def _put_events(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        self.events += arguments["Entries"]
        buses = {_arn("events", f"event-bus/{entry['EventBusName']}") for entry in arguments["Entries"]}
        return sorted(buses), {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in arguments["Entries"]]}

    def _encrypt(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        return [arguments["KeyId"]], {"CiphertextBlob": _ENCRYPTED + arguments["Plaintext"]}

    def _decrypt(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        return [arguments["KeyId"]], {"Plaintext": arguments["CiphertextBlob"].removeprefix(_ENCRYPTED)}

    def _get_secret_value(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        name = arguments["SecretId"]
        return [_arn("secretsmanager", f"secret:{name}{_RANDOM_SUFFIX}")], {"SecretString": self.secrets[name]}

    def _send_message(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        queue = PurePosixPath(arguments["QueueUrl"]).name
        self.sent.append((queue, arguments["MessageBody"]))
        return [_arn("sqs", queue)], {"MessageId": "1"}

    def _receive_message(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        queue = PurePosixPath(arguments["QueueUrl"]).name
        return [_arn("sqs", queue)], {"Messages": self.waiting.pop(queue, [])}

    def _of_queue(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        return [_arn("sqs", PurePosixPath(arguments["QueueUrl"]).name)], {}

    def _publish(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        return [arguments["TopicArn"]], {"MessageId": "1"}

    def _put_object(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        return [f"arn:aws:s3:::{arguments['Bucket']}/{arguments['Key']}"], {"VersionId": "1"}

    def _get_parameters_by_path(self, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
        """AWS states no more than that the permission is checked: here for the path, and for each parameter."""
        found = {name: text for name, text in self.parameters.items() if name.startswith(arguments["Path"] + "/")}
        resources = [_arn("ssm", f"parameter{name}") for name in (arguments["Path"], *found)]
        return resources, {"Parameters": [{"Name": name, "Value": text} for name, text in found.items()]}


def _table(name: str) -> str:
    return _arn("dynamodb", f"table/{name}")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
