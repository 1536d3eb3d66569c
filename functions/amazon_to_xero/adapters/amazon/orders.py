"""Orders from Amazon's Orders API v2026-01-01."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sp_api.api.orders.orders_2026_01_01 import OrdersV20260101

from amazon_to_xero.adapters.amazon.answers import call
from amazon_to_xero.adapters.amazon.client import (
    AmazonCredentials,
    HardenedClient,
    connected_client,
    timestamp_text,
)
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.ports.amazon import AmazonUnavailable, Json, OrderPage

# Names of Amazon's includedData. RECIPIENT holds the destination, which decides the tax; TAX says who owes it.
INCLUDED_DATA = ("PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX", "RECIPIENT")
INCLUDED_DATA_WITHOUT_DESTINATION = tuple(part for part in INCLUDED_DATA if part != "RECIPIENT")
BUYER = "BUYER"  # who bought: only needed for contacts of buyers, and only for a role with access to buyer data
PAGE_SIZE = 100  # Amazon: searchOrders, maxResultsPerPage


class AmazonSellerApi:
    """ports.SellerApi over the Orders API. Build it once per process: a TLS context costs 20 ms. Thread-safe."""

    def __init__(
        self,
        credentials: AmazonCredentials,
        region: str,
        *,
        api_url: str | None = None,
        lwa_url: str | None = None,
        included_data: Sequence[str] = INCLUDED_DATA,
    ) -> None:
        """Connect to a region: na, eu or fe. Raises ValueError for arguments that cannot be used.

        `api_url` and `lwa_url` (the whole token URL) replace Amazon's own. `included_data` are the parts of an order
        to request.
        """
        if not included_data:
            raise ValueError("included_data is empty; an order cannot be booked without PROCEEDS and TAX")
        self._client = connected_client(_Orders, credentials, region, api_url, lwa_url)
        self._included_data = tuple(included_data)

    def get_order(self, order_id: str) -> Json:
        if not order_id:
            raise ValueError("order_id is empty; getOrder needs an Amazon order id such as 026-1234567-1234567")
        operation = "getOrder"
        answer = call(operation, self._client.get_order, order_id, includedData=list(self._included_data))
        order = answer.get("order")
        if not isinstance(order, dict) or order.get("orderId") != order_id:
            raise AmazonUnavailable(operation, 200, "answer does not hold the requested order")
        return order

    def search_orders(
        self,
        *,
        updated_after: datetime,
        updated_before: datetime | None = None,
        page_token: str | None = None,
        marketplaces: Sequence[str] = (),
    ) -> OrderPage:
        if updated_after.tzinfo is None:
            raise ValueError("updated_after has no time zone; pass an aware UTC datetime")
        between = {"lastUpdatedAfter": timestamp_text(updated_after)}
        if updated_before is not None:
            between["lastUpdatedBefore"] = timestamp_text(updated_before)
        return self._search(between, page_token, marketplaces)

    def search_placed(
        self,
        *,
        placed_after: datetime,
        placed_before: datetime,
        page_token: str | None = None,
        marketplaces: Sequence[str] = (),
    ) -> OrderPage:
        if placed_after.tzinfo is None or placed_before.tzinfo is None:
            raise ValueError("placed_after or placed_before has no time zone; pass aware UTC datetimes")
        between = {"createdAfter": timestamp_text(placed_after), "createdBefore": timestamp_text(placed_before)}
        return self._search(between, page_token, marketplaces)

    def _search(self, between: Mapping[str, str], page_token: str | None, marketplaces: Sequence[str]) -> OrderPage:
        operation = "searchOrders"
        parameters: dict[str, Any] = {
            **between,
            "includedData": list(self._included_data),
            "maxResultsPerPage": PAGE_SIZE,
        }
        if marketplaces:
            parameters["marketplaceIds"] = list(marketplaces)
        if page_token is not None:
            parameters["paginationToken"] = page_token
        answer = call(operation, self._client.search_orders, **parameters)
        orders = answer.get("orders")
        if not isinstance(orders, list) or not all(_is_order(order) for order in orders):
            raise AmazonUnavailable(operation, 200, "answer has no list of orders")
        pagination = answer.get("pagination") or {}
        next_token = (pagination.get("nextToken") or None) if isinstance(pagination, dict) else None
        if not isinstance(pagination, dict) or not isinstance(next_token, str | None):
            raise AmazonUnavailable(operation, 200, "pagination has no text nextToken")
        return OrderPage(orders, next_token, _applied_limit(operation, answer.get("lastUpdatedBefore")))


class _Orders(HardenedClient, OrdersV20260101):  # type: ignore[misc]  # sp_api ships no types
    pass


def _applied_limit(operation: str, text: Any) -> datetime | None:
    """Return the limit that Amazon applied; None where it states none, which the model allows."""
    if text is None:
        return None
    try:
        return parse_timestamp(text, "lastUpdatedBefore")
    except ValueError as error:
        raise AmazonUnavailable(operation, 200, str(error)) from None


def _is_order(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("orderId"), str) and bool(value["orderId"])
