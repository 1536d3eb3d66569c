"""What Amazon states about stock is read as it stands: what is missing is unknown, and what is wrong is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities
from amazon_to_xero.domain.amazon.stock_statements import parse_stock_notification, summary_statement
from amazon_to_xero.domain.failures import Failure, FailureCode
from fakes.state import NOON
from fakes.stock import DE, SELLER, UK, availability_change, body, merchant_change, summary


def notified(change: dict[str, Any], value: Any, *path: str | int) -> str:
    """Return a notification with another value in one place; without the part where the value is ..."""
    part: Any = change["Payload"]
    for name in path[:-1]:
        part = part[name]
    if value is ...:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return body(change)


LEVEL = ("FulfillmentInventoryByMarketplace", 0)


def test_notification_states_a_level_for_each_marketplace() -> None:
    notice = parse_stock_notification(body(availability_change({UK: 7, DE: 0})))

    assert (notice.seller_id, notice.at) == (SELLER, NOON)
    assert [(each.channel, each.place, each.sku) for each in notice.statements] == [
        (Channel.FBA, UK, "MUG-RED"),
        (Channel.FBA, DE, "MUG-RED"),
    ]
    assert notice.statements[0].quantities == StockQuantities(7, 0, 40, 2, 4, 3, 0, 1, {}, 0)
    assert notice.statements[1].quantities.fulfillable == 0
    assert {each.time for each in notice.statements} == {(NOON, NOON)}


def test_merchants_quantity_is_a_level_of_its_own() -> None:
    (level,) = parse_stock_notification(body(merchant_change(17))).statements

    assert (level.channel, level.place, level.quantities) == (Channel.MERCHANT, "DEFAULT", StockQuantities(17))


def test_notification_is_read_as_eventbridge_delivers_it() -> None:
    event = {"detail-type": "LISTINGS_ITEM_MFN_QUANTITY_CHANGE", "detail": merchant_change(17)}

    assert parse_stock_notification(json.dumps(event)).statements[0].quantities.fulfillable == 17


def test_names_of_a_notification_are_read_in_any_case() -> None:
    lower = body(availability_change({UK: 7})).replace("Fulfillable", "fulfillable").replace("EventTime", "eventTime")

    assert parse_stock_notification(lower).statements[0].quantities.fulfillable == 7


@pytest.mark.parametrize("path", [("FulfillmentInventory", "Fulfillable"), ("FulfillmentInventory", "Unfulfillable")])
def test_quantity_that_is_missing_is_unknown_and_not_zero(path: tuple[str, str]) -> None:
    quantities = parse_stock_notification(notified(availability_change({UK: 7}), ..., *LEVEL, *path)).statements[0]

    field = path[-1].lower()
    assert getattr(quantities.quantities, field) is None


@pytest.mark.parametrize("value", ["7", -1, 7.5, True, [7]])
def test_quantity_that_is_no_number_of_units_is_named(value: Any) -> None:
    change = notified(availability_change({UK: 7}), value, *LEVEL, "FulfillmentInventory", "Fulfillable")

    with pytest.raises(Failure) as caught:
        parse_stock_notification(change)

    assert caught.value.code is FailureCode.MALFORMED_MESSAGE
    assert "Fulfillable of MUG-RED should be a whole number of units" in caught.value.remedy
    assert "correct the body and send it to the queue again" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (notified(availability_change({UK: 7}), ..., "SKU"), "SKU is missing"),
        (notified(availability_change({UK: 7}), "  ", "SKU"), "SKU should be a text"),
        (notified(availability_change({UK: 7}), ..., "SellerId"), "SellerId is missing"),
        (notified(availability_change({UK: 7}), ..., *LEVEL, "MarketplaceId"), "MarketplaceId is missing"),
        (notified(availability_change({UK: 7}), {}, "FulfillmentInventoryByMarketplace"), "should be a list"),
        (notified(merchant_change(1), ..., "Quantity"), "Quantity is missing"),
        (body({**merchant_change(1), "EventTime": "yesterday"}), "EventTime should be"),
        ("[]", "not an object"),
    ],
)
def test_what_is_wrong_with_a_notification_is_named(change: str, named: str) -> None:
    with pytest.raises(Failure, match=named):
        parse_stock_notification(change)


def test_other_notification_is_refused_with_what_the_queue_takes() -> None:
    other = body({**merchant_change(1), "NotificationType": "ORDER_CHANGE"})

    with pytest.raises(Failure, match="LISTINGS_ITEM_MFN_QUANTITY_CHANGE") as caught:
        parse_stock_notification(other)

    assert caught.value.code is FailureCode.UNEXPECTED_NOTIFICATION


# --- summaries --------------------------------------------------------------------------------------------------------


def test_summary_states_every_kind_of_unit() -> None:
    level = summary_statement(
        summary(
            fulfillable=12,
            inboundShippedQuantity=40,
            reservedQuantity={"pendingCustomerOrderQuantity": 4, "pendingTransshipmentQuantity": 3},
            unfulfillableQuantity={
                "totalUnfulfillableQuantity": 6,
                "customerDamagedQuantity": 4,
                "defectiveQuantity": 2,
            },
        ),
        UK,
        NOON,
    )

    assert level.quantities == StockQuantities(
        12, 0, 40, 0, 4, 3, None, 6, {"customerDamaged": 4, "defective": 2}, 0, total=12
    )
    assert level.quantities.inbound == 40
    assert level.quantities.reserved == 7
    assert level.time == (datetime(2026, 11, 23, 10, tzinfo=UTC), NOON)
    assert (level.asin, level.product_name) == ("B0SBX00002", "Red mug")


def test_summary_without_details_states_no_quantity() -> None:
    bare = {"sellerSku": "MUG-RED", "inventoryDetails": None}

    assert summary_statement(bare, UK, NOON).quantities == StockQuantities()


def test_summary_without_a_time_holds_since_it_was_read() -> None:
    assert summary_statement(summary(at=None), UK, NOON).time == (NOON, NOON)


@pytest.mark.parametrize("sku", ["MUG, RED", "KID'S MUG", "MUG RED", "MUG#1", "TASSE-GRÜN"])
def test_sku_is_kept_as_it_is(sku: str) -> None:
    assert summary_statement(summary(sku), UK, NOON).sku == sku


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (summary(fulfillable=-1), "fulfillableQuantity of MUG-RED"),
        (summary(at="soon"), "lastUpdatedTime of MUG-RED"),
        (summary("X" * 201), "sellerSku should be"),
        (summary("\ud800"), "sellerSku should be"),
        ("no object", "sellerSku is missing"),
    ],
)
def test_what_is_wrong_with_a_summary_is_named_and_its_level_stays_unknown(wrong: Any, named: str) -> None:
    with pytest.raises(Failure, match=named) as caught:
        summary_statement(wrong, UK, NOON)

    assert caught.value.code is FailureCode.STOCK_MALFORMED
    assert "Check the SKU in Seller Central" in caught.value.remedy
