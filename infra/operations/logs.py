"""Print the functions' log of a deployed stack: one decision per line, newest last.

python -m operations.logs --stack NAME [--function NAME] [--minutes N]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.connect import stack_outputs

#: How Lambda's own lines begin where they are not JSON.
PLATFORM_LINES = ("START RequestId:", "END RequestId:", "REPORT RequestId:")


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
    start = {"startTime": int(since.timestamp() * 1000)} if since else {}
    events: list[dict[str, Any]] = []
    for function in functions:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}", **start)
        events += [event for page in pages for event in page["events"]]
    events.sort(key=lambda event: event["timestamp"])
    lines = [decision_line(datetime.fromtimestamp(e["timestamp"] / 1000, UTC), e["message"]) for e in events]
    return [line for line in lines if line]


def decision_line(at: datetime, text: str) -> str:
    """Return one line of the log: time (UTC), message, order id, document, reason and remedy.

    A line that is not JSON, such as a traceback, is kept as it is; one of Lambda's own about a start or an end is
    dropped, unless the invocation failed.
    """
    moment = at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
    text = text.rstrip()
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return "" if not text or text.startswith(PLATFORM_LINES) else f"{moment}  {text}"
    if str(record.get("type", "")).startswith("platform."):
        status = record.get("record", {}).get("status", "success")
        return "" if status == "success" else f"{moment}  {record['type']} {status}"
    why = ": ".join(str(record[name]) for name in ("reason", "remedy") if record.get(name))
    columns = (("message", 22), ("order_id", 19), ("document", 40))
    cells = [f"{record.get(name) or '-':<{width}}" for name, width in columns]
    return "  ".join([moment, *cells, why]).rstrip()


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
    except (UnknownFunction, BotoCoreError, ClientError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def functions_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the functions among a stack's outputs: `orders` -> deployed name, for the output OrdersFunctionName."""
    suffix = "FunctionName"
    names = sorted(name.removesuffix(suffix) for name in outputs if name.endswith(suffix))
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): outputs[f"{name}{suffix}"] for name in names}


if __name__ == "__main__":
    sys.exit(main())
