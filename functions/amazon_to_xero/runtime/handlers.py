"""The handlers of the functions, made from the registry: message → capability → worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.runtime.capabilities import Capability
from amazon_to_xero.runtime.composition import Application, application
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.notice_batch import record_batch
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, logger, metrics
from amazon_to_xero.runtime.status_metrics import record_status
from amazon_to_xero.services.connection_status import ConnectionStatus, StatusReader, is_to_check
from amazon_to_xero.services.unforeseen import place_of

# Two calls of Xero with the same key, each given up after 23 s, and the rows after them, still fit after the deadline.
_RESERVE = timedelta(seconds=60)

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class WorkFailed(Exception):
    """Work of at least one connection ended with an unforeseen exception. Names types and places, never values."""


def queue_handler(capability: Capability) -> Handler:
    """Return the handler of a capability's function.

    It takes an SQS event, which it answers with its partial failures, or `{"sweep": <name>}` from the Scheduler. Once
    the notices are recorded the messages are done: what fails from then on is in the log, and the resume function
    continues it. Delivering the messages again would only use up their receives.
    """
    name = capability.name

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        app, owner = application(), context.aws_request_id
        logger.set_correlation_id(owner)
        until = _deadline(context, app.clock)
        connections = app.connections()
        if "sweep" in event:
            _raise_any(_each(connections.values(), lambda each: each.worker.sweep(name, owner, until)))
            return {}
        batch = record_batch(SQSEvent(event).records, app, connections, PowertoolsDecisionLog(""), capability)
        _each(
            [connections[connection] for connection, due in batch.due.items() if due],
            lambda each: each.worker.run(
                owner, until, batch.due[each.name], capabilities=[name], wait_for_lease=capability.waits_for_lease
            ),
        )
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch.failed]}

    return handler


def resume_handler() -> Handler:
    """Return the handler that continues every minute what had to wait, for all capabilities.

    It takes any event; the due rows say what there is to do. No connection waits before each had its turn. First it
    records the status of every connection, whether it works or not.
    """

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # Lambda's signature
        app, owner = application(), context.aws_request_id
        logger.set_correlation_id(owner)
        until = _deadline(context, app.clock)
        connections = app.connections()
        metrics.add_metric("Connections", MetricUnit.Count, len(connections))
        statuses: dict[str, ConnectionStatus] = {}
        failures = _each(app.statuses(), lambda each: statuses.update({each.name: _recorded(app, each)}))
        failures += _each(connections.values(), lambda each: each.tokens.finish_renewal())
        failures += _each(connections.values(), lambda each: each.worker.run(owner, until))
        failures += _each(connections.values(), lambda each: each.worker.run(owner, until, wait_for_lease=True))
        to_check = [each for each in connections.values() if each.name in statuses and is_to_check(statuses[each.name])]
        failures += _each(to_check, lambda each: each.xero_check.call())
        known = [each for each in app.statuses() if each.name in statuses]
        failures += _each(known, lambda each: _remind(app, each, statuses[each.name]))
        _raise_any(failures)
        return {}

    return handler


def _recorded(app: Application, reader: StatusReader) -> ConnectionStatus:
    """Record the status of a connection as metrics; return it."""
    status = reader.read()
    record_status(app.stack_name, reader.name, status)
    return status


def _remind(app: Application, reader: StatusReader, status: ConnectionStatus) -> None:
    app.reminder.send_if_due(reader.name, reader.store, PowertoolsDecisionLog(reader.name), status)


def _each[Of: Connection | StatusReader](connections: Iterable[Of], work: Callable[[Of], object]) -> list[str]:
    """Work for each connection; one that fails does not stop the others. Return what failed."""
    failures = []
    for connection in connections:
        try:
            work(connection)
        except Exception as problem:
            place = place_of(problem)
            PowertoolsDecisionLog(connection.name).record("FAILED", reason=FailureCode.UNFORESEEN, remedy=place)
            failures.append(f"{connection.name}: {place}")
    return failures


def _raise_any(failures: list[str]) -> None:
    if failures:
        raise WorkFailed("; ".join(failures))


def _deadline(context: LambdaContext, clock: Clock) -> datetime:
    """Return the time after which no new call is begun."""
    return clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _RESERVE
