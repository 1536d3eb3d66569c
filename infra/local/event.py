"""`make event`: print an event of tests/events addressed to a seller, for `sam remote invoke` and for AWS's console.

python -m local.event --event tests/events/orders_sqs_order_change.json [--seller ID] [--order ID]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from local.invoke import EventUnusable, addressed, read_event
from local.running import find_running
from local.stack import project_path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make event", description="Print an event that a function accepts.")
    parser.add_argument("--event", required=True, type=project_path, help="a JSON file with the event")
    parser.add_argument("--seller", default="", help="seller id of the connection; default: that of the local cloud")
    parser.add_argument("--order", default="", help="Amazon order id to put in place of those in the event")
    given = parser.parse_args(arguments)
    running = None if given.seller else find_running()
    seller = given.seller or (running.seller_id if running else "")
    if not seller:
        print("No local cloud is running: start one with make run KEEP=1, or name the SELLER.", file=sys.stderr)
        return 1
    try:
        print(json.dumps(addressed(read_event(given.event), seller, given.order), indent=1))
    except EventUnusable as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
