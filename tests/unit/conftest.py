"""What every unit test relies on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amazon_to_xero.runtime import observability


@pytest.fixture(autouse=True)
def _no_metrics_are_left() -> Iterator[None]:
    """Metrics that are counted outside a handler are not written with those of the next test's handler."""
    yield
    observability.metrics.clear_metrics()
