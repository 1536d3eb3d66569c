"""Reading orders, transactions and stock from Amazon, and the errors that a read can end with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

type Json = dict[str, Any]


class AmazonError(Exception):
    """A read from Amazon that failed. It never carries a body, which may hold buyer data.

    operation: Amazon's name of it, e.g. getOrder.
    status: HTTP status; None where no answer came.
    code: Amazon's error code, or what is wrong with the answer.
    """

    def __init__(self, operation: str, status: int | None, code: str) -> None:
        super().__init__(f"Amazon {operation}: {code} (status {status})")
        self.operation = operation
        self.status = status
        self.code = code


class AmazonThrottled(AmazonError):
    """429: the operation's quota is used up. Amazon does not state until when."""


class AmazonUnavailable(AmazonError):
    """No usable answer: 5xx, HTML with any status, no body, a time-out, or a 400 for a valid query. Retry later."""


class AmazonNotAuthorised(AmazonError):
    """A refused refresh token, or Forbidden: a person has to act."""


class AmazonForbidden(AmazonNotAuthorised):
    """401 or 403 although the access token is new: the order, the operation, or the connection is refused."""


class AmazonNotFound(AmazonError):
    """404: this seller has no such order."""


@dataclass(frozen=True)
class OrderPage:
    """One page of searchOrders.

    orders: Amazon's own objects, with numbers as Decimal.
    next_token: requests the next page; None on the last one.
    updated_before: the limit (UTC) that Amazon applied: the page is complete for updates before it. None where Amazon
        does not state it.
    """

    orders: Sequence[Json]
    next_token: str | None
    updated_before: datetime | None


class SellerApi(Protocol):
    """Amazon's orders (Orders API v2026-01-01). All operations are reads and can be repeated."""

    def get_order(self, order_id: str) -> Json:
        """Return one order as Amazon's own object. Raises an AmazonError."""
        ...

    def search_orders(
        self,
        *,
        updated_after: datetime,
        updated_before: datetime | None = None,
        page_token: str | None = None,
        marketplaces: Sequence[str] = (),
    ) -> OrderPage:
        """Return a page of at most 100 orders that were updated in that time.

        marketplaces: Amazon's ids; none for all marketplaces of the seller. A page token is valid for the same only.
        Raises an AmazonError; AmazonUnavailable for an answer without the documented shape, never an empty page.
        """
        ...

    def search_placed(
        self,
        *,
        placed_after: datetime,
        placed_before: datetime,
        page_token: str | None = None,
        marketplaces: Sequence[str] = (),
    ) -> OrderPage:
        """Return a page of at most 100 orders that were placed in that time, whenever they were updated.

        placed_before: at least two minutes ago. `updated_before` of the page is None. The rest is as in
        `search_orders`.
        """
        ...


@dataclass(frozen=True)
class TransactionPage:
    """One page of listTransactions. It may be empty although there are more.

    transactions: Amazon's own objects, with numbers as Decimal.
    next_token: requests the next page, with the same arguments; None on the last one.
    """

    transactions: Sequence[Json]
    next_token: str | None


class FinancesApi(Protocol):
    """Amazon's transactions (Finances API v2024-06-19). It only reads, and can be repeated."""

    def list_transactions(
        self,
        *,
        posted_after: datetime | None = None,
        posted_before: datetime | None = None,
        order_id: str = "",
        page_token: str | None = None,
    ) -> TransactionPage:
        """Return a page of at most 500 transactions that were posted in that time, of one order where it is named.

        posted_after: may be left out for an order only. A time without an end reaches until two minutes ago. Amazon
            answers a time of more than 180 days with an empty page.

        Raises an AmazonError; AmazonUnavailable for an answer without the documented shape, never an empty page.
        """
        ...


@dataclass(frozen=True)
class SummaryPage:
    """One page of getInventorySummaries.

    summaries: Amazon's own objects. A SKU that is in none of the pages has an unknown stock, and not zero.
    next_token: requests the next page; it is valid for 30 seconds. None on the last page.
    """

    summaries: Sequence[Json]
    next_token: str | None


class InventoryApi(Protocol):
    """Amazon's stock (FBA Inventory API v1). It only reads, and can be repeated."""

    def inventory_summaries(
        self, marketplace: str, *, page_token: str | None = None, sku: str | None = None
    ) -> SummaryPage:
        """Return a page of about 50 stock levels of one marketplace, with every kind of unit.

        sku: the only one to return, whatever characters it has.

        Raises an AmazonError; AmazonUnavailable with status 400 also where the seller has no goods at Amazon there.
        """
        ...
