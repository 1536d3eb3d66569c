"""Names of the capabilities that a plan can assign work to. runtime/capabilities says what each of them consists of."""

from __future__ import annotations

ORDERS = "orders"  # reads orders, plans drafts
SHIPMENTS = "shipments"  # plans what has shipped or was cancelled
REFUNDS = "refunds"  # reads Amazon's finance transactions, plans credit notes
INVENTORY_ALERTS = "inventory_alerts"  # reads stock at Amazon, plans nothing: it sends alerts
