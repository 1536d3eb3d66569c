"""Charges in the shape of Amazon's Finances API v2024-06-19, made up: `charge("C1", OurPricePrincipal="24")`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fakes.refunds import item_refund, refund
from fakes.state import NOON


def charge(
    transaction_id: str,
    order_id: str = "A",
    posted: datetime = NOON,
    currency: str = "GBP",
    **leaves: str,
) -> dict[str, Any]:
    """Return a Shipment transaction of one item with these amounts, by breakdown type; two underscores for a hyphen."""
    item = item_refund(currency=currency, **leaves)
    return refund(transaction_id, item, order_id=order_id, posted=posted, kind="Shipment", currency=currency)


def copy_of(original: dict[str, Any]) -> dict[str, Any]:
    """Return the transaction that Amazon adds when it releases a deferred one: it repeats its amounts."""
    identifiers = [
        *original["relatedIdentifiers"],
        {"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": original["transactionId"]},
    ]
    return {**original, "transactionId": f"copy of {original['transactionId']}", "relatedIdentifiers": identifiers}
