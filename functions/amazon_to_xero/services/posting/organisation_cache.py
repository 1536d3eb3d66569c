"""The organisation as last read from Xero, kept so that a burst of orders costs no reads of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from pydantic import TypeAdapter

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import Journal
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.ports.xero import XeroApi

_NAME = "organisation"
_STORED = TypeAdapter(Organisation)


class KnownOrganisation:
    """Reads Xero's settings at most once in `max_age`, shared by all workers through the store.

    Whoever has read them says in the journal what of them does not fit the connection's settings.
    """

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        clock: Clock,
        policy: PostingPolicy,
        journal: Journal,
        max_age: timedelta = timedelta(hours=12),
    ) -> None:
        self._xero = xero
        self._store = store
        self._clock = clock
        self._policy = policy
        self._journal = journal
        self._max_age = max_age
        self._held: Organisation | None = None

    def current(self, max_age: timedelta | None = None) -> Organisation:
        """Not older than `max_age`. Raises what XeroApi.organisation raises."""
        known = self.known(max_age)
        if known is None:
            known = self._held = self._xero.organisation()
            row = self._store.cursor(_NAME)
            with suppress(Conflict):  # another worker has just stored what it read; both are current
                self._store.save_cursor(Cursor(_NAME, {"json": _STORED.dump_json(known).decode()}, row.generation))
            for problem in preflight(self._policy, known, self._policy.start):
                self._journal.note("PREFLIGHT", reason=problem.reason, hint=problem.hint)
        return known

    def known(self, max_age: timedelta | None = None) -> Organisation | None:
        """What some worker read within `max_age`, without asking Xero."""
        oldest = self._clock.now() - (max_age or self._max_age)
        if self._held is None or self._held.read_at < oldest:
            row = self._store.cursor(_NAME)
            self._held = _STORED.validate_json(row.data["json"]) if row.data else None
        return self._held if self._held is not None and self._held.read_at >= oldest else None
