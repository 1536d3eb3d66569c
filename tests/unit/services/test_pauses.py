"""A paused service is called by no worker until the stated time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.ports.xero import (
    XeroError,
    XeroNotAuthorised,
    XeroRateLimited,
    XeroTokensUnreadable,
    XeroUnavailable,
)
from amazon_to_xero.services.pauses import Pauses
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog

MINUTE = timedelta(minutes=1)


class PausedConnection:
    """Workers of one connection, which share its pauses."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.decisions = RecordingDecisionLog()

    def worker(self) -> Pauses:
        return Pauses(self.store, self.clock, self.decisions)


@pytest.fixture
def connection() -> PausedConnection:
    return PausedConnection()


def test_pause_applies_to_every_worker_and_ends_by_itself(connection: PausedConnection) -> None:
    connection.worker().pause("xero", NOON + MINUTE, "XERO_MINUTE_LIMIT")

    assert connection.worker().until("xero") == NOON + MINUTE
    assert connection.worker().until("amazon") is None
    connection.clock.advance(60)
    assert connection.worker().until("xero") is None


def test_shorter_pause_does_not_shorten_a_longer_one(connection: PausedConnection) -> None:
    connection.worker().pause("xero", NOON + 10 * MINUTE, "XERO_DAY_LIMIT")
    connection.worker().pause("xero", NOON + MINUTE, "XERO_MINUTE_LIMIT")

    assert connection.worker().until("xero") == NOON + 10 * MINUTE


def test_pause_longer_by_a_microsecond_counts_as_longer(connection: PausedConnection) -> None:
    connection.worker().pause("xero", NOON + MINUTE, "A")
    connection.worker().pause("xero", NOON + MINUTE + timedelta(microseconds=1), "B")

    assert connection.worker().until("xero") == NOON + MINUTE + timedelta(microseconds=1)


def test_each_pause_is_logged_with_its_service_end_and_reason(connection: PausedConnection) -> None:
    connection.worker().pause("amazon", NOON + MINUTE, "AMAZON_NOT_AUTHORISED", "authorise again")

    (logged,) = connection.decisions.of("PAUSED")
    assert logged == {
        "reason": "AMAZON_NOT_AUTHORISED",
        "remedy": "authorise again",
        "service": "amazon",
        "until": (NOON + MINUTE).isoformat(),
    }


@pytest.mark.parametrize(
    ("problem", "reason", "minutes"),
    [
        (XeroRateLimited("x", "minute", 2 * MINUTE), "XERO_MINUTE_LIMIT", 2),
        (XeroRateLimited("x", "concurrent", MINUTE), "XERO_CONCURRENT_LIMIT", 1),
        (XeroNotAuthorised("x", 403, "AuthenticationUnsuccessful"), "XERO_NOT_AUTHORISED", 15),
        (XeroTokensUnreadable("x", None, "DisabledException"), "XERO_TOKENS_UNREADABLE", 15),
        (XeroUnavailable("x", 503, "HTTP 503"), "XERO_UNAVAILABLE", 1),
    ],
)
def test_length_of_a_pause_depends_on_xeros_fault(
    connection: PausedConnection, problem: XeroError, reason: str, minutes: int
) -> None:
    connection.worker().pause_xero(problem)

    assert connection.worker().until("xero") == NOON + minutes * MINUTE
    assert connection.decisions.of("PAUSED")[0]["reason"] == reason


def test_two_workers_may_pause_a_service_at_the_same_time(connection: PausedConnection) -> None:
    connection.store.meanwhile(lambda: connection.worker().pause("xero", NOON + MINUTE, "A"))

    connection.worker().pause("xero", NOON + 2 * MINUTE, "B")

    assert connection.worker().until("xero") == NOON + 2 * MINUTE


def test_used_up_share_pauses_only_its_kind_of_document(connection: PausedConnection) -> None:
    connection.worker().pause_xero(XeroRateLimited("createPayments", "share", MINUTE), "payment")

    assert connection.worker().until("xero#payment") == NOON + MINUTE
    assert connection.worker().until("xero") is None
