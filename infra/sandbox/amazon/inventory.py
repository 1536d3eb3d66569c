"""FBA Inventory API v1: getInventorySummaries over the current stock levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.amazon.errors import invalid_input
from sandbox.amazon.page_tokens import Page, bound_parameters
from sandbox.amazon.time_index import DISTANT_PAST, Position, TimeIndex
from sandbox.amazon.times import time_parameter
from sandbox.amazon.versions import Version
from sandbox.wire import Request, Response

PAGE_SIZE = 50
TOKEN_LIFETIME = timedelta(seconds=30)
MAX_AGE = timedelta(days=548)  # 18 months, for startDateTime
# The parameters that every page must repeat.
BOUND_PARAMETERS = (
    "details",
    "granularityType",
    "granularityId",
    "startDateTime",
    "sellerSkus",
    "sellerSku",
    "marketplaceIds",
)


@dataclass(slots=True)
class _StockLevel:
    summary: dict[str, Any]
    updated_at: datetime
    text: str


class Inventory:
    """The current stock levels, one per marketplace and SKU."""

    def __init__(self) -> None:
        self._levels: dict[str, _StockLevel] = {}
        self._by_updated = TimeIndex()

    def __len__(self) -> int:
        return len(self._levels)

    def put(self, version: Version, content: Mapping[str, Any]) -> str | None:
        """Store the version with the content given and return the JSON of the previous version."""
        summary = dict(content)
        marketplace = summary.pop("marketplaceId")
        previous = self._levels.get(version.key)
        if previous is not None:
            self._by_updated.remove((marketplace,), previous.updated_at, version.key)
        self._levels[version.key] = _StockLevel(summary, version.at, version.text)
        self._by_updated.add((marketplace,), version.at, version.key)
        return previous.text if previous else None

    def get_inventory_summaries(self, request: Request, now: datetime) -> Response:
        if request.parameter("granularityType") != "Marketplace":
            raise invalid_input("granularityType must be Marketplace.")
        marketplaces = list(dict.fromkeys(request.list_parameter("marketplaceIds")))
        if len(marketplaces) != 1:
            raise invalid_input("marketplaceIds must have exactly one value.")
        if request.parameter("granularityId") != marketplaces[0]:
            raise invalid_input("granularityId must be the marketplace in marketplaceIds.")
        details = (request.parameter("details") or "false").lower()
        if details not in ("true", "false"):
            raise invalid_input("details must be true or false.")
        start = time_parameter(request, "startDateTime")
        if start is not None and start < now - MAX_AGE:
            raise invalid_input("startDateTime must not be more than 18 months before the time of the request.")
        skus = request.list_parameter("sellerSkus")
        if len(skus) > 50:
            raise invalid_input("sellerSkus must not have more than 50 values.")
        if single := request.parameter("sellerSku"):
            skus = [single]
        bound = bound_parameters(request, BOUND_PARAMETERS)
        after = None
        if token := request.parameter("nextToken"):
            after = Page.read(token, "nextToken", bound, now, TOKEN_LIFETIME).after

        summaries: list[dict[str, Any]] = []
        body: dict[str, Any] = {
            "payload": {
                "granularity": {"granularityType": "Marketplace", "granularityId": marketplaces[0]},
                "inventorySummaries": summaries,
            }
        }
        for position in self._positions(marketplaces[0], skus, start, after):
            if len(summaries) == PAGE_SIZE:
                body["pagination"] = {"nextToken": Page(after, now, now).token(bound)}
                break
            summary = self._levels[position[1]].summary
            if details == "false":
                summary = {name: value for name, value in summary.items() if name != "inventoryDetails"}
            summaries.append(summary)
            after = position
        return Response.of_json(body)

    def _positions(
        self, marketplace: str, skus: list[str], start: datetime | None, after: Position | None
    ) -> Iterator[Position]:
        if not skus:
            return self._by_updated.scan(lambda partition: partition == (marketplace,), start or DISTANT_PAST, after)
        keys = (f"{marketplace}/{sku}" for sku in dict.fromkeys(skus))
        positions = ((self._levels[key].updated_at, key) for key in keys if key in self._levels)
        # A request names at most 50 SKUs, so they always fit on one page.
        return iter(sorted(position for position in positions if start is None or position[0] >= start))
