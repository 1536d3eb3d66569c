"""Orders and pages without fields that Amazon's model calls optional, or with null in them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import Json, OrderPage
from fakes.connection import FakeConnection
from fakes.orders import breakdown, item, money, order
from fakes.state import NOON
from unit.services.amazon_orders import FIRST_VERSION, MINUTE, amazon_order, amazon_time

# Amazon: Orders API v2026-01-01, what each object requires. Everything else is optional and may be missing or null.
REQUIRED = {
    "": {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems"},
    "salesChannel": {"channelName"},
    "fulfillment": {"fulfillmentStatus"},
    "orderItems": {"orderItemId", "quantityOrdered", "product"},
    "breakdowns": {"type", "subtotal"},
    "subtotal": {"amount", "currencyCode"},
    "grandTotal": {"amount", "currencyCode"},
    "proceedsTotal": {"amount", "currencyCode"},
    "unitPrice": {"amount", "currencyCode"},
    "value": {"amount", "currencyCode"},
    "packages": {"packageReferenceId"},
    "packageStatus": {"status"},
    "packageItems": {"orderItemId", "quantity"},
}


def full_order(order_id: str, status: str) -> Json:
    """An order that has every optional field which this application reads, and some that it does not."""
    parts = [
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "-2.00", ITEM="-2.00"),
        breakdown("TAX", "4.60", ITEM="4.10", SHIPPING="0.50"),
    ]
    sold = item("27.60", *parts, quantity=2, facilitator=True)
    sold["product"]["price"] = {"unitPrice": money("10.00"), "priceDesignation": "BUSINESS_PRICE"}
    sold["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 1}
    sold["cancellation"] = {"cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": "NO_LONGER_NEEDED"}}
    sold["tax"]["taxCalculationBreakdowns"] = [{"reportingScheme": "UOSS"}]
    package = {
        "packageReferenceId": "1",
        "packageStatus": {"status": "SHIPPED", "detailedStatus": "PICKED_UP"},
        "carrier": "Royal Mail",
        "trackingNumber": "TRACK1",
        "shipTime": "2026-11-22T15:00:00Z",
        "packageItems": [{"orderItemId": sold["orderItemId"], "quantity": 1}],
    }
    made = order(
        sold,
        grand_total="28.60",
        order_id=order_id,
        status=status,
        updated=amazon_time(FIRST_VERSION),
        programs=["AMAZON_BUSINESS"],
        packages=[package],
        associatedOrders=[{"orderId": "026-9", "associationType": "REPLACEMENT_ORIGINAL_ID"}],
        tax={"taxRegistrations": [{"entityType": "BUYER", "taxRegistrationNumber": "GB1"}]},
    )
    made["proceeds"]["breakdowns"] = [{"type": "DELIVERY_TIP", "status": "FINALIZED", "subtotal": money("1.00")}]
    return made


type Path = tuple[str | int, ...]


def optional_paths(value: Any, required_in: str = "", path: Path = ()) -> Iterator[Path]:
    """Yield where the optional fields of an order are."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in REQUIRED.get(required_in, set()):
                yield (*path, name)
            yield from optional_paths(part, name, (*path, name))
    elif isinstance(value, list):
        for place, element in enumerate(value):
            yield from optional_paths(element, required_in, (*path, place))


def without(raw: Json, path: Path, *, is_null: bool) -> None:
    """Remove a field, or set it to null. What it belongs to may be gone already."""
    holder: Any = raw
    for part in path[:-1]:
        is_there = isinstance(holder, list) or part in (holder or {})
        holder = holder[part] if is_there else None
    if isinstance(holder, dict) and path[-1] in holder:
        if is_null:
            holder[path[-1]] = None
        else:
            del holder[path[-1]]


PATHS = list(optional_paths(full_order("B", "SHIPPED")))
CHANGES = st.lists(st.tuples(st.sampled_from(PATHS), st.booleans()), max_size=len(PATHS))
STATUSES = ["PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"]


@example("SHIPPED", [(path, True) for path in PATHS], True)
@example("SHIPPED", [(path, False) for path in PATHS], True)
@given(st.sampled_from(STATUSES), CHANGES, st.booleans())
def test_order_without_any_optional_fields_has_a_clear_outcome_and_stops_no_other(
    status: str, changes: list[tuple[Path, bool]], is_in_page: bool
) -> None:
    raw = full_order("B", status)
    for path, is_null in changes:
        without(raw, path, is_null=is_null)

    connection = FakeConnection(raw, amazon_order("A"))
    named = () if is_in_page else connection.notice(["B", "A"])
    report = connection.sweep() if is_in_page else connection.read(named)
    for _ in range(45):
        connection.plan_drafts(*report.due)
        connection.plan_shipments(*report.due)
        # What is read late, or leaves unclear who owes the tax, awaits its charge: ever more rarely, at most 30 days.
        later = connection.record("B").next_attempt_at or connection.clock.now()
        connection.clock.advance(max(3600, (later - connection.clock.now()).total_seconds()))
        report = connection.read()

    assert connection.record("A").state is OrderState.PLANNED
    record = connection.record("B")
    assert record.next_attempt_at is None
    assert record.state in (OrderState.PLANNED, OrderState.NOT_INVOICED, OrderState.FAILED)
    assert record.reason != "ORDER_UNREADABLE"
    if record.reason == "ORDER_MALFORMED":
        assert "another type than documented" not in record.remedy
    # An order without amounts is read every quarter of an hour for a day; any other once.
    is_unpriced = record.reason == "PROCEEDS_MISSING"
    assert connection.amazon.count("getOrder") <= (100 if is_unpriced else 2)
    assert len(connection.dead_letters[ORDERS].letters) <= 1


@pytest.mark.parametrize("items", [None, []])
@pytest.mark.parametrize("status", STATUSES)
def test_order_without_items_has_a_clear_outcome(status: str, items: list[Any] | None) -> None:
    raw = full_order("B", status) | {"orderItems": items}
    connection = FakeConnection(raw)

    connection.read(connection.notice(["B"]))
    connection.plan_drafts()
    connection.plan_shipments()

    record = connection.record("B")
    if status in ("PENDING", "CANCELLED", "UNFULFILLABLE"):
        assert record.state is OrderState.NOT_INVOICED
    else:
        assert (record.state, record.next_attempt_at) == (OrderState.FAILED, None)
        assert record.reason in ("ORDER_MALFORMED", "ORDER_TOTAL_DIFFERS")
        assert "tem" in record.remedy


def test_order_with_a_tip_and_no_items_fails_and_names_the_field() -> None:
    raw = full_order("B", "SHIPPED") | {"orderItems": []}
    raw["proceeds"]["grandTotal"] = money("1.00")
    connection = FakeConnection(raw)

    connection.read(connection.notice(["B"]))
    connection.plan_shipments()

    assert (connection.record("B").state, connection.record("B").reason) == (OrderState.FAILED, "ORDER_MALFORMED")
    assert "orderItems" in connection.record("B").remedy


# --- pages ------------------------------------------------------------------------------------------------------------


def state_no_limit(connection: FakeConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon leaves lastUpdatedBefore out of every page."""
    search = connection.amazon.search_orders

    def without_limit(**query: Any) -> OrderPage:
        page = search(**query)
        return OrderPage(copy.deepcopy(page.orders), page.next_token, None)

    monkeypatch.setattr(connection.amazon, "search_orders", without_limit)


def test_sweep_of_pages_without_a_limit_ends_two_minutes_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(3)))
    connection.amazon.page_size = 2
    state_no_limit(connection, monkeypatch)

    report = connection.sweep()

    assert (report.records, report.stopped) == (3, "")
    connection.clock.advance(900)
    connection.sweep()
    # 10 minutes of overlap before the two minutes that searchOrders shows late, and ten seconds for the clocks
    assert connection.amazon.asked_after[-1] == NOON - 12 * MINUTE - timedelta(seconds=10)


def test_page_without_a_limit_answers_no_notice_of_the_last_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection(amazon_order("A"), amazon_order("B"))
    state_no_limit(connection, monkeypatch)
    connection.notice(["A"], NOON - 5 * MINUTE)
    connection.notice(["B"], NOON - MINUTE)

    connection.sweep()

    assert connection.record("A").reading_at is None
    assert connection.record("B").reading_at is not None
