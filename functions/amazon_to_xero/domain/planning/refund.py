"""What a refund gives back to the buyer, by item and charge.

The value of a refund is what the buyer got, not what the transaction changes of the seller's balance: Amazon's fees are
no part of it. Tax that the marketplace collected was no part of the sale and is none of the refund.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.amazon.transaction import ItemAmount, Transaction
from amazon_to_xero.domain.amazon.transaction_header import is_refund
from amazon_to_xero.domain.amazon.transaction_types import is_about_a_refund
from amazon_to_xero.domain.failures import Failure, FailureCode, Finding, NotBookedReason
from amazon_to_xero.domain.money import ZERO, smallest_unit, total
from amazon_to_xero.domain.planning.proportions import shared

# What an amount is for where a buyer pays or gets it, also where Amazon states it under a type that is not known.
_OF_BUYER = frozenset(AmountKind) - {AmountKind.FEE, AmountKind.MARKETPLACE_TAX, AmountKind.UNKNOWN}


@dataclass(frozen=True)
class RefundPart:
    """What the buyer got back for one charge of one item; negative for what reduces the refund, e.g. a discount.

    sku: the seller's SKU; empty where Amazon names none: then it belongs to the whole order.
    kind: what it is for; UNKNOWN for amounts that go to the suspense account.
    net: without tax.
    tax: the seller's tax on it, as Amazon states it.
    """

    sku: str
    kind: AmountKind
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True)
class Refund:
    """What a refund transaction gives back, in the transaction's currency.

    value: what the buyer got back in all, without tax that the marketplace collected; above zero.
    findings: amounts of unknown type in it.
    withheld: SKU, or empty -> the tax that the marketplace gives back itself, for which no part has a tax.
    withheld_in_part: the same where the seller gives back another part, which the parts have by their stated taxes.
        The refund's value is right only if the sale's rates explain that; see `refund_liability.check_split`.
    """

    parts: tuple[RefundPart, ...]
    value: Decimal
    findings: tuple[Finding, ...] = ()
    withheld: Mapping[str, Decimal] = field(default_factory=dict)
    withheld_in_part: Mapping[str, Decimal] = field(default_factory=dict)


def refund_of(transaction: Transaction, suspense_account: str) -> Refund | NotBookedReason:
    """Return what the transaction gives back to the buyer, or the rule by which it has no credit note.

    Raises Failure for what needs a person: another type of transaction that moves money, money that the buyer paid,
    tax that differs from what the marketplace withholds, and an unknown type of amount without a suspense account.
    """
    if not is_refund(transaction.type):
        return _not_a_refund(transaction)
    taxes = {sku: _taxes(transaction, sku, amounts) for sku, amounts in _by_sku(transaction).items()}
    withheld = {sku: each.withheld for sku, each in taxes.items() if not each.is_split}
    parts = _parts(transaction, taxes)
    value = total(part.gross for part in parts)
    if not any(part.gross for part in parts):
        return NotBookedReason.NOTHING_REFUNDED
    if value <= 0:
        raise Failure(
            FailureCode.REFUND_REVERSED,
            f"Transaction {transaction.transaction_id} gives {value} {transaction.currency} to the buyer, so it is not "
            "a refund. Enter it in Xero manually.",
        )
    in_part = {sku: each.withheld for sku, each in taxes.items() if each.is_split}
    return Refund(parts, value, _findings(transaction, suspense_account), withheld, in_part)


def _not_a_refund(transaction: Transaction) -> NotBookedReason:
    """Return why it has no document. Raises Failure for money of a buyer: whose it is, only a person can say."""
    is_about_a_refund = _is_about_a_refund(transaction)
    is_of_buyer = bool(transaction.order_id) and any(each.type.kind in _OF_BUYER for each in transaction.amounts)
    if transaction.total and (is_about_a_refund or is_of_buyer):
        raise Failure(
            FailureCode.TRANSACTION_TYPE_UNKNOWN,
            f"Transaction {transaction.transaction_id} of type {transaction.type or '(none)'} moves "
            f"{transaction.total} {transaction.currency} and is not a refund. Enter it in Xero manually.",
        )
    return NotBookedReason.NOT_A_REFUND if is_about_a_refund else NotBookedReason.TYPE_UNKNOWN


def _is_about_a_refund(transaction: Transaction) -> bool:
    return any(is_about_a_refund(name) for name in (transaction.type, *(each.leaf for each in transaction.amounts)))


@dataclass(frozen=True)
class _Taxes:
    """The tax that the buyer got back on an item, and what of it the marketplace gives back; both positive."""

    given_back: Decimal
    withheld: Decimal

    @property
    def is_split(self) -> bool:
        """Whether the seller gives back a part of it, and the marketplace another one."""
        return ZERO < self.withheld < self.given_back

    @property
    def is_sellers(self) -> bool:
        return not self.withheld or self.is_split


def _parts(transaction: Transaction, taxes: Mapping[str, _Taxes]) -> tuple[RefundPart, ...]:
    """Add up the buyer's amounts by item and charge. Amazon states what the seller gives back as negative."""
    parts: dict[tuple[str, AmountKind], RefundPart] = {}
    for sku, amounts in _by_sku(transaction).items():
        for each in amounts:
            is_fee_or_withheld = each.type.kind in (AmountKind.FEE, AmountKind.MARKETPLACE_TAX)
            if is_fee_or_withheld or (each.type.is_tax and not taxes[sku].is_sellers):
                continue
            held = parts.get((sku, each.type.kind), RefundPart(sku, each.type.kind, ZERO, ZERO))
            net, tax = (ZERO, -each.amount) if each.type.is_tax else (-each.amount, ZERO)
            parts[sku, each.type.kind] = RefundPart(sku, held.kind, held.net + net, held.tax + tax)
    made = [part for sku, each in taxes.items() for part in _less_withheld(sku, each, parts.values(), transaction)]
    return tuple(part for part in made if part.net or part.tax)


def _less_withheld(sku: str, taxes: _Taxes, parts: Iterable[RefundPart], transaction: Transaction) -> list[RefundPart]:
    """Return an item's parts; of a tax that is split, each has its share of what the seller gives back."""
    of_item = [part for part in parts if part.sku == sku]
    if not taxes.is_split:
        return of_item
    weights, unit = [part.tax for part in of_item], smallest_unit(transaction.currency)
    shares = shared(taxes.given_back - taxes.withheld, weights, unit)
    return [replace(part, tax=share) for part, share in zip(of_item, shares, strict=True)]


def _by_sku(transaction: Transaction) -> dict[str, list[ItemAmount]]:
    by_sku: dict[str, list[ItemAmount]] = {}
    for each in transaction.amounts:
        by_sku.setdefault(each.sku, []).append(each)
    return by_sku


def _taxes(transaction: Transaction, sku: str, amounts: Sequence[ItemAmount]) -> _Taxes:
    """Return the tax on an item, and what of it the marketplace gives back: all of it, a part, or nothing."""
    withheld = total(each.amount for each in amounts if each.type.kind is AmountKind.MARKETPLACE_TAX)
    is_buyers_tax = [each for each in amounts if each.type.is_tax and each.type.kind is not AmountKind.MARKETPLACE_TAX]
    tax = total(each.amount for each in is_buyers_tax)
    taxes = _Taxes(-tax, withheld)
    if withheld and withheld + tax and not taxes.is_split:
        raise Failure(
            FailureCode.MARKETPLACE_TAX_DIFFERS,
            f"Transaction {transaction.transaction_id}{f', SKU {sku}' if sku else ''}: the buyer got {-tax} "
            f"{transaction.currency} tax back, the marketplace withholds {withheld} {transaction.currency}. "
            "Compare the transaction in Seller Central and enter the refund in Xero manually.",
        )
    return taxes


def _findings(transaction: Transaction, suspense_account: str) -> tuple[Finding, ...]:
    unknown = [each for each in transaction.amounts if each.type.kind is AmountKind.UNKNOWN]
    if not unknown:
        return ()
    named = ", ".join(f"{each.leaf} of {-each.amount} {transaction.currency}" for each in unknown)
    if not suspense_account:
        raise Failure(
            FailureCode.CHARGE_TYPE_UNKNOWN,
            f"Transaction {transaction.transaction_id} has amounts of unknown type: {named}. Set accounts.suspense in "
            "the connection's settings to have them entered there, then reprocess the transaction; or enter the refund "
            "in Xero manually.",
        )
    remedy = f"Move what was entered on account {suspense_account} to the right account in Xero: {named}."
    return (Finding(FailureCode.CHARGE_TYPE_SUSPENDED, remedy),)
