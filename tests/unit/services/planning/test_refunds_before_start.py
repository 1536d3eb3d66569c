"""Refunds whose sale is not entered here: of an order before the start, or of one that Amazon no longer returns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason, WaitReason
from amazon_to_xero.domain.planning.policy import PostingPolicy, RefundsWithoutSale
from fakes.order_life import PAYING, version
from fakes.orders import UK, breakdown, item
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

BY_A_PERSON = replace(PAYING, start=PAYING.start.replace(year=2026, month=6))
STANDALONE = replace(BY_A_PERSON, refunds_before_start=RefundsWithoutSale.STANDALONE)
DE = "A1PA6795UKMFR9"
NOTE = "A-RFT1"
SOLD = item("15.99", breakdown("ITEM", "14.00"), breakdown("SHIPPING", "4.99"), breakdown("DISCOUNT", "3.00"))
COLLECTED = item("18.00", breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00"), facilitator=True)
BACK = item_refund(OurPricePrincipal="-14.00", ShippingPrincipal="-4.99", OurPriceDiscount="3.00", Commission="2.10")
BACK_COLLECTED = item_refund(
    OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="3.00"
)
LINES = [("200", "OUTPUT2", "14.00"), ("205", "OUTPUT2", "4.99"), ("210", "OUTPUT2", "-3.00")]


def before_start(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return version(1, *(items or (SOLD,)), created="2026-01-01T10:00:00Z", **more)


def gone_order(back: dict[str, Any], policy: PostingPolicy = STANDALONE) -> tuple[RefundingConnection, Any]:
    """Return a connection with a refund whose order Amazon does not return, after both were read."""
    connection = RefundingConnection(policy=policy)
    connection.refund(back)
    connection.notice(connection.asked_for, at=connection.clock.now() - timedelta(hours=1))
    connection.read(connection.asked_for)
    connection.clock.advance(60)
    return connection, connection.plan_refund("T1")


def outcome(record: TransactionRecord) -> tuple[TransactionState, str]:
    return record.state, record.reason


@pytest.mark.parametrize(
    ("order", "back", "lines", "total"),
    [
        pytest.param(before_start(), BACK, LINES, "15.99", id="like a sale of today"),
        pytest.param(
            before_start(ship_to="FR"),
            item_refund(OurPricePrincipal="-14.00"),
            [("200", "ZERORATEDOUTPUT", "14.00")],
            "14.00",
            id="taxed by the rule for the order's destination",
        ),
        pytest.param(
            before_start(COLLECTED),
            BACK_COLLECTED,
            [("200", "ZERORATEDOUTPUT", "15.00")],
            "15.00",
            id="without tax that the marketplace collected",
        ),
        pytest.param(
            before_start(status="CANCELLED"), BACK, LINES, "15.99", id="of a cancelled order, by what the refund states"
        ),
        pytest.param(
            before_start(),
            item_refund("OTHER", OurPricePrincipal="-2.00"),
            [("200", "OUTPUT2", "2.00")],
            "2.00",
            id="of an item that the order does not show any more",
        ),
        pytest.param(
            before_start(),
            item_refund("", OurPricePrincipal="-2.00"),
            [("200", "OUTPUT2", "2.00")],
            "2.00",
            id="without a SKU",
        ),
    ],
)
def test_refund_of_an_order_before_start_has_a_standalone_note(
    order: dict[str, Any], back: dict[str, Any], lines: Any, total: str
) -> None:
    connection = RefundingConnection(order, policy=STANDALONE)

    record = connection.refund(refund("T1", back))

    assert outcome(record) == (TransactionState.PLANNED, "")
    assert connection.lines(NOTE) == lines
    note = connection.xero.credit_note(NOTE)
    assert (note["Total"], note["RemainingCredit"]) == (Decimal(total), 0)
    assert connection.note(NOTE).desired.body["Reference"] == "Amazon.co.uk A"
    assert connection.note(NOTE).desired.references == {"Contact.ContactID": f"contact#AMAZON-{UK}"}
    paid_out = connection.document(NOTE, DocumentKind.CREDIT_NOTE_REFUND)
    assert (paid_out.state, paid_out.desired.body["Account"]) == (DocumentState.APPLIED, {"Code": "CLR-GBP"})
    assert not connection.xero.books["Invoices"]


@pytest.mark.parametrize(
    ("back", "lines"),
    [
        (BACK, LINES),
        (BACK_COLLECTED, [("200", "ZERORATEDOUTPUT", "15.00")]),
        (item_refund("", GoodwillPrincipal="-3.00"), [("200", "OUTPUT2", "3.00")]),
    ],
)
def test_refund_of_an_order_that_amazon_no_longer_returns_has_a_standalone_note(back: Any, lines: Any) -> None:
    connection, record = gone_order(refund("T1", back))

    assert outcome(record) == (TransactionState.PLANNED, "")
    assert connection.lines(NOTE) == lines
    assert connection.note(NOTE).desired.body["Reference"] == "Amazon.co.uk A"
    assert connection.note(NOTE).state is DocumentState.APPLIED


def test_order_that_amazon_no_longer_returns_waits_for_a_person_by_default() -> None:
    _, record = gone_order(refund("T1", BACK), BY_A_PERSON)

    assert record.reason == WaitReason.WAITING_FOR_SALE
    assert "ORDER_NOT_FOUND" in record.remedy


def test_marketplace_is_the_one_that_the_transaction_names() -> None:
    raw = refund("T1", BACK) | {"marketplaceDetails": {"marketplaceId": DE, "marketplaceName": "Amazon.de"}}

    _, record = gone_order(raw)

    assert record.reason == FailureCode.UNKNOWN_MARKETPLACE
    assert f"Marketplace {DE} is not in amazon.marketplaces" in record.remedy
    assert "then reprocess transaction T1" in record.remedy


def test_marketplace_that_is_not_named_and_cannot_be_known_is_asked_of_a_person() -> None:
    _, record = gone_order(refund("T1", item_refund(currency="EUR", OurPricePrincipal="-1.00"), currency="EUR"))

    assert record.reason == FailureCode.UNKNOWN_MARKETPLACE
    assert "names no marketplace for refund T1 in EUR" in record.remedy


def test_without_a_tax_rule_it_fails_and_says_what_to_reprocess() -> None:
    policy = replace(STANDALONE, tax=replace(STANDALONE.tax, rules=()))
    connection = RefundingConnection(before_start(), policy=policy)

    record = connection.refund(refund("T1", BACK))

    assert record.reason == FailureCode.TAX_UNMAPPED
    assert record.remedy.endswith("then reprocess transaction T1.")


NEW_WORD = item("18.00", breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00"))
DEEMED = item("18.00") | {"tax": {"taxCalculationBreakdowns": [{"reportingScheme": "GB_VOEC"}]}}


@pytest.mark.parametrize(
    ("unclear", "remedy"),
    [
        (
            NEW_WORD | {"tax": {"taxCollections": [{"model": "NewModel"}]}},
            "to tax.liabilities in the connection's settings and reprocess transaction T1; or enter the credit note in "
            "Xero manually, then skip the transaction.",
        ),
        (DEEMED, "who remits which tax. Enter the credit note in Xero manually, then skip the transaction."),
    ],
)
def test_refund_whose_tax_is_unclear_says_what_a_person_can_do_about_a_refund(
    unclear: dict[str, Any], remedy: str
) -> None:
    connection = RefundingConnection(before_start(unclear), policy=STANDALONE)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00")))

    assert record.reason == FailureCode.TAX_LIABILITY_UNCLEAR
    assert record.remedy.endswith(remedy)


@pytest.mark.parametrize("policy", [BY_A_PERSON, STANDALONE])
def test_order_that_amazon_only_delivered_has_no_note(policy: PostingPolicy) -> None:
    connection = RefundingConnection(before_start(salesChannel={"channelName": "NON_AMAZON"}), policy=policy)

    record = connection.refund(refund("T1", BACK))

    assert outcome(record) == (TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)


def test_failed_refund_has_its_note_once_the_setting_asks_for_it_and_keeps_it() -> None:
    connection = RefundingConnection(before_start(), policy=BY_A_PERSON)
    failed = connection.refund(refund("T1", BACK))
    assert failed.reason == FailureCode.REFUND_BEFORE_START
    assert "set refunds.before_start to standalone" in failed.remedy

    connection.change_policy(STANDALONE)
    assert connection.reprocess("T1").state is TransactionState.PLANNED
    before, writes = connection.note(NOTE), len(connection.xero.writes())

    connection.change_policy(BY_A_PERSON)
    assert connection.reprocess("T1").state is TransactionState.PLANNED
    assert (connection.note(NOTE), len(connection.xero.writes())) == (before, writes)


def test_two_refunds_of_one_order_have_a_note_each() -> None:
    connection = RefundingConnection(before_start(), policy=STANDALONE)

    for name in ("T1", "T2"):
        connection.refund(refund(name, item_refund(OurPricePrincipal="-2.00")))

    assert connection.balance() == Decimal("-4.00")
