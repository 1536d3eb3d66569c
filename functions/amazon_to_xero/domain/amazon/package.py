"""A package that the seller ships (Amazon: Orders API v2026-01-01, packages)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.timestamps import parse_timestamp


@dataclass(frozen=True)
class Package:
    """A package that the seller ships.

    reference: Amazon's packageReferenceId.
    shipped_at: when it was handed over (UTC); None before, and for a cancelled package.
    quantities: order item id -> quantity in the package.
    carrier, tracking: the carrier's name and the tracking number; empty where Amazon gives none.
    """

    reference: str
    shipped_at: datetime | None
    quantities: Mapping[str, int]
    carrier: str = ""
    tracking: str = ""


def read_package(raw: Mapping[str, Any]) -> Package:
    """Return the package in Amazon's object. Raises KeyError or ValueError for another shape than documented."""
    is_cancelled = (raw.get("packageStatus") or {}).get("status") == "CANCELLED"
    has_left = bool(raw.get("shipTime")) and not is_cancelled
    return Package(
        reference=raw.get("packageReferenceId") or "",
        shipped_at=parse_timestamp(raw["shipTime"], "packages.shipTime") if has_left else None,
        quantities=_quantities(raw.get("packageItems") or ()),
        carrier=raw.get("carrier") or "",
        tracking=raw.get("trackingNumber") or "",
    )


def _quantities(parts: Iterable[Mapping[str, Any]]) -> Mapping[str, int]:
    """Return the quantity of each item in a package, which may name an item more than once."""
    quantities: dict[str, int] = {}
    for part in parts:
        quantities[part["orderItemId"]] = quantities.get(part["orderItemId"], 0) + int(part["quantity"])
    return quantities
