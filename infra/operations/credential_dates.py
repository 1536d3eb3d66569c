"""Since when Amazon's credentials in a connection's secret are in use: they end, each at a time of its own.

Each has a date beside it, which changes only with the value. The time of the whole secret (`connected_at`) cannot
say it: storing anything else of the secret, such as a new consent of Xero, changes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

# Amazon's credentials that end -> the field beside it with the time since when it is in use (UTC).
DATE_OF = {"client_secret": "client_secret_since", "refresh_token": "refresh_token_since"}


def with_dates(document: Mapping[str, Any], stored: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """Return the secrets document with the dates of Amazon's credentials.

    document: about to be stored. A date that it states itself stays, unless it is the replaced value's.
    stored: the document that it replaces; empty if there is none.
    """
    amazon, before = document.get("amazon"), stored.get("amazon")
    if not isinstance(amazon, dict):
        return document
    dates = {
        date: since
        for credential, date in DATE_OF.items()
        if (since := _since(credential, before, stored.get("connected_at"), amazon, now)) is not None
    }
    return {**document, "amazon": {**amazon, **dates}}


def _since(credential: str, before: Any, connected_at: Any, amazon: Mapping[str, Any], now: datetime) -> str | None:
    """Return since when a credential is in use; None where a secret of an earlier version does not say it.

    connected_at: when the secret with the part `before` was stored: what it has is at least as old.
    """
    date = DATE_OF[credential]
    earlier = before if isinstance(before, dict) else {}
    is_same = earlier.get(credential) == amazon.get(credential)
    stated = amazon.get(date)
    if stated is not None and (is_same or stated != earlier.get(date)):  # else it is the date of the value before
        return str(stated)
    if not is_same:
        return now.isoformat()
    since = earlier.get(date) or connected_at
    return None if since is None else str(since)
