"""How listTransactions deviates from its documentation, as public reports describe of the real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass
class TransactionFaults:
    """Conditions that stay until they are changed.

    delay_hours: a transaction is listed only that long after it was posted ("might not include orders from the last 48
        hours").
    nulls: optional fields that are null, in a transaction or, as `items.breakdowns`, in each of its items
        (selling-partner-api-models #4993).
    capitalised_status: a status is written Released instead of RELEASED.
    """

    delay_hours: int = 0
    nulls: list[str] = field(default_factory=list)
    capitalised_status: bool = False

    @property
    def delay(self) -> timedelta:
        return timedelta(hours=self.delay_hours)

    @property
    def change_answers(self) -> bool:
        return bool(self.nulls) or self.capitalised_status

    def applied_to(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of listTransactions as the conditions make it."""
        if "payload" not in answer:
            return answer
        payload = answer["payload"]
        return answer | {"payload": payload | {"transactions": [self._shown(each) for each in payload["transactions"]]}}

    def _shown(self, transaction: dict[str, Any]) -> dict[str, Any]:
        shown = transaction | {name: None for name in self.nulls if name in transaction}
        of_items = [name.removeprefix("items.") for name in self.nulls if name.startswith("items.")]
        if of_items and shown.get("items"):
            shown["items"] = [item | dict.fromkeys(of_items) for item in shown["items"]]
        if self.capitalised_status and shown.get("transactionStatus"):
            shown["transactionStatus"] = shown["transactionStatus"].capitalize()
        return shown
