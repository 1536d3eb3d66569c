"""What `make deploy` says about who receives alarms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from operations.recipients import recipients_of, topic_of

TOPIC = "arn:aws:sns:eu-west-1:123456789012:amazon-to-xero-alarms"


class _NotFound(Exception):
    pass


class StubSns:
    """boto3's `sns` client over the subscriptions of one topic, (address, ARN); None where the topic does not exist."""

    class exceptions:  # boto3's name
        NotFoundException = _NotFound

    def __init__(self, *subscriptions: tuple[str, str] | None) -> None:
        self._subscriptions = subscriptions

    def get_paginator(self, operation: str) -> StubSns:
        assert operation == "list_subscriptions_by_topic"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request == {"TopicArn": TOPIC}
        if None in self._subscriptions:
            raise _NotFound
        for each in self._subscriptions:
            assert each is not None
            yield {"Subscriptions": [{"Endpoint": each[0], "SubscriptionArn": each[1]}]}


@pytest.mark.parametrize(
    ("sns", "said"),
    [
        (StubSns(), 'NOBODY receives a message when something fails.* PARAMETERS="AlarmEmail='),
        (StubSns(None), "NOBODY receives a message when something fails.*ObservabilityStack=true"),
        (StubSns(("a@b.example", "PendingConfirmation")), "NOBODY .* a@b.example has not confirmed"),
        (
            StubSns(("a@b.example", f"{TOPIC}:1"), ("c@d.example", "PendingConfirmation")),
            "^Alarms of amazon-to-xero and daily reminders go to a@b.example.$",
        ),
    ],
)
def test_deployment_says_clearly_when_nobody_receives_alarms(sns: StubSns, said: str) -> None:
    text = recipients_of(sns, TOPIC, "amazon-to-xero")

    assert re.search(said, text)


def test_topic_is_in_the_account_of_the_caller() -> None:
    assert topic_of("amazon-to-xero", "arn:aws:sts::123456789012:assumed-role/admin/me", "eu-west-1") == TOPIC
