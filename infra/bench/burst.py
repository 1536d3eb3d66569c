"""What a burst of orders costs: calls to Amazon and Xero for 1,000 orders that are notified at once.

Runs on the local cloud, through the deployed queue and functions. A single order goes first, so that tokens, the
organisation's settings and the customer are there, as they are in a system that runs.
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
WAIT = 300  # seconds for everything to come to rest


def order(number: int, at: datetime) -> dict[str, Any]:
    """A shipped one-item order; its amount is its number in pence and ten pounds."""
    price = {"amount": f"{10 + number // 100}.{number % 100:02}", "currencyCode": "GBP"}
    return {
        "orderId": f"206-{number:07}-{number:07}",
        "createdTime": _time(at - timedelta(days=1)),
        "lastUpdatedTime": _time(at),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": UK, "marketplaceName": "Amazon.co.uk"},
        "recipient": {"deliveryAddress": {"countryCode": "GB"}},
        "fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"},
        "proceeds": {"grandTotal": price, "breakdowns": [{"type": "ITEM", "subtotal": price}]},
        "orderItems": [
            {
                "orderItemId": f"{number:014}",
                "quantityOrdered": 1,
                "product": {"asin": "B000000001", "sellerSku": "MUG", "title": "Mug"},
                "fulfillment": {"quantityFulfilled": 1, "quantityUnfulfilled": 0},
                "proceeds": {"proceedsTotal": price, "breakdowns": [{"type": "ITEM", "subtotal": price}]},
            }
        ],
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def burst(stack: Stack, orders: int) -> tuple[Counter[tuple[str, str]], int, str]:
    """Calls by (service, operation), invoices written, and what was unfinished, for a burst after one single order."""
    begin = datetime.now(UTC) - timedelta(hours=2)
    stack.amazon.ask("POST", "orders", {"elements": [order(0, begin)], "notify": True})
    unfinished = stack.wait_until_quiet(WAIT)
    before = len(stack.calls())
    many = [order(number, begin + timedelta(seconds=number)) for number in range(1, orders + 1)]
    stack.amazon.ask("POST", "orders", {"elements": many, "notify": True})
    unfinished = unfinished or stack.wait_until_quiet(WAIT)
    counted = Counter((call["service"], call["operation"]) for call in stack.calls()[before:])
    return counted, len(stack.xero.ask("GET", "books")["Invoices"]) - 1, unfinished


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="burst", description="Count the calls that a burst of orders costs.")
    parser.add_argument("--orders", type=int, default=1000)
    given = parser.parse_args(arguments)
    seller = DIRECTORY / "seller"
    seller.mkdir(parents=True, exist_ok=True)
    (seller / "orders.jsonl").write_text("", encoding="utf-8")
    with deployed(DIRECTORY, seller) as stack:
        counted, invoices, unfinished = burst(stack, given.orders)
    calls: dict[str, dict[str, int]] = {"amazon": {}, "xero": {}}
    for (service, operation), count in sorted(counted.items()):
        calls[service][operation] = count
    print(f"burst of {given.orders} orders: {invoices} invoices")
    for service, limit in (("amazon", 12), ("xero", 22)):
        total = sum(calls[service].values())
        print(f"  {service}: {total} calls (aim: {limit} per 1,000 orders) {json.dumps(calls[service])}")
    if unfinished:
        print(f"  not at rest after {WAIT} s: {unfinished}")
    return 1 if unfinished or invoices != given.orders else 0


if __name__ == "__main__":
    sys.exit(main())
