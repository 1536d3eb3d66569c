"""Stock levels from Amazon's FBA Inventory API v1."""

from __future__ import annotations

from typing import Any

from sp_api.api.inventories.inventories import Inventories

from amazon_to_xero.adapters.amazon.answers import call
from amazon_to_xero.adapters.amazon.client import AmazonCredentials, HardenedClient, connected_client
from amazon_to_xero.ports.amazon import AmazonUnavailable, Json, SummaryPage

_OPERATION = "getInventorySummaries"


class AmazonInventoryApi:
    """ports.InventoryApi over the FBA Inventory API. Build it once per process: a TLS context costs 20 ms. Thread-safe.

    It never asks by `sellerSkus`, a list that a comma in a SKU would split; `sellerSku` takes one SKU as it is.
    """

    def __init__(
        self, credentials: AmazonCredentials, region: str, *, api_url: str | None = None, lwa_url: str | None = None
    ) -> None:
        """Connect to a region: na, eu or fe. Raises ValueError for arguments that cannot be used.

        `api_url` and `lwa_url` (the whole token URL) replace Amazon's own.
        """
        self._client = connected_client(_Inventories, credentials, region, api_url, lwa_url)

    def inventory_summaries(
        self, marketplace: str, *, page_token: str | None = None, sku: str | None = None
    ) -> SummaryPage:
        parameters: dict[str, Any] = {
            "details": "true",
            "granularityType": "Marketplace",
            "granularityId": marketplace,
            "marketplaceIds": marketplace,
        }
        if sku is not None:
            parameters["sellerSku"] = sku
        if page_token is not None:
            parameters["nextToken"] = page_token
        return _page(call(_OPERATION, self._client.get_inventory_summary_marketplace, **parameters))


class _Inventories(HardenedClient, Inventories):  # type: ignore[misc]  # sp_api ships no types
    pass


def _page(answer: Json) -> SummaryPage:
    payload = answer.get("payload")
    summaries = payload.get("inventorySummaries") if isinstance(payload, dict) else None
    if not isinstance(summaries, list):
        raise AmazonUnavailable(_OPERATION, 200, "answer has no list of inventory summaries")
    pagination = answer.get("pagination")
    next_token = (pagination.get("nextToken") if isinstance(pagination, dict) else None) or None
    if not isinstance(next_token, str | None):
        raise AmazonUnavailable(_OPERATION, 200, "nextToken is no text")
    return SummaryPage(summaries, next_token)
