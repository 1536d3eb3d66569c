"""Until when a page of searchOrders is complete."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_to_xero.ports.amazon import OrderPage

SEARCH_DELAY = timedelta(seconds=130)  # searchOrders shows changes two minutes late; ten seconds for clocks that differ


def limit_of(page: OrderPage, asked_at: datetime, updated_before: datetime | None = None) -> datetime:
    """Return until when (UTC) a page shows every update: what Amazon states.

    Amazon may leave it out. Then it is what was asked for, `updated_before`, and never later than the time from which
    on searchOrders does not show changes yet.
    """
    if page.updated_before is not None:
        return page.updated_before
    shown_until = asked_at - SEARCH_DELAY
    return shown_until if updated_before is None else min(updated_before, shown_until)
