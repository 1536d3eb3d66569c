"""Builds the documents of one order or refund: invoices, credit notes, their payments and refunds, and tombstones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from amazon_to_xero.domain.books.day_entry import DayEntry
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.books.line import ROUNDING, Line, LineAmountTypes
from amazon_to_xero.domain.books.matching import REFERENCE_LIMIT, REFERENCE_MARK, reference_identity
from amazon_to_xero.domain.books.organisation import LockDates, Organisation
from amazon_to_xero.domain.books.texts import cut
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.money import ZERO, without_trailing_zeros
from amazon_to_xero.domain.planning.entries import entry_of
from amazon_to_xero.domain.planning.policy import Payments, PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.source import SourceKind, source_key

_MARKED_DAY = re.compile(rf"(?:{REFERENCE_MARK}|, )of (\d{{4}}-\d\d-\d\d)$")  # as dated_reference writes it
#: How each kind of document is settled from, or refunded out of, the clearing account.
SETTLED_BY: Mapping[DocumentKind, DocumentKind] = {
    DocumentKind.INVOICE: DocumentKind.PAYMENT,
    DocumentKind.CREDIT_NOTE: DocumentKind.CREDIT_NOTE_REFUND,
}


@dataclass(frozen=True)
class OrderToPlan:
    """The order that is planned.

    version: Amazon's lastUpdatedTime (UTC).
    documents_version: the version that its documents are requested with, where that is another one.
    contact_number: ContactNumber of its customer, or Xero's ContactID of the contact that a person has stated.
    invoice_number: number of its first invoice.
    shipments: how many shipments are recorded.
    unshipped: what of it no sale states yet, where each shipment has one.
    marketplace_id: Amazon's, by which its clearing account is chosen.
    corrected_at: when a person has last corrected it (UTC); None for never.
    planned_at: when it is planned (UTC), by which an entry of its day learns when that is closed; None for its version.
    ship_to: where it goes, see `redirected.ship_to_text`.
    terms_to: returns account and tax type of each line, by its origin, if the order went elsewhere; None where nobody
        can say.
    stated_shipments: places of the shipments whose day a person has stated, be it withdrawn since.
    chosen_contact: Xero's ContactID of the contact that a person has stated; empty for none, None for never any.
    """

    order_id: str
    version: datetime
    contact_number: str
    invoice_number: str
    shipments: int
    documents_version: datetime | None = None
    unshipped: Decimal = ZERO
    marketplace_id: str = ""
    corrected_at: datetime | None = None
    planned_at: datetime | None = None
    ship_to: str = ""
    terms_to: Callable[[str], Mapping[str, tuple[str, str]]] | None = None
    stated_shipments: tuple[int, ...] = ()
    chosen_contact: str | None = None

    @property
    def changed_at(self) -> datetime:
        """When it last changed (UTC): by Amazon, or by a person's correction."""
        return max(self.version, self.corrected_at or self.version)

    @property
    def source_version(self) -> datetime:
        return self.documents_version or self.version

    @property
    def source(self) -> str:
        return source_key(SourceKind.ORDER, self.order_id)

    @property
    def capability(self) -> str:
        """Whose dead-letter queue receives failures of its documents, drafts excepted."""
        return SHIPMENTS


class DocumentSource(Protocol):
    """What documents are requested for: an order, or a refund of one. See OrderToPlan."""

    @property
    def order_id(self) -> str: ...

    @property
    def contact_number(self) -> str: ...

    @property
    def marketplace_id(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def source_version(self) -> datetime: ...

    @property
    def capability(self) -> str: ...

    @property
    def planned_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class DocumentHeader:
    """What all lines of a document share; currency as ISO code, status DRAFT or AUTHORISED, ship_to as in the order."""

    day: date
    reference: str
    currency: str
    amounts: LineAmountTypes
    status: str = "AUTHORISED"
    ship_to: str = ""


class OrderDocuments[S: DocumentSource]:
    """The documents of one order, or of one refund, in one version."""

    def __init__(self, order: S, policy: PostingPolicy, organisation: Organisation) -> None:
        self.order = order
        self.policy = policy
        self.organisation = organisation

    def document(
        self,
        kind: DocumentKind,
        number: str,
        lines: Sequence[Line],
        total: Decimal,
        header: DocumentHeader,
        contact: str = "",
    ) -> DesiredDocument:
        """Return an invoice or a credit note. Raises Failure for what the organisation does not have.

        contact: key of the contact's document, where it is not the order's customer of now.
        """
        self._check_lines(lines)
        is_invoice = kind is DocumentKind.INVOICE
        body: dict[str, Any] = {
            "Type": "ACCREC" if is_invoice else "ACCRECCREDIT",
            "InvoiceNumber" if is_invoice else "CreditNoteNumber": number,
            "Reference": header.reference,
            "Date": header.day.isoformat(),
            "CurrencyCode": header.currency,
            "LineAmountTypes": header.amounts.value,
            "Status": header.status,
            "LineItems": [line.in_xero() for line in lines],
        }
        style = self.policy.style
        if is_invoice:
            body["DueDate"] = (header.day + timedelta(days=style.due_days)).isoformat()
        if style.branding_theme:
            body["BrandingThemeID"] = self.organisation.branding_theme_id(style.branding_theme)
        return DesiredDocument(
            kind,
            number,
            body,
            self.order.source,
            source_version=self.order.source_version,
            total=total,
            references={CONTACT_REFERENCE: contact or document_key(DocumentKind.CONTACT, self.order.contact_number)},
            capability=ORDERS if header.status == "DRAFT" else self.order.capability,
            order_id=self.order.order_id,
            line_origins=tuple(line.origin or ROUNDING for line in lines),
            entry=self._entry(header.day),
            ship_to=header.ship_to,
        )

    def _entry(self, day: date) -> DayEntry | None:
        planned_at = self.order.planned_at or self.order.source_version
        return entry_of(self.order.marketplace_id, day, planned_at, self.policy, self.organisation)

    def _check_lines(self, lines: Sequence[Line]) -> None:
        for line in lines:
            for category, option in line.tracking:
                self.organisation.require_tracking(category, option)
            if line.item_code:
                self.organisation.require_item(line.item_code)

    def settlement(
        self, document: DesiredDocument, held: HeldDocuments, amount: Decimal | None = None
    ) -> DesiredDocument | None:
        """Return the payment or cash refund that settles an approved document from clearing on the document's day.

        amount: what is settled, where that is less than the document's total.

        If that day was locked since, and the settings say so, it is dated on the first open day.
        The clearing account then shows what Amazon owes. None where the policy pays nothing, where there is no clearing
        account, or nothing to settle, and for an entry: its day's document is settled.
        Raises Failure with CLEARING_UNUSABLE.
        """
        currency = document.body["CurrencyCode"]
        clearing = self.policy.accounts.clearing_account(self.order.marketplace_id, currency)
        settled = document.total if amount is None else amount
        if (
            self.policy.payments is Payments.NONE
            or document.is_entry
            or not clearing
            or document.body["Status"] != "AUTHORISED"
            or not settled
        ):
            return None
        self.organisation.require_clearing(clearing, currency)
        kind = SETTLED_BY[document.kind]
        body = {
            "Account": {"Code": clearing},
            "Date": self._settlement_day(document, held).isoformat(),
            "Amount": without_trailing_zeros(settled),
            "Reference": reference_identity(document.body["Reference"]),
        }
        path = "Invoice.InvoiceID" if kind is DocumentKind.PAYMENT else "CreditNote.CreditNoteID"
        return DesiredDocument(
            kind,
            held.free_number(kind, document.number),
            body,
            document.source,
            source_version=document.source_version,
            references={path: document.key},
            capability=self.order.capability,
            order_id=document.order_id,
        )

    def _settlement_day(self, document: DesiredDocument, held: HeldDocuments) -> date:
        settlement = self.held_settlement(document.kind, document.number, held)
        if settlement is not None and (settlement.exists_in_xero or settlement.is_outcome_open):
            # It is found in Xero by the day that was sent.
            return date.fromisoformat(settlement.desired.body.get("Date", document.body["Date"]))
        day = date.fromisoformat(document.body["Date"])
        return self.open_date(day) if self.policy.lock_dates is LockDates.NEXT_OPEN_DAY else day

    def held_settlement(self, kind: DocumentKind, number: str, held: HeldDocuments) -> Document | None:
        """Return the settlement that was requested for the document of that kind and number, None where none was."""
        settled_by = SETTLED_BY[kind]
        return held.own(settled_by, held.free_number(settled_by, number))

    def unchanged(self, held: Document) -> DesiredDocument:
        """Return the same request with this version of the order, so that an older version cannot change it."""
        return replace(held.desired, source_version=self.order.source_version)

    def removed(self, held: Document) -> DesiredDocument:
        """Return the tombstone of a document that was requested."""
        return replace(
            held.desired, tombstone=True, source_version=self.order.source_version, capability=self.order.capability
        )

    def tombstone(self, kind: DocumentKind, number: str, held: Document | None) -> DesiredDocument:
        """Return the tombstone of a document that should not exist, requested before or not.

        It is stored even where nothing was requested: a worker that was frozen may still request the document, and
        must find that a newer version of the order has been planned.
        """
        if held is not None:
            return self.removed(held)
        return DesiredDocument(
            kind,
            number,
            {},
            self.order.source,
            source_version=self.order.source_version,
            capability=self.order.capability,
            order_id=self.order.order_id,
            tombstone=True,
        )

    def closed(self, held: HeldDocuments) -> list[DesiredDocument]:
        """Return tombstones of the documents that Xero holds as voided, and of the settlements that they never had.

        Another number replaces each of them, so their failures need nobody any more.
        """
        own = list(held.own_documents())
        void = {document.key: document for document in own if document.is_found_void}
        unsettled = [
            document
            for document in own
            if not void.keys().isdisjoint(document.desired.references.values())
            and not (document.exists_in_xero or document.is_outcome_open or document.desired.tombstone)
        ]
        return [self.removed(document) for document in (*void.values(), *unsettled)]

    def open_date(self, day: date) -> date:
        """Return the day that a document of that day is booked on. Raises Failure with PERIOD_LOCKED."""
        return self.organisation.open_date(day, self.policy.lock_dates)


def dated_reference(reference: str, day: date, belongs_on: date) -> str:
    """Return the Reference of a document that is dated `day`: it says so where what it books is of another day."""
    reference = _MARKED_DAY.sub("", reference)
    if day == belongs_on:
        return reference
    mark = f"{', ' if REFERENCE_MARK in reference else REFERENCE_MARK}of {belongs_on}"
    return f"{cut(reference, REFERENCE_LIMIT - len(mark))}{mark}"


def sale_day(desired: DesiredDocument) -> date:
    """Return the day of what a document books: that in its Reference, else its own."""
    marked = _MARKED_DAY.search(desired.body["Reference"])
    return date.fromisoformat(marked[1] if marked else desired.body["Date"])


def is_number_used_up(held: Document) -> bool:
    """Whether Xero holds the document as voided or deleted, by us or by somebody else: its number stays taken."""
    removed = held.desired.tombstone and held.exists_in_xero and held.state is DocumentState.APPLIED
    return removed or (held.state is DocumentState.FAILED and held.reason == FailureCode.VOIDED_IN_XERO)


def is_settled_alone(settlement: Document, settled: Document | None) -> bool:
    """Whether Xero holds a settlement of a document that it does not hold.

    It never does: another worker has stored both while this plan's rows were read, one of them before and one after.
    """
    is_held = settlement.exists_in_xero and not settlement.desired.tombstone
    return is_held and (settled is None or not settled.exists_in_xero)
