"""The plan of a closed day: its entries as one invoice and one credit note, each settled from clearing.

The lines are summed by account, tax type, tracking and item code. Their taxes are the sums of what the entries state,
so that a day states to the cent what its orders would state one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.document import DesiredDocument, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import ROUNDING, Line, LineAmountTypes, Tracking, line_from_xero
from amazon_to_xero.domain.books.numbering import reissued_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.canonical import content_hash
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.money import cents, total, without_trailing_zeros
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayTerms
from amazon_to_xero.domain.planning.order_documents import (
    DocumentHeader,
    OrderDocuments,
    dated_reference,
    is_number_used_up,
)
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps, PostingPlan
from amazon_to_xero.domain.tax.rounding import add_rounding_line, line_tax, percentage, tax_of
from amazon_to_xero.domain.tax.stated_tax import with_tax

_KINDS = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
#: How a summed line names what its parts are, in this order; by the last word of their origins.
_NAMES: Mapping[str, str] = {
    Charge.ITEM: "Goods",
    Charge.SHIPPING: "Shipping",
    Charge.GIFT_WRAP: "Gift wrap",
    Charge.COD_FEE: "Cash-on-delivery fees",
    Charge.OTHER: "Other charges",
    Charge.DELIVERY_TIP: "Delivery tips",
    "DISCOUNT": "Discounts",
    ROUNDING: "Rounding",
}


@dataclass(frozen=True)
class DayToPlan:
    """A closed day as what documents are requested for; see OrderToPlan."""

    day: ClosedDay
    contact_number: str = ""
    order_id: str = ""
    planned_at: datetime | None = None

    @property
    def marketplace_id(self) -> str:
        return self.day.terms.marketplace_id

    @property
    def source(self) -> str:
        return self.day.source

    @property
    def source_version(self) -> datetime:
        return self.day.closed_at

    @property
    def capability(self) -> str:
        return SHIPMENTS


class _Booking(NamedTuple):
    """What the entries' lines are summed by; discounts and charges apart, so that no sum is zero by chance."""

    account: str
    tax_type: str
    tracking: Tracking
    item_code: str
    is_negative: bool


def plan_day(
    day: ClosedDay,
    entries: Sequence[DesiredDocument],
    held: HeldDocuments,
    policy: PostingPolicy,
    organisation: Organisation,
) -> PostingPlan:
    """Return the documents that state the entries. Raises Failure, with PERIOD_LOCKED for a day that is locked.

    What Xero holds of them is kept as it is: neither the entries nor their accounts change any more. Their customer is
    asked for again where it has failed.
    """
    # Its own documents are no entries.
    own = replace(policy, invoice_per=InvoicePer.SHIPMENT)
    documents = OrderDocuments(DayToPlan(day), own, organisation)
    steps = PlanSteps(documents.closed(held))
    customer = held.referred(day.terms.contact)
    if customer is not None and customer.state is DocumentState.FAILED:
        steps.first.append(customer.desired)  # a day reads no order, and only a read order asks for it
    for kind in _KINDS:
        of_kind = [each for each in entries if each.kind is kind]
        if of_kind:
            desired = _document(kind, day, of_kind, held, documents)
            settlement = documents.settlement(desired, held)
            steps.second.append(desired)
            steps.third.extend([settlement] if settlement is not None else [])
    return steps.plan(held)


def _document(
    kind: DocumentKind,
    day: ClosedDay,
    entries: Sequence[DesiredDocument],
    held: HeldDocuments,
    documents: OrderDocuments[DayToPlan],
) -> DesiredDocument:
    number = _usable_number(kind, day.number, held)
    known = held.own(kind, number)
    if known is not None and (known.exists_in_xero or known.is_outcome_open) and not known.desired.tombstone:
        return known.desired
    terms, organisation, policy = day.terms, documents.organisation, documents.policy
    amount = total(each.total or Decimal(0) for each in entries)
    lines = add_rounding_line(
        amount, summed_lines(entries, terms.amounts, organisation), terms.amounts, policy.tax, organisation
    )
    dated = documents.open_date(terms.day)
    reference = dated_reference(_reference(terms, entries), dated, terms.day)
    header = DocumentHeader(dated, reference, terms.currency, terms.amounts)
    return documents.document(kind, number, lines, amount, header, terms.contact)


def _usable_number(kind: DocumentKind, first: str, held: HeldDocuments) -> str:
    """Return the number under which the document exists or can be created."""
    times = 0
    while True:
        number = reissued_number(first, times)
        own = held.own(kind, number)
        if not (own is None and held.is_taken(number, (kind,))) and (own is None or not is_number_used_up(own)):
            return number
        times += 1


def _reference(terms: DayTerms, entries: Iterable[DesiredDocument]) -> str:
    """Return the Reference: marketplace and day, and a mark of the entries.

    Two connections may give the same number in one organisation: by the mark neither takes the other's document for its
    own, as by the order id of any other document.
    """
    mark = content_hash({"entries": sorted(each.key for each in entries)})[:8]
    return f"{MARKETPLACES[terms.marketplace_id].name} {terms.day} ({mark})"


def summed_lines(
    entries: Iterable[DesiredDocument], amounts: LineAmountTypes, organisation: Organisation
) -> list[Line]:
    """Return the lines of the entries, added up by how they are booked, each with the sum of their taxes."""
    by_booking: dict[_Booking, list[tuple[str, Line]]] = {}
    for entry in entries:
        for line in entry_lines(entry):
            booking = _Booking(line.account, line.tax_type, line.tracking, line.item_code, line.amount < 0)
            by_booking.setdefault(booking, []).append((entry.order_id, line))
    return [_summed(booking, by_booking[booking], amounts, organisation) for booking in sorted(by_booking)]


def entry_lines(entry: DesiredDocument) -> Iterable[Line]:
    for item, origin in zip(entry.body["LineItems"], entry.line_origins, strict=True):
        yield line_from_xero(item, origin)


def _summed(
    booking: _Booking, parts: Sequence[tuple[str, Line]], amounts: LineAmountTypes, organisation: Organisation
) -> Line:
    lines = [line for _, line in parts]
    amount = total(line.amount for line in lines)
    tax = total(tax_of(line, amounts, organisation) for line in lines)
    quantity, unit = _units(booking, lines, amount)
    names = {_name(line.origin) for line in lines}
    named = ", ".join(name for name in _NAMES.values() if name in names)
    orders = len({order_id for order_id, _ in parts})
    description = f"{named}: {orders} order{'' if orders == 1 else 's'}"
    line = Line(
        description,
        quantity,
        unit,
        booking.account,
        booking.tax_type,
        tracking=booking.tracking,
        item_code=booking.item_code,
    )
    computed = line_tax(amount, percentage(booking.tax_type, organisation), amounts)
    return line if tax == computed else with_tax(line, tax)


def _units(booking: _Booking, lines: Sequence[Line], amount: Decimal) -> tuple[int, Decimal]:
    """Return quantity and unit price: of an item the number sold, where their product is the amount exactly."""
    quantity = sum(line.quantity for line in lines)
    if booking.item_code and quantity > 0:
        unit = (amount / quantity).quantize(Decimal("0.0001"))
        if unit * quantity == amount:
            return quantity, without_trailing_zeros(unit)
    return 1, without_trailing_zeros(cents(amount))


def _name(origin: str) -> str:
    parts = origin.split(":")
    return _NAMES["DISCOUNT"] if "DISCOUNT" in parts else _NAMES.get(parts[-1], _NAMES[Charge.ITEM])
