"""The handlers of the functions, made from the registry: message → capability → worker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.runtime.capabilities import Capability
from amazon_to_xero.runtime.composition import Application, application
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.notice_batch import record_batch
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, logger, metrics
from amazon_to_xero.runtime.status_metrics import record_status
from amazon_to_xero.runtime.turns import failure_of, take_turns
from amazon_to_xero.services.connection_status import ConnectionStatus, StatusReader, needs_check

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
        until = deadline_of(context, app.clock)
        connections = app.connections()
        if "sweep" in event:

            def sweep(each: Connection, deadline: datetime) -> object:
                if capability.posts:
                    return each.worker.sweep(name, owner, deadline)
                return each.alert_workers[name].sweep(owner, deadline)

            _raise_any(take_turns(connections.values(), owner, until, app.clock, sweep))
            return {}
        batch = record_batch(SQSEvent(event).records, app, connections, PowertoolsDecisionLog(""), capability)
        named = {connection: due for connection, due in batch.due.items() if due}

        def run(each: Connection, deadline: datetime) -> object:
            if not capability.posts:
                return each.alert_workers[name].run(owner, deadline, named.get(each.name, ()))
            return each.worker.run(
                owner,
                deadline,
                named.get(each.name, ()),
                capabilities=[name],
                wait_for_lease=capability.waits_for_lease,
            )

        take_turns([connections[connection] for connection in named], owner, until, app.clock, run)
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
        until = deadline_of(context, app.clock)
        connections = app.connections().values()
        metrics.add_metric("Connections", MetricUnit.Count, len(connections))

        def turns(of: Collection[Connection], work: Callable[[Connection, datetime], object]) -> list[str]:
            return take_turns(of, owner, until, app.clock, work)

        statuses: dict[str, ConnectionStatus] = {}
        failures = _each(app.statuses(), lambda each: statuses.update({each.name: _recorded(app, each)}))
        failures += turns(connections, lambda each, _: each.tokens.finish_renewal())
        to_check = [each for each in connections if each.name in statuses and needs_check(statuses[each.name])]
        failures += turns(to_check, lambda each, _: each.xero_check.call())
        failures += turns(connections, lambda each, deadline: _send_alerts(each, owner, deadline))
        failures += turns(connections, lambda each, deadline: each.worker.run(owner, deadline))
        failures += turns(connections, lambda each, deadline: each.worker.run(owner, deadline, wait_for_lease=True))
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


def _send_alerts(connection: Connection, owner: str, deadline: datetime) -> None:
    for worker in connection.alert_workers.values():
        worker.run(owner, deadline)


def _each(readers: Iterable[StatusReader], work: Callable[[StatusReader], object]) -> list[str]:
    """Work for the status of each connection; one that fails does not stop the others. Return what failed."""
    return [failed for reader in readers if (failed := failure_of(reader.name, partial(work, reader)))]


def _raise_any(failures: list[str]) -> None:
    if failures:
        raise WorkFailed("; ".join(failures))


def deadline_of(context: LambdaContext, clock: Clock) -> datetime:
    """Return the time after which no new call is begun."""
    return clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _RESERVE
