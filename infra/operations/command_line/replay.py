"""`replay …`: process open failures again, or close or discard them, through the stack's own function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from amazon_to_xero.domain.replay.decision import DEFAULT_CAP
from operations.command_line.asking import Yes, agreed
from operations.command_line.command import add_command
from operations.command_line.result import Result, table
from operations.command_line.session import Session, UsageProblem
from operations.replay_calls import CALL_CONFIG, ReplayFailed, ReplayRefused, call, steps

Functions = Annotated[
    list[str] | None, typer.Option("--function", help="Only this queue's, e.g. orders. May be given several times.")
]
Order = Annotated[str, typer.Option("--order", help="Only this Amazon order.")]
Source = Annotated[str, typer.Option("--source", help="Only this source, e.g. transaction#… or confirmation#….")]
Code = Annotated[str, typer.Option("--code", help="Only this failure code, e.g. TAX_UNMAPPED.")]
OlderThan = Annotated[float | None, typer.Option("--older-than", help="Only letters at least so many days old.", min=0)]
NewerThan = Annotated[float | None, typer.Option("--newer-than", help="Only letters at most so many days old.", min=0)]
Text = Annotated[str, typer.Option("--text", help="Only failures whose remedy, code or message contains this.")]
Cap = Annotated[int, typer.Option("--cap", help="Stop a source that was sent so often in 14 days.", min=1, max=50)]
Limit = Annotated[int, typer.Option("--limit", help="At most so many failures.", min=1)]

_MINUTES_A_DAY = 24 * 60
_STEP = 25  # failures
_COLUMNS = ("function", "order", "code", "sent before", "action", "why")

_CLOSED_COLUMNS = ("code", "what failed", "order", "action", "why", "what to do about it")

replay = typer.Typer(
    name="replay", help="Process open failures again: preview first, then run. Or close them.", no_args_is_help=True
)


def preview(
    session: Session,
    function: Functions = None,
    order: Order = "",
    source: Source = "",
    code: Code = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    text: Text = "",
    cap: Cap = 5,
    limit: Limit = _STEP,
) -> Result:
    """Show what a replay would send, and how Xero would differ from now, field by field. It changes nothing."""
    request = _request(session, function, order, source, code, older_than, newer_than, text, cap)
    try:
        found = _found(session, {**request, "preview": True}, limit)
    except ReplayFailed as problem:
        return Result({"error": str(problem)}, [str(problem)], has_problem=True)
    return Result(found, [*_view(found), *_differences(found["failures"])])


def run(
    session: Session,
    function: Functions = None,
    order: Order = "",
    source: Source = "",
    code: Code = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    text: Text = "",
    cap: Cap = 5,
    limit: Limit = 1000,
    yes: Yes = False,
) -> Result:
    """Send open failures to their queues again, after a question, and delete the letters of what is done already."""
    request = _request(session, function, order, source, code, older_than, newer_than, text, cap)
    try:
        if not yes:
            planned = _found(session, {**request, "preview": True, "differences": False}, limit)
            if not planned["failures"]:
                return Result(planned, _view(planned))
            if not agreed(_view(planned), "Replay these?", yes=yes):
                return Result({"failures": []}, ["Nothing was changed."])
        done = _found(session, {**request, "preview": False}, limit)
    except ReplayFailed as problem:
        return Result({"error": str(problem)}, [str(problem)], has_problem=True)
    return Result(done, _view(done), has_problem=any(each["action"] == "STOP" for each in done["failures"]))


def close(
    session: Session,
    reason: Annotated[str, typer.Option("--reason", help="What was done about it; it is kept. No data of buyers.")],
    function: Functions = None,
    order: Order = "",
    source: Source = "",
    code: Code = "",
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    text: Text = "",
    limit: Limit = 1000,
    yes: Yes = False,
) -> Result:
    """Take failures off the list that you dealt with otherwise, after a question. They return if they fail again."""
    if not reason.strip():
        raise UsageProblem("Say with --reason what was done about it.")
    if not (function or order or source or code or text):
        raise UsageProblem("Say which failures: --order, --source, --code, --function or --text.")
    request = _request(session, function, order, source, code, older_than, newer_than, text, DEFAULT_CAP)
    request |= {"closed_because": reason, "differences": False}
    try:
        planned = _found(session, {**request, "preview": True}, limit)
        shown = [each for each in planned["failures"] if each["action"] in ("CLOSE", "DELETE")]
        if not shown:
            return Result(planned, _closed_view(planned), has_problem=bool(planned["failures"]))
        if not agreed(_closed_view(planned), "Close these?", yes=yes):
            return Result({"failures": []}, ["Nothing was changed."])
        done = _found(session, {**request, "preview": False, "shown": [*map(_as_shown, shown)]}, limit)
    except ReplayFailed as problem:
        return Result({"error": str(problem)}, [str(problem)], has_problem=True)
    return Result(done, _closed_view(done), has_problem=any(each["action"] == "LEAVE" for each in done["failures"]))


def _as_shown(failure: Mapping[str, Any]) -> dict[str, str]:
    """Return a failure as the function takes those that alone are closed: nothing that has failed since."""
    return {"connection": failure["connection"], "source": failure["source"], "code": failure["reason"]}


def discard(
    session: Session,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is logged with your ARN. No data of buyers.")],
    function: Functions = None,
    code: Code = "",
    text: Text = "",
    limit: Limit = 1000,
    yes: Yes = False,
) -> Result:
    """Delete letters that no replay sends, after a question: unreadable messages, and corrections that were refused."""
    if not reason.strip():
        raise UsageProblem("Say why with --reason.")
    request = _request(session, function, "", "", code, None, None, text, DEFAULT_CAP)
    request |= {"discarded_because": reason, "differences": False}
    try:
        planned = _discarded(_found(session, {**request, "preview": True}, limit))
        if not planned["failures"]:
            return Result(planned, ["No rejected message is selected."])
        if not agreed(_view(planned), "Delete these?", yes=yes):
            return Result({"failures": []}, ["Nothing was changed."])
        done = _discarded(_found(session, {**request, "preview": False}, limit))
    except ReplayFailed as problem:
        return Result({"error": str(problem)}, [str(problem)], has_problem=True)
    return Result(done, _view(done))


def _discarded(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found without the failures that are left."""
    return {**found, "failures": [each for each in found["failures"] if each["action"] == "DELETE"]}


def history(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="An Amazon order id, or e.g. transaction#….")],
) -> Result:
    """Show who replayed or closed a source, when, why, and what came of it."""
    asked = {"connection": session.connection, "source": source if "#" in source else f"order#{source}"}
    answer = _called(session, {"history": {**asked, "by": _caller(session)}})
    columns = ("at", "by", "action", "why", "function", "code", "came of it", "at")
    names = ("at", "by", "action", "why", "function", "reason", "outcome", "outcome_at")
    rows = [tuple(each.get(name) for name in names) for each in answer["attempts"]]
    return Result(
        answer, [table(f"Replays of {answer['source']}", columns, rows) if rows else "It was never replayed or closed."]
    )


for _command in (preview, run, close, discard, history):
    add_command(replay, _command)


def _request(
    session: Session,
    function: list[str] | None,
    order: str,
    source: str,
    code: str,
    older_than: float | None,
    newer_than: float | None,
    text: str,
    cap: int,
) -> dict[str, Any]:
    """Return what is selected, as the function takes it: of the named connection, or of all.

    A rejected message belongs to no connection, and is selected where none is named.
    """
    return {
        "by": _caller(session),
        "functions": [name.replace("-", "_") for name in function or ()],
        "connection": session.named_connection,
        "order": order,
        "source": source,
        "reason": code,
        "older_than_minutes": None if older_than is None else int(older_than * _MINUTES_A_DAY),
        "newer_than_minutes": None if newer_than is None else int(newer_than * _MINUTES_A_DAY),
        "text": text,
        "cap": cap,
    }


def _caller(session: Session) -> str:
    return str(session.client("sts").get_caller_identity()["Arn"])


def _called(session: Session, event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return call(session.client("lambda", CALL_CONFIG), session.output("ReplayFunctionName"), event)
    except ReplayRefused as problem:
        raise UsageProblem(str(problem)) from None


def _found(session: Session, request: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """Return the failures of all steps together, at most `limit`, and whether there are more."""
    failures: list[dict[str, Any]] = []
    answer: dict[str, Any] = {}
    client, function = session.client("lambda", CALL_CONFIG), session.output("ReplayFunctionName")
    try:
        for answer in steps(client, function, request, limit, _STEP):
            failures += answer["failures"]
    except ReplayRefused as problem:
        raise UsageProblem(str(problem)) from None
    left = {"without_age": answer["without_age"], "is_complete": answer["is_complete"]}
    return {"failures": failures, "has_more": bool(answer["cursor"]), **left}


# --- what a person reads ----------------------------------------------------------------------------------------------


def _view(found: Mapping[str, Any]) -> list[RenderableType]:
    rows = [
        (
            each["function"],
            each["order"] or each["source"],
            each["reason"],
            each["sent_before"],
            each["action"],
            each["why"],
        )
        for each in found["failures"]
    ]
    return _counted(found, _COLUMNS, rows)


def _closed_view(found: Mapping[str, Any]) -> list[RenderableType]:
    names = ("reason", "source", "order", "action", "why", "remedy")
    return _counted(found, _CLOSED_COLUMNS, [tuple(each[name] for name in names) for each in found["failures"]])


def _counted(found: Mapping[str, Any], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[RenderableType]:
    if not rows:
        return ["Nothing is selected.", *_left_out(found)]
    actions = Counter(each["action"] for each in found["failures"])
    counted = ", ".join(f"{count} {action}" for action, count in sorted(actions.items()))
    return [table(f"{len(rows)} failures: {counted}", columns, rows), *_left_out(found)]


def _left_out(found: Mapping[str, Any]) -> Iterator[str]:
    if found["has_more"]:
        yield "There are more; raise --limit."
    if found["without_age"]:
        yield f"{found['without_age']} failures without a dead letter have no age and were left out."
    if not found["is_complete"]:
        yield "A queue has more letters than one step reads; run it again afterwards."


def _differences(failures: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Yield, for each failure that would be sent, what would be written to Xero."""
    for each in failures:
        shown = each.get("preview")
        if shown is None:
            continue
        outcome = f"{shown['state']} {shown['reason']}".strip() or "not planned"
        yield ""
        yield f"{each['source']}: {outcome}. {shown['remedy']} {shown['note']}".rstrip()
        rows = [
            (document["document"], document["action"], part["field"], part["in_xero"], part["to_write"])
            for document in shown["documents"]
            for part in document["differences"] or [{"field": "", "in_xero": "", "to_write": ""}]
        ]
        if rows:
            yield table("", ("document", "action", "field", "in Xero", "to write"), rows)
