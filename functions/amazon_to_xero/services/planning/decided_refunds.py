"""What was decided about the refunds of each order, in one small row per order: orders and refunds both need it."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.ports.state import Cursor, StateStore

_PREFIX = "refunds#"


class DecidedRefundsStore:
    """The decisions about the refunds of orders. A decision is stored before the documents that follow from it."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def load(self, order_id: str) -> DecidedRefunds:
        return _decoded(self._store.cursor(f"{_PREFIX}{order_id}"))

    def add(self, order_id: str, transaction_id: str, decision: DecidedRefund, seen: DecidedRefunds) -> bool:
        """Store the decision about one refund; return False where others were decided since `seen` was loaded."""
        row = self._store.cursor(f"{_PREFIX}{order_id}")
        if _decoded(row) != seen:
            return False
        if seen.by_transaction.get(transaction_id) == decision:
            return True
        data = {**row.data, transaction_id: f"{decision.refunded} {decision.credited} {decision.number}"}
        return bool(self._store.save([Cursor(row.name, data, row.generation)]))


def _decoded(row: Cursor) -> DecidedRefunds:
    decisions: dict[str, DecidedRefund] = {}
    for transaction_id, text in row.data.items():
        refunded, credited, number = text.split(" ", 2)
        decisions[transaction_id] = DecidedRefund(Decimal(refunded), Decimal(credited), number)
    return DecidedRefunds(decisions)
