"""Resync: named orders are read again with their transactions, and what stands is not written again."""

from __future__ import annotations

from datetime import timedelta

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.services.replay.resync import Resync, ResyncStep
from fakes.state import NOON
from unit.services.amazon_orders import shipped_order
from unit.services.planning.paying_connection import PAYING
from unit.services.replay.replayed_stack import ADA, MINUTE, ReplayedStack, actions


def resync(stack: ReplayedStack, *order_ids: str, deadline: timedelta = MINUTE) -> ResyncStep:
    step = Resync("main", stack.main.store, stack.acts, stack.clock)
    return step.step(order_ids, ADA, stack.clock.now() + deadline)


def test_year_of_orders_resynced_writes_nothing_that_stands() -> None:
    order_ids = [f"A{number}" for number in range(12)]
    stack = ReplayedStack(*(shipped_order(order_id) for order_id in order_ids), policy=PAYING)
    writes = len(stack.main.xero.writes())
    stack.clock.advance(60)

    assert resync(stack, *order_ids).sent == tuple(order_ids)
    stack.run_functions()

    assert len(stack.main.xero.writes()) == writes
    assert {stack.main.record(order_id).read_at for order_id in order_ids} == {stack.clock.now()}


def test_order_that_amazon_never_reported_is_entered() -> None:
    stack = ReplayedStack(policy=PAYING)
    stack.main.amazon.hold(shipped_order("Z", updated=NOON - timedelta(days=300)))

    resync(stack, "Z")
    stack.run_functions()
    stack.run_functions()

    assert stack.main.record("Z").state is OrderState.PLANNED
    assert [each["InvoiceNumber"] for each in stack.main.xero.books["Invoices"].values()] == ["Z"]


def test_resync_is_in_the_evidence_and_counts_for_no_cap() -> None:
    stack = ReplayedStack(shipped_order())
    for _ in range(6):
        resync(stack, "A")
    (first, *_) = stack.evidence("order#A").attempts

    assert (first.by, first.action, first.capability) == (ADA, ReplayAction.RESYNC, ORDERS)
    assert actions(stack.step(cap=1)) == [("order#A", ReplayAction.SEND)]


def test_resync_of_many_orders_waits_until_amazon_has_answered_for_most() -> None:
    stack = ReplayedStack(policy=PAYING)
    order_ids = [f"A{number}" for number in range(600)]

    first = resync(stack, *order_ids)
    stack.main.connection.services.order_transactions.ask(first.sent)
    second = resync(stack, *order_ids[len(first.sent) :])

    assert (len(first.sent), second) == (500, ResyncStep((), 500))


def test_resync_that_is_out_of_time_names_what_it_has_sent() -> None:
    stack = ReplayedStack(policy=PAYING)

    assert resync(stack, "A", deadline=timedelta()) == ResyncStep((), 0)
    assert {name for name, queue in stack.queues.items() if queue.bodies} == set()


def test_both_queues_have_the_order() -> None:
    stack = ReplayedStack(policy=PAYING)

    resync(stack, "A", "A")

    assert {name: len(queue.bodies) for name, queue in stack.queues.items() if queue.bodies} == {ORDERS: 1, REFUNDS: 1}
