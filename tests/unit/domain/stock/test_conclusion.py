"""What a person hears of a stock level, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.stock import Channel, StockStatement
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.conclusion import concluded
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.domain.stock.record import MAX_COLLECTED, StockRecord, StockState
from fakes.stock import DE, FR, UK, minute, stated

POLICY = StockPolicy(low=Thresholds(10), rise_percent=20, back_units=3, drop_percent=50, drop_units=20)
COLLECT = POLICY.collect
K = AlertKind


def after(*statements: StockStatement, policy: StockPolicy = POLICY) -> StockRecord:
    """Return the record after these statements, each delivered long before the next one."""
    record = StockRecord(Channel.FBA, UK, "MUG-RED")
    for number, statement in enumerate(statements):
        received_at = minute(1000 * (number + 1))
        record = record.collecting([statement], received_at, policy.collect)
        record = concluded(record, policy, received_at + policy.collect)
    return record


def levels(*fulfillable: int | None, policy: StockPolicy = POLICY, apart: float = 3000) -> StockRecord:
    """Return the record after these levels, two days apart unless it is said how many minutes."""
    return after(*(stated(units, minute(apart * number)) for number, units in enumerate(fulfillable)), policy=policy)


def kinds(record: StockRecord) -> list[AlertKind]:
    return [alert.kind for alert in record.unsent]


# --- states -----------------------------------------------------------------------------------------------------------


def test_level_at_its_threshold_is_low_once() -> None:
    record = levels(30, 10, 9, 4)

    assert kinds(record) == [K.LOW]
    assert (record.state, record.since) == (StockState.LOW, minute(3000))


def test_level_must_rise_clearly_above_its_threshold_before_it_can_be_low_again() -> None:
    assert kinds(levels(30, 10, 11, 10, 11, 9)) == [K.LOW]
    assert kinds(levels(30, 10, 12, 10)) == [K.LOW, K.LOW]


def test_nothing_left_is_out_once_and_back_once_it_is_in_stock_again() -> None:
    record = levels(30, 0, 0, 40)

    assert kinds(record) == [K.OUT, K.BACK]
    out, back = record.unsent
    assert (out.fulfillable_before, out.before_at) == (30, minute(0))
    assert (back.since, back.quantities.fulfillable) == (minute(3000), 40)


def test_single_returned_unit_is_not_in_stock_again() -> None:
    assert kinds(levels(30, 0, 1, 0, 2, 0)) == [K.OUT]


def test_level_that_comes_back_low_is_back_and_not_low_as_well() -> None:
    record = levels(30, 0, 5)

    assert kinds(record) == [K.OUT, K.BACK]
    assert record.state is StockState.LOW


def test_level_that_goes_from_low_to_out_makes_an_alert_for_each() -> None:
    assert kinds(levels(30, 8, 0)) == [K.LOW, K.OUT]


def test_what_was_out_before_it_was_known_is_no_news_but_what_is_low_is() -> None:
    assert kinds(levels(0)) == []
    assert kinds(levels(0, 40)) == [K.BACK]
    assert kinds(levels(4)) == [K.LOW]


def test_threshold_of_zero_is_never_low() -> None:
    assert kinds(levels(30, 1, 0, policy=replace(POLICY, low=Thresholds(0)))) == [K.OUT]


def test_unknown_quantity_is_not_zero() -> None:
    record = levels(30, None, 30)

    assert kinds(record) == []
    assert record.state is StockState.IN_STOCK


# --- stranded, unfulfillable, sudden drops ----------------------------------------------------------------------------

NOTHING_COMES: dict[str, Any] = {
    **dict.fromkeys(("inbound_working", "inbound_shipped", "inbound_receiving"), 0),
    **dict.fromkeys(("reserved_for_orders", "reserved_for_transfer", "reserved_for_processing"), 0),
}


def test_units_none_of_which_can_be_sold_are_stranded() -> None:
    record = after(stated(30), stated(0, minute(3000), unfulfillable=30, researching=0, **NOTHING_COMES))

    assert kinds(record) == [K.STRANDED]


@pytest.mark.parametrize("expected", ["inbound_shipped", "reserved_for_transfer", "reserved_for_orders"])
def test_units_that_are_expected_are_not_stranded(expected: str) -> None:
    units = NOTHING_COMES | {expected: 2}

    assert kinds(after(stated(30), stated(0, minute(3000), unfulfillable=30, **units))) == [K.OUT]


def test_units_are_not_stranded_where_amazon_does_not_state_what_is_expected() -> None:
    assert kinds(after(stated(30), stated(0, minute(3000), unfulfillable=30))) == [K.OUT]


def test_unfulfillable_units_make_an_alert_each_time_they_have_grown_by_five() -> None:
    grown = [
        stated(30, minute(3000 * number), unfulfillable=units) for number, units in enumerate((2, 4, 7, 9, 11, 12))
    ]

    record = after(*grown)

    assert kinds(record) == [K.MORE_UNFULFILLABLE, K.MORE_UNFULFILLABLE]
    assert [alert.quantities.unfulfillable for alert in record.unsent] == [7, 12]


def test_removed_unfulfillable_units_are_no_growth_and_growth_is_counted_from_there() -> None:
    units = (20, 3, 7, 8)
    record = after(*(stated(30, minute(3000 * number), unfulfillable=each) for number, each in enumerate(units)))

    assert [alert.quantities.unfulfillable for alert in record.unsent] == [8]


def test_half_of_the_units_gone_within_a_day_is_a_sudden_drop() -> None:
    record = levels(100, 45, apart=60)

    assert kinds(record) == [K.SUDDEN_DROP]
    assert record.unsent[0].fulfillable_before == 100


def test_sudden_drop_to_a_low_level_is_one_alert() -> None:
    assert kinds(levels(100, 4, apart=60)) == [K.LOW]
    assert kinds(levels(100, 0, apart=60)) == [K.OUT]


def test_few_units_a_slow_decline_and_a_transfer_are_no_sudden_drop() -> None:
    assert kinds(levels(30, 14, apart=60)) == []  # fewer than 20
    assert kinds(levels(100, 45, apart=1500)) == []  # more than a day apart
    moved = after(stated(100, reserved_for_transfer=0), stated(45, minute(60), reserved_for_transfer=50))
    assert kinds(moved) == []


def test_a_day_has_one_sudden_drop() -> None:
    assert kinds(levels(400, 150, 60, apart=60)) == [K.SUDDEN_DROP]


# --- order, repetition, pools -----------------------------------------------------------------------------------------


def test_older_statement_never_replaces_a_newer_one() -> None:
    record = after(stated(30), stated(25, minute(60)), stated(0, minute(30)))

    assert kinds(record) == []
    assert record.latest is not None
    assert record.latest.quantities.fulfillable == 25


def test_statements_are_concluded_in_amazons_order_whatever_the_order_of_their_delivery() -> None:
    low, back = stated(8, minute(1)), stated(60, minute(2))
    record = StockRecord(Channel.FBA, UK, "MUG-RED").collecting([stated(30)], minute(3), COLLECT)

    record = record.collecting([back], minute(4), COLLECT).collecting([low], minute(5), COLLECT)

    assert kinds(concluded(record, POLICY, minute(9.5))) == [K.LOW]


def test_statement_waits_for_those_that_were_made_before_it() -> None:
    record = StockRecord(Channel.FBA, UK, "MUG-RED").collecting([stated(8)], minute(0), COLLECT)

    assert record.next_attempt_at == minute(5)
    assert concluded(record, POLICY, minute(4)) == record
    assert concluded(record, POLICY, minute(5)).state is StockState.LOW


def test_statement_of_the_same_time_and_units_says_nothing_new() -> None:
    record = after(stated(30))

    assert record.collecting([stated(30, read_at=minute(600))], minute(2000), COLLECT) is record
    inbound = stated(30, read_at=minute(600), inbound_shipped=40)
    assert record.collecting([inbound], minute(2000), COLLECT) is not record


def test_marketplaces_of_a_pool_state_the_same_units_which_are_not_added_up() -> None:
    policy = replace(POLICY, pools={DE: "eu", FR: "eu"})
    same_time = [stated(8, place=DE), stated(8, place=FR)]
    assert {policy.pool_of(each.place) for each in same_time} == {"eu"}

    record = StockRecord(Channel.FBA, "eu", "MUG-RED").collecting(same_time, minute(1), COLLECT)

    alerts = concluded(record, policy, minute(9)).unsent
    assert [(alert.kind, alert.quantities.fulfillable) for alert in alerts] == [(K.LOW, 8)]


def test_marketplace_of_a_pool_that_states_fewer_units_at_the_same_time_does_not_count() -> None:
    at_once = [stated(0, minute(60), place=FR), stated(25, minute(60), place=DE)]
    record = after(stated(30)).collecting(at_once, minute(5000), COLLECT)

    assert kinds(concluded(record, POLICY, minute(6000))) == []


def test_more_statements_than_a_row_holds_are_concluded_early() -> None:
    many = [stated(100 - number, minute(number)) for number in range(MAX_COLLECTED + 10)]

    record = concluded(
        StockRecord(Channel.FBA, UK, "MUG-RED").collecting(many, minute(60), COLLECT), POLICY, minute(60)
    )

    assert len(record.collected) == MAX_COLLECTED
    assert record.latest is not None
    assert record.latest.quantities.fulfillable == 91


def test_time_to_come_is_not_believed() -> None:
    statement = stated(30, datetime(2031, 1, 1, tzinfo=minute(0).tzinfo))

    assert statement.not_later_than(minute(5)).time == (minute(5), minute(5))


# --- thresholds -------------------------------------------------------------------------------------------------------


def test_threshold_of_the_sku_counts_before_that_of_its_place_and_the_default() -> None:
    low = Thresholds(10, {"eu": 20, UK: 30}, {"MUG-RED": 40})
    policy = StockPolicy(pools={DE: "eu", FR: "eu"}, low=low)

    assert [policy.low_units("X", pool, None) for pool in ("US", "eu", UK)] == [10, 20, 30]
    assert policy.low_units("MUG-RED", UK, None) == 40


def test_threshold_of_a_marketplace_counts_for_its_pool() -> None:
    assert StockPolicy(pools={DE: "eu"}, low=Thresholds(10, {DE: 5})).low_units("X", "eu", None) == 5


def test_days_of_cover_are_units_at_the_rate_at_which_the_sku_sells() -> None:
    policy = StockPolicy(low=Thresholds(10), low_days=Thresholds(14, by_sku={"MUG-RED": 0}))

    assert policy.low_units("X", UK, Decimal("2.5")) == 35
    assert policy.low_units("X", UK, Decimal("0.5")) == 10  # the higher of the two counts
    assert policy.low_units("X", UK, None) == 10  # no rate is known, and none is guessed
    assert policy.low_units("MUG-RED", UK, Decimal("2.5")) == 10


def test_place_has_the_name_that_a_person_gives_it() -> None:
    policy = StockPolicy(pools={DE: "eu", FR: "eu"})

    assert policy.place_name(Channel.FBA, UK) == "Amazon.co.uk"
    assert policy.place_name(Channel.FBA, "eu") == "Amazon.de, Amazon.fr (pool eu)"
    assert policy.place_name(Channel.MERCHANT, "DEFAULT") == "your own warehouse"


def test_alert_sent_twice_has_one_id() -> None:
    (first,) = levels(30, 4).unsent
    (second,) = levels(30, 4).unsent

    assert isinstance(first, StockAlert)
    assert first.alert_id == second.alert_id == f"fba#{UK}#MUG-RED#LOW#{minute(3000).isoformat()}"


def test_sent_alert_is_not_due_again() -> None:
    record = levels(30, 4)
    sent = frozenset(alert.alert_id for alert in record.unsent)

    assert record.next_attempt_at is not None
    assert record.without_sent(sent, COLLECT, record.next_attempt_at).next_attempt_at is None
    assert record.waiting(COLLECT, minute(0) + timedelta(days=9)).next_attempt_at == minute(0) + timedelta(days=9)
