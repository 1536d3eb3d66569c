"""What the application does in Xero, and the scopes that a consent needs for it (Xero: OAuth 2.0 scopes)."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator

#: What the application does -> the scopes of which one is needed for it; the first is the one to ask for.
SCOPES = {
    "write invoices and credit notes": ("accounting.invoices", "accounting.transactions"),
    "write payments": ("accounting.payments", "accounting.transactions"),
    "write contacts": ("accounting.contacts",),
    "read the settings": ("accounting.settings.read", "accounting.settings"),
}
#: What it does only with one invoice per day.
_ATTACHING = {"attach the lists of orders to the invoices of days": ("accounting.attachments",)}
#: Without it a consent ends after 30 minutes: there is no refresh token. A custom connection does without.
OFFLINE = "offline_access"
#: What a consent in the browser is asked for, also where the settings are not written yet.
REQUESTED = (OFFLINE, *(alternatives[0] for alternatives in {**SCOPES, **_ATTACHING}.values()))


def missing_scopes(granted: Collection[str], *, attaches: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what the application cannot do, and the scope that it lacks for it.

    attaches: whether the connection has one invoice per day, with lists of its orders attached.
    """
    for purpose, alternatives in {**SCOPES, **(_ATTACHING if attaches else {})}.items():
        if not set(granted) & set(alternatives):
            yield purpose, alternatives[0]


def granted_scopes(token: str) -> frozenset[str]:
    """Return the scopes in an access token of Xero, a JSON Web Token; none where it is no such token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scope = claims["scope"]
    except (IndexError, ValueError, KeyError, TypeError):
        return frozenset()
    return frozenset(scope.split() if isinstance(scope, str) else scope)
