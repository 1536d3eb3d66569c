"""The settings of a connection: the document in its SSM parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from amazon_to_xero.domain.amazon.business_buyer import BuyerReference
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.planning.policy import Approval, InvoicePer, PostingPolicy
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.runtime.settings.accounts import AccountSettings
from amazon_to_xero.runtime.settings.amazon import AmazonSettings
from amazon_to_xero.runtime.settings.base import Settings
from amazon_to_xero.runtime.settings.documents import ContactSettings, InvoiceSettings, RefundSettings
from amazon_to_xero.runtime.settings.inventory import InventorySettings
from amazon_to_xero.runtime.settings.rule_conditions import RuleConditions
from amazon_to_xero.runtime.settings.tax import NO_FILE, TaxSettings
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
        description="What was sold before this time is not booked, e.g. `2026-04-01T00:00:00+01:00`: what shipped "
        "before it (`invoices.start_by`). There is no default, so that earlier orders are never booked by accident."
    )

    @model_validator(mode="after")
    def _places_are_known(self) -> Self:
        """A misspelt place would match nothing, and its orders would silently take the next rule."""
        rules = self._rules
        named = {name: {each for rule in part for each in rule.marketplaces} for name, part in rules.items()}
        for name, marketplaces in {**named, **self._named_alone}.items():
            if unknown := marketplaces - set(self.amazon.marketplaces):
                raise ValueError(
                    f"{name} name marketplaces {', '.join(sorted(unknown))} that amazon.marketplaces does not list; "
                    "add them there or correct the ids"
                )
        for name, part in rules.items():
            if any("UK" in rule.ship_to for rule in part):
                raise ValueError(f"{name} have ship_to UK, which is no ISO country code; write GB")
        return self

    @model_validator(mode="after")
    def _vat_number_has_one_place(self) -> Self:
        is_on_contact = self.contacts.policy is not ContactScope.MARKETPLACE
        if is_on_contact and BuyerReference.VAT_NUMBER in self.invoices.buyer_references:
            raise ValueError(
                "invoices.buyer_references has vat_number, and with contacts.policy "
                f"{self.contacts.policy} it is on the contact; remove it from invoices.buyer_references"
            )
        return self

    @model_validator(mode="after")
    def _days_have_one_invoice(self) -> Self:
        """What a day states together has one customer, is approved at once, and states the sum of its taxes."""
        if self.invoices.per != "day":
            return self
        each = self.invoices.marketplaces
        is_reviewed = Approval.REVIEW in (self.invoices.approval, *(other.approval for other in each.values()))
        conflicts = {
            f"contacts.policy {self.contacts.policy}; set marketplace": self.contacts.policy
            is not ContactScope.MARKETPLACE,
            "invoices.approval review; set at_shipment, also in invoices.marketplaces": is_reviewed,
            "invoices.buyer_references; remove them": bool(self.invoices.buyer_references),
            "tax.when_different draft; set hold or book": self.tax.when_different == "draft",
            "tax.state_amounts false; set true": not self.tax.state_amounts,
        }
        if found := [conflict for conflict, is_there in conflicts.items() if is_there]:
            raise ValueError(f"invoices.per day does not work with {found[0]}, or set invoices.per to shipment")
        return self

    @model_validator(mode="after")
    def _categories_are_known(self) -> Self:
        for name, part in self._rules.items():
            if unknown := {rule.category for rule in part if rule.category} - self.tax.category_names:
                raise ValueError(
                    f"{name} name categories {', '.join(sorted(unknown))} that tax.categories does not have; "
                    "add their SKUs there, name the file that has them with CATEGORIES, or correct the names"
                )
        return self

    @property
    def _named_alone(self) -> Mapping[str, set[str]]:
        """The marketplaces that settings name apart from rules, by setting."""
        return {
            "contacts.names": set(self.contacts.names),
            "invoices.marketplaces": set(self.invoices.marketplaces),
            "accounts.marketplace_clearing": set(self.accounts.marketplace_clearing),
        }

    @property
    def _rules(self) -> Mapping[str, Sequence[RuleConditions]]:
        return {"tax.rules": self.tax.rules, "accounts.rules": self.accounts.rules}

    def stock_policy(self) -> StockPolicy | None:
        return self.inventory.policy(self.amazon.marketplaces, self.amazon.ignored_marketplaces)

    def reconciliation_policy(self) -> ReconciliationPolicy | None:
        return self.inventory.reconciliation_policy(self.amazon.marketplaces)

    def policy(self, categories_in_file: Mapping[str, str] = NO_FILE) -> PostingPolicy:
        """Return the accounting choices; `categories_in_file`: SKU -> category in the file that the settings name."""
        return PostingPolicy(
            marketplaces=frozenset(self.amazon.marketplaces),
            ignored_marketplaces=frozenset(self.amazon.ignored_marketplaces),
            accounts=self.accounts.codes(),
            tax=self.tax.policy(categories_in_file),
            invoice_prefix=self.invoices.number_prefix,
            invoice_per=InvoicePer(self.invoices.per),
            contacts=ContactPolicy(self.contacts.policy, self.contacts.names),
            lock_dates=LockDates(self.invoices.lock_dates),
            start=self.start,
            start_by=self.invoices.start_by,
            payments=self.invoices.payments,
            approval=self.invoices.approval,
            by_marketplace=self.invoices.by_marketplace(),
            refunds_before_start=self.refunds.before_start,
            account_rules=self.accounts.account_rules(),
            style=self.invoices.style(),
            day_closes_after=timedelta(hours=self.invoices.day_closes_after_hours),
        )
