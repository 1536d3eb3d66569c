"""The organisation is read from Xero at most twice a day, for all workers of a connection together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules
from amazon_to_xero.ports.xero import XeroUnavailable
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from fakes.books import ORGANISATION
from fakes.connection import FakeConnection
from unit.desired_documents import CONTACT

ROW = "CURSOR#organisation"


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


def new_worker(connection: FakeConnection) -> OrganisationCache:
    """Return the cache of another worker, which has nothing in memory."""
    return connection.restart().services.organisation


def test_organisation_is_read_once_for_all_workers_and_stored_without_loss(connection: FakeConnection) -> None:
    first = new_worker(connection).current()

    assert new_worker(connection).current() == first == replace(ORGANISATION, read_at=connection.clock.now())
    assert len(connection.xero.calls) == 1


def test_organisation_is_read_again_after_twelve_hours(connection: FakeConnection) -> None:
    worker = new_worker(connection)
    worker.current()
    connection.clock.advance(12 * 3600)
    connection.xero.settings = replace(ORGANISATION, name="New name")

    assert worker.current().name == ORGANISATION.name
    connection.clock.advance(1)
    assert worker.current().name == "New name"


def test_organisation_that_one_worker_needs_fresh_is_fresh_for_all(connection: FakeConnection) -> None:
    worker, other = new_worker(connection), new_worker(connection)
    worker.current(), other.current()
    connection.clock.advance(360)

    worker.current(max_age=timedelta(minutes=5))
    other.current(max_age=timedelta(minutes=5))

    assert len(connection.xero.calls) == 2


def test_organisation_is_read_again_as_soon_as_the_settings_name_a_tracking_category(
    connection: FakeConnection,
) -> None:
    new_worker(connection).current()
    rule = AccountRule(tracking=(("Channel", "FBA"),))
    connection.policy = replace(connection.policy, account_rules=AccountRules((rule,)))
    connection.xero.settings = replace(
        ORGANISATION, lists=ListsToRead(tracking=True), tracking={"Channel": frozenset({"FBA"})}
    )

    assert new_worker(connection).current().tracking == {"Channel": {"FBA"}}
    assert new_worker(connection).current().tracking == {"Channel": {"FBA"}}
    assert len(connection.xero.calls) == 2


def test_expired_organisation_is_read_again_by_whichever_worker_needs_it_next(connection: FakeConnection) -> None:
    worker, other = new_worker(connection), new_worker(connection)
    worker.current(), other.current()
    connection.clock.advance(31)
    connection.xero.settings = replace(ORGANISATION, name="New name")

    worker.expire()

    assert other.unavailable_reason() == ""
    assert (other.current().name, worker.current().name) == ("New name", "New name")
    assert len(connection.xero.calls) == 2


def test_organisation_that_was_just_read_does_not_expire(connection: FakeConnection) -> None:
    worker, other = new_worker(connection), new_worker(connection)
    worker.current()
    connection.clock.advance(29)

    other.expire()

    assert other.unavailable_reason() == worker.unavailable_reason() == ""
    assert len(connection.xero.calls) == 1


def test_cached_organisation_is_available_without_a_call(connection: FakeConnection) -> None:
    assert new_worker(connection).unavailable_reason() == ""  # read for the first time
    assert len(connection.xero.calls) == 1

    assert new_worker(connection).unavailable_reason() == ""
    assert len(connection.xero.calls) == 1


def test_outage_is_raised_and_nothing_is_stored(connection: FakeConnection) -> None:
    connection.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    with pytest.raises(XeroUnavailable):
        new_worker(connection).current()
    assert connection.store.writes(ROW) == 0


def test_outage_pauses_xero_and_no_worker_calls_it_until_the_pause_ends(connection: FakeConnection) -> None:
    connection.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    assert new_worker(connection).unavailable_reason() == "XERO_UNAVAILABLE"
    assert new_worker(connection).unavailable_reason() == "XERO_PAUSED"
    assert len(connection.xero.calls) == 1

    connection.clock.advance(60)
    assert new_worker(connection).unavailable_reason() == ""


def test_cached_organisation_stays_available_while_xero_is_paused(connection: FakeConnection) -> None:
    new_worker(connection).current()
    connection.request(CONTACT)
    connection.xero.before = [XeroUnavailable("createContacts", None, "no connection")]
    assert connection.post().stopped == "XERO_UNAVAILABLE"

    assert new_worker(connection).unavailable_reason() == ""


def test_two_workers_may_read_it_at_the_same_time(connection: FakeConnection) -> None:
    first, second = new_worker(connection), new_worker(connection)

    def read_by_the_second() -> None:
        if connection.xero.calls and not connection.store.writes(ROW):
            second.current()

    # The budget's rows are written before and after the call, the organisation's row at last.
    connection.store.meanwhile(lambda: None, lambda: None, read_by_the_second)

    assert first.current().name == ORGANISATION.name
    assert connection.store.writes(ROW) == len(connection.xero.calls) == 2


def test_worker_that_reads_it_logs_what_does_not_fit_the_settings(connection: FakeConnection) -> None:
    connection.xero.settings = replace(ORGANISATION, currencies=ORGANISATION.currencies - {"JPY"})
    new_worker(connection).current()
    findings = connection.decisions.of("PREFLIGHT_FINDING")

    assert "CURRENCY_NOT_SUBSCRIBED" in [finding["reason"] for finding in findings]
    assert all(len(str(finding["remedy"])) > 30 for finding in findings)
    new_worker(connection).current()
    assert connection.decisions.of("PREFLIGHT_FINDING") == findings  # nothing was read, so nothing is logged again
