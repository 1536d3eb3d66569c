"""The fields by which each kind of record can be filtered and ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .books import Books
from .records import Contact, Document, Payment

Getter = Callable[[Any, Books], Any]


@dataclass(frozen=True)
class Fields:
    """The queryable fields of one kind of record, by lower-case name.

    getters: how to read a field from a record.
    types: the type of a field's values.
    """

    getters: dict[str, Getter]
    types: dict[str, type]

    @classmethod
    def of(cls, **fields: tuple[type, Getter]) -> Fields:
        """Build from keyword arguments, with `__` for the dot of a nested field."""
        by_name = {name.replace("__", ".").lower(): field for name, field in fields.items()}
        return cls(
            {name: getter for name, (_, getter) in by_name.items()},
            {name: field_type for name, (field_type, _) in by_name.items()},
        )

    def comparable_value(self, name: str, record: Any, books: Books) -> Any:
        """Return a field's value in the form in which values are compared: text in one case, dates as datetimes."""
        value = self.getters[name](record, books)
        if isinstance(value, str):
            return value.casefold()
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001 (a calendar day has no time zone)
        return value


def _contact(record: Document, books: Books) -> Contact:
    return books.contacts[record.contact_id]


def _paid_document(record: Payment, books: Books) -> Document:
    return books.document(record.document_id)


def _setting(key: str) -> Getter:
    return lambda record, books: record.get(key)


_DOCUMENT_FIELDS: dict[str, tuple[type, Getter]] = {
    "Type": (str, lambda d, b: d.type),
    "Status": (str, lambda d, b: d.status),
    "Reference": (str, lambda d, b: d.reference),
    "Date": (datetime, lambda d, b: d.date),
    "DueDate": (datetime, lambda d, b: d.due_date),
    "CurrencyCode": (str, lambda d, b: d.currency),
    "Total": (Decimal, lambda d, b: d.total),
    "SubTotal": (Decimal, lambda d, b: d.sub_total),
    "TotalTax": (Decimal, lambda d, b: d.total_tax),
    "UpdatedDateUTC": (datetime, lambda d, b: d.updated),
    "FullyPaidOnDate": (datetime, lambda d, b: d.fully_paid_on),
    "SentToContact": (bool, lambda d, b: d.sent_to_contact),
    "Contact__ContactID": (str, lambda d, b: d.contact_id),
    "Contact__ContactNumber": (str, lambda d, b: _contact(d, b).number),
    "Contact__Name": (str, lambda d, b: _contact(d, b).name),
}
INVOICES = Fields.of(
    **_DOCUMENT_FIELDS,
    InvoiceID=(str, lambda d, b: d.id),
    InvoiceNumber=(str, lambda d, b: d.number),
    AmountDue=(Decimal, lambda d, b: d.outstanding),
    AmountPaid=(Decimal, lambda d, b: d.paid),
    AmountCredited=(Decimal, lambda d, b: d.credited),
)
CREDIT_NOTES = Fields.of(
    **_DOCUMENT_FIELDS,
    CreditNoteID=(str, lambda d, b: d.id),
    CreditNoteNumber=(str, lambda d, b: d.number),
    RemainingCredit=(Decimal, lambda d, b: d.outstanding),
)
CONTACTS = Fields.of(
    ContactID=(str, lambda c, b: c.id),
    ContactNumber=(str, lambda c, b: c.number),
    ContactStatus=(str, lambda c, b: c.status),
    Name=(str, lambda c, b: c.name),
    FirstName=(str, lambda c, b: c.fields.get("FirstName")),
    LastName=(str, lambda c, b: c.fields.get("LastName")),
    EmailAddress=(str, lambda c, b: c.fields.get("EmailAddress")),
    AccountNumber=(str, lambda c, b: c.fields.get("AccountNumber")),
    IsCustomer=(bool, lambda c, b: c.is_customer),
    IsSupplier=(bool, lambda c, b: c.is_supplier),
    UpdatedDateUTC=(datetime, lambda c, b: c.updated),
)
PAYMENTS = Fields.of(
    PaymentID=(str, lambda p, b: p.id),
    Date=(datetime, lambda p, b: p.date),
    Amount=(Decimal, lambda p, b: p.amount),
    Reference=(str, lambda p, b: p.reference),
    Status=(str, lambda p, b: p.status),
    PaymentType=(str, lambda p, b: p.type),
    IsReconciled=(bool, lambda p, b: p.is_reconciled),
    UpdatedDateUTC=(datetime, lambda p, b: p.updated),
    Account__AccountID=(str, lambda p, b: p.account_id),
    Account__Code=(str, lambda p, b: b.accounts[p.account_id].get("Code")),
    Invoice__InvoiceID=(str, lambda p, b: p.document_id),
    Invoice__InvoiceNumber=(str, lambda p, b: _paid_document(p, b).number),
    Invoice__Contact__ContactID=(str, lambda p, b: _paid_document(p, b).contact_id),
)
ITEMS = Fields.of(
    ItemID=(str, lambda i, b: i.id),
    Code=(str, lambda i, b: i.code),
    Name=(str, lambda i, b: i.fields.get("Name")),
    UpdatedDateUTC=(datetime, lambda i, b: i.updated),
)
ACCOUNTS = Fields.of(
    **{
        key: (str, _setting(key))
        for key in ("AccountID", "Code", "Name", "Type", "Status", "Class", "TaxType", "SystemAccount", "CurrencyCode")
    },
    EnablePaymentsToAccount=(bool, _setting("EnablePaymentsToAccount")),
)
TAX_RATES = Fields.of(
    **{key: (str, _setting(key)) for key in ("Name", "TaxType", "Status", "ReportTaxType")},
    CanApplyToRevenue=(bool, _setting("CanApplyToRevenue")),
    EffectiveRate=(Decimal, _setting("EffectiveRate")),
)
TRACKING_CATEGORIES = Fields.of(**{key: (str, _setting(key)) for key in ("TrackingCategoryID", "Name", "Status")})
CURRENCIES = Fields.of(Code=(str, _setting("Code")), Description=(str, _setting("Description")))
