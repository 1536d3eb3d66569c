"""Documents that Xero refuses, does not answer for, or that somebody has changed there."""

from __future__ import annotations

import json
from typing import Any

from amazon_to_xero.domain.failures import FailureCode
from sandbox.wire import Fault
from unit.ways_of_failing.operated_stack import DAY, OperatedStack
from unit.ways_of_failing.way import ORDER, Steps, replay, sale, way
from unit.ways_of_failing.ways_of_settings import IN_GERMANY

_C = FailureCode
UNPAID: dict[str, Any] = {"accounts": {"clearing": {}}}
INVOICES, PAYMENTS = "/api.xro/2.0/Invoices", "/api.xro/2.0/Payments"
_LINE = {"Description": "Kettle", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}


def draft_then_shipped(stack: OperatedStack) -> dict[str, Any]:
    """Return the draft of the order before it ships, as Xero holds it."""
    stack.notify_orders(sale(status="UNSHIPPED", updated="2026-11-23T09:00:00Z"))
    return invoice(stack)


def invoice(stack: OperatedStack, number: str = ORDER) -> dict[str, Any]:
    """Return Xero's own object of an invoice."""
    (found,) = (each for each in stack.xero.holdings()["Invoices"] if each["InvoiceNumber"] == number)
    return found


def refused_with(message: str) -> Fault:
    """Return the fault by which Xero refuses the order's invoice with this message, until it is removed."""
    element = {"InvoiceNumber": ORDER, "StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": message}]}
    body = json.dumps({"Invoices": [element]})
    return Fault("refuse", "PUT", INVOICES, ORDER, 99, 0, 200, body, "application/json")


def refused_until_a_person_acts(stack: OperatedStack, message: str) -> Steps:
    stack.xero.faults.append(refused_with(message))
    stack.notify_orders(sale())
    yield
    stack.xero.faults.clear()
    replay(stack)


# --- refused ----------------------------------------------------------------------------------------------------------


@way(_C.NUMBER_TAKEN)
def number_of_another_document(stack: OperatedStack) -> Steps:
    other = {"Type": "ACCREC", "InvoiceNumber": ORDER, "Contact": {"Name": "Somebody"}, "LineItems": [_LINE]}
    entered = stack.in_xero("PUT", "Invoices", other)
    stack.notify_orders(sale())
    yield
    stack.in_xero("POST", f"Invoices/{entered['InvoiceID']}", {"InvoiceNumber": "INV-0017"})
    replay(stack)


@way(_C.CONTACT_NAME_TAKEN)
def name_of_another_contact(stack: OperatedStack) -> Steps:
    entered = stack.in_xero("PUT", "Contacts", {"Name": "Amazon.de customers", "ContactNumber": "C-1"})
    stack.notify_orders(sale(**IN_GERMANY))
    yield
    stack.in_xero("POST", f"Contacts/{entered['ContactID']}", {"Name": "Amazon Germany, wholesale"})
    replay(stack)


@way(_C.PLAN_LIMIT)
def plan_that_allows_no_more_invoices(stack: OperatedStack) -> Steps:
    return refused_until_a_person_acts(stack, "You have reached the limit of invoices for your plan")


@way(_C.XERO_REFUSED)
def refusal_for_an_unknown_reason(stack: OperatedStack) -> Steps:
    return refused_until_a_person_acts(stack, "Mercury is in retrograde")


@way(_C.LINE_TOTAL_DIFFERS)
def refusal_of_the_total_of_a_line(stack: OperatedStack) -> Steps:
    return refused_until_a_person_acts(stack, "The line total 10.00 does not match the expected line total 9.99")


@way(_C.CONTACT_NUMBER_TAKEN)
def contact_number_of_another_contact(stack: OperatedStack) -> Steps:
    message = "Another contact has this contact number"
    element = {"StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": message}]}
    body = json.dumps({"Contacts": [element]})
    stack.xero.faults.append(
        Fault("refuse", "PUT", "/api.xro/2.0/Contacts", "Amazon.de", 99, 0, 200, body, "application/json")
    )
    stack.notify_orders(sale(**IN_GERMANY))
    yield
    stack.xero.faults.clear()
    replay(stack)


# --- not answered -----------------------------------------------------------------------------------------------------


@way(_C.XERO_ERROR)
def invoice_that_xero_answers_with_an_error(stack: OperatedStack) -> Steps:
    stack.xero.faults.append(Fault("refuse", "PUT", INVOICES, ORDER, 10**6, status=500))
    stack.notify_orders(sale())
    stack.work(minutes=60)
    yield
    stack.xero.faults.clear()
    replay(stack)


# --- changed by people ------------------------------------------------------------------------------------------------


@way(_C.VOIDED_IN_XERO, [(f"{ORDER}-R1", "10.00", "PAID")])
def draft_that_somebody_deleted(stack: OperatedStack) -> Steps:
    draft = draft_then_shipped(stack)
    stack.in_xero("POST", f"Invoices/{draft['InvoiceID']}", {"Status": "DELETED"})
    stack.notify_orders(sale())
    yield
    replay(stack)


@way(_C.ALREADY_PAID)
def invoice_that_somebody_paid_in_part(stack: OperatedStack) -> Steps:
    stack.xero.faults.append(Fault("refuse", "PUT", PAYMENTS, times=2, status=503))
    stack.notify_orders(sale(), minutes=1)  # the payment is tried again after a minute
    paid = {"Invoice": {"InvoiceID": invoice(stack)["InvoiceID"]}, "Account": {"Code": "090"}, "Date": "2026-11-23"}
    payment = stack.in_xero("PUT", "Payments", {**paid, "Amount": 6})
    stack.work()
    yield
    stack.in_xero("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    replay(stack)


@way(_C.CHANGED_IN_XERO, [(ORDER, "12.00", "AUTHORISED")], **UNPAID)
def invoice_that_somebody_moved_to_another_account(stack: OperatedStack) -> Steps:
    stack.charge(ORDER, "12.00")
    stack.notify_orders(sale())
    held = invoice(stack)
    moved = {name: held["LineItems"][0][name] for name in ("Description", "Quantity", "UnitAmount", "TaxType")}
    stack.in_xero("POST", f"Invoices/{held['InvoiceID']}", {"LineItems": [{**moved, "AccountCode": "205"}]})
    stack.pass_time(DAY + DAY / 4, every=DAY / 8)
    stack.notify_orders(sale("12.00", updated=stack.now))
    yield
    (change,) = stack.operate("drift", "list")["open"]
    assert change["differences"][0]["in_xero"] == "205"
    assert stack.operate("drift", "restore", change["document"], "--yes")["is_sent"]
    stack.work()
    assert invoice(stack)["LineItems"][0]["AccountCode"] == "200"
