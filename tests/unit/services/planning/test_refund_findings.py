"""Refunds beside the table of pitfalls: several of one order, and what the log says of a credit note."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from fakes.order_life import PAYING, tea, version
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

SOLD = version(1, tea("15.99"))
WITH_SUSPENSE = replace(PAYING, accounts=replace(PAYING.accounts, suspense="206"))


def test_several_refunds_of_one_order_have_a_note_each() -> None:
    connection = RefundingConnection(SOLD)

    for name in ("T1", "T2"):
        connection.refund(refund(name, item_refund(OurPricePrincipal="-2.00")))

    assert [connection.note(f"A-RF{name}").desired.total for name in ("T1", "T2")] == [Decimal("2.00")] * 2
    assert connection.balance() == Decimal("11.99")


@pytest.mark.parametrize(("tax", "reported"), [("-1.00", False), ("-1.01", False), ("-0.50", True)])
def test_tax_that_xero_computes_otherwise_is_reported(tax: str, reported: bool) -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-5.00", OurPriceTax=tax)))

    assert record.state is TransactionState.PLANNED
    found = [note for note in connection.decisions.notes if note.fields.get("reason") == "TAX_VARIANCE"]
    assert bool(found) is reported


def test_unknown_amount_on_the_suspense_account_is_logged() -> None:
    connection = RefundingConnection(SOLD, policy=WITH_SUSPENSE)

    connection.refund(refund("T1", item_refund(OurPricePrincipal="-14.00", SomethingNew="-0.50")))

    (logged,) = [note for note in connection.decisions.notes if note.fields.get("reason") == "CHARGE_TYPE_SUSPENDED"]
    assert "SomethingNew of 0.50 GBP" in str(logged.fields["remedy"])
