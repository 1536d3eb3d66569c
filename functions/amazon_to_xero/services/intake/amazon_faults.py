"""What a fault of Amazon means for the reading of a connection: wait, pause, or empty the quota."""

from __future__ import annotations

from datetime import timedelta

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, AmazonNotAuthorised, AmazonThrottled
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.services.intake.quota import (
    GET_INVENTORY_SUMMARIES,
    GET_ORDER,
    LIST_TRANSACTIONS,
    SEARCH_ORDERS,
    USAGE_PLANS,
    AmazonQuota,
    UsagePlan,
)
from amazon_to_xero.services.pauses import UNAUTHORISED_PAUSE, Pauses
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.work_report import StepReport

AMAZON = "amazon"
MARKETPLACE_PAUSE = timedelta(hours=1)  # each test of a refused marketplace costs one of 20 searches an hour
# Until shortly before the next sweep: the refusal shows in the status for as long as nothing has succeeded.
_OPERATION_PAUSES = {
    LIST_TRANSACTIONS.operation: timedelta(minutes=50),
    GET_INVENTORY_SUMMARIES.operation: timedelta(minutes=50),
}
_RECENTLY = timedelta(hours=1)  # longer than two sweeps are apart, each of which finds a refused connection


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
        if self._pauses.until(AMAZON):
            return WaitReason.AMAZON_PAUSED
        return self._organisation.unavailable_reason()

    def stop_reason(self, operation: UsagePlan) -> str:
        """Return why that operation should not be called at the moment; empty when it should."""
        return self.unavailable_reason() or self.amazon_stop_reason(operation)

    def amazon_stop_reason(self, operation: UsagePlan) -> str:
        """Return the same of an operation whose answers no plan needs: Xero may be down."""
        is_paused = self._pauses.until(AMAZON) is not None or self.is_refused(operation)
        return WaitReason.AMAZON_PAUSED if is_paused else ""

    def is_refused(self, operation: UsagePlan) -> bool:
        """Whether that operation alone is paused, because Amazon refuses it."""
        return self._pauses.until(paused_operation(operation.operation)) is not None

    def is_connection_suspect(self) -> bool:
        """Whether Amazon has refused the whole connection in the last hour, so that no single order is to blame."""
        return self._pauses.was_paused(AMAZON, _RECENTLY)

    def report(self, problem: AmazonError, order_id: str | None = None) -> StepReport:
        """Log the fault, pause what it concerns, and return why reading stops."""
        if isinstance(problem, AmazonThrottled):
            self._quota.exhaust(USAGE_PLANS.get(problem.operation, GET_ORDER))
            self._decisions.record("AMAZON_THROTTLED", reason=WaitReason.AMAZON_QUOTA, operation=problem.operation)
            return StepReport(stopped=WaitReason.AMAZON_QUOTA)
        if isinstance(problem, AmazonForbidden):
            return self.pause_refused(problem)
        if isinstance(problem, AmazonNotAuthorised):
            return self._pause_connection()
        self.log(problem, order_id)
        return StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE)

    def pause_refused(self, problem: AmazonError) -> StepReport:
        """Pause an operation that Amazon refuses; the connection where it refuses both operations of orders."""
        if isinstance(problem, AmazonForbidden) and self._is_other_refused(problem.operation):
            return self._pause_connection()
        code = FailureCode.AMAZON_OPERATION_REFUSED
        remedy = f"Amazon refuses {problem.operation} ({problem.code}). {FAILURES[code].remedy}"
        pause = _OPERATION_PAUSES.get(problem.operation, UNAUTHORISED_PAUSE)
        return self._pause(paused_operation(problem.operation), code, remedy, pause)

    def log(self, problem: AmazonError, order_id: str | None) -> None:
        """Log that a read is repeated."""
        self._decisions.record(
            WaitReason.AMAZON_UNAVAILABLE,
            order_id=order_id,
            reason=WaitReason.AMAZON_UNAVAILABLE,
            remedy="The read is repeated automatically. No action is needed unless it lasts for hours.",
            operation=problem.operation,
            status=problem.status,
            code=problem.code,
        )

    def is_marketplace_refused(self, marketplace: str) -> bool:
        """Whether the search is not to be tried for that marketplace, because Amazon refused it within the hour."""
        return self._pauses.until(paused_marketplace(marketplace)) is not None

    def pause_marketplace(self, problem: AmazonForbidden, marketplace: str) -> None:
        """Leave a marketplace out of searches for an hour. Its orders are read where Amazon notifies of them."""
        code = FailureCode.AMAZON_OPERATION_REFUSED
        known = MARKETPLACES.get(marketplace)
        name = f"{known.name} ({marketplace})" if known else "a marketplace that is not in amazon.marketplaces"
        remedy = (
            f"Amazon refuses {problem.operation} for {name} ({problem.code}). {FAILURES[code].remedy} "
            "Check that the account may sell there. Other marketplaces are searched, and its orders are read where "
            "Amazon notifies of them."
        )
        self._pauses.pause(paused_marketplace(marketplace), self._clock.now() + MARKETPLACE_PAUSE, code, remedy)

    def _is_other_refused(self, operation: str) -> bool:
        """Return whether Amazon refuses the other operation of orders; all others need roles of their own."""
        if operation not in (GET_ORDER.operation, SEARCH_ORDERS.operation):
            return False
        return self.is_refused(GET_ORDER if operation == SEARCH_ORDERS.operation else SEARCH_ORDERS)

    def _pause_connection(self) -> StepReport:
        code = FailureCode.AMAZON_NOT_AUTHORISED
        return self._pause(AMAZON, code, FAILURES[code].remedy)

    def _pause(self, service: str, code: FailureCode, remedy: str, pause: timedelta = UNAUTHORISED_PAUSE) -> StepReport:
        self._pauses.pause(service, self._clock.now() + pause, code, remedy)
        return StepReport(stopped=code)


def paused_operation(operation: str) -> str:
    """Return the service that is paused where Amazon refuses one operation."""
    return f"{AMAZON}#{operation}"


def paused_marketplace(marketplace: str) -> str:
    """Return the service that is paused where Amazon refuses the search for one marketplace."""
    return f"{paused_operation(SEARCH_ORDERS.operation)}#{marketplace}"
