"""Shipments: what has left is approved and paid from clearing in Xero, what was cancelled is taken back."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.runtime.composition import application
from amazon_to_xero.runtime.invocation import LambdaContext, begin, deadline, each
from amazon_to_xero.runtime.notice_batch import take
from amazon_to_xero.runtime.observability import LogJournal, metrics


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS event with the bus's events; answers its partial failures.

    It waits for the worker before it: the orders function may still be recording the rest of a burst, and full batches
    cost least.
    """
    begin(context)
    app = application()
    until = deadline(context, app.clock)
    connections = app.connections()
    taken = take(event["Records"], app, LogJournal(""), Work.SHIPMENTS)
    # As in the orders function: the rows say what there is to do, the messages are done with.
    each(
        [connections[name] for name, orders in taken.due.items() if orders],
        lambda one: one.reconciliation.run(
            context.aws_request_id, until, taken.due[one.name], work={Work.SHIPMENTS}, patient=True
        ),
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in taken.failed]}
