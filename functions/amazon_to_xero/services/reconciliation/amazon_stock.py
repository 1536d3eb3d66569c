"""Reads Amazon's stock for a reconciliation: of each pool one marketplace, from the first page to the last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities, StockStatement
from amazon_to_xero.domain.amazon.stock_statements import summary_statement
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.stock.pools import PoolFinding, pool_findings, stock_sample
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.ports.amazon import InventoryApi, Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.inventory.summary_pages import SummaryPages

_MAX_SKU = 200  # characters of a SKU that cannot be read


@dataclass
class StockRead:
    """What was read.

    statements: by pool and SKU.
    problem: why not all of it was read; empty if it was. Then nothing of it is compared.
    """

    statements: dict[tuple[str, str], StockStatement] = field(default_factory=dict)
    problem: str = ""

    def pool_findings(self, policy: ReconciliationPolicy) -> list[PoolFinding]:
        """Return which of the pools seem to be one: their units would be added up. One marketplace of each was read."""
        by_place: dict[str, list[StockStatement]] = defaultdict(list)
        for statement in self.statements.values():
            by_place[statement.place].append(statement)
        samples = {place: stock_sample(statements) for place, statements in by_place.items()}
        pools = {each: pool for pool, members in policy.pools.items() for each in members if each != pool}
        return pool_findings(samples, pools)


class AmazonStock:
    """Reads the stock of one connection. Nothing is stored."""

    def __init__(
        self, amazon: InventoryApi, quota: AmazonQuota, faults: AmazonFaults, clock: Clock, decisions: DecisionLog
    ) -> None:
        self._amazon = amazon
        self._quota = quota
        self._faults = faults
        self._clock = clock
        self._decisions = decisions

    def read(
        self,
        policy: ReconciliationPolicy,
        deadline: datetime,
        stocked: Collection[str] = (),
        *,
        is_required: bool = True,
    ) -> StockRead:
        """Read every pool, until the deadline.

        `stocked` are the pools that had units last time. None of their units may be missing now: Amazon refuses a
        valid request just as it refuses one for a marketplace without goods. With `is_required` Amazon must state some
        stock; without, a seller may have none but own stock.
        """
        read = StockRead()
        for pool, marketplaces in policy.pools.items():
            is_stated = self._read_pool(pool, marketplaces, deadline, read)
            if not read.problem and not is_stated and pool in stocked:
                read.problem = (
                    f"Amazon states no stock of {pool}, which had units last time. If no goods are left there, "
                    "give it another name under inventory.pools in the settings"
                )
            if read.problem:
                return read
        if not read.statements and is_required:
            read.problem = "Amazon states no stock in any marketplace of the settings"
        return read

    def _read_pool(self, pool: str, marketplaces: Sequence[str], deadline: datetime, read: StockRead) -> bool:
        """Read a pool from the first of its marketplaces that states stock; return whether one does.

        Each marketplace of a pool states all of its units.
        """
        for marketplace in marketplaces:
            before = len(read.statements)
            self._read(pool, marketplace, deadline, read)
            if read.problem or len(read.statements) > before:
                return not read.problem
        return False

    def _read(self, pool: str, marketplace: str, deadline: datetime, read: StockRead) -> None:
        pages = SummaryPages(
            self._amazon, marketplace, deadline, self._quota, self._faults, self._clock, self._decisions
        )
        for page, read_at in pages:
            for summary in page.summaries:
                statement = self._statement(summary, marketplace, read_at)
                read.statements[pool, statement.sku] = statement
        if pages.stopped or pages.incomplete:
            read.problem = f"the stock of {marketplace} was not read to its end: {pages.stopped or pages.incomplete}"

    def _statement(self, summary: Json, marketplace: str, read_at: datetime) -> StockStatement:
        """Return what a summary states. One that cannot be read is logged, and states no units of its SKU."""
        try:
            return summary_statement(summary, marketplace, read_at)
        except Failure as failure:
            self._decisions.record(failure.code, reason=failure.code, remedy=failure.remedy)
            sku = str(summary.get("sellerSku") or "SKU not stated")[:_MAX_SKU]
            return StockStatement(Channel.FBA, marketplace, sku, StockQuantities(), read_at, read_at)
