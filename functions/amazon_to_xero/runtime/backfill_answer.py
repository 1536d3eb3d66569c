"""What the replay function answers to a person who asks about backfills: JSON without buyer data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from amazon_to_xero.domain.backfill.backfill import Backfill, BackfillState
from amazon_to_xero.domain.backfill.forecast import Range
from amazon_to_xero.ports.outbound import utc_text
from amazon_to_xero.runtime.replay_request import BackfillAction, BackfillEvent
from amazon_to_xero.services.backfill.forecast import NotedForecast
from amazon_to_xero.services.backfill.requests import BackfillRequests

_STATES: Mapping[BackfillAction, BackfillState] = {
    BackfillAction.PAUSE: BackfillState.PAUSED,
    BackfillAction.RESUME: BackfillState.RUNNING,
    BackfillAction.CANCEL: BackfillState.CANCELLED,
}


def backfill_answer(backfills: BackfillRequests, asked: BackfillEvent) -> dict[str, Any]:
    """Do what is asked, and return what came of it. Raises BackfillRefused and Conflict."""
    if asked.action is BackfillAction.FORECAST:
        return forecast_answer(backfills.forecast(*asked.days, asked.share))
    if asked.action is BackfillAction.START:
        return stated(backfills.begin(*asked.days, asked.share, asked.by, asked.reason))
    return stated(backfills.change(_STATES[asked.action], asked.by))


def forecast_answer(noted: NotedForecast) -> dict[str, Any]:
    """Return a forecast: each range as [low, high], high null where nothing bounds it."""
    found, locked = noted.forecast, noted.forecast.locked
    ranges = {
        "orders": found.orders,
        "to_enter": found.to_enter,
        "calls_to_amazon": found.amazon_calls,
        "calls_to_xero": found.xero_calls,
        "days": found.days,
    }
    return {
        **{name: _pair(each) for name, each in ranges.items()},
        "locked_until": locked.until.isoformat() if locked.until else "",
        "locked_is_held": locked.is_held,
        "locked_orders": list(locked.orders),
        "note": noted.note,
    }


def stated(backfill: Backfill) -> dict[str, Any]:
    """Return a backfill as it is shown: what was asked for, by whom, and how far it is."""
    return {
        "number": backfill.number,
        "from": backfill.period.first.isoformat(),
        "to": backfill.period.last.isoformat(),
        "state": backfill.state,
        "days": backfill.period.days,
        "days_read": backfill.days_read,
        **asdict(backfill.counts),
        "open": len(backfill.open),
        "waits_for": backfill.waits_for,
        "left_out_marketplaces": list(backfill.left_out),
        "percent": backfill.share.percent,
        "calls": backfill.share.calls,
        "author": backfill.author,
        "reason": backfill.reason,
        "created_at": utc_text(backfill.created_at),
        "changed_by": backfill.changed_by,
        "changed_at": utc_text(backfill.changed_at) if backfill.changed_at else None,
    }


def _pair(found: Range | None) -> list[int | None] | None:
    return None if found is None else [found.low, found.high]
