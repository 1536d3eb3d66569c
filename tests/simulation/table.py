"""The table in memory: atomic rows, conditional writes, an index that lags, a database that is at times too busy."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta

from amazon_to_xero.adapters.dynamodb.rows import Row
from fakes.state import page_of_watched
from simulation.scheduler import START, Scheduler
from simulation.weather import Weather


class TableBusy(Exception):
    """What the AWS SDK raises once its own retries are used up (ProvisionedThroughputExceededException)."""


_CONFIRMATION = "CONFIRMATION#"
#: A sale that has shipped in part waits a month for the rest of its charges, longer than any world lasts.
_IN_A_MONTH = (START + timedelta(days=15)).isoformat()


class MemoryTable:
    """What survives every crash. One for the world; each sandbox reaches it through its own `TableClient`."""

    def __init__(
        self, rng: random.Random, scheduler: Scheduler, written: Callable[[Row | None, Row], None] = lambda *_: None
    ) -> None:
        self.rows: dict[str, Row] = {}
        self.awaits_charges = False  # whether Amazon states any: in most worlds it states no transactions at all
        self.changed_at = scheduler.now()  # when a row of an order or a document was written last
        self._waiting: set[str] = set()  # keys of the rows that `_waits` is true of
        self._index: dict[str, Row] = {}  # by sort key, as both indexes show them
        self._due: dict[str, dict[str, Row]] = defaultdict(dict)  # what the index `due` holds under each of its keys
        self._watched: dict[str, dict[str, Row]] = defaultdict(dict)  # the same of the index `watched`
        self._rng = rng
        self._scheduler = scheduler
        self._written = written  # told of the row before, and of what took its place

    def put(self, row: Row, lag: float) -> bool:
        held = self.rows.get(row.sk)
        if (held.generation if held else 0) != row.generation - 1:
            return False
        self._written(held, row)
        self.rows[row.sk] = row
        if row.sk.startswith(("ORDER#", "DOCUMENT#")):
            self.changed_at = self._scheduler.now()
        (self._waiting.add if self._waits(row) else self._waiting.discard)(row.sk)
        if row.due or row.watched or (held and (held.due or held.watched)):
            self._scheduler.after(self._rng.random() * lag, lambda: self._indexed(row))
        return True

    def index(self, due: str, until: str, limit: int) -> list[str]:
        rows = self._due[due]
        if not rows:
            return []
        found = sorted((row.next_attempt_at, sk) for sk, row in rows.items() if row.next_attempt_at <= until)
        return [sk for _, sk in found[:limit]]

    def first_due(self, due: str) -> str:
        return min((row.next_attempt_at for row in self._due[due].values()), default="")

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        return page_of_watched(self._watched[watched].values(), watched, limit, after, reason)

    def waiting(self) -> list[Row]:
        """Rows that say when they want to be worked on, in truth."""
        return [self.rows[sk] for sk in sorted(self._waiting)]

    def first_waiting(self) -> str:
        """When the first of them is due; there must be one."""
        return min(self.rows[sk].next_attempt_at for sk in self._waiting)

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    @property
    def awaits_a_charge(self) -> bool:
        """Whether a sale waits for its charge, or a charge for its sale."""
        return any(sk.startswith(_CONFIRMATION) for sk in self._waiting)

    @property
    def has_refunds_without_sale(self) -> bool:
        """Whether a refund has failed for want of its sale: the sweep plans it again once the sale has come."""
        rows = (row for sk, row in self.rows.items() if sk.startswith("TRANSACTION#"))
        return any(row.state == "FAILED" and row.reason == "REFUND_WITHOUT_SALE" for row in rows)

    def _waits(self, row: Row) -> bool:
        """Whether a row that is written now is to be worked on before the world is at rest.

        A confirmation that failed is compared again now and then, ever more rarely.
        """
        if not row.sk.startswith(_CONFIRMATION) or not row.next_attempt_at:
            return bool(row.next_attempt_at)
        soon = (self._scheduler.now() + timedelta(minutes=30)).isoformat()
        return self.awaits_charges and row.next_attempt_at < (soon if row.state == "FAILED" else _IN_A_MONTH)

    def _indexed(self, row: Row) -> None:
        shown = self._index.get(row.sk)
        if shown is not None and shown.generation > row.generation:
            return
        if shown is not None:
            self._due[shown.due].pop(row.sk, None)
            self._watched[shown.watched].pop(row.sk, None)
        self._index[row.sk] = row
        if row.due:
            self._due[row.due][row.sk] = row
        if row.watched:
            self._watched[row.watched][row.sk] = row


class TableClient:
    """rows.Table as one sandbox sees it. `step` gives way to the scheduler, and is where the sandbox may die."""

    def __init__(
        self,
        table: MemoryTable,
        rng: random.Random,
        weather: Callable[[], Weather],
        step: Callable[[str], None],
        log: Callable[[str, str], None],
    ) -> None:
        self._table = table
        self._rng = rng
        self._weather = weather
        self._step = step
        self._log = log

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        self._step("table.get")
        self._busy("get")
        # A batch is not a snapshot: other workers may write between one row and the next.
        cut = self._rng.randrange(1, len(sort_keys)) if len(sort_keys) > 1 and self._rng.random() < 0.3 else 0
        rows = [row for sk in sort_keys[:cut] if (row := self._table.rows.get(sk))]
        if cut:
            self._step("table.get")
        rows += [row for sk in sort_keys[cut:] if (row := self._table.rows.get(sk))]
        self._step("table.got")
        return rows

    def put(self, rows: Sequence[Row]) -> list[bool]:
        outcomes = [False] * len(rows)
        order = list(range(len(rows)))
        self._rng.shuffle(order)
        weather = self._weather()
        failed = False
        for position in order:
            if position == order[0] or self._rng.random() < 0.3:
                self._step("table.put")
            row = rows[position]
            if weather.throttled and self._rng.random() < weather.throttled:
                failed = True
                if self._rng.random() < 0.5:
                    continue
            written = self._write(row)
            if not row.sk.startswith("LEASE#") and not row.sk.startswith("CURSOR#quota"):
                self._log(
                    "put" if written else "put refused", f"{row.sk} g{row.generation} {row.state} {row.next_attempt_at}"
                )
            ambiguous = weather.ambiguous and self._rng.random() < weather.ambiguous
            outcomes[position] = written and not ambiguous
        if order:
            self._step("table.written")
        if failed:
            self._log("table busy", "put")
            raise TableBusy("put")
        return outcomes

    def due(self, due: str, until: str, limit: int) -> list[str]:
        self._step("table.due")
        self._busy("due")
        return self._table.index(due, until, limit)

    def first_due(self, due: str) -> str:
        self._step("table.first_due")
        self._busy("first_due")
        return self._table.first_due(due)

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        self._step("table.watched")
        self._busy("watched")
        return self._table.watched(watched, limit, after, reason)

    def _write(self, row: Row) -> bool:
        return self._table.put(row, self._weather().index_lag)

    def _busy(self, what: str) -> None:
        throttled = self._weather().throttled
        if throttled and self._rng.random() < throttled:
            self._log("table busy", what)
            raise TableBusy(what)
