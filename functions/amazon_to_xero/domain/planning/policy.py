"""One seller's accounting choices: accounts, numbers, contacts, tax. Read from the settings as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from amazon_to_xero.domain.amazon.order import Charge, Order
from amazon_to_xero.domain.books.contact import ContactPolicy
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.planning.account_rules import AccountRules, LineBooking, LineType
from amazon_to_xero.domain.planning.document_style import DocumentStyle
from amazon_to_xero.domain.planning.stated_lines import StatedLines
from amazon_to_xero.domain.tax.rules import TaxPolicy


class InvoicePer(StrEnum):
    """What has an invoice: an order, from its first shipment on; each shipment; or a marketplace and day."""

    ORDER = "order"
    SHIPMENT = "shipment"
    DAY = "day"  # what shipped on the day, of all orders, in one invoice; see decision 20

    @property
    def is_by_shipment(self) -> bool:
        """Whether each shipment of an order is stated apart."""
        return self is not InvoicePer.ORDER


class StartBy(StrEnum):
    """Which day of a sale decides whether it is booked here, or belongs to the books before the connection's start."""

    SHIPMENT = "shipment"  # the day of shipment, which dates the invoice
    ORDER = "order"  # the day on which the order was placed


class Approval(StrEnum):
    """Who approves the invoice of what has shipped."""

    AT_SHIPMENT = "at_shipment"  # nobody has to: it is entered as approved
    REVIEW = "review"  # a person, in Xero: it is entered as awaiting approval, and paid once it is approved


class Payments(StrEnum):
    """Whether approved invoices are paid."""

    FROM_CLEARING = "from_clearing"  # at once, where their currency has a clearing account
    NONE = "none"  # they stay open until a person pays them; credit notes are allocated to them


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
    chosen: line -> account that a person has chosen for it in this order; see `corrections.value_for`.
    """

    charges: Mapping[Charge, str]
    discounts: str
    clearing: Mapping[str, str] = field(default_factory=dict)
    goodwill: str = ""
    restocking: str = ""
    suspense: str = ""
    marketplace_clearing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refunds: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)

    def clearing_account(self, marketplace_id: str, currency: str) -> str:
        """Return the clearing account of a marketplace's documents in that currency; empty where there is none."""
        own = self.marketplace_clearing.get(marketplace_id, {})
        return own.get(currency) or self.clearing.get(currency, "")


@dataclass(frozen=True)
class MarketplacePolicy:
    """What one marketplace does otherwise than the connection; None where it does the same."""

    payments: Payments | None = None
    approval: Approval | None = None


@dataclass(frozen=True)
class PostingPolicy:
    """One connection's accounting choices.

    marketplaces: ids of the marketplaces that are booked.
    ignored_marketplaces: ids of marketplaces whose orders are not booked, and need no person either.
    invoice_prefix: precedes Amazon's order id in every number.
    start: sales before it (UTC) are not booked.
    start_by: what of a sale is compared with it.
    refunds_before_start: what becomes of the refunds of orders that are not booked for it.
    payments: whether approved invoices are paid.
    approval: who approves them.
    by_marketplace: marketplace id -> what it does otherwise; see `for_marketplace`.
    account_rules: by which lines are booked on other accounts, with tracking and item codes.
    rebooked: origin of a line of this order -> how it is booked, whatever the rules say by now.
    stated_lines: what a person has stated about lines of this order.
    style: the looks of documents.
    day_closes_after: how long after its local midnight a day is closed, where each day has one invoice.
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
    start_by: StartBy = StartBy.SHIPMENT
    refunds_before_start: RefundsWithoutSale = RefundsWithoutSale.PERSON
    payments: Payments = Payments.FROM_CLEARING
    approval: Approval = Approval.AT_SHIPMENT
    by_marketplace: Mapping[str, MarketplacePolicy] = field(default_factory=dict)
    account_rules: AccountRules = field(default_factory=AccountRules)
    rebooked: Mapping[str, LineBooking] = field(default_factory=dict)
    stated_lines: StatedLines = field(default_factory=StatedLines)
    style: DocumentStyle = field(default_factory=DocumentStyle)
    day_closes_after: timedelta = timedelta(hours=6)

    def for_marketplace(self, marketplace_id: str) -> PostingPolicy:
        """Return the policy that applies to sales of one marketplace."""
        other = self.by_marketplace.get(marketplace_id, MarketplacePolicy())
        return replace(self, payments=other.payments or self.payments, approval=other.approval or self.approval)

    @cached_property
    def has_review(self) -> bool:
        """Whether a person approves the invoices of any marketplace."""
        return any(self.for_marketplace(each).approval is Approval.REVIEW for each in self.marketplaces)

    @cached_property
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
