"""The books of one organisation: its settings, contacts, documents, payments and allocations.

`Books.put` keeps the previous record of every change until `commit`. A rejected element, or a rejected batch, is undone
by rolling back to a savepoint without copying the books.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import uuid
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.wire import SandboxClock

from .chart import CURRENCY_NAMES, DAY_RATES, TIMEZONES, organisation_for
from .records import Allocation, Attachment, Contact, Document, HistoryRecord, Item, Payment
from .tracking import with_ids
from .values import read_date, wire_date

_MISSING: Any = object()
_SETTINGS = {
    "Organisation",
    "Organisations",
    "Accounts",
    "TaxRates",
    "Currencies",
    "TrackingCategories",
    "BrandingThemes",
}


class Books:
    """One organisation's books. Lookups by id, number, code or name never scan all records."""

    def __init__(self, clock: SandboxClock, settings: dict[str, Any] | None = None, issued_ids: int = 0) -> None:
        self.clock = clock
        self.contacts: dict[str, Contact] = {}
        self.contact_by_number: dict[str, str] = {}
        self.active_contact_by_name: dict[str, str] = {}
        self.archived_contact_by_name: dict[str, str] = {}
        self.invoices: dict[str, Document] = {}
        self.invoice_by_number: dict[str, str] = {}
        self.credit_notes: dict[str, Document] = {}
        self.credit_note_by_number: dict[str, str] = {}
        # These include purchases, whose numbers are the supplier's and need not be unique.
        self.invoice_ids_by_number: dict[str, tuple[str, ...]] = {}
        self.credit_note_ids_by_number: dict[str, tuple[str, ...]] = {}
        self.payments: dict[str, Payment] = {}
        self.payment_ids_by_document: dict[str, tuple[str, ...]] = {}  # includes deleted payments
        self.allocations: dict[str, Allocation] = {}
        self.items: dict[str, Item] = {}
        self.item_by_code: dict[str, str] = {}
        self.history: dict[str, tuple[HistoryRecord, ...]] = {}
        self.attachments: dict[tuple[str, str], Attachment] = {}  # by id of the document and name in lower case
        self.organisation: dict[str, Any] = {}
        self.accounts: dict[str, dict[str, Any]] = {}
        self.account_by_code: dict[str, str] = {}
        self.tax_rates: dict[str, dict[str, Any]] = {}
        self.currencies: dict[str, dict[str, Any]] = {}
        self.tracking: dict[str, dict[str, Any]] = {}
        self.branding_themes: dict[str, dict[str, Any]] = {}
        self.period_lock: dt.date | None = None
        self.year_lock: dt.date | None = None
        self._undo_log: list[tuple[dict[Any, Any], Any, Any]] = []
        self.issued_ids = issued_ids
        self._timezone: ZoneInfo = ZoneInfo("UTC")
        self.configure(settings or organisation_for("GB"))

    # -- transactions --------------------------------------------------------------------------------------------

    def put(self, table: dict[Any, Any], key: Any, record: Any) -> None:
        self._undo_log.append((table, key, table.get(key, _MISSING)))
        table[key] = record

    def remove(self, table: dict[Any, Any], key: Any) -> None:
        self._undo_log.append((table, key, table.pop(key)))

    def savepoint(self) -> int:
        return len(self._undo_log)

    def roll_back(self, savepoint: int = 0) -> None:
        """Undo the changes since the savepoint; without one, all changes since the last commit."""
        while len(self._undo_log) > savepoint:
            table, key, previous = self._undo_log.pop()
            if previous is _MISSING:
                del table[key]
            else:
                table[key] = previous

    def commit(self) -> None:
        self._undo_log.clear()

    def new_id(self) -> str:
        """Return the next id. It looks random and is the same in every run with the same calls."""
        self.issued_ids += 1
        digest = hashlib.blake2b(f"{self.organisation_id}/{self.issued_ids}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))

    # -- documents -----------------------------------------------------------------------------------------------

    def invoice(self, reference: str | None) -> Document | None:
        """Return the invoice with that id or number."""
        return self._find_document(self.invoices, self.invoice_by_number, reference)

    def credit_note(self, reference: str | None) -> Document | None:
        """Return the credit note with that id or number."""
        return self._find_document(self.credit_notes, self.credit_note_by_number, reference)

    def document(self, document_id: str) -> Document:
        return self.invoices.get(document_id) or self.credit_notes[document_id]

    def store(self, document: Document) -> Document:
        table = self.credit_notes if document.is_credit_note else self.invoices
        self.put(table, document.id, document)
        return document

    def with_payment_status(self, document: Document) -> Document:
        """Return an approved document as PAID if nothing is outstanding, otherwise as AUTHORISED."""
        if not document.is_approved:
            return document
        if document.outstanding != 0:
            return replace(document, status="AUTHORISED", fully_paid_on=None)
        days = [self.payments[payment_id].date for payment_id in document.payments]
        days += [self.allocations[allocation_id].date for allocation_id in document.allocations]
        return replace(document, status="PAID", fully_paid_on=max(days, default=document.date))

    @staticmethod
    def _find_document(table: dict[str, Document], by_number: dict[str, str], reference: str | None) -> Document | None:
        if not reference:
            return None
        key = reference.casefold()
        return table.get(key) or table.get(by_number.get(key, ""))

    # -- settings ------------------------------------------------------------------------------------------------

    @property
    def organisation_id(self) -> str:
        return str(self.organisation.get("OrganisationID", ""))

    @property
    def base_currency(self) -> str:
        return str(self.organisation["BaseCurrency"])

    def now(self) -> datetime:
        return self.clock.now()

    def today(self) -> dt.date:
        """Return the calendar day in the organisation's time zone, the default date of a document."""
        return self.clock.now().astimezone(self._timezone).date()

    def account(self, code: str | None, account_id: str | None = None) -> dict[str, Any] | None:
        if account_id:
            return self.accounts.get(account_id.lower())
        return self.accounts.get(self.account_by_code.get((code or "").upper(), ""))

    def save_account(self, account: dict[str, Any]) -> None:
        previous = self.accounts.get(account["AccountID"])
        if previous and previous.get("Code"):
            self.remove(self.account_by_code, previous["Code"].upper())
        self.put(self.accounts, account["AccountID"], account)
        if account.get("Code"):
            self.put(self.account_by_code, account["Code"].upper(), account["AccountID"])

    def day_rate(self, currency: str) -> Decimal:
        """Return the units of the currency for one unit of the base currency, with six decimals."""
        base = DAY_RATES.get(self.base_currency, Decimal(1))
        return (DAY_RATES.get(currency, Decimal(1)) / base).quantize(Decimal("0.000001"))

    def lock_violation(self, day: dt.date) -> str | None:
        """Return Xero's message if a lock date forbids posting on that day. The lock date itself is locked too."""
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

    def configure(self, settings: dict[str, Any], *, replacing: bool = False) -> None:
        """Merge the organisation, accounts, tax rates and currencies given in Xero's own keys; commit the result.

        With `replacing`, each list given replaces the stored one instead of being merged into it. Accounts are matched
        by Code, tax rates by TaxType, currencies by Code, tracking categories by Name, branding themes by their id. The
        organisation's PeriodLockDate and EndOfYearLockDate are `2026-09-30` or `/Date(ms)/`; null removes a lock date.
        Raise ValueError, and change nothing, for a key or a time zone that the sandbox does not support.
        """
        unknown = set(settings) - _SETTINGS
        if unknown:
            raise ValueError(f"unknown settings {', '.join(sorted(unknown))}: send {', '.join(sorted(_SETTINGS))}")
        # Copied, so that two sandboxes started from one dictionary do not share it.
        settings = copy.deepcopy(settings)
        organisation: dict[str, Any] = settings.get("Organisation") or next(iter(settings.get("Organisations", [])), {})
        self._configure_organisation({**({} if replacing and organisation else self.organisation), **organisation})
        if "Accounts" in settings:
            if replacing:
                self.accounts.clear()
                self.account_by_code.clear()
            for account in settings["Accounts"]:
                stored = self.account(account.get("Code"), account.get("AccountID")) or {"AccountID": self.new_id()}
                self.save_account({**stored, **account})
        self._merge(self.tax_rates, settings.get("TaxRates"), "TaxType", replacing=replacing)
        currencies = [
            {"Description": CURRENCY_NAMES.get(c["Code"], c["Code"]), **c} for c in settings.get("Currencies", [])
        ]
        self._merge(self.currencies, currencies if "Currencies" in settings else None, "Code", replacing=replacing)
        if "TrackingCategories" in settings:
            categories = [with_ids(each, self.new_id) for each in settings["TrackingCategories"]]
            self._merge(self.tracking, categories, "Name", replacing=replacing)
        themes = settings.get("BrandingThemes")
        self._merge(self.branding_themes, themes, "BrandingThemeID", replacing=replacing)
        self.commit()

    def _configure_organisation(self, organisation: dict[str, Any]) -> None:
        timezone = organisation.get("Timezone", "UTC")
        if timezone not in TIMEZONES:
            raise ValueError(f"Organisation.Timezone {timezone!r} is not one of {', '.join(TIMEZONES)}")
        for key in ("PeriodLockDate", "EndOfYearLockDate"):
            day = read_date(organisation.pop(key, None), key)
            if day:
                organisation[key] = wire_date(day)
        self.organisation = organisation
        self.period_lock = read_date(organisation.get("PeriodLockDate"), "PeriodLockDate")
        self.year_lock = read_date(organisation.get("EndOfYearLockDate"), "EndOfYearLockDate")
        self._timezone = ZoneInfo(TIMEZONES[timezone])

    @staticmethod
    def _merge(
        table: dict[str, dict[str, Any]], records: list[dict[str, Any]] | None, key: str, *, replacing: bool
    ) -> None:
        if records is None:
            return
        if replacing:
            table.clear()
        for record in records:
            table[record[key]] = {**table.get(record[key], {}), **record}
