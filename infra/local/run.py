"""`make run`: play a seller's history on the deployed system and print the books that result.

    python -m local.run [--seller FOLDER] [--settings FILE] [--keep]

It leaves in .run/: books.json (everything the sandbox Xero holds, as Xero's own objects), orders.json (each Amazon
order with the state of its documents, and whether Amazon's charges confirm it), calls.json (every request to Amazon
and Xero), inventory/alerts.txt (what people hear of stock), inventory/levels.json (each stock level), and
inventory/stock.html, stock.csv and stock.json (the stock reconciled with Xero). The exit status is 1 if work was left
unfinished.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from amazon_to_xero.runtime.settings import SettingsError
from local.cloud import ROOT, StepFailed
from local.inventory_report import inventory_summary
from local.order_report import load_confirmations, load_orders, order_report
from local.running import announced
from local.settings import read_parts
from local.stack import Stack, deployed, project_path, seller_folder
from local.summary import summary
from sandbox.amazon import OWN_SELLER
from sandbox.wire import dumps

RUN = ROOT / ".run"
WAIT = 150  # seconds for all work to be finished, at each stop of the history


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description="Sync a seller on the local cloud.")
    parser.add_argument("--seller", default="", help="a seller folder (default: the one of the sandbox)")
    parser.add_argument("--settings", default="", help="a JSON file with parts of the connection's settings to replace")
    parser.add_argument("--keep", action="store_true", help="keep everything running for inspection, until Ctrl-C")
    given = parser.parse_args(arguments)
    # `kill` ends the run as Ctrl-C does, so that the servers that it started end, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        seller = seller_folder(given.seller) if given.seller else OWN_SELLER
        parts = read_parts(project_path(given.settings)) if given.settings else {}
        started = time.monotonic()
        say(f"Building and deploying template.yaml to the local cloud (logs in {RUN.relative_to(ROOT)}/)")
        with deployed(RUN, seller, parts) as stack, announced(stack):
            say(f"Deployed after {time.monotonic() - started:.0f} s. Playing the history of {seller}")
            unfinished = stack.play(WAIT)
            report(stack)
            outcome = f"Unfinished: {unfinished}" if unfinished else "Finished"
            say(f"{outcome} after {time.monotonic() - started:.0f} s")
            if given.keep:
                say(f"Xero's books: {stack.xero.url}/ (make logs and make invoke use this run, too; Ctrl-C ends it)")
                say(f"Amazon's control: {stack.amazon.url}/_sandbox/ (docs/operating.md, practise on the local cloud)")
                while True:
                    time.sleep(3600)
    except (StepFailed, SettingsError, NotADirectoryError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 1 if unfinished else 0


def report(stack: Stack) -> None:
    """Write the files for inspection and print the summary."""
    books = stack.xero.control("GET", "books")
    orders = load_orders(stack.store, stack.order_ids)
    confirmations = load_confirmations(stack.store, stack.order_ids)
    files = {
        "books.json": books,
        "orders.json": order_report(stack.store, stack.order_ids, orders, confirmations),
        "calls.json": stack.calls(),
    }
    for name, content in files.items():
        (RUN / name).write_text(dumps(content, indent=1), encoding="utf-8")
    inventory = inventory_summary(stack.cloud, stack.outputs, RUN / "inventory")
    for line in [*summary(stack, orders, books, confirmations), *inventory]:
        say(line)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
