"""Records what Amazon states about stock, for one connection. What it means is concluded later; see alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.stock import StockStatement
from amazon_to_xero.domain.amazon.stock_statements import StockNotice, summary_statement
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.stock.conclusion import concluded
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.record import MAX_COLLECTED, StockRecord, stock_key
from amazon_to_xero.ports.amazon import SummaryPage
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.inventory.sales import SalesRates
from amazon_to_xero.services.state_updates import update_cursor, update_records

ASKED = "asked#stock"  # cursor: key of a level that a person asks to read -> since when (UTC)
_CLOCKS_DIFFER = timedelta(minutes=1)


class StockRecorder:
    """Collects statements in the records of their levels. `policy` is None where a connection has no alerts."""

    def __init__(
        self,
        store: StateStore,
        policy: StockPolicy | None,
        sales: SalesRates,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        self._store = store
        self._policy = policy
        self._sales = sales
        self._clock = clock
        self._decisions = decisions

    def record_notices(self, notices: Sequence[ChangeNotice]) -> list[str]:
        """Record what notifications state, as `record` does, and the levels that a person asks to read.

        Their keys are returned, too: they are read at once.
        """
        asked = [notice.key for notice in notices if notice.reprocess]
        if asked:
            at = self._clock.now().isoformat()
            update_cursor(self._store, ASKED, lambda cursor: {**cursor.data, **dict.fromkeys(asked, at)})
        of_stock = [notice for notice in notices if isinstance(notice, StockNotice)]
        return [*asked, *self.record([statement for notice in of_stock for statement in notice.statements])]

    def record_page(self, page: SummaryPage, marketplace: str, read_at: datetime) -> list[StockStatement]:
        """Record a page and return what it states. An entry that cannot be read is logged, and left out."""
        statements: list[StockStatement] = []
        for summary in page.summaries:
            try:
                statements.append(summary_statement(summary, marketplace, read_at))
            except Failure as failure:
                self._decisions.record(failure.code, reason=failure.code, remedy=failure.remedy)
        self.record(statements)
        return statements

    def record(self, statements: Sequence[StockStatement]) -> list[str]:
        """Record statements and return the keys of the records that are due now. Raises Conflict.

        A repeated statement, and one that is older than the newest one, changes nothing.
        """
        policy = self._policy
        if policy is None:
            if statements:
                self._decisions.record("STOCK_NOT_WATCHED", statements=len(statements))
            return []
        now = self._clock.now()
        by_key: dict[str, list[StockStatement]] = defaultdict(list)
        for each in statements:
            if policy.covers(each):
                key = stock_key(each.channel, policy.pool_of(each.place), each.sku)
                by_key[key].append(each.not_later_than(now + _CLOCKS_DIFFER))

        def collecting(stored: Mapping[str, StockRecord | None]) -> Iterable[StockRecord]:
            for key, known in stored.items():
                first = by_key[key][0]
                record = known or StockRecord(first.channel, policy.pool_of(first.place), first.sku)
                changed = record.collecting(by_key[key], now, policy.collect)
                if changed is record:
                    continue
                # More statements than a row holds are concluded at once.
                is_full = len(changed.collected) > MAX_COLLECTED
                yield concluded(changed, policy, now, self._sales.rate(key)) if is_full else changed

        saved = update_records(self._store, StockRecord, by_key, collecting)
        return [key for key, record in saved.items() if record.next_attempt_at and record.next_attempt_at <= now]
