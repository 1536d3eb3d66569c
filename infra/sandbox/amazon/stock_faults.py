"""How getInventorySummaries deviates from its documentation, as public reports describe of the real one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sandbox.amazon.errors import invalid_input


@dataclass
class StockFaults:
    """Conditions that stay until they are changed.

    without_goods: marketplaces that are answered with 400, because the seller has no goods in Amazon's centres there.
    constant_token: every page is the first one and has the same token (selling-partner-api-models #2947).
    left_out: SKUs that no answer has, although they have stock (selling-partner-api-docs #366, models #2583).
    """

    without_goods: list[str] = field(default_factory=list)
    constant_token: bool = False
    left_out: list[str] = field(default_factory=list)

    def check(self, marketplaces: Collection[str]) -> None:
        """Raise the 400 of a marketplace without goods."""
        if set(marketplaces) & set(self.without_goods):
            raise invalid_input("The request is invalid.")

    def applied_to(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer as the conditions make it."""
        payload = answer["payload"]
        shown = [each for each in payload["inventorySummaries"] if each["sellerSku"] not in self.left_out]
        token = {"pagination": {"nextToken": "c29tZXRoaW5nIHdlbnQgd3Jvbmc"}} if self.constant_token else {}
        return answer | {"payload": payload | {"inventorySummaries": shown}} | token
