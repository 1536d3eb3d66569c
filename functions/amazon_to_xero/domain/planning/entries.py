"""Entries: what an order or refund contributes to the invoice of its day, instead of a document of its own.

An entry is a document like any other for its source: with lines, tax and a total, requested, compared and adjusted by
the same plans. Only the poster leaves it: `day_plan` states the entries of a marketplace and day together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.day_entry import DayEntry
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.planning.policy import Approval, InvoicePer, PostingPolicy
from amazon_to_xero.domain.tax.rules import WhenDifferent

_DAY = timedelta(days=1)


def shaped_like(policy: PostingPolicy, documents: Iterable[Document]) -> PostingPolicy:
    """Return the policy for a source that has these documents: an order keeps the shape of its first invoice.

    So nothing is stated twice when the setting changes: what has an invoice of its own is corrected by documents of its
    own, and what is an entry by entries. An entry is stated at once: it awaits no person, and is no draft. Otherwise
    the first change of an order whose day is closed would credit all of it.
    """
    invoices = [each for each in documents if each.kind is DocumentKind.INVOICE and not each.desired.tombstone]
    if not invoices or any(each.desired.is_entry for each in invoices) is (policy.invoice_per is InvoicePer.DAY):
        return policy
    if policy.invoice_per is InvoicePer.DAY:
        return replace(policy, invoice_per=InvoicePer.SHIPMENT)
    is_draft = policy.tax.when_different is WhenDifferent.DRAFT
    tax = replace(policy.tax, when_different=WhenDifferent.HOLD) if is_draft else policy.tax
    return replace(policy, invoice_per=InvoicePer.DAY, approval=Approval.AT_SHIPMENT, tax=tax)


def entry_of(
    marketplace_id: str, day: date, planned_at: datetime, policy: PostingPolicy, organisation: Organisation
) -> DayEntry | None:
    """Return what makes a document of that day an entry; None where it is one of its own, as without a marketplace.

    planned_at: when it is planned (UTC). What is planned late waits for the next closing, with all else that is late.
    """
    if policy.invoice_per is not InvoicePer.DAY or marketplace_id not in MARKETPLACES:
        return None
    zone = ZoneInfo(organisation.time_zone)
    closes_at = next_closing(day, planned_at, policy.day_closes_after, zone)
    return DayEntry(marketplace_id, closes_at)


def next_closing(day: date, now: datetime, after_midnight: timedelta, zone: ZoneInfo) -> datetime:
    """Return when a day is closed (UTC): every day once, that long after midnight, for all days that are over.

    So what arrives for a day that is closed waits until then, and makes one further document of its day, not many.
    """
    closing_day = max(day + _DAY, now.astimezone(zone).date())
    closing = _closing_on(closing_day, after_midnight, zone)
    return closing if closing >= now else _closing_on(closing_day + _DAY, after_midnight, zone)


def _closing_on(day: date, after_midnight: timedelta, zone: ZoneInfo) -> datetime:
    return (datetime.combine(day, time(), zone) + after_midnight).astimezone(UTC)
