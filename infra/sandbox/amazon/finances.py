"""Finances API v2024-06-19: listTransactions over the transactions that are known now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.amazon.errors import invalid_input
from sandbox.amazon.paging import DISTANT_PAST, Page, Part, TimeIndex, parameters_of, time_parameter
from sandbox.amazon.seller import Version, moment
from sandbox.wire import Request, Response, dumps

SETTLING = timedelta(minutes=2)
LONGEST_PERIOD = timedelta(days=180)
UNITED_STATES = "ATVPDKIKX0DER"
STATUSES = frozenset(("DEFERRED", "RELEASED", "DEFERRED_RELEASED"))
FILTERS = ("ORDER_ID", "FINANCIAL_EVENT_GROUP_ID")
BOUND = (
    "postedAfter",
    "postedBefore",
    "marketplaceId",
    "transactionStatus",
    "relatedIdentifierName",
    "relatedIdentifierValue",
)


@dataclass(slots=True)
class _Listed:
    text: str
    posted: datetime
    part: tuple[str | None, str | None]  # marketplace it can be filtered by, status
    related: tuple[tuple[str, str], ...]


class Transactions:
    """The transactions Amazon shows: each at its newest version (a deferred one turns DEFERRED_RELEASED)."""

    def __init__(self, page_size: int = 500) -> None:
        self._page_size = page_size
        self._transactions: dict[str, _Listed] = {}
        self._all = TimeIndex()
        self._related: dict[tuple[str, str], TimeIndex] = {}
        # How many of the next answers are an empty page with a token: "this operation can return empty pages".
        self.empty_pages = 0

    def __len__(self) -> int:
        return len(self._transactions)

    def put(self, version: Version, transaction: Mapping[str, Any]) -> str | None:
        """Makes a version, whose content is `transaction`, the current truth; returns the text of the one before."""
        listed = _Listed(
            version.text,
            moment(transaction["postedDate"]),
            (_filterable_marketplace(transaction), transaction.get("transactionStatus")),
            tuple(pair for pair in related_identifiers(transaction) if pair[0] in FILTERS),
        )
        before = self._transactions.get(version.key)
        if before is not None:
            for index in self._indices(before):
                index.remove(before.part, before.posted, version.key)
        self._transactions[version.key] = listed
        for index in self._indices(listed):
            index.add(listed.part, listed.posted, version.key)
        return before.text if before else None

    def list_transactions(self, request: Request, now: datetime) -> Response:
        name, value = request.parameter("relatedIdentifierName"), request.parameter("relatedIdentifierValue")
        if (name is None) != (value is None):
            raise invalid_input("relatedIdentifierName and relatedIdentifierValue must be provided together.")
        if name is not None and name not in FILTERS:
            raise invalid_input(f"relatedIdentifierName must be one of {', '.join(FILTERS)}.")
        status = request.parameter("transactionStatus")
        if status is not None and status not in STATUSES:
            raise invalid_input(f"transactionStatus must be one of {', '.join(sorted(STATUSES))}.")
        start, before = _period(request, now, required=name is None)
        bound = parameters_of(request, BOUND)
        after = None
        if token := request.parameter("nextToken"):
            page = Page.read(token, "nextToken", bound, now, None)
            after, before = page.after, page.before
        if start is not None and before - start > LONGEST_PERIOD:
            return _answer([], None)
        if self.empty_pages > 0:
            self.empty_pages -= 1
            return _answer([], Page(after, before, now).token(bound))

        marketplace = request.parameter("marketplaceId")

        def wanted(part: Part) -> bool:
            return marketplace in (None, part[0]) and status in (None, part[1])

        index = self._all if name is None or value is None else self._related.get((name, value), TimeIndex())
        found: list[str] = []
        for position in index.scan(wanted, start or DISTANT_PAST, after):
            if position[0] >= before:
                break
            if len(found) == self._page_size:
                return _answer(found, Page(after, before, now).token(bound))
            found.append(self._transactions[position[1]].text)
            after = position
        return _answer(found, None)

    def _indices(self, listed: _Listed) -> list[TimeIndex]:
        return [self._all, *(self._related.setdefault(pair, TimeIndex()) for pair in listed.related)]


def _period(request: Request, now: datetime, required: bool) -> tuple[datetime | None, datetime]:
    """From when (inclusive) until when (exclusive) transactions were posted."""
    start, latest = time_parameter(request, "postedAfter"), now - SETTLING
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
    """(name, value) of a transaction's related identifiers."""
    return [
        (related["relatedIdentifierName"], related["relatedIdentifierValue"])
        for related in transaction.get("relatedIdentifiers") or []
    ]


def _filterable_marketplace(transaction: Mapping[str, Any]) -> str | None:
    """The marketplace by which listTransactions finds it.

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


def _answer(texts: list[str], next_token: str | None) -> Response:
    body = f'{{"payload": {{"nextToken": {dumps(next_token)}, "transactions": [{", ".join(texts)}]}}}}'
    return Response(200, body.encode(), {"content-type": "application/json; charset=utf-8"})
