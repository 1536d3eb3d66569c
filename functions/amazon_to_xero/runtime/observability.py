"""Logs and metrics, through Powertools: one JSON line and one count per decision."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(utc=True, use_rfc3339=True, log_uncaught_exceptions=False)
metrics = Metrics()

_WAITING = frozenset(
    {
        *("DEFERRED", "UNKNOWN", "WAITING", "PAUSED", "AMAZON_THROTTLED", "AMAZON_UNAVAILABLE"),
        *("EVENTS_NOT_PUBLISHED", "PREFLIGHT", "TAX_DRIFT"),
    }
)
_BAD = frozenset({"FAILED", "XERO_GRANT_REFUSED", "SETTINGS_UNUSABLE", "MESSAGE_REFUSED"})


class SystemClock:
    """ports.Clock: the real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class LogJournal:
    """ports.Journal for one connection: the line goes to CloudWatch Logs, the count to CloudWatch Metrics."""

    def __init__(self, connection: str) -> None:
        self._connection = connection

    def note(
        self,
        decision: str,
        *,
        order_id: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        hint: str | None = None,
        **numbers: object,
    ) -> None:
        fields: dict[str, object] = {
            "order_id": order_id,
            "document": document,
            "reason": reason,
            "hint": hint,
            **numbers,
        }
        said = {name: value for name, value in fields.items() if value is not None}
        line = logger.error if decision in _BAD else logger.warning if decision in _WAITING else logger.info
        line(str(decision), extra={"connection": self._connection, **said})
        metrics.add_metric(name=str(decision), unit=MetricUnit.Count, value=1)
