"""Sources that fail: the dead letter, the failed row, and the log line of any row's decision."""

from __future__ import annotations

from collections.abc import Iterable

from amazon_to_xero.domain.failures import FailureCode, Finding
from amazon_to_xero.domain.source import SourceKind, SourceRecord, identity_of
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.unforeseen import place_of


class FailedSources:
    """Fails source records of one connection."""

    def __init__(self, dead_letters: DeadLetters, decisions: DecisionLog) -> None:
        self._dead_letters = dead_letters
        self._decisions = decisions

    def fail[R: SourceRecord](self, record: R, code: FailureCode, remedy: str, capability: str) -> R | None:
        """Return the failed row; the dead letter is sent first, so that a crash in between never loses it.

        Return None if the dead letter could not be sent: then the record is not failed but read or planned again.
        """
        order_id = record.log_fields().get("order_id")
        is_sent = self._dead_letters.send(capability, record.source, code, remedy, order_id)
        return record.failed(code, remedy) if is_sent else None

    def unreadable[R: SourceRecord](self, record: R, problem: Exception, capability: str) -> R | None:
        """Return the row of a source that the code could not process; None as `fail` does."""
        remedy = (
            f"{record.source} could not be processed ({place_of(problem)}). Check it in Seller Central "
            "and report this as a defect."
        )
        is_transaction = identity_of(record.source, SourceKind.TRANSACTION) is not None
        code = FailureCode.TRANSACTION_UNREADABLE if is_transaction else FailureCode.ORDER_UNREADABLE
        return self.fail(record.unreadable(), code, remedy, capability)

    def log(self, record: SourceRecord) -> None:
        """Log the decision that a stored row holds."""
        fields = record.log_fields()
        self._decisions.record(
            record.state,
            order_id=fields.pop("order_id", None),
            reason=record.reason or None,
            remedy=record.remedy or None,
            **fields,
        )

    def log_findings(self, record: SourceRecord, findings: Iterable[Finding]) -> None:
        """Log what a person should know of a source although nothing of it is held back."""
        for finding in findings:
            order_id = record.log_fields().get("order_id")
            self._decisions.record(finding.code, order_id=order_id, reason=finding.code, remedy=finding.remedy)
