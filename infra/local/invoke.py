"""`make invoke`: invoke one deployed function on the local cloud with an event from a file.

    python -m local.invoke --function orders --event tests/events/orders_sqs_order_change.json [--order ID]

It uses the local cloud of `make run KEEP=1`. If none is running, it deploys one, in which Amazon has the default
seller's whole history and Xero is empty. It prints the answer, then what the function logged.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from local.cloud import ROOT, StepFailed
from local.running import RunningStack, as_running, find_running
from local.stack import deployed, project_path
from operations.logs import UnknownFunction, log_lines, selected

EVENTS = ROOT / "tests" / "events"
#: Seconds to wait for the log of an invocation; the local cloud writes it after the invocation has ended.
LOG_WAIT = 5


class EventUnusable(Exception):
    """The event file cannot be used. The message says why, and names the events of this project."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make invoke", description="Invoke a function on the local cloud.")
    parser.add_argument("--function", required=True, help="orders, shipments, resume, ...")
    parser.add_argument("--event", required=True, type=project_path, help="a JSON file with the event")
    parser.add_argument("--order", default="", help="Amazon order id to put in place of those in the event")
    given = parser.parse_args(arguments)
    try:
        event = read_event(given.event)
        with local_stack() as stack:
            (function,) = selected(stack.functions, given.function)
            return invoke(stack, function, addressed(event, stack.seller_id, given.order))
    except (EventUnusable, UnknownFunction, StepFailed) as problem:
        print(problem, file=sys.stderr)
        return 1


@contextlib.contextmanager
def local_stack() -> Iterator[RunningStack]:
    """Use the running local cloud, or deploy one for the time of the `with` block."""
    running = find_running()
    if running is not None:
        yield running
        return
    print("No local cloud is running: deploying one (make run KEEP=1 keeps one)", flush=True)
    with deployed(ROOT / ".run" / "invoke", present=True) as stack:
        yield as_running(stack)


def invoke(stack: RunningStack, function: str, event: dict[str, Any]) -> int:
    """Invoke the function, print its answer and its new log lines; return the exit status."""
    logs = stack.cloud.client("logs")
    lines_before = len(log_lines(logs, [function]))
    status = 0
    try:
        print(json.dumps(stack.cloud.invoke(function, event), indent=1))
    except RuntimeError as problem:
        print(problem)
        status = 1
    end = time.monotonic() + LOG_WAIT
    while (new := log_lines(logs, [function])[lines_before:]) == [] and time.monotonic() < end:
        time.sleep(0.2)
    print("\n".join(new) or f"{function} logged nothing within {LOG_WAIT} s", flush=True)
    return status


def read_event(file: Path) -> dict[str, Any]:
    """Return the event in a JSON file. Raises EventUnusable."""
    known = ", ".join(sorted(path.name for path in EVENTS.glob("*.json")))
    try:
        event = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise EventUnusable(f"{file} cannot be used: {problem}\nThe events in tests/events: {known}") from None
    if not isinstance(event, dict):
        raise EventUnusable(f"{file} is a JSON {type(event).__name__}, not an object\nIn tests/events: {known}")
    return event


def addressed(event: dict[str, Any], seller_id: str, order_id: str = "") -> dict[str, Any]:
    """Return the event with its SQS messages addressed to this seller and, if an id is given, to this order.

    The events in tests/events name a seller that is not connected. Messages that are not JSON stay as they are, and so
    does the dead letter of a transaction.
    """
    event = copy.deepcopy(event)
    for record in event.get("Records", []):
        try:
            body = json.loads(record["body"])
        except ValueError:
            continue
        match body:
            case {"Payload": {"OrderChangeNotification": dict(change)}}:
                change |= {"SellerId": seller_id, "AmazonOrderId": order_id or change.get("AmazonOrderId")}
            case {"Payload": {"TransactionUpdateNotification": dict(update)}}:
                update["SellingPartnerMetadata"] |= {"SellingPartnerId": seller_id}
                for related in update["RelatedIdentifiers"] if order_id else ():
                    related["RelatedIdentifierValue"] = order_id
            case {"Payload": {"SellerId": _, **rest} as payload} if rest:
                payload["SellerId"] = seller_id
            case {"detail": dict(detail)} if order_id:
                detail["order_id"] = order_id
            case {"reprocess": dict(pointer)} if order_id and str(pointer.get("source")).startswith("order#"):
                pointer["source"] = f"order#{order_id}"
        record["body"] = json.dumps(body)
    return event


if __name__ == "__main__":
    sys.exit(main())
