"""The outside of one connection in memory: its rows, its clock, what was logged, published, and dead-lettered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore
from amazon_to_xero.ports.outbound import DeadLetterNotSent, MessageNotSent, OrderEvent, OutboundEvent, ReportNotStored

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class ManualClock:
    """ports.Clock that stands still until it is moved; whoever sleeps moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def page_of_watched(
    rows: Iterable[Row], watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
) -> list[tuple[str, str]]:
    """Return what a query of the index `watched` over these rows returns."""
    found = sorted((row.reason, row.sk) for row in rows if row.watched == watched and reason in ("", row.reason))
    return [(sk, reason) for reason, sk in found if after is None or (reason, sk) > after[::-1]][:limit]


class MemoryTable:
    """rows.Table: conditional writes are atomic; the due index shows a row only once it has stood for `lag`."""

    def __init__(self, clock: ManualClock, lag: timedelta = timedelta()) -> None:
        self.rows: dict[str, Row] = {}
        self.written: list[Row] = []
        self.reads = 0
        self.between: list[Callable[[], object]] = []
        self._clock = clock
        self._lag = lag
        self._index: list[tuple[datetime, Row]] = []
        self._lock = RLock()

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        self.reads += 1
        return [self.rows[sk] for sk in sort_keys if sk in self.rows]

    def put(self, rows: Sequence[Row]) -> list[bool]:
        if self.between and rows:
            # Taken off first: what the other one writes is not interrupted in turn.
            others, self.between = self.between, []
            others[0]()
            self.between = others[1:]
        return [self._put(row) for row in rows]

    def due(self, due: str, until: str, limit: int) -> list[str]:
        shown = {row.sk: row for at, row in self._index if at <= self._clock.now() - self._lag}
        found = sorted(
            (row.next_attempt_at, sk) for sk, row in shown.items() if row.due == due and row.next_attempt_at <= until
        )
        return [sk for _, sk in found[:limit]]

    def first_due(self, due: str) -> str:
        shown = {row.sk: row for at, row in self._index if at <= self._clock.now() - self._lag}
        return min((row.next_attempt_at for row in shown.values() if row.due == due), default="")

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        shown = {row.sk: row for at, row in self._index if at <= self._clock.now() - self._lag}
        return page_of_watched(shown.values(), watched, limit, after, reason)

    def _put(self, row: Row) -> bool:
        with self._lock:
            held = self.rows.get(row.sk)
            if (held.generation if held else 0) != row.generation - 1:
                return False
            self.rows[row.sk] = row
            self.written.append(row)
            self._index.append((self._clock.now(), row))
            return True


class MemoryStateStore(RowStateStore):
    """ports.StateStore through the codec that DynamoDB's rows go through."""

    def __init__(self, clock: ManualClock, lag: timedelta = timedelta(), connection: str = "main") -> None:
        self.table = MemoryTable(clock, lag)
        super().__init__(connection, self.table, CODECS)

    def meanwhile(self, *others: Callable[[], object]) -> None:
        """Lets each of `others` write, once and in turn, between somebody's reading and their next writing."""
        self.table.between.extend(others)

    def writes(self, prefix: str = "") -> int:
        """How many rows whose sort key begins so were written until now."""
        return sum(row.sk.startswith(prefix) for row in self.table.written)


@dataclass(frozen=True)
class Note:
    decision: str
    fields: dict[str, object]


class RecordingDecisionLog:
    """ports.DecisionLog."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def record(self, decision: str, **fields: object) -> None:
        self.notes.append(Note(str(decision), {name: value for name, value in fields.items() if value is not None}))

    def of(self, decision: str) -> list[dict[str, object]]:
        return [note.fields for note in self.notes if note.decision == decision]


@dataclass(frozen=True)
class DeadLetter:
    body: str
    reason: str
    remedy: str
    order_id: str | None


@dataclass
class RecordingDeadLetters:
    """ports.DeadLetterQueue; `broken` makes the queue unreachable."""

    letters: list[DeadLetter] = field(default_factory=list)
    broken: bool = False

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        if self.broken:
            raise DeadLetterNotSent("AccessDenied")
        self.letters.append(DeadLetter(body, reason, remedy, order_id))

    @property
    def reasons(self) -> list[tuple[str | None, str]]:
        return [(letter.order_id, letter.reason) for letter in self.letters]


@dataclass
class RecordingReports:
    """ports.ReportStore: the last content under each name; `broken` makes the bucket unreachable."""

    stored: dict[str, bytes] = field(default_factory=dict)
    broken: bool = False

    def put(self, name: str, content: bytes, content_type: str) -> None:
        if self.broken:
            raise ReportNotStored("SlowDown")
        self.stored[name] = content

    def named(self, name: str) -> str:
        """Return the newest report of that name, e.g. stock.csv."""
        return self.stored[max(each for each in self.stored if each.endswith(f"/{name}"))].decode()


@dataclass
class RecordingTopic:
    """ports.MessageTopic; `broken` makes it unreachable. `messages` are subjects and texts."""

    messages: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def publish(self, subject: str, text: str) -> None:
        if self.broken:
            raise MessageNotSent("AuthorizationError")
        self.messages.append((subject, text))


@dataclass
class RecordingEvents:
    """ports.EventBus; `broken` makes the bus unreachable: nothing is published, and no work is stopped."""

    published: list[tuple[str, OutboundEvent]] = field(default_factory=list)
    broken: bool = False

    def publish(self, connection: str, events: Sequence[OutboundEvent]) -> int:
        if self.broken:
            return len(events)
        self.published.extend((connection, event) for event in events)
        return 0

    @property
    def kinds_and_orders(self) -> list[tuple[str, str]]:
        return [(event.kind, event.order_id) for _, event in self.published if isinstance(event, OrderEvent)]
