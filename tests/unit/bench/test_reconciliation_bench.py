"""The measurement of a reconciliation, with fewer SKUs than it measures by default."""

from __future__ import annotations

import pytest

from bench.reconciliation import main


def test_reconciliation_of_many_skus_meets_its_aims_and_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--skus", "1000", "--orders", "20"]) == 0

    printed = capsys.readouterr().out
    assert "1000 SKUs in 2 pools reconciled: {'FEWER_AT_AMAZON': 100, 'AGREES': 900}, 20 units sold" in printed
    assert "  20 calls of getInventorySummaries for pools with stock (at most 201)" in printed
