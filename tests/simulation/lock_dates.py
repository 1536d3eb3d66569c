"""Lock dates that an accountant sets in Xero while documents are planned and posted, moves forward, and takes back.

With `invoices.lock_dates: next_open_day` a document that belongs in a locked period is dated on the first open day;
with `hold` it fails, and a person hears of it.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from simulation.culprits import MENDED_TOO_EARLY
from simulation.scheduler import START

if TYPE_CHECKING:
    from simulation.history import OrderHistory
    from simulation.world import World

_SHARE = 0.12  # of the worlds without faults that last
_TODAY = START.date()
_DAYS = (_TODAY - timedelta(days=2), _TODAY - timedelta(days=1), _TODAY)
LOCKED = "PERIOD_LOCKED"


class DrawnLockDates:
    """The lock dates of one world; none in most.

    moves_dates: whether the settings have documents dated on the first open day.
    """

    def __init__(self, world: World, moves_dates: bool | None) -> None:
        """`moves_dates`: what the settings say in a world that has lock dates, instead of a draw of both."""
        self._world = world
        rng = world._stream("lock dates")
        is_drawn = rng.random() < _SHARE or moves_dates is not None
        if world.culprits.kinds:
            is_drawn = False  # what Xero refuses may be lost for good there, like every other answer
        self.moves_dates = rng.random() < 0.6 if moves_dates is None else moves_dates
        self._set: list[tuple[float, date | None]] = []
        if is_drawn:
            days = sorted(rng.sample(_DAYS, rng.choice((1, 1, 2))))
            moments = sorted(rng.random() * world.length for _ in days)
            self._set += zip(moments, days, strict=True)
            if rng.random() < 0.3:
                self._set.append((moments[-1] + rng.random() * 7200.0, None))

    @property
    def are_drawn(self) -> bool:
        return bool(self._set)

    def plan(self) -> None:
        for at, day in self._set:
            self._world.scheduler.after(at, partial(self._is_set, day))

    def _is_set(self, day: date | None) -> None:
        self._world.log("accountant", f"locks Xero until {day}")
        self._world.xero.books.configure({"Organisation": {"PeriodLockDate": day.isoformat() if day else None}})

    def days_of(self, day: str | None) -> frozenset[str | None]:
        """Return the days on which something may be booked that belongs on that day."""
        if day is None or not self.moves_dates:
            return frozenset({day})
        locked = (each for _, each in self._set if each is not None and each >= date.fromisoformat(day[:10]))
        return frozenset({day, *((each + timedelta(days=1)).isoformat() for each in locked)})

    def fails_with(self, one: OrderHistory) -> frozenset[str]:
        """Return how documents may fail because of lock dates: also those that refer to one that failed.

        An order that is held is not planned, so that what had failed before stays failed.
        """
        if self._set and not self.moves_dates:
            return MENDED_TOO_EARLY | {LOCKED}
        return frozenset({LOCKED, "REFERENCE_FAILED"} if self._set and self._is_content_unknown(one) else ())

    def _is_content_unknown(self, one: OrderHistory) -> bool:
        """Whether Xero refused to change an invoice of which it is not known what it states: a person decides.

        An answer of Xero was lost, and the order changed again before the invoice was looked up.
        """
        rows = self._world.table.rows.values()
        refused = (row for row in rows if row.sk.startswith("DOCUMENT#invoice#") and row.reason == LOCKED)
        stored = (json.loads(row.data) for row in refused if row.state == "FAILED")
        return any(
            data["order_id"] == one.order_id and data["xero_id"] and not data["applied_digest"] for data in stored
        )
