"""Versions of orders, transactions and stock levels, with the checks of the fields the sandbox relies on.

A version is stored as JSON text: a hundred thousand orders fit in memory, no caller can change a stored one, and
amounts are returned with exactly the digits in which they were loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sandbox.amazon.marketplaces import MARKETPLACES
from sandbox.amazon.times import parse_time
from sandbox.wire import dumps

Kind = Literal["order", "transaction", "inventory"]
_AMOUNT = re.compile(r"-?\d+(\.\d+)?")


class SellerDataError(ValueError):
    """A field of a seller's data is missing or of the wrong type. The message names the field and what is expected."""


@dataclass(frozen=True, slots=True)
class Version:
    """The state of one order, transaction or SKU from the time `at` (UTC) on, as JSON text."""

    kind: Kind
    key: str
    at: datetime
    text: str

    def read(self) -> dict[str, Any]:
        content: dict[str, Any] = read_json(self.text)
        return content


def read_json(text: str | bytes) -> Any:
    """Parse JSON with exact numbers: integers as int, all others as Decimal."""
    return json.loads(text, parse_float=Decimal)


def order_version(order: Mapping[str, Any], text: str | None = None) -> Version:
    """Return the version of an Order object. Raise SellerDataError for an invalid field.

    text: the order's JSON, if the caller already has it.
    """
    key = _text(order, "orderId")
    _time(order, "createdTime")
    at = _time(order, "lastUpdatedTime")
    channel = _object(order, "salesChannel")
    _text(channel, "channelName", "salesChannel.")
    if channel.get("marketplaceId") and channel["marketplaceId"] not in MARKETPLACES:
        raise SellerDataError(
            "salesChannel.marketplaceId is not one of Amazon's; expected a marketplace id such as A1F83G8C2ARO7P"
        )
    _text(_object(order, "fulfillment"), "fulfillmentStatus", "fulfillment.")
    for index, item in enumerate(_objects(order, "orderItems")):
        where = f"orderItems[{index}]."
        _text(item, "orderItemId", where)
        _integer(item, "quantityOrdered", where)
        _object(item, "product", where)
    _check_money(order)
    return Version("order", key, at, text or dumps(order))


def transaction_version(transaction: Mapping[str, Any], text: str | None = None) -> Version:
    """Return the version of a Transaction object. Raise SellerDataError for an invalid field.

    Its time is the posting date; for a deferred transaction that has been released, the maturity date.
    """
    key = _text(transaction, "transactionId")
    _text(transaction, "transactionType")
    at = _time(transaction, "postedDate")
    _check_currency(transaction)
    total = _object(transaction, "totalAmount")
    if "currencyAmount" not in total:
        raise SellerDataError("totalAmount.currencyAmount is missing; expected a JSON number")
    if transaction.get("transactionStatus") == "DEFERRED_RELEASED":
        for context in transaction.get("contexts") or []:
            if context.get("contextType") == "DeferredContext" and context.get("maturityDate"):
                at = max(at, _time(context, "maturityDate", "contexts[]."))
    return Version("transaction", key, at, text or dumps(transaction))


def inventory_version(summary: Mapping[str, Any], home_marketplace: str) -> Version:
    """Return the version of an InventorySummary object. Raise SellerDataError for an invalid field.

    home_marketplace: the marketplace of a summary without a marketplaceId.
    """
    sku = _text(summary, "sellerSku")
    at = _time(summary, "lastUpdatedTime")
    _integer(_object(summary, "inventoryDetails"), "fulfillableQuantity", "inventoryDetails.")
    marketplace = summary.get("marketplaceId") or home_marketplace
    return Version("inventory", f"{marketplace}/{sku}", at, dumps({**summary, "marketplaceId": marketplace}))


def _text(content: Mapping[str, Any], name: str, where: str = "") -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise SellerDataError(f"{where}{name} is {_description(content, name)}; expected a string")
    return value


def _time(content: Mapping[str, Any], name: str, where: str = "") -> datetime:
    try:
        return parse_time(_text(content, name, where))
    except ValueError as problem:
        if isinstance(problem, SellerDataError):
            raise
        raise SellerDataError(
            f"{where}{name} is not a time; expected ISO 8601 with a time zone such as 2026-11-01T09:30:00Z"
        ) from None


def _integer(content: Mapping[str, Any], name: str, where: str) -> None:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SellerDataError(f"{where}{name} is {_description(content, name)}; expected a whole number")


def _object(content: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = content.get(name)
    if not isinstance(value, Mapping):
        raise SellerDataError(f"{where}{name} is {_description(content, name)}; expected an object")
    return value


def _objects(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = content.get(name)
    if not isinstance(value, list) or not all(isinstance(element, Mapping) for element in value):
        raise SellerDataError(f"{name} is {_description(content, name)}; expected a list of objects")
    return value


def _description(content: Mapping[str, Any], name: str) -> str:
    if name not in content:
        return "missing"
    return "empty" if content[name] == "" else type_name(content[name])


def type_name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _check_money(content: Any) -> None:
    """Orders API: `Money.amount` is a decimal in a string, never a JSON number."""
    found = _first_match(content, _is_invalid_money)
    if found is not None:
        where, money = found
        amount = money["amount"]
        problem = "not a decimal" if isinstance(amount, str) and amount else _description(money, "amount")
        raise SellerDataError(f'{where}amount is {problem}; expected a decimal in a string such as "12.50"')


def _check_currency(content: Any) -> None:
    """Finances API: `Currency.currencyAmount` is a JSON number. A float would not be exact."""
    found = _first_match(content, _is_invalid_currency)
    if found is not None:
        where, currency = found
        amount = currency["currencyAmount"]
        problem = "a float" if isinstance(amount, float) else _description(currency, "currencyAmount")
        raise SellerDataError(f"{where}currencyAmount is {problem}; expected a JSON number (Decimal in Python)")


def _is_invalid_money(content: Mapping[str, Any]) -> bool:
    if "amount" not in content or "currencyCode" not in content:
        return False
    amount = content["amount"]
    return not isinstance(amount, str) or not _AMOUNT.fullmatch(amount)


def _is_invalid_currency(content: Mapping[str, Any]) -> bool:
    if "currencyAmount" not in content:
        return False
    amount = content["currencyAmount"]
    return not isinstance(amount, (int, Decimal)) or isinstance(amount, bool)


def _first_match(content: Any, is_invalid: Callable[[Mapping[str, Any]], bool]) -> tuple[str, Mapping[str, Any]] | None:
    """Return the first invalid object in a document and its path (`proceeds.grandTotal.`).

    It visits every order of a large seller. The path is therefore built only once an object has been found.
    """
    if isinstance(content, dict):
        if is_invalid(content):
            return "", content
        for name, value in content.items():
            if isinstance(value, (dict, list)) and (found := _first_match(value, is_invalid)):
                where, invalid = found
                return f"{name}{'' if where.startswith('[') else '.'}{where}", invalid
    elif isinstance(content, list):
        for index, element in enumerate(content):
            if isinstance(element, (dict, list)) and (found := _first_match(element, is_invalid)):
                where, invalid = found
                return f"[{index}]{'' if where.startswith('[') else '.'}{where}", invalid
    return None
