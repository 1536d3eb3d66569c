"""The part `tax` of a connection's settings: how the tax rate of an item is decided."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party, folded_word
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule, WhenDifferent
from amazon_to_xero.runtime.settings.base import Settings, Text
from amazon_to_xero.runtime.settings.rule_conditions import RuleConditions

NO_FILE: Mapping[str, str] = MappingProxyType({})  # SKU -> category, where the seller has no file of them


class TaxRuleSettings(RuleConditions):
    tax_type: Text = Field(
        description="Tax type that the item takes: Xero's code of one of the organisation's tax rates, e.g. `OUTPUT2`, "
        "or `NONE`."
    )
    amounts: Literal["inclusive", "exclusive", "none"] = Field(
        description="Whether Amazon's prices include the tax (`inclusive`) or exclude it (`exclusive`), or there is no "
        "tax to book (`none`)."
    )
    responsible: Literal["seller", "marketplace"] | None = Field(
        default=None, description="Condition: who owes the tax on the item, as Amazon states it."
    )
    amazon_tax: Literal["zero", "stated_zero", "charged"] | None = Field(
        default=None,
        description="Condition: whether Amazon charged tax on the item. `zero`: 0.00, or no tax is stated. "
        "`stated_zero`: Amazon states 0.00.",
    )
    scheme: Text | None = Field(
        default=None,
        description="Condition: Amazon reports the item under this scheme, e.g. `UOSS` (the EU's one-stop shop), "
        "whatever the capitals and punctuation.",
    )
    charges: tuple[Literal["item", "shipping", "gift_wrap", "cod_fee", "other"], ...] = Field(
        default=(),
        description='Condition: the buyer was charged for one of these, e.g. `["shipping"]` where shipping is taxed '
        "and the goods are not. A discount takes the tax type of what it discounts.",
    )


class CategoryFileSettings(Settings):
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")] = Field(
        description="Names the row of the table that has the file's content."
    )
    categories: tuple[Text, ...] = Field(description="The categories in the file.")


class TaxSettings(Settings):
    mode: Literal["rules", "matching"] = Field(
        default="rules",
        description="What decides the tax rate of an item that no rule matches. `rules`: nothing, the order fails. "
        "`matching`: the one rate of the organisation whose name fits the destination and that explains Amazon's tax.",
    )
    rules: tuple[TaxRuleSettings, ...] = Field(
        default=(),
        description="The tax rules; the first one that matches an item decides its rate. At least one, unless "
        "`tax.mode` is `matching`.",
    )
    categories: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Categories of SKUs for `tax.rules` and `accounts.rules`: category → patterns of its SKUs, in "
        "which `*` stands for any text, e.g. "
        '`{"books": ["BOOK-*", "SKU-17"]}`.',
    )
    category_file: CategoryFileSettings | None = Field(
        default=None,
        description="The file of SKUs and categories for `tax.rules` and `accounts.rules`. `make connect` enters this "
        "field for the file that it is given with `CATEGORIES`.",
    )
    rounding_tax_type: Text = Field(
        default="NONE", description="Tax type of rounding lines: Xero's code of a rate of 0 %, or `NONE`."
    )
    rounding_limit: Annotated[Decimal, Field(ge=0, le=Decimal("0.10"))] = Field(
        default=Decimal("0.05"),
        description="Largest amount that a rounding line may have, in the document's currency. A larger difference "
        "fails with `TAX_DIFFERS`.",
    )

    liabilities: dict[Text, Literal["seller", "marketplace"]] = Field(
        default_factory=dict,
        description="Who owes the tax that Amazon describes with a word that is not known here: a collection model, a "
        'responsible party or a reporting scheme, e.g. `{"XX_VOEC": "marketplace"}`. Without it such an order fails '
        "with `TAX_LIABILITY_UNCLEAR`.",
    )

    when_different: Literal["hold", "draft", "book"] = Field(
        default="hold",
        description="What happens to an order on which Xero computes another tax than Amazon charged, by more than "
        "rounding. `hold`: it fails with `TAX_VARIANCE`, and nothing new is entered. `draft`: its invoice stays a "
        "draft, which you check and approve. `book`: it is entered. The last two log `TAX_VARIANCE`.",
    )
    state_amounts: bool = Field(
        default=True,
        description="Whether a line states Amazon's tax where Xero would round it otherwise. With `false`, Xero "
        "computes every tax, and a rounding line makes up for what is added to prices.",
    )

    @model_validator(mode="after")
    def _rules_can_match(self) -> Self:
        if not self.rules and self.mode == "rules":
            raise ValueError("tax.rules should have at least 1 item, unless tax.mode is matching")
        return self

    @property
    def category_names(self) -> frozenset[str]:
        """The categories that rules may name."""
        return frozenset(self.categories) | frozenset(self.category_file.categories if self.category_file else ())

    def policy(self, categories_in_file: Mapping[str, str] = NO_FILE) -> TaxPolicy:
        return TaxPolicy(
            rules=tuple(_tax_rule(rule) for rule in self.rules),
            mode=TaxMode(self.mode),
            categories=SkuCategories(self.categories, categories_in_file),
            rounding_tax_type=self.rounding_tax_type,
            rounding_limit=self.rounding_limit,
            when_different=WhenDifferent(self.when_different),
            state_amounts=self.state_amounts,
            liabilities={folded_word(word): Party(party) for word, party in self.liabilities.items()},
        )


_AMOUNTS = {
    "inclusive": LineAmountTypes.INCLUSIVE,
    "exclusive": LineAmountTypes.EXCLUSIVE,
    "none": LineAmountTypes.NO_TAX,
}


def _tax_rule(rule: TaxRuleSettings) -> TaxRule:
    return TaxRule(
        tax_type=rule.tax_type,
        amounts=_AMOUNTS[rule.amounts],
        marketplaces=frozenset(rule.marketplaces),
        ship_to=frozenset(rule.ship_to),
        responsible=Party(rule.responsible) if rule.responsible else None,
        amazon_tax=AmazonTax(rule.amazon_tax) if rule.amazon_tax else None,
        regions=frozenset(rule.regions),
        scheme=rule.scheme or "",
        business=rule.business,
        category=rule.category or "",
        charges=frozenset(Charge[charge.upper()] for charge in rule.charges),
    )
