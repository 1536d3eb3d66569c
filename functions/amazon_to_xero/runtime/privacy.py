"""What is known of an Amazon order: the newest version read, without buyer data, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The parts of Amazon's Order that bookkeeping needs. A list of what is kept, not of what is dropped: a field that
# Amazon adds tomorrow is not stored until somebody has looked whether it says who the buyer is.
_KEPT: Mapping[str, Any] = {
    "orderId": True,
    "createdTime": True,
    "lastUpdatedTime": True,
    "programs": True,
    "associatedOrders": True,
    "salesChannel": True,
    "proceeds": True,
    "recipient": {"deliveryAddress": {"countryCode": True, "stateOrRegion": True}},
    "fulfillment": {"fulfillmentStatus": True, "fulfilledBy": True},
    "packages": {
        "packageReferenceId": True,
        "packageStatus": True,
        "carrier": True,
        "trackingNumber": True,
        "shipTime": True,
        "packageItems": {"orderItemId": True, "quantity": True},
    },
    "orderItems": {
        "orderItemId": True,
        "quantityOrdered": True,
        "product": {"asin": True, "sellerSku": True, "title": True, "price": True},
        "proceeds": True,
        "cancellation": {"cancellationExecution": True},
        "fulfillment": {"quantityFulfilled": True, "quantityUnfulfilled": True},
        "tax": {
            "taxCollections": {"model": True, "responsibleParty": True},
            "taxCalculationBreakdowns": {"reportingScheme": True},
        },
    },
}


def without_buyer_data(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order as it may be stored: ids, amounts, states, destination country and region; nothing of the buyer."""
    kept: dict[str, Any] = _keep(order, _KEPT)
    return kept


def _keep(value: Any, wanted: Any) -> Any:
    if wanted is True:
        return value
    if isinstance(value, list):
        return [_keep(element, wanted) for element in value]
    if isinstance(value, Mapping):
        return {name: _keep(value[name], inner) for name, inner in wanted.items() if name in value}
    return None
