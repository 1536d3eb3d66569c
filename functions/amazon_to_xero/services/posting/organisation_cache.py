"""The organisation as last read from Xero, kept so that a burst of orders costs no reads of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Conflict, StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroError, XeroUnavailable
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.state_updates import update_cursor

_NAME = "organisation"
_STORED = TypeAdapter(Organisation)
_MAX_AGE = timedelta(hours=12)
_ANY_AGE = timedelta(days=3650)
_JUST_READ = timedelta(seconds=30)


def stored_organisation(store: StateStore) -> Organisation | None:
    """Return the organisation as some worker read it last, however long ago; None where none was read."""
    text = store.cursor(_NAME).data.get("json", "")
    return _STORED.validate_json(text) if text else None


class OrganisationCache:
    """Reads Xero's settings at most once in twelve hours, shared by all workers through the store.

    The worker that reads them logs what of them does not fit the connection's settings.
    """

    def __init__(
        self,
        xero: XeroApi | None,
        store: StateStore,
        pauses: Pauses,
        clock: Clock,
        policy: PostingPolicy,
        decisions: DecisionLog,
    ) -> None:
        """`xero` is None where Xero is not called; then what was read last is taken, however long ago that was."""
        self._xero = xero
        self._store = store
        self._pauses = pauses
        self._clock = clock
        self._policy = policy
        self._decisions = decisions
        self._held: Organisation | None = None
        self._held_text = ""  # as it is stored

    def unavailable_reason(self) -> str:
        """Return why the organisation's accounts and tax rates cannot be had at the moment; empty when they can."""
        self._load()  # another worker may have read it again since, or may have had it expire
        organisation = self.available()
        return "" if isinstance(organisation, Organisation) else organisation

    def available(self, max_age: timedelta | None = None) -> Organisation | str:
        """Return the organisation, not older than `max_age`, or why it cannot be had at the moment.

        Xero is not called while it is paused, and pauses where it does not answer.
        """
        if (known := self._known(max_age)) is not None:
            return known
        if self._pauses.until("xero"):
            return WaitReason.XERO_PAUSED
        try:
            return self.current(max_age)
        except XeroError as problem:
            return self._pauses.pause_xero(problem)[1]

    def current(self, max_age: timedelta | None = None) -> Organisation:
        """Return the organisation, not older than `max_age`. Raises what XeroApi.organisation raises."""
        organisation = self._known(max_age)
        if organisation is None:
            if self._xero is None:
                raise XeroUnavailable("organisation", None, "its accounts and tax rates were never read")
            organisation = self._held = self._xero.organisation()
            self._held_text = _STORED.dump_json(organisation).decode()
            data = {"json": self._held_text}
            with suppress(Conflict):  # other workers have just stored what they read; all of it is current
                update_cursor(self._store, _NAME, lambda _: data)
            for finding in preflight(self._policy, organisation, self._policy.start):
                self._decisions.record("PREFLIGHT_FINDING", reason=finding.code, remedy=finding.remedy)
        return organisation

    def expire(self) -> None:
        """Have it read again before anything else is planned, by any worker; it was not read just now."""
        if self._known(_JUST_READ) is None:
            self._held, self._held_text = None, ""
            with suppress(Conflict):  # other workers have it expire, or have just read it
                update_cursor(self._store, _NAME, lambda row: {} if row.data else None)

    def _known(self, max_age: timedelta | None = None) -> Organisation | None:
        """Return what some worker read within `max_age`, with all that the settings name, without asking Xero."""
        oldest = self._clock.now() - (_ANY_AGE if self._xero is None else max_age or _MAX_AGE)
        if not self._is_held(oldest):
            self._load()
        return self._held if self._is_held(oldest) else None

    def _is_held(self, oldest: datetime) -> bool:
        """Whether the organisation in memory is recent enough, and was read with every list that the settings need."""
        held = self._held
        return held is not None and held.read_at >= oldest and held.lists.cover(self._policy.lists_to_read)

    def _load(self) -> None:
        """Take what is stored, where that is not in memory yet."""
        text = self._store.cursor(_NAME).data.get("json", "")
        if text != self._held_text or self._held is None:
            self._held, self._held_text = _STORED.validate_json(text) if text else None, text
