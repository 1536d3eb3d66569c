"""What a fault of Amazon means for the reading of a connection: wait, pause, or empty the quota."""

from __future__ import annotations

from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonNotAuthorised, AmazonThrottled
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.services.intake.quota import GET_ORDER, SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.pauses import UNAUTHORISED_PAUSE, Pauses
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.work_report import StepReport


class AmazonFaults:
    """Handles the errors of reads from Amazon, for one connection."""

    def __init__(
        self,
        pauses: Pauses,
        quota: AmazonQuota,
        organisation: OrganisationCache,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        self._pauses = pauses
        self._quota = quota
        self._organisation = organisation
        self._clock = clock
        self._decisions = decisions

    def unavailable_reason(self) -> str:
        """Return why nothing should be read at the moment; empty when it should.

        What cannot be planned is not read either: buyers' details, which are only kept in memory, would be lost.
        """
        if self._pauses.until("amazon"):
            return WaitReason.AMAZON_PAUSED
        return self._organisation.unavailable_reason()

    def report(self, problem: AmazonError, order_id: str | None = None) -> StepReport:
        """Log the fault, pause what it concerns, and return why reading stops."""
        if isinstance(problem, AmazonThrottled):
            self._quota.exhaust(SEARCH_ORDERS if problem.operation == SEARCH_ORDERS.operation else GET_ORDER)
            self._decisions.record("AMAZON_THROTTLED", reason=WaitReason.AMAZON_QUOTA, operation=problem.operation)
            return StepReport(stopped=WaitReason.AMAZON_QUOTA)
        if isinstance(problem, AmazonNotAuthorised):
            code = FailureCode.AMAZON_NOT_AUTHORISED
            until = self._clock.now() + UNAUTHORISED_PAUSE
            self._pauses.pause("amazon", until, code, FAILURES[code].remedy)
            return StepReport(stopped=code)
        self._decisions.record(
            WaitReason.AMAZON_UNAVAILABLE,
            order_id=order_id,
            reason=WaitReason.AMAZON_UNAVAILABLE,
            remedy="The read is repeated automatically. No action is needed unless it lasts for hours.",
            operation=problem.operation,
            status=problem.status,
            code=problem.code,
        )
        return StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE)
