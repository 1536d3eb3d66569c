"""How old Amazon's credentials are: a client secret ends, and so does the authorisation of a public application."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from amazon_to_xero.runtime.settings import ConnectionSecrets
from operations.doctor.finding import DoctorFinding, Severity, Side

SECRET_LASTS = timedelta(days=180)  # Amazon: a client secret has to be rotated within 180 days
_CONSENT_LASTS = timedelta(days=365)  # Amazon: an authorisation of a public application has to be renewed by then
_NOTICE = timedelta(days=30)


def check_ages(secrets: ConnectionSecrets, now: datetime) -> Iterator[DoctorFinding]:
    """Find credentials that end within a month. The dates are those by which Amazon ends them at the latest."""
    ends = secret_ends(secrets)
    if ends is not None and now > ends - _NOTICE:
        yield DoctorFinding(
            Severity.AT_RISK,
            Side.AMAZON,
            f"the application's client secret is {(now - ends + SECRET_LASTS).days} days old or older; "
            f"Amazon ends it by {ends:%Y-%m-%d}, 180 days after it was made",
            "Rotate it in Seller Central, Develop Apps: run connect amazon and enter the new one.",
        )
    authorised = secrets.amazon.refresh_token_since or secrets.connected_at
    if authorised is not None and now > authorised + _CONSENT_LASTS - _NOTICE:
        yield DoctorFinding(
            Severity.NOTE,  # whether the application is public cannot be found out
            Side.AMAZON,
            f"the seller's authorisation was stored {(now - authorised).days} days ago; that of a public application "
            "ends after 365, that of a private one does not",
            "Renew that of a public one in Seller Central, Manage Your Apps: run connect amazon and enter the new "
            "refresh token.",
        )


def secret_ends(secrets: ConnectionSecrets) -> datetime | None:
    """Return when Amazon ends the client secret at the latest (UTC); None where its age is not known.

    A secret of an earlier version states only when all of it was stored.
    """
    since = secrets.amazon.client_secret_since or secrets.connected_at
    return None if since is None else since + SECRET_LASTS
