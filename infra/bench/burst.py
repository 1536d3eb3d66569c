"""Count the calls to Amazon and Xero for 1,000 shipped orders whose notifications arrive at once.

It runs on the local cloud, through the deployed queues and functions, with the settings of `make run`: each order ends
as an approved invoice that is paid from the clearing account. With --drafted all orders are confirmed first and shipped
later, so that each invoice is drafted, approved and paid (`make bench` uses 500 orders for this: both halves of 1,000
would need more pages than Amazon's quota allows at once). One order is processed before the count begins, so that the
tokens, the organisation's settings and the customer exist, as in a system that has been running.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from local.cloud import ROOT
from local.stack import Stack, deployed

DIRECTORY = ROOT / ".run" / "burst"
UK = "A1F83G8C2ARO7P"
WAIT = 600  # seconds for all work to be finished
#: Target for 1,000 orders, by whether they are drafted first. Amazon returns 100 orders per page, and Xero takes 50
#: documents per call; the targets leave at least a tenth to spare.
TARGETS = {False: {"amazon": 12, "xero": 44}, True: {"amazon": 24, "xero": 66}}


def order(number: int, at: datetime, status: str = "SHIPPED") -> dict[str, Any]:
    """Return an order with one item, whose amount is ten pounds and its number in pence."""
    shipped = 1 if status == "SHIPPED" else 0
    price = {"amount": f"{10 + number // 100}.{number % 100:02}", "currencyCode": "GBP"}
    return {
        "orderId": f"206-{number:07}-{number:07}",
        "createdTime": _time(at - timedelta(days=1)),
        "lastUpdatedTime": _time(at),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": UK, "marketplaceName": "Amazon.co.uk"},
        "recipient": {"deliveryAddress": {"countryCode": "GB"}},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "AMAZON"},
        "proceeds": {"grandTotal": price, "breakdowns": [{"type": "ITEM", "subtotal": price}]},
        "orderItems": [
            {
                "orderItemId": f"{number:014}",
                "quantityOrdered": 1,
                "product": {"asin": "B000000001", "sellerSku": "MUG", "title": "Mug"},
                "fulfillment": {"quantityFulfilled": shipped, "quantityUnfulfilled": 1 - shipped},
                "proceeds": {"proceedsTotal": price, "breakdowns": [{"type": "ITEM", "subtotal": price}]},
            }
        ],
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def burst(stack: Stack, orders: int, drafted: bool) -> tuple[Counter[tuple[str, str]], Counter[str], str]:
    """Return calls by (service, operation), invoices by status, and what was unfinished, after a burst.

    The order that is processed before the count begins is in neither count.
    """
    begin = datetime.now(UTC) - timedelta(hours=2)
    numbers = range(1, orders + 1)
    unfinished = _notify(stack, [order(0, begin)])
    before = len(stack.calls())
    if drafted:
        confirmed = [order(n, begin + timedelta(seconds=n), "UNSHIPPED") for n in numbers]
        unfinished = unfinished or _notify(stack, confirmed)
        # A change of this moment: Amazon's pages show it two minutes later, and the system waits for them.
        shipped = [
            order(n, begin + timedelta(seconds=n)) | {"lastUpdatedTime": _time(datetime.now(UTC))} for n in numbers
        ]
    else:
        shipped = [order(n, begin + timedelta(seconds=n)) for n in numbers]
    unfinished = unfinished or _notify(stack, shipped)
    counted = Counter((call["service"], call["operation"]) for call in stack.calls()[before:])
    statuses = Counter(invoice["Status"] for invoice in stack.xero.control("GET", "books")["Invoices"])
    statuses["PAID"] -= 1
    return counted, statuses, unfinished


def _notify(stack: Stack, orders: Sequence[dict[str, Any]]) -> str:
    """Have Amazon notify of these orders at once; return what is unfinished after the wait."""
    stack.amazon.control("POST", "orders", {"elements": orders, "notify": True})
    return stack.wait_until_idle(WAIT)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="burst", description="Count the calls that a burst of orders costs.")
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--drafted", action="store_true", help="confirm all orders first, then ship them")
    given = parser.parse_args(arguments)
    seller = DIRECTORY / "seller"
    seller.mkdir(parents=True, exist_ok=True)
    (seller / "orders.jsonl").write_text("", encoding="utf-8")
    with deployed(DIRECTORY, seller) as stack:
        counted, statuses, unfinished = burst(stack, given.orders, given.drafted)
    calls: dict[str, dict[str, int]] = {"amazon": {}, "xero": {}}
    for (service, operation), count in sorted(counted.items()):
        calls[service][operation] = count
    kind = "orders confirmed, then shipped" if given.drafted else "shipped orders"
    found = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count)
    print(f"burst of {given.orders} {kind}; invoices: {found or 'none'}")
    for service, target in TARGETS[given.drafted].items():
        total = sum(calls[service].values())
        print(f"  {service}: {total} calls (target: {target} per 1,000 orders) {json.dumps(calls[service])}")
    if unfinished:
        print(f"  unfinished after {WAIT} s: {unfinished}")
    return 1 if unfinished or +statuses != Counter(PAID=given.orders) else 0


if __name__ == "__main__":
    sys.exit(main())
