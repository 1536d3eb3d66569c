"""Amazon and Xero as small scripted fakes: they answer plainly, record what they were asked, and fail when told to.

For how the real services behave there are the sandboxes in infra/sandbox; these are for the paths of errors.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import batched
from typing import Any

from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.money import cents, total
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, AmazonNotFound, Json, OrderPage, TransactionPage
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.xero import MAX_PAGE, MAX_VALUES, Outcome, XeroError, XeroLimits, XeroOutcomeUnknown
from fakes.books import ORGANISATION

SHOWN_LATE = timedelta(minutes=2)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # where no time is asked for
TODAY = "2026-11-23T00:00:00Z"  # a transaction without a date counts as posted at the beginning of this day


class ScriptedAmazon:
    """ports.SellerApi over `orders`, and ports.FinancesApi over `transactions`.

    `faults` are raised one per call; None lets one call through. `refused` are faults by order id, and
    `refused_transactions` those of the transactions of an order; searches that cover one of `refused_marketplaces` are
    refused; `after_page` runs once a page has been made, before it is handed out.
    """

    def __init__(self, clock: Clock, *orders: Json, page_size: int = 100) -> None:
        self.orders: dict[str, Json] = {}
        self.calls: list[tuple[str, str]] = []  # (operation, order id or page token)
        self.asked_after: list[datetime] = []
        self.asked_placed: list[tuple[datetime, datetime]] = []
        self.transactions: list[Json] = []
        self.empty_pages = 0  # of transactions: as many of the next pages are empty, with a token
        self.asked_between: list[tuple[datetime | None, datetime | None]] = []
        self.faults: list[AmazonError | None] = []
        self.refused: dict[str, AmazonError] = {}
        self.refused_transactions: dict[str, AmazonError] = {}
        self.refused_marketplaces: set[str] = set()
        self.after_page: Callable[[], object] | None = None
        self.page_size = page_size
        self._clock = clock
        self.hold(*orders)

    def hold(self, *orders: Json) -> None:
        self.orders |= {order["orderId"]: order for order in orders}

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)

    def get_order(self, order_id: str) -> Json:
        self.calls.append(("getOrder", order_id))
        self._fail()
        if order_id in self.refused:
            raise self.refused[order_id]
        if order_id not in self.orders:
            raise AmazonNotFound("getOrder", 404, "NotFound")
        return copy.deepcopy(self.orders[order_id])

    def search_orders(
        self,
        *,
        updated_after: datetime,
        updated_before: datetime | None = None,
        page_token: str | None = None,
        marketplaces: Sequence[str] = (),
    ) -> OrderPage:
        self.calls.append(("searchOrders", page_token or ""))
        self.asked_after.append(updated_after)
        self._fail()
        own = {each["salesChannel"].get("marketplaceId") for each in self.orders.values()} | self.refused_marketplaces
        if self.refused_marketplaces & (set(marketplaces) or own):
            raise AmazonForbidden("searchOrders", 403, "Unauthorized")
        shown = self._clock.now() - SHOWN_LATE
        limit = echoed = min(updated_before or shown, shown)
        start = 0
        if page_token:
            text, _, position = page_token.partition("|")
            limit, start = datetime.fromisoformat(text), int(position)
        found = sorted(
            (updated, order_id)
            for order_id, order in self.orders.items()
            if not marketplaces or order["salesChannel"].get("marketplaceId") in marketplaces
            if updated_after <= (updated := parse_timestamp(order["lastUpdatedTime"], "lastUpdatedTime")) <= limit
        )
        ids = [order_id for _, order_id in found[start : start + self.page_size]]
        more = start + self.page_size < len(found)
        page = OrderPage(
            [copy.deepcopy(self.orders[order_id]) for order_id in ids],
            f"{limit.isoformat()}|{start + self.page_size}" if more else None,
            echoed,  # with a later page a later time, although its orders are those of the first
        )
        if self.after_page:
            self.after_page()
        return page

    def search_placed(
        self,
        *,
        placed_after: datetime,
        placed_before: datetime,
        page_token: str | None = None,
        marketplaces: Sequence[str] = (),
    ) -> OrderPage:
        self.calls.append(("searchOrders", page_token or ""))
        self.asked_placed.append((placed_after, placed_before))
        self._fail()
        own = {each["salesChannel"].get("marketplaceId") for each in self.orders.values()} | self.refused_marketplaces
        if self.refused_marketplaces & (set(marketplaces) or own):
            raise AmazonForbidden("searchOrders", 403, "Unauthorized")
        found = sorted(
            (placed, order_id)
            for order_id, order in self.orders.items()
            if not marketplaces or order["salesChannel"].get("marketplaceId") in marketplaces
            if placed_after <= (placed := parse_timestamp(order["createdTime"], "createdTime")) <= placed_before
        )
        start = int(page_token or 0)
        end = start + self.page_size
        page = [copy.deepcopy(self.orders[order_id]) for _, order_id in found[start:end]]
        if self.after_page:
            self.after_page()
        return OrderPage(page, str(end) if end < len(found) else None, None)

    def list_transactions(
        self,
        *,
        posted_after: datetime | None = None,
        posted_before: datetime | None = None,
        order_id: str = "",
        page_token: str | None = None,
    ) -> TransactionPage:
        self.calls.append(("listTransactions", page_token or ""))
        self.asked_between.append((posted_after, posted_before))
        self._fail()
        if order_id in self.refused_transactions:
            raise self.refused_transactions[order_id]
        if self.empty_pages:
            self.empty_pages -= 1
            return TransactionPage([], page_token or "0")
        shown = self._clock.now() - SHOWN_LATE
        before = min(posted_before or shown, shown)
        found = [
            each
            for each in self.transactions
            if _is_of_order(each, order_id)
            if (posted_after or EARLIEST) <= parse_timestamp(each.get("postedDate") or TODAY, "postedDate") < before
        ]
        start = int(page_token or 0)
        end = start + self.page_size
        page = TransactionPage(copy.deepcopy(found[start:end]), str(end) if end < len(found) else None)
        if self.after_page:
            self.after_page()
        return page

    def _fail(self) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault


def _is_of_order(transaction: Json, order_id: str) -> bool:
    """Return whether Amazon lists a transaction for an order; for none, whatever it is."""
    related = transaction.get("relatedIdentifiers") or ()
    ids = {each["relatedIdentifierValue"] for each in related if each["relatedIdentifierName"] == "ORDER_ID"}
    return not order_id or order_id in ids


@dataclass(frozen=True)
class XeroCall:
    verb: str  # create, update, find, organisation
    collection: str = ""
    elements: tuple[Any, ...] = ()
    key: str = ""


IDS = {kind.collection: kind.id_field for kind in DOCUMENT_TYPES.values()}
NUMBERS = {kind.collection: kind.number_field for kind in DOCUMENT_TYPES.values() if kind.number_field}


class ScriptedXero:
    """ports.XeroApi over `books`. `before` and `after` are raised one per call, before or after it took effect.

    `refusals` are Xero's messages by a document's number (`refuse_once`: for one write only), `totals` what it arrives
    at instead of the right total.
    `during` runs once, while the next write is under way. A key that was answered gets the same answer again.
    """

    def __init__(self, organisation: Organisation = ORGANISATION, clock: Clock | None = None) -> None:
        self.books: dict[str, dict[str, Json]] = {collection: {} for collection in IDS}
        self.calls: list[XeroCall] = []
        self.before: list[XeroError | None] = []
        self.after: list[XeroError | None] = []
        self.refusals: dict[str, tuple[str, ...]] = {}
        self.refusals_once: dict[str, tuple[str, ...]] = {}
        self.totals: dict[str, Decimal] = {}
        self.during: Callable[[], object] | None = None
        self.reported_limits = XeroLimits()
        self.settings = organisation
        self.price_list: list[XeroItem] = []
        self.changed_at: dict[str, datetime] = {}  # by Xero's id; what is not in it counts as changed just now
        self._clock = clock
        self._answers: dict[str, list[Outcome]] = {}
        self._ids = 0
        self.attached: dict[tuple[str, str], bytes] = {}  # (id of the document, name of the file) -> content
        self.attach_faults: list[XeroError | None] = []  # raised one per file, before it is attached

    def writes(self, collection: str = "") -> list[XeroCall]:
        return [c for c in self.calls if c.verb in ("create", "update") and collection in (c.collection, "")]

    def hold(self, collection: str, element: Json) -> Json:
        """Puts a document into the books by hand."""
        self._ids += 1
        stored = {IDS[collection]: f"id-{self._ids}", **element}
        self.books[collection][stored[IDS[collection]]] = stored
        self.touch(stored[IDS[collection]])
        return stored

    def touch(self, *ids: str) -> None:
        """Note that documents have changed now."""
        if self._clock:
            self.changed_at |= dict.fromkeys(ids, self._clock.now())

    def change(self, element: Json, **fields: Any) -> None:
        """Change a contact or document as a person does."""
        element.update(fields)
        self.touch(next(element[name] for name in ("InvoiceID", "CreditNoteID", "ContactID") if name in element))

    def unpay(self, element: Json) -> None:
        """Remove the payments of an invoice or credit note as a person does."""
        still_open = "AmountDue" if "InvoiceID" in element else "RemainingCredit"
        self.change(element, **{"Payments": [], "Status": "AUTHORISED", still_open: element["Total"]})

    def refuse_once(self, number: str, *messages: str) -> None:
        self.refusals_once[number] = messages

    def invoice(self, number: str) -> Json:
        (found,) = [i for i in self.books["Invoices"].values() if i["InvoiceNumber"] == number]
        return found

    def credit_note(self, number: str) -> Json:
        (found,) = [n for n in self.books["CreditNotes"].values() if n["CreditNoteNumber"] == number]
        return found

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        return self._write("create", collection, elements, idempotency_key)

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        return self._write("update", collection, elements, idempotency_key)

    def lookup_groups(self, collection: str, field: str, values: Sequence[str]) -> list[list[str]]:
        return [list(group) for group in batched(values, MAX_VALUES, strict=False)]

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        self.calls.append(XeroCall("find", collection, (field, *values)))
        self._raise(self.before)
        held = self.books[collection].values()
        wanted = {folded(value) for value in values}
        return [copy.deepcopy(element) for element in held if folded(element.get(field)) in wanted]

    def approved_since(self, since: datetime, page: int) -> list[Json]:
        """Return all that are approved: more than Xero would, never less."""
        self.calls.append(XeroCall("approved_since", "Invoices", (since, page)))
        self._raise(self.before)
        held = self.books["Invoices"].values() if page == 1 else ()
        return [copy.deepcopy(element) for element in held if element["Status"] in ("AUTHORISED", "PAID")]

    def changed_since(self, collection: str, since: datetime, page: int) -> list[Json]:
        self.calls.append(XeroCall("changed_since", collection, (since, page)))
        self._raise(self.before)
        held = self.books[collection].items()
        changed = [copy.deepcopy(element) for key, element in held if self.changed_at.get(key, since) >= since]
        return changed[(page - 1) * MAX_PAGE : page * MAX_PAGE]

    def attach(self, collection: str, document_id: str, file_name: str, content: bytes, idempotency_key: str) -> None:
        assert document_id in self.books[collection], "nothing is attached to what Xero does not hold"
        self.calls.append(XeroCall("attach", collection, (document_id, file_name), idempotency_key))
        self._raise(self.attach_faults or self.before)
        self.attached[document_id, file_name] = content
        self._raise(self.after)

    def attachments(self, collection: str, document_id: str) -> list[Json]:
        self.calls.append(XeroCall("attachments", collection, (document_id,)))
        self._raise(self.before)
        files = self.attached.items()
        return [{"FileName": name, "ContentLength": len(each)} for (of, name), each in files if of == document_id]

    def organisation(self) -> Organisation:
        self.calls.append(XeroCall("organisation"))
        self._raise(self.before)
        return replace(self.settings, read_at=self._clock.now()) if self._clock else self.settings

    def items(self) -> list[XeroItem]:
        self.calls.append(XeroCall("items", "Items"))
        self._raise(self.before)
        return list(self.price_list)

    def limits(self) -> XeroLimits:
        return self.reported_limits

    def _write(self, verb: str, collection: str, elements: Sequence[Json], key: str) -> list[Outcome]:
        self.calls.append(XeroCall(verb, collection, tuple(copy.deepcopy(list(elements))), key))
        if collection == "Allocations" and len({each["CreditNote"]["CreditNoteID"] for each in elements}) != 1:
            raise ValueError("a call carries the allocations of one credit note")
        if self.during:
            during, self.during = self.during, None
            during()
        self._raise(self.before)
        if key not in self._answers:
            self._answers[key] = [self._one(collection, element) for element in elements]
        self._raise(self.after)
        return self._answers[key]

    def _one(self, collection: str, element: Json) -> Outcome:
        number = str(element.get(NUMBERS.get(collection, ""), element.get(IDS[collection], "")))
        refused = self.refusals.get(number) or self.refusals_once.pop(number, ())
        if refused:
            return Outcome(element, refused)
        xero_id = element.get(IDS[collection])
        stored = {**self.books[collection].get(xero_id or "", {}), **element}
        if not xero_id:
            if any(number and number == other.get(NUMBERS.get(collection, "")) for other in self._all(collection)):
                return Outcome(element, ("Invoice # must be unique.",))
            stored = self.hold(collection, stored)
        if collection in ("Invoices", "CreditNotes") and "LineItems" in stored:
            stored["Total"] = self.totals.get(number, self.total_of(stored))
            stored["AmountDue" if collection == "Invoices" else "RemainingCredit"] = stored["Total"]
            stored["DateString"] = f"{stored['Date']}T00:00:00"
        if collection == "Allocations":
            return self._allocated(stored)
        if collection == "Payments":
            refund = "CreditNote" in element
            paid = (
                self.books["CreditNotes"][element["CreditNote"]["CreditNoteID"]]
                if refund
                else self.books["Invoices"][element["Invoice"]["InvoiceID"]]
            )
            still_open = "RemainingCredit" if refund else "AmountDue"
            if paid[still_open] < element["Amount"]:
                del self.books[collection][stored["PaymentID"]]
                return Outcome(element, ("Payment amount exceeds the amount outstanding on this document",))
            paid[still_open] -= element["Amount"]
            paid.setdefault("Payments", []).append({**stored, "DateString": element["Date"]})
            self.change(paid)
        self.books[collection][stored[IDS[collection]]] = stored
        self.touch(stored[IDS[collection]])
        return Outcome(copy.deepcopy(stored))

    def total_of(self, document: Json) -> Decimal:
        """Return the total that Xero arrives at, before `totals`: without tax that it adds."""
        return total(cents(Decimal(line["Quantity"]) * line["UnitAmount"]) for line in document["LineItems"])

    def _allocated(self, allocation: Json) -> Outcome:
        note = self.books["CreditNotes"][allocation["CreditNote"]["CreditNoteID"]]
        invoice = self.books["Invoices"][allocation["Invoice"]["InvoiceID"]]
        problems = ["The invoice you are trying to allocate to has already been paid off"] * (not invoice["AmountDue"])
        if min(note["RemainingCredit"], invoice["AmountDue"]) < allocation["Amount"]:
            problems.append("Credit Note cannot be allocated as amount is greater than amount outstanding")
        if problems:
            del self.books["Allocations"][allocation["AllocationID"]]
            return Outcome(allocation, tuple(problems))
        note["RemainingCredit"] -= allocation["Amount"]
        invoice["AmountDue"] -= allocation["Amount"]
        note.setdefault("Allocations", []).append(copy.deepcopy(allocation))
        self.touch(note["CreditNoteID"], invoice["InvoiceID"])
        return Outcome(copy.deepcopy(allocation))

    def _all(self, collection: str) -> list[Json]:
        return list(self.books[collection].values())

    def _raise(self, faults: list[XeroError | None]) -> None:
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault


def lost(operation: str = "createInvoices") -> XeroOutcomeUnknown:
    return XeroOutcomeUnknown(operation, None, "no answer")
