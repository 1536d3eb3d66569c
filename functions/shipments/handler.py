"""Shipments: what shipped and cancelled orders want booked in Xero."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.runtime.invocation import LambdaContext, begin
from amazon_to_xero.runtime.observability import logger, metrics


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS event: events of the own bus, or pointers from the dead-letter queue."""
    begin(context)
    logger.info("SHIPMENTS_RECEIVED", messages=len(event["Records"]))
    return {"batchItemFailures": []}
