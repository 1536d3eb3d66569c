"""What is known of the organisation is read from Xero rarely and shared by every worker."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.ports.xero import XeroUnavailable
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from fakes.books import ORGANISATION, POLICY
from fakes.state import ManualClock, MemoryStateStore, RecordingDecisionLog
from fakes.vendors import ScriptedXero


class Known:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.xero = ScriptedXero(clock=self.clock)
        self.decisions = RecordingDecisionLog()

    def worker(self) -> OrganisationCache:
        return OrganisationCache(self.xero, self.store, self.clock, POLICY, self.decisions)


@pytest.fixture
def known() -> Known:
    return Known()


def test_it_is_read_once_for_all_workers_and_comes_back_as_it_was(known: Known) -> None:
    first = known.worker().current()

    assert known.worker().current() == first == replace(ORGANISATION, read_at=known.clock.now())
    assert len(known.xero.calls) == 1


def test_it_is_read_again_when_it_is_old(known: Known) -> None:
    worker = known.worker()
    worker.current()
    known.clock.advance(12 * 3600 + 1)
    known.xero.settings = replace(ORGANISATION, name="New name")

    assert worker.current().name == "New name"


def test_whoever_needs_it_fresh_gets_it_fresh_and_the_others_with_them(known: Known) -> None:
    worker, other = known.worker(), known.worker()
    worker.current(), other.current()
    known.clock.advance(360)

    worker.current(max_age=timedelta(minutes=5))
    other.current(max_age=timedelta(minutes=5))

    assert len(known.xero.calls) == 2


def test_asking_what_is_known_never_asks_xero(known: Known) -> None:
    assert known.worker().known() is None
    known.worker().current()

    assert known.worker().known() is not None
    assert len(known.xero.calls) == 1


def test_an_outage_is_told_and_nothing_is_stored(known: Known) -> None:
    known.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    with pytest.raises(XeroUnavailable):
        known.worker().current()
    assert known.store.writes() == 0


def test_two_workers_that_read_it_at_once_do_no_harm(known: Known) -> None:
    known.store.meanwhile(lambda: known.worker().current())

    assert known.worker().current().name == ORGANISATION.name


def test_whoever_reads_it_says_what_does_not_fit_the_settings(known: Known) -> None:
    known.xero.settings = replace(ORGANISATION, currencies=ORGANISATION.currencies - {"JPY"})
    known.worker().current()
    said = known.decisions.of("PREFLIGHT_FINDING")

    assert "CURRENCY_NOT_SUBSCRIBED" in [note["reason"] for note in said]
    assert all(len(str(note["remedy"])) > 30 for note in said)
    known.worker().current()
    assert known.decisions.of("PREFLIGHT_FINDING") == said  # nothing was read, nothing is said again
