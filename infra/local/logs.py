"""`make logs` without STACK: print the functions' log of the running local cloud (`python -m local.logs`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local.running import find_running
from operations.logs import UnknownFunction, print_log


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make logs", description="Print the log of the running local cloud.")
    parser.add_argument("--function", default="", help="only this function, e.g. orders (default: all)")
    given = parser.parse_args(arguments)
    running = find_running()
    if running is None:
        print(
            "No local cloud is running. Start one with make run KEEP=1, "
            "or name a deployed stack: make logs STACK=amazon-to-xero",
            file=sys.stderr,
        )
        return 1
    try:
        print_log(running.cloud.client("logs"), running.functions, given.function)
    except UnknownFunction as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
