"""The looks of documents that the seller chooses: line descriptions, due dates, branding themes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.document_style import DocumentStyle
from amazon_to_xero.domain.planning.policy import PostingPolicy
from fakes.order_life import DRAFT, ORGANISATION_WITH_CLEARING, PAYING, SHIPPED, OrderLife, tea, version
from fakes.orders import breakdown, item

THEME_ID = "11111111-1111-4111-8111-111111111111"
BRANDED = replace(
    ORGANISATION_WITH_CLEARING, lists=ListsToRead(branding_themes=True), branding_themes={"Amazon": THEME_ID}
)


def styled(**chosen: Any) -> PostingPolicy:
    return replace(PAYING, style=DocumentStyle(**chosen))


def invoice(raw: dict[str, Any], **chosen: Any) -> dict[str, Any]:
    life = OrderLife(styled(**chosen), BRANDED)
    life.update(raw)
    assert life.pending_changes() == []
    return dict(life.in_xero["invoice A"].body)


def descriptions(raw: dict[str, Any], template: str) -> list[str]:
    return [line["Description"] for line in invoice(raw, line_description=template)["LineItems"]]


WITH_SHIPPING = version(4, item("13.00", breakdown("ITEM", "10.00"), breakdown("SHIPPING", "3.00"), item_id="7"))


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("", "Breakfast tea, 50 bags (TEA-50)"),
        ("{sku}: {title}", "TEA-50: Breakfast tea, 50 bags"),
        ("{marketplace} {order_id} {item_id}", "Amazon.co.uk A 7"),
        ("Goods", "Goods"),
    ],
)
def test_lines_name_the_item_as_the_template_says(template: str, name: str) -> None:
    assert descriptions(WITH_SHIPPING, template) == [name, f"Shipping: {name}"]


def test_item_of_which_amazon_states_nothing_is_named_by_its_id() -> None:
    unnamed = version(4, item("10.00", item_id="7") | {"product": {}})

    assert descriptions(unnamed, "{sku} {title}") == ["7"]


def test_title_with_braces_is_no_template() -> None:
    braces = version(4, item("10.00") | {"product": {"sellerSku": "A", "title": "Mug {sku} {0}"}})

    assert descriptions(braces, "{title}") == ["Mug {sku} {0}"]


def test_description_is_cut_to_what_xero_accepts() -> None:
    (text,) = descriptions(version(4, tea() | {"product": {"title": "x" * 5000}}), "{title}{title}")

    assert text == "x" * 4000


def test_invoice_is_due_so_many_days_after_its_date_across_the_end_of_a_month() -> None:
    body = invoice(version(20, tea()), due_days=14)

    assert (body["Date"], body["DueDate"]) == ("2026-11-21", "2026-12-05")
    assert invoice(SHIPPED)["DueDate"] == invoice(SHIPPED)["Date"]


def test_invoice_and_credit_note_take_the_branding_theme() -> None:
    life = OrderLife(styled(branding_theme="Amazon"), BRANDED)
    life.update(SHIPPED)
    life.update(version(6, tea("8.00")))

    assert life.in_xero["invoice A"].body["BrandingThemeID"] == THEME_ID
    assert life.in_xero["credit_note A-A1"].body["BrandingThemeID"] == THEME_ID
    assert "BrandingThemeID" not in invoice(SHIPPED)


def test_branding_theme_that_the_organisation_lacks_is_named() -> None:
    with pytest.raises(Failure, match=r"no branding theme Amzon.*correct invoices\.branding_theme") as caught:
        invoice(SHIPPED, branding_theme="Amzon")

    assert caught.value.code == "BRANDING_THEME_UNKNOWN"


def test_changed_style_reaches_a_draft_and_never_a_paid_invoice() -> None:
    draft, paid = (OrderLife(styled(), BRANDED), OrderLife(styled(), BRANDED))
    draft.update(DRAFT)
    paid.update(SHIPPED)

    draft.policy = paid.policy = styled(line_description="{sku}", due_days=7, branding_theme="Amazon")

    assert draft.pending_changes() == ["invoice#A"]
    assert paid.pending_changes() == []
