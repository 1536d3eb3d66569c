"""What a refund gives back to the buyer, by item and charge.

The value of a refund is what the buyer got, not what the transaction changes of the seller's balance: Amazon's fees are
no part of it. Tax that the marketplace collected was no part of the sale and is none of the refund.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.amazon.transaction import ItemAmount, Transaction
from amazon_to_xero.domain.amazon.transaction_header import is_refund
from amazon_to_xero.domain.amazon.transaction_types import is_about_a_refund
from amazon_to_xero.domain.failures import Failure, FailureCode, Finding, NotBookedReason
from amazon_to_xero.domain.money import ZERO, total

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
    """

    parts: tuple[RefundPart, ...]
    value: Decimal
    findings: tuple[Finding, ...] = ()
    withheld: Mapping[str, Decimal] = field(default_factory=dict)


def refund_of(transaction: Transaction, suspense_account: str) -> Refund | NotBookedReason:
    """Return what the transaction gives back to the buyer, or the rule by which it has no credit note.

    Raises Failure for what needs a person: another type of transaction that moves money, money that the buyer paid,
    tax that differs from what the marketplace withholds, and an unknown type of amount without a suspense account.
    """
    if not is_refund(transaction.type):
        return _not_a_refund(transaction)
    withheld = {sku: _withheld(transaction, sku, amounts) for sku, amounts in _by_sku(transaction).items()}
    parts = _parts(transaction, withheld)
    value = total(part.gross for part in parts)
    if not any(part.gross for part in parts):
        return NotBookedReason.NOTHING_REFUNDED
    if value <= 0:
        raise Failure(
            FailureCode.REFUND_REVERSED,
            f"Transaction {transaction.transaction_id} gives {value} {transaction.currency} to the buyer, so it is not "
            "a refund. Enter it in Xero manually.",
        )
    return Refund(parts, value, _findings(transaction, suspense_account), withheld)


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


def _parts(transaction: Transaction, withheld: Mapping[str, Decimal]) -> tuple[RefundPart, ...]:
    """Add up the buyer's amounts by item and charge. Amazon states what the seller gives back as negative."""
    parts: dict[tuple[str, AmountKind], RefundPart] = {}
    for sku, amounts in _by_sku(transaction).items():
        for each in amounts:
            if each.type.kind in (AmountKind.FEE, AmountKind.MARKETPLACE_TAX) or (each.type.is_tax and withheld[sku]):
                continue
            held = parts.get((sku, each.type.kind), RefundPart(sku, each.type.kind, ZERO, ZERO))
            net, tax = (ZERO, -each.amount) if each.type.is_tax else (-each.amount, ZERO)
            parts[sku, each.type.kind] = RefundPart(sku, held.kind, held.net + net, held.tax + tax)
    return tuple(part for part in parts.values() if part.net or part.tax)


def _by_sku(transaction: Transaction) -> dict[str, list[ItemAmount]]:
    by_sku: dict[str, list[ItemAmount]] = {}
    for each in transaction.amounts:
        by_sku.setdefault(each.sku, []).append(each)
    return by_sku


def _withheld(transaction: Transaction, sku: str, amounts: Sequence[ItemAmount]) -> Decimal:
    """Return what the marketplace gives back of the tax that it collected on an item: it nets with the buyer's tax."""
    withheld = total(each.amount for each in amounts if each.type.kind is AmountKind.MARKETPLACE_TAX)
    is_buyers_tax = [each for each in amounts if each.type.is_tax and each.type.kind is not AmountKind.MARKETPLACE_TAX]
    tax = total(each.amount for each in is_buyers_tax)
    if withheld and withheld + tax:
        raise Failure(
            FailureCode.MARKETPLACE_TAX_DIFFERS,
            f"Transaction {transaction.transaction_id}{f', SKU {sku}' if sku else ''}: the buyer got {-tax} "
            f"{transaction.currency} tax back, the marketplace withholds {withheld} {transaction.currency}. "
            "Compare the transaction in Seller Central and enter the refund in Xero manually.",
        )
    return withheld


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
