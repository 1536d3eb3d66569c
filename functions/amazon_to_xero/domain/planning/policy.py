"""One seller's accounting choices: accounts, numbers, contacts, tax. Read from the settings as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import Charge, Order
from amazon_to_xero.domain.books.contact import ContactPolicy
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.planning.account_rules import AccountRules, LineBooking, LineType
from amazon_to_xero.domain.planning.document_style import DocumentStyle
from amazon_to_xero.domain.tax.rules import TaxPolicy


class InvoicePer(StrEnum):
    """Whether an order has one invoice, approved at its first shipment, or one for each shipment."""

    ORDER = "order"
    SHIPMENT = "shipment"


class RefundsWithoutSale(StrEnum):
    """What becomes of a refund whose sale is not entered here: of an order before the start, or one Amazon lacks."""

    PERSON = "person"  # it fails, and a person enters it
    STANDALONE = "standalone"  # it has a credit note of its own, on the accounts and tax rates of a new sale


@dataclass(frozen=True)
class AccountCodes:
    """Account codes of the organisation.

    charges: the income account of each type of charge.
    discounts: the account of promotions and other discounts.
    clearing: currency -> the account that shows what Amazon owes; without one, invoices of that currency stay unpaid.
    marketplace_clearing: id of a marketplace -> currency -> the account of that marketplace alone.
    refunds: of what refunds take back; empty for the accounts of the sale's lines.
    goodwill: of what buyers get back beyond what they had paid; empty for the account of the item.
    restocking: of what the seller keeps for a return; empty for the account of the item.
    suspense: of amounts in refunds whose type is not known; empty where such refunds fail.
    """

    charges: Mapping[Charge, str]
    discounts: str
    clearing: Mapping[str, str] = field(default_factory=dict)
    goodwill: str = ""
    restocking: str = ""
    suspense: str = ""
    marketplace_clearing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refunds: str = ""

    def clearing_account(self, marketplace_id: str, currency: str) -> str:
        """Return the clearing account of a marketplace's documents in that currency; empty where there is none."""
        own = self.marketplace_clearing.get(marketplace_id, {})
        return own.get(currency) or self.clearing.get(currency, "")


@dataclass(frozen=True)
class PostingPolicy:
    """One connection's accounting choices.

    marketplaces: ids of the marketplaces that are booked.
    ignored_marketplaces: ids of marketplaces whose orders are not booked, and need no person either.
    invoice_prefix: precedes Amazon's order id in every number.
    start: orders placed before it (UTC) are not booked.
    refunds_before_start: what becomes of their refunds.
    account_rules: by which lines are booked on other accounts, with tracking and item codes.
    style: the looks of documents.
    """

    marketplaces: frozenset[str]
    accounts: AccountCodes
    tax: TaxPolicy
    invoice_prefix: str = ""
    invoice_per: InvoicePer = InvoicePer.ORDER
    contacts: ContactPolicy = field(default_factory=ContactPolicy)
    lock_dates: LockDates = LockDates.HOLD
    ignored_marketplaces: frozenset[str] = frozenset()
    start: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    refunds_before_start: RefundsWithoutSale = RefundsWithoutSale.PERSON
    account_rules: AccountRules = field(default_factory=AccountRules)
    style: DocumentStyle = field(default_factory=DocumentStyle)

    @property
    def lists_to_read(self) -> ListsToRead:
        """What is read of the organisation besides its accounts, tax rates and currencies."""
        return replace(self.account_rules.lists_to_read, branding_themes=bool(self.style.branding_theme))

    def charge_booking(self, order: Order, sku: str, charge: Charge) -> LineBooking:
        """Return how a charge of an order is booked; its account is empty where the settings name none."""
        default = self.accounts.charges.get(charge, "")
        return self.account_rules.booking(order, sku, LineType[charge.name], self.tax.categories, default)

    def refund_account(self, order: Order | None, sku: str) -> str:
        """Return the account of what a refund takes back; empty for that of the line that it takes back.

        order: None where Amazon does not return it; then no rule decides.
        """
        if order is None:
            return self.accounts.refunds
        booking = self.account_rules.booking(order, sku, LineType.REFUND, self.tax.categories, self.accounts.refunds)
        return booking.account

    def discount_booking(self, order: Order, sku: str) -> LineBooking:
        """Return how the discounts of an order's item are booked."""
        return self.account_rules.booking(order, sku, LineType.DISCOUNT, self.tax.categories, self.accounts.discounts)
