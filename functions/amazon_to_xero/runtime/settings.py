"""Settings: what the stack says (environment), what each connection says (one SSM parameter), its secrets.

Everything is validated when a function starts. An error names the field, what is wrong with it and the cure; the values
themselves are not repeated.
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
from amazon_to_xero.domain.planning.policy import AccountCodes, InvoicePer, PostingPolicy
from amazon_to_xero.domain.tax.liability import AmazonTax, Party
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule

type Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
# Xero: 255 characters; its filter, by which a name that is taken is looked for, cannot take quotation marks.
type ContactName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True, pattern=r'^[^"\\]*$')
]
type AccountCode = Annotated[str, StringConstraints(min_length=1, max_length=10)]


class SettingsError(Exception):
    """Settings that cannot be used. The message is for the person who wrote them."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StackSettings(_Strict):
    """The environment of a function, as template.yaml sets it.

    dead_letter_queues: environment variable -> URL of a capability's dead-letter queue.
    """

    table: Text = Field(alias="TABLE_NAME")
    connections_path: Text = Field(alias="SETTINGS_PATH")
    secrets_prefix: Text = Field(alias="SECRETS_PREFIX")
    dead_letter_queues: dict[str, Text] = Field(default_factory=dict)
    event_bus: Text = Field(alias="EVENT_BUS_NAME")
    region: Text = Field(alias="AWS_REGION")
    aws_endpoint: str | None = Field(default=None, alias="AWS_ENDPOINT_URL")
    amazon_api_url: str = Field(default="", alias="AMAZON_API_URL")
    lwa_url: str = Field(default="", alias="LWA_URL")
    xero_api_url: Text = Field(alias="XERO_API_URL")
    xero_token_url: Text = Field(alias="XERO_TOKEN_URL")


class AmazonSettings(_Strict):
    """`read_destination`: ask Amazon for the destination, whose country tax rules may need; false without that role."""

    seller_id: Text
    region: Literal["na", "eu", "fe"]
    marketplaces: Annotated[tuple[Text, ...], Field(min_length=1)]
    read_destination: bool = True

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [m for m in self.marketplaces if m not in MARKETPLACES]
        if unknown:
            raise ValueError(f"marketplace ids {', '.join(unknown)} are not Amazon's; take them from Amazon's list")
        return self


class XeroSettings(_Strict):
    """`calls_per_day` is what the organisation's API tier allows: 5,000, on the free tier 1,000."""

    tenant_id: Text
    calls_per_day: Annotated[int, Field(ge=50, le=5000)] = 5000


class AccountSettings(_Strict):
    """Account codes of the organisation; `clearing` per currency, {"GBP": "CLR-GBP"}."""

    item: AccountCode
    shipping: AccountCode
    gift_wrap: AccountCode
    discounts: AccountCode
    cod_fee: AccountCode | None = None
    delivery_tip: AccountCode | None = None
    other: AccountCode | None = None
    clearing: dict[Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")], AccountCode] = Field(default_factory=dict)


class TaxRuleSettings(_Strict):
    """One row of the tax table; conditions that are left out match everything, the first row that matches wins.

    `regions` are states or provinces as Amazon spells them, `category` one of tax.categories.
    """

    tax_type: Text
    amounts: Literal["inclusive", "exclusive", "none"]
    marketplaces: tuple[Text, ...] = ()
    ship_to: tuple[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")], ...] = ()
    responsible: Literal["seller", "marketplace"] | None = None
    amazon_tax: Literal["zero", "charged"] | None = None
    regions: tuple[Text, ...] = ()
    scheme: Literal["UOSS", "IOSS"] | None = None
    business: bool | None = None
    category: Text | None = None


class TaxSettings(_Strict):
    """`mode` says what becomes of an item that no rule speaks of; `categories` are patterns of SKUs by name."""

    mode: Literal["rules", "matching"] = "rules"
    rules: tuple[TaxRuleSettings, ...] = ()
    categories: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(default_factory=dict)
    rounding_tax_type: Text = "NONE"
    rounding_limit: Annotated[Decimal, Field(ge=0, le=Decimal("0.10"))] = Decimal("0.05")

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        if not self.rules and self.mode == "rules":
            raise ValueError("tax.rules should have at least 1 item, unless tax.mode is matching")
        unknown = {rule.category for rule in self.rules if rule.category} - set(self.categories)
        if unknown:
            raise ValueError(
                f"tax.rules speak of categories {', '.join(sorted(unknown))} that tax.categories does not have; "
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
        )


class ContactSettings(_Strict):
    """`policy` says which buyers get a contact of their own: none, those of Amazon Business, or all that are named."""

    policy: ContactScope = ContactScope.MARKETPLACE
    names: dict[str, ContactName] = Field(default_factory=dict)


class InvoiceSettings(_Strict):
    """`per`: one invoice an order, approved at its first shipment, or one for each shipment."""

    per: Literal["order", "shipment"] = "order"
    number_prefix: Annotated[str, StringConstraints(max_length=50, pattern="^[A-Za-z0-9 ._/#-]*$")] = ""
    lock_dates: Literal["hold", "next_open_day"] = "hold"


class ConnectionSettings(_Strict):
    """One Amazon account tied to one Xero organisation: the document in the SSM parameter.

    `start`: orders placed before are somebody else's books. There is no default: history is never booked by accident.
    """

    amazon: AmazonSettings
    xero: XeroSettings
    accounts: AccountSettings
    tax: TaxSettings
    contacts: ContactSettings = ContactSettings()
    invoices: InvoiceSettings = InvoiceSettings()
    start: AwareDatetime

    @model_validator(mode="after")
    def _speaks_of_known_places(self) -> Self:
        """A misspelt place would match nothing, and its orders would silently take the next rule."""
        named = {m for rule in self.tax.rules for m in rule.marketplaces} | set(self.contacts.names)
        strangers = named - set(self.amazon.marketplaces)
        if strangers:
            raise ValueError(
                f"tax.rules or contacts.names speak of marketplaces {', '.join(sorted(strangers))} "
                "that amazon.marketplaces does not list; add them there or correct the ids"
            )
        if any("UK" in rule.ship_to for rule in self.tax.rules):
            raise ValueError("tax.rules: ship_to UK is no country code of Amazon's; write GB")
        return self

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
            accounts=AccountCodes(
                {charge: code for charge, code in charges.items() if code},
                self.accounts.discounts,
                self.accounts.clearing,
            ),
            tax=self.tax.policy(),
            invoice_prefix=self.invoices.number_prefix,
            invoice_per=InvoicePer(self.invoices.per),
            contacts=ContactPolicy(self.contacts.policy, self.contacts.names),
            lock_dates=LockDates(self.invoices.lock_dates),
            start=self.start,
        )


class AmazonSecrets(_Strict):
    client_id: Text
    client_secret: Text
    refresh_token: Text


class XeroSecrets(_Strict):
    """`refresh_token` is left out for a custom connection (client credentials)."""

    client_id: Text
    client_secret: Text
    refresh_token: Text | None = None


class ConnectionSecrets(_Strict):
    """The connection's secret. `buyer_salt` is random and made by the connect command: it must never change."""

    amazon: AmazonSecrets
    xero: XeroSecrets
    buyer_salt: Annotated[str, StringConstraints(min_length=32)]


def _tax_rule(rule: TaxRuleSettings) -> TaxRule:
    amounts = {
        "inclusive": LineAmountTypes.INCLUSIVE,
        "exclusive": LineAmountTypes.EXCLUSIVE,
        "none": LineAmountTypes.NO_TAX,
    }
    return TaxRule(
        tax_type=rule.tax_type,
        amounts=amounts[rule.amounts],
        marketplaces=frozenset(rule.marketplaces),
        ship_to=frozenset(rule.ship_to),
        responsible=Party(rule.responsible) if rule.responsible else None,
        amazon_tax=AmazonTax(rule.amazon_tax) if rule.amazon_tax else None,
        regions=frozenset(rule.regions),
        scheme=rule.scheme or "",
        business=rule.business,
        category=rule.category or "",
    )


def stack_settings(environment: Mapping[str, str], queues: Iterable[str]) -> StackSettings:
    """Return the stack's settings from a function's environment. Raises SettingsError naming each missing variable.

    `queues` are the variables that hold the URLs of dead-letter queues.
    """
    name = "the function's environment"
    urls = {queue: environment.get(queue, "") for queue in queues}
    missing = ", ".join(queue for queue, url in urls.items() if not url)
    if missing:
        raise SettingsError(f"{name} cannot be used. {missing}: Field required. Deploy the stack again.")
    return parse(StackSettings, dict(environment), name).model_copy(update={"dead_letter_queues": urls})


def parse[Settings: _Strict](model: type[Settings], document: str | bytes | dict[str, str], name: str) -> Settings:
    """The settings in a JSON text (or in the environment). Raises SettingsError naming every field that is wrong."""
    try:
        if isinstance(document, dict):
            known = {field.alias or field_name for field_name, field in model.model_fields.items()}
            return model.model_validate({key: value for key, value in document.items() if key in known})
        return model.model_validate_json(document)
    except ValidationError as problem:
        errors = problem.errors(include_input=False, include_url=False, include_context=False)
        lines = [f"{'.'.join(str(part) for part in error['loc']) or 'document'}: {error['msg']}" for error in errors]
        raise SettingsError(f"{name} cannot be used. {'; '.join(lines)}. Correct it and run connect again.") from None
