"""The one reading path from Amazon. All operations are reads and safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

type Json = dict[str, Any]


class AmazonError(Exception):
    """A read from Amazon that did not work. Never carries a body: bodies may hold buyer data."""

    def __init__(self, operation: str, status: int | None, code: str) -> None:
        super().__init__(f"Amazon {operation}: {code} (status {status})")
        self.operation = operation
        self.status = status
        self.code = code


class AmazonThrottled(AmazonError):
    """429: the operation's quota is used up; Amazon does not say until when."""


class AmazonUnavailable(AmazonError):
    """5xx, HTML or empty answers, time-outs, and 400s on queries that are known to be good: try again later."""


class AmazonNotAuthorised(AmazonError):
    """401, 403 or a refused refresh token: a person has to authorise again."""


class AmazonNotFound(AmazonError):
    """404: Amazon knows no such order for this seller."""


@dataclass(frozen=True)
class OrderPage:
    """One page of searchOrders. `orders` are Amazon's own objects, numbers as Decimal."""

    orders: Sequence[Json]
    next_token: str | None
    updated_before: datetime  # the limit Amazon applied and echoed: the next watermark


class SellerApi(Protocol):
    """The one reading path from Amazon (Orders API v2026-01-01). All operations are reads and safe to repeat."""

    def get_order(self, order_id: str) -> Json:
        """One order as Amazon's own object. Raises an AmazonError."""
        ...

    def search_orders(
        self, *, updated_after: datetime, updated_before: datetime | None = None, page_token: str | None = None
    ) -> OrderPage:
        """A page of at most 100 orders of all marketplaces, updated in that time. Raises an AmazonError.

        An answer that is not the documented shape raises AmazonUnavailable: an empty success is never made of an error.
        """
        ...
