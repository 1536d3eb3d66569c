"""The organisation: the date of a document whose period is locked in Xero."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.failures import Failure
from fakes.books import ORGANISATION

JUNE, JULY = date(2026, 6, 30), date(2026, 7, 31)


@pytest.mark.parametrize(
    ("period_lock", "year_lock", "day", "open_day"),
    [
        (None, None, JUNE, JUNE),
        (JUNE, None, JUNE, date(2026, 7, 1)),
        (JUNE, None, date(2026, 7, 1), date(2026, 7, 1)),
        (None, JUNE, date(2025, 1, 1), date(2026, 7, 1)),
        (JUNE, JULY, date(2026, 7, 15), date(2026, 8, 1)),
        (JULY, JUNE, date(2026, 7, 15), date(2026, 8, 1)),
    ],
)
def test_document_of_a_locked_day_fails_or_is_dated_on_the_first_open_day(
    period_lock: date | None, year_lock: date | None, day: date, open_day: date
) -> None:
    organisation = replace(ORGANISATION, period_lock=period_lock, year_lock=year_lock)

    assert organisation.open_date(day, LockDates.NEXT_OPEN_DAY) == open_day
    if open_day == day:
        assert organisation.open_date(day, LockDates.HOLD) == day
    else:
        with pytest.raises(Failure, match="PERIOD_LOCKED") as caught:
            organisation.open_date(day, LockDates.HOLD)
        assert str(day) in caught.value.remedy
        assert "next_open_day" in caught.value.remedy
