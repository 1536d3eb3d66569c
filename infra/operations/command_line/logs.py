"""`logs [ORDER]`: what the functions logged, a decision per line."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from operations.command_line.result import Result
from operations.command_line.session import Session
from operations.log_format import decision_line, json_object
from operations.logs import functions_of, log_events, selected

_OF_ALL, _OF_ORDER = 60, 14 * 24 * 60  # minutes


def logs(
    session: Session,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Only what names this Amazon order.")] = "",
    function: Annotated[str, typer.Option("--function", help="Only this function, e.g. orders.")] = "",
    minutes: Annotated[
        int, typer.Option("--minutes", help="How far back. By default an hour; 14 days of one order.", min=0)
    ] = 0,
) -> Result:
    """Print the functions' log, oldest first: of one order, or of the last hour."""
    since = session.clock.now() - timedelta(minutes=minutes or (_OF_ORDER if order else _OF_ALL))
    functions = selected(functions_of(session.outputs), function)
    events = log_events(session.client("logs"), functions, since, order)
    printed = [(at, line, text) for at, text in events if (line := decision_line(at, text))]
    lines: list[dict[str, Any]] = [(json_object(text) or {"message": text}) | {"at": at} for at, _, text in printed]
    about = f" that names {order}" if order else ""
    nothing = f"No line{about} since {since:%Y-%m-%d %H:%M} UTC. Add --minutes for a longer time."
    return Result({"lines": lines}, [line for _, line, _ in printed] or [nothing])
