"""Invoices and credit notes: their numbers, their fields and the statuses they move through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from .books import Books
from .contacts import Contacts
from .errors import NotFound, ValidationError
from .lines import DocumentLines
from .records import Document
from .values import ZERO, read_choice, read_date, read_number, read_text, utf16_length

STATUSES = ("DRAFT", "SUBMITTED", "DELETED", "AUTHORISED", "PAID", "VOIDED")
LINE_AMOUNT_TYPES = ("Exclusive", "Inclusive", "NoTax")
# Statuses in which a document must be complete.
_COMPLETE_STATUSES = {"SUBMITTED", "AUTHORISED"}


@dataclass(frozen=True)
class DocumentKind:
    """The names in which invoices and credit notes differ.

    types: the sale's, then the purchase's.
    prefix: of the numbers Xero assigns.
    duplicate_number: the validation message for a number that is already used.
    """

    collection: str
    id_field: str
    number_field: str
    types: tuple[str, str]
    prefix: str
    noun: str
    duplicate_number: str

    @property
    def not_modifiable(self) -> str:
        return f"{self.noun} not of valid status for modification"


INVOICE = DocumentKind(
    "Invoices", "InvoiceID", "InvoiceNumber", ("ACCREC", "ACCPAY"), "INV-", "Invoice", "Invoice # must be unique."
)
# Xero does not document its message for a duplicate credit note number; this one follows the invoice's.
CREDIT_NOTE = DocumentKind(
    "CreditNotes",
    "CreditNoteID",
    "CreditNoteNumber",
    ("ACCRECCREDIT", "ACCPAYCREDIT"),
    "CN-",
    "Credit Note",
    "Credit Note # must be unique.",
)


class Documents:
    """Create and update the documents of one kind."""

    def __init__(self, kind: DocumentKind, books: Books, contacts: Contacts) -> None:
        self.kind = kind
        self.books = books
        self.contacts = contacts
        self.table = books.invoices if kind is INVOICE else books.credit_notes
        self.by_number = books.invoice_by_number if kind is INVOICE else books.credit_note_by_number
        self.ids_by_number = books.invoice_ids_by_number if kind is INVOICE else books.credit_note_ids_by_number
        self._lines = DocumentLines(books)
        self._last_number = 0

    def find(self, reference: str | None) -> Document | None:
        """Return the document with that id or number."""
        return self.books.invoice(reference) if self.kind is INVOICE else self.books.credit_note(reference)

    def create(self, element: dict[str, Any], decimals: int) -> Document:
        """PUT: create a document. `decimals` of a unit amount are 2, or 4 with unitdp=4."""
        return self._save(None, element, decimals)

    def update_or_create(self, element: dict[str, Any], decimals: int, document_id: str | None = None) -> Document:
        """POST: update the document with that id or number, or create one. NotFound for an unknown id in the path."""
        if document_id is not None:
            existing = self.find(document_id)
            if existing is None:
                raise NotFound
            return self._save(existing, element, decimals)
        element_id = read_text(element.get(self.kind.id_field))
        if element_id:
            existing = self.table.get(element_id.lower())
            if existing is None:
                raise ValidationError(
                    f"An existing {self.kind.noun} with the specified {self.kind.id_field} could not be found"
                )
            return self._save(existing, element, decimals)
        # The number of a purchase is the supplier's and not unique, so it identifies no document.
        is_purchase = read_choice(element.get("Type"), self.kind.types, "Type") == self.kind.types[1]
        existing = None if is_purchase else self.find(read_text(element.get(self.kind.number_field)))
        return self._save(existing, element, decimals)

    def _save(self, existing: Document | None, element: dict[str, Any], decimals: int) -> Document:
        status = read_choice(element.get("Status"), STATUSES, "Status")
        document_type = read_choice(element.get("Type"), self.kind.types, "Type")
        try:
            if existing is None:
                return self._create(document_type, status or "DRAFT", element, decimals)
            if document_type not in (None, existing.type):
                raise ValidationError(f"The {self.kind.noun} Type cannot be changed")
            return self._update(existing, status or existing.status, element, decimals)
        except ValidationError as error:
            error.record_id = existing.id if existing else None
            raise

    def _create(self, document_type: str | None, status: str, element: dict[str, Any], decimals: int) -> Document:
        if document_type is None:
            raise ValidationError("The Type field is mandatory")
        if status not in {"DRAFT", *_COMPLETE_STATUSES}:
            raise ValidationError(self.kind.not_modifiable)
        problems: list[str] = []
        contact_id = self._contact_id(element, problems)
        number = self._number(document_type, element, None, problems)
        blank = Document(
            id="",
            type=document_type,
            number=number,
            status=status,
            contact_id=contact_id,
            date=self.books.today(),
            due_date=None,
            line_amount_types="Exclusive",
            currency=self.books.base_currency,
            currency_rate=Decimal(1),
            lines=(),
            sub_total=ZERO,
            total_tax=ZERO,
            total=ZERO,
            updated=self.books.now(),
        )
        document = self._with_fields(blank, element, decimals, problems)
        if problems:
            raise ValidationError(*problems)
        document = self.books.with_payment_status(replace(document, id=self.books.new_id()))
        self.books.store(document)
        self._index_number(document)
        self._flag_contact(document)
        return document

    def _update(self, existing: Document, status: str, element: dict[str, Any], decimals: int) -> Document:
        if existing.status == "PAID" and status == "PAID":  # a document of zero, returned unchanged by the client
            status = "AUTHORISED"
        self._check_update(existing, status)
        if status in {"VOIDED", "DELETED"}:
            # Xero ignores the rest of the request; the amounts stay unchanged.
            return self.books.store(replace(existing, status=status, fully_paid_on=None, updated=self.books.now()))
        problems: list[str] = []
        contact_id = self._contact_id(element, problems) if element.get("Contact") else existing.contact_id
        number = self._number(existing.type, element, existing, problems)
        changed = replace(existing, status=status, number=number, contact_id=contact_id, updated=self.books.now())
        document = self._with_fields(changed, element, decimals, problems)
        if problems:
            raise ValidationError(*problems)
        if number.casefold() != existing.number.casefold():
            self._unindex_number(existing)
            self._index_number(document)
        document = self.books.with_payment_status(document)
        self.books.store(document)
        self._flag_contact(document)
        return document

    def _check_update(self, existing: Document, status: str) -> None:
        """Raise ValidationError if the document does not accept changes or cannot move to that status."""
        if existing.status in {"VOIDED", "DELETED"}:
            raise ValidationError(self.kind.not_modifiable)
        if existing.has_payments_or_credits:
            if status in {"VOIDED", "DELETED"}:
                raise ValidationError(
                    f"The status {status} cannot be applied to the {self.kind.noun.lower()} "
                    "because it has payments or credit notes allocated to it."
                )
            raise ValidationError("This document cannot be edited as it has a payment or credit note allocated to it.")
        allowed = {"AUTHORISED", "VOIDED"} if existing.is_approved else {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"}
        if status not in allowed:
            raise ValidationError(self.kind.not_modifiable)
        lock_violation = self.books.lock_violation(existing.date) if existing.is_approved else None
        if lock_violation:
            raise ValidationError(lock_violation)

    # -- contact -------------------------------------------------------------------------------------------------

    def _contact_id(self, element: dict[str, Any], problems: list[str]) -> str:
        try:
            return self.contacts.for_document(element.get("Contact")).id
        except ValidationError as error:
            problems.extend(error.messages)
            return ""

    def _flag_contact(self, document: Document) -> None:
        """Mark the contact as a customer with its first sale and as a supplier with its first purchase."""
        contact = self.books.contacts[document.contact_id]
        if document.is_sale and not contact.is_customer:
            self.books.put(self.books.contacts, contact.id, replace(contact, is_customer=True))
        elif not document.is_sale and not contact.is_supplier:
            self.books.put(self.books.contacts, contact.id, replace(contact, is_supplier=True))

    # -- numbers -------------------------------------------------------------------------------------------------

    def _number(
        self, document_type: str, element: dict[str, Any], existing: Document | None, problems: list[str]
    ) -> str:
        number = read_text(element.get(self.kind.number_field))
        is_sale = document_type == self.kind.types[0]
        if number is None:
            if existing:
                return existing.number
            return self._next_number() if is_sale else ""
        if len(number) > 255:
            problems.append(f"The {self.kind.number_field} must not be longer than 255 characters.")
        # Voided and deleted documents keep their number, so nobody else can use it.
        holder = self.by_number.get(number.casefold())
        if holder and is_sale and holder != (existing.id if existing else None):
            problems.append(self.kind.duplicate_number)
        return number

    def _next_number(self) -> str:
        while True:
            self._last_number += 1
            number = f"{self.kind.prefix}{self._last_number:04}"
            if number.casefold() not in self.by_number:
                return number

    def _index_number(self, document: Document) -> None:
        number = document.number.casefold()
        self.books.put(self.ids_by_number, number, (*self.ids_by_number.get(number, ()), document.id))
        if document.is_sale:
            self.books.put(self.by_number, number, document.id)

    def _unindex_number(self, document: Document) -> None:
        number = document.number.casefold()
        remaining = tuple(document_id for document_id in self.ids_by_number[number] if document_id != document.id)
        self.books.put(self.ids_by_number, number, remaining)
        if document.is_sale:
            self.books.remove(self.by_number, number)

    # -- fields --------------------------------------------------------------------------------------------------

    def _with_fields(self, document: Document, element: dict[str, Any], decimals: int, problems: list[str]) -> Document:
        """Return the document with the fields of the element; check them and calculate lines and totals."""
        day = read_date(element.get("Date"), "Date") or document.date
        line_amount_types = read_choice(element.get("LineAmountTypes"), LINE_AMOUNT_TYPES, "LineAmountTypes")
        due_date = read_date(element.get("DueDate"), "DueDate") or document.due_date
        must_be_complete = document.status in _COMPLETE_STATUSES
        if due_date is None and must_be_complete and self.kind is INVOICE:
            due_date = day
        currency, rate = self._currency(document, element, problems)
        expected_payment_date = read_date(element.get("ExpectedPaymentDate"), "ExpectedPaymentDate")
        changed = replace(
            document,
            date=day,
            due_date=due_date,
            line_amount_types=line_amount_types or document.line_amount_types,
            currency=currency,
            currency_rate=rate,
            reference=_text_or(document.reference, element, "Reference"),
            url=_text_or(document.url, element, "Url"),
            branding_theme_id=_text_or(document.branding_theme_id, element, "BrandingThemeID"),
            expected_payment_date=expected_payment_date or document.expected_payment_date,
            sent_to_contact=bool(element.get("SentToContact", document.sent_to_contact)),
        )
        if changed.reference and utf16_length(changed.reference) > 255:
            problems.append("The Reference must not be longer than 255 characters.")
        theme = (changed.branding_theme_id or "").lower()
        if theme and theme not in self.books.branding_themes:
            problems.append("The BrandingThemeID could not be found.")  # the words are not Xero's
        if must_be_complete and (lock_violation := self.books.lock_violation(day)):
            problems.append(lock_violation)
        types_changed = changed.line_amount_types != document.line_amount_types
        changed = self._lines.apply(
            changed,
            element.get("LineItems"),
            decimals,
            problems,
            must_be_complete=must_be_complete,
            recalculate=types_changed,
        )
        if must_be_complete and not changed.lines:
            problems.append("One or more line items must be specified")
        if must_be_complete and changed.total < 0:
            problems.append(f"The {self.kind.noun.lower()} total must not be negative.")
        return changed

    def _currency(self, document: Document, element: dict[str, Any], problems: list[str]) -> tuple[str, Decimal]:
        currency = (read_text(element.get("CurrencyCode")) or document.currency).upper()
        if currency not in self.books.currencies:
            problems.append(f"Organisation is not subscribed to currency {currency}")
        if currency == self.books.base_currency:
            return currency, Decimal("1.000000")
        rate = read_number(element.get("CurrencyRate"), "CurrencyRate")
        if rate is not None and rate <= 0:
            problems.append("The currency rate must be greater than zero.")
        if rate is None:
            rate = document.currency_rate if currency == document.currency else self.books.day_rate(currency)
        return currency, rate


def _text_or(default: str | None, element: dict[str, Any], key: str) -> str | None:
    return read_text(element[key]) if element.get(key) is not None else default
