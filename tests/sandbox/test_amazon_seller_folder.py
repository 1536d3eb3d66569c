"""The project's own seller folder matches its README, and its amounts reconcile."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local.stack import SETTINGS, stops_of
from sandbox.amazon import OWN_SELLER, Seller

STOPS = stops_of(OWN_SELLER)
CLEARING = json.loads(SETTINGS.read_text(encoding="utf-8"))["accounts"]["clearing"]
INVOICED = {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"}


def lines(name: str) -> list[dict[str, Any]]:
    text = (OWN_SELLER / name).read_text(encoding="utf-8")
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


ORDER_VERSIONS = lines("orders.jsonl")
LATEST = {order["orderId"]: order for order in sorted(ORDER_VERSIONS, key=lambda order: order["lastUpdatedTime"])}
TRANSACTIONS = lines("transactions.jsonl")


def amount(money: dict[str, str]) -> Decimal:
    return Decimal(money["amount"])


def with_discount_subtracted(breakdowns: list[dict[str, Any]]) -> Decimal:
    """Return the sum. A discount reduces it, whichever sign the discount is written with."""
    subtotals = [(each["type"], amount(each["subtotal"])) for each in breakdowns]
    return sum((-abs(value) if kind == "DISCOUNT" else value for kind, value in subtotals), Decimal(0))


def is_invoiced(order: dict[str, Any]) -> bool:
    total = order.get("proceeds", {}).get("grandTotal")
    return order["fulfillment"]["fulfillmentStatus"] in INVOICED and total is not None and amount(total) > 0


def collected_by_amazon(order: dict[str, Any]) -> Decimal:
    items = [item for item in order["orderItems"] if item.get("tax", {}).get("taxCollections")]
    taxes = [each for item in items for each in item["proceeds"]["breakdowns"] if each["type"] == "TAX"]
    return sum((amount(tax["subtotal"]) for tax in taxes), Decimal(0))


def leaves(breakdowns: list[dict[str, Any]]) -> Iterator[Decimal]:
    for each in breakdowns:
        if each["breakdowns"]:
            yield from leaves(each["breakdowns"])
        else:
            yield each["breakdownAmount"]["currencyAmount"]


def settlement_rows() -> list[dict[str, str]]:
    (path,) = (OWN_SELLER / "settlements").glob("*.txt")
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))


def test_folder_is_loaded_completely() -> None:
    seller = Seller.load(OWN_SELLER)
    kinds = [version.kind for version in seller.history()]
    assert (kinds.count("order"), kinds.count("transaction"), kinds.count("inventory")) == (53, 43, 18)
    assert list(seller.settlements) == ["26100000001.txt"]


@pytest.mark.parametrize(
    "order", [order for order in ORDER_VERSIONS if "proceeds" in order], ids=lambda order: order["orderId"]
)
def test_amounts_of_every_order_add_up(order: dict[str, Any]) -> None:
    for item in order["orderItems"]:
        assert with_discount_subtracted(item["proceeds"]["breakdowns"]) == amount(item["proceeds"]["proceedsTotal"])
        for breakdown in item["proceeds"]["breakdowns"]:
            if detailed := breakdown.get("detailedBreakdowns"):
                assert sum(amount(each["value"]) for each in detailed) == amount(breakdown["subtotal"])
    tips = [each for each in order["proceeds"]["breakdowns"] if each["type"] == "DELIVERY_TIP"]
    items = sum(amount(item["proceeds"]["proceedsTotal"]) for item in order["orderItems"])
    grand_total = amount(order["proceeds"]["grandTotal"])
    assert items + sum(amount(tip["subtotal"]) for tip in tips) == grand_total
    assert with_discount_subtracted(order["proceeds"]["breakdowns"]) == grand_total


def test_every_invoiced_order_has_amounts_on_every_item() -> None:
    invoiced = [order for order in LATEST.values() if is_invoiced(order)]
    assert len(invoiced) == 23
    assert all("proceedsTotal" in item["proceeds"] for order in invoiced for item in order["orderItems"])


def billable(order: dict[str, Any]) -> Decimal:
    """Return the net amount of all Xero documents for a version of an order."""
    if not is_invoiced(order):
        return Decimal(0)
    return amount(order["proceeds"]["grandTotal"]) - collected_by_amazon(order)


def versions_read(order_id: str) -> list[dict[str, Any]]:
    """Return the versions of an order that are read if its history is played from stop to stop: the last at each."""
    versions = [order for order in ORDER_VERSIONS if order["orderId"] == order_id]
    ends = [*STOPS, "9999"]
    last = [[v for v in versions if v["lastUpdatedTime"] <= end][-1:] for end in ends]
    return [found[0] for n, found in enumerate(last) if found and (n == 0 or found != last[n - 1])]


def expected_documents(order_id: str) -> tuple[str, str, str]:
    """Return the README's columns: invoice, later documents, net."""
    invoice, is_approved, after = Decimal(0), False, ""
    for order in versions_read(order_id):
        now = billable(order)
        if is_approved and now != invoice:
            is_unpaid = order["proceeds"]["grandTotal"]["currencyCode"] not in CLEARING
            after = "voided" if is_unpaid and not now else f"{'+' if now > invoice else '-'}{abs(now - invoice)}"
        elif not is_approved and invoice and not now:
            after = "deleted"
        elif not is_approved:
            invoice = now
        is_approved = is_approved or (now > 0 and order["fulfillment"]["fulfillmentStatus"] != "UNSHIPPED")
    if not invoice:
        return "none", "-", "-"
    return str(invoice), after or "-", str(billable(LATEST[order_id])) if billable(LATEST[order_id]) else "0.00"


# What differs where each shipment has an invoice of its own.
BY_SHIPMENT = {
    "204-0000020-0000020": ("37.66", "and 26.33", "63.99"),
    "204-0000029-0000029": ("24.00", "-", "24.00"),
}


def test_readme_table_matches_each_orders_status_total_and_documents() -> None:
    readme = (OWN_SELLER / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in readme.splitlines() if "|" in line]
    documented = {row[0]: tuple(row[2:]) for row in rows if row[0] in LATEST}
    expected = {}
    for order_id, order in LATEST.items():
        total = order.get("proceeds", {}).get("grandTotal")
        status = order["fulfillment"]["fulfillmentStatus"]
        expected[order_id] = (
            status,
            f"{total['amount']} {total['currencyCode']}" if total else "-",
            *BY_SHIPMENT.get(order_id, expected_documents(order_id)),
        )
    assert documented == expected


def test_stops_make_every_kind_of_change_visible() -> None:
    """Without stops, every order would be read at its newest version only, and no document would ever change."""
    assert sorted(STOPS) == list(STOPS)
    kinds = {expected_documents(order_id)[1][0] for order_id in LATEST}
    assert kinds == set("-+vd"), "a credit note, a further invoice, a voided invoice, a deleted draft"
    drafts = [billable(order) for order in versions_read("204-0000028-0000028")]
    assert drafts == [Decimal("24.00"), Decimal("20.00"), Decimal("20.00")]


def test_order_histories_have_the_documented_statuses() -> None:
    statuses = defaultdict(list)
    for order in sorted(ORDER_VERSIONS, key=lambda order: order["lastUpdatedTime"]):
        statuses[order["orderId"]].append(order["fulfillment"]["fulfillmentStatus"])
    assert statuses["204-0000016-0000016"] == ["PENDING", "UNSHIPPED", "SHIPPED"]
    assert statuses["204-0000017-0000017"] == ["PENDING", "CANCELLED"]
    assert statuses["204-0000018-0000018"] == ["UNSHIPPED", "UNSHIPPED", "CANCELLED"]
    assert statuses["204-0000020-0000020"] == ["UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"]


def test_packages_contain_exactly_the_shipped_quantities() -> None:
    with_packages = [order for order in LATEST.values() if "packages" in order]
    assert len(with_packages) == 7
    for order in with_packages:
        packed: dict[str, int] = defaultdict(int)
        for package in order["packages"]:
            for item in package["packageItems"]:
                packed[item["orderItemId"]] += item["quantity"]
        shipped = {item["orderItemId"]: item["fulfillment"]["quantityFulfilled"] for item in order["orderItems"]}
        assert packed == {item_id: quantity for item_id, quantity in shipped.items() if quantity}


def test_buyers_are_fictitious() -> None:
    for order in ORDER_VERSIONS:
        address = order.get("recipient", {}).get("deliveryAddress")
        if address:
            assert any(word in address["name"] for word in ("Invented", "Erfunden"))
        assert order.get("buyer", {}).get("buyerEmail", "@marketplace.example").endswith("@marketplace.example")


def test_total_of_every_transaction_equals_its_breakdowns_and_its_items() -> None:
    for transaction in TRANSACTIONS:
        total = transaction["totalAmount"]["currencyAmount"]
        assert sum(leaves(transaction["breakdowns"])) == total
        if transaction["items"]:
            assert sum(item["totalAmount"]["currencyAmount"] for item in transaction["items"]) == total
            for item in transaction["items"]:
                assert sum(leaves(item["breakdowns"])) == item["totalAmount"]["currencyAmount"]


def related_to(transaction: dict[str, Any]) -> dict[str, str]:
    return {each["relatedIdentifierName"]: each["relatedIdentifierValue"] for each in transaction["relatedIdentifiers"]}


def test_sales_and_refunds_refer_to_orders_and_skus_of_the_folder() -> None:
    for transaction in TRANSACTIONS:
        related = related_to(transaction)
        if "ORDER_ID" not in related:
            continue
        order = LATEST[related["ORDER_ID"]]
        ordered = {item["orderItemId"]: item["product"]["sellerSku"] for item in order["orderItems"]}
        for item in transaction["items"]:
            (item_id,) = [each["itemRelatedIdentifierValue"] for each in item["relatedIdentifiers"]]
            sku = item["contexts"][0]["sku"]
            assert sku in ordered.values()
            is_settled_refund = transaction["transactionType"] == "Refund" and "SETTLEMENT_ID" in related
            if transaction["transactionType"] == "Shipment":
                assert ordered.get(item_id, sku) == sku
            elif is_settled_refund:
                assert ordered[item_id] == sku
            else:
                assert item_id not in ordered, "Amazon's ids of refunded items are others"


def paid_back(breakdowns: list[dict[str, Any]]) -> Decimal:
    """Return what the buyer got back: every leaf but Amazon's fees, and with it the tax that Amazon withheld."""
    amounts = [each for parent in breakdowns for each in parent["breakdowns"] if each["breakdownType"] != "AmazonFees"]
    return -sum(leaves(amounts), Decimal(0))


def expected_refunds() -> list[list[str]]:
    """Return the README's columns of each refund, without the case, the oldest first."""
    rows = []
    for first_version in {each["transactionId"]: each for each in reversed(TRANSACTIONS)}.values():
        if first_version["transactionType"] != "Refund":
            continue
        related, total = related_to(first_version), first_version["totalAmount"]
        is_booked = is_invoiced(LATEST[related["ORDER_ID"]]) and "DEFERRED_TRANSACTION_ID" not in related
        credit = f"{paid_back(first_version['breakdowns'])} {total['currencyCode']}" if is_booked else "none"
        amount = f"{total['currencyAmount']} {total['currencyCode']}"
        posted = first_version["postedDate"]
        rows.append((posted, [posted[:10], first_version["transactionId"][:8], related["ORDER_ID"], amount, credit]))
    return [row for _, row in sorted(rows)]


def test_readme_table_matches_the_credit_note_of_each_refund() -> None:
    readme = (OWN_SELLER / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in readme.splitlines() if "|" in line]
    documented = [[*row[:3], *row[4:]] for row in rows if len(row) == 6 and row[2] in LATEST]
    assert documented == expected_refunds()

    totals: dict[str, Decimal] = defaultdict(Decimal)
    for *_, credit in documented:
        if credit != "none":
            amount, currency = credit.split()
            totals[currency] += Decimal(amount)
    assert f"**{', '.join(f'{total} {currency}' for currency, total in totals.items())}**" in readme


def test_settlement_total_equals_its_transactions() -> None:
    header, *rows = settlement_rows()
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal(header["total-amount"]) == Decimal("46.72")

    def kind(transaction_type: str) -> str:
        return {"Shipment": "Order", "Refund": "Refund"}.get(transaction_type, "other")

    settled: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for transaction in TRANSACTIONS:
        related = related_to(transaction)
        if related.get("SETTLEMENT_ID") == header["settlement-id"]:
            key = (related.get("ORDER_ID", ""), kind(transaction["transactionType"]))
            settled[key] += transaction["totalAmount"]["currencyAmount"]
    reported: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        known = row["transaction-type"] if row["transaction-type"] in ("Order", "Refund") else "other"
        reported[(row["order-id"], known)] += Decimal(row["amount"])
    assert reported == settled
    assert len(settled) == 8
