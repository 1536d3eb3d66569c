"""Refunds among Amazon's transactions: recorded once, whatever else Amazon shows, and found by sweeps and notices."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonThrottled, AmazonUnavailable
from amazon_to_xero.ports.state import FAILED_SOURCES
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.intake.transaction_sweep import CURSOR
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.state import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ORDER = "204-0000001-0000001"


def a_refund(number: int = 1, *, posted: datetime = NOON - HOUR, **changes: Any) -> dict[str, Any]:
    """Return a refund of GBP 24.00, with the id R<number>."""
    return {
        "transactionId": f"R{number}",
        "transactionType": "Refund",
        "transactionStatus": "RELEASED",
        "postedDate": posted.isoformat().replace("+00:00", "Z"),
        "totalAmount": {"currencyAmount": Decimal("-24.00"), "currencyCode": "GBP"},
        "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": ORDER}],
        **changes,
    }


def a_fee(number: int = 1) -> dict[str, Any]:
    return a_refund(number, transactionId=f"S{number}", transactionType="ServiceFee")


def copy_of(transaction_id: str) -> dict[str, Any]:
    related = [{"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": transaction_id}]
    return a_refund(transactionId=f"copy of {transaction_id}", relatedIdentifiers=related)


class Refunds(FakeConnection):
    """A connection whose sweeps begin a month ago, and whose Amazon states these transactions."""

    def __init__(self, *transactions: dict[str, Any], start: datetime = NOON - 30 * DAY) -> None:
        super().__init__(policy=replace(POLICY, start=start))
        self.amazon.transactions = list(transactions)

    @property
    def records(self) -> dict[str, TransactionRecord]:
        keys = [sk.removeprefix("TRANSACTION#") for sk in self.store.table.rows if sk.startswith("TRANSACTION#")]
        return self.store.load(TransactionRecord, keys)

    @property
    def failures(self) -> list[str]:
        return [letter.reason for letter in self.dead_letters[REFUNDS].letters]

    def state(self, number: int = 1) -> tuple[TransactionState, str]:
        record = self.transaction(f"R{number}")
        return record.state, record.status


# --- recording --------------------------------------------------------------------------------------------------------


def test_refund_is_recorded_with_what_identifies_it_and_is_to_be_planned_now() -> None:
    connection = Refunds(a_refund(), a_fee())

    report = connection.sweep_transactions()

    assert (report.records, report.due) == (2, ("R1",))
    (record,) = connection.records.values()
    assert (record.order_id, record.posted_at, record.status) == (ORDER, NOON - HOUR, "RELEASED")
    assert (record.first_read_at, record.next_attempt_at, record.next_step) == (NOON, NOON, NextStep.PLAN)
    assert record.content is not None
    assert record.content["totalAmount"]["currencyAmount"] == Decimal("-24.00")


def test_copy_of_a_deferred_refund_is_ignored() -> None:
    connection = Refunds(a_refund(transactionStatus="DEFERRED_RELEASED"), copy_of("R1"))

    connection.sweep_transactions()

    assert list(connection.records) == ["R1"]


def test_new_status_of_a_known_refund_changes_nothing_else() -> None:
    connection = Refunds(a_refund(transactionStatus="DEFERRED"))
    connection.sweep_transactions()
    connection.plan_refunds()
    planned = connection.transaction()
    connection.amazon.transactions = [a_refund(transactionStatus="DEFERRED_RELEASED")]

    report = connection.sweep_transactions()

    assert report.due == ()
    assert connection.transaction() == replace(planned, status="DEFERRED_RELEASED", generation=planned.generation + 1)


def test_refund_that_is_read_again_unchanged_writes_nothing() -> None:
    connection = Refunds(a_refund())
    connection.sweep_transactions()
    writes = connection.store.writes("TRANSACTION#")

    assert connection.sweep_transactions().due == ()
    assert connection.store.writes("TRANSACTION#") == writes


def test_refund_of_a_status_that_changes_while_it_is_planned_is_planned_nevertheless() -> None:
    connection = Refunds(a_refund(transactionStatus="DEFERRED"))
    connection.sweep_transactions()
    connection.amazon.transactions = [a_refund()]
    connection.store.meanwhile(connection.sweep_transactions)

    connection.plan_refunds()
    connection.plan_refunds()

    record = connection.transaction()
    assert (record.status, record.next_attempt_at) == ("RELEASED", None)
    assert record.state is not TransactionState.RECORDED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"transactionId": None}, "TRANSACTION_MALFORMED"),
        ({"postedDate": None}, "TRANSACTION_MALFORMED"),
        ({"transactionType": None}, "TRANSACTION_MALFORMED"),
        ({"description": "x" * 300_000}, "TRANSACTION_TOO_LARGE"),
        ({"description": "\ud800"}, "TRANSACTION_UNREADABLE"),
    ],
)
def test_refund_that_cannot_be_recorded_fails_visibly_once_and_the_others_go_on(
    changes: dict[str, Any], reason: str
) -> None:
    connection = Refunds(a_refund(1) | changes, a_refund(2))

    connection.sweep_transactions()
    connection.clock.advance(3600)
    connection.sweep_transactions()

    assert connection.failures == [reason]
    assert connection.transaction("R2").state is TransactionState.RECORDED
    failed = [record for record in connection.records.values() if record.state is TransactionState.FAILED]
    assert [(record.reason, record.content, record.next_attempt_at) for record in failed] == [(reason, None, None)]


def test_malformed_transaction_that_is_no_refund_is_ignored() -> None:
    connection = Refunds(a_fee() | {"transactionId": None})

    connection.sweep_transactions()

    assert (connection.records, connection.failures) == ({}, [])


def test_unknown_type_is_logged_once_however_often_it_is_read() -> None:
    connection = Refunds(a_refund(transactionType="CashBack", relatedIdentifiers=None))

    for _ in range(3):
        connection.sweep_transactions()
        connection.plan_refunds()
        connection.clock.advance(3600)

    assert [each["reason"] for each in connection.decisions.of("NOT_BOOKED")] == ["TYPE_UNKNOWN"]
    assert connection.failures == []


def test_refund_whose_dead_letter_cannot_be_sent_fails_with_the_next_sweep() -> None:
    connection = Refunds(a_refund() | {"description": "x" * 300_000})
    connection.dead_letters[REFUNDS].broken = True
    connection.sweep_transactions()
    assert connection.records == {}

    connection.dead_letters[REFUNDS].broken = False
    connection.sweep_transactions()

    assert connection.failures == ["TRANSACTION_TOO_LARGE"]
    assert connection.transaction().state is TransactionState.FAILED


# --- sweeps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "first"), [(NOON - 10 * DAY, NOON - 45 * DAY), (NOON - 90 * DAY, NOON - 90 * DAY)])
def test_first_sweep_begins_at_the_start_setting_and_at_least_45_days_ago(start: datetime, first: datetime) -> None:
    connection = Refunds(start=start)

    connection.sweep_transactions()

    assert connection.amazon.asked_between == [(first, None)]


def test_long_history_is_read_in_parts_that_amazon_answers() -> None:
    start = NOON - 400 * DAY
    connection = Refunds(*(a_refund(n, posted=start + 100 * n * DAY) for n in range(1, 4)), start=start)

    connection.sweep_transactions()

    asked = connection.amazon.asked_between
    assert asked[0] == (start, start + 170 * DAY)
    assert all((before or NOON) - after <= 180 * DAY for after, before in asked if after)
    assert asked[-1][1] is None
    assert sorted(connection.records) == ["R1", "R2", "R3"]


def test_each_later_sweep_reads_three_days_again() -> None:
    connection = Refunds()
    connection.sweep_transactions()
    connection.clock.advance(3600)
    # Amazon shows it two days after it was posted
    connection.amazon.transactions = [a_refund(posted=NOON - 2 * DAY)]

    connection.sweep_transactions()

    after, _ = connection.amazon.asked_between[1]
    assert after is not None
    assert NOON - 73 * HOUR < after <= NOON - 72 * HOUR
    assert list(connection.records) == ["R1"]


def test_sweep_that_is_interrupted_continues_with_the_next_page() -> None:
    connection = Refunds(*(a_refund(n) for n in range(1, 6)))
    connection.amazon.page_size = 2
    connection.amazon.faults = [None, AmazonUnavailable("listTransactions", 503, "HTML")]
    assert connection.sweep_transactions().stopped == "AMAZON_UNAVAILABLE"
    connection.clock.advance(3600)
    connection.restart()

    assert connection.sweep_transactions().records == 3

    assert [token for _, token in connection.amazon.calls] == ["", "2", "2", "4"]
    assert len(set(connection.amazon.asked_between)) == 1  # the same arguments as with the first page
    assert len(connection.records) == 5


def test_page_token_that_is_refused_three_times_is_given_up() -> None:
    connection = Refunds(*(a_refund(n) for n in range(1, 4)))
    connection.amazon.page_size = 2
    refusal = AmazonUnavailable("listTransactions", 400, "InvalidInput")
    connection.amazon.faults = [None, refusal, refusal, refusal]
    for _ in range(3):
        assert connection.sweep_transactions().stopped == "AMAZON_UNAVAILABLE"

    connection.sweep_transactions()

    assert [token for _, token in connection.amazon.calls] == ["", "2", "2", "2", "", "2"]
    assert len(connection.records) == 3
    assert connection.decisions.of("SWEEP_RESTARTED") == [{"refusals": 3}]


def test_page_that_amazon_never_answers_is_looked_for_in_a_part_of_half_the_length_and_shows_in_the_status() -> None:
    connection = Refunds(*(a_refund(n) for n in range(1, 4)), start=NOON - 100 * DAY)
    connection.amazon.page_size = 2
    connection.amazon.faults = [None, *[AmazonUnavailable("listTransactions", 503, "HTML")] * 12]
    for _ in range(12):
        connection.sweep_transactions()
        connection.clock.advance(3600)
    status = StatusReader("main", connection.store, connection.clock, [REFUNDS], None).read()
    assert status.seconds_since_transactions == 12 * 3600

    connection.sweep_transactions()

    (restarted,) = connection.decisions.of("SWEEP_RESTARTED")
    assert restarted == {"unanswered": 12}
    after, before = connection.amazon.asked_between[13]
    assert after is not None
    assert before is not None
    assert before - after == pytest.approx(50 * DAY, abs=DAY)
    assert len(connection.records) == 3


def test_page_that_is_answered_in_the_end_is_not_counted_with_the_next() -> None:
    connection = Refunds(*(a_refund(n) for n in range(1, 6)))
    connection.amazon.page_size = 2
    silence = [AmazonUnavailable("listTransactions", 503, "HTML")] * 11
    connection.amazon.faults = [None, *silence, None, *silence]
    for _ in range(23):
        connection.sweep_transactions()
        connection.clock.advance(600)

    assert connection.decisions.of("SWEEP_RESTARTED") == []
    assert len(connection.records) == 5


def test_empty_page_with_a_token_is_not_the_last_one() -> None:
    connection = Refunds(a_refund())
    connection.amazon.empty_pages = 1

    connection.sweep_transactions()

    assert connection.amazon.count("listTransactions") == 2
    assert list(connection.records) == ["R1"]
    assert "watermark" in connection.store.cursor(CURSOR).data


def test_sweep_of_more_pages_than_amazon_allows_at_once_waits_seconds_for_each_and_reads_all_of_them() -> None:
    connection = Refunds(*(a_refund(number) for number in range(20)))
    connection.amazon.page_size = 1

    report = connection.sweep_transactions()

    assert (report.stopped, report.records, len(connection.records)) == ("", 20, 20)
    assert connection.amazon.count("listTransactions") == 20
    assert sum(connection.clock.slept) == pytest.approx(22, abs=0.1)  # 9 at once, the others two seconds apart


def test_sweep_whose_time_is_over_does_not_wait_for_amazons_quota() -> None:
    connection = Refunds(*(a_refund(number) for number in range(20)))
    connection.amazon.page_size = 1

    report = connection.sweep_transactions(deadline=NOON + timedelta(seconds=5))

    assert report.stopped == WaitReason.OUT_OF_TIME
    assert connection.amazon.count("listTransactions") == 12


def test_throttling_ends_the_sweep_and_only_empties_the_quota_of_transactions() -> None:
    connection = Refunds(a_refund())
    connection.amazon.faults = [AmazonThrottled("listTransactions", 429, "QuotaExceeded")]

    assert connection.sweep_transactions().stopped == "AMAZON_QUOTA"
    assert connection.amazon.count("listTransactions") == 1
    assert connection.sweep().stopped == ""
    assert connection.clock.slept == []
    assert connection.sweep_transactions().stopped == ""
    assert connection.clock.slept == [4.0]


def test_missing_role_for_transactions_pauses_them_alone_and_shows_in_the_status() -> None:
    connection = Refunds(a_refund())
    connection.amazon.faults = [AmazonForbidden("listTransactions", 403, "Unauthorized")]

    assert connection.sweep_transactions().stopped == "AMAZON_OPERATION_REFUSED"
    assert connection.sweep_transactions().stopped == "AMAZON_PAUSED"

    assert connection.amazon.count("listTransactions") == 1
    assert connection.sweep().stopped == ""
    status = StatusReader("main", connection.store, connection.clock, [REFUNDS], None)
    assert status.read().refusals == {"amazon#listTransactions": "AMAZON_OPERATION_REFUSED"}
    # once the role is granted, the next sweep reads everything, and nothing is refused
    connection.clock.advance(3600)
    connection.sweep_transactions()
    assert list(connection.records) == ["R1"]
    assert status.read().refusals == {}


# --- notices ----------------------------------------------------------------------------------------------------------


def test_many_notices_cost_one_page_as_soon_as_amazon_may_show_the_transactions() -> None:
    connection = Refunds(*(a_refund(n, posted=NOON - n * MINUTE) for n in range(1, 4)))
    connection.notice_transactions(*(NOON - n * MINUTE for n in range(1, 4)))
    assert connection.read_transactions().records == 0
    assert connection.amazon.calls == []

    connection.clock.advance(130)
    report = connection.read_transactions()

    assert sorted(report.due) == ["R1", "R2", "R3"]
    assert connection.amazon.asked_between == [(NOON - 3 * MINUTE, None)]
    assert connection.read_transactions().records == 0
    assert connection.amazon.count("listTransactions") == 1


def test_transaction_that_amazon_does_not_show_yet_is_found_by_a_later_sweep() -> None:
    connection = Refunds()
    connection.notice_transactions(NOON)
    connection.clock.advance(130)
    connection.read_transactions()
    connection.clock.advance(2 * 86400)
    connection.amazon.transactions = [a_refund(posted=NOON)]

    connection.sweep_transactions()

    assert list(connection.records) == ["R1"]


def test_notice_that_comes_while_pages_are_read_makes_another_read_due() -> None:
    connection = Refunds(a_refund(1))
    connection.notice_transactions(NOON - HOUR)
    connection.clock.advance(130)
    connection.amazon.after_page = lambda: connection.notice_transactions(connection.clock.now())

    connection.read_transactions()
    connection.amazon.after_page = None
    connection.clock.advance(130)
    connection.read_transactions()

    assert connection.amazon.count("listTransactions") == 2


def test_interrupted_read_continues_with_its_next_page_and_a_refused_token_leaves_the_rest_to_the_sweep() -> None:
    connection = Refunds(*(a_refund(n) for n in range(1, 6)))
    connection.amazon.page_size = 2
    connection.notice_transactions(NOON - HOUR)
    connection.clock.advance(130)
    connection.amazon.faults = [
        None,
        AmazonUnavailable("listTransactions", 503, "HTML"),
        AmazonUnavailable("listTransactions", 400, "InvalidInput"),
    ]
    for _ in range(2):
        assert connection.read_transactions().stopped == "AMAZON_UNAVAILABLE"

    connection.clock.advance(3600)
    connection.read_transactions()
    assert [token for _, token in connection.amazon.calls] == ["", "2", "2"]
    connection.sweep_transactions()
    assert len(connection.records) == 5


def test_read_that_amazon_never_answers_ends_and_the_sweep_reads_the_rest() -> None:
    connection = Refunds(a_refund())
    connection.notice_transactions(NOON - HOUR)
    connection.clock.advance(130)
    connection.amazon.faults = [AmazonUnavailable("listTransactions", 503, "HTML")] * 12
    for _ in range(12):
        assert connection.read_transactions().stopped == "AMAZON_UNAVAILABLE"
        connection.clock.advance(60)

    assert connection.read_transactions().stopped == ""
    assert connection.amazon.count("listTransactions") == 12
    (ended,) = connection.decisions.of("READ_ENDED")
    assert (ended["unanswered"], ended["code"]) == (12, "HTML")
    connection.sweep_transactions()
    assert list(connection.records) == ["R1"]


def test_reprocessed_transaction_that_amazon_does_not_show_stays_on_the_list_of_failures() -> None:
    connection = Refunds()
    services = connection.connection.services

    services.transaction_notices.record([ChangeNotice("GONE", reprocess=True)])
    connection.clock.advance(130)
    connection.read_transactions()

    assert connection.records["GONE"].state is TransactionState.FAILED
    assert [each.key for each in connection.store.watched(FAILED_SOURCES, 10)] == ["TRANSACTION#GONE"]


@pytest.mark.parametrize("posted", [NOON - 400 * DAY, NOON + 400 * DAY])
def test_time_that_cannot_be_amazons_is_not_believed(posted: datetime) -> None:
    connection = Refunds()
    connection.notice_transactions(posted)
    connection.clock.advance(130)

    connection.read_transactions()

    ((after, _),) = connection.amazon.asked_between
    assert after is not None
    assert NOON - 45 * DAY <= after < NOON


def test_notice_waits_while_amazon_refuses_transactions_and_does_not_stop_other_work() -> None:
    connection = Refunds(a_refund())
    connection.notice_transactions(NOON - HOUR)
    connection.clock.advance(130)
    connection.amazon.faults = [AmazonForbidden("listTransactions", 403, "Unauthorized")]
    assert connection.read_transactions().stopped == "AMAZON_OPERATION_REFUSED"
    assert connection.read_transactions().stopped == ""
    assert connection.amazon.count("listTransactions") == 1

    connection.clock.advance(3600)

    assert connection.read_transactions().due == ("R1",)


def reprocess(connection: FakeConnection, *transaction_ids: str) -> list[str]:
    notices = [ChangeNotice(each, connection="main", reprocess=True) for each in transaction_ids]
    return connection.connection.services.transaction_notices.record(notices)


def test_redriven_dead_letter_plans_a_refund_again_without_reading_it() -> None:
    connection = Refunds(a_refund())
    connection.sweep_transactions()
    connection.plan_refunds()
    assert connection.transaction().next_attempt_at is None

    assert reprocess(connection, "R1") == ["R1"]

    assert (connection.transaction().state, connection.transaction().next_attempt_at) == (
        TransactionState.RECORDED,
        NOON,
    )
    assert connection.read_transactions().records == 0


def test_redriven_dead_letter_reads_a_refund_again_that_could_not_be_kept() -> None:
    connection = Refunds(a_refund() | {"description": "x" * 300_000})
    connection.sweep_transactions()
    connection.amazon.transactions = [a_refund()]

    assert reprocess(connection, "R1") == []
    assert connection.read_transactions().due == ("R1",)

    assert connection.transaction().content is not None


def test_dead_letter_names_the_transaction_and_its_order() -> None:
    connection = Refunds(a_refund() | {"description": "x" * 300_000})

    connection.sweep_transactions()

    (letter,) = connection.dead_letters[REFUNDS].letters
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "source": "transaction#R1"}}
    assert letter.order_id == ORDER
