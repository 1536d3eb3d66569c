"""Every sale of the sandbox's own seller is confirmed by the charges that the sandbox derives from its orders."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING
from fakes.state import ManualClock
from sandbox.amazon import OWN_SELLER
from sandbox.amazon.charges import charges_of, orders_by_id

BEGIN, END = datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
#: Shipped and paid, then lost and cancelled: Amazon charged the first at its shipment, and has not given it back.
LOST = "204-0000030-0000030"


def own_orders() -> list[Json]:
    """Return the versions of the seller's orders in the marketplaces of the tests' policy, oldest first."""
    orders = map(json.loads, (OWN_SELLER / "orders.jsonl").read_text(encoding="utf-8").splitlines())
    known = [each for each in orders if each["salesChannel"].get("marketplaceId") in {None, *PAYING.marketplaces}]
    return sorted(known, key=lambda each: str(each["lastUpdatedTime"]))


@pytest.mark.parametrize("invoice_per", InvoicePer)
@pytest.mark.parametrize("each_version", [True, False], ids=["each version is read", "only the last is read"])
@pytest.mark.parametrize("charges_first", [True, False], ids=["charges first", "orders first"])
def test_every_sale_is_confirmed_or_explained(invoice_per: InvoicePer, each_version: bool, charges_first: bool) -> None:
    policy = replace(PAYING, invoice_per=invoice_per, start=BEGIN)
    connection = FakeConnection(policy=policy, clock=ManualClock(END))
    connection.xero.settings = ORGANISATION_WITH_CLEARING
    connection.amazon.transactions = [
        charge for versions in orders_by_id(own_orders()).values() for charge in charges_of(versions, "A1SELLER")
    ]
    if charges_first:
        sweep(connection)
    for order in own_orders():
        connection.amazon.hold(order)
        if each_version:
            work(connection, order["orderId"])
    for order_id in orders_by_id(own_orders()):
        work(connection, order_id)
    sweep(connection)

    confirmations = confirmations_of(connection)
    states = Counter(row.state for key, row in confirmations.items() if key != LOST)
    assert states.keys() == {ConfirmationState.CONFIRMED, ConfirmationState.NOT_INVOICED}
    assert states[ConfirmationState.CONFIRMED] >= 20
    assert confirmations[LOST].state in (ConfirmationState.AWAITED, ConfirmationState.FAILED)
    assert set(connection.dead_letters[REFUNDS].reasons) <= {(LOST, "CHARGE_DIFFERS")}


def work(connection: FakeConnection, order_id: str) -> None:
    connection.clock.advance(60)
    named = connection.read(connection.notice([order_id])).due
    connection.plan_drafts(*named)
    connection.plan_shipments(*named)
    connection.post()


def sweep(connection: FakeConnection) -> None:
    """Sweep the transactions, and again a day later: what waited for its order is compared then."""
    for _ in range(2):
        connection.clock.advance(timedelta(days=1).total_seconds())
        deadline = connection.clock.now() + timedelta(minutes=5)
        connection.connection.worker.sweep(REFUNDS, "worker", deadline)
        connection.connection.worker.run("resume", deadline)  # plans what waited for its charge


def confirmations_of(connection: FakeConnection) -> dict[str, SaleConfirmation]:
    rows = connection.store.table.rows
    keys = [sk.removeprefix("CONFIRMATION#") for sk in rows if sk.startswith("CONFIRMATION#")]
    return connection.store.load(SaleConfirmation, keys)
