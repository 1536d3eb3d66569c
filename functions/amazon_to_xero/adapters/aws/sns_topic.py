"""A topic in SNS whose subscribers are people."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.outbound import MessageNotSent

_MAX_SUBJECT = 99  # SNS: less than 100 characters


class SnsClient(Protocol):
    """What is used of boto3's SNS client."""

    def publish(self, **request: Any) -> Any: ...


class SnsTopic:
    """ports.MessageTopic over one topic. Raises MessageNotSent."""

    def __init__(self, sns: SnsClient, topic: str) -> None:
        self._sns = sns
        self._topic = topic

    def publish(self, subject: str, text: str) -> None:
        try:
            self._sns.publish(TopicArn=self._topic, Subject=subject[:_MAX_SUBJECT], Message=text)
        except ClientError as problem:
            raise MessageNotSent(problem.response["Error"]["Code"]) from None
        except BotoCoreError as problem:
            raise MessageNotSent(type(problem).__name__) from None
