"""How fast stock sells: units by day of each stock level, counted from the orders when they are first recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order import Fulfilment
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.record import stock_key
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.state_updates import update_records

_CURSOR = "sold#"  # and the key of a stock level; it holds units by day (UTC), and _SINCE
_SINCE = "since"  # the first day that was counted
_DAYS = 30
_KNOWN_AFTER = timedelta(days=7)
_MERCHANT = "DEFAULT"  # Amazon's code of the merchant's channel


class SalesRates:
    """The rates of one connection. Without alerts of stock (no policy) nothing is counted.

    A rate serves thresholds and is no account: a crash may lose the count of some orders, and a later cancellation
    is not subtracted.
    """

    def __init__(self, store: StateStore, policy: StockPolicy | None, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock

    def count(self, orders: Sequence[Mapping[str, Any]]) -> None:
        """Count the units of orders that were not known before. Nothing of it can stop the orders."""
        if self._policy is None:
            return
        today = self._clock.now().date()
        sold = Counter(sale for order in orders for sale in _sales(order, self._policy) if sale[1] > today - _period())
        units: dict[str, dict[str, int]] = {}
        for (key, day, number), times in sold.items():
            of_key = units.setdefault(f"{_CURSOR}{key}", {})
            of_key[day.isoformat()] = of_key.get(day.isoformat(), 0) + number * times

        def counted(stored: Mapping[str, Cursor | None]) -> Iterable[Cursor]:
            for name, cursor in stored.items():
                known = cursor or Cursor(name, {_SINCE: min((*units[name], today.isoformat()))})
                yield Cursor(name, _added(known.data, units[name], today), known.generation)

        with suppress(Conflict):
            update_records(self._store, Cursor, units, counted)

    def rate(self, key: str) -> Decimal | None:
        """Return how many units of a stock level are sold a day; None where that is not known."""
        return self.rates([key]).get(key)

    def rates(self, keys: Iterable[str]) -> dict[str, Decimal]:
        """Return the rates of the stock levels whose rate is known."""
        if self._policy is None:
            return {}
        cursors = self._store.load(Cursor, [f"{_CURSOR}{key}" for key in keys])
        found = {name.removeprefix(_CURSOR): self._rate(cursor.data) for name, cursor in cursors.items()}
        return {key: rate for key, rate in found.items() if rate is not None}

    def _rate(self, data: Mapping[str, str]) -> Decimal | None:
        today = self._clock.now().date()
        since = date.fromisoformat(data[_SINCE])
        if today - since < _KNOWN_AFTER:
            return None
        days = min(_DAYS, (today - since).days)
        units = sum(number for day, number in _by_day(data) if day > today - _period())
        return (Decimal(units) / days).quantize(Decimal("0.01"))


def _sales(order: Mapping[str, Any], policy: StockPolicy) -> Iterator[tuple[str, date, int]]:
    """Yield stock level, day and units of each item of an order; nothing for what Amazon does not state as expected."""
    try:
        day = parse_timestamp(order.get("createdTime"), "createdTime").date()
    except ValueError:
        return
    fulfilment = _part(order, "fulfillment")
    is_amazon = fulfilment.get("fulfilledBy") == "AMAZON"
    channel = Channel.FBA if is_amazon else Channel.MERCHANT
    place = str(_part(order, "salesChannel").get("marketplaceId") or "") if is_amazon else _MERCHANT
    if not place or fulfilment.get("fulfillmentStatus") == Fulfilment.CANCELLED:
        return
    for item in order.get("orderItems") or ():
        sku, units = _part(item, "product").get("sellerSku"), item.get("quantityOrdered")
        if isinstance(sku, str) and sku and isinstance(units, int) and units > 0:
            yield stock_key(channel, policy.pool_of(place), sku), day, units


def _part(value: Any, name: str) -> Mapping[str, Any]:
    part = value.get(name) if isinstance(value, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _added(data: Mapping[str, str], units: Mapping[str, int], today: date) -> dict[str, str]:
    """Return the data of a cursor with more units, without days that no longer count."""
    by_day = Counter({day.isoformat(): number for day, number in _by_day(data) if day > today - _period()})
    by_day.update(units)
    since = min((data[_SINCE], *units))
    return {_SINCE: since, **{day: str(number) for day, number in by_day.items()}}


def _by_day(data: Mapping[str, str]) -> Iterator[tuple[date, int]]:
    for name, number in data.items():
        if name != _SINCE:
            yield date.fromisoformat(name), int(number)


def _period() -> timedelta:
    return timedelta(days=_DAYS)
