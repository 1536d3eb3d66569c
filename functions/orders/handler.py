"""Orders: ORDER_CHANGE notifications from SQS, and the scheduled sweep, become recorded orders and drafts in Xero."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.runtime.composition import application
from amazon_to_xero.runtime.invocation import LambdaContext, WorkFailed, begin, deadline, each
from amazon_to_xero.runtime.notice_batch import take
from amazon_to_xero.runtime.observability import LogJournal, metrics


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS event (answers its partial failures) or `{"sweep": "orders"}` from the Scheduler."""
    begin(context)
    app = application()
    until = deadline(context, app.clock)
    connections = app.connections()
    if "sweep" in event:
        failures = each(connections.values(), lambda one: one.reconciliation.sweep(context.aws_request_id, until))
        if failures:
            raise WorkFailed("; ".join(failures))
        return {}
    taken = take(event["Records"], app, LogJournal(""), Work.ORDERS)
    # The hints are in the table: what fails from here on is in the log, and the resume function goes on with it. The
    # messages themselves are done with; bringing them again would only burn their receives.
    each(
        [connections[name] for name, orders in taken.due.items() if orders],
        lambda one: one.reconciliation.run(context.aws_request_id, until, taken.due[one.name], work={Work.ORDERS}),
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in taken.failed]}
