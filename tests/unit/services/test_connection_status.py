"""The status of a connection: what waits, what failed, what is paused or refused, and who answered when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonNotAuthorised
from amazon_to_xero.ports.xero import XeroNotAuthorised, XeroRateLimited, XeroTokensUnreadable, XeroUnavailable
from amazon_to_xero.services import connection_status
from amazon_to_xero.services.connection_status import ConnectionStatus, StatusReader
from amazon_to_xero.services.pauses import UNAUTHORISED_PAUSE, Pauses
from fakes.connection import FakeConnection
from fakes.counting_table import CountingTable
from fakes.orders import JP
from unit.services.amazon_orders import amazon_order

_REFUSED_SEARCHES = 10  # more than a search for all and one for each marketplace
DISCONNECTED = XeroNotAuthorised("createInvoices", 403, "AuthenticationUnsuccessful")


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(amazon_order())


def status(connection: FakeConnection) -> ConnectionStatus:
    return connection.connection.status.read()


def minutes_later(connection: FakeConnection, minutes: float) -> ConnectionStatus:
    connection.clock.advance(60 * minutes)
    return status(connection)


def work(connection: FakeConnection) -> None:
    connection.connection.worker.run("w", connection.clock.now() + timedelta(seconds=60))


def document(number: str, state: DocumentState, reason: str = "") -> Document:
    return Document(DesiredDocument(DocumentKind.INVOICE, number, {}, "order#A"), state=state, reason=reason)


# --- what waits -------------------------------------------------------------------------------------------------------


def test_connection_that_has_never_done_anything_waits_for_nothing_and_states_no_fact_that_is_not_known(
    connection: FakeConnection,
) -> None:
    assert status(connection) == ConnectionStatus()
    assert status(connection).xero_day_calls_left is None


def test_oldest_due_work_of_every_queue_counts(connection: FakeConnection) -> None:
    now = connection.clock.now()
    connection.store.save([OrderRecord("A", next_attempt_at=now - timedelta(minutes=5))])
    assert status(connection).oldest_due_seconds == 300

    connection.store.save([OrderRecord("B").to_be_planned(SHIPMENTS, now - timedelta(minutes=9))])
    assert status(connection).oldest_due_seconds == 540

    posted = DesiredDocument(DocumentKind.INVOICE, "A", {}, "order#A", capability=ORDERS)
    connection.store.save([Document(posted, next_attempt_at=now - timedelta(hours=1))])
    assert status(connection).oldest_due_seconds == 3600


def test_work_that_is_due_later_is_not_late(connection: FakeConnection) -> None:
    connection.store.save([OrderRecord("A", next_attempt_at=connection.clock.now() + timedelta(hours=1))])

    assert status(connection).oldest_due_seconds == 0


# --- what failed ------------------------------------------------------------------------------------------------------


def test_failures_and_unknown_outcomes_are_counted_by_reason(connection: FakeConnection) -> None:
    connection.store.save([OrderRecord(key).failed(FailureCode.TAX_UNMAPPED, "Add a rule.") for key in ("A", "B")])
    failed = [document(key, DocumentState.FAILED, "PERIOD_LOCKED") for key in ("A", "B", "C")]
    connection.store.save([*failed, document("D", DocumentState.UNKNOWN, "OUTCOME_UNKNOWN")])

    read = status(connection)

    assert (read.failed_sources, read.failed_documents) == ({"TAX_UNMAPPED": 2}, {"PERIOD_LOCKED": 3})
    assert read.unknown_documents == {"OUTCOME_UNKNOWN": 1}


def test_change_that_was_not_sent_yet_is_no_unknown_outcome(connection: FakeConnection) -> None:
    now = connection.clock.now()
    approved = DesiredDocument(DocumentKind.INVOICE, "A", {"Status": "AUTHORISED"}, "order#A")
    applied = Document(approved).applied("id-1", "AUTHORISED", approved.digest, now)
    changed = applied.with_desired(replace(approved, body={**approved.body, "Date": "2026-11-25"}), now)
    assert changed is not None
    assert changed.is_checked_before_change

    connection.store.save([changed])
    assert status(connection).unknown_documents == {}

    connection.store.save([connection.document("A").claimed(now).unknown(now)])
    assert status(connection).unknown_documents == {"OUTCOME_UNKNOWN": 1}


def test_count_of_failures_ends_at_its_bound(connection: FakeConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_status, "MAX_COUNTED", 3)
    connection.store.save([document(str(number), DocumentState.FAILED, "PERIOD_LOCKED") for number in range(5)])

    assert status(connection).failed_documents == {"PERIOD_LOCKED": 3}


# --- what is paused or refused ----------------------------------------------------------------------------------------


def test_disconnected_organisation_is_refused_from_its_first_refused_call_until_it_answers(
    connection: FakeConnection,
) -> None:
    """Its tokens renew, and it refuses every call: each quarter of an hour a worker tries once more."""
    connection.sweep()
    connection.plan_drafts()
    connection.xero.before = [DISCONNECTED] * 8
    refused_for = []
    for _ in range(60):
        work(connection)
        refused_for.append(status(connection).refusals)
        connection.clock.advance(60)
    assert refused_for == [{"xero": "XERO_NOT_AUTHORISED"}] * 60

    # When somebody has connected it again, the next try ends the refusal
    connection.xero.before = []
    for _ in range(15):
        connection.clock.advance(60)
        work(connection)
    assert status(connection).refusals == {}


def test_check_of_an_app_without_the_scope_for_contacts_does_not_stop_what_xero_accepts(
    connection: FakeConnection,
) -> None:
    connection.xero.before = [DISCONNECTED, None]
    connection.connection.xero_check.call()

    assert (status(connection).pauses, status(connection).refusals) == ({}, {})
    assert status(connection).seconds_since_xero == 0


def test_refused_key_of_xeros_tokens_is_not_stated_as_a_refusal_by_xero(connection: FakeConnection) -> None:
    """Connecting again would not help: the reminder names the key."""
    connection.sweep()
    connection.plan_drafts()
    connection.xero.before = [XeroTokensUnreadable("connectToken", None, "DisabledException")]
    work(connection)

    assert status(connection).refusals == {"xero": "XERO_TOKENS_UNREADABLE"}
    (line,) = connection.decisions.of("PAUSED")
    assert "TokenKey" in str(line["remedy"])


def test_seller_who_withdrew_the_authorisation_is_refused_until_amazon_answers(connection: FakeConnection) -> None:
    connection.amazon.faults = [AmazonNotAuthorised("searchOrders", 403, "Unauthorized")]
    connection.sweep()

    assert status(connection).refusals == {"amazon": "AMAZON_NOT_AUTHORISED"}
    assert status(connection).pauses == {"amazon": "AMAZON_NOT_AUTHORISED"}
    # Also between the end of the pause and the next sweep
    assert minutes_later(connection, 16).pauses == {}
    assert status(connection).refusals == {"amazon": "AMAZON_NOT_AUTHORISED"}

    connection.sweep()
    assert status(connection).refusals == {}


def test_refused_operation_is_named(connection: FakeConnection) -> None:
    connection.amazon.faults = [AmazonForbidden("searchOrders", 403, "Forbidden")] * _REFUSED_SEARCHES
    connection.sweep()

    assert status(connection).refusals == {"amazon#searchOrders": "AMAZON_OPERATION_REFUSED"}


def test_refused_operation_is_not_taken_for_answered_because_a_sweep_is(connection: FakeConnection) -> None:
    pauses = Pauses(connection.store, connection.clock, connection.decisions)
    until = connection.clock.now() + UNAUTHORISED_PAUSE
    pauses.pause("amazon#getOrder", until, FailureCode.AMAZON_OPERATION_REFUSED)
    refused = {"amazon#getOrder": "AMAZON_OPERATION_REFUSED"}
    assert status(connection).refusals == refused

    connection.clock.advance(60)
    connection.sweep()
    assert status(connection).refusals == refused


def test_refused_marketplace_is_named_until_amazon_answers_for_it(connection: FakeConnection) -> None:
    connection.amazon.refused_marketplaces = {JP}
    connection.sweep()

    refused = {f"amazon#searchOrders#{JP}": "AMAZON_OPERATION_REFUSED"}
    assert status(connection).refusals == refused

    connection.amazon.refused_marketplaces = set()
    assert minutes_later(connection, 61).refusals == refused
    connection.sweep()
    assert status(connection).refusals == {}


def test_refusal_ends_where_nothing_calls_the_service_again(connection: FakeConnection) -> None:
    connection.amazon.faults = [AmazonForbidden("searchOrders", 403, "Forbidden")] * _REFUSED_SEARCHES
    connection.sweep()

    assert minutes_later(connection, 34).refusals != {}
    assert minutes_later(connection, 2).refusals == {}


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (XeroRateLimited("createInvoices", "minute", timedelta(minutes=1)), "XERO_MINUTE_LIMIT"),
        (XeroUnavailable("createInvoices", 503, "HTTP 503"), "XERO_UNAVAILABLE"),
    ],
)
def test_pause_that_ends_by_itself_is_no_refusal(
    connection: FakeConnection, problem: XeroRateLimited | XeroUnavailable, reason: str
) -> None:
    connection.xero.before = [problem]
    connection.connection.xero_check.call()

    assert (status(connection).pauses, status(connection).refusals) == ({"xero": reason}, {})
    assert minutes_later(connection, 2).pauses == {}


def test_connection_with_unusable_settings_states_what_its_rows_say(connection: FakeConnection) -> None:
    connection.notice(["A"])
    connection.clock.advance(600)
    reader = StatusReader("main", connection.store, connection.clock, [ORDERS], None, FailureCode.SETTINGS_UNUSABLE)

    assert reader.read() == ConnectionStatus(oldest_due_seconds=600, refusals={"settings": "SETTINGS_UNUSABLE"})


# --- who answered when ------------------------------------------------------------------------------------------------


def test_minutes_since_a_sweep_and_a_call_to_xero_were_answered(connection: FakeConnection) -> None:
    connection.sweep()
    later = minutes_later(connection, 7)

    assert later.seconds_since_amazon == 420
    assert later.seconds_since_xero == 420  # the sweep needs the organisation


def test_call_that_xero_did_not_execute_is_no_answer(connection: FakeConnection) -> None:
    connection.sweep()
    connection.clock.advance(600)
    connection.xero.before = [DISCONNECTED] * 2
    connection.connection.xero_check.call()

    assert status(connection).seconds_since_xero == 600


def test_sweep_that_amazon_refused_is_no_answer(connection: FakeConnection) -> None:
    connection.sweep()
    connection.clock.advance(900)
    connection.amazon.faults = [AmazonNotAuthorised("searchOrders", 403, "Unauthorized")]
    connection.sweep()

    assert status(connection).seconds_since_amazon == 900


def test_search_that_is_refused_for_every_marketplace_does_not_hide_when_amazon_last_answered(
    connection: FakeConnection,
) -> None:
    connection.amazon.refused_marketplaces = {JP}
    connection.sweep()
    connection.amazon.refused_marketplaces = set(connection.policy.marketplaces)
    connection.clock.advance(7200)
    connection.sweep()

    assert status(connection).seconds_since_amazon == 7200


def test_calls_left_of_the_day_are_those_of_the_connections_tier(connection: FakeConnection) -> None:
    connection.sweep()
    reader = StatusReader("main", connection.store, connection.clock, [ORDERS], Limits(per_day=1000))

    assert status(connection).xero_day_calls_left == 5000 - 4
    assert reader.read().xero_day_calls_left == 1000 - 4


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_status_costs_twenty_two_read_units_and_no_write(
    connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.sweep()
    work(connection)
    counting = CountingTable(connection.store.table)
    monkeypatch.setattr(connection.store, "_table", counting)

    status(connection)

    assert (counting.read, counting.written) == (21.5, 0)
