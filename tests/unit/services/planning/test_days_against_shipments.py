"""The same drawn lives of orders, with one invoice per day and with one per shipment: the same money in the end."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from amazon_to_xero.domain.planning.policy import InvoicePer
from unit.services.planning.day_connection import BY_DAY, MINUTE, DayConnection

type Step = tuple[str, str, str]  # what happens, the order, and the amount or the hours


def drawn_life(seed: int) -> Iterator[Step]:
    """Draw sales, price falls, cancellations, refunds and days that pass.

    A price never rises after it fell: whether a refund in between was of the fall depends on what is planned first.
    """
    draw, prices = random.Random(seed), dict[str, int]()  # noqa: S311  # no secret is drawn
    for _ in range(draw.randint(4, 12)):
        order_id, chance = draw.choice("ABC"), draw.random()
        if order_id not in prices or (chance < 0.3 and prices[order_id] > 100):
            prices[order_id] = draw.randint(100, prices.get(order_id, 2000))
            yield "sell", order_id, f"{prices[order_id] / 100:.2f}"
        elif chance < 0.4:
            prices[order_id] = 0
            yield "cancel", order_id, ""
        elif chance < 0.65:
            yield "refund", order_id, f"-{draw.randint(10, 300) / 100:.2f}"
        else:
            yield "wait", "", str(draw.randint(1, 20))


def lived(life: list[Step], per: InvoicePer) -> DayConnection:
    connection = DayConnection(replace(BY_DAY, invoice_per=per))
    for place, (step, order_id, value) in enumerate(life):
        if step == "sell":
            connection.sell(order_id, price=value)
        elif step == "cancel":
            connection.sell(order_id, status="CANCELLED")
        elif step == "refund":
            connection.give_back(f"R{place}", order_id, value)
        else:
            connection.work(timedelta(hours=int(value)))
    for _ in range(4):
        connection.close_day()
        connection.work(timedelta(hours=2))
        connection.work(MINUTE)
    return connection


def stated(connection: DayConnection) -> tuple[dict[tuple[str, str], D], D]:
    """Return the amounts by account and tax type, and what was paid less what was refunded."""
    sums: dict[tuple[str, str], D] = defaultdict(D)
    for sign, collection in ((1, "Invoices"), (-1, "CreditNotes")):
        for document in connection.xero.books[collection].values():
            for line in document["LineItems"] if document["Status"] not in ("VOIDED", "DELETED") else ():
                sums[line["AccountCode"], line["TaxType"]] += sign * line["Quantity"] * line["UnitAmount"]
    payments = connection.xero.books["Payments"].values()
    paid = sum((each["Amount"] if "Invoice" in each else -each["Amount"] for each in payments), D(0))
    return {key: amount for key, amount in sums.items() if amount}, paid


@pytest.mark.parametrize("seed", range(12))
def test_days_state_what_shipments_state(seed: int) -> None:
    life = list(drawn_life(seed))
    by_shipment, by_day = (lived(life, per) for per in (InvoicePer.SHIPMENT, InvoicePer.DAY))

    assert stated(by_day) == stated(by_shipment), life
    assert sorted(code for _, code in by_day.failures) == sorted(code for _, code in by_shipment.failures)
