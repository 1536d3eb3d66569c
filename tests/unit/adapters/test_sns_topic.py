"""Messages to the alarms' topic in SNS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from amazon_to_xero.adapters.aws.sns_topic import SnsTopic
from amazon_to_xero.ports.outbound import MessageNotSent

TOPIC = "arn:aws:sns:eu-west-1:000000000000:stack-alarms"


class Sns:
    """A boto3 `sns` client that records what is published, or raises `problem`."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.published: list[dict[str, Any]] = []
        self._problem = problem

    def publish(self, **request: Any) -> None:
        if self._problem:
            raise self._problem
        self.published.append(request)


def test_message_is_published_to_the_topic_with_a_subject_that_sns_accepts() -> None:
    sns = Sns()

    SnsTopic(sns, TOPIC).publish("s" * 120, "text")

    assert sns.published == [{"TopicArn": TOPIC, "Subject": "s" * 99, "Message": "text"}]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (ClientError({"Error": {"Code": "NotFound", "Message": "no such topic"}}, "Publish"), "NotFound"),
        (ConnectTimeoutError(endpoint_url="https://sns.example"), "ConnectTimeoutError"),
    ],
)
def test_topic_that_takes_nothing_is_reported_by_the_code_of_the_error(problem: Exception, text: str) -> None:
    with pytest.raises(MessageNotSent, match=f"^{text}$"):
        SnsTopic(Sns(problem), TOPIC).publish("subject", "text")
