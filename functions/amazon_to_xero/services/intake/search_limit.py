"""Until when a page of Amazon's is complete."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_to_xero.ports.amazon import OrderPage

# searchOrders and listTransactions show changes two minutes late; ten seconds for clocks that differ.
SEARCH_DELAY = timedelta(seconds=130)


def limit_of(page: OrderPage, asked_at: datetime, updated_before: datetime | None = None) -> datetime:
    """Return until when (UTC) a page shows every update: what Amazon states.

    Amazon may leave it out. Then it is what was asked for, `updated_before`, and never later than the time from which
    on searchOrders does not show changes yet.
    """
    return page.updated_before if page.updated_before is not None else shown_until(asked_at, updated_before)


def shown_until(asked_at: datetime, before: datetime | None) -> datetime:
    """Return until when (UTC) Amazon shows anything that was asked for up to `before`, where it does not state it."""
    latest = asked_at - SEARCH_DELAY
    return latest if before is None else min(before, latest)
