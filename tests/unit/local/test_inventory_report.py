"""What a run leaves of stock."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast
from unittest.mock import MagicMock

from local.endpoint import CloudEndpoint
from local.inventory_report import inventory_summary

OUTPUTS = {"TableName": "table", "ReportBucketName": "reports"}


def without_stock() -> CloudEndpoint:
    """Return a cloud on which nobody has heard of stock, and nothing was reconciled."""
    clients: dict[str, Any] = {name: MagicMock() for name in ("sqs", "dynamodb", "s3")}
    clients["sqs"].receive_message.return_value = {}
    clients["dynamodb"].get_paginator().paginate.return_value = []
    clients["s3"].list_objects_v2.return_value = {}
    cloud = MagicMock()
    cloud.client.side_effect = clients.__getitem__
    return cast(CloudEndpoint, cloud)


def test_run_without_a_reconciliation_leaves_no_report_of_an_earlier_run(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    folder.mkdir()
    (folder / "stock.html").write_text("of another seller")

    printed = inventory_summary(without_stock(), OUTPUTS, folder)

    assert "Stock was not reconciled" in printed
    assert sorted(each.name for each in folder.iterdir()) == ["alerts.txt", "levels.json"]
