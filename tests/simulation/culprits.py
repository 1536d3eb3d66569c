"""Faults that last: single orders whose documents Xero never accepts, or which Amazon never returns."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fakes.orders import CA, UK, US
from sandbox.wire import Request, Response

if TYPE_CHECKING:
    from sandbox.xero import XeroSandbox


class Culprit(StrEnum):
    """What is wrong with an order for good."""

    XERO_UNANSWERED = "Xero answers 500 to each write that carries a document of it"
    XERO_PAYMENT_UNANSWERED = "Xero answers 500 to each write that carries a payment of it"
    XERO_CALL_REFUSED = "Xero refuses each write that carries a document of it as a whole"
    XERO_ANSWERS_LOST = "Xero creates its documents, and answers 500"
    XERO_LOOKUP_UNANSWERED = "Xero creates its documents, answers 500, and answers 500 to their look-up"
    XERO_LOOKUP_REFUSED = "Xero creates its documents, answers 500, and 404 to their look-up"
    AMAZON_FORBIDS = "getOrder answers 403"
    AMAZON_REFUSES = "getOrder answers 400"
    AMAZON_FAILS = "getOrder answers 500"
    AMAZON_HIDES = "getOrder answers 403, and no page contains it"


# What Amazon refuses takes most of a day until it fails: those worlds are long, and fewer.
_FREQUENCY = [1 if kind is Culprit.AMAZON_HIDES else 3 for kind in Culprit]
_EFFECT_WITHOUT_ANSWER = (Culprit.XERO_ANSWERS_LOST, Culprit.XERO_LOOKUP_UNANSWERED, Culprit.XERO_LOOKUP_REFUSED)
_STATUS_OF_GET_ORDER = {
    Culprit.AMAZON_FORBIDS: 403,
    Culprit.AMAZON_HIDES: 403,
    Culprit.AMAZON_REFUSES: 400,
    Culprit.AMAZON_FAILS: 500,
}
REFUSED_BY_AMAZON = frozenset(_STATUS_OF_GET_ORDER)
_NEVER_ANSWERED = Response.of_json({"Type": "Error", "Title": "An error occurred", "Status": 500}, 500)
_REFUSED = Response.of_json({"ErrorNumber": 10, "Type": "PostDataInvalidException", "Message": "unreadable"}, 400)
_NOT_FOUND = Response.of_html("<html><body>404 - File or directory not found.</body></html>", 404)
_FORBIDDEN = Response.of_json({"errors": [{"code": "Unauthorized", "message": "Access denied.", "details": ""}]}, 403)
_LOOKUP_ANSWERS = {Culprit.XERO_LOOKUP_UNANSWERED: _NEVER_ANSWERED, Culprit.XERO_LOOKUP_REFUSED: _NOT_FOUND}
# Each time an order is asked for. Every version of an order may have an invoice, a payment and an adjustment.
_MAX_CALLS = 24
_MAX_READS = 60  # 24 refusals in most of a day, each read once more with a new token
_MAX_LETTERS = 2
MARKETPLACES = (UK, US, CA)
_COMPARABLE_ORDERS = 2
# What had failed before, for a reason that a person has removed, stays failed while the order cannot be planned.
MENDED_TOO_EARLY = frozenset(
    {
        *("ACCOUNT_ARCHIVED", "CURRENCY_NOT_SUBSCRIBED", "UNKNOWN_MARKETPLACE", "TAX_UNMATCHED", "TAX_UNMAPPED"),
        "REFERENCE_FAILED",
    }
)
_UNREADABLE = MENDED_TOO_EARLY | {"ORDER_REFUSED", "BUYER_DATA_UNAVAILABLE"}
# How a culprit may fail. An order whose documents exist although their answers are lost fails in no way.
FAILS_WITH: Mapping[Culprit, frozenset[str]] = {
    Culprit.XERO_UNANSWERED: frozenset({"XERO_ERROR", "REFERENCE_FAILED"}),
    Culprit.XERO_PAYMENT_UNANSWERED: frozenset({"XERO_ERROR"}),
    Culprit.XERO_CALL_REFUSED: frozenset({"XERO_REFUSED", "REFERENCE_FAILED"}),
    Culprit.XERO_ANSWERS_LOST: frozenset(),
    Culprit.XERO_LOOKUP_UNANSWERED: frozenset({"OUTCOME_UNRESOLVED", "REFERENCE_FAILED"}),
    Culprit.XERO_LOOKUP_REFUSED: frozenset({"OUTCOME_UNRESOLVED", "REFERENCE_FAILED"}),
    Culprit.AMAZON_FORBIDS: _UNREADABLE,
    Culprit.AMAZON_HIDES: _UNREADABLE,
    Culprit.AMAZON_REFUSES: _UNREADABLE,
    Culprit.AMAZON_FAILS: _UNREADABLE,
}


class Culprits:
    """The culprits of one world by order id, and how many calls each of them has spoilt."""

    def __init__(
        self,
        rng: random.Random,
        order_ids: Sequence[str],
        contested: Container[str],
        given: Sequence[Culprit] = (),
    ) -> None:
        """Draw the culprits.

        contested: orders whose numbers other sources take, too, so that no look-up tells them apart.
        given: the kinds of the first orders, instead of drawing any.
        """
        self.kinds: dict[str, Culprit] = {}
        if given:
            free = [order_id for order_id in order_ids if order_id not in contested]
            self.kinds = dict(zip(free, given, strict=False))
        elif rng.random() < 0.5:
            chosen = rng.sample(list(order_ids), k=min(len(order_ids), rng.choice((1, 1, 2, 3))))
            self.kinds = {order_id: rng.choices(list(Culprit), _FREQUENCY)[0] for order_id in chosen}
            for order_id, kind in self.kinds.items():
                is_contested = kind in _LOOKUP_ANSWERS and order_id in contested
                # With no other order to compare, Amazon's refusals are the operation's, and a person is told of that.
                is_alone = kind in REFUSED_BY_AMAZON and len(order_ids) - len(chosen) < _COMPARABLE_ORDERS
                if is_contested or is_alone:
                    self.kinds[order_id] = Culprit.XERO_ANSWERS_LOST
        self.spoilt: Counter[str] = Counter()
        # searchOrders answers 403 for it, getOrder returns its orders.
        self.refused_marketplace = rng.choice(MARKETPLACES) if rng.random() < 0.05 else ""

    def of(self, order_id: str) -> Culprit | None:
        return self.kinds.get(order_id)

    def fails_with(self, order_id: str) -> frozenset[str]:
        kind = self.kinds.get(order_id)
        return FAILS_WITH[kind] if kind else frozenset()

    @property
    def has_amazons(self) -> bool:
        return any(kind in REFUSED_BY_AMAZON for kind in self.kinds.values())

    # --- Xero -------------------------------------------------------------------------------------------------------

    def xero_answer(self, request: Request, xero: XeroSandbox) -> Response | None:
        """Return what Xero answers instead of executing the request; None where no culprit spoils it."""
        if not self.kinds or "/connect/" in request.path:
            return None
        if request.method == "GET":
            return self._lookup_answer(request, xero)
        for kind, order_id in self._carried(request):
            if kind is Culprit.XERO_UNANSWERED:
                return self._spoil(order_id, _NEVER_ANSWERED)
            if kind is Culprit.XERO_PAYMENT_UNANSWERED and request.path.endswith("/Payments"):
                return self._spoil(order_id, _NEVER_ANSWERED)
            if kind is Culprit.XERO_CALL_REFUSED:
                return self._spoil(order_id, _REFUSED)
        return None

    def xero_answer_after_effect(self, request: Request) -> Response | None:
        """Return what Xero answers after it has executed the request; None for its true answer."""
        if not self.kinds or request.method == "GET" or "/connect/" in request.path:
            return None
        for kind, order_id in self._carried(request):
            if kind in _EFFECT_WITHOUT_ANSWER:
                return self._spoil(order_id, _NEVER_ANSWERED)
        return None

    def _carried(self, request: Request) -> list[tuple[Culprit, str]]:
        try:
            document = request.json()
        except ValueError:
            return []
        elements = next((each for each in document.values() if isinstance(each, list)), [document])
        references = [reference for each in elements if (reference := str(each.get("Reference", "")))]
        return [
            (kind, order_id)
            for order_id, kind in self.kinds.items()
            if any(order_id in reference and not reference.startswith("Statement ") for reference in references)
        ]

    def _lookup_answer(self, request: Request, xero: XeroSandbox) -> Response | None:
        spoilt = {order_id: _LOOKUP_ANSWERS[kind] for order_id, kind in self.kinds.items() if kind in _LOOKUP_ANSWERS}
        if not spoilt:
            return None
        asked = " ".join(value for _, value in request.query)
        for order_id, answer in spoilt.items():
            if order_id in asked or any(xero_id in asked for xero_id in _ids(xero, order_id)):
                return self._spoil(order_id, answer)
        return None

    # --- Amazon -----------------------------------------------------------------------------------------------------

    def amazon_answer(self, request: Request) -> Response | None:
        """Return what Amazon answers for a culprit; None where it answers as ever."""
        marketplaces = dict(request.query).get("marketplaceIds", "")
        if self.refused_marketplace and self.refused_marketplace in marketplaces:
            return _FORBIDDEN
        order_id = request.path.rpartition("/")[2]
        status = _STATUS_OF_GET_ORDER.get(self.kinds[order_id]) if order_id in self.kinds else None
        if status is None:
            return None
        errors = {"errors": [{"code": "Refused", "message": "This order cannot be returned.", "details": ""}]}
        return self._spoil(order_id, Response.of_json(errors, status))

    def visible(self, page: Response) -> Response:
        """Return a page of searchOrders without the orders that Amazon hides."""
        hidden = {order_id for order_id, kind in self.kinds.items() if kind is Culprit.AMAZON_HIDES}
        if not hidden or page.status != 200:
            return page
        document: Any = json.loads(page.body, parse_float=Decimal)
        document["orders"] = [each for each in document["orders"] if each["orderId"] not in hidden]
        return Response.of_json(document)

    def _spoil(self, order_id: str, answer: Response) -> Response:
        self.spoilt[order_id] += 1
        return answer


def _ids(xero: XeroSandbox, order_id: str) -> list[str]:
    holdings = xero.holdings()
    return [
        document[id_field]
        for collection, id_field in (("Invoices", "InvoiceID"), ("CreditNotes", "CreditNoteID"))
        for document in holdings[collection]
        if order_id in document["Reference"] and not document["Reference"].startswith("Statement ")
    ]


def check_bounds(
    culprits: Culprits, asked: Mapping[str, int], letters: Mapping[str, int], violated: Callable[[str], None]
) -> None:
    """Each culprit costs a bounded number of calls, and is reported once each time it is asked for.

    asked: how often an order's documents were asked for: its versions, and redrives.
    letters: its dead letters.
    """
    for order_id, kind in culprits.kinds.items():
        most = (_MAX_READS if kind in REFUSED_BY_AMAZON else _MAX_CALLS) * asked[order_id]
        if culprits.spoilt[order_id] > most:
            violated(f"order {order_id} ({kind.name}) spoilt {culprits.spoilt[order_id]} calls, at most {most}")
        if letters[order_id] > _MAX_LETTERS * asked[order_id]:
            violated(f"order {order_id} ({kind.name}) was reported {letters[order_id]} times")
