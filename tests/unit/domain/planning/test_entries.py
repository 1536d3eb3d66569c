"""When days are closed, and which documents are entries of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from amazon_to_xero.domain.books.day_entry import DayEntry
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.numbering import day_number, is_day_number
from amazon_to_xero.domain.planning.entries import next_closing, shaped_like
from amazon_to_xero.domain.planning.policy import Approval, InvoicePer
from amazon_to_xero.domain.tax.rules import WhenDifferent
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, SHIPPED, cancelled, order_life, tea, version
from fakes.orders import UK
from unit.desired_documents import desired_invoice, removed

SIX = timedelta(hours=6)


@pytest.mark.parametrize(
    ("zone", "day", "planned_at", "closes_at"),
    [
        pytest.param("Europe/London", "2026-11-23", "2026-11-23T12:00", "2026-11-24T06:00", id="on the day"),
        pytest.param("Europe/London", "2026-11-23", "2026-11-24T05:59", "2026-11-24T06:00", id="just in time"),
        pytest.param("Europe/London", "2026-11-23", "2026-11-24T06:01", "2026-11-25T06:00", id="too late"),
        pytest.param("Europe/London", "2026-10-01", "2026-11-23T12:00", "2026-11-24T06:00", id="weeks late"),
        pytest.param("Europe/London", "2026-11-30", "2026-11-23T12:00", "2026-12-01T06:00", id="dated on an open day"),
        pytest.param("America/Los_Angeles", "2026-11-23", "2026-11-24T03:00", "2026-11-24T14:00", id="west"),
        pytest.param("Pacific/Auckland", "2026-11-23", "2026-11-23T01:00", "2026-11-23T17:00", id="east"),
        pytest.param("Europe/London", "2026-10-24", "2026-10-24T12:00", "2026-10-25T06:00", id="clocks go back"),
    ],
)
def test_day_is_closed_hours_after_its_midnight_where_the_organisation_is(
    zone: str, day: str, planned_at: str, closes_at: str
) -> None:
    at = datetime.fromisoformat(planned_at).replace(tzinfo=UTC)

    closing = next_closing(date.fromisoformat(day), at, SIX, ZoneInfo(zone))

    assert closing == datetime.fromisoformat(closes_at).replace(tzinfo=UTC)


BY_DAY = replace(PAYING, invoice_per=InvoicePer.DAY)
OWN = desired_invoice()
ENTRY = replace(OWN, entry=DayEntry(UK, datetime(2026, 11, 24, 6, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("setting", "held", "shape"),
    [
        pytest.param(InvoicePer.DAY, (), InvoicePer.DAY, id="a new order follows the setting"),
        pytest.param(InvoicePer.DAY, (OWN,), InvoicePer.SHIPMENT, id="an invoice of its own stays one"),
        pytest.param(InvoicePer.SHIPMENT, (ENTRY,), InvoicePer.DAY, id="an entry stays one"),
        pytest.param(InvoicePer.ORDER, (ENTRY,), InvoicePer.DAY, id="also beside invoices of whole orders"),
        pytest.param(InvoicePer.ORDER, (OWN,), InvoicePer.ORDER, id="orders and shipments are no entries"),
        pytest.param(InvoicePer.DAY, (removed(OWN),), InvoicePer.DAY, id="what should not exist has no shape"),
    ],
)
def test_order_keeps_the_shape_of_its_first_invoice(
    setting: InvoicePer, held: tuple[object, ...], shape: InvoicePer
) -> None:
    documents = [Document(each) for each in held]  # type: ignore[arg-type]

    assert shaped_like(replace(PAYING, invoice_per=setting), documents).invoice_per is shape


def test_entry_awaits_no_person_and_is_no_draft_whatever_the_settings_say_by_now() -> None:
    tax = replace(PAYING.tax, when_different=WhenDifferent.DRAFT)
    setting = replace(PAYING, invoice_per=InvoicePer.ORDER, approval=Approval.REVIEW, tax=tax)

    of_entry, of_own = (shaped_like(setting, [Document(each)]) for each in (ENTRY, OWN))

    assert (of_entry.approval, of_entry.tax.when_different) == (Approval.AT_SHIPMENT, WhenDifferent.HOLD)
    assert of_own == setting


def test_entry_has_no_payment_and_follows_its_order_until_its_day_is_closed() -> None:
    life = order_life(BY_DAY, SHIPPED)
    assert life.documents.keys() == {"invoice#A"}
    assert life.documents["invoice#A"].desired.is_entry

    life.request(version(2, tea("8.00")))
    assert life.documents["invoice#A"].desired.total == 8

    life.request(cancelled(3))
    assert life.documents["invoice#A"].desired.tombstone


def test_closed_entry_is_adjusted_by_entries() -> None:
    life = order_life(BY_DAY)
    life.request(SHIPPED)
    life.documents["invoice#A"] = life.documents["invoice#A"].closed("GB-20261102-1")

    life.request(version(3, tea("8.00")))

    assert life.documents["invoice#A"].desired.total == 10
    note = life.documents["credit_note#A-A1"]
    assert note.desired.total == 2
    assert note.desired.is_entry
    assert note.desired.body["Date"] == "2026-11-04"
    assert "credit_note_refund#A-A1" not in life.documents


def test_what_is_due_of_an_entry_is_due_when_its_day_is_closed() -> None:
    row = Document(ENTRY)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    changed = row.with_desired(replace(ENTRY, body={**ENTRY.body, "Reference": "changed"}), now)

    assert changed is not None
    assert changed.next_attempt_at == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert removed(ENTRY).due_from(now) == now


def test_numbers_of_days_are_told_from_order_ids() -> None:
    number = day_number("AMZ-", "GB", date(2026, 11, 2), 1)

    assert number == "AMZ-GB-20261102-1"
    assert is_day_number(number)
    assert not any(is_day_number(each) for each in ("204-0000100-0000100", "S01-0036312-1371678", "A"))
    assert ORGANISATION_WITH_CLEARING.time_zone == "Europe/London"
