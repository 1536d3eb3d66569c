"""The event about an alert, for other workflows."""

from __future__ import annotations

from dataclasses import asdict

from amazon_to_xero.domain.stock.alert import StockAlert
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.ports.outbound import InventoryAlertEvent, utc_text


def alert_event(alert: StockAlert, policy: StockPolicy) -> InventoryAlertEvent:
    """Return the event about an alert. A quantity that Amazon does not state is left out."""
    quantities = {name: units for name, units in asdict(alert.quantities).items() if units not in (None, {})}
    return InventoryAlertEvent(
        {
            "alert_id": alert.alert_id,
            "alert": alert.kind,
            "sku": alert.sku,
            "asin": alert.asin,
            "product_name": alert.product_name,
            "channel": alert.channel,
            "pool": alert.pool,
            "places": policy.marketplaces_of(alert.pool),
            "observed": utc_text(alert.at),
            "quantities": quantities,
            "fulfillable_before": alert.fulfillable_before,
            "low_units": alert.low_units,
            "sold_a_day": None if alert.sold_a_day is None else str(alert.sold_a_day),
        }
    )
