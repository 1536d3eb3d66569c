"""Refunds and the sales they belong to, read and planned at the same time or in an unlucky order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason, WaitReason
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.ports.amazon import AmazonUnavailable, Json
from fakes.order_life import CANADIAN, PAYING, SHIPPED, canadian_item, cancelled, tea, version
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.planning.refunding_connection import RefundingConnection, without_clearing


def money_back(amount: str, transaction_id: str = "T1", sku: str = "TEA-50") -> Json:
    return refund(transaction_id, item_refund(sku, OurPricePrincipal=f"-{amount}"))


def read(connection: RefundingConnection, *transactions: Json) -> None:
    """Have Amazon post these transactions and give notice of them, and read them."""
    connection.amazon.transactions = list(transactions)
    connection.notice_transactions(NOON)
    connection.clock.advance(300)
    connection.read_transactions()


def test_refunds_that_are_read_together_are_allocated_to_an_open_invoice_up_to_its_total() -> None:
    connection = RefundingConnection(SHIPPED, policy=without_clearing())

    read(connection, money_back("7.00"), money_back("6.00", "T2"))
    connection.plan_refunds("T1", "T2")
    connection.post()

    allocated = {
        number: connection.document(number, DocumentKind.ALLOCATION).desired.body["Amount"]
        for number in ("A-RFT1", "A-RFT2")
    }
    assert allocated == {"A-RFT1": Decimal(7), "A-RFT2": Decimal(3)}
    assert connection.xero.invoice("A")["AmountDue"] == 0


def test_refund_waits_until_xero_has_approved_the_invoice() -> None:
    connection = RefundingConnection(version(0, tea(), status="UNSHIPPED"))
    connection.update(SHIPPED, posts=False)  # Xero still has the draft

    record = connection.refund(money_back("4.00"), posts=False)

    assert record.reason == WaitReason.WAITING_FOR_SALE
    assert "invoice A is PENDING" in record.remedy


def test_refund_waits_until_the_payment_of_its_sale_is_in_xero() -> None:
    connection = RefundingConnection(SHIPPED)
    paid = connection.document("A", DocumentKind.PAYMENT)
    connection.store.save([replace(paid, state=DocumentState.DEFERRED, xero_id="")])

    record = connection.refund(money_back("4.00"), posts=False)

    assert record.reason == WaitReason.WAITING_FOR_SALE
    assert "payment A is DEFERRED" in record.remedy


def test_refund_of_an_order_that_was_sold_after_it_was_read_is_credited() -> None:
    connection = RefundingConnection(cancelled(1))
    connection.amazon.hold(version(2, tea("10.00")))  # reinstated and shipped; its notice was lost
    connection.clock.advance(60)

    record = connection.refund(money_back("4.00"))

    assert (record.state, record.reason) == (TransactionState.RECORDED, WaitReason.WAITING_FOR_SALE)
    assert connection.asked_for == ["A"]
    connection.update(version(2, tea("10.00")))
    connection.clock.advance(60)
    connection.plan_refund("T1")
    assert connection.note("A-RFT1").desired.total == Decimal("4.00")


def test_refund_of_a_cancelled_order_that_was_read_since_its_posting_is_explained_at_once() -> None:
    connection = RefundingConnection()
    connection.clock.advance(3600)
    connection.update(cancelled(1))
    connection.clock.advance(3600)  # Amazon shows the refund hours after it posted it

    record = connection.refund(money_back("4.00"))

    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)
    assert connection.asked_for == []


@pytest.mark.parametrize(("seconds", "is_asked_for"), [(119, True), (120, False)])
def test_order_that_was_read_within_moments_of_the_posting_is_read_once_more(seconds: int, is_asked_for: bool) -> None:
    connection = RefundingConnection()
    connection.clock.advance(seconds - 60)
    connection.update(cancelled(1))  # read after a minute; Amazon may have returned what it was before
    connection.clock.advance(3600)

    connection.refund(money_back("4.00"))

    assert bool(connection.asked_for) is is_asked_for


def test_refund_of_a_pending_order_waits_while_amazon_does_not_return_the_order() -> None:
    connection = RefundingConnection(version(1, tea(), status="PENDING"))
    connection.refund(money_back("4.00"))
    connection.update(version(1, tea(), status="PENDING"))
    connection.clock.advance(60)
    connection.amazon.faults = [AmazonUnavailable("getOrder", 503, "")]
    connection.read(connection.notice(["A"]))  # what the order waits for is its reason now
    connection.clock.advance(60)

    record = connection.plan_refund("T1")

    assert record.reason == WaitReason.WAITING_FOR_SALE


def test_refund_that_is_reprocessed_waits_for_its_order_again() -> None:
    connection = RefundingConnection(version(0, tea(), status="UNSHIPPED"))
    read(connection, money_back("4.00"))
    connection.clock.advance(4 * 86400)
    connection.plan_refunds("T1")
    assert connection.transaction("T1").reason == FailureCode.REFUND_WITHOUT_SALE

    notice = ChangeNotice("T1", reprocess=True)
    connection.plan_refunds(*connection.connection.services.transaction_notices.record([notice]))

    assert connection.transaction("T1").reason == WaitReason.WAITING_FOR_SALE


def test_refund_of_what_has_not_shipped_yet_waits_for_its_shipment() -> None:
    items = [tea("4.00", item_id="1", sku="ONE"), tea("6.00", item_id="2", sku="TWO")]
    policy = replace(PAYING, invoice_per=InvoicePer.SHIPMENT)
    connection = RefundingConnection(
        version(2, *items, status="PARTIALLY_SHIPPED", packages=[_package("1", 2)]), policy=policy
    )

    record = connection.refund(money_back("6.00", sku="TWO"))
    of_nothing_sold = connection.refund(money_back("1.00", "T2", sku="THREE"))

    assert of_nothing_sold.reason == FailureCode.REFUND_ITEM_UNKNOWN
    assert record.reason == WaitReason.WAITING_FOR_SALE
    assert "has shipped in part, and not yet what is refunded" in record.remedy
    connection.update(version(3, *items, packages=[_package("1", 2), _package("2", 3)]))
    connection.clock.advance(60)
    connection.plan_refund("T1")
    assert connection.note("A-RFT1").desired.total == Decimal("6.00")


def test_refund_that_is_reprocessed_keeps_its_credit_note_although_its_order_was_cancelled() -> None:
    connection = RefundingConnection(SHIPPED, policy=without_clearing())
    connection.refund(money_back("4.00"))
    connection.update(cancelled(2))

    record = connection.reprocess("T1")

    assert record.state is TransactionState.PLANNED
    assert set(record.documents) == {"credit_note#A-RFT1", "allocation#A-RFT1"}


def _package(item_id: str, day: int) -> Json:
    return {
        "packageReferenceId": item_id,
        "shipTime": f"2026-11-0{day}T10:00:00Z",
        "packageItems": [{"orderItemId": item_id, "quantity": 1}],
    }


def test_refund_of_an_item_that_replaced_a_dearer_one_is_credited_on_its_line() -> None:
    connection = RefundingConnection(version(1, tea("10.00", item_id="1", sku="ONE")))
    connection.update(version(2, tea("6.00", item_id="2", sku="TWO")))  # one credit note: ONE 10.00 less TWO 6.00

    connection.refund(money_back("6.00", sku="TWO"))

    assert connection.note("A-RFT1").desired.total == Decimal("2.00")  # 4.00 were credited
    assert [line.origin for line in connection.note_lines("A-RFT1")] == ["2:ITEM"]


def canadian_sale(**totals: Decimal) -> RefundingConnection:
    """Return a connection with a sale of CAD 20.00 and 1.00 tax; totals: what Xero computes for other numbers."""
    connection = RefundingConnection()
    connection.xero.totals = {"A": Decimal("21.00"), **totals}
    connection.update(version(1, canadian_item("20.00", "1.00"), **CANADIAN))
    return connection


def test_goodwill_without_tax_is_credited_where_prices_exclude_tax() -> None:
    connection = canadian_sale()

    connection.refund(refund("T1", item_refund(currency="CAD", GoodwillPrincipal="-5.00"), currency="CAD"))

    assert connection.lines("A-RFT1") == [("200", "NONE", "5.00")]


@pytest.mark.parametrize("credited", ["10.00", "15.00"])
def test_rest_of_a_refund_with_taxed_and_untaxed_lines_is_credited_where_prices_exclude_tax(credited: str) -> None:
    connection = canadian_sale(**{"A-A1": Decimal(credited) * Decimal("1.05")})
    left = Decimal("20.00") - Decimal(credited)
    connection.update(version(2, canadian_item(str(left), str(left / 20)), **CANADIAN))
    leaves = {"OurPricePrincipal": "-20.00", "OurPriceTax": "-1.00", "GoodwillPrincipal": "-9.00"}

    connection.refund(refund("T1", item_refund(currency="CAD", **leaves), currency="CAD"))

    assert connection.note("A-RFT1").desired.total == Decimal("30.00") - Decimal(credited) * Decimal("1.05")


def test_discount_that_the_sale_does_not_state_takes_the_tax_of_its_item_where_prices_exclude_tax() -> None:
    connection = canadian_sale()
    leaves = {"OurPricePrincipal": "-20.00", "OurPriceTax": "-0.50", "OurPriceDiscount": "10.00"}

    connection.refund(refund("T1", item_refund(currency="CAD", **leaves), currency="CAD"))

    note = connection.note("A-RFT1").desired
    assert note.total == Decimal("10.50")
    assert {each["TaxType"] for each in note.body["LineItems"]} == {"TAX001"}
