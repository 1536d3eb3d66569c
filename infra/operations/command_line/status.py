"""`status`: each connection of a stack on one screen: who answered when, what waits, what failed, and the queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import RenderableType

from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.failures import FailureCode, remedy_of
from amazon_to_xero.ports.state import DOCUMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from amazon_to_xero.services.connection_status import MAX_COUNTED, ConnectionStatus, StatusReader
from amazon_to_xero.services.reminder import needs_reminder
from deployable.names import logical_name
from operations.command_line.result import Result, table
from operations.command_line.session import Session

_OTHER_QUEUES = (("stopped letters", "StoppedLettersUrl"), ("schedules", "SchedulesDlqUrl"), ("events", "EventsDlqUrl"))
_WAITING, _IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


@dataclass(frozen=True)
class StatedConnection:
    """One connection as the screen shows it.

    due: due queue -> how many rows are due now; at most MAX_COUNTED in each.
    calls_per_day: calls to Xero that the settings allow; None where the settings cannot be used.
    """

    name: str
    status: ConnectionStatus
    due: Mapping[str, int]
    calls_per_day: int | None

    @property
    def needs_a_person(self) -> bool:
        return needs_reminder(self.status)

    def as_data(self) -> dict[str, Any]:
        stated = {"name": self.name, "needs_a_person": self.needs_a_person, "calls_per_day": self.calls_per_day}
        return stated | {"due": self.due} | vars(self.status)


def status(session: Session) -> Result:
    """Show connections, calls left, queues, what is due, and what failed by code."""
    now = session.clock.now()
    connections = [_stated(session, name) for name in session.connections]
    queues = list(_queues(session))
    data = {"stack": session.stack, "region": session.region, "at": now}
    view: list[RenderableType] = [f"{session.stack} in {session.region}, {now:%Y-%m-%d %H:%M} UTC"]
    for each in connections:
        view += ["", *_view(each)]
    columns = ("Queue", "messages", "in work", "dead letters")
    view += ["", table("", columns, [tuple(each.values()) for each in queues])]
    return Result(
        {**data, "connections": [each.as_data() for each in connections], "queues": queues},
        view,
        has_problem=any(each.needs_a_person for each in connections),
    )


def _stated(session: Session, name: str) -> StatedConnection:
    store, now = session.store(name), session.clock.now()
    limits, unusable = _limits(session.settings.get(name, ""))
    reader = StatusReader(name, store, session.clock, CAPABILITIES, limits, unusable)
    due = {queue: len(store.due(queue, now, MAX_COUNTED)) for queue in (*CAPABILITIES, DOCUMENTS)}
    return StatedConnection(name, reader.read(), due, limits.per_day if limits else None)


def _limits(settings: str) -> tuple[Limits | None, str]:
    """Return Xero's limits in a connection's settings, or None and the code that says why they cannot be used."""
    try:
        return Limits(per_day=parse(ConnectionSettings, settings, "the settings").xero.calls_per_day), ""
    except SettingsError:
        return None, FailureCode.SETTINGS_UNUSABLE


def _queues(session: Session) -> Iterator[dict[str, Any]]:
    sqs = session.client("sqs")

    def depth(output: str, *attributes: str) -> list[int]:
        answer = sqs.get_queue_attributes(QueueUrl=session.output(output), AttributeNames=["All"])["Attributes"]
        return [int(answer[name]) for name in attributes]

    for capability in CAPABILITIES:
        messages, in_work = depth(f"{logical_name(capability)}QueueUrl", _WAITING, _IN_FLIGHT)
        (dead,) = depth(f"{logical_name(capability)}DlqUrl", _WAITING)
        yield {"queue": capability, "messages": messages, "in_work": in_work, "dead_letters": dead}
    for queue, output in _OTHER_QUEUES:
        (dead,) = depth(output, _WAITING)
        yield {"queue": queue, "messages": None, "in_work": None, "dead_letters": dead}


def _view(each: StatedConnection) -> list[RenderableType]:
    of, calls_left = each.status, each.status.xero_day_calls_left
    left = "" if calls_left is None else f"; {calls_left:,} of {each.calls_per_day:,} calls of the day left"
    waits = ", ".join(f"{count} {queue}" for queue, count in each.due.items() if count)
    facts = [
        (
            "Amazon answered",
            f"orders {_ago(of.seconds_since_amazon)}, transactions {_ago(of.seconds_since_transactions)}",
        ),
        ("Xero answered", f"{_ago(of.seconds_since_xero)}{left}"),
        ("due", f"{waits}; the oldest for {timedelta(seconds=of.oldest_due_seconds)}" if waits else "nothing"),
        ("paused", "; ".join(f"{service} ({reason})" for service, reason in sorted(of.pauses.items())) or "nothing"),
        ("outcome unknown", f"{sum(of.unknown_documents.values())} documents"),
        ("changed in Xero", _changed(of)),
    ]
    parts: list[RenderableType] = [
        f"Connection {each.name}: {'a person is needed' if each.needs_a_person else 'fine'}",
        table("", ("", ""), facts),
    ]
    if failed := _failed_rows(of):
        parts += ["", table("", ("Failed", "orders, refunds", "documents", "what to do"), failed)]
    return parts


def _changed(of: ConnectionStatus) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(of.changed_in_xero.items()))
    return f"{kinds}: drift list" if kinds else "no documents"


def _failed_rows(of: ConnectionStatus) -> list[tuple[object, ...]]:
    """Return a row per code: what is refused first, then what failed."""
    refused: list[tuple[object, ...]] = [
        (f"{code} ({service})", None, None, remedy_of(code)) for service, code in sorted(of.refusals.items())
    ]
    codes = sorted({*of.failed_sources, *of.failed_documents})
    return refused + [
        (code, of.failed_sources.get(code, 0), of.failed_documents.get(code, 0), remedy_of(code)) for code in codes
    ]


def _ago(seconds: int | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"
