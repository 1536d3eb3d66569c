"""Failed days are found, previewed and replayed like failed orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.closed_day import DayState
from amazon_to_xero.domain.replay.failure import OpenFailure
from amazon_to_xero.services.replay.failures import FailedRows, ReplayedConnection
from operations.watched_rows import failed_rows
from unit.services.planning.day_connection import MONDAY, DayConnection

SOURCE = f"day#{MONDAY}"


@pytest.fixture
def failed() -> DayConnection:
    """Return a connection whose Monday is locked."""
    connection = DayConnection()
    connection.sell("A")
    connection.xero.settings = replace(connection.xero.settings, period_lock=date(2026, 11, 23))
    connection.connection.services.organisation.expire()
    connection.close_day()
    assert connection.day().state is DayState.FAILED
    return connection


def test_failed_day_is_an_open_failure_of_the_shipments_function(failed: DayConnection) -> None:
    connection = ReplayedConnection(failed.name, failed.seller_id, failed.store)
    (found,) = FailedRows(connection).after(())

    assert isinstance(found.failure, OpenFailure)
    assert (found.failure.capability, found.failure.source, found.failure.order_id) == (SHIPMENTS, SOURCE, "")
    assert found.failure.reason == "PERIOD_LOCKED"


def test_failed_day_is_listed_for_operators(failed: DayConnection) -> None:
    (row,) = failed_rows(failed.store)

    assert (row.key, row.source, row.reason) == (f"DAY#{MONDAY}", SOURCE, "PERIOD_LOCKED")
    assert row.stated_at == failed.day().closed_at


def test_preview_of_a_day_says_what_is_planned_again(failed: DayConnection) -> None:
    preview = failed.connection.preview.of([SOURCE], failed.clock.now() + timedelta(minutes=1))[SOURCE]

    assert (preview.state, preview.reason) == ("FAILED", "PERIOD_LOCKED")
    assert "from the same entries" in preview.note
