"""The daily reminder: while something of a connection needs a person or is late, a message says so once a day.

An alarm reports that a condition began and that it ended, but not that it lasts, and for which reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import FailureCode, remedy_of
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog, MessageNotSent, MessageTopic
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.connection_status import MAX_COUNTED, ConnectionStatus
from amazon_to_xero.services.state_updates import update_cursor

LATE = timedelta(hours=1)  # work that has been due for longer is late
_CURSOR = "reminder"
_EVERY = timedelta(days=1)
_RETRY = timedelta(minutes=15)


class Reminder:
    """Sends the reminders of all connections of a stack; `topic` is None where the stack has no alarms."""

    def __init__(self, topic: MessageTopic | None, clock: Clock) -> None:
        self._topic = topic
        self._clock = clock

    def send_if_due(self, connection: str, store: StateStore, decisions: DecisionLog, status: ConnectionStatus) -> None:
        """Send and log the reminder of a connection that needs one, at most once a day.

        The day is claimed in a row before the message is sent: of two workers one sends it, and after a worker that
        dies in between none is sent until the next day. A message that the topic does not take is sent again after a
        quarter of an hour.
        """
        if not needs_reminder(status) or not self._claim(store):
            return
        decisions.record(
            "REMINDER",
            refused=", ".join(sorted(status.refusals.values())) or None,
            failed_sources=sum(status.failed_sources.values()),
            failed_documents=sum(status.failed_documents.values()),
            changed_in_xero=sum(status.changed_in_xero.values()) or None,
            oldest_due_seconds=status.oldest_due_seconds,
        )
        if self._topic is None:
            return
        try:
            self._topic.publish(_subject(connection, status), reminder_text(connection, status, self._clock.now()))
        except MessageNotSent as problem:
            decisions.record("REMINDER_NOT_SENT", problem=str(problem))
            self._next_at(store, self._clock.now() + _RETRY)

    def _claim(self, store: StateStore) -> bool:
        """Return whether this worker is the one that sends the reminder now."""
        now = self._clock.now()

        def claimed(cursor: Cursor) -> Mapping[str, str] | None:
            next_at = cursor.data.get("next_at")
            is_due = next_at is None or datetime.fromisoformat(next_at) <= now
            return {"next_at": (now + _EVERY).isoformat()} if is_due else None

        with suppress(Conflict):  # other workers have just claimed it
            return update_cursor(store, _CURSOR, claimed) is not None
        return False

    def _next_at(self, store: StateStore, at: datetime) -> None:
        with suppress(Conflict):
            update_cursor(store, _CURSOR, lambda _: {"next_at": at.isoformat()})


def needs_reminder(status: ConnectionStatus) -> bool:
    """Return whether something needs a person or is late. A pause that delays nothing for an hour needs no reminder."""
    return _needs_a_person(status) or _is_late(status)


def reminder_text(connection: str, status: ConnectionStatus, now: datetime) -> str:
    """Return the message: counts, codes and remedies, and no data of orders or buyers."""
    return "\n".join(_lines(connection, status, now))


def _subject(connection: str, status: ConnectionStatus) -> str:
    cause = "a person is needed" if _needs_a_person(status) else "work is late"
    return f"Amazon to Xero, connection {connection}: {cause}"


def _needs_a_person(status: ConnectionStatus) -> bool:
    return bool(status.refusals or status.failed_sources or status.failed_documents or status.changed_in_xero)


def _is_late(status: ConnectionStatus) -> bool:
    return status.oldest_due_seconds > LATE.total_seconds()


def _with_remedy(code: str) -> str:
    return f"{code}. {remedy_of(code)}".rstrip()


def _lines(connection: str, status: ConnectionStatus, now: datetime) -> Iterator[str]:
    yield f"Connection {connection}, {now:%Y-%m-%d %H:%M} UTC."
    if status.refusals:
        yield "\nRefused until a person acts. What needs it waits, and nothing is lost:"
        for service, code in sorted(status.refusals.items()):
            yield f"- {service}: {_with_remedy(code)}"
    for name, failed in (("orders", status.failed_sources), ("documents", status.failed_documents)):
        if failed:
            count = sum(failed.values())
            yield f"\n{'At least ' if count >= MAX_COUNTED else ''}{count} failed {name} are not dealt with:"
            for code, number in sorted(failed.items()):
                yield f"- {number} x {_with_remedy(code)}"
    if status.changed_in_xero:
        count = sum(status.changed_in_xero.values())
        yield f"\n{count} documents were changed in Xero: {_with_remedy(FailureCode.CHANGED_IN_XERO)}"
    if _is_late(status):
        yield f"\nWork has waited for {status.oldest_due_seconds // 3600} hours. Reasons of the pauses in force:"
        for service, code in sorted(status.pauses.items()):
            yield f"- {service}: {_with_remedy(code)}"
        if not status.pauses:
            yield "- none: run the saved query Waits."
    yield "\nWhich orders and documents these are, and how to take one off the list: docs/operating.md, What failed."
    yield "This message is sent at most once a day, for as long as something of it lasts."
