"""Amazon's timestamps as aware UTC times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from amazon_to_xero.domain.timestamps import parse_timestamp


@pytest.mark.parametrize("text", ["2026-11-02T10:00:00Z", "2026-11-02T10:00:00.000Z", "2026-11-02T12:00:00+02:00"])
def test_timestamp_is_converted_to_utc(text: str) -> None:
    parsed = parse_timestamp(text, "lastUpdatedTime")

    assert (parsed, parsed.tzinfo) == (datetime(2026, 11, 2, 10, tzinfo=UTC), UTC)


@pytest.mark.parametrize("wrong", ["2026-11-02T10:00:00", "soon", "", None, 17, "1970-01-01T00:00:00Z"])
def test_invalid_timestamp_is_refused_by_the_name_of_its_field(wrong: Any) -> None:
    with pytest.raises(ValueError, match="lastUpdatedTime"):
        parse_timestamp(wrong, "lastUpdatedTime")
