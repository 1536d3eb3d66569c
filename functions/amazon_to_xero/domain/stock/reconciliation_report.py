"""What a reconciliation states: one line for each item that Amazon or Xero knows, those that need a person first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.stock.comparison import NOT_COMPARED, AmazonUnits, Comparison, StockFinding
from amazon_to_xero.domain.stock.correction import Correction, plain
from amazon_to_xero.domain.stock.pools import PoolFinding
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry

#: Column of the report -> its title for people. Units are the seller's; amounts are in the organisation's currency.
COLUMNS: Mapping[str, str] = {
    "item": "Item",
    "name": "Name",
    "skus": "SKUs",
    "state": "State",
    "reason": "Reason",
    "amazon": "Amazon",
    "fulfillable": "Fulfillable",
    "reserved": "Reserved",
    "inbound": "Inbound",
    "researching": "Researching",
    "unsellable": "Unsellable",
    "customer_damaged": "Customer-damaged",
    "own": "Own stock",
    "pools": "By pool",
    "xero": "Xero",
    "gap": "Gap",
    "sold": "Sold",
    "refunded": "Refunded",
    "pending": "Pending",
    "difference": "Difference",
    "value": "Value of the gap",
    "correction": "What to do",
    "opened": "Open since",
    "word": "Closed with",
}
#: Columns that hold a number, or nothing where it is not known.
NUMBERS = frozenset(
    {
        "amazon",
        "fulfillable",
        "reserved",
        "inbound",
        "researching",
        "unsellable",
        "customer_damaged",
        "own",
        "xero",
        "gap",
    }
    | {"sold", "refunded", "pending", "difference", "value"}
)


@dataclass(frozen=True)
class ReportLine:
    """One item: as compared, what is suggested, and its entry in the worklist afterwards.

    is_news: whether the entry was opened, or has another difference than before.
    """

    comparison: Comparison
    correction: Correction
    entry: WorklistEntry
    is_news: bool = False

    @property
    def _state(self) -> str:
        """The entry's state; empty where nothing was compared that could agree."""
        is_unknown = self.comparison.finding in NOT_COMPARED and self.entry.state is EntryState.AGREED
        return "" if is_unknown else self.entry.state

    def cells(self) -> dict[str, str]:
        """Return the text of each column; empty where nothing is known."""
        compared, amazon = self.comparison, self.comparison.amazon
        # Of a SKU whose units Amazon does not state in full, the others would be read as all units of the item.
        units = amazon.units if amazon and not amazon.unstated else None
        pools = amazon.pools if amazon else {}
        return {
            "item": compared.code,
            "name": compared.name,
            "skus": ", ".join(compared.skus),
            "state": self._state,
            "reason": compared.finding,
            **_unit_cells(units),
            "own": "" if amazon is None or amazon.own_units is None else str(amazon.own_units),
            "pools": ", ".join(f"{pool}: {each.total}" for pool, each in sorted(pools.items())),
            "xero": "" if compared.xero is None or not compared.xero.is_tracked else plain(compared.xero.quantity),
            "gap": "" if compared.gap is None else plain(compared.gap),
            "sold": str(amazon.sold) if amazon else "",
            "refunded": str(amazon.refunded) if amazon else "",
            "pending": plain(compared.pending) if compared.gap is not None else "",
            "difference": plain(compared.difference),
            "value": "" if self.correction.value is None else str(self.correction.value),
            "correction": self.correction.text,
            "opened": "" if self.entry.opened_at is None else f"{self.entry.opened_at:%Y-%m-%d}",
            "word": self.entry.word,
        }


@dataclass(frozen=True)
class ReconciliationReport:
    """A reconciliation of one connection.

    at: when Amazon's stock was read (UTC).
    currency: the organisation's, of all amounts.
    gone: entries that were open and whose item neither side knows any more.
    pool_findings: pools that seem to be one, so that their units would be counted twice.
    """

    connection: str
    at: datetime
    currency: str
    lines: tuple[ReportLine, ...]
    gone: tuple[WorklistEntry, ...] = ()
    pool_findings: tuple[PoolFinding, ...] = ()

    @property
    def open_lines(self) -> list[ReportLine]:
        return [line for line in self.lines if line.entry.state is EntryState.OPEN]

    @property
    def stocked_pools(self) -> list[str]:
        """Pools in which Amazon has units."""
        items = (line.comparison.amazon for line in self.lines if line.comparison.amazon)
        return sorted({pool for item in items for pool, units in item.pools.items() if units.total})

    def counts(self) -> dict[StockFinding, int]:
        """Return how many items have each finding, in the order of StockFinding."""
        counts = Counter(line.comparison.finding for line in self.lines)
        return {finding: counts[finding] for finding in StockFinding if counts[finding]}

    def value_of_gaps(self) -> Decimal:
        """Return the sum of the gaps' values; gaps without a known cost count as nothing."""
        return sum((line.correction.value or Decimal(0) for line in self.lines), Decimal(0))

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values; numbers are texts, so that none passes through a float."""
        return {
            "connection": self.connection,
            "reconciled_at": self.at.isoformat(),
            "currency": self.currency,
            "counts": self.counts(),
            "value_of_gaps": str(self.value_of_gaps()),
            "lines": [line.cells() for line in self.lines],
            "gone": [entry.code for entry in self.gone],
            "pool_findings": [finding.remedy for finding in self.pool_findings],
        }


def in_order(lines: Iterable[ReportLine]) -> tuple[ReportLine, ...]:
    """Return the lines: open ones first, of those the largest differences, then by code."""
    states = [EntryState.OPEN, EntryState.CLOSED, EntryState.AGREED]

    def place(line: ReportLine) -> tuple[int, Decimal, str]:
        return states.index(line.entry.state), -abs(line.comparison.difference), line.entry.key

    return tuple(sorted(lines, key=place))


def _unit_cells(units: AmazonUnits | None) -> dict[str, str]:
    names = ("fulfillable", "reserved", "inbound", "researching", "unsellable", "customer_damaged")
    if units is None:
        return {"amazon": "", **dict.fromkeys(names, "")}
    return {"amazon": str(units.total), **{name: str(getattr(units, name)) for name in names}}
