"""Say which resources of a stack failed in its last deployment, and why: SAM CLI has it somewhere in hundreds of lines.

python -m operations.failed_resources --stack NAME
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
_STACK = "AWS::CloudFormation::Stack"
_FOLLOWS = "cancelled"  # CloudFormation: what it stopped because something else had failed


def failed_resources(cloudformation: Any, stack: str) -> list[str]:
    """Return each resource that failed in the last deployment, with the reason, in the order in which they failed.

    Of a nested stack they are its own resources. Empty where none did, or where there is no such stack.
    """
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    try:
        events = list(_of_last_deployment(event for page in pages for event in page["StackEvents"]))
    except ClientError:
        return []
    failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
    lines = [
        line
        for each in reversed(failed)
        if _FOLLOWS not in each.get("ResourceStatusReason", "")
        for line in _within(cloudformation, each) or [_line(each)]
    ]
    return list(dict.fromkeys(lines))


def _within(cloudformation: Any, event: Mapping[str, Any]) -> list[str]:
    """Return what failed within a nested stack, with the reasons; empty for any other resource."""
    physical = event.get("PhysicalResourceId")
    if event["ResourceType"] != _STACK or not physical or physical == event.get("StackId"):
        return []
    return failed_resources(cloudformation, physical)


def _line(event: Mapping[str, Any]) -> str:
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"


def _of_last_deployment(events: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Yield the events, newest first as CloudFormation states them, back to the beginning of the last deployment."""
    for event in events:
        yield event
        is_of_stack = event.get("PhysicalResourceId") == event.get("StackId")
        if is_of_stack and event["ResourceStatus"] in _BEGINNINGS:
            return


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="failed_resources", description="Say what failed in the last deployment.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    stack = parser.parse_args(arguments).stack
    try:
        lines = failed_resources(boto3.client("cloudformation"), stack)
    except (BotoCoreError, ClientError):  # SAM CLI has said why it could not deploy
        return 0
    for line in lines:
        print(f"failed: {line}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
