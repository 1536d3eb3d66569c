"""Orders: ORDER_CHANGE notifications from SQS, and the scheduled sweep, become invoices in Xero."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.runtime.composition import application
from amazon_to_xero.runtime.invocation import LambdaContext, begin, deadline
from amazon_to_xero.runtime.observability import LogJournal, metrics
from amazon_to_xero.runtime.order_batch import take


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS event (answers its partial failures) or `{"sweep": "orders"}` from the Scheduler."""
    begin(context)
    app = application()
    until = deadline(context, app.clock)
    if "sweep" in event:
        for connection in app.connections().values():
            connection.reconciliation.run(context.aws_request_id, until, sweep=True)
        return {}
    taken = take(event["Records"], app, LogJournal(""))
    for name, orders in taken.due.items():
        if orders:
            app.connections()[name].reconciliation.run(context.aws_request_id, until, orders)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in taken.failed]}
