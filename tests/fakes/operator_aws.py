"""AWS as an operator's checks see it, healthy until a test changes it: a stack's functions, queues, key and alarms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_AMAZON = "arn:aws:iam::437568002678:root"
_ALLOWED = {"Effect": "Allow", "Principal": {"AWS": _AMAZON}, "Action": ["sqs:SendMessage", "sqs:GetQueueAttributes"]}


class NotFound(Exception):
    """The service has nothing of that name."""


class InvalidRequest(Exception):
    """Secrets Manager: the secret is marked for deletion."""


class StubStack:
    """boto3's clients of every service that the checks call.

    environment: of the functions.
    secret: of the one connection; None where there is none.
    policies: URL of a queue -> statements of its policy, where they are not those of the template.
    dead_letters: URL of a queue -> messages.
    errors: of each function in the last day.
    """

    class exceptions:  # boto3's name
        ResourceNotFoundException = NotFound
        InvalidRequestException = InvalidRequest
        NotFoundException = NotFound

    def __init__(self, environment: Mapping[str, str], secret: str) -> None:
        self.environment = environment
        self.secret: str | None = secret
        self.is_deleted = False
        self.policies: dict[str, list[dict[str, Any]]] = {}
        self.dead_letters: dict[str, int] = {}
        self.errors = 0
        self.mapping_state = "Enabled"
        self.function_state = "Active"
        self.key_state = "Enabled"
        self.recipients = ["operator@seller.example"]

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # boto3's names, here and below
        if self.is_deleted:
            raise InvalidRequest
        if self.secret is None:
            raise NotFound
        return {"SecretString": self.secret}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        return {"State": self.function_state, "Environment": {"Variables": self.environment}}

    def list_event_source_mappings(self, *, FunctionName: str) -> dict[str, Any]:
        return {"EventSourceMappings": [{"State": self.mapping_state}]}

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        return {"Datapoints": [{"Sum": float(self.errors)}]}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        policy = {"Statement": self.policies.get(QueueUrl, [_ALLOWED])}
        counts = {"ApproximateNumberOfMessages": str(self.dead_letters.get(QueueUrl, 0))}
        return {"Attributes": counts | {"Policy": json.dumps(policy)}}

    def describe_key(self, *, KeyId: str) -> dict[str, Any]:
        return {"KeyMetadata": {"KeyState": self.key_state}}

    def get_paginator(self, operation: str) -> StubStack:
        assert operation == "list_subscriptions_by_topic"
        return self

    def paginate(self, *, TopicArn: str) -> Iterator[dict[str, Any]]:
        yield {"Subscriptions": [{"Endpoint": each, "SubscriptionArn": "arn:1"} for each in self.recipients]}
