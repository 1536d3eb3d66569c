"""A seller whose whole history is played and entered, with the real services and adapters over both sandboxes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.ports.state import RecordStore
from amazon_to_xero.runtime.connection import Connection
from bench.in_process import RUN_FOR, InProcessConnection
from fakes.state import RecordingDeadLetters
from sandbox.amazon import Seller
from sandbox.amazon.versions import Version

_SHOWN_AFTER = timedelta(minutes=3)  # searchOrders shows a change two minutes later
#: When a row was read or heard of last, and since when it waits. It says nothing of the books.
_TIMES = frozenset({"read_at", "noticed_at", "awaited_since", "first_read_at"})
#: Amazon's status of a transaction, which changes nothing. Of an order that is planned once more: which documents its
#: plan asked for, with those that should not exist and never did, and which number an invoice would have.
_OF_NO_EFFECT = frozenset({"TRANSACTION status", "ORDER documents", "ORDER invoice_number"})


class PlayedSeller:
    """One seller in virtual time. Until `play` nothing has happened."""

    def __init__(self, folder: Path) -> None:
        self.versions: list[Version] = Seller.load(folder).history()
        self.letters = RecordingDeadLetters()
        first = min(version.at for version in self.versions)
        self.start = min(first, self._first_placed()) - timedelta(days=1)
        self.process = InProcessConnection(
            self.start, seller=Seller.load(folder), at=first - timedelta(hours=1), dead_letters=self.letters
        )
        self.connection: Connection = self.process._connection
        self.store: RecordStore = self.connection.services.store
        self.clock = self.process.clock

    @property
    def order_ids(self) -> list[str]:
        return sorted({version.key for version in self.versions if version.kind == "order"})

    def play(self) -> None:
        """Let the history happen: each version is notified three minutes later, and the sweeps run every hour."""
        for version in self.versions:
            self.pass_until(version.at + _SHOWN_AFTER)
            self.process.amazon.play(until=version.at)
            self.notify([version])

    def notify(self, versions: Iterable[Version]) -> None:
        """Deliver the notification of each version, and run the functions that take them."""
        self.process.renew_amazon_token()
        services = self.connection.services
        for version in versions:
            if version.kind == "order":
                services.notices.record([ChangeNotice(version.key, version.at)])
            elif version.kind == "transaction":
                services.transaction_notices.record([ChangeNotice("", version.at)])
        self.minutes(2)

    def pass_until(self, at: datetime, every: timedelta = timedelta(hours=6)) -> None:
        """Let time pass, with a sweep of each kind every so often."""
        while self.clock.now() < at:
            self.clock.sleep(min(every, at - self.clock.now()).total_seconds())
            self.sweep()

    def sweep(self) -> None:
        """Run the sweeps of orders and of transactions, and the minutely function after them."""
        self.process.renew_amazon_token()
        for capability in (ORDERS, REFUNDS):
            self.connection.worker.sweep(capability, "sweep", self.clock.now() + RUN_FOR)
        self.minutes(2)

    def minutes(self, count: int) -> None:
        """Run the functions that take events, and the minutely one, so many times."""
        for _ in range(count):
            self.process._events.deliver(self.process._plan_shipped)
            self.clock.sleep(60)
            self.connection.worker.run("resume", self.clock.now() + RUN_FOR)

    # --- what is there ------------------------------------------------------------------------------------------------

    def writes(self) -> int:
        """Return how many calls have written to Xero."""
        calls = self.process.xero.calls
        return sum(call.method in ("POST", "PUT") and "/connect/" not in call.path for call in calls)

    def rows(self) -> dict[str, Any]:
        """Return what every row says, but for cursors, and for when a row was stored, read, or is due."""
        rows = self.process.table._rows.items()
        return {
            key: (row.state, row.reason, row.remedy, _without_times(json.loads(row.data)))
            for key, row in rows
            if not key.startswith(("CURSOR#", "LEASE#", "BACKFILL#"))
        }

    def books(self) -> dict[str, Any]:
        """Return what the rows say of the books: without what has no effect, see _OF_NO_EFFECT."""
        return {
            key: (*stated, {name: value for name, value in data.items() if f"{_type(key)} {name}" not in _OF_NO_EFFECT})
            for key, (*stated, data) in self.rows().items()
            if not (_type(key) == "DOCUMENT" and data["tombstone"] and not data["xero_id"])
        }

    def states(self, prefix: str) -> dict[str, str]:
        """Return the state of each row of a type, by key."""
        rows = self.process.table._rows.items()
        return {key: f"{row.state} {row.reason}".strip() for key, row in rows if key.startswith(prefix)}

    def _first_placed(self) -> datetime:
        placed = [version.read()["createdTime"] for version in self.versions if version.kind == "order"]
        return min(map(datetime.fromisoformat, placed))


def _type(key: str) -> str:
    return key.partition("#")[0]


def _without_times(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in _TIMES}
