"""The pools of stock: whether the marketplaces that share one state the same units, and no others do."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_to_xero.services.inventory.pool_check import stored_pool_findings
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.finding import DoctorFinding, Severity, Side


def check_stock_pools(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find what the last sweep of stock says against the pools of the settings. Amazon is not called."""
    policy = checked.settings.stock_policy()
    if policy is None:
        return
    for finding in stored_pool_findings(checked.session.store(checked.name), policy):
        what, _, remedy = finding.remedy.partition(". ")
        yield DoctorFinding(Severity.AT_RISK, Side.CONNECTION, f"{finding.code}: {what}", remedy)
