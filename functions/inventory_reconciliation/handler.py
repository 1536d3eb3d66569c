"""Inventory reconciliation: Amazon's stock against Xero's tracked items, every week and on demand."""

from __future__ import annotations

from amazon_to_xero.runtime.reconciliation_handler import reconciliation_handler

handler = reconciliation_handler()
