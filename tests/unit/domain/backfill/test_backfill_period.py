"""Which periods can be backfilled, and what the person is told where one cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from amazon_to_xero.domain.backfill.period import BackfillRefused, Period, period_of

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def period(first: date, last: date, zone: str = "Europe/London", start: datetime = START) -> Period:
    return period_of(first, last, zone, start, NOW)


def test_days_are_those_of_the_organisation() -> None:
    summer = period(date(2026, 6, 1), date(2026, 6, 30))

    assert (summer.after, summer.before) == (
        datetime(2026, 5, 31, 23, tzinfo=UTC),
        datetime(2026, 6, 30, 23, tzinfo=UTC),
    )
    assert summer.days == 30


def test_period_ends_with_what_amazon_shows_by_now() -> None:
    assert period(date(2026, 11, 1), date(2026, 11, 27)).before == NOW


def test_day_within_which_the_start_lies_begins_with_the_start() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)  # an hour after the day began in London

    assert period(date(2026, 6, 1), date(2026, 6, 30), start=start).after == start


@pytest.mark.parametrize(
    ("first", "last", "start", "problem"),
    [
        (date(2026, 2, 2), date(2026, 2, 1), START, "--to 2026-02-01 is before --from 2026-02-02"),
        (date(2026, 2, 2), date(2026, 12, 1), START, "in the future. The last day can be 2026-11-27"),
        (date(2024, 1, 1), date(2026, 1, 1), START, "The first day can be 2024-11-28"),
        (date(2025, 12, 31), date(2026, 1, 1), START, "set start to 2025-12-31T00:00:00Z, run make connect"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(first: date, last: date, start: datetime, problem: str) -> None:
    with pytest.raises(BackfillRefused, match=problem):
        period(first, last, start=start)
