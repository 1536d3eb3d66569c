"""The page of the accounting cases shows every case, with what Amazon states and what Xero holds."""

from __future__ import annotations

from typing import Any

from documentation.case_files import books, themes
from documentation.case_tables import all_books, held, stated
from documentation.generate import ROOT

CASE: dict[str, Any] = {
    "name": "Two teas",
    "why": "A test.",
    "books": "british",
    "settings": {"invoices.per": "order", "tax.liabilities": {"XX": "seller"}},
    "on": "Amazon.co.uk GB",
    "placed": "2026-11-01 10:00",
    "order": {"fulfilled_by": "MERCHANT"},
    "items": ["TEA 2 ITEM 24.00, TAX 4.00 = 24.00"],
    "later": [
        {"at": "2026-11-10 10:00", "refund": "TEA: ITEM 10.00, ITEM tax 2.00"},
        {"at": "2026-11-11 10:00", "correct": ["tax_type", "ZERORATEDOUTPUT"]},
    ],
    "xero": "invoice of 2026-11-04: 24.00 GBP\n  2 × goods 200 OUTPUT2 24.00 tax 4.00\n",
    "refund_fails": "REFUND_ITEM_UNKNOWN",
    "says": ["SKU POT"],
}


def test_cell_says_what_amazon_states_and_what_happens_later() -> None:
    assert stated(CASE).split("<br>") == [
        "Amazon.co.uk GB · *british*",
        "`invoices.per`: order",
        '`tax.liabilities`: `{"XX": "seller"}`',
        "placed 2026-11-01 10:00 UTC",
        "fulfilled by: MERCHANT",
        "`TEA 2 ITEM 24.00, TAX 4.00 = 24.00`",
        "2026-11-10 10:00: refund of `TEA: ITEM 10.00, ITEM tax 2.00`",
        "2026-11-11 10:00: a person corrects the tax type to ZERORATEDOUTPUT",
    ]


def test_cell_says_what_xero_holds_and_who_has_to_act() -> None:
    assert held(CASE).split("<br>") == [
        "invoice of 2026-11-04: 24.00 GBP",
        "&nbsp;&nbsp;2 × goods 200 OUTPUT2 24.00 tax 4.00",
        "Refund with a person: `REFUND_ITEM_UNKNOWN`",
        "“… SKU POT …”",
    ]


def test_every_case_and_every_seller_is_on_the_page() -> None:
    page = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")

    names = [case["name"] for theme in themes() for case in theme["case"]]
    assert [name for name in names if f"| **{name}.** " not in page] == []
    assert all_books() in page


def test_cases_name_books_that_exist() -> None:
    assert {case["books"] for theme in themes() for case in theme["case"]} == set(books())
