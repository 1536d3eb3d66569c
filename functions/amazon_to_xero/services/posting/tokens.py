"""Xero access tokens: one refresh at a time per connection.

A refresh token can be used once. Workers that refreshed side by side would invalidate each other's tokens, so a refresh
happens under a lease, and its result counts only if no other worker stored a newer one meanwhile. A worker that died
between Xero's answer and the store, or whose answer was lost, leaves the old refresh token, which Xero accepts again
for 30 minutes (Xero: OAuth 2.0). So the row states that a refresh began, and `finish_renewal` repeats it.

Workers keep the connection's secret for some minutes. So for a while after a new `make connect` some have the older
secret: they use the tokens that were stored from the newer one, and neither replace nor renew them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.ports.xero import (
    TokenSet,
    XeroGrantRefused,
    XeroIdentity,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroUnavailable,
)

_NAME = "xero-token"
_EARLY = timedelta(minutes=2)  # a token is renewed so long before it ends
_LEASE = timedelta(seconds=45)  # longer than the token endpoint's time-out


class XeroTokens:
    """ports.AccessTokens. Raises XeroNotAuthorised when a person has to connect again, XeroUnavailable to try later.

    seed: the refresh token that the connect command stored; None for a custom connection. A new seed replaces
        whatever was rotated from the old one.
    connected_at: when the connect command stored the secret (UTC). Where it is not known of both secrets, nobody can
        tell which is newer, and another seed than that of the stored tokens replaces them.
    """

    def __init__(
        self,
        identity: XeroIdentity,
        store: StateStore,
        clock: Clock,
        decisions: DecisionLog,
        owner: str,
        seed: str | None,
        connected_at: datetime | None = None,
    ) -> None:
        self._identity = identity
        self._store = store
        self._clock = clock
        self._decisions = decisions
        self._owner = owner
        self._seed = seed
        self._connected_at = connected_at
        self._held: TokenSet | None = None

    def current(self) -> str:
        if self._held is None or not self._fresh(self._held):
            self._held = self._stored_or_new(stale=None)
        return self._held.access_token

    def renewed(self, stale: str) -> str:
        self._held = self._stored_or_new(stale)
        return self._held.access_token

    def finish_renewal(self) -> None:
        """Repeat a refresh that began and did not end. Call it every few minutes."""
        row = self._store.cursor(_NAME)
        if "begun_at" in row.data:
            begun = self._read(row)
            with suppress(XeroNotAuthorised, XeroUnavailable):
                self._held = self._stored_or_new(begun.access_token if begun else None)

    def _fresh(self, token: TokenSet) -> bool:
        return token.expires_at - _EARLY > self._clock.now()

    def _stored_or_new(self, stale: str | None) -> TokenSet:
        row = self._store.cursor(_NAME)
        stored = self._read(row)
        if stored and stored.access_token != stale and self._fresh(stored):
            return stored
        self._raise_if_replaced(row)
        now = self._clock.now()
        lease = self._store.acquire(_NAME, self._owner, now, now + _LEASE)
        if lease is None:
            raise XeroUnavailable("connectToken", None, "another worker is renewing the access token")
        try:
            return self._renew(stale)
        finally:
            self._store.release(lease)

    def _renew(self, stale: str | None) -> TokenSet:
        row = self._store.cursor(_NAME)
        stored = self._read(row)
        if stored and stored.access_token != stale and self._fresh(stored):
            return stored  # another worker renewed it while this one waited for the lease
        self._raise_if_replaced(row)
        row = self._begun(row, stored)
        try:
            new = self._ask(stored)
        except XeroGrantRefused as refused:
            self._store.save([replace(row, data=_ended(row.data))])  # asking again would not help
            self._decisions.record(
                "XERO_GRANT_REFUSED",
                reason=FailureCode.XERO_NOT_AUTHORISED,
                remedy=FAILURES[FailureCode.XERO_NOT_AUTHORISED].remedy,
                code=refused.code,
            )
            raise XeroNotAuthorised("connectToken", 400, f"the grant was refused: {refused.code}") from None
        except XeroOutcomeUnknown as unknown:
            raise XeroUnavailable("connectToken", unknown.status, "no usable answer of the token endpoint") from None
        data = {"access_token": new.access_token, "expires_at": new.expires_at.isoformat(), **self._origin(row)}
        if new.refresh_token:
            data["refresh_token"] = new.refresh_token
        # Stored before it is used: a rotated refresh token that only a dying worker knew would be lost.
        if not self._store.save([Cursor(_NAME, data, row.generation)]):
            return self._read(self._store.cursor(_NAME)) or new  # another worker stored a newer one meanwhile
        self._decisions.record("XERO_TOKEN_RENEWED")
        return new

    def _begun(self, row: Cursor, stored: TokenSet | None) -> Cursor:
        """Store that a refresh begins, before Xero rotates the refresh token; client credentials rotate nothing."""
        if self._seed is None:
            return row
        data = {**(row.data if stored else {}), **self._origin(row), "begun_at": self._clock.now().isoformat()}
        saved = self._store.save([replace(row, data=data)])
        if not saved:
            raise XeroUnavailable("connectToken", None, "another worker is renewing the access token")
        return saved[_NAME]

    def _ask(self, stored: TokenSet | None) -> TokenSet:
        if self._seed is None:
            return self._identity.client_credentials()
        rotated = stored.refresh_token if stored else None
        return self._identity.refresh(rotated or self._seed)

    def _read(self, row: Cursor) -> TokenSet | None:
        is_of_this_secret = row.data.get("seed") == self._seed_mark()
        if "access_token" not in row.data or not (is_of_this_secret or self._is_replaced(row)):
            return None
        return TokenSet(
            row.data["access_token"], datetime.fromisoformat(row.data["expires_at"]), row.data.get("refresh_token")
        )

    def _is_replaced(self, row: Cursor) -> bool:
        """Whether the row was made from a newer secret than this worker's."""
        stored_at = _connected_at(row)
        return (
            row.data.get("seed") != self._seed_mark()
            and self._connected_at is not None
            and stored_at is not None
            and stored_at > self._connected_at
        )

    def _raise_if_replaced(self, row: Cursor) -> None:
        if self._is_replaced(row):
            message = "this worker has the secret of an earlier connect; it reads the newer one within minutes"
            raise XeroUnavailable("connectToken", None, message)

    def _origin(self, row: Cursor) -> dict[str, str]:
        """Return what states which secret the stored tokens are made from."""
        mark = self._seed_mark()
        same = _connected_at(row) if row.data.get("seed") == mark else None
        newest = max((at for at in (same, self._connected_at) if at), default=None)
        return {"seed": mark, "connected_at": newest.isoformat()} if newest else {"seed": mark}

    def _seed_mark(self) -> str:
        return hashlib.sha256((self._seed or "").encode()).hexdigest()[:16]


def _connected_at(row: Cursor) -> datetime | None:
    text = row.data.get("connected_at")
    return datetime.fromisoformat(text) if text else None


def _ended(data: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in data.items() if name != "begun_at"}
