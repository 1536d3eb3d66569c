"""How one seller wants Amazon booked: accounts, numbers, tax rules. Settings, read once, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.tax.rules import TaxPolicy


class InvoicePer(StrEnum):
    """Whether an order has one invoice, approved at its first shipment, or one for each shipment."""

    ORDER = "order"
    SHIPMENT = "shipment"


@dataclass(frozen=True)
class AccountCodes:
    """Account codes of the organisation. `charges` says where each charge is income.

    `clearing` is what Amazon owes, per currency; without one an invoice of that currency stays unpaid in Xero.
    """

    charges: Mapping[Charge, str]
    discounts: str
    clearing: Mapping[str, str] = field(default_factory=dict)  # by currency


class ContactPolicy(StrEnum):
    """Which orders are invoiced to a contact of the buyer's own; all others go to their marketplace's customer."""

    MARKETPLACE = "marketplace"  # none
    BUSINESS_BUYERS = "business_buyers"  # those of Amazon Business
    BUYERS = "buyers"  # all whose buyer Amazon names


@dataclass(frozen=True)
class PostingPolicy:
    """`marketplaces` are the ids that are booked; `contact_names` the customers by marketplace id, else the default."""

    marketplaces: frozenset[str]
    accounts: AccountCodes
    tax: TaxPolicy
    invoice_prefix: str = ""
    invoice_per: InvoicePer = InvoicePer.ORDER
    contacts: ContactPolicy = ContactPolicy.MARKETPLACE
    contact_names: Mapping[str, str] = field(default_factory=dict)
    lock_dates: LockDates = LockDates.HOLD
    start: datetime = datetime(2000, 1, 1, tzinfo=UTC)  # orders placed before are somebody else's books
