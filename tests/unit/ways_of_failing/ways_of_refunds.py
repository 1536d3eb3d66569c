"""Refunds and charges that Amazon states in a way which cannot be booked, or that do not fit their sale."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.domain.failures import FailureCode
from fakes.charges import charge
from fakes.orders import breakdown, item
from fakes.refunds import item_refund, refund
from unit.ways_of_failing.operated_stack import DAY, HOUR, OperatedStack
from unit.ways_of_failing.way import ORDER, PAID, Steps, correct, replay, sale, way

_C = FailureCode
REFUND = "transaction#R1"
CREDITED = [*PAID, (f"{ORDER}-RFR1", "4.00", "PAID")]


def refunded(
    stack: OperatedStack,
    *items: dict[str, Any],
    order: dict[str, Any] | None = None,
    charged: str = "10.00",
    **more: Any,
) -> None:
    """Amazon ships and charges the order, and gives back these items, by default 4.00 GBP of its goods."""
    stack.charge(ORDER, charged)
    stack.notify_orders(order or sale())
    posted = {"order_id": ORDER, "posted": stack.clock.now(), **more}
    stack.notify_transactions(refund("R1", *(items or (item_refund(OurPricePrincipal="-4.00"),)), **posted))


def entered_by_a_person(stack: OperatedStack, *items: dict[str, Any], **more: Any) -> Steps:
    """A refund that nothing but a person can book: entered in Xero manually, then taken off the list."""
    refunded(stack, *items, **more)
    yield
    correct(stack, "--skip", source=REFUND)


@way(_C.REFUND_REVERSED)
def refund_that_takes_money_from_the_buyer(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, item_refund(OurPricePrincipal="4.00"))


@way(_C.TRANSACTION_TYPE_UNKNOWN)
def transaction_of_an_unknown_type(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, kind="Teleportation")


@way(_C.REFUND_ITEM_UNKNOWN)
def refund_of_something_that_was_not_sold(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, item_refund("HAT-RED", OurPricePrincipal="-4.00"))


@way(_C.REFUND_CURRENCY_DIFFERS)
def refund_in_another_currency(stack: OperatedStack) -> Steps:
    return entered_by_a_person(stack, item_refund(currency="EUR", OurPricePrincipal="-4.00"), currency="EUR")


@way(_C.TRANSACTION_TOTAL_DIFFERS)
def refund_whose_amounts_do_not_add_up(stack: OperatedStack) -> Steps:
    wrong = item_refund(OurPricePrincipal="-4.00")
    wrong["totalAmount"]["currencyAmount"] *= 2
    return entered_by_a_person(stack, wrong)


@way(_C.MARKETPLACE_TAX_DIFFERS, [(ORDER, "8.33", "PAID")])
def refund_whose_withheld_tax_differs(stack: OperatedStack) -> Steps:
    taxed = breakdown("TAX", "1.67", ITEM="1.67")
    collected = sale("10.00", item("10.00", breakdown("ITEM", "10.00"), taxed, facilitator=True))
    withheld = item_refund(OurPricePrincipal="-4.00", OurPriceTax="-0.80", MarketplaceFacilitatorVAT__Principal="0.70")
    return entered_by_a_person(stack, withheld, order=collected, charged="8.33")


@way(_C.REFUND_LIABILITY_DIFFERS, [*PAID, (f"{ORDER}-RFR1", "3.33", "PAID")])
def refund_whose_tax_the_marketplace_owes(stack: OperatedStack) -> Steps:
    taxed = breakdown("TAX", "1.67", ITEM="1.67")
    sold = sale("10.00", item("10.00", breakdown("ITEM", "10.00"), taxed))
    back = item_refund(OurPricePrincipal="-3.33", OurPriceTax="-0.67", MarketplaceFacilitatorVAT__Principal="0.67")
    refunded(stack, back, order=sold)
    yield
    correct(stack, "--tax-type", "ZERORATEDOUTPUT", source=REFUND)


@way(_C.CHARGE_TYPE_UNKNOWN, CREDITED)
def refund_of_an_unknown_type_of_charge(stack: OperatedStack) -> Steps:
    refunded(stack, item_refund(MoonDust="-4.00"))
    yield
    stack.correct_settings({"accounts": {"suspense": "620"}})
    replay(stack)


@way(_C.REFUND_BEFORE_START, [(f"{ORDER}-RFR1", "4.00", "PAID")])
def refund_of_a_sale_before_start(stack: OperatedStack) -> Steps:
    old = sale(created="2026-08-01T10:00:00Z", updated="2026-08-02T10:00:00Z")
    stack.notify_orders(old)
    stack.notify_transactions(
        refund("R1", item_refund(OurPricePrincipal="-4.00"), order_id=ORDER, posted=stack.clock.now())
    )
    yield
    stack.correct_settings({"refunds": {"before_start": "standalone"}})
    replay(stack)


@way(_C.REFUND_WITHOUT_SALE, CREDITED)
def refund_whose_order_failed(stack: OperatedStack) -> Steps:
    """The refund follows its sale by itself, within the hour."""
    refunded(stack, order=sale("10.00", item("9.00")))
    stack.pass_time(4 * DAY, every=12 * HOUR)
    yield
    stack.amazon.put_order(sale(updated=stack.now))
    replay(stack, "--code", _C.ORDER_TOTAL_DIFFERS)
    stack.pass_time(2 * HOUR)


@way(_C.CHARGE_DIFFERS)
def charge_of_another_amount(stack: OperatedStack) -> Steps:
    """Amazon charges the rest later: the sale is confirmed by itself."""
    stack.charge(ORDER, "9.00")
    stack.notify_orders(sale())
    stack.pass_time(5 * DAY, every=12 * HOUR)
    yield
    stack.amazon.put_transaction(charge("C2", ORDER, stack.clock.now(), OurPricePrincipal="1.00"))
    stack.pass_time(3 * HOUR)


@way(_C.CHARGE_MISSING)
def sale_that_amazon_does_not_charge_for_days(stack: OperatedStack) -> Steps:
    """It is confirmed by itself when the charge comes."""
    stack.notify_orders(sale())
    stack.pass_time(5 * DAY, every=12 * HOUR)
    yield
    stack.charge(ORDER, "10.00")
    stack.pass_time(3 * HOUR)


@way(_C.CHARGE_WITHOUT_SALE)
def charge_of_an_order_that_failed(stack: OperatedStack) -> Steps:
    stack.charge(ORDER, "10.00")
    stack.notify_orders(sale("10.00", item("9.00")))
    stack.pass_time(5 * DAY, every=12 * HOUR)
    yield
    stack.amazon.put_order(sale(updated=stack.now))
    replay(stack, "--code", _C.ORDER_TOTAL_DIFFERS)
    stack.pass_time(3 * HOUR)
