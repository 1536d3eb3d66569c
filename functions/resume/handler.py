"""Resume, every minute: work that had to wait, or whose worker died, goes on."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.runtime.composition import application
from amazon_to_xero.runtime.invocation import LambdaContext, WorkFailed, begin, deadline, each
from amazon_to_xero.runtime.observability import metrics


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Any event; the due rows say what there is to do. Nobody waits before every connection had its turn."""
    begin(context)
    app = application()
    until = deadline(context, app.clock)
    connections = app.connections()
    failures = each(connections.values(), lambda one: one.tokens.finish_renewal())
    failures += each(connections.values(), lambda one: one.reconciliation.run(context.aws_request_id, until))
    failures += each(
        connections.values(), lambda one: one.reconciliation.run(context.aws_request_id, until, patient=True)
    )
    if failures:
        raise WorkFailed("; ".join(failures))
    return {}
