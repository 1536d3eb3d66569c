"""Whatever the order of price changes and refunds, nothing is credited twice.

The oracle is arithmetic: a sale of 20.00 ends at 20.00 less the larger of what Amazon took off the order and what it
gave back. A refund that only repeats what was taken off, or the other way round, counts once.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from fakes.order_life import tea, version
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

SALE = Decimal("20.00")
AMOUNTS = st.decimals("0.01", "8.00", places=2)
STEPS = st.lists(st.tuples(st.sampled_from(["refund", "price falls", "refund again"]), AMOUNTS), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.booleans())
def test_books_end_at_the_sale_less_what_was_given_back_once(steps: list[tuple[str, Decimal]], posts: bool) -> None:
    connection = RefundingConnection(version(1, tea(str(SALE))))
    price, refunded, refunds = SALE, Decimal(0), 0
    for day, (what, amount) in enumerate(steps, start=2):
        if what == "price falls":
            price = max(Decimal("0.01"), price - amount)
            connection.update(version(day, tea(str(price))), posts=posts)
        elif what == "refund":
            refunds += 1
            refunded += amount
            connection.refund(refund(f"{refunds:08}", item_refund(OurPricePrincipal=f"-{amount}")), posts=posts)
        elif refunds:
            connection.reprocess(f"{refunds:08}")
    for _ in range(3):
        connection.clock.advance(3600)
        connection.post()
        for transaction_id in connection.with_transactions.transactions:
            connection.plan_refunds(transaction_id)

    taken_off = SALE - price
    assert connection.balance() == SALE - max(taken_off, refunded)
    states = {each.state for each in connection.with_transactions.transactions.values()}
    assert states <= {TransactionState.PLANNED, TransactionState.NOT_BOOKED}
