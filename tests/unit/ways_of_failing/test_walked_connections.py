"""A refused connection is found by `status`; once a person has cured it, what waited is entered by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.failures import FailureCode, remedy_of
from fakes.orders import item, order
from fakes.refunds import item_refund, refund
from sandbox.wire import Fault
from unit.ways_of_failing.operated_stack import OperatedStack
from unit.ways_of_failing.way import ORDER, PAID, sale

_C = FailureCode
PAUSE = timedelta(minutes=16)
OTHER_TENANT = "00000000-0000-4000-8000-00000000000f"
FORBIDDEN = json.dumps({"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"})
WITHOUT_SCOPE = Fault(
    "refuse",
    path="/api.xro/2.0/Payments",
    times=10**6,
    status=403,
    body=FORBIDDEN,
    content_type="application/problem+json; charset=utf-8",
)
CREDITED = [*PAID, (f"{ORDER}-RFR1", "4.00", "PAID")]


@dataclass(frozen=True)
class Refusal:
    """What refuses the connection, and what a person does about it.

    waits: the documents of the order that are in Xero meanwhile.
    refund: whether the order is refunded, too.
    """

    code: FailureCode
    service: str
    begin: Callable[[OperatedStack], Any]
    cure: Callable[[OperatedStack], Any]
    waits: tuple[tuple[str, str, str], ...] = ()
    refund: bool = False


def revoke(stack: OperatedStack) -> None:
    stack.amazon.login.revoke_access_tokens()
    stack.amazon.login.revoke_authorisation()


def of_tenant(tenant_id: str) -> Callable[[OperatedStack], None]:
    return lambda stack: stack.correct_settings({"xero": {"tenant_id": tenant_id or stack.xero.tenant_id}})


REFUSALS = [
    Refusal(
        _C.XERO_NOT_AUTHORISED,
        "xero",
        lambda stack: setattr(stack.xero.identity, "is_connected", False),
        lambda stack: setattr(stack.xero.identity, "is_connected", True),
    ),
    Refusal(
        _C.XERO_OPERATION_REFUSED,
        "xero#payment",
        lambda stack: stack.xero.faults.append(WITHOUT_SCOPE),
        lambda stack: stack.xero.faults.clear(),
        waits=((ORDER, "10.00", "AUTHORISED"),),
    ),
    Refusal(_C.XERO_TENANT_CHANGED, "xero", of_tenant(OTHER_TENANT), of_tenant("")),
    Refusal(_C.AMAZON_NOT_AUTHORISED, "amazon", revoke, lambda stack: stack.amazon.login.authorise()),
    Refusal(
        _C.AMAZON_OPERATION_REFUSED,
        "amazon#listTransactions",
        lambda stack: stack.amazon.refusals.operations.append("listTransactions"),
        lambda stack: stack.amazon.refusals.operations.clear(),
        waits=tuple(PAID),
        refund=True,
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: str(each.code))
def test_refused_connection_is_found_by_status_and_continues_once_it_is_cured(
    monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    stack = OperatedStack(monkeypatch)
    stack.notify_orders(order(item("5.00"), grand_total="5.00", order_id="204-0000008-0000008"))

    refusal.begin(stack)
    stack.notify_orders(sale())
    if refusal.refund:
        back = item_refund(OurPricePrincipal="-4.00")
        stack.notify_transactions(refund("R1", back, order_id=ORDER, posted=stack.clock.now()))

    answer = stack.operate("status")
    (stated,) = answer["connections"]
    assert (answer.exit_code, stated["needs_a_person"]) == (1, True)
    assert stated["refusals"][refusal.service] == refusal.code
    assert remedy_of(refusal.code) in stack.shown("status")
    assert stack.in_books(ORDER) == list(refusal.waits)
    assert stack.operate("failed")["failed"] == []  # nothing is lost: it waits

    refusal.cure(stack)
    stack.pass_time(8 * PAUSE, every=PAUSE)

    assert stack.in_books(ORDER) == (CREDITED if refusal.refund else PAID)
    assert stack.operate("status")["connections"][0]["refusals"] == {}
