"""Finances API v2024-06-19: listTransactions over the current version of each transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.amazon.errors import invalid_input
from sandbox.amazon.page_tokens import Page, bound_parameters
from sandbox.amazon.time_index import DISTANT_PAST, Partition, TimeIndex
from sandbox.amazon.times import parse_time, time_parameter
from sandbox.amazon.versions import Version, read_json
from sandbox.wire import Request, Response, dumps

# postedBefore must be at least this long before the request.
PUBLICATION_DELAY = timedelta(minutes=2)
MAX_PERIOD = timedelta(days=180)
UNITED_STATES = "ATVPDKIKX0DER"
STATUSES = frozenset(("DEFERRED", "RELEASED", "DEFERRED_RELEASED"))
RELATED_IDENTIFIER_NAMES = ("ORDER_ID", "FINANCIAL_EVENT_GROUP_ID")
# The parameters that every page must repeat.
BOUND_PARAMETERS = (
    "postedAfter",
    "postedBefore",
    "marketplaceId",
    "transactionStatus",
    "relatedIdentifierName",
    "relatedIdentifierValue",
)


@dataclass(slots=True)
class _IndexedTransaction:
    """partition: the marketplace it can be filtered by, and its status."""

    text: str
    posted_at: datetime
    partition: tuple[str | None, str | None]
    related: tuple[tuple[str, str], ...]


class Transactions:
    """The transactions at their newest version. A deferred one becomes DEFERRED_RELEASED.

    empty_pages: number of next responses that are an empty page with a token (Amazon: "this operation can return empty
        pages").
    """

    def __init__(self, page_size: int = 500) -> None:
        self._page_size = page_size
        self._transactions: dict[str, _IndexedTransaction] = {}
        self._all = TimeIndex()
        self._related: dict[tuple[str, str], TimeIndex] = {}
        self.empty_pages = 0

    def __len__(self) -> int:
        return len(self._transactions)

    def put(self, version: Version, transaction: Mapping[str, Any]) -> str | None:
        """Store the version with the content `transaction` and return the JSON of the previous version."""
        indexed = _IndexedTransaction(
            version.text,
            parse_time(transaction["postedDate"]),
            (_filterable_marketplace(transaction), transaction.get("transactionStatus")),
            tuple(pair for pair in related_identifiers(transaction) if pair[0] in RELATED_IDENTIFIER_NAMES),
        )
        previous = self._transactions.get(version.key)
        if previous is not None:
            for index in self._indexes(previous):
                index.remove(previous.partition, previous.posted_at, version.key)
        self._transactions[version.key] = indexed
        for index in self._indexes(indexed):
            index.add(indexed.partition, indexed.posted_at, version.key)
        return previous.text if previous else None

    def transaction(self, transaction_id: str) -> dict[str, Any]:
        """Return the newest version of a transaction. Raise ValueError if there is none of that id."""
        if transaction_id not in self._transactions:
            raise ValueError(f"there is no transaction {transaction_id}")
        content: dict[str, Any] = read_json(self._transactions[transaction_id].text)
        return content

    def list_transactions(self, request: Request, now: datetime, delay: timedelta = timedelta()) -> Response:
        """Return a page of transactions; delay: how long after its posting one is listed."""
        name, value = request.parameter("relatedIdentifierName"), request.parameter("relatedIdentifierValue")
        if (name is None) != (value is None):
            raise invalid_input("relatedIdentifierName and relatedIdentifierValue must be provided together.")
        if name is not None and name not in RELATED_IDENTIFIER_NAMES:
            raise invalid_input(f"relatedIdentifierName must be one of {', '.join(RELATED_IDENTIFIER_NAMES)}.")
        status = request.parameter("transactionStatus")
        if status is not None and status not in STATUSES:
            raise invalid_input(f"transactionStatus must be one of {', '.join(sorted(STATUSES))}.")
        start, before = _period(request, now, required=name is None)
        bound = bound_parameters(request, BOUND_PARAMETERS)
        after = None
        if token := request.parameter("nextToken"):
            page = Page.read(token, "nextToken", bound, now, None)
            after, before = page.after, page.before
        if start is not None and before - start > MAX_PERIOD:
            return _response([], None)
        if self.empty_pages > 0:
            self.empty_pages -= 1
            return _response([], Page(after, before, now).token(bound))

        marketplace = request.parameter("marketplaceId")

        def matches(partition: Partition) -> bool:
            return marketplace in (None, partition[0]) and status in (None, partition[1])

        index = self._all if name is None or value is None else self._related.get((name, value), TimeIndex())
        texts: list[str] = []
        for position in index.scan(matches, start or DISTANT_PAST, after):
            if position[0] >= min(before, now - delay):
                break
            if len(texts) == self._page_size:
                return _response(texts, Page(after, before, now).token(bound))
            texts.append(self._transactions[position[1]].text)
            after = position
        return _response(texts, None)

    def _indexes(self, transaction: _IndexedTransaction) -> list[TimeIndex]:
        return [self._all, *(self._related.setdefault(pair, TimeIndex()) for pair in transaction.related)]


def _period(request: Request, now: datetime, required: bool) -> tuple[datetime | None, datetime]:
    """Return the start (inclusive) and the end (exclusive) of the posting dates to list."""
    start, latest = time_parameter(request, "postedAfter"), now - PUBLICATION_DELAY
    if start is None and required:
        raise invalid_input("Start date cannot be null")
    if start is not None and start >= latest:
        raise invalid_input("postedAfter must be more than two minutes before the time of the request.")
    before = time_parameter(request, "postedBefore")
    if before is not None and before > latest:
        raise invalid_input("postedBefore must be more than two minutes before the time of the request.")
    if before is not None and start is not None and before <= start:
        raise invalid_input("postedBefore must be later than postedAfter.")
    return start, before or latest


def related_identifiers(transaction: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a transaction's related identifiers."""
    return [
        (related["relatedIdentifierName"], related["relatedIdentifierValue"])
        for related in transaction.get("relatedIdentifiers") or []
    ]


def _filterable_marketplace(transaction: Mapping[str, Any]) -> str | None:
    """Return the marketplace by which listTransactions can filter the transaction.

    Finances API v2024-06-19, listTransactions: "If you want to retrieve MFN orders in the US store, do not supply the
    marketplaceId parameter."
    """
    metadata = transaction.get("sellingPartnerMetadata") or {}
    details = transaction.get("marketplaceDetails") or {}
    marketplace: str | None = metadata.get("marketplaceId") or details.get("marketplaceId")
    if marketplace == UNITED_STATES:
        for item in transaction.get("items") or []:
            if any(context.get("fulfillmentNetwork") == "MFN" for context in item.get("contexts") or []):
                return None
    return marketplace


def _response(texts: list[str], next_token: str | None) -> Response:
    body = f'{{"payload": {{"nextToken": {dumps(next_token)}, "transactions": [{", ".join(texts)}]}}}}'
    return Response(200, body.encode(), {"content-type": "application/json; charset=utf-8"})
