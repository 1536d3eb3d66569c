"""What the sandbox Xero holds: one organisation's settings, contacts, documents, payments and allocations.

Records are immutable; a change stores a new record under the same id through `Books.put`, which also remembers the
old one. So a refused element, or a whole refused batch, is undone by going back to a mark without copying the books.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.wire import SandboxClock

from .chart import CURRENCY_NAMES, DAY_RATES, TIMEZONES, organisation_for
from .values import ZERO, read_date, wire_date

_ABSENT: Any = object()


class Refused(Exception):
    """One element of a request breaks a rule. `record_id` is the existing record's id, where there is one."""

    def __init__(self, *messages: str, record_id: str | None = None) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.record_id = record_id


class NotFound(Exception):
    """The resource named in the path does not exist."""


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
class Document:
    """An invoice or a credit note. `paid` are payments (refunds on a credit note), `credited` are allocations."""

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
        """What is still due on an invoice, or still unused of a credit note."""
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


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    name: str
    number: str | None
    status: str
    updated: datetime
    fields: dict[str, Any] = field(default_factory=dict)  # every other field, in Xero's own keys
    is_customer: bool = False
    is_supplier: bool = False


@dataclass(frozen=True, slots=True)
class Payment:
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
    id: str
    credit_note_id: str
    invoice_id: str
    amount: Decimal
    date: dt.date


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    code: str
    updated: datetime
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    details: str
    changes: str
    at: datetime


class Books:
    """One organisation. Lookups by id, number, code or name never walk over all records."""

    def __init__(self, clock: SandboxClock, settings: dict[str, Any] | None = None) -> None:
        self.clock = clock
        self.contacts: dict[str, Contact] = {}
        self.contact_by_number: dict[str, str] = {}
        self.active_contact_by_name: dict[str, str] = {}
        self.archived_contact_by_name: dict[str, str] = {}
        self.invoices: dict[str, Document] = {}
        self.invoice_by_number: dict[str, str] = {}
        self.credit_notes: dict[str, Document] = {}
        self.credit_note_by_number: dict[str, str] = {}
        # Purchases too, whose numbers are the supplier's and repeat.
        self.invoice_ids_by_number: dict[str, tuple[str, ...]] = {}
        self.credit_note_ids_by_number: dict[str, tuple[str, ...]] = {}
        self.payments: dict[str, Payment] = {}
        self.payment_ids_by_document: dict[str, tuple[str, ...]] = {}  # deleted ones too
        self.allocations: dict[str, Allocation] = {}
        self.items: dict[str, Item] = {}
        self.item_by_code: dict[str, str] = {}
        self.history: dict[str, tuple[HistoryRecord, ...]] = {}
        self.organisation: dict[str, Any] = {}
        self.accounts: dict[str, dict[str, Any]] = {}
        self.account_by_code: dict[str, str] = {}
        self.tax_rates: dict[str, dict[str, Any]] = {}
        self.currencies: dict[str, dict[str, Any]] = {}
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self._issued = 0
        self._zone: ZoneInfo = ZoneInfo("UTC")
        self.period_lock: dt.date | None = None
        self.year_lock: dt.date | None = None
        self.configure(settings or organisation_for("GB"))

    # -- writing -------------------------------------------------------------------------------------------------

    def put(self, table: dict[Any, Any], key: Any, record: Any) -> None:
        self._undo.append((table, key, table.get(key, _ABSENT)))
        table[key] = record

    def remove(self, table: dict[Any, Any], key: Any) -> None:
        self._undo.append((table, key, table.pop(key)))

    def mark(self) -> int:
        return len(self._undo)

    def back_to(self, mark: int) -> None:
        while len(self._undo) > mark:
            table, key, old = self._undo.pop()
            if old is _ABSENT:
                del table[key]
            else:
                table[key] = old

    def settle(self) -> None:
        """The call is over: what it wrote stays."""
        self._undo.clear()

    def new_id(self) -> str:
        """The next id: looks random, and is the same in every run with the same calls."""
        self._issued += 1
        digest = hashlib.blake2b(f"{self.organisation_id}/{self._issued}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def organisation_id(self) -> str:
        return str(self.organisation.get("OrganisationID", ""))

    @property
    def base_currency(self) -> str:
        return str(self.organisation["BaseCurrency"])

    def now(self) -> datetime:
        return self.clock.now()

    def today(self) -> dt.date:
        """The organisation's own calendar day, which a document without a date gets."""
        return self.clock.now().astimezone(self._zone).date()

    def account(self, code: str | None, account_id: str | None = None) -> dict[str, Any] | None:
        if account_id:
            return self.accounts.get(account_id.lower())
        return self.accounts.get(self.account_by_code.get((code or "").upper(), ""))

    def invoice(self, reference: str | None) -> Document | None:
        """By id or number."""
        return self._document(self.invoices, self.invoice_by_number, reference)

    def credit_note(self, reference: str | None) -> Document | None:
        return self._document(self.credit_notes, self.credit_note_by_number, reference)

    def document(self, document_id: str) -> Document:
        return self.invoices.get(document_id) or self.credit_notes[document_id]

    def store(self, document: Document) -> Document:
        table = self.credit_notes if document.is_credit_note else self.invoices
        self.put(table, document.id, document)
        return document

    def day_rate(self, currency: str) -> Decimal:
        """Units of the currency for one unit of the base currency, six decimals."""
        base = DAY_RATES.get(self.base_currency, Decimal(1))
        return (DAY_RATES.get(currency, Decimal(1)) / base).quantize(Decimal("0.000001"))

    def lock_violation(self, day: dt.date) -> str | None:
        """Why nothing may be posted on that day, or None. The lock date itself is locked too."""
        if self.period_lock and day <= self.period_lock:
            return (
                f"The document date cannot be before the period lock date, currently set at {self.period_lock:%d %b %Y}"
            )
        if self.year_lock and day <= self.year_lock:
            return (
                "The document date cannot be before the end of year lock date, "
                f"currently set at {self.year_lock:%d %b %Y}"
            )
        return None

    @staticmethod
    def _document(table: dict[str, Document], by_number: dict[str, str], reference: str | None) -> Document | None:
        if not reference:
            return None
        folded = reference.casefold()
        return table.get(folded) or table.get(by_number.get(folded, ""))

    # -- settings ------------------------------------------------------------------------------------------------

    def configure(self, wanted: dict[str, Any], *, replacing: bool = False) -> None:
        """Merge (or, list by list, replace) organisation, accounts, tax rates and currencies in Xero's own keys.

        Accounts are matched by Code, tax rates by TaxType, currencies by Code. Lock dates are PeriodLockDate and
        EndOfYearLockDate of the organisation, as `2026-09-30` or `/Date(ms)/`; null removes one.
        Raises ValueError for a key or a time zone the sandbox does not know; then nothing has changed.
        """
        unknown = set(wanted) - {"Organisation", "Organisations", "Accounts", "TaxRates", "Currencies"}
        if unknown:
            raise ValueError(
                f"unknown settings {', '.join(sorted(unknown))}: send Organisation, Accounts, TaxRates, Currencies"
            )
        # Copied, so that two sandboxes started from one dictionary do not share it.
        wanted = copy.deepcopy(wanted)
        organisation: dict[str, Any] = wanted.get("Organisation") or next(iter(wanted.get("Organisations", [])), {})
        merged = {**({} if replacing and organisation else self.organisation), **organisation}
        zone = merged.get("Timezone", "UTC")
        if zone not in TIMEZONES:
            raise ValueError(f"Organisation.Timezone {zone!r} is not one of {', '.join(TIMEZONES)}")
        for lock in ("PeriodLockDate", "EndOfYearLockDate"):
            day = read_date(merged.pop(lock, None), lock)
            if day:
                merged[lock] = wire_date(day)
        self.organisation = merged
        self.period_lock = read_date(merged.get("PeriodLockDate"), "PeriodLockDate")
        self.year_lock = read_date(merged.get("EndOfYearLockDate"), "EndOfYearLockDate")
        self._zone = ZoneInfo(TIMEZONES[zone])
        if "Accounts" in wanted:
            if replacing:
                self.accounts.clear()
                self.account_by_code.clear()
            for account in wanted["Accounts"]:
                known = self.account(account.get("Code"), account.get("AccountID")) or {"AccountID": self.new_id()}
                self.save_account({**known, **account})
        self._merge(self.tax_rates, wanted.get("TaxRates"), "TaxType", replacing=replacing)
        currencies = [
            {"Description": CURRENCY_NAMES.get(c["Code"], c["Code"]), **c} for c in wanted.get("Currencies", [])
        ]
        self._merge(self.currencies, currencies if "Currencies" in wanted else None, "Code", replacing=replacing)
        self.settle()

    def save_account(self, account: dict[str, Any]) -> None:
        known = self.accounts.get(account["AccountID"])
        if known and known.get("Code"):
            self.remove(self.account_by_code, known["Code"].upper())
        self.put(self.accounts, account["AccountID"], account)
        if account.get("Code"):
            self.put(self.account_by_code, account["Code"].upper(), account["AccountID"])

    @staticmethod
    def _merge(
        table: dict[str, dict[str, Any]], wanted: list[dict[str, Any]] | None, key: str, *, replacing: bool
    ) -> None:
        if wanted is None:
            return
        if replacing:
            table.clear()
        for record in wanted:
            table[record[key]] = {**table.get(record[key], {}), **record}


def with_settlement(document: Document, books: Books) -> Document:
    """The document with its status following from what is outstanding: PAID at zero, AUTHORISED again above it."""
    if not document.is_approved:
        return document
    if document.outstanding != 0:
        return replace(document, status="AUTHORISED", fully_paid_on=None)
    days = [books.payments[payment].date for payment in document.payments]
    days += [books.allocations[allocation].date for allocation in document.allocations]
    return replace(document, status="PAID", fully_paid_on=max(days, default=document.date))
