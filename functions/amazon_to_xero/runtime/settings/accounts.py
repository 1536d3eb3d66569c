"""The part `accounts` of a connection's settings: the codes of the organisation's accounts."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules, Channel, LineType
from amazon_to_xero.domain.planning.policy import AccountCodes
from amazon_to_xero.runtime.settings.base import Settings, Text
from amazon_to_xero.runtime.settings.rule_conditions import RuleConditions

type LineName = Literal["item", "shipping", "gift_wrap", "cod_fee", "delivery_tip", "other", "discount", "refund"]
type Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
type AccountCode = Annotated[str, StringConstraints(min_length=1, max_length=10)]


class AccountRuleSettings(RuleConditions):
    account: AccountCode | None = Field(
        default=None, description="Code of the account that the line is booked on, e.g. `201`."
    )
    tracking: Annotated[dict[Text, Text], Field(max_length=2)] = Field(
        default_factory=dict,
        description="Tracking category → option that the line is reported under, at most two, by their names in Xero, "
        'e.g. `{"Channel": "FBA"}`.',
    )
    item_code: Annotated[str, StringConstraints(min_length=1, max_length=30)] | None = Field(
        default=None,
        description="Code of an item of the organisation whose stock Xero does not track, which the line names. "
        "Set `charges` beside it, so that it counts goods and not their shipping.",
    )
    skus: tuple[Text, ...] = Field(
        default=(),
        description="Condition: the item's SKU fits one of these patterns, in which `*` stands for any text, e.g. "
        '`["BOOK-*"]`.',
    )
    channel: Literal["amazon", "merchant"] | None = Field(
        default=None, description="Condition: Amazon ships the order (`amazon`, FBA), or you do (`merchant`, FBM)."
    )
    charges: tuple[LineName, ...] = Field(
        default=(),
        description='Condition: what the line books, e.g. `["shipping"]`. `discount` is a discount of anything. '
        "`refund` is what a refund takes back; only rules that name it decide about refunds, and only their accounts.",
    )

    @model_validator(mode="after")
    def _decides_something(self) -> Self:
        if not (self.account or self.tracking or self.item_code):
            raise ValueError("the rule decides nothing; give it an account, tracking or an item_code")
        if set(self.charges) == {"refund"} and not self.account:
            raise ValueError(
                "the rule is for refunds, whose tracking and item are those of the sale; give it an account"
            )
        return self

    def rule(self) -> AccountRule:
        return AccountRule(
            account=self.account or "",
            tracking=tuple(self.tracking.items()),
            item_code=self.item_code or "",
            marketplaces=frozenset(self.marketplaces),
            ship_to=frozenset(self.ship_to),
            regions=frozenset(self.regions),
            skus=self.skus,
            category=self.category or "",
            channel=Channel(self.channel) if self.channel else None,
            business=self.business,
            charges=frozenset(LineType(name) for name in self.charges),
        )


class AccountSettings(Settings):
    item: AccountCode = Field(description="Code of the income account for goods, e.g. `200`.")
    shipping: AccountCode = Field(description="Code of the income account for shipping that buyers pay.")
    gift_wrap: AccountCode = Field(description="Code of the income account for gift wrapping.")
    discounts: AccountCode = Field(description="Code of the account for promotions and other discounts.")
    cod_fee: AccountCode | None = Field(
        default=None,
        description="Code of the income account for cash-on-delivery fees. Without it an order with such a fee fails "
        "with `ACCOUNT_UNMAPPED`.",
    )
    delivery_tip: AccountCode | None = Field(
        default=None,
        description="Code of the income account for delivery tips. Without it an order with a tip fails with "
        "`ACCOUNT_UNMAPPED`.",
    )
    other: AccountCode | None = Field(
        default=None,
        description="Code of the income account for every other charge. Without it an order with such a charge fails "
        "with `ACCOUNT_UNMAPPED`.",
    )
    refunds: AccountCode | None = Field(
        default=None,
        description="Code of the account for what refunds take back: goods, shipping and so on, less discounts. "
        "Without it the accounts of the lines that they take back.",
    )
    refunds_goodwill: AccountCode | None = Field(
        default=None,
        description="Code of the account for what buyers get back beyond what they had paid (goodwill). Without it the "
        "account of the item.",
    )
    refunds_restocking: AccountCode | None = Field(
        default=None,
        description="Code of the account for what you keep for a return: restocking and return shipping. Without it "
        "the account of the item.",
    )
    suspense: AccountCode | None = Field(
        default=None,
        description="Code of the account for amounts in refunds whose type is not known. Without it such a refund "
        "fails with `CHARGE_TYPE_UNKNOWN`.",
    )
    clearing: dict[Currency, AccountCode] = Field(
        default_factory=dict,
        description="ISO currency code → code of the clearing account that approved invoices are paid from, e.g. "
        '`{"GBP": "CLR-GBP"}`. Invoices in a currency without one stay unpaid.',
    )
    marketplace_clearing: dict[Text, Annotated[dict[Currency, AccountCode], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Marketplace id → currency → code of the clearing account of that marketplace alone, before "
        'that of `accounts.clearing`, e.g. `{"A1F83G8C2ARO7P": {"GBP": "CLR-UK"}}`.',
    )
    rules: tuple[AccountRuleSettings, ...] = Field(
        default=(),
        description="Rules that book lines on other accounts, with tracking categories and item codes. For each of the "
        "three the first rule that matches the line and names one decides; without one the accounts above, no tracking "
        "and no item. Paid documents keep what they were booked with.",
    )

    def codes(self) -> AccountCodes:
        charges = {
            Charge.ITEM: self.item,
            Charge.SHIPPING: self.shipping,
            Charge.GIFT_WRAP: self.gift_wrap,
            Charge.COD_FEE: self.cod_fee,
            Charge.DELIVERY_TIP: self.delivery_tip,
            Charge.OTHER: self.other,
        }
        return AccountCodes(
            {charge: code for charge, code in charges.items() if code},
            self.discounts,
            self.clearing,
            self.refunds_goodwill or "",
            self.refunds_restocking or "",
            self.suspense or "",
            self.marketplace_clearing,
            self.refunds or "",
        )

    def account_rules(self) -> AccountRules:
        return AccountRules(tuple(rule.rule() for rule in self.rules))
