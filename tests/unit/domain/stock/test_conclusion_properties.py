"""Properties of alerts: one for each crossing, none for a unit or two, the same in any order of delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.stock import Channel, StockStatement
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.conclusion import concluded
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.domain.stock.record import StockRecord
from fakes.stock import UK, minute, stated

POLICIES = st.builds(
    StockPolicy,
    low=st.builds(Thresholds, st.integers(0, 30)),
    rise_percent=st.integers(0, 100),
    back_units=st.integers(1, 5),
    drop_units=st.integers(1, 30),
    unfulfillable_units=st.integers(1, 5),
)
UNITS = st.one_of(st.integers(0, 12), st.integers(0, 60), st.none())
LEVELS = st.lists(st.tuples(UNITS, st.integers(0, 12)), max_size=25)
#: Delays of delivery in seconds, all shorter than statements are collected.
DELAYS = st.lists(st.integers(0, 299), min_size=60, max_size=60)


def statements(levels: Sequence[tuple[int | None, int]]) -> list[StockStatement]:
    """Return one statement a minute."""
    return [
        stated(units, minute(number), unfulfillable=unfulfillable)
        for number, (units, unfulfillable) in enumerate(levels)
    ]


def alerts_of(
    statements: Sequence[StockStatement], policy: StockPolicy, delays: Sequence[int] = ()
) -> list[StockAlert]:
    """Return the alerts of statements, each delivered that many seconds after it was made."""
    delayed = zip(statements, [*delays, *[0] * len(statements)], strict=False)
    arriving = sorted(((each.observed_at + timedelta(seconds=delay), each) for each, delay in delayed), key=_arrival)
    record, now = StockRecord(Channel.FBA, UK, "MUG-RED"), minute(0)
    while arriving or record.collected:
        arrived = [each for at, each in arriving if at <= now]
        arriving = [(at, each) for at, each in arriving if at > now]
        record = concluded(record.collecting(arrived, now, policy.collect), policy, now)
        now += timedelta(seconds=7)
    return list(record.unsent)


def _arrival(arriving: tuple[object, StockStatement]) -> tuple[object, ...]:
    return arriving[0], arriving[1].order


@given(LEVELS, POLICIES, DELAYS)
def test_delays_and_repetitions_of_delivery_change_no_alert(
    levels: list[tuple[int | None, int]], policy: StockPolicy, delays: list[int]
) -> None:
    made = statements(levels)
    delivered = [*made, *made[::2], *made[::-3]]

    assert alerts_of(delivered, policy, delays) == alerts_of(made, policy)


@given(LEVELS, POLICIES)
def test_low_is_alerted_again_only_after_the_level_rose_clearly_or_was_out(
    levels: list[tuple[int | None, int]], policy: StockPolicy
) -> None:
    made = statements(levels)
    low_units = policy.low.default
    low = [alert for alert in alerts_of(made, policy) if alert.kind is AlertKind.LOW]

    for alert in low:
        assert alert.quantities.fulfillable is not None
        assert 0 < alert.quantities.fulfillable <= low_units
    for first, second in pairwise(low):
        between = [
            each.quantities.fulfillable
            for each in made
            if first.at < each.observed_at < second.at and each.quantities.fulfillable is not None
        ]
        has_risen = any(units >= policy.rises_to(low_units) for units in between)
        was_out = 0 in between and any(units > low_units for units in between)
        assert has_risen or was_out


@given(LEVELS, POLICIES)
def test_out_and_back_alternate_with_enough_units_in_between(
    levels: list[tuple[int | None, int]], policy: StockPolicy
) -> None:
    alerts = alerts_of(statements(levels), policy)
    out_and_back = [alert for alert in alerts if alert.kind in (AlertKind.OUT, AlertKind.BACK)]

    for first, second in pairwise(out_and_back):
        assert first.kind is not second.kind
    for alert in out_and_back:
        units = alert.quantities.fulfillable
        assert units is not None
        assert units == 0 if alert.kind is AlertKind.OUT else units >= policy.back_units


@given(LEVELS, POLICIES)
def test_a_statement_makes_at_most_one_alert_of_each_kind_and_one_of_its_level(
    levels: list[tuple[int | None, int]], policy: StockPolicy
) -> None:
    alerts = alerts_of(statements(levels), policy)

    assert len({alert.alert_id for alert in alerts}) == len(alerts)
    of_level = [alert.at for alert in alerts if alert.kind is not AlertKind.MORE_UNFULFILLABLE]
    assert len(set(of_level)) == len(of_level)


@given(LEVELS, POLICIES)
def test_level_that_does_not_change_makes_no_further_alert(
    levels: list[tuple[int | None, int]], policy: StockPolicy
) -> None:
    made = statements(levels)
    last = made[-1:]
    repeated = [replace(each, observed_at=minute(100 + n), read_at=minute(100 + n)) for each in last for n in range(5)]

    assert alerts_of([*made, *repeated], policy) == alerts_of(made, policy)
