"""The records of an organisation's books. They are immutable; `Books` stores a new record for every change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from .values import ZERO


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a credit note.

    type: ACCREC or ACCPAY, with CREDIT appended for a credit note.
    paid: total of its payments; on a credit note, of its cash refunds.
    credited: total of its allocations.
    payments: ids of the payments that are not deleted.
    allocations: ids of the allocations.
    """

    id: str
    type: str
    number: str
    status: str
    contact_id: str
    date: dt.date
    due_date: dt.date | None
    line_amount_types: str
    currency: str
    currency_rate: Decimal
    lines: tuple[Line, ...]
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    updated: datetime
    reference: str | None = None
    url: str | None = None
    branding_theme_id: str | None = None
    expected_payment_date: dt.date | None = None
    sent_to_contact: bool = False
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    payments: tuple[str, ...] = ()
    allocations: tuple[str, ...] = ()
    fully_paid_on: dt.date | None = None

    @property
    def outstanding(self) -> Decimal:
        """The amount due on an invoice, or the remaining credit of a credit note."""
        return self.total - self.paid - self.credited

    @property
    def is_approved(self) -> bool:
        return self.status in {"AUTHORISED", "PAID"}

    @property
    def has_payments_or_credits(self) -> bool:
        return bool(self.payments or self.allocations)

    @property
    def is_credit_note(self) -> bool:
        return self.type.endswith("CREDIT")

    @property
    def is_sale(self) -> bool:
        return self.type.startswith("ACCREC")


@dataclass(frozen=True, slots=True)
class Line:
    line_item_id: str
    description: str | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    line_amount: Decimal
    tax_amount: Decimal
    tax_type: str | None
    account_code: str | None
    account_id: str | None
    item_code: str | None = None
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """fields: every field without an attribute of its own, under Xero's own keys.

    merged_to: id of the contact that a person merged this one into.
    """

    id: str
    name: str
    number: str | None
    status: str
    updated: datetime
    fields: dict[str, Any] = field(default_factory=dict)
    is_customer: bool = False
    is_supplier: bool = False
    merged_to: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an invoice or the cash refund of a credit note."""

    id: str
    document_id: str
    account_id: str
    date: dt.date
    amount: Decimal
    currency_rate: Decimal
    type: str
    status: str
    updated: datetime
    reference: str | None = None
    is_reconciled: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    """The part of a credit note that is applied to an invoice."""

    id: str
    credit_note_id: str
    invoice_id: str
    amount: Decimal
    date: dt.date


@dataclass(frozen=True, slots=True)
class Item:
    """A price list item. fields: every other field, under Xero's own keys."""

    id: str
    code: str
    updated: datetime
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file at an invoice or a credit note."""

    id: str
    document_id: str
    name: str
    content: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """A note in the history of an invoice."""

    details: str
    changes: str
    at: datetime
