"""The period of a backfill: days on which orders were placed, in the time zone of the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MAX_AGE = timedelta(days=730)  # Amazon: orders of the last two years are returned
#: Amazon charges an order when it ships, most within days; what it charges later is read at the end.
CHARGED_WITHIN = timedelta(days=14)


class BackfillRefused(Exception):
    """The backfill cannot be done as it is asked for. The message says why, and what to do, to who asks."""


@dataclass(frozen=True)
class Period:
    """The orders that are read: those that were placed from `after` until `before` (UTC), days `first` to `last`."""

    first: date
    last: date
    after: datetime
    before: datetime

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def charged_until(self) -> datetime:
        """Until when (UTC) most of its orders are charged."""
        return self.before + CHARGED_WITHIN


def period_of(first: date, last: date, time_zone: str, start: datetime, shown_until: datetime) -> Period:
    """Return the period of two days, both included. Raises BackfillRefused.

    time_zone: IANA name of the organisation's.
    start: the setting of that name (UTC).
    shown_until: until when (UTC) Amazon shows orders by now.
    """
    zone = ZoneInfo(time_zone)
    today = shown_until.astimezone(zone).date()
    if last < first:
        raise BackfillRefused(f"--to {last} is before --from {first}. Give the first day and then the last one.")
    if last > today:
        raise BackfillRefused(f"--to {last} is in the future. The last day can be {today}.")
    after, before = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    if after < shown_until - MAX_AGE:
        oldest = (shown_until - MAX_AGE).astimezone(zone).date() + timedelta(days=1)
        raise BackfillRefused(f"Amazon returns orders of the last two years. The first day can be {oldest}.")
    if _midnight(first + timedelta(days=1), zone) <= start:
        raise BackfillRefused(
            f"Orders that were placed before {start:%Y-%m-%dT%H:%M:%SZ} are not invoiced here: start in the "
            f"connection's settings says so. To enter those from {first} on, set start to {after:%Y-%m-%dT%H:%M:%SZ}, "
            f"run make connect, and ask again after five minutes. Otherwise begin on {_first_day(start, zone)}."
        )
    return Period(first, last, max(after, start), min(before, shown_until))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _first_day(start: datetime, zone: ZoneInfo) -> date:
    """Return the first day that has orders since `start`."""
    return start.astimezone(zone).date()
