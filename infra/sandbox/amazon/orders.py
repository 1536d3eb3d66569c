"""Orders API v2026-01-01: searchOrders and getOrder over the current version of each order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sandbox.amazon.errors import invalid_input, not_found
from sandbox.amazon.page_tokens import Page, bound_parameters
from sandbox.amazon.time_index import Partition, TimeIndex
from sandbox.amazon.times import format_time, parse_time, time_parameter
from sandbox.amazon.versions import Version, read_json
from sandbox.wire import Request, Response, dumps

INCLUDED_DATA = frozenset(
    (
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    )
)
# block -> the data set it belongs to. A block that is not listed is base data, which is always returned.
ORDER_BLOCKS = {
    "buyer": "BUYER",
    "recipient": "RECIPIENT",
    "proceeds": "PROCEEDS",
    "payment": "PAYMENT",
    "tax": "TAX",
    "fulfillment": "FULFILLMENT",
    "packages": "PACKAGES",
    "fulfillmentOrders": "FULFILLMENT_ORDERS",
}
ITEM_BLOCKS = {
    "proceeds": "PROCEEDS",
    "expense": "EXPENSE",
    "promotion": "PROMOTION",
    "cancellation": "CANCELLATION",
    "fulfillment": "FULFILLMENT",
    "tax": "TAX",
}
STATUSES = frozenset(
    ("PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE")
)
# searchOrders: the end of the period must be at least this long before the request.
PUBLICATION_DELAY = timedelta(minutes=2)
TOKEN_LIFETIME = timedelta(hours=24)
# "does not display order data that is more than two years old, except in the JP, AU, and SG marketplaces"
MAX_AGE = timedelta(days=730)
MARKETPLACES_WITHOUT_MAX_AGE = frozenset(("A1VC38T7YXB528", "A39IBJ37TRP1C6", "A19VAU5U5O7RUS"))
# The parameters that every page must repeat; maxResultsPerPage and includedData may differ.
BOUND_PARAMETERS = (
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "fulfillmentStatuses",
    "marketplaceIds",
    "fulfilledBy",
)


@dataclass(slots=True)
class _IndexedOrder:
    """The current version of an order and its position in the indexes.

    partition: marketplace, status, fulfilled by.
    """

    text: str
    created_at: datetime
    updated_at: datetime
    partition: tuple[str | None, str, str | None]


class Orders:
    """The orders at their newest version.

    read_order_ids: ids of the orders that a client has read.
    """

    def __init__(self, two_year_limit: bool = False) -> None:
        self._two_year_limit = two_year_limit
        self._orders: dict[str, _IndexedOrder] = {}
        self._by_created = TimeIndex()
        self._by_updated = TimeIndex()
        self.read_order_ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._orders)

    def put(self, version: Version, order: Mapping[str, Any]) -> str | None:
        """Store the version with the content `order` and return the JSON of the previous version.

        Raise ValueError if a newer version is stored, which `forget` removes first.
        """
        fulfillment = order["fulfillment"]
        indexed = _IndexedOrder(
            version.text,
            parse_time(order["createdTime"]),
            version.at,
            (
                order["salesChannel"].get("marketplaceId"),
                fulfillment["fulfillmentStatus"],
                fulfillment.get("fulfilledBy"),
            ),
        )
        previous = self._orders.get(version.key)
        if previous is not None:
            if version.at < previous.updated_at:
                raise ValueError(
                    f"order {version.key}: lastUpdatedTime {format_time(version.at)} is earlier than the "
                    f"{format_time(previous.updated_at)} of the stored version; send a later one"
                )
            self.forget(version.key)
        self._orders[version.key] = indexed
        self._by_created.add(indexed.partition, indexed.created_at, version.key)
        self._by_updated.add(indexed.partition, indexed.updated_at, version.key)
        return previous.text if previous else None

    def forget(self, order_id: str) -> None:
        """Remove an order, so that an earlier version of it can be stored."""
        order = self._orders.pop(order_id, None)
        if order is not None:
            self._by_created.remove(order.partition, order.created_at, order_id)
            self._by_updated.remove(order.partition, order.updated_at, order_id)

    def get_order(self, request: Request, order_id: str, now: datetime) -> Response:
        included = _included_data(request)
        order = self._orders.get(order_id)
        if order is None or self._is_hidden(order, now):
            raise not_found("The requested order was not found.")
        self.read_order_ids.add(order_id)
        return _json(f'{{"order": {_render(order.text, included)}}}')

    def search_orders(self, request: Request, now: datetime) -> Response:
        created, updated = request.parameter("createdAfter"), request.parameter("lastUpdatedAfter")
        if (created is None) == (updated is None):
            raise invalid_input("Exactly one of createdAfter and lastUpdatedAfter must be provided.")
        time_field, other_field, index = (
            ("created", "lastUpdated", self._by_created)
            if updated is None
            else ("lastUpdated", "created", self._by_updated)
        )
        if request.parameter(f"{other_field}Before") is not None:
            raise invalid_input(f"{other_field}Before cannot be provided together with {time_field}After.")
        included = _included_data(request)
        statuses = _enumeration(request, "fulfillmentStatuses", STATUSES)
        fulfilled_by = _enumeration(request, "fulfilledBy", frozenset(("MERCHANT", "AMAZON")))
        marketplaces = set(request.list_parameter("marketplaceIds"))
        if len(marketplaces) > 50:
            raise invalid_input("marketplaceIds must not have more than 50 values.")
        size = _page_size(request)
        start, latest = time_parameter(request, f"{time_field}After"), (now - PUBLICATION_DELAY).replace(microsecond=0)
        assert start is not None  # noqa: S101 - exactly one of the two was given
        before = time_parameter(request, f"{time_field}Before")
        if before is not None and before > latest:
            raise invalid_input(f"{time_field}Before must be at least two minutes before the time of the request.")
        before = before or latest
        bound = bound_parameters(request, BOUND_PARAMETERS)
        after = None
        if token := request.parameter("paginationToken"):
            page = Page.read(token, "paginationToken", bound, now, TOKEN_LIFETIME)
            after, before = page.after, page.before
        elif before < start:
            raise invalid_input(
                f"{time_field}After must not be later than {time_field}Before (by default two minutes ago)."
            )

        def matches(partition: Partition) -> bool:
            marketplace, status, fulfiller = partition
            return (
                (not marketplaces or marketplace in marketplaces)
                and (not statuses or status in statuses)
                and (not fulfilled_by or fulfiller in fulfilled_by)
            )

        texts: list[str] = []
        extra: dict[str, object] = {}
        for position in index.scan(matches, start, after):
            if position[0] > before:
                break
            order = self._orders[position[1]]
            if self._is_hidden(order, now):
                continue
            if len(texts) == size:
                extra["pagination"] = {"nextToken": Page(after, before, now).token(bound)}
                break
            texts.append(_render(order.text, included))
            self.read_order_ids.add(position[1])
            after = position
        extra[f"{time_field}Before"] = format_time(before)
        return _json(f'{{"orders": [{", ".join(texts)}], {dumps(extra)[1:]}')

    def _is_hidden(self, order: _IndexedOrder, now: datetime) -> bool:
        return (
            self._two_year_limit
            and order.partition[0] not in MARKETPLACES_WITHOUT_MAX_AGE
            and order.created_at < now - MAX_AGE
        )


def _json(text: str) -> Response:
    return Response(200, text.encode(), {"content-type": "application/json; charset=utf-8"})


@lru_cache(maxsize=4096)
def _render(text: str, included: frozenset[str]) -> str:
    """Return an order's JSON with its base data and the included data sets."""
    if included == INCLUDED_DATA:
        return text
    order = _select_blocks(ORDER_BLOCKS, included, read_json(text))
    order["orderItems"] = [_select_blocks(ITEM_BLOCKS, included, item) for item in order["orderItems"]]
    return dumps(order)


def _select_blocks(blocks: dict[str, str], included: frozenset[str], content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in blocks or blocks[name] in included}


def _included_data(request: Request) -> frozenset[str]:
    return _enumeration(request, "includedData", INCLUDED_DATA)


def _enumeration(request: Request, name: str, known: frozenset[str]) -> frozenset[str]:
    given = frozenset(request.list_parameter(name))
    if not given <= known:
        raise invalid_input(f"{name} has an unknown value {min(given - known)}.")
    return given


def _page_size(request: Request) -> int:
    given = request.parameter("maxResultsPerPage")
    if given is None:
        return 100
    if not given.isdecimal() or not 1 <= int(given) <= 100:
        raise invalid_input("maxResultsPerPage must be between 1 and 100.")
    return int(given)
