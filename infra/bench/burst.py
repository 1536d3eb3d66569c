"""Count the calls to Amazon and Xero for 1,000 shipped orders, and for their refunds, on the local cloud.

The deployed queues and functions process them, with the settings of `make run`: Amazon notifies of all orders at once,
and each ends as an approved invoice that is paid from the clearing account; then the hourly sweep finds a refund of
each, and each ends as a credit note that is refunded out of the clearing account. One order is processed before the
count begins, so that the tokens, the organisation's settings and the customer exist, as in a system that has been
running.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_to_xero.domain.capabilities import REFUNDS
from bench import seller
from local.cloud import ROOT
from local.stack import Stack, deployed

DIRECTORY = ROOT / ".run" / "burst"
WAIT = 600  # seconds for all work to be finished
#: The most calls for 1,000 orders, and for 1,000 refunds. Amazon returns 100 orders or 500 transactions per page, the
#: first sweep reads one empty page for each 170 days since `start`, and Xero takes 50 documents per call.
SHIPPED = {"amazon": 12, "xero": 44}
REFUNDED = {"amazon": 12, "xero": 44}


def notify(stack: Stack, orders: Sequence[seller.Json]) -> str:
    """Have Amazon notify of these orders at once; return what is unfinished after the wait."""
    stack.amazon.control("POST", "orders", {"elements": orders, "notify": True})
    return stack.wait_until_idle(WAIT)


def sweep_refunds(stack: Stack, orders: Sequence[seller.Json]) -> str:
    """Have Amazon post a refund of each order, and sweep for them; return what is unfinished after the wait."""
    posted = datetime.now(UTC) - timedelta(minutes=10)
    refunds = [seller.refund(each, posted, stack.seller_id) for each in orders]
    stack.amazon.control("POST", "transactions", {"elements": refunds})
    stack.cloud.invoke(stack.outputs["RefundsFunctionName"], {"sweep": REFUNDS})
    return stack.wait_until_idle(WAIT)


def counted(stack: Stack, name: str, most: Mapping[str, int], work: Callable[[], str]) -> bool:
    """Do the work and print the calls that it took; return whether it was finished with no more than `most`."""
    before = len(stack.calls())
    unfinished = work()
    operations = Counter((call["service"], call["operation"]) for call in stack.calls()[before:])
    print(name)
    is_reached = not unfinished
    for service, limit in most.items():
        calls = {operation: count for (of, operation), count in sorted(operations.items()) if of == service}
        total = sum(calls.values())
        is_reached = is_reached and total <= limit
        print(f"  {service}: {total} calls (at most {limit}) {json.dumps(calls)}")
    if unfinished:
        print(f"  unfinished after {WAIT} s: {unfinished}")
    return is_reached


def statuses(stack: Stack) -> dict[str, Counter[str]]:
    """Return how many invoices and credit notes Xero holds, by status, without the order before the count."""
    books: dict[str, list[dict[str, Any]]] = stack.xero.control("GET", "books")
    found = {name: Counter(str(each["Status"]) for each in books[name]) for name in ("Invoices", "CreditNotes")}
    found["Invoices"]["PAID"] -= 1
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="burst", description="Count the calls of a burst on the local cloud.")
    parser.add_argument("--orders", type=int, default=1000)
    count = parser.parse_args(arguments).orders
    folder = DIRECTORY / "seller"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orders.jsonl").write_text("", encoding="utf-8")
    begin = datetime.now(UTC) - timedelta(hours=2)
    first, *orders = [seller.order(n, begin + timedelta(seconds=n)) for n in range(count + 1)]
    with deployed(DIRECTORY, folder) as stack:
        is_ready = not notify(stack, [first])
        reached = [
            counted(stack, f"burst of {count} shipped orders", SHIPPED, lambda: notify(stack, orders)),
            counted(stack, f"{count} refunds of paid invoices", REFUNDED, lambda: sweep_refunds(stack, orders)),
        ]
        in_books = statuses(stack)
    for name, found in in_books.items():
        print(f"  {name}: {', '.join(f'{number} {status}' for status, number in sorted(found.items()) if number)}")
    is_complete = all(+found == Counter(PAID=count) for found in in_books.values())
    return 0 if is_ready and is_complete and all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
