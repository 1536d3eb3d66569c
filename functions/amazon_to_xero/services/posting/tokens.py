"""Xero access tokens: one refresh at a time per connection.

A refresh token can be used once. Workers that refreshed side by side would invalidate each other's tokens, so a refresh
happens under a lease, and its result counts only if no other worker stored a newer one meanwhile. A worker that died
between Xero's answer and the store, or whose answer was lost, leaves the old refresh token, which Xero accepts again
for 30 minutes (Xero: OAuth 2.0). So the row states that a refresh began, and `finish_renewal` repeats it.

The tokens are stored encrypted, because more people may read the table than may write invoices. What an earlier version
stored as plain text is still read, and encrypted by the next `finish_renewal`.

Workers keep the connection's secret for some minutes. So for a while after a new `make connect` some have the older
secret: they use the tokens that were stored from the newer one, and neither replace nor renew them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.encryption import Encryption, KeyRefused, KeyUnavailable
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.ports.xero import (
    TokenSet,
    XeroGrantRefused,
    XeroIdentity,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroTokensUnreadable,
    XeroUnavailable,
)

_NAME = "xero-token"
_EARLY = timedelta(minutes=2)  # a token is renewed so long before it ends
_LEASE = timedelta(seconds=45)  # longer than the token endpoint's time-out


class XeroTokens:
    """ports.AccessTokens.

    Raises XeroNotAuthorised when a person has to connect again, XeroTokensUnreadable when a person has to allow the use
    of the key, XeroUnavailable to try later.

    seed: the refresh token that the connect command stored; None for a custom connection. A new seed replaces
        whatever was rotated from the old one.
    connected_at: when the connect command stored the secret (UTC). Where it is not known of both secrets, nobody can
        tell which is newer, and another seed than that of the stored tokens replaces them.
    encryption: how tokens are stored; None stores them as plain text, for tests.
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
        encryption: Encryption | None = None,
    ) -> None:
        self._identity = identity
        self._store = store
        self._clock = clock
        self._decisions = decisions
        self._owner = owner
        self._seed = seed
        self._connected_at = connected_at
        self._encryption = encryption
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
            with suppress(XeroNotAuthorised, XeroTokensUnreadable, XeroUnavailable):
                begun = self._read(row)
                self._held = self._stored_or_new(begun.access_token if begun else None)
        elif "access_token" in row.data and self._encryption:
            with suppress(KeyRefused, KeyUnavailable):  # the next renewal reports it
                plain = _tokens_of(row.data)
                self._store.save([replace(row, data={**_without_tokens(row.data), **self._encrypted(plain)})])

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
        data = {**self._storable(row, new), **self._origin(row)}
        # Stored before it is used: a rotated refresh token that only a dying worker knew would be lost.
        if not self._store.save([Cursor(_NAME, data, row.generation)]):
            return self._read(self._store.cursor(_NAME)) or new  # another worker stored a newer one meanwhile
        self._decisions.record("XERO_TOKEN_RENEWED")
        return new

    def _begun(self, row: Cursor, stored: TokenSet | None) -> Cursor:
        """Store that a refresh begins, before Xero rotates the refresh token; client credentials rotate nothing.

        Whatever keeps the tokens from being encrypted is raised here: afterwards, the new refresh token would be lost.
        """
        if self._seed is None:
            return row
        held = self._storable(row, stored or TokenSet("", self._clock.now(), self._seed))
        data = {**(held if stored else {}), **self._origin(row), "begun_at": self._clock.now().isoformat()}
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
        """Return the stored tokens. Raises XeroUnavailable, or XeroTokensUnreadable for a refused key."""
        is_of_this_secret = row.data.get("seed") == self._seed_mark()
        if not (is_of_this_secret or self._is_replaced(row)):
            return None
        if "access_token" in row.data:
            return _tokens_of(row.data)
        if "encrypted" not in row.data or not self._encryption:
            return None
        try:
            plain = json.loads(self._encryption.decrypt(row.data["encrypted"]))
        except KeyUnavailable as problem:
            raise _key_unavailable(problem) from None
        except KeyRefused as problem:
            if self._seed is None:
                return None  # a custom connection simply asks for new ones
            raise self._unreadable(row, problem) from None
        return _tokens_of({**row.data, **plain})

    def _storable(self, row: Cursor, tokens: TokenSet) -> dict[str, str]:
        """Return what is stored of tokens. Raises XeroUnavailable, or XeroTokensUnreadable for a refused key."""
        try:
            return self._encrypted(tokens)
        except KeyUnavailable as problem:
            raise _key_unavailable(problem) from None
        except KeyRefused as problem:
            raise self._unreadable(row, problem) from None

    def _encrypted(self, tokens: TokenSet) -> dict[str, str]:
        plain = {"access_token": tokens.access_token}
        if tokens.refresh_token:
            plain["refresh_token"] = tokens.refresh_token
        expires = {"expires_at": tokens.expires_at.isoformat()}
        if self._encryption is None:
            return {**plain, **expires}
        return {"encrypted": self._encryption.encrypt(json.dumps(plain)), **expires}

    def _unreadable(self, row: Cursor, problem: KeyRefused) -> XeroTokensUnreadable:
        """Log that the key is refused, and repeat no refresh: that would only be refused again, every minute."""
        if "begun_at" in row.data:
            self._store.save([replace(row, data=_ended(row.data))])
        code = FailureCode.XERO_TOKENS_UNREADABLE
        self._decisions.record(code, reason=code, remedy=FAILURES[code].remedy, code=str(problem))
        return XeroTokensUnreadable("connectToken", None, f"the key of the stored tokens is refused: {problem}")

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


def _key_unavailable(problem: KeyUnavailable) -> XeroUnavailable:
    return XeroUnavailable("connectToken", None, f"the key of the stored tokens cannot be used now: {problem}")


def _tokens_of(data: Mapping[str, str]) -> TokenSet:
    return TokenSet(data["access_token"], datetime.fromisoformat(data["expires_at"]), data.get("refresh_token"))


def _without_tokens(data: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in data.items() if name not in ("access_token", "refresh_token")}


def _connected_at(row: Cursor) -> datetime | None:
    text = row.data.get("connected_at")
    return datetime.fromisoformat(text) if text else None


def _ended(data: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in data.items() if name != "begun_at"}
