"""One invoice for each shipment, where the policy says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from fakes.books import POLICY
from fakes.order_life import CANADIAN, PAYING, PER_SHIPMENT, canadian_item, cancelled, order_life, tea, version
from fakes.orders import breakdown, item

D = Decimal


def package(reference: str, day: int, quantity: int, item_id: str = "10000000000001") -> dict[str, Any]:
    return {
        "packageReferenceId": reference,
        "shipTime": f"2026-11-{day:02}T09:00:00Z",
        "packageItems": [{"orderItemId": item_id, "quantity": quantity}],
    }


def three_of_tea(day: int, fulfilled: int, *packages: dict[str, Any], price: str = "30.00") -> dict[str, Any]:
    """An order of three, by default at 10.00 each, so many of them shipped."""
    sold = tea(price, quantity=3)
    sold["fulfillment"] = {"quantityFulfilled": fulfilled, "quantityUnfulfilled": 3 - fulfilled}
    status = "SHIPPED" if fulfilled == 3 else "PARTIALLY_SHIPPED"
    return version(day, sold, status=status, packages=list(packages))


ONE_SHIPPED = three_of_tea(2, 1, package("P1", 2, 1))
ALL_SHIPPED = three_of_tea(6, 3, package("P1", 2, 1), package("P2", 6, 2))


def test_each_shipment_has_its_own_invoice_dated_on_its_own_day() -> None:
    life = order_life(PER_SHIPMENT, version(1, tea("30.00", quantity=3), status="UNSHIPPED"), ONE_SHIPPED)
    assert life.summary == {"invoice A": "AUTHORISED 10.00", "payment A": "10"}

    life.update(ALL_SHIPPED)

    assert life.summary == {
        "invoice A": "AUTHORISED 10.00",
        "payment A": "10",
        "invoice A-S2": "AUTHORISED 20.00",
        "payment A-S2": "20",
    }
    assert life.in_xero["invoice A-S2"].body["Date"] == "2026-11-06"
    assert life.pending_changes() == []


def test_cash_refund_that_is_not_made_yet_gives_way_to_an_allocation_where_an_invoice_is_open_by_now() -> None:
    # Given a paid first shipment whose price falls, and Xero has taken the credit note, but not its refund yet
    life = order_life(PER_SHIPMENT, ONE_SHIPPED)
    life.request(three_of_tea(3, 1, package("P1", 2, 1), price="24.00"))
    life.post(at_most=2)
    # And the invoice of the second shipment, which nothing pays
    life.policy = replace(life.policy, accounts=replace(life.policy.accounts, clearing={}))
    life.request(three_of_tea(6, 3, package("P1", 2, 1), package("P2", 6, 2), price="24.00"))
    life.post(at_most=1)

    life.request()
    life.post()

    assert life.summary == {
        "invoice A": "AUTHORISED 10.00",
        "payment A": "10",
        "credit_note A-A1": "AUTHORISED 2.00",
        "allocation A-A1": "2",
        "invoice A-S2": "AUTHORISED 16.00",
    }


def test_cancellation_after_two_paid_shipments_credits_both() -> None:
    life = order_life(PER_SHIPMENT, ALL_SHIPPED, cancelled(8))

    assert life.summary["credit_note A-A1"] == "AUTHORISED 30.00"
    assert life.invoiced_total == life.settled_total == 0


@pytest.mark.parametrize("discounted", [True, False])
def test_shipment_without_value_has_no_invoice_and_its_number_stays_unused(discounted: bool) -> None:
    fully_discounted = item("0.00", breakdown("ITEM", "3.00"), breakdown("DISCOUNT", "-3.00"), item_id="1")
    free = fully_discounted if discounted else tea("0.00", item_id="1")
    packages = [package("P1", 2, 1, "1"), package("P2", 3, 1, "2")]
    life = order_life(PER_SHIPMENT, version(4, free, tea("5.00", item_id="2"), packages=packages))

    assert life.summary == {"invoice A-S2": "AUTHORISED 5.00", "payment A-S2": "5"}
    assert life.pending_changes() == []


def test_tip_is_invoiced_with_the_first_shipment_whose_content_is_known() -> None:
    sold = tea("30.00", quantity=3)
    life = order_life(PER_SHIPMENT, version(2, sold, status="PARTIALLY_SHIPPED", tip="2.00"))
    assert life.summary == {}

    life.update(version(3, sold, tip="2.00"))

    assert (life.invoiced_total, life.settled_total) == (D("32.00"), D("32.00"))


@pytest.mark.parametrize("policy", [PER_SHIPMENT, replace(POLICY, invoice_per=InvoicePer.SHIPMENT)])
def test_tip_keeps_its_tax_where_all_that_was_sent_with_it_is_cancelled(policy: PostingPolicy) -> None:
    packages = [package("P1", 2, 1, "1"), package("P2", 3, 1, "2")]
    gone = tea("0.00", item_id="1", quantity=0)
    life = order_life(policy, version(4, tea("9.00", item_id="1"), tea("5.00", item_id="2"), packages=packages))

    life.update(version(5, gone, tea("5.00", item_id="2"), packages=packages, tip="2.00"))

    tips = [
        (life.in_xero[key].body["LineAmountTypes"], line["TaxType"])
        for key in life.in_xero
        for line in life.in_xero[key].body.get("LineItems", ())
        if line["Description"] == "Delivery tip"
    ]
    assert tips == [("Inclusive", "OUTPUT2")]
    assert life.invoiced_total == D("7.00")


def test_cancellation_voids_all_unpaid_shipment_invoices() -> None:
    unpaid = replace(POLICY, invoice_per=InvoicePer.SHIPMENT)
    life = order_life(unpaid, ALL_SHIPPED, cancelled(8))

    assert life.summary == {}
    life.update(three_of_tea(9, 3, package("P1", 2, 1), package("P2", 6, 2)))
    assert life.summary == {"invoice A-R1": "AUTHORISED 10.00", "invoice A-S2-R1": "AUTHORISED 20.00"}


@pytest.mark.parametrize(
    ("before", "after"), [(PAYING, PER_SHIPMENT), (PER_SHIPMENT, PAYING)], ids=["to shipments", "to orders"]
)
def test_changed_shipment_policy_keeps_the_invoiced_total(before: PostingPolicy, after: PostingPolicy) -> None:
    life = order_life(before, ONE_SHIPPED)
    life.policy = after

    life.update(ALL_SHIPPED)

    assert life.invoiced_total == life.settled_total == D("30.00")
    assert life.pending_changes() == []


@pytest.mark.parametrize(("first", "taxes"), [(13, ["0.52", "1.08"]), (1, ["0.04", "1.56"]), (33, ["1.32", "0.28"])])
def test_shipments_share_the_tax_that_amazon_rounded_by_unit(first: int, taxes: list[str]) -> None:
    # Given 40 units of 0.83 with 0.04 of tax each; Xero would compute 1.66 on all of them
    def candies(day: int, fulfilled: int, *packages: dict[str, Any]) -> dict[str, Any]:
        sold = canadian_item("33.20", "1.60") | {"quantityOrdered": 40}
        sold["fulfillment"] = {"quantityFulfilled": fulfilled, "quantityUnfulfilled": 40 - fulfilled}
        status = "SHIPPED" if fulfilled == 40 else "PARTIALLY_SHIPPED"
        return version(day, sold, status=status, packages=list(packages), **CANADIAN)

    packages = package("P1", 2, first, "1"), package("P2", 6, 40 - first, "1")
    life = order_life(PER_SHIPMENT, candies(2, first, packages[0]), candies(6, 40, *packages))

    invoices = [life.in_xero[f"invoice {number}"] for number in ("A", "A-S2")]
    net = [line["Quantity"] * line["UnitAmount"] for each in invoices for line in each.body["LineItems"]]
    assert [str((each.total or D(0)) - price) for each, price in zip(invoices, net, strict=True)] == taxes
    assert life.invoiced_total == D("34.80")
    assert life.pending_changes() == []


@pytest.mark.parametrize(("rest", "second"), [("6.67", "3.34"), ("6.66", "3.33")])
def test_cancelled_rest_of_an_item_whose_price_does_not_divide_makes_no_paper_of_a_cent(rest: str, second: str) -> None:
    def teas(day: int, price: str, quantity: int, fulfilled: int, *packages: dict[str, Any]) -> dict[str, Any]:
        sold = tea(price, quantity=quantity) | {"fulfillment": {"quantityFulfilled": fulfilled}}
        status = "SHIPPED" if fulfilled == quantity else "PARTIALLY_SHIPPED"
        return version(day, sold, status=status, packages=list(packages))

    first = package("P1", 2, 1)
    life = order_life(PER_SHIPMENT, teas(2, "10.00", 3, 1, first), teas(3, rest, 2, 1, first))
    assert life.summary == {"invoice A": "AUTHORISED 3.33", "payment A": "3.33"}

    life.update(teas(4, rest, 2, 2, first, package("P2", 4, 1)))

    assert {name: each.total for name, each in life.in_xero.items() if each.total} == {
        "invoice A": D("3.33"),
        "invoice A-S2": D(second),
    }
