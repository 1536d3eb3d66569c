"""Orders that Amazon shows in an older version than before: for moments, or for good."""

from __future__ import annotations

from datetime import timedelta

from amazon_to_xero.domain.amazon.order_record import MIN_OLDER_READS, OLDER_READ_WAITS, OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import AmazonUnavailable
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.amazon_orders import HOUR, MINUTE, amazon_order

NEWER = amazon_order(price="12.00", updated=NOON - 5 * MINUTE)
OLDER = amazon_order(price="10.00", updated=NOON - 9 * MINUTE)


def read_newer_then_older() -> FakeConnection:
    """A connection that holds the newer version; from now on Amazon answers with the older one."""
    connection = FakeConnection(NEWER)
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    connection.amazon.hold(OLDER)
    connection.clock.advance(60)
    connection.notice(["A"])
    return connection


def read_when_due(connection: FakeConnection) -> timedelta:
    """Read and plan as soon as the order is due; return how long that took."""
    due = connection.record().next_attempt_at
    assert due is not None
    wait = max(due - connection.clock.now(), timedelta())
    connection.clock.advance(wait.total_seconds())
    connection.plan_drafts(*connection.read().due)
    return wait


def total(connection: FakeConnection) -> str:
    return str(connection.document().desired.total)


def test_older_version_that_amazon_states_for_an_hour_is_recorded_and_logged() -> None:
    connection = read_newer_then_older()
    calls = connection.amazon.count("getOrder")

    waits = [read_when_due(connection) for _ in range(len(OLDER_READ_WAITS))]
    assert (total(connection), connection.record().reason) == ("12.00", "OLDER_VERSION")
    assert connection.decisions.of("VERSION_WENT_BACK") == []
    waits.append(read_when_due(connection))

    assert sum(waits, timedelta()) == HOUR
    assert connection.amazon.count("getOrder") - calls == len(OLDER_READ_WAITS) + 1
    assert total(connection) == "10.00"
    record = connection.record()
    assert (record.state, record.reason, record.next_attempt_at) == (OrderState.PLANNED, "", None)
    (line,) = connection.decisions.of("VERSION_WENT_BACK")
    assert (line["order_id"], line["version"]) == ("A", (NOON - 9 * MINUTE).isoformat())
    assert line["replaced_version"] == (NOON - 5 * MINUTE).isoformat()
    assert "Compare the order in Seller Central" in str(line["remedy"])
    assert connection.dead_letters[ORDERS].letters == []


def test_recorded_older_version_is_not_read_again_after_a_notice() -> None:
    connection = read_newer_then_older()
    for _ in range(len(OLDER_READ_WAITS) + 1):
        read_when_due(connection)

    connection.clock.advance(60)
    connection.notice(["A"])
    read_when_due(connection)

    assert connection.record().next_attempt_at is None
    assert len(connection.decisions.of("VERSION_WENT_BACK")) == 1


def test_newer_version_that_returns_later_replaces_the_older_one_again() -> None:
    connection = read_newer_then_older()
    for _ in range(len(OLDER_READ_WAITS) + 1):
        read_when_due(connection)

    connection.amazon.hold(NEWER)
    connection.clock.advance(60)
    connection.notice(["A"])
    read_when_due(connection)

    assert (total(connection), connection.record().version) == ("12.00", NOON - 5 * MINUTE)


def test_many_notices_within_minutes_do_not_make_an_older_version_win() -> None:
    connection = read_newer_then_older()

    for _ in range(3 * MIN_OLDER_READS):
        connection.read()
        connection.clock.advance(60)
        connection.notice(["A"])

    assert total(connection) == "12.00"
    assert connection.record().version == NOON - 5 * MINUTE


def test_older_version_after_a_long_outage_does_not_win_at_once() -> None:
    connection = read_newer_then_older()
    connection.read()
    connection.clock.advance(5 * HOUR.total_seconds())

    connection.read()

    assert (total(connection), connection.record().older_reads) == ("12.00", 2)


def test_reads_that_amazon_did_not_answer_do_not_count() -> None:
    connection = read_newer_then_older()
    connection.amazon.faults = [AmazonUnavailable("getOrder", 503, "HTML")] * 20
    for _ in range(20):
        read_when_due(connection)
    assert (connection.record().older_reads, connection.record().reason) == (0, "HTML")

    read_when_due(connection)

    assert (total(connection), connection.record().older_reads) == ("12.00", 1)


def test_answer_with_the_newer_version_begins_the_count_anew() -> None:
    connection = read_newer_then_older()
    for _ in range(MIN_OLDER_READS):
        read_when_due(connection)

    connection.amazon.hold(NEWER)
    read_when_due(connection)

    record = connection.record()
    assert (record.older_reads, record.older_since, record.reason) == (0, None, "")
    assert record.next_attempt_at is None


def test_older_version_in_a_page_is_read_singly_and_never_wins() -> None:
    newer = amazon_order(price="12.00", updated=NOON - 5 * MINUTE)
    connection = FakeConnection(newer)
    connection.plan_drafts(*connection.sweep().due)
    connection.amazon.hold(OLDER)
    connection.clock.advance(60)

    connection.sweep()
    assert connection.record().reason == "OLDER_VERSION"
    written = connection.store.writes("ORDER#")
    for _ in range(2 * MIN_OLDER_READS):
        connection.clock.advance(15 * 60)
        connection.sweep()

    assert connection.store.writes("ORDER#") == written
    assert (total(connection), connection.record().older_reads) == ("12.00", 0)
