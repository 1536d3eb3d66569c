"""Which documents should stand in Xero for an order, seen against those that were asked for before.

Nothing that is paid is ever edited (Xero refuses it, and an auditor would, too): the difference to what is booked
becomes a supplementary invoice or a credit note of its own. What is not paid yet follows the order: a draft is changed,
approved or deleted, an approved invoice changed or voided.

    <order>        the invoice            <order>-S2   of the second shipment, where each has its own
    <order>-R1     the same again, after Xero holds <order> as voided or deleted: such a number stays taken
    <order>-A1     the first difference, supplementary invoice or credit note
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.document import Desired, Document, State
from amazon_to_xero.domain.books.document_types import Kind, document_key
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, single_line
from amazon_to_xero.domain.books.matching import REFERENCE_MARK, identity
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import ZERO, one_spelling, total
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import Sale
from amazon_to_xero.domain.tax.rounding import rounded_to, xero_total

ROUNDING = "ROUNDING"  # source of a rounding line: it belongs to no item


@dataclass
class Held:
    """The documents of an order as they are stored. `missing` are keys that were asked for and not looked up yet."""

    documents: Mapping[str, Document]
    looked_up: frozenset[str]
    missing: set[str] = field(default_factory=set)

    def get(self, kind: Kind, number: str) -> Document | None:
        key = document_key(kind, number)
        if key not in self.looked_up:
            self.missing.add(key)
        return self.documents.get(key)


@dataclass(frozen=True)
class Plan:
    """What to ask for, in this order: each wave only once the one before it is stored.

    Between them nobody can pay an invoice that is about to change. Each plan leaves its version at every number that
    another could use next: whoever works from an older one is turned away. `documents` are the keys the order answers
    for.
    `waits` says that a payment is under way whose outcome decides what comes next.
    """

    waves: tuple[tuple[Desired, ...], ...] = ()
    documents: tuple[str, ...] = ()
    waits: bool = False


@dataclass(frozen=True)
class Booked:
    """The order that is booked: which one, in which version, for which customer (ContactNumber)."""

    order_id: str
    updated: datetime
    customer: str

    @property
    def refers(self) -> dict[str, str]:
        return {"Contact.ContactID": document_key(Kind.CONTACT, self.customer)}


def invoice_number(order_id: str, policy: PostingPolicy) -> str:
    return f"{policy.invoice_prefix}{order_id}"


def plan(
    order: Booked,
    number: str,
    wanted: Sequence[Sale],
    shipments: int,
    held: Held,
    policy: PostingPolicy,
    organisation: Organisation,
) -> Plan:
    """The documents for the sales of an order (none: it should have no documents), `shipments` of which are recorded.

    `number` is its first invoice's. Call again with what was `missing` until nothing is. Raises Refused for what needs
    a person; as long as something is missing, that is not said for good.
    """
    booking = _Booking(order, number, held, policy, organisation)
    for place in range(max(len(wanted), shipments, 1)):
        sale = wanted[place] if place < len(wanted) and wanted[place].total else None
        booking.invoice(number if place == 0 else f"{number}-S{place + 1}", sale)
    booking.differences()
    return booking.plan()


class _Booking:
    """One order's plan in the making."""

    def __init__(
        self, order: Booked, number: str, held: Held, policy: PostingPolicy, organisation: Organisation
    ) -> None:
        self._order = order
        self._number = number
        self._held = held
        self._policy = policy
        self._organisation = organisation
        self._first: list[Desired] = []  # payments that must not go out while their invoice changes
        self._anchors: list[Desired] = []  # invoices, and differences that stand
        self._rest: list[Desired] = []  # payments and new differences
        self._booked: list[Document] = []  # approved and paid, or made for a difference: never edited
        self._should: list[Sale] = []  # what the paid ones should say by now
        self._waits = False

    def plan(self) -> Plan:
        if self._waits:
            return Plan(waits=True)
        waves = tuple(tuple(wave) for wave in (self._first, self._anchors, self._rest) if wave)
        wishes = {desired.key: desired for wave in waves for desired in wave}
        for desired in wishes.values():
            # A plan that was overtaken may have asked for it before: its row has to be seen to be written again.
            self._held.get(desired.kind, desired.number)
        return Plan(waves, tuple(wishes))

    # --- the invoices -----------------------------------------------------------------------------------------------

    def invoice(self, base: str, sale: Sale | None) -> None:
        number = self._live(base)
        invoice, payment = self._held.get(Kind.INVOICE, number), self._held.get(Kind.PAYMENT, number)
        if payment is not None and payment.exists_in_xero and invoice is not None:
            self._booked.append(invoice)
            self._anchors.append(self._still(invoice))
            self._rest.append(self._still(payment))
            if sale is not None:
                self._should.append(sale)
            return
        if sale is not None and invoice is not None and invoice.desired.removed and invoice.needs_a_look():
            # Its removal is under way: only once that is known is it clear whether the number can be had again.
            self._waits = True
        if sale is None:
            wanted = self._absence(Kind.INVOICE, number, invoice)
        else:
            wanted = self._as_invoice(number, sale, invoice)
        paid = None if sale is None else self._paid(wanted)
        if payment is not None:
            changes = invoice is None or wanted.digest != invoice.desired.digest
            if payment.needs_a_look():
                self._waits = self._waits or changes or paid is None or paid.digest != payment.desired.digest
            elif changes or paid is None:
                self._first.append(self._removed(payment))
        self._anchors.append(wanted)
        if paid is not None:
            self._rest.append(paid)

    def _live(self, base: str) -> str:
        """The number under which the invoice stands or can be made."""
        number, again = base, 0
        while (held := self._held.get(Kind.INVOICE, number)) is not None and _used_up(held):
            again += 1
            number = f"{base}-R{again}"
        return number

    def _as_invoice(self, number: str, sale: Sale, held: Document | None) -> Desired:
        approved = held is not None and held.exists_in_xero and held.desired.body.get("Status") == "AUTHORISED"
        # What is approved keeps its date, also when the period is locked later.
        day = date.fromisoformat(held.desired.body["Date"]) if held and approved else self._open(sale.booked_on)
        reference = sale.reference
        if day != sale.booked_on:
            reference += f"{', ' if REFERENCE_MARK in reference else REFERENCE_MARK}of {sale.booked_on}"
        status = "AUTHORISED" if sale.approved else "DRAFT"
        return self._document(
            Kind.INVOICE, number, sale.lines, sale.amounts, sale.total, day, reference, sale.currency, status
        )

    def _open(self, day: date) -> date:
        return self._organisation.open_date(day, self._policy.lock_dates)

    def _absence(self, kind: Kind, number: str, held: Document | None) -> Desired:
        """It should not stand there. Where nothing does, that is stored all the same.

        A worker that was frozen may still ask for it, and must find that a newer version of the order has been there.
        """
        if held is not None:
            return self._removed(held)
        return Desired(kind, number, {}, version=self._order.updated, order_id=self._order.order_id, removed=True)

    def _removed(self, held: Document) -> Desired:
        return replace(held.desired, removed=True, version=self._order.updated)

    def _still(self, held: Document) -> Desired:
        """The same wish, of this version of the order: what an older one asks for comes too late."""
        return replace(held.desired, version=self._order.updated)

    # --- differences to what is paid --------------------------------------------------------------------------------

    def differences(self) -> None:
        if not self._booked:
            return
        place = 1
        while True:
            number = f"{self._number}-A{place}"
            made = [self._held.get(kind, number) for kind in (Kind.INVOICE, Kind.CREDIT_NOTE)]
            used_up = [document for document in made if document is not None and _used_up(document)]
            asked = [document for document in made if document is not None and not document.desired.removed]
            if any(document.exists_in_xero for document in asked):
                # An invoice and a credit note of one number belong together: where one stands, the other will.
                for each in asked:
                    if each not in used_up:
                        self._stands(each)
            elif not used_up:
                break
            # The other half, which should not stand, must not be asked for by an older version either.
            self._anchors.extend(self._still(each) for each in made if each is not None and each.desired.removed)
            place += 1
        wishes = {desired.kind: desired for desired in self._difference(number)}
        for kind, document in zip((Kind.INVOICE, Kind.CREDIT_NOTE), made, strict=True):
            wanted = wishes.get(kind)
            if document is not None and document.needs_a_look():
                # It may be in Xero: whether it counts has to be known before another difference is worked out.
                self._waits = self._waits or wanted is None or wanted.digest != document.desired.digest
            paid = self._settled(wanted) if wanted is not None else []
            changes = document is not None and (wanted is None or wanted.digest != document.desired.digest)
            payment = self._held.get(_PAID_BY[kind], number)
            if payment is not None and (changes or not paid):
                self._first.append(self._removed(payment))
            self._rest.extend([wanted, *paid] if wanted is not None else [self._absence(kind, number, document)])

    def _stands(self, difference: Document) -> None:
        """It counts as booked, and its payment stays as it was made whatever the settings say by now."""
        self._booked.append(difference)
        still = self._still(difference)
        self._anchors.append(still)
        payment = self._held.get(_PAID_BY[difference.kind], still.number)
        paid = payment is not None and payment.exists_in_xero
        self._rest.extend([self._still(payment)] if payment is not None and paid else self._settled(still))

    def _difference(self, number: str) -> Iterable[Desired]:
        """What has to be added to the booked documents so that together they say what they should."""
        lines = [line for line in self._lines_of_difference() if line.amount]
        first = self._booked[0].desired.body
        amounts = LineAmountTypes(first["LineAmountTypes"])
        should = total(sale.total for sale in self._should)
        missing = should - total(_signed_total(document.desired) for document in self._booked)

        def document(kind: Kind, lines: Sequence[Line], amount: Decimal) -> Desired:
            day = self._open(self._organisation.local_date(self._order.updated))
            kept = rounded_to(amount, lines, amounts, self._policy.tax, self._organisation)
            return self._document(
                kind, number, kept, amounts, amount, day, first["Reference"], first["CurrencyCode"], "AUTHORISED"
            )

        if missing > 0:
            yield document(Kind.INVOICE, lines, missing)
        elif missing < 0:
            yield document(Kind.CREDIT_NOTE, [_negated(line) for line in lines], -missing)
        else:
            more = [line for line in lines if line.amount > 0]
            less = [_negated(line) for line in lines if line.amount < 0]
            if more and less:
                # What is added here is taken away there, to the cent, also where the tax of the lines is not the same.
                moved = xero_total(more, amounts, self._organisation)
                yield document(Kind.INVOICE, more, moved)
                yield document(Kind.CREDIT_NOTE, less, moved)

    def _lines_of_difference(self) -> Iterable[Line]:
        """By source, what should be booked less what is, on the account and at the tax rate of the booked line.

        Accounts and rates in the settings may have changed since; what is booked stays where it was booked.
        """
        should: dict[str, Line] = {}
        amounts: dict[str, Decimal] = {}
        for sale in self._should:
            for line in sale.lines:
                if line.source:  # a rounding line has none yet
                    should.setdefault(line.source, line)
                    amounts[line.source] = amounts.get(line.source, ZERO) + line.amount
        booked: dict[str, Line] = {}
        for document in self._booked:
            for line in _lines(document.desired):
                if line.source != ROUNDING:
                    booked.setdefault(line.source, line)
                    amounts[line.source] = amounts.get(line.source, ZERO) - line.amount
        for source, amount in amounts.items():
            like = booked.get(source) or should[source]
            yield replace(single_line(like.description, amount, like.account, like.tax_type), source=source)

    # --- documents --------------------------------------------------------------------------------------------------

    def _document(
        self,
        kind: Kind,
        number: str,
        lines: Sequence[Line],
        amounts: LineAmountTypes,
        amount: Decimal,
        day: date,
        reference: str,
        currency: str,
        status: str,
    ) -> Desired:
        body: dict[str, Any] = {
            "Type": "ACCREC" if kind is Kind.INVOICE else "ACCRECCREDIT",
            "InvoiceNumber" if kind is Kind.INVOICE else "CreditNoteNumber": number,
            "Reference": reference,
            "Date": day.isoformat(),
            "CurrencyCode": currency,
            "LineAmountTypes": amounts.value,
            "Status": status,
            "LineItems": [line.in_xero() for line in lines],
        }
        if kind is Kind.INVOICE:
            body["DueDate"] = body["Date"]
        return Desired(
            kind,
            number,
            body,
            version=self._order.updated,
            total=amount,
            refers=self._order.refers,
            order_id=self._order.order_id,
            sources=tuple(line.source or ROUNDING for line in lines),
        )

    def _settled(self, document: Desired) -> list[Desired]:
        paid = self._paid(document)
        return [paid] if paid is not None else []

    def _paid(self, document: Desired) -> Desired | None:
        """An approved document is settled from clearing on its own day: clearing then shows what Amazon owes."""
        currency = document.body["CurrencyCode"]
        clearing = self._policy.accounts.clearing.get(currency)
        if not clearing or document.body["Status"] != "AUTHORISED" or not document.total:
            return None
        self._organisation.require_clearing(clearing, currency)
        kind = _PAID_BY[document.kind]
        body = {
            "Account": {"Code": clearing},
            "Date": document.body["Date"],
            "Amount": one_spelling(document.total),
            "Reference": identity(document.body["Reference"]),
        }
        refers = {"Invoice.InvoiceID" if kind is Kind.PAYMENT else "CreditNote.CreditNoteID": document.key}
        return Desired(kind, document.number, body, version=document.version, refers=refers, order_id=document.order_id)


_PAID_BY = {Kind.INVOICE: Kind.PAYMENT, Kind.CREDIT_NOTE: Kind.REFUND}


def _used_up(held: Document) -> bool:
    """Xero holds it as voided or deleted, by our doing or another's: its number stays taken (Xero: InvoiceNumber)."""
    removed = held.desired.removed and held.exists_in_xero and held.state is State.APPLIED
    return removed or (held.state is State.FAILED and held.reason == "NUMBER_OF_VOIDED")


def _lines(desired: Desired) -> Iterable[Line]:
    """The lines of a stored document, as they count in the books: those of a credit note are negative."""
    for item, source in zip(desired.body["LineItems"], desired.sources, strict=True):
        line = Line(
            item["Description"], item["Quantity"], item["UnitAmount"], item["AccountCode"], item["TaxType"], source
        )
        yield _negated(line) if desired.kind is Kind.CREDIT_NOTE else line


def _negated(line: Line) -> Line:
    return replace(line, unit=-line.unit)


def _signed_total(desired: Desired) -> Decimal:
    amount = desired.total or ZERO
    return -amount if desired.kind is Kind.CREDIT_NOTE else amount
