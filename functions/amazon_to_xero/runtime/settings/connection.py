"""The settings of a connection: the document in its SSM parameter."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from amazon_to_xero.domain.books.contact import ContactPolicy
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.runtime.settings.accounts import AccountSettings
from amazon_to_xero.runtime.settings.amazon import AmazonSettings
from amazon_to_xero.runtime.settings.base import Settings
from amazon_to_xero.runtime.settings.documents import ContactSettings, InvoiceSettings, RefundSettings
from amazon_to_xero.runtime.settings.inventory import InventorySettings
from amazon_to_xero.runtime.settings.tax import TaxSettings
from amazon_to_xero.runtime.settings.xero import XeroSettings


class ConnectionSettings(Settings):
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

    def reconciliation_policy(self) -> ReconciliationPolicy | None:
        return self.inventory.reconciliation_policy(self.amazon.marketplaces)

    def policy(self) -> PostingPolicy:
        return PostingPolicy(
            marketplaces=frozenset(self.amazon.marketplaces),
            ignored_marketplaces=frozenset(self.amazon.ignored_marketplaces),
            accounts=self.accounts.codes(),
            tax=self.tax.policy(),
            invoice_prefix=self.invoices.number_prefix,
            invoice_per=InvoicePer(self.invoices.per),
            contacts=ContactPolicy(self.contacts.policy, self.contacts.names),
            lock_dates=LockDates(self.invoices.lock_dates),
            start=self.start,
            refunds_before_start=self.refunds.before_start,
        )
