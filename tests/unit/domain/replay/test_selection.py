"""What a person selects for a replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amazon_to_xero.domain.replay.failure import OpenFailure
from amazon_to_xero.domain.replay.selection import ReplayFilter

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAILURE = OpenFailure(
    "orders",
    '{"reprocess": {"connection": "main", "source": "order#204-0000100-0000100"}}',
    "main",
    "order#204-0000100-0000100",
    "204-0000100-0000100",
    "TAX_UNMAPPED",
    "Add a rule for SKU BLUE-MUG to tax.rules.",
    NOW - 3 * HOUR,
)


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(ReplayFilter(), id="everything"),
        pytest.param(ReplayFilter(functions=frozenset({"orders", "refunds"})), id="function"),
        pytest.param(ReplayFilter(connection="main"), id="connection"),
        pytest.param(ReplayFilter(order_id="204-0000100-0000100"), id="order"),
        pytest.param(ReplayFilter(source="order#204-0000100-0000100"), id="source"),
        pytest.param(ReplayFilter(reason="TAX_UNMAPPED"), id="failure code"),
        pytest.param(ReplayFilter(older_than=3 * HOUR), id="older than its age"),
        pytest.param(ReplayFilter(newer_than=3 * HOUR), id="newer than its age"),
        pytest.param(ReplayFilter(older_than=HOUR, newer_than=4 * HOUR), id="between two ages"),
        pytest.param(ReplayFilter(text="blue-mug"), id="text of the remedy, in any case"),
        pytest.param(ReplayFilter(text="reprocess"), id="text of the message"),
        pytest.param(ReplayFilter(reason="TAX_UNMAPPED", text="tax.rules"), id="two fields that fit"),
    ],
)
def test_failure_that_fits_every_field_is_selected(selection: ReplayFilter) -> None:
    assert selection.selects(FAILURE, NOW)


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(ReplayFilter(functions=frozenset({"shipments"})), id="another function"),
        pytest.param(ReplayFilter(connection="second"), id="another connection"),
        pytest.param(ReplayFilter(order_id="204-0000100-0000101"), id="another order"),
        pytest.param(ReplayFilter(order_id="204-0000100"), id="a part of the order id"),
        pytest.param(ReplayFilter(reason="TAX_UNMATCHED"), id="another code"),
        pytest.param(ReplayFilter(older_than=4 * HOUR), id="not so old"),
        pytest.param(ReplayFilter(newer_than=2 * HOUR), id="older"),
        pytest.param(ReplayFilter(text="red mug"), id="another text"),
        pytest.param(ReplayFilter(reason="TAX_UNMAPPED", text="red mug"), id="one field of two"),
    ],
)
def test_failure_that_misses_one_field_is_not_selected(selection: ReplayFilter) -> None:
    assert not selection.selects(FAILURE, NOW)


@pytest.mark.parametrize("selection", [ReplayFilter(older_than=HOUR), ReplayFilter(newer_than=HOUR)])
def test_failure_without_a_letter_has_no_age_and_fits_no_filter_by_age(selection: ReplayFilter) -> None:
    assert not selection.selects(replace(FAILURE, failed_at=None), NOW)
