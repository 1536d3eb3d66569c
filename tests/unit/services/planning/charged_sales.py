"""A connection whose sales Amazon charges: the harness of the tests of confirmations, and of what charges answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import FAILED_SOURCES
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, tea, version
from fakes.state import NOON

DAY = timedelta(days=1)
SHIPPED_AT = NOON - timedelta(hours=2)


def shipped(*items: Json, minutes: int = 0, **more: object) -> Json:
    """Return the order "A" as shipped two hours ago; minutes: how much later Amazon changed it again."""
    updated = (SHIPPED_AT + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    placed = {"createdTime": (SHIPPED_AT - DAY).isoformat().replace("+00:00", "Z")}
    return version(1, *items, **more) | placed | {"lastUpdatedTime": updated}  # type: ignore[arg-type]


SHIPPED = shipped(tea())  # 10.00 GBP


def tea_charged(amount: str = "10.00", transaction_id: str = "C1", posted: datetime = SHIPPED_AT, **more: str) -> Json:
    return charge(transaction_id, posted=posted, OurPricePrincipal=amount, Commission="-1.50", **more)


class Sales(FakeConnection):
    """A connection whose orders are in the books at once; `amazon_charges` has Amazon state charges and sweeps them."""

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING) -> None:
        super().__init__(policy=replace(policy, start=NOON - 30 * DAY))
        self.xero.settings = ORGANISATION_WITH_CLEARING
        self.update(*orders)

    def update(self, *orders: Json) -> None:
        """Have Amazon state these versions, and read, plan and post them."""
        self.plan(*orders)
        self.post()

    def plan(self, *orders: Json) -> None:
        """Have Amazon state these versions, and read and plan them."""
        self.amazon.hold(*orders)
        self.clock.advance(60)
        named = self.read(self.notice([each["orderId"] for each in orders])).due
        self.plan_drafts(*named)
        self.plan_shipments(*named)

    def amazon_charges(self, *transactions: Json) -> None:
        self.amazon.transactions += list(transactions)
        self.work()

    def work(self, later: timedelta = timedelta(minutes=5)) -> None:
        """Sweep the transactions and work on what is due, as the refunds function does."""
        self.clock.advance(later.total_seconds())
        self.connection.worker.sweep(REFUNDS, "worker", self.clock.now() + timedelta(minutes=1))

    def resume(self) -> None:
        """Work on everything that is due, as the resume function does every minute."""
        self.connection.worker.run("resume", self.clock.now() + timedelta(minutes=1))

    def confirmation(self, order_id: str = "A") -> SaleConfirmation:
        return self.store.load(SaleConfirmation, [order_id])[order_id]

    def outcome(self, order_id: str = "A") -> tuple[ConfirmationState, str]:
        row = self.confirmation(order_id)
        return row.state, row.reason

    @property
    def letters(self) -> list[tuple[str | None, str]]:
        return self.dead_letters[REFUNDS].reasons

    def failures(self) -> Sequence[str]:
        return [f"{each.key} {each.reason}" for each in self.store.watched(FAILED_SOURCES, 100)]
