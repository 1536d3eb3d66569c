"""Failures that a person deals with in Xero, or leaves as they are, and takes off the list with `replay close`."""

from __future__ import annotations

from amazon_to_xero.domain.failures import FailureCode
from unit.ways_of_failing.operated_stack import DAY, HOUR, OperatedStack
from unit.ways_of_failing.way import ORDER, Steps, sale, way
from unit.ways_of_failing.ways_of_xero import draft_then_shipped

_C = FailureCode
_MANUAL = f"{ORDER}-MANUAL"


def close(stack: OperatedStack, *selected: str) -> None:
    """Close what is selected, and let the functions run."""
    for failure in stack.operate("replay", "close", *selected, "--reason", "as the accountant says", "--yes")[
        "failures"
    ]:
        assert failure["action"] == "CLOSE", failure
    stack.work()


@way(_C.CHARGE_DIFFERS)
def charge_of_less_than_the_documents_state(stack: OperatedStack) -> Steps:
    """The buyer got a pound off by phone, and the accountant leaves the invoice as it is."""
    stack.charge(ORDER, "9.00")
    stack.notify_orders(sale())
    stack.pass_time(5 * DAY, every=12 * HOUR)
    yield
    close(stack, "--code", _C.CHARGE_DIFFERS)


@way(_C.CHARGE_MISSING)
def sale_that_amazon_never_charges(stack: OperatedStack) -> Steps:
    """The buyer has paid otherwise."""
    stack.notify_orders(sale())
    stack.pass_time(5 * DAY, every=12 * HOUR)
    yield
    close(stack, "--order", ORDER)


@way(_C.NOT_IN_XERO, [(_MANUAL, "10.00", "AUTHORISED")])
def draft_that_xero_no_longer_has(stack: OperatedStack) -> Steps:
    """The organisation has lost it; the bookkeeper enters the invoice, and it is not entered twice."""
    held = draft_then_shipped(stack)
    del stack.xero.books.invoices[held["InvoiceID"]]
    stack.notify_orders(sale())
    yield
    lines = [{"Description": "Kettle", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}]
    entered = {"Type": "ACCREC", "InvoiceNumber": _MANUAL, "Reference": ORDER, "Contact": held["Contact"]}
    approved = {"Date": "2026-11-23", "Status": "AUTHORISED", "LineAmountTypes": "Inclusive"}
    stack.in_xero("PUT", "Invoices", {**entered, **approved, "LineItems": lines})
    close(stack, "--order", ORDER)
