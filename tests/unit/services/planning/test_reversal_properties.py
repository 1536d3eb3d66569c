"""Whatever the order of price changes and refunds, nothing is credited twice.

The oracle is arithmetic. A refund credits what exceeds reductions that no refund has stated yet, a reduction what
exceeds refunds that no reduction has stated yet, and what rises again reduces no more. Where prices only fall, that is
the sale less the larger of what Amazon took off and what it gave back.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.planning.policy import PostingPolicy
from fakes.order_life import PAYING, tea, version
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection, without_clearing

SALE = Decimal("20.00")
CENT = Decimal("0.01")
AMOUNTS = st.decimals("0.01", "8.00", places=2)
CHANGES = ["refund", "price falls", "planned again"]


def steps(*more: str) -> st.SearchStrategy[list[tuple[str, Decimal]]]:
    return st.lists(st.tuples(st.sampled_from([*CHANGES, *more]), AMOUNTS), min_size=1, max_size=7)


class History:
    """One order and its refunds, and what the oracle adds up."""

    def __init__(self, posts: bool = True, policy: PostingPolicy = PAYING) -> None:
        self.connection = RefundingConnection(policy=policy)
        self.price, self.put_on, self.taken_off, self.refunded = SALE, SALE, Decimal(0), Decimal(0)
        self._credited, self._netted, self._open_reduction = Decimal(0), Decimal(0), Decimal(0)
        self.in_order = SALE  # what the books hold, where each change is in them before the next
        self._posts = posts
        self._day, self._refunds = 1, 0
        self._state_order(posts=True)

    def run(self, changes: list[tuple[str, Decimal]]) -> None:
        for what, amount in changes:
            if what == "refund":
                self._refund(amount)
            elif what == "planned again":
                self.connection.clock.advance(3600)
                for transaction_id in self.connection.transactions:
                    self.connection.reprocess(transaction_id)
            else:
                self._change_price(-min(amount, self.price - 1) if what == "price falls" else amount)
        for _ in range(3 + self._refunds):  # until nothing waits: refunds of an order are planned one after the other
            self.connection.clock.advance(3600)
            self.connection.post()
            for transaction_id in self.connection.transactions:
                self.connection.plan_refund(transaction_id)

    @property
    def expected(self) -> Decimal:
        return self.put_on - max(self.taken_off, self.refunded)

    @property
    def states(self) -> set[TransactionState]:
        return {each.state for each in self.connection.transactions.values()}

    def _refund(self, amount: Decimal) -> None:
        self._refunds += 1
        self.refunded += amount
        matched = min(amount, self._open_reduction)
        self._open_reduction -= matched
        self._credited += amount - matched
        self.in_order -= amount - matched
        self.connection.refund(refund(f"{self._refunds:08}", self._amounts_back(amount), **self._more()), self._posts)

    def _change_price(self, change: Decimal) -> None:
        self.price += change
        if change < 0:
            netted = min(-change, self._credited - self._netted)
            self._netted += netted
            self._open_reduction += -change - netted
            self.in_order += change + netted
        else:
            self._open_reduction -= min(change, self._open_reduction)
            self.in_order += change
        self.put_on += max(change, Decimal(0))
        self.taken_off -= min(change, Decimal(0))
        self._state_order(self._posts)

    def _state_order(self, posts: bool) -> None:
        self._day += 1
        self.connection.update(version(self._day, self._item()), posts=posts)

    def _item(self) -> dict[str, Any]:
        return tea(str(self.price))

    def _amounts_back(self, amount: Decimal) -> dict[str, Any]:
        return item_refund(OurPricePrincipal=f"-{amount}")

    def _more(self) -> dict[str, Any]:
        return {}


@settings(max_examples=60, deadline=None)
@given(steps("price rises"))
@example([("refund", CENT), ("price falls", CENT), ("price rises", CENT)])
@example([("refund", 5 * CENT), ("price falls", 3 * CENT), ("price rises", CENT), ("price falls", 4 * CENT)])
def test_books_end_at_the_sale_less_what_was_given_back_once(changes: list[tuple[str, Decimal]]) -> None:
    history = History()

    history.run(changes)

    assert history.connection.balance() == history.in_order
    assert history.states <= {TransactionState.PLANNED, TransactionState.NOT_BOOKED}


@settings(max_examples=60, deadline=None)
@given(steps("price rises"))
@example([("price falls", 4 * CENT), ("price rises", 4 * CENT), ("refund", 4 * CENT)])
def test_books_of_an_open_invoice_end_the_same(changes: list[tuple[str, Decimal]]) -> None:
    history = History(policy=without_clearing())

    history.run(changes)

    assert history.connection.balance() == history.in_order
    assert history.states <= {TransactionState.PLANNED, TransactionState.NOT_BOOKED}


@settings(max_examples=40, deadline=None)
@given(steps())
@example([("price falls", CENT), *[("refund", CENT)] * 5])
def test_books_end_the_same_where_xero_answers_late(changes: list[tuple[str, Decimal]]) -> None:
    history = History(posts=False)

    history.run(changes)

    assert history.connection.balance() == history.expected
    assert history.states <= {TransactionState.PLANNED, TransactionState.NOT_BOOKED}
