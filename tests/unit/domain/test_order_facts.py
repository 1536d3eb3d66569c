"""What is kept of an order, what a remedy does to it, and what counts as the same content."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.order_record import NextStep, OrderRecord, OrderState
from amazon_to_xero.domain.canonical import canonical_json, content_hash
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.runtime.privacy import storable_order
from fakes.booked import asked_for
from fakes.orders import breakdown, item, order
from fakes.state import NOON

MINUTE = timedelta(minutes=1)
CANARY = "Canary"


def everything_about_the_buyer() -> dict[str, Any]:
    """An order with every field of Amazon's Order that may say who the buyer is, or what they wrote."""
    sold = item("15.00", breakdown("ITEM", "12.00"), breakdown("SHIPPING", "3.00"), quantity=2)
    sold["product"] |= {
        "customization": {"customizedUrl": "https://zme.example/Canary-engraving.zip"},
        "serialNumbers": ["CanarySerial"],
        "condition": {"conditionNote": "Canary"},
    }
    sold["fulfillment"] = {
        "quantityFulfilled": 2,
        "quantityUnfulfilled": 0,
        "packing": {"giftOption": {"giftMessage": "Happy birthday from Canary", "giftWrapLevel": "Classic"}},
        "shipping": {"scheduledDeliveryWindow": "Canary", "internationalShipping": {"iossNumber": "CanaryIOSS"}},
        "picking": {"substitutionPreference": {"substitutionType": "Canary"}},
    }
    sold["tax"] = {
        "taxCollections": [{"model": "NONE_YET", "responsibleParty": "Amazon", "registrationOfTheBuyer": "Canary"}],
        "taxCalculationBreakdowns": [{"reportingScheme": "UOSS", "customerVatNumber": "CanaryVAT"}],
    }
    sold["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Canary moved house"}}
    return order(
        sold,
        grand_total="15.00",
        orderAliases=[{"aliasId": "CanaryAlias", "aliasType": "SELLER_ORDER_ID"}],
        buyer={
            "buyerName": "Canary Buyer",
            "buyerEmail": "Canary@marketplace.example",
            "buyerCompanyName": "Canary Ltd",
            "buyerPurchaseOrderNumber": "PO-Canary",
        },
        recipient={
            "deliveryAddress": {
                "name": "Canary Buyer",
                "companyName": "Canary Ltd",
                "addressLine1": "1 Canary Street",
                "addressLine2": "Canary Flat",
                "addressLine3": "c/o Canary",
                "city": "Canarytown",
                "districtOrCounty": "Canaryshire",
                "municipality": "Canary",
                "postalCode": "Canary1",
                "phone": "+44 Canary",
                "addressType": "Canary",
                "extendedFields": {"streetName": "Canary Street", "complement": "Canary"},
                "countryCode": "GB",
                "stateOrRegion": "Kent",
            },
            "deliveryPreference": {"dropOffLocation": "Canary's neighbour", "addressInstruction": "Canary gate code"},
        },
        payment={"paymentExecutions": [{"paymentMethod": "Canary"}]},
        programs=["AMAZON_BUSINESS"],
        tax={
            "taxRegistrations": [{"taxRegistrationId": "CanaryVAT", "legalName": "Canary"}],
            "invoicing": {"x": "Canary"},
        },
        packages=[
            {
                "packageReferenceId": "1",
                "shipTime": "2026-11-02T09:00:00Z",
                "trackingNumber": "MADEUP0001",
                "carrier": "Royal Mail",
                "shipFromAddress": {"name": "Canary"},
                "packageStatus": {"status": "SHIPPED"},
                "packageItems": [{"orderItemId": "10000000000001", "quantity": 2}],
            }
        ],
        fulfillmentOrders=[{"x": "Canary"}],
        aFieldAmazonAddsTomorrow={"x": "Canary"},
    )


def test_nothing_of_the_buyer_is_kept() -> None:
    raw = everything_about_the_buyer()
    assert json.dumps(raw).count(CANARY) >= 33

    assert CANARY not in json.dumps(storable_order(raw))


def test_what_is_kept_is_enough_to_book_the_order() -> None:
    raw = everything_about_the_buyer()
    kept = storable_order(raw)

    assert isinstance(asked_for(raw), list)
    assert asked_for(kept) == asked_for(raw)
    assert kept["recipient"] == {"deliveryAddress": {"countryCode": "GB", "stateOrRegion": "Kent"}}
    assert parse_order(kept) == parse_order(raw)
    assert (parse_order(kept).business, parse_order(kept).items[0].schemes) == (True, {"UOSS"})
    assert kept["packages"] == [
        {
            "packageReferenceId": "1",
            "packageStatus": {"status": "SHIPPED"},
            "carrier": "Royal Mail",
            "trackingNumber": "MADEUP0001",
            "shipTime": "2026-11-02T09:00:00Z",
            "packageItems": [{"orderItemId": "10000000000001", "quantity": 2}],
        }
    ]


def test_the_order_itself_is_left_as_it_was() -> None:
    raw = everything_about_the_buyer()
    before = copy.deepcopy(raw)

    storable_order(raw)

    assert raw == before


@pytest.mark.parametrize("odd", [{"recipient": None}, {"recipient": "x"}, {"packages": None}, {"orderItems": []}])
def test_an_order_of_another_shape_is_stripped_all_the_same(odd: dict[str, Any]) -> None:
    assert storable_order({"orderId": "A", **odd})["orderId"] == "A"


# --- hashes -----------------------------------------------------------------------------------------------------------

CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), CONTENT, max_size=5))
def test_the_hash_does_not_depend_on_the_order_of_names(content: dict[str, Any]) -> None:
    assert content_hash(dict(reversed(content.items()))) == content_hash(content)


@given(CONTENT, CONTENT)
def test_contents_have_the_same_text_only_when_they_are_the_same(one: Any, other: Any) -> None:
    assert (canonical_json(one) == canonical_json(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


def test_the_hash_of_a_content_is_the_same_in_every_version_of_the_program() -> None:
    # A change of this number would write every document of every connection again.
    assert content_hash({"Total": Decimal("12.50"), "a": ["é", None, 1]}) == "687e696ba7da6430998b4035674096a3"


def test_amounts_are_text_with_all_their_digits_and_floats_are_refused() -> None:
    assert canonical_json({"b": Decimal("1E+2"), "a": Decimal("0.10")}) == '{"a":"0.10","b":"100"}'
    with pytest.raises(TypeError, match="datetime"):
        canonical_json(NOON)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2026-11-02T10:00:00Z", "2026-11-02T10:00:00.000Z", "2026-11-02T12:00:00+02:00"])
def test_amazon_s_timestamps_are_utc(text: str) -> None:
    read = parse_timestamp(text, "lastUpdatedTime")

    assert (read, read.tzinfo) == (datetime(2026, 11, 2, 10, tzinfo=UTC), UTC)


@pytest.mark.parametrize("wrong", ["2026-11-02T10:00:00", "soon", "", None, 17, "1970-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused_by_the_name_of_its_field(wrong: Any) -> None:
    with pytest.raises(ValueError, match="lastUpdatedTime"):
        parse_timestamp(wrong, "lastUpdatedTime")


# --- notices ------------------------------------------------------------------------------------------------------------


def test_a_hint_makes_an_unknown_order_due() -> None:
    noticed = OrderRecord("A").noticed(NOON - MINUTE, NOON)

    assert noticed == OrderRecord("A", noticed_at=NOON - MINUTE, next_attempt_at=NOON)


@pytest.mark.parametrize(("read_after", "answered"), [(-1, False), (0, True), (1, True)])
def test_what_was_read_after_amazon_spoke_answers_the_hint(read_after: int, answered: bool) -> None:
    fact = OrderRecord("A", read_at=NOON + read_after * MINUTE)

    assert (fact.noticed(NOON, NOON + 5 * MINUTE) is None) == answered


def test_a_hint_that_is_no_news_for_an_order_already_due_changes_nothing() -> None:
    fact = OrderRecord("A", noticed_at=NOON, next_attempt_at=NOON)

    assert fact.noticed(NOON, NOON) is None
    assert fact.noticed(NOON - MINUTE, NOON) is None
    assert fact.noticed(NOON + MINUTE, NOON) == replace(fact, noticed_at=NOON + MINUTE)


def test_a_hint_ends_the_waiting_of_an_order_whose_reading_failed() -> None:
    fact = OrderRecord("A", noticed_at=NOON, next_attempt_at=NOON + 15 * MINUTE, attempts=4)

    noticed = fact.noticed(NOON + MINUTE, NOON + 2 * MINUTE)

    assert noticed is not None
    assert (noticed.next_attempt_at, noticed.noticed_at) == (NOON + 2 * MINUTE, NOON + MINUTE)


def test_an_older_hint_never_takes_back_what_a_newer_one_asked_for() -> None:
    fact = OrderRecord("A", noticed_at=NOON, next_attempt_at=NOON + 15 * MINUTE)

    noticed = fact.noticed(NOON - MINUTE, NOON)

    assert noticed is not None
    assert (noticed.noticed_at, noticed.next_attempt_at) == (NOON, NOON)


def test_an_order_that_waits_to_be_booked_is_read_first_when_amazon_speaks_of_it() -> None:
    waiting = OrderRecord("A", read_at=NOON, noticed_at=NOON).to_be_booked(NOON + 5 * MINUTE)

    assert waiting.noticed(NOON, NOON + MINUTE) is None
    noticed = waiting.noticed(NOON + MINUTE, NOON + MINUTE)

    assert noticed is not None
    assert (noticed.next_step, noticed.next_attempt_at, noticed.noticed_at) == (NextStep.READ, NOON + MINUTE, NOON + MINUTE)


def test_an_order_that_is_settled_wants_nothing_but_the_reading_that_somebody_asked_for_meanwhile() -> None:
    booked = OrderRecord("A").to_be_booked(NOON).settled(OrderState.PLANNED)
    assert (booked.next_attempt_at, booked.next_step, booked.state) == (None, NextStep.READ, OrderState.PLANNED)

    noticed = OrderRecord("A", next_attempt_at=NOON).settled(OrderState.NOT_INVOICED, "ORDER_PENDING")
    assert (noticed.next_attempt_at, noticed.next_step, noticed.reason) == (NOON, NextStep.READ, "ORDER_PENDING")


@given(st.lists(st.integers(-10, 10), min_size=1, max_size=6))
def test_whatever_the_order_of_hints_the_newest_is_what_is_asked(minutes: list[int]) -> None:
    fact = OrderRecord("A", read_at=NOON)
    for minute in minutes:
        fact = fact.noticed(NOON + minute * MINUTE, NOON + 20 * MINUTE) or fact

    assert (fact.next_attempt_at is not None) == (max(minutes) > 0)
    if fact.next_attempt_at:
        assert fact.noticed_at == NOON + max(minutes) * MINUTE


@pytest.mark.parametrize(("minutes", "newer"), [(-1, True), (0, False), (1, False)])
def test_a_version_is_superseded_only_by_a_newer_one(minutes: int, newer: bool) -> None:
    assert OrderRecord("A", updated=NOON).supersedes(NOON + minutes * MINUTE) is newer
    assert OrderRecord("A").supersedes(NOON) is False
