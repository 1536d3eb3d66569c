"""Orders API v2026-01-01: searchOrders and getOrder over the versions that are known now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sandbox.amazon.errors import invalid_input, not_found
from sandbox.amazon.paging import Page, Part, TimeIndex, parameters_of, stamp, time_parameter
from sandbox.amazon.seller import Version, moment, read_json
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
# The data set a block belongs to; what is not listed is base data and always there.
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
# searchOrders: the upper end of the period must be at least this long before the request.
SETTLING = timedelta(minutes=2)
TOKEN_LIFE = timedelta(hours=24)
# "does not display order data that is more than two years old, except in the JP, AU, and SG marketplaces"
TWO_YEARS = timedelta(days=730)
KEPT_LONGER = frozenset(("A1VC38T7YXB528", "A39IBJ37TRP1C6", "A19VAU5U5O7RUS"))
# A page token is only good for a request with the same of these (maxResultsPerPage and includedData may differ).
BOUND = (
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "fulfillmentStatuses",
    "marketplaceIds",
    "fulfilledBy",
)


@dataclass(slots=True)
class _Listed:
    """An order as it is now, and where it stands in the indices."""

    text: str
    created: datetime
    updated: datetime
    part: tuple[str | None, str, str | None]  # marketplace, status, fulfilled by


class Orders:
    """The orders Amazon shows: each at its newest version."""

    def __init__(self, two_year_limit: bool = False) -> None:
        self._two_year_limit = two_year_limit
        self._orders: dict[str, _Listed] = {}
        self._by_created = TimeIndex()
        self._by_updated = TimeIndex()
        self.shown: set[str] = set()  # ids of orders that somebody has read

    def __len__(self) -> int:
        return len(self._orders)

    def put(self, version: Version, order: Mapping[str, Any]) -> str | None:
        """Makes a version, whose content is `order`, the current truth; returns the JSON text of the one before.

        Raises ValueError when a newer version is already known: Amazon's own record never goes back in time.
        """
        fulfillment = order["fulfillment"]
        listed = _Listed(
            version.text,
            moment(order["createdTime"]),
            version.at,
            (
                order["salesChannel"].get("marketplaceId"),
                fulfillment["fulfillmentStatus"],
                fulfillment.get("fulfilledBy"),
            ),
        )
        before = self._orders.get(version.key)
        if before is not None:
            if version.at < before.updated:
                raise ValueError(
                    f"order {version.key}: lastUpdatedTime {stamp(version.at)} is earlier than the "
                    f"{stamp(before.updated)} already known; give a later one"
                )
            self._by_created.remove(before.part, before.created, version.key)
            self._by_updated.remove(before.part, before.updated, version.key)
        self._orders[version.key] = listed
        self._by_created.add(listed.part, listed.created, version.key)
        self._by_updated.add(listed.part, listed.updated, version.key)
        return before.text if before else None

    def get_order(self, request: Request, order_id: str, now: datetime) -> Response:
        included = _included_data(request)
        listed = self._orders.get(order_id)
        if listed is None or self._too_old(listed, now):
            raise not_found("The requested order was not found.")
        self.shown.add(order_id)
        return _json(f'{{"order": {_rendered(listed.text, included)}}}')

    def search_orders(self, request: Request, now: datetime) -> Response:
        created, updated = request.parameter("createdAfter"), request.parameter("lastUpdatedAfter")
        if (created is None) == (updated is None):
            raise invalid_input("Exactly one of createdAfter and lastUpdatedAfter must be provided.")
        by, other, index = (
            ("created", "lastUpdated", self._by_created)
            if updated is None
            else ("lastUpdated", "created", self._by_updated)
        )
        if request.parameter(f"{other}Before") is not None:
            raise invalid_input(f"{other}Before cannot be provided together with {by}After.")
        included = _included_data(request)
        statuses = _enumerated(request, "fulfillmentStatuses", STATUSES)
        fulfilled_by = _enumerated(request, "fulfilledBy", frozenset(("MERCHANT", "AMAZON")))
        marketplaces = set(request.list_parameter("marketplaceIds"))
        if len(marketplaces) > 50:
            raise invalid_input("marketplaceIds must not have more than 50 values.")
        size = _page_size(request)
        start, latest = time_parameter(request, f"{by}After"), (now - SETTLING).replace(microsecond=0)
        assert start is not None  # noqa: S101 - exactly one of the two was given
        before = time_parameter(request, f"{by}Before")
        if before is not None and before > latest:
            raise invalid_input(f"{by}Before must be at least two minutes before the time of the request.")
        before = before or latest
        bound = parameters_of(request, BOUND)
        after = None
        if token := request.parameter("paginationToken"):
            page = Page.read(token, "paginationToken", bound, now, TOKEN_LIFE)
            after, before = page.after, page.before
        elif before < start:
            raise invalid_input(f"{by}After must not be later than {by}Before (by default two minutes ago).")

        def wanted(part: Part) -> bool:
            marketplace, status, by_whom = part
            return (
                (not marketplaces or marketplace in marketplaces)
                and (not statuses or status in statuses)
                and (not fulfilled_by or by_whom in fulfilled_by)
            )

        found: list[str] = []
        answer: dict[str, object] = {}
        for position in index.scan(wanted, start, after):
            if position[0] > before:
                break
            listed = self._orders[position[1]]
            if self._too_old(listed, now):
                continue
            if len(found) == size:
                answer["pagination"] = {"nextToken": Page(after, before, now).token(bound)}
                break
            found.append(_rendered(listed.text, included))
            self.shown.add(position[1])
            after = position
        answer[f"{by}Before"] = stamp(before)
        return _json(f'{{"orders": [{", ".join(found)}], {dumps(answer)[1:]}')

    def _too_old(self, listed: _Listed, now: datetime) -> bool:
        return self._two_year_limit and listed.part[0] not in KEPT_LONGER and listed.created < now - TWO_YEARS


def _json(text: str) -> Response:
    return Response(200, text.encode(), {"content-type": "application/json; charset=utf-8"})


@lru_cache(maxsize=4096)
def _rendered(text: str, included: frozenset[str]) -> str:
    """An order's JSON with its base data and the blocks asked for."""
    if included == INCLUDED_DATA:
        return text
    order = _without(ORDER_BLOCKS, included, read_json(text))
    order["orderItems"] = [_without(ITEM_BLOCKS, included, item) for item in order["orderItems"]]
    return dumps(order)


def _without(blocks: dict[str, str], included: frozenset[str], content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in blocks or blocks[name] in included}


def _included_data(request: Request) -> frozenset[str]:
    return _enumerated(request, "includedData", INCLUDED_DATA)


def _enumerated(request: Request, name: str, known: frozenset[str]) -> frozenset[str]:
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
