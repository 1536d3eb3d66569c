"""A service that should be left alone is left alone by every worker until the stated time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.ports.xero import XeroError, XeroNotAuthorised, XeroRateLimited, XeroUnavailable
from amazon_to_xero.services.pauses import Pauses
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog

MINUTE = timedelta(minutes=1)


class Service:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.decisions = RecordingDecisionLog()

    def worker(self) -> Pauses:
        return Pauses(self.store, self.clock, self.decisions)


@pytest.fixture
def service() -> Service:
    return Service()


def test_a_pause_is_seen_by_every_worker_and_ends_by_itself(service: Service) -> None:
    service.worker().pause("xero", NOON + MINUTE, "XERO_MINUTE_LIMIT")

    assert service.worker().until("xero") == NOON + MINUTE
    assert service.worker().until("amazon") is None
    service.clock.advance(60)
    assert service.worker().until("xero") is None


def test_a_longer_pause_stands(service: Service) -> None:
    service.worker().pause("xero", NOON + 10 * MINUTE, "XERO_DAY_LIMIT")
    service.worker().pause("xero", NOON + MINUTE, "XERO_MINUTE_LIMIT")

    assert service.worker().until("xero") == NOON + 10 * MINUTE


def test_a_pause_by_a_fraction_of_a_second_longer_counts_as_longer(service: Service) -> None:
    service.worker().pause("xero", NOON + MINUTE, "A")
    service.worker().pause("xero", NOON + MINUTE + timedelta(microseconds=1), "B")

    assert service.worker().until("xero") == NOON + MINUTE + timedelta(microseconds=1)


def test_every_pause_says_which_service_until_when_and_why(service: Service) -> None:
    service.worker().pause("amazon", NOON + MINUTE, "AMAZON_NOT_AUTHORISED", "authorise again")

    (said,) = service.decisions.of("PAUSED")
    assert said == {
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
        (XeroUnavailable("x", 503, "HTTP 503"), "XERO_UNAVAILABLE", 1),
    ],
)
def test_xero_s_faults_ask_for_their_own_length(
    service: Service, problem: XeroError, reason: str, minutes: int
) -> None:
    service.worker().pause_xero(problem)

    assert service.worker().until("xero") == NOON + minutes * MINUTE
    assert service.decisions.of("PAUSED")[0]["reason"] == reason


def test_two_workers_that_pause_at_once_do_no_harm(service: Service) -> None:
    service.store.meanwhile(lambda: service.worker().pause("xero", NOON + MINUTE, "A"))

    service.worker().pause("xero", NOON + 2 * MINUTE, "B")

    assert service.worker().until("xero") is not None
