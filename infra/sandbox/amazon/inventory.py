"""FBA Inventory API v1: getInventorySummaries over the stock levels that are known now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.amazon.errors import invalid_input
from sandbox.amazon.paging import DISTANT_PAST, Page, Position, TimeIndex, parameters_of, time_parameter
from sandbox.amazon.seller import Version
from sandbox.wire import Request, Response

PAGE_SIZE = 50
TOKEN_LIFE = timedelta(seconds=30)
EARLIEST = timedelta(days=548)  # 18 months
BOUND = ("details", "granularityType", "granularityId", "startDateTime", "sellerSkus", "sellerSku", "marketplaceIds")


@dataclass(slots=True)
class _Listed:
    summary: dict[str, Any]
    updated: datetime
    text: str


class Inventory:
    """The stock levels Amazon shows: one per marketplace and SKU."""

    def __init__(self) -> None:
        self._levels: dict[str, _Listed] = {}
        self._by_updated = TimeIndex()

    def __len__(self) -> int:
        return len(self._levels)

    def put(self, version: Version, content: Mapping[str, Any]) -> str | None:
        """Makes a version, whose content is given, the current stock level; returns the text of the one before."""
        summary = dict(content)
        marketplace = summary.pop("marketplaceId")
        before = self._levels.get(version.key)
        if before is not None:
            self._by_updated.remove((marketplace,), before.updated, version.key)
        self._levels[version.key] = _Listed(summary, version.at, version.text)
        self._by_updated.add((marketplace,), version.at, version.key)
        return before.text if before else None

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
        if start is not None and start < now - EARLIEST:
            raise invalid_input("startDateTime must not be more than 18 months before the time of the request.")
        skus = request.list_parameter("sellerSkus")
        if len(skus) > 50:
            raise invalid_input("sellerSkus must not have more than 50 values.")
        if single := request.parameter("sellerSku"):
            skus = [single]
        bound = parameters_of(request, BOUND)
        after = None
        if token := request.parameter("nextToken"):
            after = Page.read(token, "nextToken", bound, now, TOKEN_LIFE).after

        found: list[dict[str, Any]] = []
        answer: dict[str, Any] = {
            "payload": {
                "granularity": {"granularityType": "Marketplace", "granularityId": marketplaces[0]},
                "inventorySummaries": found,
            }
        }
        for position in self._positions(marketplaces[0], skus, start, after):
            if len(found) == PAGE_SIZE:
                answer["pagination"] = {"nextToken": Page(after, now, now).token(bound)}
                break
            summary = self._levels[position[1]].summary
            if details == "false":
                summary = {name: value for name, value in summary.items() if name != "inventoryDetails"}
            found.append(summary)
            after = position
        return Response.of_json(answer)

    def _positions(
        self, marketplace: str, skus: list[str], start: datetime | None, after: Position | None
    ) -> Iterator[Position]:
        if not skus:
            return self._by_updated.scan(lambda part: part == (marketplace,), start or DISTANT_PAST, after)
        keys = (f"{marketplace}/{sku}" for sku in dict.fromkeys(skus))
        positions = ((self._levels[key].updated, key) for key in keys if key in self._levels)
        # At most 50 SKUs can be asked for, so they always fit on one page.
        return iter(sorted(position for position in positions if start is None or position[0] >= start))
