"""A running local cloud, from this or another process: invoke functions, read logs and queues."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from operations.log_format import PLATFORM_LINES

REGION = "eu-west-1"
#: Lines of a function's log that an error message repeats.
LINES_SHOWN = 40


@dataclass(frozen=True)
class QueueDepth:
    """How many messages a queue holds."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


class CloudEndpoint:
    """The AWS endpoint of a local cloud that is running."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    @property
    def is_running(self) -> bool:
        return bool(self.endpoint) and answers(f"{self.endpoint}/_ministack/health")

    def client(self, service: str) -> Any:
        """Return a boto3 client of `service` in the local cloud."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 2}, connect_timeout=5, read_timeout=150),
        )

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a deployed stack, by name."""
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke `function` with `event` and return its answer.

        :raises RuntimeError: the function raised; the message contains its error and the end of its log.
        """
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            log = "\n".join(self.log_lines(function)[-LINES_SHOWN:])
            raise RuntimeError(f"{function} failed: {payload}\n{log}")
        return payload

    def log_lines(self, function: str) -> list[str]:
        """Return what `function` wrote to its log group, oldest first, without Lambda's START, END and REPORT lines.

        Lines appear after the invocation that wrote them has ended, some only after the next one.
        """
        group = self.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        events.sort(key=lambda event: event["timestamp"])
        return [event["message"] for event in events if not event["message"].startswith(PLATFORM_LINES)]

    def log_records(self, function: str) -> list[dict[str, Any]]:
        """Return the structured lines among :meth:`log_lines`, parsed; other lines (tracebacks, prints) are omitted."""
        records = []
        for line in self.log_lines(function):
            with contextlib.suppress(json.JSONDecodeError):
                record = json.loads(line)
                if isinstance(record, dict):
                    records.append(record)
        return records

    def queue_depth(self, url: str) -> QueueDepth:
        """Return how many messages of the queue at `url` are visible, in flight and delayed."""
        counts = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return QueueDepth(
            visible=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(counts["ApproximateNumberOfMessagesDelayed"]),
        )

    def set_visibility_timeout(self, url: str, seconds: int) -> None:
        """Set how long a received message of the queue at `url` stays invisible unless it is deleted.

        The template's value is minutes, as in production. A test that waits for a failed message to return sets seconds
        on the deployed queue. Messages in flight keep their old timeout.
        """
        attributes = {"VisibilityTimeout": str(seconds)}
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


def answers(url: str) -> bool:
    """Return whether a GET of the URL, which is on loopback, answers with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - a fixed scheme, on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
