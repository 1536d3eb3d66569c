"""Settings: of the stack (environment), of each connection (one SSM parameter), and each connection's secret.

Everything is validated when a function starts. An error names the field, what is wrong with it and what to do; it never
repeats a value. The settings pages of the documentation are generated from the descriptions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.planning.policy import AccountCodes, InvoicePer, PostingPolicy, RefundsWithoutSale
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party, folded_word
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule, WhenDifferent
from amazon_to_xero.runtime.inventory_settings import InventorySettings

type Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
# Xero: at most 255 characters; its filter, by which a contact with the name is found, cannot take quotation marks.
type ContactName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True, pattern=r'^[^"\\]*$')
]
type AccountCode = Annotated[str, StringConstraints(min_length=1, max_length=10)]


class SettingsError(Exception):
    """Settings that cannot be used. The message is for the person who wrote them."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StackSettings(_Settings):
    """The environment of a function, as template.yaml sets it."""

    stack: Text = Field(alias="STACK_NAME", description="Name of the stack, which its metrics carry.")
    table: Text = Field(alias="TABLE_NAME", description="Name of the DynamoDB table.")
    connections_path: Text = Field(alias="SETTINGS_PATH", description="Path of the connections' SSM parameters.")
    secrets_prefix: Text = Field(alias="SECRETS_PREFIX", description="First part of the names of connections' secrets.")
    dead_letter_queues: dict[str, Text] = Field(
        default_factory=dict, description="Environment variable → URL of a capability's dead-letter queue."
    )
    token_key: Text = Field(alias="TOKEN_KEY_ARN", description="ARN of the KMS key that encrypts Xero's tokens.")
    event_bus: Text = Field(alias="EVENT_BUS_NAME", description="Name of the stack's own event bus.")
    alarm_topic: str = Field(
        default="",
        alias="ALARM_TOPIC_ARN",
        description="ARN of the topic of the stack's alarms; empty where it has none.",
    )
    inventory_topic: Text = Field(
        alias="INVENTORY_TOPIC_ARN", description="ARN of the topic of the stack's inventory alerts."
    )
    region: Text = Field(alias="AWS_REGION", description="AWS region of the stack, e.g. `eu-west-1`.")
    aws_endpoint: str | None = Field(
        default=None, alias="AWS_ENDPOINT_URL", description="URL that replaces AWS, for the local cloud."
    )
    amazon_api_url: str = Field(
        default="", alias="AMAZON_API_URL", description="URL that replaces Amazon's API, for the sandbox."
    )
    lwa_url: str = Field(
        default="", alias="LWA_URL", description="URL that replaces Amazon's token endpoint, for the sandbox."
    )
    xero_api_url: Text = Field(alias="XERO_API_URL", description="URL of Xero's API: `https://api.xero.com`.")
    xero_token_url: Text = Field(
        alias="XERO_TOKEN_URL", description="URL of Xero's token endpoint: `https://identity.xero.com/connect/token`."
    )


class AmazonSettings(_Settings):
    seller_id: Text = Field(description="Amazon's id of the seller (merchant token), e.g. `A1SELLER`.")
    region: Literal["na", "eu", "fe"] = Field(
        description="Region of the Selling Partner API that serves the marketplaces: North America, Europe (also the "
        "Middle East, Africa and India) or the Far East."
    )
    marketplaces: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="Amazon's ids of the marketplaces whose orders are booked, e.g. `A1F83G8C2ARO7P` for Amazon.co.uk. "
        "An order of any other marketplace fails with `UNKNOWN_MARKETPLACE`, unless it is ignored."
    )
    ignored_marketplaces: tuple[Text, ...] = Field(
        default=(),
        description="Amazon's ids of further marketplaces of the seller whose orders are not booked, because Amazon "
        "notifies of the orders of all. They become `NOT_INVOICED` with the reason `IGNORED_MARKETPLACE`.",
    )
    read_destination: bool = Field(
        default=True,
        description="Whether to request each order's destination, whose country and region tax rules may need. Set it "
        "to `false` if the application has no role that gives access to addresses.",
    )

    @model_validator(mode="after")
    def _marketplaces_exist(self) -> Self:
        unknown = [marketplace for marketplace in self.marketplaces if marketplace not in MARKETPLACES]
        if unknown:
            raise ValueError(f"marketplace ids {', '.join(unknown)} are not Amazon's; take them from Amazon's list")
        both = [marketplace for marketplace in self.ignored_marketplaces if marketplace in self.marketplaces]
        if both:
            raise ValueError(
                f"marketplaces and ignored_marketplaces both list {', '.join(both)}; remove each from one of them"
            )
        return self


class XeroSettings(_Settings):
    tenant_id: Text = Field(
        description="Xero's id of the connected organisation, a GUID: the `tenantId` in Xero's list of connections."
    )
    calls_per_day: Annotated[int, Field(ge=50, le=5000)] = Field(
        default=5000,
        description="Calls that the organisation's API tier allows in 24 hours: 5000, or 1000 on the free tier.",
    )


class AccountSettings(_Settings):
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
    clearing: dict[Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")], AccountCode] = Field(
        default_factory=dict,
        description="ISO currency code → code of the clearing account that approved invoices are paid from, e.g. "
        '`{"GBP": "CLR-GBP"}`. Invoices in a currency without one stay unpaid.',
    )


class TaxRuleSettings(_Settings):
    tax_type: Text = Field(
        description="Tax type that the item takes: Xero's code of one of the organisation's tax rates, e.g. `OUTPUT2`, "
        "or `NONE`."
    )
    amounts: Literal["inclusive", "exclusive", "none"] = Field(
        description="Whether Amazon's prices include the tax (`inclusive`) or exclude it (`exclusive`), or there is no "
        "tax to book (`none`)."
    )
    marketplaces: tuple[Text, ...] = Field(
        default=(), description="Condition: the order is of one of these marketplaces, by Amazon's ids."
    )
    ship_to: tuple[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")], ...] = Field(
        default=(), description='Condition: the destination is in one of these countries, by ISO code, e.g. `["GB"]`.'
    )
    responsible: Literal["seller", "marketplace"] | None = Field(
        default=None, description="Condition: who owes the tax on the item, as Amazon states it."
    )
    amazon_tax: Literal["zero", "stated_zero", "charged"] | None = Field(
        default=None,
        description="Condition: whether Amazon charged tax on the item. `zero`: 0.00, or no tax is stated. "
        "`stated_zero`: Amazon states 0.00.",
    )
    regions: tuple[Text, ...] = Field(
        default=(),
        description="Condition: the destination is in one of these states or provinces, by code or name, whatever the "
        'capitals, accents and punctuation, e.g. `["ON", "Quebec"]`.',
    )
    scheme: Text | None = Field(
        default=None,
        description="Condition: Amazon reports the item under this scheme, e.g. `UOSS` (the EU's one-stop shop), "
        "whatever the capitals and punctuation.",
    )
    business: bool | None = Field(
        default=None, description="Condition: `true` for orders of Amazon Business, `false` for all others."
    )
    charges: tuple[Literal["item", "shipping", "gift_wrap", "cod_fee", "other"], ...] = Field(
        default=(),
        description='Condition: the buyer was charged for one of these, e.g. `["shipping"]` where shipping is taxed '
        "and the goods are not. A discount takes the tax type of what it discounts.",
    )
    category: Text | None = Field(
        default=None, description="Condition: the item's SKU is in this category, a name in `tax.categories`."
    )


class TaxSettings(_Settings):
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
        description="Category → patterns of its SKUs, in which `*` stands for any text, e.g. "
        '`{"books": ["BOOK-*", "SKU-17"]}`.',
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
        unknown = {rule.category for rule in self.rules if rule.category} - set(self.categories)
        if unknown:
            raise ValueError(
                f"tax.rules name categories {', '.join(sorted(unknown))} that tax.categories does not have; "
                "add their SKUs there or correct the names"
            )
        return self

    def policy(self) -> TaxPolicy:
        return TaxPolicy(
            rules=tuple(_tax_rule(rule) for rule in self.rules),
            mode=TaxMode(self.mode),
            categories=self.categories,
            rounding_tax_type=self.rounding_tax_type,
            rounding_limit=self.rounding_limit,
            when_different=WhenDifferent(self.when_different),
            state_amounts=self.state_amounts,
            liabilities={folded_word(word): Party(party) for word, party in self.liabilities.items()},
        )


class ContactSettings(_Settings):
    policy: ContactScope = Field(
        default=ContactScope.MARKETPLACE,
        description="Whom orders are invoiced to. `marketplace`: one customer for each marketplace. `business_buyers`: "
        "a contact for each buyer of Amazon Business. `buyers`: a contact for each buyer whom Amazon names. The last "
        "two need a role with access to buyer data.",
    )
    names: dict[str, ContactName] = Field(
        default_factory=dict,
        description="Marketplace id → name of its customer in Xero, e.g. to replace the default name `Amazon.co.uk "
        "customers`.",
    )


class InvoiceSettings(_Settings):
    per: Literal["order", "shipment"] = Field(
        default="order",
        description="`order`: one invoice for an order, approved at its first shipment. `shipment`: one for each "
        "shipment, numbered `<order>`, `<order>-S2` and so on.",
    )
    number_prefix: Annotated[str, StringConstraints(max_length=50, pattern="^[A-Za-z0-9 ._/#-]*$")] = Field(
        default="", description="Text before Amazon's order id in every invoice number, e.g. `AMZ-`."
    )
    lock_dates: Literal["hold", "next_open_day"] = Field(
        default="hold",
        description="What happens to a document whose date is locked in Xero. `hold`: it fails with `PERIOD_LOCKED`. "
        "`next_open_day`: it is dated on the first open day.",
    )


class RefundSettings(_Settings):
    before_start: RefundsWithoutSale = Field(
        default=RefundsWithoutSale.PERSON,
        description="What happens to a refund of an order that was placed before `start`, or that Amazon no longer "
        "returns because it is more than two years old. `person`: it fails with `REFUND_BEFORE_START` (an order that "
        "Amazon no longer returns: `REFUND_WITHOUT_SALE`). `standalone`: it becomes a credit note without an invoice, "
        "on the accounts and tax rates that a sale would have today, to the marketplace's customer, refunded out of "
        "clearing.",
    )


class ConnectionSettings(_Settings):
    """One Amazon account tied to one Xero organisation: the document in the SSM parameter."""

    amazon: AmazonSettings = Field(description="The Amazon account and its marketplaces.")
    xero: XeroSettings = Field(description="The Xero organisation.")
    accounts: AccountSettings = Field(description="Codes of the organisation's accounts.")
    tax: TaxSettings = Field(description="How the tax rate of an item is decided.")
    contacts: ContactSettings = Field(default=ContactSettings(), description="Whom orders are invoiced to.")
    invoices: InvoiceSettings = Field(default=InvoiceSettings(), description="Numbers and dates of invoices.")
    refunds: RefundSettings = Field(default=RefundSettings(), description="Refunds whose sale is not entered.")
    inventory: InventorySettings = Field(
        default=InventorySettings(), description="When people hear of stock at Amazon."
    )
    start: AwareDatetime = Field(
        description="Orders placed before this time are not booked, e.g. `2026-04-01T00:00:00+01:00`. There is no "
        "default, so that earlier orders are never booked by accident."
    )

    @model_validator(mode="after")
    def _places_are_known(self) -> Self:
        """A misspelt place would match nothing, and its orders would silently take the next rule."""
        named = {marketplace for rule in self.tax.rules for marketplace in rule.marketplaces} | set(self.contacts.names)
        unknown = named - set(self.amazon.marketplaces)
        if unknown:
            raise ValueError(
                f"tax.rules or contacts.names name marketplaces {', '.join(sorted(unknown))} "
                "that amazon.marketplaces does not list; add them there or correct the ids"
            )
        if any("UK" in rule.ship_to for rule in self.tax.rules):
            raise ValueError("tax.rules have ship_to UK, which is no ISO country code; write GB")
        return self

    def stock_policy(self) -> StockPolicy | None:
        return self.inventory.policy(self.amazon.marketplaces, self.amazon.ignored_marketplaces)

    def policy(self) -> PostingPolicy:
        charges = {
            Charge.ITEM: self.accounts.item,
            Charge.SHIPPING: self.accounts.shipping,
            Charge.GIFT_WRAP: self.accounts.gift_wrap,
            Charge.COD_FEE: self.accounts.cod_fee,
            Charge.DELIVERY_TIP: self.accounts.delivery_tip,
            Charge.OTHER: self.accounts.other,
        }
        return PostingPolicy(
            marketplaces=frozenset(self.amazon.marketplaces),
            ignored_marketplaces=frozenset(self.amazon.ignored_marketplaces),
            accounts=AccountCodes(
                {charge: code for charge, code in charges.items() if code},
                self.accounts.discounts,
                self.accounts.clearing,
                self.accounts.refunds_goodwill or "",
                self.accounts.refunds_restocking or "",
                self.accounts.suspense or "",
            ),
            tax=self.tax.policy(),
            invoice_prefix=self.invoices.number_prefix,
            invoice_per=InvoicePer(self.invoices.per),
            contacts=ContactPolicy(self.contacts.policy, self.contacts.names),
            lock_dates=LockDates(self.invoices.lock_dates),
            start=self.start,
            refunds_before_start=self.refunds.before_start,
        )


class AmazonSecrets(_Settings):
    client_id: Text = Field(description="Client id of the Amazon application, from Login with Amazon.")
    client_secret: Text = Field(description="Client secret of the Amazon application.")
    refresh_token: Text = Field(description="Refresh token of the seller's authorisation.")


class XeroSecrets(_Settings):
    client_id: Text = Field(description="Client id of the Xero app.")
    client_secret: Text = Field(description="Client secret of the Xero app.")
    refresh_token: Text | None = Field(
        default=None,
        description="Refresh token of the app's authorisation. Leave it out for a custom connection, which has none.",
    )


class ConnectionSecrets(_Settings):
    """A connection's secret in Secrets Manager."""

    amazon: AmazonSecrets = Field(description="Credentials for Amazon.")
    xero: XeroSecrets = Field(description="Credentials for Xero.")
    buyer_salt: Annotated[str, StringConstraints(min_length=32)] = Field(
        description="Random text that pseudonyms of buyers are made with. `make connect` adds it; it must never change."
    )
    connected_at: AwareDatetime | None = Field(
        default=None,
        description="When `make connect` stored the secret (UTC), which adds it at each run. A function that still has "
        "an older secret in memory leaves the Xero tokens of a newer one alone. Without it, nothing tells which of two "
        "secrets is newer: each replaces the tokens of the other.",
    )


def stack_settings(environment: Mapping[str, str], queues: Iterable[str]) -> StackSettings:
    """Return the stack's settings from a function's environment. Raises SettingsError that names each missing variable.

    `queues` are the variables that hold the URLs of dead-letter queues.
    """
    name = "the function's environment"
    urls = {queue: environment.get(queue, "") for queue in queues}
    missing = ", ".join(queue for queue, url in urls.items() if not url)
    if missing:
        raise SettingsError(f"{name} cannot be used. {missing}: Field required. Deploy the stack again.")
    return parse(StackSettings, dict(environment), name).model_copy(update={"dead_letter_queues": urls})


def parse[Model: _Settings](model: type[Model], document: str | bytes | dict[str, str], name: str) -> Model:
    """Return the settings in a JSON text or in the environment. Raises SettingsError that names every wrong field.

    Variables of the environment that are not in the model are ignored.
    """
    try:
        if isinstance(document, dict):
            known = {field.alias or field_name for field_name, field in model.model_fields.items()}
            return model.model_validate({key: value for key, value in document.items() if key in known})
        return model.model_validate_json(document)
    except ValidationError as problem:
        errors = problem.errors(include_input=False, include_url=False, include_context=False)
        lines = [f"{'.'.join(str(part) for part in error['loc']) or 'document'}: {error['msg']}" for error in errors]
        raise SettingsError(f"{name} cannot be used. {'; '.join(lines)}. Correct it and run connect again.") from None


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
