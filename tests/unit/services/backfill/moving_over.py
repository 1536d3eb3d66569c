"""A bookkeeper who moves over in mid-year: a connection whose books began in July, and are to begin at New Year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from amazon_to_xero.domain.backfill.backfill import Backfill, Share
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.services.backfill.rows import load_backfills
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, tea
from fakes.orders import order
from fakes.state import NOON

JULY = NOON.replace(month=7, day=1, hour=0)
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
ADA = "arn:aws:iam::123456789012:user/ada"
QUARTER = timedelta(minutes=15)


def text(moment: object) -> str:
    return str(moment).replace(" ", "T").replace("+00:00", "Z")


def sold(order_id: str, day: int = 0, **more: object) -> Json:
    """Return an order that was placed so many days after New Year, and that Amazon shipped the day after."""
    placed = NOON.replace(month=1, day=2) + timedelta(days=day)
    shipped = text(placed + timedelta(days=1))
    return order(tea(), grand_total="10.00", order_id=order_id, created=text(placed), updated=shipped, **more)  # type: ignore[arg-type]


def from_before_the_period(order_id: str) -> Json:
    """Return an order that was placed before New Year, and that Amazon shipped after it."""
    return sold(order_id, day=-2) | {"lastUpdatedTime": "2026-01-03T08:00:00Z"}


def charged(raw: Json, number: str = "") -> Json:
    shipped = NOON.fromisoformat(raw["lastUpdatedTime"])
    return charge(number or f"C-{raw['orderId']}", raw["orderId"], posted=shipped, OurPricePrincipal="10.00")


class MovingOver(FakeConnection):
    """A connection whose books began in July, and whose start was then set to New Year."""

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING, **more: object) -> None:
        super().__init__(*orders, policy=replace(policy, start=JULY), **more)  # type: ignore[arg-type]
        self.xero.settings = ORGANISATION_WITH_CLEARING
        self.amazon.transactions += [charged(each) for each in orders]

    def start_at_new_year(self) -> None:
        self.policy = replace(self.policy, start=NOON.replace(month=1, day=1, hour=0))
        self.restart()

    def begin(self, first: date = FIRST, last: date = LAST, share: Share | None = None) -> Backfill:
        return self.connection.backfills.begin(first, last, share or Share(), ADA, "we moved over")

    def quarters(self, count: int) -> None:
        """Let so many quarters of an hour pass, with the sweep of the orders and the minutely runs after each."""
        for _ in range(count):
            self.clock.advance(QUARTER.total_seconds())
            self.connection.worker.sweep(ORDERS, "sweep", self.clock.now() + timedelta(minutes=1))
            self.connection.worker.run("resume", self.clock.now() + timedelta(minutes=1))

    def ready(self) -> None:
        """Have the connection run for a while, as it was before anybody asked for a backfill."""
        self.connection.worker.sweep(REFUNDS, "sweep", self.clock.now() + timedelta(minutes=1))
        self.quarters(2)

    @property
    def backfill(self) -> Backfill:
        latest = load_backfills(self.store).latest
        assert latest is not None
        return latest

    def invoices(self) -> dict[str, str]:
        return {each["InvoiceNumber"]: each["Date"] for each in self.xero.books["Invoices"].values()}


def moved_over(*orders: Json, **more: object) -> MovingOver:
    books = MovingOver(*orders, **more)  # type: ignore[arg-type]
    books.ready()
    books.start_at_new_year()
    return books
