"""Xero's limits, counted before a call is made: calls in any minute, calls in a day, and concurrent calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.call_budget import SLOT_LIFETIME, CallBudget, LimitReached, Limits
from fakes.state import NOON

LIMITS = Limits()
SECOND = timedelta(seconds=1)


def after_calls(budget: CallBudget, at: datetime, times: int = 1, limits: Limits = LIMITS) -> CallBudget:
    """Return the budget after so many calls, each of which ended immediately."""
    for number in range(times):
        taken = budget.take(f"s{number}", limits, at)
        assert isinstance(taken, CallBudget), taken
        budget = taken.done(f"s{number}", limits, at, None, None)
    return budget


def refusal(budget: CallBudget, at: datetime, limits: Limits = LIMITS, percent: int = 100) -> LimitReached:
    answer = budget.take("one more", limits, at, percent)
    assert isinstance(answer, LimitReached), answer
    return answer


# --- the minute -------------------------------------------------------------------------------------------------------


def test_a_minute_allows_57_calls() -> None:
    budget = after_calls(CallBudget(), NOON, 57)

    assert refusal(budget, NOON + 59 * SECOND) == LimitReached("minute", NOON + 60 * SECOND)
    assert isinstance(budget.take("one more", LIMITS, NOON + 60 * SECOND), CallBudget)


def test_next_call_is_allowed_when_the_oldest_of_the_last_57_is_a_minute_old() -> None:
    budget = after_calls(after_calls(CallBudget(), NOON, 10), NOON + 30 * SECOND, 47)

    answer = refusal(budget, NOON + 40 * SECOND)

    assert answer.until == NOON + 60 * SECOND
    assert isinstance(after_calls(budget, answer.until, 10), CallBudget)


@given(st.lists(st.tuples(st.floats(0, 15), st.integers(1, 40)), min_size=1, max_size=40))
def test_no_sixty_seconds_contain_more_calls_than_the_limit(bursts: list[tuple[float, int]]) -> None:
    budget, now, calls = CallBudget(), NOON, []
    for pause, calls_in_burst in bursts:
        now += timedelta(seconds=pause)
        for _ in range(calls_in_burst):
            taken = budget.take("s", LIMITS, now)
            if isinstance(taken, LimitReached):
                assert taken.until > now
                break
            calls.append(now)
            budget = taken.done("s", LIMITS, now, None, None)

    for start in calls:
        assert sum(start <= at < start + 60 * SECOND for at in calls) <= LIMITS.per_minute


@given(st.lists(st.floats(0, 3), min_size=60, max_size=120))
def test_call_is_allowed_at_the_time_that_a_refusal_states(pauses: list[float]) -> None:
    budget, now = CallBudget(), NOON
    for pause in pauses:
        now += timedelta(seconds=pause)
        taken = budget.take("s", LIMITS, now)
        if isinstance(taken, LimitReached):
            now = taken.until
            taken = budget.take("s", LIMITS, now)
        assert isinstance(taken, CallBudget)
        budget = taken.done("s", LIMITS, now, None, None)


# --- the day ----------------------------------------------------------------------------------------------------------

FEW_A_DAY = Limits(per_day=20)


def test_day_is_counted_by_the_hour_and_allows_calls_again_when_its_first_hour_is_a_day_old() -> None:
    budget = after_calls(CallBudget(), NOON + 50 * 60 * SECOND, 5, FEW_A_DAY)
    budget = after_calls(budget, NOON + timedelta(hours=3), 15, FEW_A_DAY)
    assert budget.hours == {"2026-11-23T12:00:00+00:00": 5, "2026-11-23T15:00:00+00:00": 15}

    answer = refusal(budget, NOON + timedelta(hours=20), FEW_A_DAY)

    assert answer == LimitReached("day", NOON + timedelta(hours=25))
    after_calls(budget, answer.until, 5, FEW_A_DAY)
    assert refusal(after_calls(budget, answer.until, 5, FEW_A_DAY), answer.until, FEW_A_DAY).problem == "day"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12)), min_size=1, max_size=40))
def test_no_day_contains_more_calls_than_the_limit(steps: list[tuple[int, int]]) -> None:
    budget, now, calls = CallBudget(), NOON, []
    for hours, calls_in_burst in steps:
        now += timedelta(minutes=hours * 61)
        for _ in range(calls_in_burst):
            taken = budget.take("s", FEW_A_DAY, now)
            if isinstance(taken, LimitReached):
                break
            calls.append(now)
            budget = taken.done("s", FEW_A_DAY, now, None, None)

    for start in calls:
        assert sum(start <= at < start + timedelta(hours=24) for at in calls) <= FEW_A_DAY.per_day


def test_work_with_a_share_of_the_day_leaves_the_rest_to_other_work() -> None:
    budget = after_calls(CallBudget(), NOON, 10, FEW_A_DAY)

    assert refusal(budget, NOON, FEW_A_DAY, percent=50).problem == "share"
    assert isinstance(budget.take("s", FEW_A_DAY, NOON, percent=60), CallBudget)


# --- concurrent calls -------------------------------------------------------------------------------------------------


def four_concurrent_calls() -> CallBudget:
    budget: CallBudget | LimitReached = CallBudget()
    for number in range(4):
        assert isinstance(budget, CallBudget)
        budget = budget.take(f"s{number}", LIMITS, NOON + number * SECOND)
    assert isinstance(budget, CallBudget)
    return budget


def test_fifth_concurrent_call_is_allowed_when_one_of_four_has_ended() -> None:
    budget = four_concurrent_calls()

    assert refusal(budget, NOON + 5 * SECOND) == LimitReached("concurrent", NOON + SLOT_LIFETIME)
    one_ended = budget.done("s2", LIMITS, NOON + 5 * SECOND, None, None)
    assert isinstance(one_ended.take("s4", LIMITS, NOON + 5 * SECOND), CallBudget)


def test_slot_of_a_worker_that_died_expires() -> None:
    assert refusal(four_concurrent_calls(), NOON + SLOT_LIFETIME - SECOND).problem == "concurrent"
    assert isinstance(four_concurrent_calls().take("s4", LIMITS, NOON + SLOT_LIFETIME), CallBudget)


def test_releasing_an_unknown_slot_keeps_the_slots_of_others() -> None:
    budget = four_concurrent_calls().done("another", LIMITS, NOON + 5 * SECOND, None, None)

    assert set(budget.slots) == {"s0", "s1", "s2", "s3"}


# --- what Xero's headers state ----------------------------------------------------------------------------------------


def test_calls_of_others_that_xero_counts_are_counted_as_made_now() -> None:
    budget = after_calls(CallBudget(), NOON, 2).done("s", LIMITS, NOON, minute_left=50, day_left=4900)

    assert len(budget.minute) == 10
    assert sum(budget.hours.values()) == 100


@pytest.mark.parametrize(("minute_left", "day_left"), [(60, 5000), (55, 4995), (None, None)])
def test_larger_remainder_in_xeros_headers_does_not_undo_our_count(
    minute_left: int | None, day_left: int | None
) -> None:
    budget = after_calls(CallBudget(), NOON, 5)

    assert budget.done("s", LIMITS, NOON, minute_left, day_left) == budget


def test_organisation_with_a_smaller_tier_than_the_settings_ends_its_day_by_xeros_headers() -> None:
    # Given settings of 5,000 a day and an organisation that has 1,000, of which 3 are left
    budget = after_calls(CallBudget(), NOON).done("s", LIMITS, NOON, minute_left=59, day_left=3)

    assert refusal(after_calls(budget, NOON, 3), NOON).problem == "day"


def test_organisation_with_a_larger_tier_than_the_settings_stays_within_the_settings() -> None:
    budget = after_calls(CallBudget(), NOON, 20, FEW_A_DAY).done("s", FEW_A_DAY, NOON, minute_left=40, day_left=4980)

    assert refusal(budget, NOON, FEW_A_DAY).problem == "day"


def test_minute_used_up_by_others_is_respected_for_a_minute() -> None:
    budget = CallBudget().done("s", LIMITS, NOON, minute_left=0, day_left=None)

    assert refusal(budget, NOON + 30 * SECOND).until == NOON + 60 * SECOND


def test_calls_older_than_a_day_are_dropped() -> None:
    old = replace(after_calls(CallBudget(), NOON, 5), slots={"dead": NOON})

    fresh = after_calls(old, NOON + timedelta(hours=26))

    assert (len(fresh.minute), len(fresh.hours), fresh.slots) == (1, 1, {})
