"""Conditions that rules for tax rates and rules for accounts share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from amazon_to_xero.runtime.settings.base import Settings, Text


class RuleConditions(Settings):
    marketplaces: tuple[Text, ...] = Field(
        default=(), description="Condition: the order is of one of these marketplaces, by Amazon's ids."
    )
    ship_to: tuple[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")], ...] = Field(
        default=(), description='Condition: the destination is in one of these countries, by ISO code, e.g. `["GB"]`.'
    )
    regions: tuple[Text, ...] = Field(
        default=(),
        description="Condition: the destination is in one of these states or provinces, by code or name, whatever the "
        'capitals, accents and punctuation, e.g. `["ON", "Quebec"]`.',
    )
    business: bool | None = Field(
        default=None, description="Condition: `true` for orders of Amazon Business, `false` for all others."
    )
    category: Text | None = Field(
        default=None, description="Condition: the item's SKU is in this category, a name in `tax.categories`."
    )
