"""What the functions have stored of their own work: what is refused, late, failed or of unknown outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from amazon_to_xero.domain.failures import FailureCode, remedy_of
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.reminder import LATE
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.finding import DoctorFinding, Severity, Side

_SWEPT_WITHIN = timedelta(hours=1)  # sweeps of orders run every 15 minutes
_TRANSACTIONS_SWEPT_WITHIN = timedelta(hours=4)  # those of transactions every hour


def check_status(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find what the connection's own rows say needs a person."""
    session = checked.session
    status = StatusReader(checked.name, session.store(checked.name), session.clock, CAPABILITIES, None).read()
    for service, code in sorted(status.refusals.items()):
        yield _finding(Severity.BROKEN, f"{service} is refused: {code}", remedy_of(code))
    failed = {
        code: status.failed_sources.get(code, 0) + status.failed_documents.get(code, 0)
        for code in sorted({*status.failed_sources, *status.failed_documents})
    }
    for code, count in failed.items():
        yield _finding(Severity.AT_RISK, f"{count} failed with {code}", remedy_of(code))
    if status.changed_in_xero:
        count = sum(status.changed_in_xero.values())
        code = FailureCode.CHANGED_IN_XERO
        yield _finding(Severity.AT_RISK, f"{count} documents were changed in Xero", remedy_of(code))
    if status.oldest_due_seconds > LATE.total_seconds():
        hours = status.oldest_due_seconds // 3600
        paused = ", ".join(f"{service}: {reason}" for service, reason in status.pauses.items()) or "nothing is paused"
        yield _finding(
            Severity.AT_RISK,
            f"work has been due for {hours} hours ({paused})",
            "Run the saved query Waits for the reasons.",
        )
    for what, seconds, within in (
        ("orders", status.seconds_since_amazon, _SWEPT_WITHIN),
        ("transactions", status.seconds_since_transactions, _TRANSACTIONS_SWEPT_WITHIN),
    ):
        if seconds is None or seconds > within.total_seconds():
            since = "never" if seconds is None else f"last {seconds // 3600} hours ago"
            yield _finding(
                Severity.AT_RISK,
                f"Amazon answered a sweep of {what} {since}",
                "Check that the schedules of the stack are enabled in EventBridge Scheduler, and the functions' log.",
            )


def _finding(severity: Severity, what: str, remedy: str) -> DoctorFinding:
    return DoctorFinding(severity, Side.CONNECTION, what, remedy)
