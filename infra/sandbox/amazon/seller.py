"""A seller's history: the orders, transactions, stock levels and settlements that a sandbox Amazon is loaded with.

A seller folder holds `orders.jsonl` (Orders v2026-01-01 `Order` objects), `transactions.jsonl` (Finances v2024-06-19
`Transaction` objects), `inventory.jsonl` (FBA `InventorySummary` objects, optionally with a `marketplaceId`) and
`settlements/*.txt` (V2 flat files). Each line is one object. Several lines for the same order, transaction or SKU are
its successive versions, in any order: each is valid from the time it carries. A folder without `transactions.jsonl` has
the charges of its shipped orders, which are derived from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.amazon.charges import SELLER_ID, charges_of, orders_by_id
from sandbox.amazon.versions import (
    Kind,
    SellerDataError,
    Version,
    inventory_version,
    order_version,
    read_json,
    transaction_version,
    type_name,
)

# The order of versions with the same time: an order exists before its transactions.
_PRECEDENCE: dict[Kind, int] = {"order": 0, "transaction": 1, "inventory": 2}


@dataclass
class Seller:
    """One seller account with its whole history.

    >>> seller = Seller(orders=[order], transactions=[refund])
    >>> seller = Seller.load(Path("infra/sandbox/seller"))

    settlements: file name -> V2 flat file.
    seller_id: by default the one in the transactions.
    home_marketplace: by default the marketplace of the first order.
    """

    orders: Iterable[Mapping[str, Any]] = ()
    transactions: Iterable[Mapping[str, Any]] = ()
    inventory: Iterable[Mapping[str, Any]] = ()
    settlements: Mapping[str, str] = field(default_factory=dict)
    seller_id: str = ""
    home_marketplace: str = ""

    def __post_init__(self) -> None:
        self._versions: list[Version] = []
        self._marketplaces: set[str] = set()
        for order in self.orders:
            self.put_order(order)
        for transaction in self.transactions:
            self.put_transaction(transaction)
        for summary in self.inventory:
            self.put_inventory(summary)
        # The objects are stored as versions only.
        self.orders = self.transactions = self.inventory = ()

    @classmethod
    def load(cls, folder: Path) -> Seller:
        """Read a seller folder; a missing file is treated as empty.

        Raise SellerDataError with file, line and field, or FileNotFoundError if there is no such folder.
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
                        raise SellerDataError(f"the line holds {type_name(content)}; expected one JSON object")
                    put(content, line.strip())
                except json.JSONDecodeError as problem:
                    raise SellerDataError(f"{folder / name} line {number}: not JSON: {problem}") from None
                except SellerDataError as problem:
                    raise SellerDataError(f"{folder / name} line {number}: {problem}") from None
        if not (folder / "transactions.jsonl").exists():
            seller.derive_charges()
        seller.settlements = {
            path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "settlements").glob("*.txt"))
        }
        return seller

    def put_order(self, order: Mapping[str, Any], text: str | None = None) -> Version:
        """Add one version of an order to the history."""
        version = order_version(order, text)
        if marketplace := order["salesChannel"].get("marketplaceId"):
            self._marketplaces.add(marketplace)
            self.home_marketplace = self.home_marketplace or marketplace
        self._versions.append(version)
        return version

    def put_transaction(self, transaction: Mapping[str, Any], text: str | None = None) -> Version:
        """Add one version of a transaction to the history."""
        version = transaction_version(transaction, text)
        metadata = transaction.get("sellingPartnerMetadata") or {}
        self.seller_id = self.seller_id or metadata.get("sellingPartnerId") or ""
        self._versions.append(version)
        return version

    def put_inventory(self, summary: Mapping[str, Any], text: str | None = None) -> Version:
        """Add one version of a stock level to the history. `text` is ignored, because it may lack the marketplace."""
        version = inventory_version(summary, self.home_marketplace)
        self._versions.append(version)
        return version

    def derive_charges(self) -> None:
        """Add the charges of the shipments in the history of the orders."""
        orders = (version.read() for version in self._versions if version.kind == "order")
        for versions in orders_by_id(orders).values():
            for charge in charges_of(versions, self.seller_id or SELLER_ID):
                self.put_transaction(charge)

    def history(self) -> list[Version]:
        """Return every version, oldest first; versions with the same time keep the order in which they were added."""
        return sorted(self._versions, key=lambda version: (version.at, _PRECEDENCE[version.kind]))

    def marketplaces(self) -> list[str]:
        """Return the ids of the marketplaces in which the seller has orders."""
        return sorted(self._marketplaces)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line
