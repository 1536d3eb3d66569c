"""Tracking categories and items between the adapter and the sandbox Xero, over a real socket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.matching import Match, match
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.runtime.privacy import redact
from fakes.state import ManualClock
from sandbox.xero.items import Items
from unit.adapters.live_sandboxes import LiveXero
from unit.desired_documents import desired_invoice

LISTS = ListsToRead(tracking=True, item_codes=frozenset({"BOOKS", "STOCKED", "GONE"}), branding_themes=True)
STOCK_ACCOUNTS = {"InventoryAssetAccountCode": "630", "PurchaseDetails": {"COGSAccountCode": "310"}}


@pytest.fixture
def reading_lists(xero: LiveXero, wall: ManualClock) -> XeroAccounting:
    items: list[Json] = [{"Code": "BOOKS"}, {"Code": "STOCKED", **STOCK_ACCOUNTS}, {"Code": "UNNAMED"}]
    for item in items:
        Items(xero.sandbox.books).create(item)
    xero.sandbox.books.commit()
    return XeroAccounting(xero.tokens, xero.sandbox.tenant_id, wall, redact, api_url=xero.url, lists=LISTS)


def test_organisation_has_the_tracking_options_and_the_items_that_the_settings_name(
    reading_lists: XeroAccounting, xero: LiveXero
) -> None:
    xero.sandbox.books.configure({"TrackingCategories": [{"Name": "Old", "Status": "ARCHIVED"}]})

    read = reading_lists.organisation()

    assert read.lists == LISTS
    assert read.tracking == {"Channel": {"FBA", "FBM"}, "Marketplace": {"Europe", "North America"}}
    assert set(read.branding_themes) == {"Standard", "Amazon"}
    assert read.items == {"BOOKS": Item("BOOKS", False), "STOCKED": Item("STOCKED", True)}


def test_tracked_items_without_numbers_do_not_stop_the_reading_of_the_organisation(
    reading_lists: XeroAccounting, xero: LiveXero
) -> None:
    Items(xero.sandbox.books).create({"Code": "OTHER", **STOCK_ACCOUNTS})
    for item in xero.sandbox.books.items.values():
        for number in ("QuantityOnHand", "TotalCostPool"):
            item.fields.pop(number, None)
    xero.sandbox.books.commit()

    read = reading_lists.organisation()

    assert read.items == {"BOOKS": Item("BOOKS", False), "STOCKED": Item("STOCKED", True)}


def test_lists_that_no_setting_names_are_not_read(xero: LiveXero) -> None:
    xero.sandbox.calls.clear()

    assert xero.api.organisation().lists == ListsToRead()

    assert len(xero.sandbox.calls) == 4


def test_invoice_has_tracking_and_item_and_is_found_as_it_was_requested(
    reading_lists: XeroAccounting, xero: LiveXero
) -> None:
    requested = with_line(Tracking=[{"Name": "Channel", "Option": "FBA"}], ItemCode="BOOKS")

    (written,) = reading_lists.create("Invoices", [{**requested.body, "Contact": {"Name": "Customers"}}], "key-1")
    (found,) = reading_lists.find("Invoices", "InvoiceNumber", ["A"])

    assert written.errors == ()
    assert match(requested, found) is Match.SAME
    assert match(with_line(ItemCode="BOOKS"), found) is Match.OURS_BUT_DIFFERENT
    other = with_line(Tracking=[{"Name": "Channel", "Option": "FBM"}], ItemCode="BOOKS")
    assert match(other, found) is Match.OURS_BUT_DIFFERENT


def test_invoice_has_the_branding_theme_that_the_organisation_names(
    reading_lists: XeroAccounting, xero: LiveXero
) -> None:
    theme = reading_lists.organisation().branding_theme_id("Amazon")
    requested = replace(desired_invoice(), body={**desired_invoice().body, "BrandingThemeID": theme})

    (written,) = reading_lists.create("Invoices", [{**requested.body, "Contact": {"Name": "Customers"}}], "key-1")
    (found,) = reading_lists.find("Invoices", "InvoiceNumber", ["A"])

    assert (written.errors, found["BrandingThemeID"]) == ((), theme)
    assert match(requested, found) is Match.SAME
    other = replace(requested, body={**requested.body, "BrandingThemeID": xero.sandbox.tenant_id})
    assert match(other, found) is Match.OURS_BUT_DIFFERENT


def with_line(**more: object) -> DesiredDocument:
    """Return the invoice whose line says more."""
    invoice = desired_invoice()
    (line,) = invoice.body["LineItems"]
    return replace(invoice, body={**invoice.body, "LineItems": [{**line, **more}]})
