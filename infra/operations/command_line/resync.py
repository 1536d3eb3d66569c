"""`resync ORDER…`: have named orders and their transactions read from Amazon and planned again, failed or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import batched
from pathlib import Path
from typing import Annotated

import typer

from operations.command_line.asking import Yes, agreed
from operations.command_line.order_ids import ORDER_ID, order_ids_in
from operations.command_line.progress import shown
from operations.command_line.result import Result
from operations.command_line.session import Session, UsageProblem
from operations.replay_calls import CALL_CONFIG, ReplayFailed, ReplayRefused, call

_AT_ONCE = 100  # orders in one call of the function
_WAIT_SECONDS = 15  # Amazon answers for the transactions of one order every two seconds
_MOST_WAITS = 480  # two hours without an order that could be sent


def resync(
    session: Session,
    order: Annotated[list[str] | None, typer.Argument(metavar="[ORDER]...", help="Amazon order ids.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A text file that names orders; anything else in it is passed over.")
    ] = None,
    yes: Yes = False,
) -> Result:
    """Have orders and their transactions read and planned again. What Xero holds as requested is not written."""
    order_ids = _order_ids(order or (), file)
    question = f"{len(order_ids)} orders of connection {session.connection} are read from Amazon again."
    if not agreed([question], "Resync them?", yes=yes):
        return Result({"sent": []}, ["Nothing was changed."])
    sent: list[str] = []
    try:
        for each in shown(_sent(session, order_ids), "Orders sent", len(order_ids)):
            sent.append(each)
    except ReplayRefused as problem:
        raise UsageProblem(str(problem)) from None
    except ReplayFailed as problem:
        left = [each for each in order_ids if each not in sent]
        return Result({"error": str(problem), "sent": sent, "left": left}, [str(problem)], has_problem=True)
    return Result({"sent": sent}, [f"{len(sent)} orders were sent. See what came of one: show ORDER."])


def _sent(session: Session, order_ids: Sequence[str]) -> Iterator[str]:
    """Send the orders, and yield each once it is sent. Raises ReplayRefused and ReplayFailed."""
    by = str(session.client("sts").get_caller_identity()["Arn"])
    for chunk in batched(order_ids, _AT_ONCE, strict=False):
        left = list(chunk)
        for _ in range(_MOST_WAITS):
            event = {"resync": {"by": by, "connection": session.connection, "orders": left}}
            answer = call(session.client("lambda", CALL_CONFIG), session.output("ReplayFunctionName"), event)
            yield from answer["sent"]
            left = [each for each in left if each not in answer["sent"]]
            if not left:
                break
            session.clock.sleep(_WAIT_SECONDS)
        if left:
            raise ReplayFailed("Amazon has not answered for the orders that wait; run the command again later.")


def _order_ids(named: Sequence[str], file: Path | None) -> list[str]:
    """Return the ids, each once. Raises UsageProblem for one that is none, and where there is none at all."""
    if wrong := [each for each in named if not ORDER_ID.fullmatch(each)]:
        raise UsageProblem(f"{wrong[0]} is no Amazon order id, such as 204-0000100-0000100.")
    found = list(dict.fromkeys([*named, *order_ids_in(file)]))
    if not found:
        raise UsageProblem("Name orders, or a --file that has their ids.")
    return found
