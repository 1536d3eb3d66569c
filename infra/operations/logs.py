"""Print the functions' log of a deployed stack: one decision per line, newest last.

    python -m operations.logs --stack NAME [--function NAME] [--minutes N]

Without --function, the lines of all functions are merged by time.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.runtime.settings import SettingsError
from operations.connect import stack_outputs
from operations.log_format import decision_line, json_object
from operations.problems import explain_aws


class UnknownFunction(Exception):
    """The stack has no function of that name. The message lists those it has."""


def print_log(logs: Any, functions: Mapping[str, str], function: str = "", since: datetime | None = None) -> None:
    """Print the log of one function, or of all.

    logs: a boto3 client.
    functions: short name -> deployed name.

    Raises UnknownFunction.
    """
    for line in log_lines(logs, selected(functions, function), since):
        print(line)


def selected(functions: Mapping[str, str], function: str) -> list[str]:
    """Return the deployed names of the function with this short name, or of all. Raises UnknownFunction."""
    if function and function not in functions:
        raise UnknownFunction(f"there is no function {function}; the functions are {', '.join(functions)}")
    return [functions[function]] if function else list(functions.values())


def log_lines(logs: Any, functions: Iterable[str], since: datetime | None = None) -> list[str]:
    """Return the lines to print for these deployed functions, oldest first."""
    lines = [decision_line(at, text) for at, text in log_events(logs, functions, since)]
    return [line for line in lines if line]


def log_events(
    logs: Any, functions: Iterable[str], since: datetime | None = None, containing: str = ""
) -> list[tuple[datetime, str]]:
    """Return what these deployed functions wrote, each line with its time (UTC), oldest first.

    containing: only lines with this text. CloudWatch filters them; the local cloud returns all of them.
    """
    options: dict[str, Any] = {"startTime": int(since.timestamp() * 1000)} if since else {}
    if containing:
        options["filterPattern"] = f'"{containing}"'
    events: list[dict[str, Any]] = []
    for function in functions:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}", **options)
        events += [event for page in pages for event in page["events"] if containing in event["message"]]
    return sorted(((_time(event), event["message"].rstrip()) for event in events), key=lambda each: each[0])


def _time(event: Mapping[str, Any]) -> datetime:
    """Return when a log line was written: its own time, else the time at which CloudWatch received it."""
    record = json_object(event["message"]) or {}
    try:
        return datetime.fromisoformat(record["timestamp"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.fromtimestamp(event["timestamp"] / 1000, UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="logs", description="Print the log of a deployed stack's functions.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("--function", default="", help="only this function, e.g. orders (default: all)")
    parser.add_argument("--minutes", type=int, default=60, help="how far back (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        outputs = stack_outputs(given.stack)
        since = datetime.now(UTC) - timedelta(minutes=given.minutes)
        print_log(boto3.client("logs"), functions_of(outputs), given.function, since)
    except (UnknownFunction, SettingsError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as problem:
        print(explain_aws(problem), file=sys.stderr)
        return 1
    return 0


def functions_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the functions among a stack's outputs: `orders` -> deployed name, for the output OrdersFunctionName."""
    suffix = "FunctionName"
    names = sorted(name.removesuffix(suffix) for name in outputs if name.endswith(suffix))
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): outputs[f"{name}{suffix}"] for name in names}


if __name__ == "__main__":
    sys.exit(main())
