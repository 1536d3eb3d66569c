"""ports.SellerApi: orders from Amazon's Orders API v2026-01-01."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sp_api.api import OrdersV20260101

from amazon_to_xero.adapters.amazon.client import AmazonCredentials, HardenedClient, call, connected_client
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.ports.amazon import (
    AmazonUnavailable,
    Json,
    OrderPage,
)

# What the books need. RECIPIENT for the destination country and region, which decide the tax; TAX for who is
# responsible for it. Not BUYER: nothing that is booked depends on who bought.
INCLUDED_DATA = ("PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX", "RECIPIENT")


INCLUDED_DATA_WITHOUT_DESTINATION = tuple(part for part in INCLUDED_DATA if part != "RECIPIENT")


BUYER = "BUYER"  # who bought; needs a role with access to buyer data


PAGE_SIZE = 100  # Amazon: searchOrders, maxResultsPerPage


class _Orders(HardenedClient, OrdersV20260101):  # type: ignore[misc]  # sp_api ships no types
    pass


class AmazonSellerApi:
    """ports.SellerApi over the Orders API v2026-01-01. Build it once per process: a TLS context costs 20 ms.

    `region` is na, eu or fe. `api_url` and `lwa_url` (the whole token URL) replace Amazon's own. `included_data` are
    the parts of an order to ask for; adding BUYER needs a role with access to buyer data. Safe to use from threads.
    """

    def __init__(
        self,
        credentials: AmazonCredentials,
        region: str,
        *,
        api_url: str | None = None,
        lwa_url: str | None = None,
        included_data: Sequence[str] = INCLUDED_DATA,
    ) -> None:
        if not included_data:
            raise ValueError("included_data is empty: an order without PROCEEDS and TAX cannot be booked")
        self._client = connected_client(_Orders, credentials, region, api_url, lwa_url)
        self._included_data = tuple(included_data)

    def get_order(self, order_id: str) -> Json:
        if not order_id:
            raise ValueError("order_id is empty; getOrder needs an Amazon order id such as 026-1234567-1234567")
        operation = "getOrder"
        answer = call(operation, self._client.get_order, order_id, includedData=list(self._included_data))
        order = answer.get("order")
        if not isinstance(order, dict) or order.get("orderId") != order_id:
            raise AmazonUnavailable(operation, 200, "answer does not hold the order asked for")
        return order

    def search_orders(
        self, *, updated_after: datetime, updated_before: datetime | None = None, page_token: str | None = None
    ) -> OrderPage:
        if updated_after.tzinfo is None:
            raise ValueError("updated_after has no time zone; pass an aware UTC datetime")
        operation = "searchOrders"
        parameters: dict[str, Any] = {
            # Milliseconds cut off, never rounded up: a later time would skip an order.
            "lastUpdatedAfter": _stamp(updated_after),
            "includedData": list(self._included_data),
            "maxResultsPerPage": PAGE_SIZE,
        }
        if updated_before is not None:
            parameters["lastUpdatedBefore"] = _stamp(updated_before)
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
        try:
            updated_before = parse_timestamp(answer.get("lastUpdatedBefore"), "lastUpdatedBefore")
        except ValueError as error:
            # Without the limit Amazon applied nobody knows how far the page reaches.
            raise AmazonUnavailable(operation, 200, str(error)) from None
        return OrderPage(orders, next_token, updated_before)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_order(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("orderId"), str) and bool(value["orderId"])
