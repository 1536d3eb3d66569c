"""The handler of the function that reconciles stock, and that closes entries of the worklist for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.runtime.composition import application
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.handlers import Handler, WorkFailed, deadline_of
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, logger, metrics
from amazon_to_xero.runtime.turns import take_turns

REQUESTED = "Inventory Reconciliation Requested"  # detail-type of an event on the stack's bus; detail: connection
_TAKES = (
    'This function takes {"reconcile": "due"}, {"reconcile": "now", "connection": <name>}, '
    f'{{"close": {{"connection": <name>, "item": <code>, "word": <text>}}}}, and the event {REQUESTED}.'
)


def reconciliation_handler() -> Handler:
    """Return the handler. It answers a request with what became of it, or with `problem`: what to correct.

    `{"reconcile": "due"}` comes from the Scheduler every hour: a reconciliation that was due and could not be done is
    tried again. Without a name, a request is for every connection.
    """

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        app, owner = application(), context.aws_request_id
        logger.set_correlation_id(owner)
        connections = app.connections()
        try:
            if "close" in event:
                return _close(event["close"], connections)
            is_asked, named = _request(event, connections)
        except Failure as failure:
            PowertoolsDecisionLog("").record("MESSAGE_REJECTED", reason=failure.code, remedy=failure.remedy)
            return {"problem": failure.remedy}
        stopped: dict[str, str] = {}

        def reconcile(each: Connection, deadline: datetime) -> None:
            report = each.reconciliation.reconciler.reconcile(owner, deadline, is_asked=is_asked)
            if report.stopped:
                stopped[each.name] = report.stopped

        if failed := take_turns(list(named.values()), owner, deadline_of(context, app.clock), app.clock, reconcile):
            raise WorkFailed("; ".join(failed))
        return {"stopped": stopped} if stopped else {}

    return handler


def _request(event: Mapping[str, Any], connections: Mapping[str, Connection]) -> tuple[bool, Mapping[str, Connection]]:
    """Return whether a person or a system asks for it, and for which connections. Raises Failure."""
    asked = event.get("detail") if event.get("detail-type") == REQUESTED else event
    is_asked = asked is not event or event.get("reconcile") == "now"
    if not isinstance(asked, Mapping) or not (is_asked or event.get("reconcile") == "due"):
        raise Failure(FailureCode.MALFORMED_MESSAGE, _TAKES)
    if asked.get("connection") is None:
        return is_asked, connections
    name = _text(asked, "connection")
    return is_asked, {name: _connection(name, connections)}


def _close(asked: Any, connections: Mapping[str, Connection]) -> dict[str, Any]:
    """Close an entry of the worklist; return the entry as it is now. Raises Failure."""
    if not isinstance(asked, Mapping):
        raise Failure(FailureCode.MALFORMED_MESSAGE, _TAKES)
    connection = _connection(_text(asked, "connection"), connections)
    entry = connection.reconciliation.worklist.close(_text(asked, "item"), _text(asked, "word"))
    return {"item": entry.code, "state": entry.state, "reason": entry.finding, "word": entry.word}


def _connection(name: str, connections: Mapping[str, Connection]) -> Connection:
    if name not in connections:
        known = ", ".join(sorted(connections)) or "none"
        remedy = f"There is no connection {name[:40]!r} that works. The connections are: {known}."
        raise Failure(FailureCode.MALFORMED_MESSAGE, remedy)
    return connections[name]


def _text(asked: Mapping[str, Any], field: str) -> str:
    value = asked.get(field)
    if not isinstance(value, str):
        raise Failure(FailureCode.MALFORMED_MESSAGE, f"{field} should be a text. {_TAKES}")
    return value
