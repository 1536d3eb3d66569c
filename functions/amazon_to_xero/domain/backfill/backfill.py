"""A backfill: what a person asked for, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from amazon_to_xero.domain.backfill.period import BackfillRefused, Period

#: Orders that are not finished so long after the last one was read are counted as they are, and waited for no longer.
_LONGEST_FINISH = timedelta(days=4)  # longer than an order waits for its charge


class BackfillState(StrEnum):
    """Whether a backfill goes on."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


_UNFINISHED = (BackfillState.RUNNING, BackfillState.PAUSED)


@dataclass(frozen=True)
class Share:
    """How many of the day's calls to Xero may be used, by everything together, while a backfill goes on.

    percent: of the connection's calls a day.
    calls: no more than so many; None for no other limit.
    """

    percent: int = 50
    calls: int | None = None

    def of_day(self, calls_per_day: int) -> int:
        """Return the calls of a day after which the backfill waits."""
        share = calls_per_day * self.percent // 100
        return share if self.calls is None else min(share, self.calls)


@dataclass(frozen=True)
class Counts:
    """What became of the orders of a backfill.

    read: that Amazon returned.
    unchanged: of these, recorded before as Amazon states them; nothing was written for them.
    in_xero, not_invoiced, failed: of the others, those that are finished. Where a day has one invoice, what waits for
        its day to be closed counts as in Xero.
    """

    read: int = 0
    unchanged: int = 0
    in_xero: int = 0
    not_invoiced: int = 0
    failed: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.unchanged + other.unchanged,
            self.in_xero + other.in_xero,
            self.not_invoiced + other.not_invoiced,
            self.failed + other.failed,
        )


@dataclass(frozen=True)
class Backfill:
    """One backfill of a connection.

    number: its place among the connection's backfills, from 1 on.
    author, reason: who asked for it, and why.
    created_at: when (UTC); later transactions are read by the sweeps.
    changed_by, changed_at: who paused, resumed or cancelled it last, and when.
    counts: of the orders that are finished.
    open: ids of the orders that were read, and whose documents are not all in Xero yet.
    read_until: orders that were placed until then (UTC) were read; None before the first part was.
    charges_until: the same of Amazon's transactions.
    all_read_at: when everything was read; None before.
    waits_for: why the last step read no more; empty where it read as much as a step reads.
    left_out: Amazon's ids of marketplaces that Amazon refuses to search: their orders were not read.
    """

    number: int
    period: Period
    author: str
    reason: str
    created_at: datetime
    share: Share = field(default_factory=Share)
    state: BackfillState = BackfillState.RUNNING
    changed_by: str = ""
    changed_at: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    open: tuple[str, ...] = ()
    read_until: datetime | None = None
    charges_until: datetime | None = None
    all_read_at: datetime | None = None
    waits_for: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def is_unfinished(self) -> bool:
        return self.state in _UNFINISHED

    @property
    def is_read(self) -> bool:
        """Whether all orders of the period were read."""
        return self.read_until is not None and self.read_until >= self.period.before

    @property
    def awaited_charges(self) -> tuple[datetime, datetime] | None:
        """Between which times (UTC) orders were first charged that it may still read; None once it has read all.

        Nobody is charged before the order is placed: what was charged before `read_until` belongs to orders that it has
        read, or never reads. What Amazon charges after it was begun ships then, so that the sweep reads the order.
        """
        if not self.is_unfinished or self.is_read:
            return None
        return self.read_until or self.period.after, min(self.period.charged_until, self.created_at)

    @property
    def days_read(self) -> int:
        """How many of its days were read completely, of those that count for its progress."""
        if self.read_until is None:
            return 0
        return self.period.days if self.is_read else (self.read_until - self.period.after).days

    def changed(self, state: BackfillState, by: str, now: datetime) -> Backfill:
        """Return the backfill paused, resumed or cancelled. Raises BackfillRefused."""
        if not self.is_unfinished:
            raise BackfillRefused(f"Backfill {self.number} is {self.state} already.")
        return replace(self, state=state, changed_by=by, changed_at=now, waits_for="")

    def finished(self, now: datetime) -> Backfill:
        """Return the backfill as done, where nothing is left to do or to wait for."""
        if self.state is not BackfillState.RUNNING or self.all_read_at is None:
            return self
        has_waited = now - self.all_read_at >= _LONGEST_FINISH
        return replace(self, state=BackfillState.DONE, waits_for="") if not self.open or has_waited else self


@dataclass(frozen=True)
class Backfills:
    """All backfills of a connection, the latest one last. At most one is unfinished: the latest.

    key, generation: see ports.state.
    """

    key: str = "all"
    generation: int = 0
    entries: tuple[Backfill, ...] = ()

    @property
    def latest(self) -> Backfill | None:
        return self.entries[-1] if self.entries else None

    @property
    def unfinished(self) -> Backfill | None:
        """The one that is running or paused; None where there is none."""
        latest = self.latest
        return latest if latest is not None and latest.is_unfinished else None

    def with_new(self, period: Period, share: Share, author: str, reason: str, now: datetime) -> Backfills:
        """Return the row with another backfill. Raises BackfillRefused while one is unfinished."""
        if (other := self.unfinished) is not None:
            raise BackfillRefused(
                f"Backfill {other.number} of {other.period.first} to {other.period.last} is {other.state}. "
                "Wait until it is done, or cancel it."
            )
        new = Backfill(len(self.entries) + 1, period, author, reason, now, share)
        return replace(self, entries=(*self.entries, new))

    def with_latest(self, backfill: Backfill) -> Backfills:
        """Return the row with another state of its latest backfill."""
        return replace(self, entries=(*self.entries[:-1], backfill))
