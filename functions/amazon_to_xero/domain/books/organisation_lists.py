"""Lists of the organisation that are only read where the settings name something of them: each costs a call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListsToRead:
    """Which lists are read with the organisation.

    tracking: the tracking categories with their options.
    item_codes: of the items, those with these codes.
    branding_themes: the branding themes.
    """

    tracking: bool = False
    item_codes: frozenset[str] = frozenset()
    branding_themes: bool = False

    def cover(self, others: ListsToRead) -> bool:
        """Whether all that others ask for is among these."""
        has_themes = self.branding_themes >= others.branding_themes
        return self.tracking >= others.tracking and self.item_codes >= others.item_codes and has_themes


@dataclass(frozen=True)
class Item:
    """An item of the organisation's price list.

    code: Xero's Code, which lines name it by.
    stock_is_tracked: Xero keeps its stock, and every line with it moves the stock.
    """

    code: str
    stock_is_tracked: bool
