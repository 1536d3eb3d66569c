"""The daily reminder: once a day, while something needs a person or is late, with codes and remedies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.services.connection_status import MAX_COUNTED, ConnectionStatus
from amazon_to_xero.services.reminder import Reminder, needs_reminder, reminder_text
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog, RecordingTopic

FAILED = ConnectionStatus(failed_sources={"TAX_UNMAPPED": 2}, failed_documents={"PERIOD_LOCKED": 1})
REFUSED = ConnectionStatus(refusals={"xero": "XERO_NOT_AUTHORISED"})
CHANGED = ConnectionStatus(changed_in_xero={"EDITED": 2, "REMOVED": 1})
LATE = ConnectionStatus(oldest_due_seconds=2 * 3600 + 5, pauses={"xero": "XERO_DAY_LIMIT"})
WELL = ConnectionStatus(oldest_due_seconds=3600, pauses={"xero": "XERO_MINUTE_LIMIT"})


class Reminded:
    """One connection that is reminded of, by several workers."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.topic = RecordingTopic()
        self.decisions = RecordingDecisionLog()

    def tick(self, status: ConnectionStatus, topic: RecordingTopic | None = None) -> None:
        reminder = Reminder(topic or self.topic, self.clock)
        reminder.send_if_due("main", self.store, self.decisions, status)

    def minutes(self, number: int, status: ConnectionStatus) -> int:
        """Let that many minutes pass with that status; return how many messages were sent in them."""
        before = len(self.topic.messages)
        for _ in range(number):
            self.tick(status)
            self.clock.advance(60)
        return len(self.topic.messages) - before


@pytest.fixture
def main() -> Reminded:
    return Reminded()


@pytest.mark.parametrize("status", [FAILED, REFUSED, LATE, CHANGED])
def test_one_message_a_day_while_it_lasts(main: Reminded, status: ConnectionStatus) -> None:
    assert main.minutes(1, status) == 1  # at once: the alarm's own message has no codes
    assert main.minutes(24 * 60 - 1, status) == 0
    assert main.minutes(3 * 24 * 60, status) == 3


def test_connection_that_is_well_is_not_reminded_of_and_costs_nothing(main: Reminded) -> None:
    assert main.minutes(60, WELL) == 0
    assert (main.store.table.reads, main.store.table.written) == (0, [])


def test_reminders_end_when_the_cause_ends_and_begin_at_once_when_it_returns_days_later(main: Reminded) -> None:
    main.minutes(1, FAILED)
    assert main.minutes(2 * 24 * 60, WELL) == 0

    assert main.minutes(1, FAILED) == 1


def test_cause_that_comes_and_goes_sends_one_message_a_day(main: Reminded) -> None:
    assert sum(main.minutes(5, status) for _ in range(100) for status in (FAILED, WELL)) == 1


def test_of_two_workers_one_sends_the_message(main: Reminded) -> None:
    main.store.meanwhile(lambda: main.tick(FAILED))

    main.tick(FAILED)

    assert len(main.topic.messages) == 1
    assert len(main.decisions.of("REMINDER")) == 1


def test_message_that_the_topic_did_not_take_is_sent_after_a_quarter_of_an_hour(main: Reminded) -> None:
    main.topic.broken = True
    assert main.minutes(14, FAILED) == 0
    assert main.decisions.of("REMINDER_NOT_SENT") == [{"problem": "AuthorizationError"}]

    main.topic.broken = False
    assert main.minutes(2, FAILED) == 1


def test_stack_without_alarms_logs_the_reminder(main: Reminded) -> None:
    Reminder(None, main.clock).send_if_due("main", main.store, main.decisions, FAILED)

    assert main.decisions.of("REMINDER") == [{"failed_sources": 2, "failed_documents": 1, "oldest_due_seconds": 0}]


def test_message_names_connection_counts_codes_and_remedies() -> None:
    text = reminder_text(
        "main",
        ConnectionStatus(
            3700, {"xero": "XERO_DAY_LIMIT"}, REFUSED.refusals, FAILED.failed_sources, FAILED.failed_documents
        ),
        NOON,
    )

    assert "Connection main, 2026-11-23 12:00 UTC." in text
    assert f"- xero: XERO_NOT_AUTHORISED. {FAILURES[FailureCode.XERO_NOT_AUTHORISED].remedy}" in text
    assert "2 failed orders are not dealt with:\n- 2 x TAX_UNMAPPED. Add a rule to tax.rules" in text
    assert "1 failed documents are not dealt with:\n- 1 x PERIOD_LOCKED. Move Xero's lock date" in text
    assert "Work has waited for 1 hours" in text
    assert "- xero: XERO_DAY_LIMIT. Xero's limit of calls a day is reached" in text


def test_message_says_that_a_bounded_count_is_a_lower_bound() -> None:
    text = reminder_text("main", ConnectionStatus(failed_documents={"PERIOD_LOCKED": MAX_COUNTED}), NOON)

    assert "At least 1000 failed documents" in text


@pytest.mark.parametrize("reason", ["XERO_MINUTE_LIMIT", "XERO_UNAVAILABLE", "XERO_DAY_LIMIT"])
def test_pause_that_delays_nothing_for_an_hour_needs_no_reminder(reason: str) -> None:
    assert not needs_reminder(ConnectionStatus(oldest_due_seconds=3600, pauses={"xero": reason}))
    assert needs_reminder(ConnectionStatus(oldest_due_seconds=3601, pauses={"xero": reason}))


def test_subject_says_whether_a_person_is_needed(main: Reminded) -> None:
    main.tick(LATE)
    main.clock.advance(timedelta(days=1).total_seconds())
    main.tick(FAILED)

    assert [subject for subject, _ in main.topic.messages] == [
        "Amazon to Xero, connection main: work is late",
        "Amazon to Xero, connection main: a person is needed",
    ]


def test_message_says_how_many_documents_were_changed_in_xero_and_how_to_decide() -> None:
    text = reminder_text("main", CHANGED, NOON)

    assert "3 documents were changed in Xero: CHANGED_IN_XERO." in text
    assert "drift accept or drift restore" in text
