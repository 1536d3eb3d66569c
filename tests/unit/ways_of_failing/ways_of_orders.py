"""Orders that Amazon states in a way which cannot be booked, or does not state."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import FailureCode
from fakes.orders import breakdown, item
from unit.runtime.two_connections import order_change
from unit.ways_of_failing.operated_stack import DAY, HOUR, OperatedStack
from unit.ways_of_failing.way import ORDER, SKIPPED, Steps, correct, replay, sale, way

_C = FailureCode


def entered_by_a_person(stack: OperatedStack, *orders: dict[str, Any]) -> Steps:
    """Orders that nothing but a person can book: entered in Xero manually, then taken off the list."""
    stack.notify_orders(*orders)
    yield
    correct(stack, "--skip")


@way(_C.ORDER_MALFORMED, SKIPPED)
def order_without_its_fulfilment(stack: OperatedStack) -> Steps:
    stack.amazon.refusals.left_out = ["fulfillment"]
    stack.notify_orders(sale())
    stack.amazon.refusals.left_out = []
    yield
    correct(stack, "--skip")


@way(_C.UNKNOWN_STATUS, SKIPPED)
def order_in_an_unknown_status(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, sale(status="TELEPORTED"))


@way(_C.MIXED_CURRENCIES, SKIPPED)
def order_in_two_currencies(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, sale("10.00", item("5.00"), item("5.00", currency="EUR", item_id="2")))


@way(_C.ITEM_TOTAL_DIFFERS, SKIPPED)
def item_whose_parts_do_not_add_up(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, sale("10.00", item("10.00", breakdown("ITEM", "9.00"))))


@way(_C.DETAIL_DIFFERS, SKIPPED)
def charge_whose_details_do_not_add_up(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, sale("10.00", item("10.00", breakdown("ITEM", "10.00", ITEM="9.00"))))


@way(_C.TOO_MANY_DECIMALS, SKIPPED)
def total_of_fractions_of_a_penny(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, sale("10.001"))


@way(_C.SALE_BELOW_ZERO, SKIPPED)
def discount_that_exceeds_the_price(stack: OperatedStack) -> Steps:
    sold = item("-1.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-11.00"))
    return entered_by_a_person(stack, sale("-1.00", sold))


@way(_C.ORDER_TOTAL_DIFFERS)
def total_that_amazon_corrects_later(stack: OperatedStack) -> Steps:
    stack.notify_orders(sale("10.00", item("9.00")))
    yield
    stack.amazon.put_order(sale(updated=stack.now))
    replay(stack)


@way(_C.ORDER_NOT_FOUND)
def order_that_amazon_shows_later(stack: OperatedStack) -> Steps:
    stack.queues[ORDERS].send(order_change(ORDER, stack.seller_id, stack.clock.now()))
    stack.work()
    stack.pass_time(DAY)
    yield
    stack.amazon.put_order(sale())
    replay(stack)


@way(_C.ORDER_REFUSED)
def order_that_amazon_refuses_for_a_day(stack: OperatedStack) -> Steps:
    stack.amazon.refusals.orders = [ORDER]
    stack.notify_orders(sale())
    stack.pass_time(DAY, sweeping=False)  # searchOrders would return it
    yield
    stack.amazon.refusals.orders = []
    replay(stack)


@way(_C.PROCEEDS_MISSING)
def order_without_amounts_for_a_day(stack: OperatedStack) -> Steps:
    silent = sale()
    del silent["proceeds"], silent["orderItems"][0]["proceeds"]
    stack.notify_orders(silent)
    stack.pass_time(DAY + HOUR)
    yield
    stack.amazon.put_order(sale(updated=stack.now))
    replay(stack)


@way(_C.SHIPPING_DAY_UNKNOWN)
def order_whose_shipping_day_nobody_states(stack: OperatedStack) -> Steps:
    late = sale(created="2026-11-01T10:00:00Z", updated="2026-11-20T10:00:00Z")
    stack.amazon.put_order(late)
    stack.pass_time(4 * DAY, every=4 * HOUR)
    yield
    correct(stack, "--date", "2026-11-03")
    stack.charge(ORDER, "10.00")
    invoice = stack.xero.books.invoice(ORDER)
    assert invoice
    assert invoice.date.isoformat() == "2026-11-03"
