"""Transactions from Amazon's Finances API v2024-06-19."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sp_api.api.finances.finances_2024_06_19 import FinancesV20240619

from amazon_to_xero.adapters.amazon.answers import call
from amazon_to_xero.adapters.amazon.client import (
    AmazonCredentials,
    HardenedClient,
    connected_client,
    timestamp_text,
)
from amazon_to_xero.ports.amazon import AmazonUnavailable, TransactionPage

_OPERATION = "listTransactions"


class AmazonFinancesApi:
    """ports.FinancesApi over the Finances API. Build it once per process: a TLS context costs 20 ms. Thread-safe.

    It never names a marketplace: with one, Amazon leaves out what sellers in the United States ship themselves.
    """

    def __init__(
        self, credentials: AmazonCredentials, region: str, *, api_url: str | None = None, lwa_url: str | None = None
    ) -> None:
        """Connect to a region: na, eu or fe. Raises ValueError for arguments that cannot be used.

        `api_url` and `lwa_url` (the whole token URL) replace Amazon's own.
        """
        self._client = connected_client(_Finances, credentials, region, api_url, lwa_url)

    def list_transactions(
        self,
        *,
        posted_after: datetime | None = None,
        posted_before: datetime | None = None,
        order_id: str = "",
        page_token: str | None = None,
    ) -> TransactionPage:
        if posted_after is None and not order_id:
            raise ValueError("posted_after and order_id are missing; listTransactions needs one of them")
        parameters: dict[str, Any] = {}
        for name, field, moment in (
            ("posted_after", "postedAfter", posted_after),
            ("posted_before", "postedBefore", posted_before),
        ):
            if moment is None:
                continue
            if moment.tzinfo is None:
                raise ValueError(f"{name} has no time zone; pass an aware UTC datetime")
            parameters[field] = timestamp_text(moment)
        if order_id:
            parameters |= {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_id}
        if page_token is not None:
            parameters["nextToken"] = page_token
        return _page(call(_OPERATION, self._client.list_transactions, **parameters).get("payload"))


class _Finances(HardenedClient, FinancesV20240619):  # type: ignore[misc]  # sp_api ships no types
    pass


def _page(payload: Any) -> TransactionPage:
    transactions = payload.get("transactions") if isinstance(payload, dict) else None
    if not isinstance(transactions, list) or not all(isinstance(each, dict) for each in transactions):
        raise AmazonUnavailable(_OPERATION, 200, "answer has no list of transactions")
    next_token = payload.get("nextToken") or None
    if not isinstance(next_token, str | None):
        raise AmazonUnavailable(_OPERATION, 200, "nextToken is no text")
    return TransactionPage(transactions, next_token)
