"""The record of a stock level: what Amazon last stated, its state, and what is still to be concluded or sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from amazon_to_xero.domain.amazon.stock import Channel, StockStatement
from amazon_to_xero.domain.stock.alert import StockAlert

MAX_COLLECTED = 40  # statements of one level that wait; more of them are concluded early, so that a row holds them


class StockState(StrEnum):
    """Whether a level can be sold from."""

    UNKNOWN = "UNKNOWN"  # Amazon has not stated it yet
    IN_STOCK = "IN_STOCK"
    LOW = "LOW"
    OUT = "OUT"
    STRANDED = "STRANDED"


@dataclass(frozen=True)
class CollectedStatement:
    """A statement that waits for those that Amazon made before it, which may be delivered after it."""

    statement: StockStatement
    received_at: datetime


@dataclass(frozen=True)
class StockRecord:
    """The stored row of a stock level: one SKU of one channel in one pool.

    generation: how often the row was stored; two writers never both succeed.
    latest: the newest statement that was concluded. An older one never replaces it.
    state, since: see StockState; since when it holds (UTC).
    unfulfillable_before: what an increase of unfulfillable units is counted from; None where it is not known.
    dropped_at: when the level last dropped suddenly (UTC).
    collected: statements that are not concluded yet, in Amazon's order.
    unsent: alerts that nobody has received yet: stored with the state that asks for them, before they are sent.
    next_attempt_at: when there is something to conclude or to send (UTC); None where there is nothing.
    """

    channel: Channel
    pool: str
    sku: str
    generation: int = 0
    latest: StockStatement | None = None
    state: StockState = StockState.UNKNOWN
    since: datetime | None = None
    unfulfillable_before: int | None = None
    dropped_at: datetime | None = None
    collected: tuple[CollectedStatement, ...] = ()
    unsent: tuple[StockAlert, ...] = ()
    next_attempt_at: datetime | None = None

    @property
    def key(self) -> str:
        return stock_key(self.channel, self.pool, self.sku)

    def collecting(self, statements: Iterable[StockStatement], now: datetime, collect: timedelta) -> StockRecord:
        """Return the record with further statements; itself where they say nothing new.

        An older statement than the newest concluded one, or a repeated one, is left out.
        """
        known = {each.statement: each for each in self.collected}
        new = [each for each in dict.fromkeys(statements) if each not in known and self._is_news(each)]
        if not new:
            return self
        collected = [*self.collected, *(CollectedStatement(each, now) for each in new)]
        collected.sort(key=lambda each: each.statement.order)
        return replace(self, collected=tuple(collected)).waiting(collect)

    def waiting(self, collect: timedelta, retry_at: datetime | None = None) -> StockRecord:
        """Return the record with the time at which there is something to do: alerts at once, or at `retry_at`."""
        times = [each.received_at + collect for each in self.collected]
        if self.unsent:
            times.append(retry_at or self.unsent[0].at)
        return replace(self, next_attempt_at=min(times, default=None))

    def without_sent(self, sent: frozenset[str], collect: timedelta, retry_at: datetime) -> StockRecord:
        """Return the record without the alerts of these ids; the others are sent at `retry_at`."""
        unsent = tuple(each for each in self.unsent if each.alert_id not in sent)
        return replace(self, unsent=unsent).waiting(collect, retry_at)

    def _is_news(self, statement: StockStatement) -> bool:
        latest = self.latest
        if latest is None or statement.observed_at > latest.observed_at:
            return True
        # Amazon does not always change the time of a level whose inbound units change: then what was read later counts.
        return statement.time > latest.time and statement.quantities != latest.quantities


def stock_key(channel: Channel, pool: str, sku: str) -> str:
    """Return the key of a stock level: `fba#A1F83G8C2ARO7P#MUG-RED`. A SKU may contain any character."""
    return f"{channel}#{pool}#{sku}"


def level_of(key: str) -> tuple[str, str, str]:
    """Return channel, pool and SKU of the key of a stock level."""
    channel, _, place = key.partition("#")
    pool, _, sku = place.partition("#")
    return channel, pool, sku
