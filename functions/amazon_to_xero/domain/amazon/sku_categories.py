"""The seller's categories of SKUs, by which rules for tax rates and accounts tell goods apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

_NO_WILDCARDS = str.maketrans({"?": "[?]", "[": "[[]"})  # for fnmatch, whose wildcards they are beside *


@dataclass(frozen=True)
class SkuCategories:
    """Which SKUs belong to which category. An SKU may belong to several.

    patterns: category -> patterns of its SKUs; see `matches_any`.
    of_skus: SKU -> its category, as the seller's file states it.
    """

    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of_skus: Mapping[str, str] = field(default_factory=dict)

    def has(self, category: str, sku: str) -> bool:
        """Whether the SKU belongs to the category; False for a category that nobody has defined."""
        return self.of_skus.get(sku) == category or matches_any(sku, self.patterns.get(category, ()))


def matches_any(sku: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns matches the whole SKU, with its capitals; * stands for any text: BOOK-*.

    Any other character stands for itself: SKUs may contain ? and [.
    """
    return any(fnmatchcase(sku, pattern.translate(_NO_WILDCARDS)) for pattern in patterns)
