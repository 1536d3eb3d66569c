"""The charges of a seller folder without transactions, releases, and listTransactions as it is reported to deviate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.amazon import OWN_SELLER, Seller
from sandbox.testing.amazon import QUEUE, AmazonClient, a_transaction, an_order

D = Decimal
EARLY = "2026-10-01T00:00:00Z"


def folder_of(tmp_path: Path, *orders: dict[str, Any]) -> Path:
    """Return a seller folder with these versions of orders, and nothing else."""
    (tmp_path / "orders.jsonl").write_text("".join(f"{json.dumps(order)}\n" for order in orders))
    return tmp_path


@pytest.fixture
def own_orders(tmp_path: Path) -> AmazonClient:
    """Serve the orders of the project's own seller folder, without its transactions."""
    (tmp_path / "orders.jsonl").write_bytes((OWN_SELLER / "orders.jsonl").read_bytes())
    return AmazonClient(Seller.load(tmp_path), present=True)


def charges(amazon: AmazonClient, order_id: str = "", **query: Any) -> list[dict[str, Any]]:
    if order_id:
        query |= {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_id}
    found: list[dict[str, Any]] = amazon.transactions(**({"postedAfter": EARLY} | query)).body["payload"][
        "transactions"
    ]
    return found


def leaves(breakdowns: list[dict[str, Any]] | None) -> Iterator[tuple[str, Decimal]]:
    for each in breakdowns or ():
        if each["breakdowns"]:
            yield from leaves(each["breakdowns"])
        else:
            yield each["breakdownType"], each["breakdownAmount"]["currencyAmount"]


def test_every_shipped_order_with_an_amount_is_charged_minutes_after_it_shipped(own_orders: AmazonClient) -> None:
    found = charges(own_orders)

    assert Counter(each["transactionStatus"] for each in found) == {
        "RELEASED": 27,
        "DEFERRED_RELEASED": 1,
    }, "one for each shipment and each tip, and the copy of the business buyer's"
    (kettle,) = charges(own_orders, "204-0000001-0000001")
    assert (kettle["transactionType"], kettle["postedDate"]) == ("Shipment", "2026-10-25T06:40:00Z")
    assert kettle["totalAmount"] == {"currencyAmount": D("20.40"), "currencyCode": "GBP"}
    assert charges(own_orders, "S01-0000022-0000022") == [], "sold elsewhere, so Amazon charges nothing"
    for each in found:
        total = each["totalAmount"]["currencyAmount"]
        assert sum(amount for _, amount in leaves(each["breakdowns"])) == total
        assert sum(amount for item in each["items"] for _, amount in leaves(item["breakdowns"])) == total


def test_charge_names_the_sku_and_an_item_id_of_its_own(own_orders: AmazonClient) -> None:
    (charge,) = charges(own_orders, "204-0000003-0000003")

    skus = [(item["contexts"][0]["sku"], item["contexts"][0]["quantityShipped"]) for item in charge["items"]]
    assert skus == [("TOWEL-GREY", 2), ("KETTLE-BLUE", 1)]
    ids = {related["itemRelatedIdentifierValue"] for item in charge["items"] for related in item["relatedIdentifiers"]}
    assert len(ids) == 2
    assert not ids & {"9900000301", "9900000302"}


@pytest.mark.parametrize(
    ("order_id", "expected"),
    [
        (
            "111-0000008-0000008",
            {
                "OurPricePrincipal": "40.00",
                "ShippingPrincipal": "5.00",
                "OurPriceTax": "4.00",
                "ShippingTax": "0.50",
                "MarketplaceFacilitatorTax-Principal": "-4.00",
                "MarketplaceFacilitatorTax-Shipping": "-0.50",
                "Commission": "-6.75",
            },
        ),
        (
            "204-0000006-0000006",
            {
                "OurPricePrincipal": "15.00",
                "OurPriceTax": "3.00",
                "MarketplaceFacilitatorVAT-Principal": "-3.00",
                "Commission": "-2.25",
            },
        ),
        ("702-0000025-0000025", {"OurPricePrincipal": "40.00", "OurPriceTax": "2.00", "Commission": "-6.00"}),
        (
            "204-0000011-0000011",
            {
                "OurPricePrincipal": "40.00",
                "ShippingPrincipal": "3.99",
                "OurPriceDiscount": "-4.00",
                "ShippingDiscount": "-3.99",
                "Commission": "-5.40",
            },
        ),
    ],
)
def test_charge_has_a_leaf_for_each_part_of_the_sale_and_withheld_legs_for_tax_that_amazon_collects(
    own_orders: AmazonClient, order_id: str, expected: dict[str, str]
) -> None:
    (charge,) = charges(own_orders, order_id)

    assert dict(leaves(charge["breakdowns"])) == {leaf: D(amount) for leaf, amount in expected.items()}


def test_partly_shipped_order_is_charged_for_what_is_shipped_and_later_for_the_rest(tmp_path: Path) -> None:
    orders = [json.loads(line) for line in (OWN_SELLER / "orders.jsonl").read_text(encoding="utf-8").splitlines()]
    (partly,) = [
        o for o in orders if o["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED" and "0000020" in str(o)
    ]
    later = json.loads(json.dumps(partly)) | {"lastUpdatedTime": "2026-11-19T18:00:00Z"}
    for item in later["orderItems"]:
        item["fulfillment"]["quantityFulfilled"] = item["quantityOrdered"]
    amazon = AmazonClient(Seller.load(folder_of(tmp_path, later, partly)), present=True)

    first, second = charges(amazon, "204-0000020-0000020")

    of_first, of_second = dict(leaves(first["breakdowns"])), dict(leaves(second["breakdowns"]))
    assert (of_first["OurPricePrincipal"], of_second["OurPricePrincipal"]) == (D("35.00"), D("25.00"))
    assert (of_first["ShippingPrincipal"], of_second["ShippingPrincipal"]) == (D("2.66"), D("1.33"))


def test_price_that_includes_its_tax_is_charged_apart_from_it(tmp_path: Path) -> None:
    def money(amount: str) -> dict[str, str]:
        return {"amount": amount, "currencyCode": "GBP"}

    kettle = an_order(1, status="SHIPPED")
    kettle["orderItems"][0] |= {
        "proceeds": {
            "proceedsTotal": money("24.00"),
            "breakdowns": [
                {"type": "ITEM", "subtotal": money("24.00")},
                {"type": "TAX", "subtotal": money("4.00")},
            ],
        },
        "fulfillment": {"quantityFulfilled": 1},
    }

    (charge,) = charges(AmazonClient(Seller.load(folder_of(tmp_path, kettle)), present=True))

    of_buyer = {leaf: amount for leaf, amount in leaves(charge["breakdowns"]) if leaf != "Commission"}
    assert of_buyer == {"OurPricePrincipal": D("20.00"), "OurPriceTax": D("4.00")}


def test_tip_is_charged_with_the_shipment_and_what_is_added_later_apart(own_orders: AmazonClient) -> None:
    first, second = charges(own_orders, "111-0000014-0000014")

    assert dict(leaves(first["breakdowns"]))["TipPrincipal"] == D("3.00")
    assert dict(leaves(second["breakdowns"])) == {"TipPrincipal": D("1.00")}


def test_folder_with_transactions_has_only_those(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, *map(json.loads, (OWN_SELLER / "orders.jsonl").read_text(encoding="utf-8").splitlines())
    )
    (folder / "transactions.jsonl").write_text("")

    assert charges(AmazonClient(Seller.load(folder), present=True)) == []


# ---- releases


def test_released_transaction_keeps_its_id_and_is_posted_again_as_a_copy_that_names_it() -> None:
    amazon = AmazonClient()
    amazon.subscribe("TRANSACTION_UPDATE")
    deferred = a_transaction(1, transactionType="Refund", transactionStatus="DEFERRED")
    amazon.sandbox.put_transaction(deferred, notify=True)

    assert amazon.control("POST", "release", {"transaction": "transaction-1", "notify": True}) == (204, None)
    amazon.clock.advance(121)

    original, copy = charges(amazon)
    assert (original["transactionId"], original["transactionStatus"]) == ("transaction-1", "DEFERRED_RELEASED")
    assert (copy["transactionStatus"], copy["postedDate"]) == ("RELEASED", "2026-11-23T12:00:00Z")
    assert copy["totalAmount"] == original["totalAmount"]
    related = {each["relatedIdentifierName"]: each["relatedIdentifierValue"] for each in copy["relatedIdentifiers"]}
    assert related["DEFERRED_TRANSACTION_ID"] == "transaction-1"
    types = [body["Payload"]["TransactionUpdateNotification"]["TransactionType"] for body in amazon.received()]
    assert (types, {arn for arn, _ in amazon.queue}) == (["Refund", "Refund"], {QUEUE}), "not for the change of status"
    assert amazon.control("POST", "release", {"transaction": "unknown"})[0] == 400


# ---- how listTransactions deviates


def test_transaction_may_be_listed_two_days_late() -> None:
    amazon = AmazonClient()
    for number, posted in enumerate(("2026-11-21T12:00:00Z", "2026-11-21T11:59:59Z"), start=1):
        amazon.sandbox.put_transaction(a_transaction(number, postedDate=posted))
    amazon.control("POST", "transaction-faults", {"delay_hours": 48})

    assert [each["transactionId"] for each in charges(amazon)] == ["transaction-2"]
    amazon.clock.advance(1)
    assert [each["transactionId"] for each in charges(amazon)] == ["transaction-2", "transaction-1"]
    amazon.control("POST", "transaction-faults")
    assert len(charges(amazon)) == 2


def test_optional_fields_may_be_null_and_a_status_be_written_in_another_case() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_transaction(a_transaction(1, items=[{"description": "Kettle", "breakdowns": []}]))
    nulls = ["items.breakdowns", "breakdowns", "description"]
    amazon.control("POST", "transaction-faults", {"nulls": nulls, "capitalised_status": True})

    (shown,) = charges(amazon)

    assert (shown["breakdowns"], shown["items"]) == (None, [{"description": "Kettle", "breakdowns": None}])
    assert "description" not in shown
    assert shown["transactionStatus"] == "Released"
    assert amazon.control("POST", "transaction-faults", {"unknown": 1})[0] == 400
