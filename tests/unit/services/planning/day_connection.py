"""A connection whose days have one invoice each: the harness of the tests of closed days.

Its clock starts on Monday 23 November 2026 at 12:00 in London. The day is closed on Tuesday at 06:00.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.planning.closed_day import ClosedDay
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING
from fakes.orders import UK, item, order
from fakes.refunds import item_refund, refund
from fakes.state import NOON

BY_DAY = replace(PAYING, invoice_per=InvoicePer.DAY, invoice_prefix="AMZ-", start=NOON - timedelta(days=30))
MONDAY, TUESDAY = "AMZ-GB-20261123-1", "AMZ-GB-20261124-1"
MINUTE = timedelta(minutes=1)
CLOSING = datetime(2026, 11, 24, 6, tzinfo=NOON.tzinfo)


class DayConnection(FakeConnection):
    """Orders are given as Amazon states them; everything else is done by the worker, as in the cloud."""

    def __init__(self, policy: PostingPolicy = BY_DAY) -> None:
        super().__init__(policy=policy)
        self.xero.settings = ORGANISATION_WITH_CLEARING

    def sell(self, *order_ids: str, price: str = "12.00", status: str = "SHIPPED", **more: Any) -> None:
        """Have Amazon state orders of one item that have just shipped, or changed, and plan them."""
        self.clock.advance(1)  # what was read before this is older
        for order_id in order_ids:
            self.state(order_id, self.clock.now(), price, status=status, **more)
        self.notice(order_ids)
        self.work()

    def state(self, order_id: str, at: datetime, price: str = "12.00", **more: Any) -> None:
        """Have Amazon state an order of one item that was placed an hour before that time, and changed then."""
        placed, updated = (each.isoformat().replace("+00:00", "Z") for each in (at - timedelta(hours=1), at))
        made = order(item(price), grand_total=price, order_id=order_id, updated=updated, **more)
        self.amazon.hold(made | {"createdTime": placed})

    def give_back(self, transaction_id: str, order_id: str, amount: str) -> None:
        """Have Amazon state a refund of an order, and plan it."""
        posted = self.clock.now()
        made = refund(transaction_id, item_refund(OurPricePrincipal=amount), order_id=order_id, posted=posted)
        self._transact(made, posted)

    def charge(self, transaction_id: str, order_id: str, amount: str) -> None:
        posted = self.clock.now()
        made = charge(transaction_id, order_id=order_id, posted=posted, OurPricePrincipal=amount, Commission="-1")
        self._transact(made, posted)

    def _transact(self, made: Json, posted: datetime) -> None:
        self.amazon.transactions.append(made)
        self.notice_transactions(posted)
        self.work(5 * MINUTE)

    def work(self, later: timedelta = MINUTE) -> None:
        """Let time pass, then work on all that is due, as the resume function does every minute."""
        self.clock.advance(later.total_seconds())
        self.connection.worker.run("resume", self.clock.now() + 10 * MINUTE)

    def close_day(self) -> None:
        """Let time pass until the next closing, and work."""
        now = self.clock.now()
        closing = CLOSING
        while closing <= now:
            closing += timedelta(days=1)
        self.work(closing - now)
        self.work()

    # --- what came of it --------------------------------------------------------------------------------------------

    def entry(self, order_id: str, kind: DocumentKind = DocumentKind.INVOICE) -> Document:
        return self.document(f"AMZ-{order_id}", kind)

    def day(self, number: str = MONDAY) -> ClosedDay:
        return self.store.load(ClosedDay, [number])[number]

    def confirmation(self, order_id: str) -> SaleConfirmation:
        return self.store.load(SaleConfirmation, [order_id])[order_id]

    @property
    def invoices(self) -> dict[str, Decimal]:
        return {each["InvoiceNumber"]: each["Total"] for each in self.xero.books["Invoices"].values()}

    @property
    def credit_notes(self) -> dict[str, Decimal]:
        return {each["CreditNoteNumber"]: each["Total"] for each in self.xero.books["CreditNotes"].values()}

    @property
    def failures(self) -> list[tuple[str | None, str]]:
        return [reason for letters in self.dead_letters.values() for reason in letters.reasons]

    def attached(self, number: str = MONDAY) -> list[str]:
        """Return the lines of the list of orders of a day, without their titles."""
        (content,) = [content for (_, name), content in self.xero.attached.items() if name == f"{number}.csv"]
        return content.decode().splitlines()[1:]


__all__ = ["BY_DAY", "CLOSING", "MINUTE", "MONDAY", "TUESDAY", "UK", "DayConnection"]
