"""What the sandbox Amazon refuses, and which fields it leaves out, as public reports describe of the real one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sandbox.amazon.errors import access_denied, invalid_input


@dataclass
class Refusals:
    """Conditions that stay until they are changed.

    operations: names of operations that are answered with 403 (selling-partner-api-models #5295).
    marketplaces: searchOrders is answered with 403 where it covers one of them (#5319); getOrder is not.
    orders: ids of orders that getOrder answers with 403 (#2366).
    page_tokens: searchOrders answers 400 to every page token (#2576).
    left_out: optional fields that searchOrders and getOrder leave out: of the page, of an order, or of an item.
    """

    operations: list[str] = field(default_factory=list)
    marketplaces: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    page_tokens: bool = False
    left_out: list[str] = field(default_factory=list)

    def check(self, operation: str, arguments: Collection[str]) -> None:
        """Raise the 403 of a refused operation or order."""
        if operation in self.operations or (operation == "getOrder" and set(arguments) & set(self.orders)):
            raise access_denied()

    def check_search(self, marketplaces: Collection[str], page_token: str | None) -> None:
        """Raise the 403 of a search that covers a refused marketplace, or the 400 of a refused page token."""
        if set(marketplaces) & set(self.marketplaces):
            raise access_denied()
        if page_token and self.page_tokens:
            raise invalid_input("paginationToken is invalid.")

    def without_left_out(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of searchOrders or getOrder without the fields that are left out."""
        if not self.left_out:
            return answer
        kept = self._kept(answer)
        orders = [self._order(order) for order in kept.get("orders") or ()]
        if "orders" in kept:
            kept["orders"] = orders
        if "order" in kept:
            kept["order"] = self._order(kept["order"])
        return kept

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        kept = self._kept(order)
        if "orderItems" in kept:
            kept["orderItems"] = [self._kept(item) for item in kept["orderItems"]]
        return kept

    def _kept(self, content: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in content.items() if name not in self.left_out}
