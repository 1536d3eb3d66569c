"""Which SKUs a pattern of the settings matches."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.amazon.sku_categories import SkuCategories, matches_any


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("BOOK-*", ["BOOK-", "BOOK-1", "BOOK-*"], ["book-1", "A-BOOK-1"]),
        ("MUG[RED]", ["MUG[RED]"], ["MUGR", "MUGE"]),
        ("MUG?", ["MUG?"], ["MUG1", "MUG"]),
        ("*[!A]?", ["TEA[!A]?"], ["TEAB1"]),
    ],
)
def test_only_a_star_stands_for_other_text(pattern: str, matching: list[str], others: list[str]) -> None:
    assert [sku for sku in [*matching, *others] if matches_any(sku, (pattern,))] == matching


def test_category_has_the_skus_of_its_patterns_and_those_of_the_file() -> None:
    categories = SkuCategories({"mugs": ("MUG[*",)}, {"TEA-50": "mugs"})

    assert [sku for sku in ("MUG[RED]", "MUG-RED", "TEA-50") if categories.has("mugs", sku)] == ["MUG[RED]", "TEA-50"]
