"""Amazon's quota of one operation, counted before a call is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.token_bucket import TokenBucket
from fakes.state import NOON

RATE, BURST = Decimal("0.5"), 30


def bucket() -> TokenBucket:
    return TokenBucket.full(RATE, BURST, NOON)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_full_bucket_allows_all_but_the_token_reserved_for_the_sellers_other_software() -> None:
    held, calls = bucket(), 0
    while held.allows(NOON):
        held, calls = held.spent(NOON), calls + 1

    assert calls == BURST - 1


def test_bucket_refills_at_its_rate_up_to_its_burst() -> None:
    empty = bucket().emptied(NOON)

    assert empty.refilled(after(10)).tokens == 5
    assert empty.refilled(after(10_000)).tokens == BURST
    assert bucket().refilled(after(10)).tokens == BURST


def test_bucket_is_empty_after_a_429_until_two_tokens_are_refilled() -> None:
    empty = bucket().emptied(NOON)

    assert not empty.allows(NOON)
    assert not empty.allows(after(3.9))
    assert empty.allows(after(4))


def test_clock_that_goes_back_does_not_change_the_bucket() -> None:
    empty = bucket().emptied(after(60))

    assert empty.refilled(NOON).tokens == 0
    assert empty.refilled(NOON).at == after(60)


@given(st.lists(st.floats(0, 20), min_size=1, max_size=120))
def test_no_period_contains_more_calls_than_burst_and_rate_allow(pauses: list[float]) -> None:
    held, now, calls = bucket(), NOON, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if held.allows(now):
            held = held.spent(now)
            calls.append(now)

    for first, start in enumerate(calls):
        for last in range(first, len(calls)):
            allowed = BURST + RATE * Decimal((calls[last] - start).total_seconds())
            assert last - first + 1 <= allowed
