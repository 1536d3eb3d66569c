"""Logs and metrics through Powertools: one JSON line and one count per decision."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from amazon_to_xero.domain.failures import FailureCode, WaitReason

logger = Logger(utc=True, use_rfc3339=True, log_uncaught_exceptions=False)
metrics = Metrics()

#: Decisions that are logged as warnings: work waits, or a person should look although nothing is held back.
WARNINGS = frozenset(
    {
        *("DEFERRED", "UNKNOWN", "WAITING", "PAUSED", "AMAZON_THROTTLED"),
        *("WORK_STOPPED", "SWEEP_RESTARTED", "READ_ENDED", "PREFLIGHT_FINDING", "REMINDER", "REMINDER_NOT_SENT"),
        *(WaitReason.AMAZON_UNAVAILABLE, WaitReason.EVENTS_NOT_PUBLISHED, WaitReason.DEAD_LETTER_NOT_SENT),
        *(FailureCode.TAX_VARIANCE, FailureCode.VERSION_WENT_BACK),
        *(FailureCode.CONTACT_MERGED, FailureCode.CONTACT_REPLACED),
        FailureCode.CHANGED_IN_XERO,
        *(FailureCode.STOCK_MALFORMED, FailureCode.STOCK_SWEEP_INCOMPLETE, FailureCode.STOCK_NOT_STATED),
        *(FailureCode.STOCK_POOL_PROPOSED, FailureCode.STOCK_POOL_DOUBTED),
        *(FailureCode.RECONCILIATION_INCOMPLETE, FailureCode.MOVEMENTS_NOT_COUNTED, WaitReason.ALERTS_NOT_SENT),
        *("LETTER_NOT_REPLAYED", "CHANGE_IN_XERO_NOT_READ"),
        WaitReason.SETTINGS_UNAVAILABLE,
    }
)
#: Decisions that are logged as errors: a person has to act.
ERRORS = frozenset(
    {
        *("FAILED", "MESSAGE_REJECTED", "XERO_GRANT_REFUSED", "REPLAY_STOPPED"),
        *(FailureCode.SETTINGS_UNUSABLE, FailureCode.XERO_TOKENS_UNREADABLE),
        FailureCode.ORDER_TRANSACTIONS_REFUSED,
        FailureCode.CHARGE_TYPE_SUSPENDED,
    }
)


class SystemClock:
    """ports.Clock: the real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class PowertoolsDecisionLog:
    """ports.DecisionLog for one connection: the line goes to CloudWatch Logs, the count to CloudWatch Metrics."""

    def __init__(self, connection: str) -> None:
        self._connection = connection

    def record(
        self,
        decision: str,
        *,
        order_id: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        remedy: str | None = None,
        **numbers: object,
    ) -> None:
        fields: dict[str, object] = {
            "order_id": order_id,
            "document": document,
            "reason": reason,
            "remedy": remedy,
            **numbers,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        log = logger.error if decision in ERRORS else logger.warning if decision in WARNINGS else logger.info
        # The line names the place of the decision, not this method.
        log(str(decision), extra={"connection": self._connection, **given}, stacklevel=3)
        metrics.add_metric(name=str(decision), unit=MetricUnit.Count, value=1)
