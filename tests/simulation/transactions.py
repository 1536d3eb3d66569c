"""What Amazon's Finances API shows in a world: refunds and charges of its orders, and how late, lost or refused."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.wire import Response
from simulation.charges import DrawnCharge, draw_charges
from simulation.history import OrderHistory
from simulation.refunds import NOBODYS_ORDER, DrawnRefund, Flaw, flawed, refunds_of

SELLER_ID = "A1SELLER"
_COMPARABLE_ORDERS = 3  # so many must be readable for Amazon's refusal of an unknown one to count against that one
# A short limit makes worlds short in which a sale never comes.
_SALE_LIMITS = (timedelta(hours=4),) * 99 + (timedelta(days=3),)
_MAX_REFUNDS = 4  # no more orders have refunds once there are so many


class AmazonTransactions:
    """The transactions of one world; none in about half of them.

    refunds: of its orders.
    charges: of its shipments; none in a few worlds.
    delay: how long after its posting Amazon lists a transaction.
    empty_pages: (seconds since the world began, so many pages from then on are empty and have a token).
    refused: from when until when (seconds) Amazon refuses listTransactions; None where it never does.
    page_size: transactions on a page.
    sale_limit: how long a refund waits for its sale.
    """

    def __init__(
        self,
        rng: random.Random,
        began: datetime,
        histories: Sequence[OrderHistory],
        length: float,
        are_all_read: bool,
        is_drawn: bool | None = None,
    ) -> None:
        """Draw them.

        are_all_read: no order of the world is one that Amazon never returns.
        is_drawn: whether there are any, instead of a draw.
        """
        self._began = began
        self.is_used = rng.random() < 0.45 if is_drawn is None else is_drawn
        self.refunds: list[DrawnRefund] = []
        self.charges: list[DrawnCharge] = []
        self.delay = timedelta(0)
        self.empty_pages: list[tuple[float, int]] = []
        self.refused: tuple[float, float] | None = None
        self.page_size = 500
        self.sale_limit = _SALE_LIMITS[0]
        if self.is_used:
            self._draw(rng, histories, length, are_all_read)
        self.of_order: dict[str, list[DrawnRefund]] = {}
        for refund in self.refunds:
            self.of_order.setdefault(refund.order_id, []).append(refund)
        self._without_type = {each.transaction_id for each in self.refunds if each.flaw is Flaw.WITHOUT_TYPE}

    def _draw(self, rng: random.Random, histories: Sequence[OrderHistory], length: float, are_all_read: bool) -> None:
        self.page_size = rng.choice((500, 500, 2, 3))
        hours = rng.choice((0,) * 8 + (0.2, 0.5, 1, 2) + ((48,) if rng.random() < 0.15 else (3,)))
        self.delay = timedelta(hours=hours)
        self.sale_limit = rng.choice(_SALE_LIMITS)
        self.empty_pages = [(rng.random() * length, rng.choice((1, 2, 5))) for _ in range(rng.choice((0, 0, 1, 3)))]
        if rng.random() < 0.08:
            at = rng.random() * length
            self.refused = at, at + rng.choice((300.0, 7200.0, 20000.0))
        for history in rng.sample(list(histories), len(histories)):
            if len(self.refunds) < _MAX_REFUNDS:
                self.refunds += refunds_of(rng, self._began, history, length)
        if rng.random() < 0.4:
            self._draw_flaw(rng, rng.choice(histories), length, are_all_read and len(histories) > _COMPARABLE_ORDERS)
        if rng.random() < 0.85:
            may_be_unknown = are_all_read and len(histories) > _COMPARABLE_ORDERS
            self.charges = draw_charges(rng, self._began, histories, SELLER_ID, length, may_be_unknown)

    def _draw_flaw(self, rng: random.Random, history: OrderHistory, length: float, may_be_unknown: bool) -> None:
        flaws = [each for each in Flaw if each is not Flaw.NO_SALE or may_be_unknown]
        taken = {refund.transaction_id for refund in self.refunds}
        for refund in refunds_of(rng, self._began, history, length, ("goodwill",))[:1]:
            if refund.transaction_id not in taken:
                self.refunds.append(flawed(refund, rng.choice(flaws)))

    @property
    def posted(self) -> list[tuple[float, dict[str, Any]]]:
        """When (seconds since the world began) which transaction is posted or changes its status."""
        of_charges = (version for charge in self.charges for version in charge.versions)
        return [*of_charges, *(version for refund in self.refunds for version in refund.versions)]

    @property
    def charge_limit(self) -> timedelta:
        """How long a sale waits for its charge: a day longer than Amazon delays it, or two hours in short worlds."""
        return self.delay + (timedelta(days=1) if self.delay > timedelta(days=1) else timedelta(hours=2))

    @property
    def shown_at(self) -> float:
        """Seconds since the world began from when on Amazon lists all of them."""
        last = max((at for at, _ in self.posted), default=0.0)
        return last + self.delay.total_seconds() + 121

    def visible(self, page: Response) -> Response:
        """Return a page of listTransactions without the type of those that state none."""
        if not self._without_type or page.status != 200:
            return page
        document: Any = json.loads(page.body, parse_float=Decimal)
        for each in document["payload"]["transactions"]:
            if each["transactionId"] in self._without_type:
                each["transactionType"] = None
        return replace(page, body=Response.of_json(document).body)

    def may_be_unknown(self, order_id: str) -> bool:
        """Whether a refund may name an order that Amazon does not return, or not yet."""
        return order_id == NOBODYS_ORDER or order_id in self.of_order
