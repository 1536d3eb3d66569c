"""The status of each connection as CloudWatch metrics, in the embedded metric format: one line a minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.services.connection_status import OPERATIONS, XERO, ConnectionStatus
from amazon_to_xero.services.intake.amazon_faults import AMAZON

CONNECTION, STACK = "connection", "stack"


@dataclass(frozen=True)
class StatusMetric:
    """A metric of a connection's status; `of` returns None where the fact is not known."""

    unit: MetricUnit
    of: Callable[[ConnectionStatus], float | None]


STATUS_METRICS: Mapping[str, StatusMetric] = {
    "OldestDueSeconds": StatusMetric(MetricUnit.Seconds, lambda status: status.oldest_due_seconds),
    "Paused": StatusMetric(MetricUnit.Count, lambda status: bool(status.pauses)),
    "XeroPaused": StatusMetric(MetricUnit.Count, lambda status: XERO in status.pauses),
    "AmazonPaused": StatusMetric(MetricUnit.Count, lambda status: AMAZON in status.pauses),
    "AmazonOperationPaused": StatusMetric(
        MetricUnit.Count, lambda status: any(operation in status.pauses for operation in OPERATIONS)
    ),
    "ConnectionRefused": StatusMetric(MetricUnit.Count, lambda status: bool(status.refusals)),
    "UnknownOutcomes": StatusMetric(MetricUnit.Count, lambda status: sum(status.unknown_documents.values())),
    "FailedSources": StatusMetric(MetricUnit.Count, lambda status: sum(status.failed_sources.values())),
    "ChargesMissing": StatusMetric(
        MetricUnit.Count, lambda status: status.failed_sources.get(FailureCode.CHARGE_MISSING, 0)
    ),
    "ChargesDiffering": StatusMetric(
        MetricUnit.Count, lambda status: status.failed_sources.get(FailureCode.CHARGE_DIFFERS, 0)
    ),
    "FailedDocuments": StatusMetric(MetricUnit.Count, lambda status: sum(status.failed_documents.values())),
    "ChangedInXero": StatusMetric(MetricUnit.Count, lambda status: sum(status.changed_in_xero.values())),
    "XeroDayCallsLeft": StatusMetric(MetricUnit.Count, lambda status: status.xero_day_calls_left),
    "MinutesSinceAmazonAnswered": StatusMetric(MetricUnit.NoUnit, lambda status: _minutes(status.seconds_since_amazon)),
    "MinutesSinceTransactions": StatusMetric(
        MetricUnit.NoUnit, lambda status: _minutes(status.seconds_since_transactions)
    ),
    "MinutesSinceXeroAnswered": StatusMetric(MetricUnit.NoUnit, lambda status: _minutes(status.seconds_since_xero)),
}


def record_status(stack: str, connection: str, status: ConnectionStatus) -> None:
    """Print the metrics of a connection, each for the connection and for its stack.

    An alarm cannot name connections that do not exist yet when the stack is deployed, so it watches the stack's metric:
    its maximum (of some its minimum) is that of the worst connection. The line names the connection, and why it is
    paused or refused. It is printed at once, so that a run that is cut off has stated it.
    """
    metrics = EphemeralMetrics(service="")  # no dimension of its own: an alarm would have to name the function
    metrics.add_dimension(STACK, stack)
    metrics.add_dimension(CONNECTION, connection)
    metrics.add_dimensions(**{STACK: stack})
    for name, metric in STATUS_METRICS.items():
        value = metric.of(status)
        if value is not None:
            metrics.add_metric(name, metric.unit, float(value))
    for field, reasons in (("paused", status.pauses), ("refused", status.refusals)):
        if reasons:
            metrics.add_metadata(field, dict(reasons))
    metrics.flush_metrics()


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else seconds // 60
