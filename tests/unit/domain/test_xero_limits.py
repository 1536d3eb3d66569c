"""Xero's limits, counted before a call is made: sixty in any minute, the day, and the calls under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.call_budget import SLOT_FOR, CallBudget, Limits, NotNow
from fakes.state import NOON

LIMITS = Limits()
SECOND = timedelta(seconds=1)


def called(budget: CallBudget, at: datetime, times: int = 1, limits: Limits = LIMITS) -> CallBudget:
    """So many calls, each over at once."""
    for number in range(times):
        taken = budget.take(f"s{number}", limits, at)
        assert isinstance(taken, CallBudget), taken
        budget = taken.done(f"s{number}", limits, at, None, None)
    return budget


def refused(budget: CallBudget, at: datetime, limits: Limits = LIMITS, percent: int = 100) -> NotNow:
    answer = budget.take("one more", limits, at, percent)
    assert isinstance(answer, NotNow), answer
    return answer


# --- the minute -------------------------------------------------------------------------------------------------------


def test_fifty_seven_calls_in_a_minute_and_not_one_more() -> None:
    budget = called(CallBudget(), NOON, 57)

    assert refused(budget, NOON + 59 * SECOND) == NotNow("minute", NOON + 60 * SECOND)
    assert isinstance(budget.take("one more", LIMITS, NOON + 60 * SECOND), CallBudget)


def test_there_is_room_again_when_the_oldest_of_the_last_fifty_seven_is_a_minute_old() -> None:
    budget = called(called(CallBudget(), NOON, 10), NOON + 30 * SECOND, 47)

    answer = refused(budget, NOON + 40 * SECOND)

    assert answer.until == NOON + 60 * SECOND
    assert isinstance(called(budget, answer.until, 10), CallBudget)


@given(st.lists(st.tuples(st.floats(0, 15), st.integers(1, 40)), min_size=1, max_size=40))
def test_no_sixty_seconds_ever_see_more_calls_than_the_limit(bursts: list[tuple[float, int]]) -> None:
    budget, now, calls = CallBudget(), NOON, []
    for pause, wanted in bursts:
        now += timedelta(seconds=pause)
        for _ in range(wanted):
            taken = budget.take("s", LIMITS, now)
            if isinstance(taken, NotNow):
                assert taken.until > now
                break
            calls.append(now)
            budget = taken.done("s", LIMITS, now, None, None)

    for start in calls:
        assert sum(start <= at < start + 60 * SECOND for at in calls) <= LIMITS.per_minute


@given(st.lists(st.floats(0, 3), min_size=60, max_size=120))
def test_whoever_comes_back_when_told_is_let_in(pauses: list[float]) -> None:
    budget, now = CallBudget(), NOON
    for pause in pauses:
        now += timedelta(seconds=pause)
        taken = budget.take("s", LIMITS, now)
        if isinstance(taken, NotNow):
            now = taken.until
            taken = budget.take("s", LIMITS, now)
        assert isinstance(taken, CallBudget)
        budget = taken.done("s", LIMITS, now, None, None)


# --- the day ----------------------------------------------------------------------------------------------------------

FEW_A_DAY = Limits(per_day=20)


def test_the_day_is_counted_by_the_hour_and_opens_when_its_first_hour_is_over_a_day_old() -> None:
    budget = called(CallBudget(), NOON + 50 * 60 * SECOND, 5, FEW_A_DAY)
    budget = called(budget, NOON + timedelta(hours=3), 15, FEW_A_DAY)
    assert budget.hours == {"2026-11-23T12:00:00+00:00": 5, "2026-11-23T15:00:00+00:00": 15}

    answer = refused(budget, NOON + timedelta(hours=20), FEW_A_DAY)

    assert answer == NotNow("day", NOON + timedelta(hours=25))
    called(budget, answer.until, 5, FEW_A_DAY)
    assert refused(called(budget, answer.until, 5, FEW_A_DAY), answer.until, FEW_A_DAY).problem == "day"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12)), min_size=1, max_size=40))
def test_no_day_ever_sees_more_calls_than_the_limit(steps: list[tuple[int, int]]) -> None:
    budget, now, calls = CallBudget(), NOON, []
    for hours, wanted in steps:
        now += timedelta(minutes=hours * 61)
        for _ in range(wanted):
            taken = budget.take("s", FEW_A_DAY, now)
            if isinstance(taken, NotNow):
                break
            calls.append(now)
            budget = taken.done("s", FEW_A_DAY, now, None, None)

    for start in calls:
        assert sum(start <= at < start + timedelta(hours=24) for at in calls) <= FEW_A_DAY.per_day


def test_work_that_can_wait_leaves_the_rest_of_the_day_to_others() -> None:
    budget = called(CallBudget(), NOON, 10, FEW_A_DAY)

    assert refused(budget, NOON, FEW_A_DAY, percent=50).problem == "share"
    assert isinstance(budget.take("s", FEW_A_DAY, NOON, percent=60), CallBudget)


# --- at once ----------------------------------------------------------------------------------------------------------


def four_under_way() -> CallBudget:
    budget: CallBudget | NotNow = CallBudget()
    for number in range(4):
        assert isinstance(budget, CallBudget)
        budget = budget.take(f"s{number}", LIMITS, NOON + number * SECOND)
    assert isinstance(budget, CallBudget)
    return budget


def test_four_calls_at_once_and_a_fifth_when_one_is_over() -> None:
    budget = four_under_way()

    assert refused(budget, NOON + 5 * SECOND) == NotNow("concurrent", NOON + SLOT_FOR)
    over = budget.done("s2", LIMITS, NOON + 5 * SECOND, None, None)
    assert isinstance(over.take("s4", LIMITS, NOON + 5 * SECOND), CallBudget)


def test_the_slot_of_a_worker_that_died_lapses() -> None:
    assert refused(four_under_way(), NOON + SLOT_FOR - SECOND).problem == "concurrent"
    assert isinstance(four_under_way().take("s4", LIMITS, NOON + SLOT_FOR), CallBudget)


def test_giving_back_a_slot_that_has_lapsed_or_never_was_takes_none_from_others() -> None:
    budget = four_under_way().done("another", LIMITS, NOON + 5 * SECOND, None, None)

    assert set(budget.slots) == {"s0", "s1", "s2", "s3"}


# --- what Xero says ---------------------------------------------------------------------------------------------------


def test_calls_that_xero_counts_and_we_did_not_make_are_counted_as_made_now() -> None:
    budget = called(CallBudget(), NOON, 2).done("s", LIMITS, NOON, minute_left=50, day_left=4900)

    assert len(budget.minute) == 10
    assert sum(budget.hours.values()) == 100


@pytest.mark.parametrize(("minute_left", "day_left"), [(60, 5000), (55, 4995), (None, None)])
def test_what_xero_says_is_left_never_gives_back_what_we_have_counted(
    minute_left: int | None, day_left: int | None
) -> None:
    budget = called(CallBudget(), NOON, 5)

    assert budget.done("s", LIMITS, NOON, minute_left, day_left) == budget


def test_a_smaller_tier_than_the_settings_say_ends_the_day_when_xero_says_so() -> None:
    # Given settings of 5,000 a day and an organisation that has 1,000, of which 3 are left
    budget = called(CallBudget(), NOON).done("s", LIMITS, NOON, minute_left=59, day_left=3)

    assert refused(called(budget, NOON, 3), NOON).problem == "day"


def test_a_larger_tier_than_the_settings_say_stays_at_the_settings() -> None:
    budget = called(CallBudget(), NOON, 20, FEW_A_DAY).done("s", FEW_A_DAY, NOON, minute_left=40, day_left=4980)

    assert refused(budget, NOON, FEW_A_DAY).problem == "day"


def test_an_empty_minute_is_kept_to_for_a_minute() -> None:
    budget = CallBudget().done("s", LIMITS, NOON, minute_left=0, day_left=None)

    assert refused(budget, NOON + 30 * SECOND).until == NOON + 60 * SECOND


def test_what_is_older_than_a_day_is_forgotten() -> None:
    old = replace(called(CallBudget(), NOON, 5), slots={"dead": NOON})

    fresh = called(old, NOON + timedelta(hours=26))

    assert (len(fresh.minute), len(fresh.hours), fresh.slots) == (1, 1, {})
