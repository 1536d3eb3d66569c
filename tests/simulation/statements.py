"""The second kind of source in a world: statements that change and are withdrawn beside the orders whose numbers they
contest, and what Xero must hold of them in the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fakes.statements import Statement, StatementRecord


@dataclass(frozen=True)
class StatementHistory:
    """One statement: (seconds since the start, amount in GBP or None once it is withdrawn), oldest first."""

    statement_id: str
    versions: tuple[tuple[float, Decimal | None], ...]


class StatementVendor:
    """The fake vendor of statements, at most seconds behind what it announced."""

    def __init__(self, now: Callable[[], datetime], start: datetime) -> None:
        self._now = now
        self._start = start
        self.histories: dict[str, StatementHistory] = {}

    def draw(self, rng: random.Random, order_ids: Sequence[str], length: float) -> None:
        """Draw the statements of a world: none in half of the worlds, else some that are named after its orders."""
        if rng.random() < 0.5:
            return
        for order_id in rng.sample(list(order_ids), k=min(len(order_ids), rng.choice((1, 2, 3)))):
            times = sorted(rng.random() * length for _ in range(rng.choice((1, 1, 2, 3))))
            versions: list[tuple[float, Decimal | None]] = [
                (at, Decimal(rng.randrange(100, 2000)) / 100) for at in times
            ]
            if len(versions) > 1 and rng.random() < 0.4:
                versions[-1] = versions[-1][0], None
            self.histories[order_id] = StatementHistory(order_id, tuple(versions))

    def current(self, statement_id: str) -> Statement:
        """What the vendor states now."""
        elapsed = (self._now() - self._start).total_seconds()
        versions = self.histories[statement_id].versions
        stated = [(at, amount) for at, amount in versions if at <= elapsed] or [versions[0]]
        at, amount = stated[-1]
        return Statement(statement_id, self._start + timedelta(seconds=at), amount)


def check_statements(
    histories: Mapping[str, StatementHistory],
    records: Mapping[str, StatementRecord],
    credit_notes: Sequence[Mapping[str, Any]],
    violated: Callable[[str], None],
) -> None:
    """Each statement has exactly its one credit note in Xero, or none once it is withdrawn."""
    for statement_id, history in histories.items():
        record = records.get(statement_id)
        if record is None or record.state != "PLANNED":
            violated(f"statement {statement_id} rests as {record and record.state}")
            continue
        live = [
            note["Total"]
            for note in credit_notes
            if note["Reference"] == f"Statement {statement_id}" and note["Status"] not in ("DELETED", "VOIDED")
        ]
        amount = history.versions[-1][1]
        wanted = [] if amount is None else [amount]
        if live != wanted:
            violated(f"statement {statement_id}: Xero holds credit notes of {live}, the vendor states {wanted}")
