"""What becomes of a failure in a replay, of a person and of the automatic one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from amazon_to_xero.domain.replay.decision import Situation, decide, decide_automatically
from amazon_to_xero.domain.replay.record import DONE, ReplayAction, ReplayAttempt, ReplayRecord

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEND, DELETE, STOP, LEAVE, *_ = ReplayAction


def attempt(ago: timedelta, action: ReplayAction = SEND, outcome: str = "") -> ReplayAttempt:
    return ReplayAttempt(NOW - ago, "automatic", action, "orders", "TAX_UNMAPPED", outcome)


def record(*attempts: ReplayAttempt) -> ReplayRecord:
    return ReplayRecord("order#1", 1, attempts)


@pytest.mark.parametrize(
    ("situation", "sent", "action"),
    [
        pytest.param(Situation.FAILED, 0, SEND, id="failed"),
        pytest.param(Situation.FAILED, 4, SEND, id="failed again, below the cap"),
        pytest.param(Situation.FAILED, 5, STOP, id="failed as often as allowed"),
        pytest.param(Situation.NOT_STORED, 0, SEND, id="never stored"),
        pytest.param(Situation.NOT_STORED, 5, STOP, id="sent as often as allowed, and still not stored"),
        pytest.param(Situation.DONE, 0, DELETE, id="done already"),
        pytest.param(Situation.DONE, 9, DELETE, id="done after many attempts"),
        pytest.param(Situation.UNDER_WAY, 0, LEAVE, id="being processed"),
        pytest.param(Situation.UNREADABLE, 0, LEAVE, id="unreadable"),
        pytest.param(Situation.REFUSED, 0, LEAVE, id="a correction that was refused"),
        pytest.param(Situation.UNCONNECTED, 0, LEAVE, id="of no connection"),
    ],
)
def test_decision_for_a_person(situation: Situation, sent: int, action: ReplayAction) -> None:
    decision = decide(situation, sent, cap=5)

    assert decision.action is action
    assert bool(decision.why) == (action is not SEND)


@pytest.mark.parametrize(
    ("attempts", "sent"),
    [
        pytest.param((), 0, id="none"),
        pytest.param((attempt(3 * DAY), attempt(DAY)), 2, id="two that failed"),
        pytest.param((attempt(15 * DAY), attempt(DAY)), 1, id="one is older than dead letters become"),
        pytest.param((attempt(3 * DAY, outcome=DONE), attempt(DAY)), 1, id="one was done: this is another failure"),
        pytest.param((attempt(3 * DAY), attempt(2 * DAY, DELETE), attempt(DAY)), 1, id="a letter was deleted as done"),
        pytest.param((attempt(2 * DAY), attempt(DAY, STOP)), 1, id="a stop is no attempt"),
    ],
)
def test_attempts_count_for_two_weeks_and_until_the_source_is_done(
    attempts: tuple[ReplayAttempt, ...], sent: int
) -> None:
    assert record(*attempts).sent_lately(NOW) == sent


@pytest.mark.parametrize(
    ("attempts", "failed_ago", "action", "again_in"),
    [
        pytest.param((), 5 * MINUTE, LEAVE, 10 * MINUTE, id="waits a quarter of an hour first"),
        pytest.param((), 15 * MINUTE, SEND, None, id="is sent then"),
        pytest.param((attempt(20 * MINUTE),), 10 * MINUTE, LEAVE, 50 * MINUTE, id="waits an hour once it failed again"),
        pytest.param((attempt(2 * HOUR),), HOUR, SEND, None, id="is sent a second time"),
        pytest.param((attempt(9 * HOUR), attempt(5 * HOUR)), 3 * HOUR, LEAVE, HOUR, id="waits four hours"),
        pytest.param((attempt(9 * HOUR), attempt(5 * HOUR)), 4 * HOUR, SEND, None, id="is sent a third time"),
        pytest.param((attempt(9 * HOUR), attempt(7 * HOUR), attempt(HOUR)), MINUTE, STOP, None, id="is stopped"),
    ],
)
def test_automatic_replay_waits_longer_before_each_attempt_and_stops_after_three(
    attempts: tuple[ReplayAttempt, ...], failed_ago: timedelta, action: ReplayAction, again_in: timedelta | None
) -> None:
    decision = decide_automatically(Situation.FAILED, record(*attempts), NOW - failed_ago, NOW)

    assert decision.action is action
    assert decision.again_at == (None if again_in is None else NOW + again_in)


@pytest.mark.parametrize("situation", [Situation.UNDER_WAY, Situation.UNCONNECTED])
def test_automatic_replay_leaves_what_it_cannot_send_for_a_day_and_then_shows_it_to_a_person(
    situation: Situation,
) -> None:
    left = decide_automatically(situation, record(), NOW - 23 * HOUR, NOW)
    stopped = decide_automatically(situation, record(), NOW - DAY, NOW)

    assert (left.action, left.again_at) == (LEAVE, NOW + 15 * MINUTE)
    assert stopped.action is STOP


def test_automatic_replay_stops_a_message_that_no_attempt_would_make_readable() -> None:
    assert decide_automatically(Situation.UNREADABLE, record(), NOW, NOW).action is STOP


def test_automatic_replay_deletes_the_letter_of_what_is_done_at_once() -> None:
    assert decide_automatically(Situation.DONE, record(), NOW, NOW).action is DELETE


def test_outcome_is_recorded_once_and_for_the_last_attempt_only() -> None:
    twice = record(attempt(3 * HOUR, outcome="TAX_UNMAPPED"), attempt(HOUR)).with_outcome(DONE, NOW)

    assert [each.outcome for each in twice.attempts] == ["TAX_UNMAPPED", DONE]
    assert twice.with_outcome("TAX_UNMATCHED", NOW + HOUR) == twice
