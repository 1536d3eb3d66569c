"""The record of the charges of one order, and whether they confirm its sale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.planning.confirmation import Comparison, Verdict, compare
from amazon_to_xero.domain.planning.stated_sale import StatedSale
from amazon_to_xero.domain.source import NextStep, SourceKind, source_key

_SWEEP_INTERVAL = timedelta(hours=1)  # template.yaml: transactions are swept hourly
_WITHOUT_SALE = (WaitReason.WAITING_FOR_SALE, FailureCode.CHARGE_WITHOUT_SALE)


class ConfirmationState(StrEnum):
    """Whether Amazon's charges confirm a sale."""

    AWAITED = "AWAITED"  # a charge may still come, or its sale
    CONFIRMED = "CONFIRMED"  # the charges are what the documents state
    NOT_INVOICED = "NOT_INVOICED"  # the order has no documents, by rule; the reason says by which
    FAILED = "FAILED"  # needs a person: the charges differ, or are missing; the remedy has both numbers


@dataclass(frozen=True)
class SaleConfirmation:
    """The stored row of the charges of one order.

    order_id: Amazon's.
    generation: how often the row was stored; two writers never both succeed.
    charges: transaction id -> what it charged. A charge never changes.
    sale: what the order's documents state; None while none is approved, or known.
    planned_version: the newest version of the order (UTC) whose plan it holds. The plan of an older one, which a worker
        that was frozen stores late, changes nothing.
    awaited_since: since when it has waited without being confirmed (UTC).
    next_attempt_at: when it is compared again (UTC); None where only a new charge or another plan changes it.
    state, reason, remedy: see ConfirmationState. A failed one stays failed until it is compared again.
    """

    order_id: str
    generation: int = 0
    charges: Mapping[str, ShipmentCharge] = field(default_factory=dict)
    sale: StatedSale | None = None
    planned_version: datetime | None = None
    awaited_since: datetime | None = None
    next_attempt_at: datetime | None = None
    state: ConfirmationState = ConfirmationState.AWAITED
    reason: str = ""
    remedy: str = ""

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def source(self) -> str:
        return source_key(SourceKind.CONFIRMATION, self.order_id)

    @property
    def next_step(self) -> NextStep:
        return NextStep.PLAN

    @property
    def capability(self) -> str:
        return REFUNDS

    @property
    def documents(self) -> tuple[str, ...]:
        return ()

    def is_due(self, step: NextStep, now: datetime) -> bool:
        return step is NextStep.PLAN and self.next_attempt_at is not None and self.next_attempt_at <= now

    def with_charges(self, charges: Iterable[ShipmentCharge], now: datetime) -> SaleConfirmation | None:
        """Return the row with these charges, None where all of them are known.

        One that has waited for its sale, or failed for want of it, begins to wait again: the new charge may be what its
        order was waiting for.
        """
        new = {each.transaction_id: each for each in charges if each.transaction_id not in self.charges}
        row = self._waiting_anew() if self.is_found_without_sale else self
        return replace(row, charges={**self.charges, **new})._compared(now) if new else None

    def _waiting_anew(self) -> SaleConfirmation:
        return replace(self, state=ConfirmationState.AWAITED, reason="", remedy="", awaited_since=None)

    def has_newer_plan_than(self, version: datetime) -> bool:
        """Whether it holds the plan of a newer version of the order."""
        held = self.planned_version or (None if self.sale is None else self.sale.version)
        return held is not None and version < held

    def with_sale(self, sale: StatedSale | None, version: datetime, now: datetime) -> SaleConfirmation | None:
        """Return the row of an order of which this version was planned, None where that changes nothing."""
        if self.has_newer_plan_than(version):
            return None
        if self.state is ConfirmationState.CONFIRMED and _is_the_same_money(sale, self.sale):
            return None
        planned = replace(self, planned_version=version)
        if sale == self.sale and (sale is not None or self.state is ConfirmationState.NOT_INVOICED):
            return planned if planned != self else None
        return replace(planned, sale=sale)._compared(now)

    @property
    def is_found_without_sale(self) -> bool:
        """Whether its charges were compared, and wait for the sale of their order or failed for want of it."""
        return self.reason in _WITHOUT_SALE

    @property
    def awaits_sale(self) -> bool:
        """Whether its charges were compared, and wait for a sale that no plan of their order has stated yet."""
        return self.sale is None and self.is_found_without_sale

    def is_explained_by_another_rule(self, reason: str) -> bool:
        """Whether another rule than that of the order explained its charges: a person may have withdrawn it since."""
        return self.state is ConfirmationState.NOT_INVOICED and bool(self.charges) and self.reason != reason

    def _compared(self, now: datetime) -> SaleConfirmation:
        """Return the row as confirmed, where it is; otherwise to be compared when there is something to decide."""
        compared = compare(self.sale, tuple(self.charges.values())) if self.sale is not None else None
        if compared is not None and compared.verdict is Verdict.CONFIRMED:
            return self.settled(ConfirmationState.CONFIRMED)
        if compared is None or compared.awaited_until is None:
            return self.compare_at(now, now)
        if compared.awaited_until > now:
            return self.awaiting(compared, compared.awaited_until, now)
        # An old sale that is entered late: what Amazon charged for it is read by the sweep of the next hour.
        return self.compare_at(now, now) if self.charges else self.awaiting(compared, now + _SWEEP_INTERVAL, now)

    def settled(self, state: ConfirmationState, reason: str = "") -> SaleConfirmation:
        """Return the row of an order whose charges need nothing more."""
        return replace(self, state=state, reason=reason, remedy="", awaited_since=None, next_attempt_at=None)

    def awaiting(self, compared: Comparison, at: datetime, now: datetime) -> SaleConfirmation:
        """Return the row that waits for a charge, to be compared again at that time."""
        remedy = f"{compared.difference}." if self.charges else ""
        waiting = replace(self, state=ConfirmationState.AWAITED, reason=WaitReason.WAITING_FOR_CHARGE, remedy=remedy)
        return waiting.compare_at(at, now)

    def awaiting_sale(self, problem: str, at: datetime, now: datetime) -> SaleConfirmation:
        """Return the row whose charges wait for the sale of their order, to be compared again at that time."""
        reason = WaitReason.WAITING_FOR_SALE
        waiting = replace(
            self, state=ConfirmationState.AWAITED, reason=reason, remedy=f"Order {self.order_id} {problem}."
        )
        return waiting.compare_at(at, now)

    def compare_at(self, at: datetime, now: datetime) -> SaleConfirmation:
        """Return the row to be compared at that time. What has failed stays failed until then."""
        is_failed = self.state is ConfirmationState.FAILED
        state = ConfirmationState.FAILED if is_failed else ConfirmationState.AWAITED
        return replace(self, state=state, next_attempt_at=at, awaited_since=self.awaited_since or now)

    def reprocessed(self, now: datetime) -> SaleConfirmation:
        """Return the row to be compared now because a person asks: why it failed counts as new again."""
        return replace(self, state=ConfirmationState.AWAITED, reason="", remedy="").compare_at(now, now)

    def plan_at(self, at: datetime, reason: str = "") -> SaleConfirmation:
        return replace(self, next_attempt_at=at, state=ConfirmationState.AWAITED, reason=reason, remedy="")

    def failed(self, code: FailureCode, remedy: str) -> SaleConfirmation:
        failed = ConfirmationState.FAILED
        return replace(self, state=failed, reason=code, remedy=remedy, next_attempt_at=None)

    def unreadable(self) -> SaleConfirmation:
        return self

    def log_fields(self) -> dict[str, str]:
        return {"order_id": self.order_id, "source": self.source}


def _is_the_same_money(sale: StatedSale | None, before: StatedSale | None) -> bool:
    """Whether nothing changed but the order's version and how far it has shipped."""
    if sale is None or before is None:
        return False
    as_before = replace(sale, version=before.version, shipped_at=before.shipped_at)
    return replace(as_before, is_partly_shipped=before.is_partly_shipped) == before
