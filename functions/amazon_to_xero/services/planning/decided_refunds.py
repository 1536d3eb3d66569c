"""What was decided about the refunds of each order, in one small row per order: orders and refunds both need it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds, NettedReductions, ReducedInvoice
from amazon_to_xero.ports.state import Cursor, RecordStore

_PREFIX = "refunds#"  # and the order id
_TRANSACTION = "transaction#"
_NETTED = "netted"
_NETTED_LINE = "netted#"
_REDUCED = "reduced#"
_BEFORE = "before#"  # what an invoice stated, and what was taken off it, before its last changes
_REINSTATED = "reinstated#"
_UNSHIPPED = "unshipped"
_VOIDED_AT = "voided_at"
_SKIPPED = "skipped#"


def decided_refunds_cursor(order_id: str) -> str:
    """Return the name of the row of an order."""
    return f"{_PREFIX}{order_id}"


class DecidedRefundsStore:
    """The decisions about the refunds of orders. A decision is stored before the documents that follow from it."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def load(self, order_id: str) -> DecidedRefunds:
        return _decoded(self._store.cursor(decided_refunds_cursor(order_id)))

    def replace(self, order_id: str, seen: DecidedRefunds, decided: DecidedRefunds) -> bool:
        """Store what is decided now; return False where others have decided something since `seen` was loaded."""
        row = self._store.cursor(decided_refunds_cursor(order_id))
        if _decoded(row) != seen:
            return False
        return decided == seen or bool(self._store.save([Cursor(row.name, _encoded(decided), row.generation)]))


class OrderRefunds:
    """What was decided about the refunds of one order, as its plan needs it: loaded once, and only if needed."""

    def __init__(self, decisions: DecidedRefundsStore, order_id: str) -> None:
        self._decisions = decisions
        self._order_id = order_id
        self._seen: DecidedRefunds | None = None

    def decided(self) -> DecidedRefunds:
        if self._seen is None:
            self._seen = self._decisions.load(self._order_id)
        return self._seen

    def store(self, decided: DecidedRefunds) -> bool:
        """Store what the order's refunds have to count from now on; False where others decided meanwhile."""
        return self._decisions.replace(self._order_id, self.decided(), decided)


def _encoded(decided: DecidedRefunds) -> Mapping[str, str]:
    refunds = {
        f"{_TRANSACTION}{key}": f"{each.refunded} {each.credited} {each.number}"
        for key, each in decided.by_transaction.items()
    }
    lines = {f"{_NETTED_LINE}{origin}": str(amount) for origin, amount in decided.netted.lines.items()}
    reduced = {f"{_REDUCED}{number}": f"{each.stated} {each.reduced}" for number, each in decided.reduced.items()}
    before = {
        f"{_BEFORE}{number}": " ".join(f"{stated} {taken_off}" for stated, taken_off in each.before)
        for number, each in decided.reduced.items()
        if each.before
    }
    reinstated = {f"{_REINSTATED}{number}": str(amount) for number, amount in decided.reinstated.items()}
    unshipped = {_UNSHIPPED: str(decided.unshipped)} if decided.unshipped else {}
    voided = {_VOIDED_AT: decided.voided_at.isoformat()} if decided.voided_at else {}
    skipped = {f"{_SKIPPED}{key}": "1" for key in decided.skipped}
    others = {**reduced, **before, **reinstated, **unshipped, **voided, **skipped}
    return {**refunds, **lines, **others, _NETTED: str(decided.netted.amount)}


def _decoded(row: Cursor) -> DecidedRefunds:
    refunds: dict[str, DecidedRefund] = {}
    lines: dict[str, Decimal] = {}
    reduced: dict[str, ReducedInvoice] = {}
    reinstated: dict[str, Decimal] = {}
    for name, text in row.data.items():
        if name.startswith(_TRANSACTION):
            refunded, credited, number = text.split(" ", 2)
            refunds[name.removeprefix(_TRANSACTION)] = DecidedRefund(Decimal(refunded), Decimal(credited), number)
        elif name.startswith(_NETTED_LINE):
            lines[name.removeprefix(_NETTED_LINE)] = Decimal(text)
        elif name.startswith(_REDUCED):
            number = name.removeprefix(_REDUCED)
            stated, taken_off = text.split(" ")
            before = [Decimal(amount) for amount in row.data.get(f"{_BEFORE}{number}", "").split()]
            pairs = tuple(zip(before[::2], before[1::2], strict=True))
            reduced[number] = ReducedInvoice(Decimal(stated), Decimal(taken_off), pairs)
        elif name.startswith(_REINSTATED):
            reinstated[name.removeprefix(_REINSTATED)] = Decimal(text)
    voided_at = row.data.get(_VOIDED_AT)
    return DecidedRefunds(
        refunds,
        netted=NettedReductions(Decimal(row.data.get(_NETTED, "0")), lines),
        reduced=reduced,
        reinstated=reinstated,
        unshipped=Decimal(row.data.get(_UNSHIPPED, "0")),
        voided_at=datetime.fromisoformat(voided_at) if voided_at else None,
        skipped=frozenset(name.removeprefix(_SKIPPED) for name in row.data if name.startswith(_SKIPPED)),
    )
