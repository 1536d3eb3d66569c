"""A finance transaction as Amazon states it, with amounts that add up (Amazon: Finances API v2024-06-19, Transaction).

Only amounts without parts of their own are taken: what they are parts of are their sums, and adding both would count
them twice. What an amount is booked as is not decided here; see `domain.planning.refund`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.charge_types import UNKNOWN_TYPE, AmountType, amount_type
from amazon_to_xero.domain.amazon.transaction_header import TransactionHeader, manual_remedy, transaction_header
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, InvalidAmount, amount, total


@dataclass(frozen=True)
class ItemAmount:
    """One amount of a transaction: negative where the seller pays.

    sku: the seller's SKU of the item; empty where Amazon names none.
    leaf: Amazon's breakdownType.
    amount: in the transaction's currency.
    type: what it is.
    """

    sku: str
    leaf: str
    amount: Decimal
    type: AmountType = UNKNOWN_TYPE


@dataclass(frozen=True)
class Transaction:
    """A transaction of Amazon's Finances API.

    transaction_id, type, status, posted_at, order_id: see TransactionHeader.
    marketplace_id: Amazon's id of the marketplace; empty where Amazon gives none.
    currency: ISO code of all its amounts.
    total: what it changes of the seller's balance with Amazon: also fees, and therefore not what the buyer got.
    amounts: the amounts that the total consists of.
    """

    transaction_id: str
    type: str
    status: str
    posted_at: datetime
    order_id: str
    marketplace_id: str
    currency: str
    total: Decimal
    amounts: tuple[ItemAmount, ...]


def parse_transaction(raw: Mapping[str, Any]) -> Transaction:
    """Return the transaction in Amazon's object.

    Raises Failure with TRANSACTION_MALFORMED, MIXED_CURRENCIES, or TRANSACTION_TOTAL_DIFFERS where amounts do not add
    up to what Amazon states.
    """
    header = transaction_header(raw)
    try:
        return _read_transaction(header, raw)
    except InvalidAmount as problem:
        raise _malformed(header, str(problem)) from None
    except KeyError as problem:
        raise _malformed(header, f"{problem} is missing") from None
    except (TypeError, AttributeError):
        raise _malformed(header, "a field has another type than documented") from None


def _read_transaction(header: TransactionHeader, raw: Mapping[str, Any]) -> Transaction:
    stated = raw.get("totalAmount") or {}
    currency, total_amount = stated["currencyCode"], amount(stated["currencyAmount"], "totalAmount")
    marketplace = (raw.get("marketplaceDetails") or {}).get("marketplaceId")
    seller = (raw.get("sellingPartnerMetadata") or {}).get("marketplaceId")
    amounts = _amounts(header, raw, currency)
    if total(each.amount for each in amounts) != total_amount:
        raise _differs(
            header,
            f"its amounts add up to {total(each.amount for each in amounts)} {currency}, "
            f"Amazon's total is {total_amount} {currency}",
        )
    return Transaction(
        header.transaction_id,
        header.type,
        header.status,
        header.posted_at,
        header.order_id,
        marketplace or seller or "",
        currency,
        total_amount,
        amounts,
    )


def _amounts(header: TransactionHeader, raw: Mapping[str, Any], currency: str) -> tuple[ItemAmount, ...]:
    """Return the items' amounts and those that belong to no item; all without an item where Amazon leaves out some."""
    items = raw.get("items") or ()
    own = tuple(_leaves(header, "", raw.get("breakdowns"), currency))
    of_items = tuple(each for item in items for each in _leaves(header, _sku(item), item.get("breakdowns"), currency))
    is_complete = bool(of_items) and all(item.get("breakdowns") or _is_stated_as_nothing(item) for item in items)
    if not is_complete:
        return own
    of_order = _stated_only_for_the_order(own, {each.leaf for each in of_items})
    if own:
        _check_equal(header, _by_leaf((*of_items, *of_order)), _by_leaf(own), currency)
    return (*of_items, *of_order)


def _stated_only_for_the_order(own: Iterable[ItemAmount], of_items: Collection[str]) -> tuple[ItemAmount, ...]:
    """Return the amounts that belong to no item, for example a fee for the transport of the whole order."""
    return tuple(each for each in own if each.leaf not in of_items)


def _check_equal(
    header: TransactionHeader, of_items: Mapping[str, Decimal], own: Mapping[str, Decimal], currency: str
) -> None:
    for leaf in sorted(of_items.keys() | own.keys()):
        item_sum, own_sum = of_items.get(leaf, ZERO), own.get(leaf, ZERO)
        if item_sum != own_sum:
            raise _differs(
                header, f"{leaf} is {item_sum} {currency} in its items and {own_sum} {currency} in the transaction"
            )


def _by_leaf(amounts: Iterable[ItemAmount]) -> Mapping[str, Decimal]:
    by_leaf: dict[str, Decimal] = {}
    for each in amounts:
        by_leaf[each.leaf] = by_leaf.get(each.leaf, ZERO) + each.amount
    return by_leaf


def _leaves(
    header: TransactionHeader,
    sku: str,
    breakdowns: Iterable[Mapping[str, Any]] | None,
    currency: str,
    parents: tuple[str, ...] = (),
) -> Iterator[ItemAmount]:
    """Yield the amounts without parts of their own; a part without an amount counts as nothing."""
    for breakdown in breakdowns or ():
        name = breakdown.get("breakdownType") or "(no breakdownType)"
        if breakdown.get("breakdowns"):
            yield from _leaves(header, sku, breakdown["breakdowns"], currency, (*parents, name))
            continue
        stated = breakdown.get("breakdownAmount") or {}
        if stated.get("currencyAmount") is None:
            continue
        value = amount(stated["currencyAmount"], name)
        if value and stated.get("currencyCode") not in (None, currency):
            raise Failure(
                FailureCode.MIXED_CURRENCIES,
                f"Transaction {header.transaction_id} has amounts in {currency} and {stated['currencyCode']}. "
                f"{_compare(header)}",
            )
        if value:
            yield ItemAmount(sku, name, value, amount_type(name, parents))


def _sku(item: Mapping[str, Any]) -> str:
    contexts = (context.get("sku") for context in item.get("contexts") or ())
    return next((sku for sku in contexts if sku), "")


def _is_stated_as_nothing(item: Mapping[str, Any]) -> bool:
    stated = (item.get("totalAmount") or {}).get("currencyAmount")
    return stated is not None and not amount(stated, "items.totalAmount")


def _differs(header: TransactionHeader, finding: str) -> Failure:
    code = FailureCode.TRANSACTION_TOTAL_DIFFERS
    return Failure(code, f"Transaction {header.transaction_id}: {finding}. {_compare(header)}")


def _malformed(header: TransactionHeader, problem: str) -> Failure:
    code = FailureCode.TRANSACTION_MALFORMED
    return Failure(
        code, f"Transaction {header.transaction_id} does not have the documented shape: {problem}. {_compare(header)}"
    )


def _compare(header: TransactionHeader) -> str:
    remedy = manual_remedy(header.type)
    return f"Check the transaction in Seller Central (Payments > Transaction View) and {remedy}."
