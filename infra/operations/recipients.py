"""Say who receives the alarms of a deployed stack, and clearly if nobody does. `make deploy` ends with it.

python -m operations.recipients --stack NAME
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

NOBODY = "NOBODY receives a message when something fails"
_HOW = 'Deploy again with PARAMETERS="AlarmEmail=you@example.com" and confirm the message that AWS then sends.'


def recipients_of(sns: Any, topic: str, stack: str) -> str:
    """Return a sentence about who receives the alarms that are published to a topic."""
    try:
        pages = list(sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic))
    except sns.exceptions.NotFoundException:
        return f"{NOBODY}: {stack} has no alarms. Deploy with ObservabilityStack=true."
    subscriptions = [each for page in pages for each in page["Subscriptions"]]
    confirmed = [each["Endpoint"] for each in subscriptions if each["SubscriptionArn"].startswith("arn:")]
    waiting = [each["Endpoint"] for each in subscriptions if each["SubscriptionArn"] == "PendingConfirmation"]
    if confirmed:
        return f"Alarms of {stack} and daily reminders go to {', '.join(confirmed)}."
    if waiting:
        return (
            f"{NOBODY}: {', '.join(waiting)} has not confirmed yet. "
            'Open the message "AWS Notification - Subscription Confirmation" and confirm.'
        )
    return f"{NOBODY}: the alarms of {stack} have no recipient. {_HOW}"


def topic_of(stack: str, caller: str, region: str) -> str:
    """Return the ARN of a stack's alarm topic; `caller` is the ARN of who asks."""
    _, partition, _, _, account, _ = caller.split(":", 5)
    return f"arn:{partition}:sns:{region}:{account}:{stack}-alarms"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipients", description="Say who receives the alarms of a deployed stack.")
    parser.add_argument("--stack", required=True, help="name of the stack")
    stack = parser.parse_args(arguments).stack
    try:
        sns = boto3.client("sns")
        caller = boto3.client("sts").get_caller_identity()["Arn"]
        print(recipients_of(sns, topic_of(stack, caller, sns.meta.region_name), stack))
    except (BotoCoreError, ClientError) as problem:
        # The deployment itself has succeeded.
        print(f"Whether anybody receives the alarms of {stack} could not be found out: {problem}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
