"""The JSON of records in a response: Xero's own keys, date formats and nesting."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .books import Books
from .records import Allocation, Contact, Document, HistoryRecord, Item, Line, Payment
from .values import date_string, instant_string, wire_date, wire_instant

_ADDRESS_TYPES = ("STREET", "POBOX")
_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


def contact(record: Contact) -> dict[str, Any]:
    """Return the contact with all its fields."""
    fields = record.fields
    addresses = {address.get("AddressType", "POBOX"): address for address in fields.get("Addresses", [])}
    phones = {phone.get("PhoneType", "DEFAULT"): phone for phone in fields.get("Phones", [])}
    blank = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
    return {
        "ContactID": record.id,
        **({"ContactNumber": record.number} if record.number else {}),
        "ContactStatus": record.status,
        **({"MergedToContactID": record.merged_to} if record.merged_to else {}),
        "Name": record.name,
        **{key: value for key, value in fields.items() if key not in {"Addresses", "Phones", "ContactPersons"}},
        "EmailAddress": fields.get("EmailAddress", ""),
        "BankAccountDetails": fields.get("BankAccountDetails", ""),
        "Addresses": [
            {"AddressType": kind, **blank, **addresses.get(kind, {})}
            for kind in dict.fromkeys((*_ADDRESS_TYPES, *addresses))
        ],
        "Phones": [
            {
                "PhoneType": kind,
                "PhoneNumber": "",
                "PhoneAreaCode": "",
                "PhoneCountryCode": "",
                **phones.get(kind, {}),
            }
            for kind in dict.fromkeys((*_PHONE_TYPES, *phones))
        ],
        "UpdatedDateUTC": wire_instant(record.updated),
        "ContactGroups": [],
        "IsSupplier": record.is_supplier,
        "IsCustomer": record.is_customer,
        "SalesTrackingCategories": [],
        "PurchasesTrackingCategories": [],
        "ContactPersons": fields.get("ContactPersons", []),
        "HasAttachments": False,
        "HasValidationErrors": False,
    }


def contact_summary(record: Contact) -> dict[str, Any]:
    """Return the short form, used inside the documents of a list and in a list with summaryOnly."""
    return {
        "ContactID": record.id,
        **({"ContactNumber": record.number} if record.number else {}),
        "Name": record.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


class Shapes:
    """Shapes that need other records: a document includes its contact, its payments and its allocations."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def document(
        self, record: Document, *, lines: bool = True, full_contact: bool = True, decimals: int
    ) -> dict[str, Any]:
        if record.is_credit_note:
            return self.credit_note(record, lines=lines, full_contact=full_contact, decimals=decimals)
        return self.invoice(record, lines=lines, full_contact=full_contact, decimals=decimals)

    def invoice(
        self,
        record: Document,
        *,
        lines: bool = True,
        full_contact: bool = True,
        decimals: int,
        summary: bool = False,
    ) -> dict[str, Any]:
        discounts = [
            (line.quantity or 0) * (line.unit_amount or 0) - line.line_amount
            for line in record.lines
            if line.discount_rate or line.discount_amount
        ]
        shape: dict[str, Any] = {
            "Type": record.type,
            "InvoiceID": record.id,
            "InvoiceNumber": record.number,
            "Reference": record.reference or "",
            "AmountDue": record.outstanding,
            "AmountPaid": record.paid,
            "AmountCredited": record.credited,
            "CurrencyRate": record.currency_rate,
            "IsDiscounted": bool(discounts),
            "HasAttachments": False,
            "HasErrors": False,
            "SentToContact": record.sent_to_contact,
            "Contact": self._contact(record, full_contact),
        }
        if not summary:
            shape["Payments"] = [self._nested_payment(payment) for payment in record.payments]
            shape["CreditNotes"] = [self._nested_credit_note(allocation) for allocation in record.allocations]
            shape["Prepayments"] = []
            shape["Overpayments"] = []
            shape["LineItems"] = [_line(line, decimals) for line in record.lines] if lines else []
        if record.expected_payment_date:
            shape["ExpectedPaymentDate"] = wire_date(record.expected_payment_date)
        if discounts:
            shape["TotalDiscount"] = sum(discounts, Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return _with_common_fields(shape, record)

    def credit_note(
        self,
        record: Document,
        *,
        lines: bool = True,
        full_contact: bool = True,
        decimals: int,
    ) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "CreditNoteID": record.id,
            "CreditNoteNumber": record.number,
            "ID": record.id,
            "Type": record.type,
            "Reference": record.reference or "",
            "RemainingCredit": record.outstanding,
            "Allocations": [self.allocation(self.books.allocations[allocation]) for allocation in record.allocations],
            "Payments": [self._nested_payment(payment) for payment in record.payments],
            "CurrencyRate": record.currency_rate,
            "HasAttachments": False,
            "HasErrors": False,
            "SentToContact": record.sent_to_contact,
            "Contact": self._contact(record, full_contact),
            "LineItems": [_line(line, decimals) for line in record.lines] if lines else [],
        }
        return _with_common_fields(shape, record)

    def payment(self, record: Payment, *, written: bool = False) -> dict[str, Any]:
        """written: include the document's current status and amounts, as the response to a write does."""
        document = self.books.document(record.document_id)
        account = self.books.accounts[record.account_id]
        invoice: dict[str, Any] = {
            # The refund of a credit note has its credit note here, under an invoice's keys.
            "Type": document.type,
            "InvoiceID": document.id,
            "InvoiceNumber": document.number,
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "HasErrors": False,
            "IsDiscounted": False,
            "Contact": contact_summary(self.books.contacts[document.contact_id]),
            "LineItems": [],
            "CurrencyCode": document.currency,
        }
        if written:
            invoice |= {
                "Reference": document.reference or "",
                "AmountDue": document.outstanding,
                "AmountPaid": document.paid,
                "Status": document.status,
                "DateString": date_string(document.date),
                "Date": wire_date(document.date),
                "LineAmountTypes": document.line_amount_types,
                "SubTotal": document.sub_total,
                "TotalTax": document.total_tax,
                "Total": document.total,
            }
        return {
            "PaymentID": record.id,
            "Date": wire_date(record.date),
            "BankAmount": record.amount,
            "Amount": record.amount,
            **({"Reference": record.reference} if record.reference else {}),
            "CurrencyRate": record.currency_rate,
            "PaymentType": record.type,
            "Status": record.status,
            "UpdatedDateUTC": wire_instant(record.updated),
            "UpdatedDateUTCString": instant_string(record.updated),
            "HasAccount": True,
            "IsReconciled": record.is_reconciled,
            "Account": {"AccountID": account["AccountID"], "Code": account.get("Code", ""), "Name": account["Name"]},
            "Invoice": invoice,
            "HasValidationErrors": False,
        }

    def allocation(self, record: Allocation) -> dict[str, Any]:
        invoice = self.books.invoices[record.invoice_id]
        return {
            "AllocationID": record.id,
            "Amount": record.amount,
            "Date": wire_date(record.date),
            "Invoice": {
                "InvoiceID": invoice.id,
                "InvoiceNumber": invoice.number,
                "Payments": [],
                "CreditNotes": [],
                "Prepayments": [],
                "Overpayments": [],
                "HasErrors": False,
                "IsDiscounted": False,
                "LineItems": [],
            },
            "IsDeleted": False,
        }

    def item(self, record: Item) -> dict[str, Any]:
        return {
            "ItemID": record.id,
            "Code": record.code,
            "IsTrackedAsInventory": False,
            "IsSold": True,
            "IsPurchased": True,
            "PurchaseDetails": {},
            "SalesDetails": {},
            **record.fields,
            "UpdatedDateUTC": wire_instant(record.updated),
        }

    @staticmethod
    def history(record: HistoryRecord) -> dict[str, Any]:
        return {
            "Changes": record.changes,
            "DateUTCString": record.at.strftime("%Y-%m-%dT%H:%M:%S"),
            "DateUTC": wire_instant(record.at),
            "User": "System Generated",
            "Details": record.details,
        }

    def _contact(self, document: Document, full: bool) -> dict[str, Any]:
        record = self.books.contacts[document.contact_id]
        return contact(record) if full else contact_summary(record)

    def _nested_payment(self, payment_id: str) -> dict[str, Any]:
        payment = self.books.payments[payment_id]
        return {
            "PaymentID": payment.id,
            "Date": wire_date(payment.date),
            "Amount": payment.amount,
            **({"Reference": payment.reference} if payment.reference else {}),
            "CurrencyRate": payment.currency_rate,
            "HasAccount": False,
            "HasValidationErrors": False,
        }

    def _nested_credit_note(self, allocation_id: str) -> dict[str, Any]:
        allocation = self.books.allocations[allocation_id]
        note = self.books.credit_notes[allocation.credit_note_id]
        return {
            "CreditNoteID": note.id,
            "CreditNoteNumber": note.number,
            "ID": note.id,
            "HasErrors": False,
            "AppliedAmount": allocation.amount,
            "DateString": date_string(note.date),
            "Date": wire_date(note.date),
            "LineItems": [],
            "Total": note.total,
        }


def _with_common_fields(shape: dict[str, Any], record: Document) -> dict[str, Any]:
    """Add the fields that invoices and credit notes share."""
    shape["DateString"] = date_string(record.date)
    shape["Date"] = wire_date(record.date)
    if record.due_date:
        shape["DueDateString"] = date_string(record.due_date)
        shape["DueDate"] = wire_date(record.due_date)
    if record.url:
        shape["Url"] = record.url
    if record.branding_theme_id:
        shape["BrandingThemeID"] = record.branding_theme_id
    shape["Status"] = record.status
    shape["LineAmountTypes"] = record.line_amount_types
    shape["SubTotal"] = record.sub_total
    shape["TotalTax"] = record.total_tax
    shape["Total"] = record.total
    shape["UpdatedDateUTC"] = wire_instant(record.updated)
    shape["UpdatedDateUTCString"] = instant_string(record.updated)
    shape["CurrencyCode"] = record.currency
    if record.fully_paid_on:
        shape["FullyPaidOnDate"] = wire_date(record.fully_paid_on)
    return shape


def _line(record: Line, decimals: int) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    if record.item_code:
        shape["ItemCode"] = record.item_code
    shape["Description"] = record.description or ""
    if record.unit_amount is not None:
        shape["UnitAmount"] = record.unit_amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if record.tax_type:
        shape["TaxType"] = record.tax_type
    shape["TaxAmount"] = record.tax_amount
    shape["LineAmount"] = record.line_amount
    if record.account_code:
        shape["AccountCode"] = record.account_code
    if record.account_id:
        shape["AccountID"] = record.account_id
    shape["Tracking"] = list(record.tracking)
    if record.quantity is not None:
        shape["Quantity"] = record.quantity.quantize(Decimal("0.0001"))
    if record.discount_rate is not None:
        shape["DiscountRate"] = record.discount_rate
    if record.discount_amount is not None:
        shape["DiscountAmount"] = record.discount_amount
    shape["LineItemID"] = record.line_item_id
    return shape
