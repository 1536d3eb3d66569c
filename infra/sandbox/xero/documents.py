"""Invoices and credit notes: numbers, lines and their arithmetic, checks against the books, the status machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .books import Books, Document, Line, NotFound, Refused, with_settlement
from .contacts import Contacts
from .values import (
    TEN_THOUSANDTH,
    ZERO,
    read_choice,
    read_date,
    read_number,
    read_objects,
    read_text,
    to_cents,
)

STATUSES = ("DRAFT", "SUBMITTED", "DELETED", "AUTHORISED", "PAID", "VOIDED")
LINE_AMOUNT_TYPES = ("Exclusive", "Inclusive", "NoTax")
_APPROVING = {"SUBMITTED", "AUTHORISED"}
_TAXED_CLASS = {
    "REVENUE": "CanApplyToRevenue",
    "EXPENSE": "CanApplyToExpenses",
    "ASSET": "CanApplyToAssets",
    "LIABILITY": "CanApplyToLiabilities",
    "EQUITY": "CanApplyToEquity",
}
# Xero posts to these itself; a document's line may not.
_OWN_POSTINGS = {"DEBTORS", "CREDITORS", "BANKCURRENCYGAIN", "REALISEDCURRENCYGAIN", "UNREALISEDCURRENCYGAIN"}


@dataclass(frozen=True)
class Kind:
    """What differs between invoices and credit notes on the wire."""

    collection: str
    id_field: str
    number_field: str
    types: tuple[str, str]  # sales, purchases
    prefix: str
    noun: str
    duplicate: str

    @property
    def not_modifiable(self) -> str:
        return f"{self.noun} not of valid status for modification"


INVOICE = Kind(
    "Invoices", "InvoiceID", "InvoiceNumber", ("ACCREC", "ACCPAY"), "INV-", "Invoice", "Invoice # must be unique."
)
# Xero's words for a credit note number used twice are not documented; these follow the invoice's.
CREDIT_NOTE = Kind(
    "CreditNotes",
    "CreditNoteID",
    "CreditNoteNumber",
    ("ACCRECCREDIT", "ACCPAYCREDIT"),
    "CN-",
    "Credit Note",
    "Credit Note # must be unique.",
)


class Documents:
    """Creates and changes the documents of one kind."""

    def __init__(self, kind: Kind, books: Books, contacts: Contacts) -> None:
        self.kind = kind
        self.books = books
        self.contacts = contacts
        self.table = books.invoices if kind is INVOICE else books.credit_notes
        self.by_number = books.invoice_by_number if kind is INVOICE else books.credit_note_by_number
        self.ids_by_number = books.invoice_ids_by_number if kind is INVOICE else books.credit_note_ids_by_number
        self._last_number = 0

    def find(self, reference: str | None) -> Document | None:
        """By id or number."""
        return self.books.invoice(reference) if self.kind is INVOICE else self.books.credit_note(reference)

    def create(self, element: dict[str, Any], decimals: int) -> Document:
        """PUT: always a new document; `decimals` of a unit amount are 2, or 4 with unitdp=4."""
        return self._save(None, element, decimals)

    def update_or_create(self, element: dict[str, Any], decimals: int, document_id: str | None = None) -> Document:
        """POST: the document with that id or number, or a new one. NotFound for an unknown id in the path."""
        if document_id is not None:
            existing = self.find(document_id)
            if existing is None:
                raise NotFound
            return self._save(existing, element, decimals)
        wanted = read_text(element.get(self.kind.id_field))
        if wanted:
            existing = self.table.get(wanted.lower())
            if existing is None:
                raise Refused(
                    f"An existing {self.kind.noun} with the specified {self.kind.id_field} could not be found"
                )
            return self._save(existing, element, decimals)
        # Numbers of purchases are the supplier's and not unique, so they identify nothing.
        is_purchase = read_choice(element.get("Type"), self.kind.types, "Type") == self.kind.types[1]
        numbered = None if is_purchase else self.find(read_text(element.get(self.kind.number_field)))
        return self._save(numbered, element, decimals)

    def _save(self, existing: Document | None, element: dict[str, Any], decimals: int) -> Document:
        status = read_choice(element.get("Status"), STATUSES, "Status")
        kind = read_choice(element.get("Type"), self.kind.types, "Type")
        try:
            if existing is None:
                return self._create(kind, status or "DRAFT", element, decimals)
            if kind not in (None, existing.type):
                raise Refused(f"The {self.kind.noun} Type cannot be changed")
            return self._update(existing, status or existing.status, element, decimals)
        except Refused as refused:
            refused.record_id = existing.id if existing else None
            raise

    def _create(self, kind: str | None, status: str, element: dict[str, Any], decimals: int) -> Document:
        if kind is None:
            raise Refused("The Type field is mandatory")
        if status not in {"DRAFT", *_APPROVING}:
            raise Refused(self.kind.not_modifiable)
        problems: list[str] = []
        contact = self._contact(element, problems)
        number = self._number(kind, element, None, problems)
        blank = Document(
            id="",
            type=kind,
            number=number,
            status=status,
            contact_id=contact,
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
        document = self._filled(blank, element, decimals, problems)
        if problems:
            raise Refused(*problems)
        document = with_settlement(replace(document, id=self.books.new_id()), self.books)
        self.books.store(document)
        self._remember_number(document)
        self._remember_side(document)
        return document

    def _update(self, existing: Document, status: str, element: dict[str, Any], decimals: int) -> Document:
        if existing.status in {"VOIDED", "DELETED"}:
            raise Refused(self.kind.not_modifiable)
        if existing.has_payments_or_credits:
            if status in {"VOIDED", "DELETED"}:
                raise Refused(
                    f"The status {status} cannot be applied to the {self.kind.noun.lower()} "
                    "because it has payments or credit notes allocated to it."
                )
            raise Refused("This document cannot be edited as it has a payment or credit note allocated to it.")
        allowed = {"AUTHORISED", "VOIDED"} if existing.is_approved else {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"}
        if existing.status == "PAID" and status == "PAID":  # a document of zero, sent back as it was read
            status = "AUTHORISED"
        if status not in allowed:
            raise Refused(self.kind.not_modifiable)
        locked = self.books.lock_violation(existing.date) if existing.is_approved else None
        if locked:
            raise Refused(locked)
        if status in {"VOIDED", "DELETED"}:
            # Nothing else in the request counts; the amounts stay as they were.
            return self.books.store(replace(existing, status=status, fully_paid_on=None, updated=self.books.now()))
        problems: list[str] = []
        contact = self._contact(element, problems) if element.get("Contact") else existing.contact_id
        number = self._number(existing.type, element, existing, problems)
        changed = replace(existing, status=status, number=number, contact_id=contact, updated=self.books.now())
        document = self._filled(changed, element, decimals, problems)
        if problems:
            raise Refused(*problems)
        if number.casefold() != existing.number.casefold():
            self._forget_number(existing)
            self._remember_number(document)
        document = with_settlement(document, self.books)
        self.books.store(document)
        self._remember_side(document)
        return document

    def _contact(self, element: dict[str, Any], problems: list[str]) -> str:
        try:
            return self.contacts.for_document(element.get("Contact")).id
        except Refused as refused:
            problems.extend(refused.messages)
            return ""

    def _remember_side(self, document: Document) -> None:
        """A contact is a customer once it has a sales document, a supplier once it has a purchase."""
        contact = self.books.contacts[document.contact_id]
        side = "is_customer" if document.type == self.kind.types[0] else "is_supplier"
        if not getattr(contact, side):
            updated = (
                replace(contact, is_customer=True) if side == "is_customer" else replace(contact, is_supplier=True)
            )
            self.books.put(self.books.contacts, contact.id, updated)

    def _remember_number(self, document: Document) -> None:
        number = document.number.casefold()
        self.books.put(self.ids_by_number, number, (*self.ids_by_number.get(number, ()), document.id))
        if document.type == self.kind.types[0]:
            self.books.put(self.by_number, number, document.id)

    def _forget_number(self, document: Document) -> None:
        number = document.number.casefold()
        others = tuple(one for one in self.ids_by_number[number] if one != document.id)
        self.books.put(self.ids_by_number, number, others)
        if document.type == self.kind.types[0]:
            self.books.remove(self.by_number, number)

    def _number(self, kind: str, element: dict[str, Any], existing: Document | None, problems: list[str]) -> str:
        wanted = read_text(element.get(self.kind.number_field))
        if wanted is None:
            if existing:
                return existing.number
            return self._next_number() if kind == self.kind.types[0] else ""
        if len(wanted) > 255:
            problems.append(f"The {self.kind.number_field} must not be longer than 255 characters.")
        holder = self.by_number.get(wanted.casefold())
        sales = kind == self.kind.types[0]
        # Voided and deleted documents keep their number, so it stays taken.
        if holder and sales and holder != (existing.id if existing else None):
            problems.append(self.kind.duplicate)
        return wanted

    def _next_number(self) -> str:
        while True:
            self._last_number += 1
            number = f"{self.kind.prefix}{self._last_number:04}"
            if number.casefold() not in self.by_number:
                return number

    # -- content -------------------------------------------------------------------------------------------------

    def _filled(self, document: Document, element: dict[str, Any], decimals: int, problems: list[str]) -> Document:
        """The document with the fields of the element, its lines calculated and everything checked."""
        day = read_date(element.get("Date"), "Date") or document.date
        line_types = read_choice(element.get("LineAmountTypes"), LINE_AMOUNT_TYPES, "LineAmountTypes")
        due = read_date(element.get("DueDate"), "DueDate") or document.due_date
        if due is None and document.status in _APPROVING and self.kind is INVOICE:
            due = day
        currency, rate = self._currency(document, element, problems)
        before = document
        document = replace(
            document,
            date=day,
            due_date=due,
            line_amount_types=line_types or document.line_amount_types,
            currency=currency,
            currency_rate=rate,
            reference=self._text(element, "Reference", document.reference),
            url=self._text(element, "Url", document.url),
            branding_theme_id=self._text(element, "BrandingThemeID", document.branding_theme_id),
            expected_payment_date=read_date(element.get("ExpectedPaymentDate"), "ExpectedPaymentDate")
            or document.expected_payment_date,
            sent_to_contact=bool(element.get("SentToContact", document.sent_to_contact)),
        )
        if document.reference and len(document.reference) > 255:
            problems.append("The Reference must not be longer than 255 characters.")
        if document.status in _APPROVING and (locked := self.books.lock_violation(day)):
            problems.append(locked)
        approving = document.status in _APPROVING
        if element.get("LineItems") is not None:
            sent = read_objects(element["LineItems"], "LineItems")
            lines = tuple(self._line(document, raw, decimals, problems) for raw in sent)
        elif document.line_amount_types != before.line_amount_types:
            lines = tuple(self._taxed(document, line, None, problems) for line in document.lines)
        else:
            lines = document.lines
        for line in lines:
            self._check_line(document, line, problems, approving=approving)
        document = self._totalled(replace(document, lines=lines))
        if approving and not lines:
            problems.append("One or more line items must be specified")
        if approving and document.total < 0:
            problems.append(f"The {self.kind.noun.lower()} total must not be negative.")
        return document

    @staticmethod
    def _text(element: dict[str, Any], key: str, known: str | None) -> str | None:
        return read_text(element[key]) if element.get(key) is not None else known

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

    def _line(self, document: Document, raw: dict[str, Any], decimals: int, problems: list[str]) -> Line:
        item = self._item(raw, problems)
        details = item.get("SalesDetails" if document.type == self.kind.types[0] else "PurchaseDetails") or {}
        quantity = read_number(raw.get("Quantity"), "Quantity")
        unit = read_number(raw.get("UnitAmount"), "UnitAmount")
        given = read_number(raw.get("LineAmount"), "LineAmount")
        if unit is None and given is None:
            unit = read_number(details.get("UnitPrice"), "UnitPrice")
        rate = read_number(raw.get("DiscountRate"), "DiscountRate")
        discount = read_number(raw.get("DiscountAmount"), "DiscountAmount")
        if (rate or discount) and document.type != "ACCREC":
            problems.append("Discounts are only supported on ACCREC invoices")
        quantity, unit, amount = self._amounts(quantity, unit, given, rate, discount, decimals, problems)
        account = self.books.account(
            read_text(raw.get("AccountCode")) or read_text(details.get("AccountCode")), read_text(raw.get("AccountID"))
        )
        code = account.get("Code") if account else read_text(raw.get("AccountCode"))
        known = {line.line_item_id for line in document.lines}
        wanted_id = (read_text(raw.get("LineItemID")) or "").lower()
        line = Line(
            line_item_id=wanted_id if wanted_id in known else self.books.new_id(),
            description=read_text(raw.get("Description")) or read_text(item.get("Description")),
            quantity=quantity,
            unit_amount=unit,
            line_amount=amount,
            tax_amount=ZERO,
            tax_type=read_text(raw.get("TaxType"))
            or read_text(details.get("TaxType"))
            or (account.get("TaxType") if account else None),
            account_code=code,
            account_id=account["AccountID"] if account else None,
            item_code=read_text(raw.get("ItemCode")),
            discount_rate=rate,
            discount_amount=discount,
            tracking=tuple(read_objects(raw.get("Tracking"), "Tracking")),
        )
        if line.description and len(line.description) > 4000:
            problems.append("The line item Description must not be longer than 4000 characters.")
        if len(line.tracking) > 2:
            problems.append("A line item can have at most 2 tracking categories.")
        return self._taxed(document, line, read_number(raw.get("TaxAmount"), "TaxAmount"), problems)

    def _item(self, raw: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        code = read_text(raw.get("ItemCode"))
        if code is None:
            return {}
        item = self.books.items.get(self.books.item_by_code.get(code.casefold(), ""))
        if item is None:
            problems.append(f"Item code '{code}' is not valid")
            return {}
        return item.fields

    @staticmethod
    def _amounts(
        quantity: Decimal | None,
        unit: Decimal | None,
        given: Decimal | None,
        rate: Decimal | None,
        discount: Decimal | None,
        decimals: int,
        problems: list[str],
    ) -> tuple[Decimal | None, Decimal | None, Decimal]:
        """Quantity (4 decimals), unit amount (2 or 4) and line amount (2) of one line; the missing one is worked out.

        The unit amount is rounded BEFORE it is multiplied (Xero: rounding in invoices), which is why a third of a
        price needs unitdp=4 or a quantity of one.
        """
        step = Decimal(1).scaleb(-decimals)
        quantity = quantity.quantize(TEN_THOUSANDTH, ROUND_HALF_UP) if quantity is not None else None
        unit = unit.quantize(step, ROUND_HALF_UP) if unit is not None else None
        if given is None:
            if quantity is None and unit is None:
                return None, None, ZERO
            quantity = Decimal(1) if quantity is None else quantity
            unit = Decimal(0) if unit is None else unit
            gross = quantity * unit
            return quantity, unit, to_cents(gross * (1 - (rate or ZERO) / 100) - (discount or ZERO))
        given = to_cents(given)
        if quantity is None and unit is None:
            quantity = Decimal(1)
        if quantity is not None and unit is not None:
            expected = to_cents(quantity * unit * (1 - (rate or ZERO) / 100) - (discount or ZERO))
            if expected != given:
                problems.append(f"The line total {given} does not match the expected line total {expected}")
        elif unit is None:
            unit = (given / quantity).quantize(step, ROUND_HALF_UP) if quantity else ZERO
        else:
            quantity = (given / unit).quantize(TEN_THOUSANDTH, ROUND_HALF_UP) if unit else ZERO
        return quantity, unit, given

    def _taxed(self, document: Document, line: Line, given: Decimal | None, problems: list[str]) -> Line:
        """The line with its own tax, rounded to cents on its own. A tax amount that was sent overrides the rate's."""
        if document.line_amount_types == "NoTax":
            return replace(line, tax_type="NONE", tax_amount=ZERO)
        if line.tax_type is None:
            return replace(line, tax_amount=to_cents(given or ZERO))
        rate = self.books.tax_rates.get(line.tax_type)
        if rate is None or rate.get("Status") != "ACTIVE":
            problems.append(
                f"The TaxType code {line.tax_type} does not exist or cannot be used for this type of transaction."
            )
            return line
        if given is not None:
            return replace(line, tax_amount=to_cents(given))
        percent = Decimal(str(rate["EffectiveRate"]))
        if document.line_amount_types == "Inclusive":
            return replace(line, tax_amount=to_cents(line.line_amount * percent / (100 + percent)))
        return replace(line, tax_amount=to_cents(line.line_amount * percent / 100))

    def _check_line(self, document: Document, line: Line, problems: list[str], *, approving: bool) -> None:
        if approving and not line.description:
            problems.append("Description cannot be empty.")
        worded_only = line.quantity is None and line.unit_amount is None and line.account_code is None
        if worded_only and line.description:
            return
        if line.account_code is None and line.account_id is None:
            if approving:
                problems.append("Account code or ID must be specified")
                if line.tax_type is None:
                    problems.append("The TaxType field is mandatory")
            return
        account = self.books.account(line.account_code, line.account_id)
        if account and account.get("Status") != "ACTIVE":
            problems.append(
                f"Account code '{line.account_code}' has been archived, or has been deleted. "
                "Each line item must reference a valid account."
            )
        elif not account or account["Type"] == "BANK" or account.get("SystemAccount") in _OWN_POSTINGS:
            problems.append(f"Account code '{line.account_code}' is not a valid code for this document.")
        elif document.line_amount_types != "NoTax" and line.tax_type:
            rate = self.books.tax_rates.get(line.tax_type, {})
            if not rate.get(_TAXED_CLASS[account["Class"]]):
                problems.append(
                    f"The TaxType code '{line.tax_type}' cannot be used with account code '{line.account_code}'."
                )

    @staticmethod
    def _totalled(document: Document) -> Document:
        amounts = sum((line.line_amount for line in document.lines), ZERO)
        tax = sum((line.tax_amount for line in document.lines), ZERO)
        if document.line_amount_types == "Inclusive":
            return replace(document, sub_total=amounts - tax, total_tax=tax, total=amounts)
        return replace(document, sub_total=amounts, total_tax=tax, total=amounts + tax)
