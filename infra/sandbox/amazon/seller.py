"""A seller: the orders, transactions, stock and settlements that a sandbox Amazon is loaded with.

A seller folder holds `orders.jsonl` (Orders v2026-01-01 `Order` objects), `transactions.jsonl` (Finances v2024-06-19
`Transaction` objects), `inventory.jsonl` (FBA `InventorySummary` objects; one may also say its `marketplaceId`) and
`settlements/*.txt` (V2 flat files). One object a line. Several lines about the same order, transaction or SKU are its
successive versions, in any order: a version counts from the time it carries.

Every version is kept as JSON text: a hundred thousand orders fit in memory, nobody can change one behind the sandbox's
back, and amounts leave with exactly the digits they came with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from sandbox.amazon.marketplaces import MARKETPLACES
from sandbox.wire import dumps

Kind = Literal["order", "transaction", "inventory"]
# What happens at the same moment happens in this order: an order exists before money moves for it.
_SAME_MOMENT: dict[Kind, int] = {"order": 0, "transaction": 1, "inventory": 2}
_AMOUNT = re.compile(r"-?\d+(\.\d+)?")


class SellerDataError(ValueError):
    """Something in a seller's data is missing or of the wrong kind; says where, what, and what is expected."""


@dataclass(frozen=True, slots=True)
class Version:
    """What Amazon says about one order, transaction or SKU from the moment `at` (UTC) on, as JSON text."""

    kind: Kind
    key: str
    at: datetime
    text: str

    def read(self) -> dict[str, Any]:
        content: dict[str, Any] = read_json(self.text)
        return content


def read_json(text: str | bytes) -> Any:
    """JSON with its numbers as they are written: integers as int, all others as Decimal."""
    return json.loads(text, parse_float=Decimal)


def moment(text: str) -> datetime:
    """An ISO 8601 time with a time zone, in UTC. Raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)


def order_version(order: Mapping[str, Any], text: str | None = None) -> Version:
    """Checks an Order as far as the sandbox relies on it; `text` is its JSON where that is at hand already.

    Raises SellerDataError naming the field.
    """
    key = _text(order, "orderId")
    _moment(order, "createdTime")
    at = _moment(order, "lastUpdatedTime")
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
        _whole(item, "quantityOrdered", where)
        _object(item, "product", where)
    _check_money(order)
    return Version("order", key, at, text or dumps(order))


def transaction_version(transaction: Mapping[str, Any], text: str | None = None) -> Version:
    """Checks a Transaction. A deferred one that was released counts from its maturity date, the others from posting.

    Raises SellerDataError naming the field.
    """
    key = _text(transaction, "transactionId")
    _text(transaction, "transactionType")
    at = _moment(transaction, "postedDate")
    _check_currency(transaction)
    total = _object(transaction, "totalAmount")
    if "currencyAmount" not in total:
        raise SellerDataError("totalAmount.currencyAmount is missing; expected a JSON number")
    if transaction.get("transactionStatus") == "DEFERRED_RELEASED":
        for context in transaction.get("contexts") or []:
            if context.get("contextType") == "DeferredContext" and context.get("maturityDate"):
                at = max(at, _moment(context, "maturityDate", "contexts[]."))
    return Version("transaction", key, at, text or dumps(transaction))


def inventory_version(summary: Mapping[str, Any], home_marketplace: str) -> Version:
    """Checks an InventorySummary; one that does not say its marketplace is the home marketplace's.

    Raises SellerDataError naming the field.
    """
    sku = _text(summary, "sellerSku")
    at = _moment(summary, "lastUpdatedTime")
    _whole(_object(summary, "inventoryDetails"), "fulfillableQuantity", "inventoryDetails.")
    marketplace = summary.get("marketplaceId") or home_marketplace
    return Version("inventory", f"{marketplace}/{sku}", at, dumps({**summary, "marketplaceId": marketplace}))


@dataclass
class Seller:
    """One seller account with its whole history.

    >>> seller = Seller(orders=[order], transactions=[refund])
    >>> seller = Seller.load(Path("infra/sandbox/seller"))
    """

    orders: Iterable[Mapping[str, Any]] = ()
    transactions: Iterable[Mapping[str, Any]] = ()
    inventory: Iterable[Mapping[str, Any]] = ()
    settlements: Mapping[str, str] = field(default_factory=dict)  # file name -> V2 flat file
    seller_id: str = ""  # from the transactions when empty
    home_marketplace: str = ""  # the marketplace of the first order when empty

    def __post_init__(self) -> None:
        self._versions: list[Version] = []
        self._marketplaces: set[str] = set()
        for order in self.orders:
            self.put_order(order)
        for transaction in self.transactions:
            self.put_transaction(transaction)
        for summary in self.inventory:
            self.put_inventory(summary)
        # What was given lives on as versions only.
        self.orders = self.transactions = self.inventory = ()

    @classmethod
    def load(cls, folder: Path) -> Seller:
        """Reads a seller folder; a file that is not there counts as empty.

        Raises SellerDataError naming file, line and field, and FileNotFoundError when there is no such folder.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no seller folder {folder}; expected a folder with orders.jsonl")
        seller = cls()
        for name, put in (
            ("orders.jsonl", seller.put_order),
            ("transactions.jsonl", seller.put_transaction),
            ("inventory.jsonl", seller.put_inventory),
        ):
            for number, line in _lines(folder / name):
                try:
                    content = read_json(line)
                    if not isinstance(content, dict):
                        raise SellerDataError(f"the line holds {_kind(content)}; expected one JSON object")
                    put(content, line.strip())
                except json.JSONDecodeError as problem:
                    raise SellerDataError(f"{folder / name} line {number}: not JSON: {problem}") from None
                except SellerDataError as problem:
                    raise SellerDataError(f"{folder / name} line {number}: {problem}") from None
        seller.settlements = {
            path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "settlements").glob("*.txt"))
        }
        return seller

    def put_order(self, order: Mapping[str, Any], text: str | None = None) -> Version:
        """Adds one version of an order to the history."""
        version = order_version(order, text)
        if marketplace := order["salesChannel"].get("marketplaceId"):
            self._marketplaces.add(marketplace)
            self.home_marketplace = self.home_marketplace or marketplace
        self._versions.append(version)
        return version

    def put_transaction(self, transaction: Mapping[str, Any], text: str | None = None) -> Version:
        """Adds one version of a transaction to the history."""
        version = transaction_version(transaction, text)
        metadata = transaction.get("sellingPartnerMetadata") or {}
        self.seller_id = self.seller_id or metadata.get("sellingPartnerId") or ""
        self._versions.append(version)
        return version

    def put_inventory(self, summary: Mapping[str, Any], text: str | None = None) -> Version:
        """Adds one version of a SKU's stock to the history; `text` is not used, the marketplace is added to it."""
        version = inventory_version(summary, self.home_marketplace)
        self._versions.append(version)
        return version

    def history(self) -> list[Version]:
        """Every version, oldest first; what carries the same time keeps the order in which it was added."""
        return sorted(self._versions, key=lambda version: (version.at, _SAME_MOMENT[version.kind]))

    def marketplaces(self) -> list[str]:
        """Ids of the marketplaces the seller has orders in."""
        return sorted(self._marketplaces)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def _text(content: Mapping[str, Any], name: str, where: str = "") -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise SellerDataError(f"{where}{name} is {_found(content, name)}; expected a text")
    return value


def _moment(content: Mapping[str, Any], name: str, where: str = "") -> datetime:
    try:
        return moment(_text(content, name, where))
    except ValueError as problem:
        if isinstance(problem, SellerDataError):
            raise
        raise SellerDataError(
            f"{where}{name} is not a time; expected ISO 8601 with a time zone such as 2026-11-01T09:30:00Z"
        ) from None


def _whole(content: Mapping[str, Any], name: str, where: str) -> None:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SellerDataError(f"{where}{name} is {_found(content, name)}; expected a whole number")


def _object(content: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = content.get(name)
    if not isinstance(value, Mapping):
        raise SellerDataError(f"{where}{name} is {_found(content, name)}; expected an object")
    return value


def _objects(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = content.get(name)
    if not isinstance(value, list) or not all(isinstance(element, Mapping) for element in value):
        raise SellerDataError(f"{name} is {_found(content, name)}; expected a list of objects")
    return value


def _found(content: Mapping[str, Any], name: str) -> str:
    if name not in content:
        return "missing"
    return "empty" if content[name] == "" else _kind(content[name])


def _check_money(content: Any) -> None:
    """Orders API: `Money.amount` is a decimal in a text, never a JSON number."""
    found = _first(content, _bad_money)
    if found is not None:
        where, money = found
        amount = money["amount"]
        kind = "no decimal" if isinstance(amount, str) and amount else _found(money, "amount")
        raise SellerDataError(f'{where}amount is {kind}; expected a decimal in a text such as "12.50"')


def _check_currency(content: Any) -> None:
    """Finances API: `Currency.currencyAmount` is a JSON number; as a float it would no longer be exact."""
    found = _first(content, _bad_currency)
    if found is not None:
        where, currency = found
        amount = currency["currencyAmount"]
        kind = "a float" if isinstance(amount, float) else _found(currency, "currencyAmount")
        raise SellerDataError(f"{where}currencyAmount is {kind}; expected a JSON number (Decimal in Python)")


def _bad_money(content: Mapping[str, Any]) -> bool:
    if "amount" not in content or "currencyCode" not in content:
        return False
    amount = content["amount"]
    return not isinstance(amount, str) or not _AMOUNT.fullmatch(amount)


def _bad_currency(content: Mapping[str, Any]) -> bool:
    if "currencyAmount" not in content:
        return False
    amount = content["currencyAmount"]
    return not isinstance(amount, (int, Decimal)) or isinstance(amount, bool)


def _first(content: Any, bad: Callable[[Mapping[str, Any]], bool]) -> tuple[str, Mapping[str, Any]] | None:
    """The first bad object in a document and where it is (`proceeds.grandTotal.`).

    Runs over every order of a large seller, so the way to the object is only put together once there is one.
    """
    if isinstance(content, dict):
        if bad(content):
            return "", content
        for name, value in content.items():
            if isinstance(value, (dict, list)) and (found := _first(value, bad)):
                where, culprit = found
                return f"{name}{'' if where.startswith('[') else '.'}{where}", culprit
    elif isinstance(content, list):
        for index, element in enumerate(content):
            if isinstance(element, (dict, list)) and (found := _first(element, bad)):
                where, culprit = found
                return f"[{index}]{'' if where.startswith('[') else '.'}{where}", culprit
    return None
