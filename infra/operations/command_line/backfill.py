"""`backfill --from DAY --to DAY`: have the orders of a past period read and entered, after a forecast and a question.

The work is done by the stack's own functions, step by step: the command only begins, shows and changes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from amazon_to_xero.domain.backfill.backfill import Backfill, BackfillState
from amazon_to_xero.domain.failures import FAILURES, WAITS, FailureCode
from amazon_to_xero.runtime.backfill_answer import stated
from amazon_to_xero.services.backfill.rows import load_backfills, tallied
from operations.command_line.asking import Yes, agreed
from operations.command_line.entering import author_of
from operations.command_line.result import Result, table
from operations.command_line.session import Session, UsageProblem
from operations.replay_calls import CALL_CONFIG, ReplayFailed, ReplayRefused, call

_BAR = 60  # characters
_MOST_NAMED = 20  # orders in a locked period


class Action(StrEnum):
    """What is done."""

    START = "start"
    FORECAST = "forecast"
    STATUS = "status"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


From = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day on which orders were placed.")]
To = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, e.g. 2026-06-30.")]
Percent = Annotated[
    int,
    typer.Option("--share", metavar="PERCENT", min=1, max=90, help="Wait while more of Xero's day is used, by all."),
]
Calls = Annotated[int | None, typer.Option("--calls", min=1, help="The same as a number of calls to Xero.")]


def backfill(
    session: Session,
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.START,
    first: From = "",
    last: To = "",
    share: Percent = 50,
    calls: Calls = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with your ARN.")] = "",
    yes: Yes = False,
) -> Result:
    """Have the orders of a period read and entered, beside the current ones: forecast, start, status, pause, cancel."""
    asked = {"from": first, "to": last, "percent": share, "calls": calls}
    try:
        match action:
            case Action.STATUS:
                return _status(session)
            case Action.FORECAST:
                answer = _called(session, action, {**_days(asked)})
                return Result(answer, _forecast_view(answer))
            case Action.START:
                return _start(session, _days(asked), reason, yes=yes)
        return _change(session, action, yes=yes)
    except ReplayRefused as problem:
        raise UsageProblem(str(problem)) from None
    except ReplayFailed as problem:
        return Result({"error": str(problem)}, [str(problem)], has_problem=True)


def _days(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a period. Raises UsageProblem."""
    for name in ("from", "to"):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(asked[name])):
            raise UsageProblem(f"Name a day with --{name}, such as 2026-01-31. For others: backfill status.")
    return dict(asked)


def _start(session: Session, asked: Mapping[str, Any], reason: str, *, yes: bool) -> Result:
    if not reason.strip():
        raise UsageProblem("Say why with --reason; it is kept with the backfill.")
    if not yes:
        answer = _called(session, Action.FORECAST, asked)
        question = f"Have the orders of {asked['from']} to {asked['to']} read and entered?"
        if not agreed(_forecast_view(answer), question, yes=False):
            return Result({"forecast": answer}, ["Nothing was changed."])
    begun = _called(session, Action.START, {**asked, "reason": reason})
    return Result(begun, [f"Backfill {begun['number']} has begun. See how far it is: backfill status."])


def _change(session: Session, action: Action, *, yes: bool) -> Result:
    if action is Action.CANCEL and not yes:
        latest = load_backfills(session.store()).latest
        preview = [] if latest is None else _view(latest)
        if not agreed([*preview, "What is entered stays. The rest is not read."], "Cancel it?", yes=False):
            return Result({}, ["Nothing was changed."])
    changed = _called(session, action, {})
    return Result(changed, [f"Backfill {changed['number']} is {changed['state']}."])


def _called(session: Session, action: Action, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's answer. Raises ReplayRefused and ReplayFailed."""
    event = {"backfill": {"by": author_of(session, ""), "connection": session.connection, "action": action, **asked}}
    return call(session.client("lambda", CALL_CONFIG), session.output("ReplayFunctionName"), event)


# --- what a person reads ----------------------------------------------------------------------------------------------


def _status(session: Session) -> Result:
    row = load_backfills(session.store())
    if row.latest is None:
        return Result(
            {"backfills": []}, ["There was no backfill. Begin one: backfill --from DAY --to DAY --reason WHY."]
        )
    latest = tallied(session.store(), row.latest)  # what was finished since the last step, too
    earlier = row.entries[:-1]
    columns = ("from", "to", "state", "read", "in Xero", "failed", "by", "reason")
    rows = [
        (b.period.first, b.period.last, b.state, b.counts.read, b.counts.in_xero, b.counts.failed, b.author, b.reason)
        for b in earlier
    ]
    view = [*_view(latest), *([table("Earlier backfills", columns, rows)] if rows else [])]
    data = {"backfills": [*(stated(each) for each in earlier), stated(latest)]}
    return Result(data, view, has_problem=_needs_a_person(latest))


def _needs_a_person(latest: Backfill) -> bool:
    """Return whether the backfill does not go on, or has left something out, until a person acts.

    Its failed orders are a count of the past: whether one is still open is for `failed` and `status` to answer.
    """
    is_refused = latest.state is BackfillState.RUNNING and latest.waits_for in set(FailureCode)
    return is_refused or (bool(latest.left_out) and latest.state is not BackfillState.CANCELLED)


def _view(backfill: Backfill) -> list[RenderableType]:
    period, counts = backfill.period, backfill.counts
    planned = counts.in_xero + counts.failed
    columns = ("orders read", "unchanged", "not invoiced", "under way", "planned", "in Xero", "failed")
    row = (
        counts.read,
        counts.unchanged,
        counts.not_invoiced,
        len(backfill.open),
        planned,
        counts.in_xero,
        counts.failed,
    )
    return [
        f"Backfill {backfill.number} of {period.first} to {period.last}: {backfill.state}. {backfill.reason}",
        f"Asked for by {backfill.author}",
        _bar(backfill),
        table("", columns, [row]),
        *_notes(backfill),
    ]


def _bar(backfill: Backfill) -> Table:
    """Return how much of the period is read, drawn and in words."""
    read, days = backfill.days_read, backfill.period.days
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=days, completed=read, width=_BAR), f"{read} of {days} days read")
    return bar


def _notes(backfill: Backfill) -> list[str]:
    notes = []
    if backfill.state is BackfillState.RUNNING and backfill.waits_for:
        notes.append(_meaning(backfill.waits_for))
    if backfill.counts.failed:
        orders = "1 order" if backfill.counts.failed == 1 else f"{backfill.counts.failed} orders"
        notes.append(f"{orders} had failed when counted. What is still open, with what to do: failed.")
    if backfill.left_out:
        notes.append(
            f"Amazon refuses searches for {', '.join(backfill.left_out)}: their orders were not read. Run the backfill "
            "again once doctor finds nothing."
        )
    return notes


def _meaning(reason: str) -> str:
    texts = {str(code): text for code, text in WAITS.items()}
    texts |= {str(code): info.meaning for code, info in FAILURES.items()}
    return f"{reason}: {texts[reason]}" if reason in texts else reason


def _forecast_view(answer: Mapping[str, Any]) -> list[RenderableType]:
    rows = [
        ("orders in the period", _range(answer["orders"])),
        ("of these to enter", _range(answer["to_enter"])),
        ("calls to Amazon", _range(answer["calls_to_amazon"])),
        ("calls to Xero", _range(answer["calls_to_xero"])),
        ("days", "none are left by the share; raise --share" if answer["days"] is None else _range(answer["days"])),
    ]
    return [table("Forecast", ("", ""), rows), *_locked(answer), *([answer["note"]] if answer["note"] else [])]


def _range(pair: Sequence[int | None]) -> str:
    low, high = pair
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"


def _locked(answer: Mapping[str, Any]) -> list[str]:
    """Say what would be booked in a locked period, as far as it is known."""
    if not answer["locked_until"]:
        return []
    orders = answer["locked_orders"]
    effect = (
        "fail with PERIOD_LOCKED and wait for a person"
        if answer["locked_is_held"]
        else "are dated on the first open day"
    )
    more = f" and {len(orders) - _MOST_NAMED} more" if len(orders) > _MOST_NAMED else ""
    named = f" Of the orders counted: {', '.join(orders[:_MOST_NAMED])}{more}." if orders else ""
    return [f"Xero is locked until {answer['locked_until']}: sales until then {effect}.{named}"]
