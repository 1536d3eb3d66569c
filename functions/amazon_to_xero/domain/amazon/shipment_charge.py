"""What Amazon charged a buyer for one shipment: a Shipment transaction of the Finances API, without Amazon's fees.

The transaction itself is not kept: an order's charges are compared with its documents, and have none of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.transaction import Transaction
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, money_text, total

_LIMIT = Decimal(10) ** 15  # no shop's amount reaches it, and sums of more lose digits
_MAX_NAME_LENGTH = 60  # of an amount of unknown type, as it is stored and shown


@dataclass(frozen=True)
class ShipmentCharge:
    """What a buyer was charged for one shipment of an order.

    transaction_id, posted_at, currency: as in Transaction.
    amounts: what the amounts are for -> their sum. The tax that the marketplace withholds is negative.
    unknown: Amazon's name of an amount of unknown type -> its sum.
    """

    transaction_id: str
    posted_at: datetime
    currency: str
    amounts: Mapping[AmountType, Decimal] = field(default_factory=dict)
    unknown: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What the buyer paid the seller: without the tax that the marketplace withholds."""
        return total((*self.amounts.values(), *self.unknown.values()))

    @property
    def withheld(self) -> Decimal:
        """The tax that the marketplace withholds, as a positive amount."""
        kept = (amount for type_, amount in self.amounts.items() if type_.kind is AmountKind.MARKETPLACE_TAX)
        return -total(kept)


def shipment_charge(transaction: Transaction) -> ShipmentCharge:
    """Return what a Shipment transaction charges the buyer. Raises Failure for what cannot be used."""
    _check(transaction)
    amounts: dict[AmountType, Decimal] = {}
    unknown: dict[str, Decimal] = {}
    for each in transaction.amounts:
        if each.type.kind is AmountKind.UNKNOWN:
            # Amazon's text, which may not even be one that can be stored.
            name = each.leaf.encode("ascii", "backslashreplace").decode()[:_MAX_NAME_LENGTH]
            unknown[name] = unknown.get(name, ZERO) + each.amount
        elif each.type.kind is not AmountKind.FEE:
            amounts[each.type] = amounts.get(each.type, ZERO) + each.amount
    return ShipmentCharge(transaction.transaction_id, transaction.posted_at, transaction.currency, amounts, unknown)


def charged_text(charges: Iterable[ShipmentCharge]) -> str:
    """Return what was charged in each currency; empty without charges."""
    sums: dict[str, Decimal] = {}
    for charge in charges:
        sums[charge.currency] = sums.get(charge.currency, ZERO) + charge.total
    return " and ".join(money_text(amount, currency) for currency, amount in sums.items())


def _check(transaction: Transaction) -> None:
    currency: object = transaction.currency  # as Amazon states it
    if not isinstance(currency, str) or not currency.isascii() or len(currency) != 3:
        raise _malformed(transaction, "totalAmount.currencyCode should be an ISO code and is not")
    too_large = next((each.leaf for each in transaction.amounts if abs(each.amount) >= _LIMIT), "")
    if too_large:
        raise _malformed(transaction, f"{too_large} is too large")


def _malformed(transaction: Transaction, problem: str) -> Failure:
    return Failure(
        FailureCode.TRANSACTION_MALFORMED,
        f"Charge {transaction.transaction_id} does not have the documented shape: {problem}. Check it in Seller "
        "Central (Payments > Transaction View) and compare it with the order's documents in Xero.",
    )
