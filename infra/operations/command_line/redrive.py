"""`redrive QUEUE`: move all dead letters of a queue back to it, or to another queue, by SQS's message-move task."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from amazon_to_xero.runtime.capabilities import CAPABILITIES
from deployable.names import logical_name
from operations.command_line.asking import Yes, agreed
from operations.command_line.result import Result
from operations.command_line.session import Session, UsageProblem
from operations.message_move import FAILED, FASTEST, MessageMove, latest_move, start_move

_POLL_SECONDS = 2
_UNKNOWN_ACTION = "InvalidAction"  # what the local cloud answers


def redrive(
    session: Session,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="Whose dead letters: orders, shipments, refunds, ...")],
    to: Annotated[str, typer.Option("--to", help="The queue they go to; by default the same QUEUE.")] = "",
    rate: Annotated[int, typer.Option("--rate", help="Messages a second.", min=1, max=FASTEST)] = 5,
    yes: Yes = False,
) -> Result:
    """Move all dead letters of a queue to be processed again, without a selection. `replay run` selects and stops."""
    source, destination = _named(queue), _named(to or queue)
    sqs, source_arn = session.client("sqs"), session.output(f"{source}DlqArn")
    waiting = _waiting(sqs, session.output(f"{source}DlqUrl"))
    if not waiting:
        return Result({"moved": 0, "to_move": 0, "state": "EMPTY"}, [f"The queue has no dead letter: {queue}."])
    what = f"{waiting} dead letters of {queue} go to the queue {to or queue}, {rate} a second."
    if not agreed([what], "Move them?", yes=yes):
        return Result({"moved": 0, "to_move": waiting, "state": "NOT_STARTED"}, ["Nothing was changed."])
    try:
        start_move(sqs, source_arn, session.output(f"{destination}QueueArn"), rate)
    except ClientError as problem:
        if problem.response["Error"]["Code"] == _UNKNOWN_ACTION:
            raise UsageProblem("The local cloud has no message-move task. Run replay run instead.") from None
        raise
    move = _wait(session, source_arn)
    data = {"moved": move.moved, "to_move": move.to_move, "state": move.state, "problem": move.problem}
    ended = f"{move.state.lower()}: {move.moved} of {move.to_move} moved. {move.problem}".rstrip()
    return Result(data, [ended], has_problem=move.state == FAILED)


def _wait(session: Session, source_arn: str) -> MessageMove:
    """Wait until the task is over; Ctrl-C leaves it running."""
    sqs = session.client("sqs")
    while not (move := latest_move(sqs, source_arn)).is_over:
        session.clock.sleep(_POLL_SECONDS)
    return move


def _waiting(sqs: Any, url: str) -> int:
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(counts["ApproximateNumberOfMessages"])


def _named(queue: str) -> str:
    """Return the first part of a queue's outputs. Raises UsageProblem."""
    name = queue.replace("-", "_")
    if name not in CAPABILITIES:
        raise UsageProblem(f"There is no queue {queue}. It should be one of {', '.join(CAPABILITIES)}.")
    return logical_name(name)
