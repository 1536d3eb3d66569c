"""How template.yaml spells the resources of a capability or function."""

from __future__ import annotations


def logical_name(name: str) -> str:
    """Return the first part of the logical ids and outputs of a capability: `inventory_alerts` -> `InventoryAlerts`."""
    return "".join(part.capitalize() for part in name.split("_"))
