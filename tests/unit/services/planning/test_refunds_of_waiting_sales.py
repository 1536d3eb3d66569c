"""Refunds whose sale waits for something itself: a person's approval, a charge, or Xero."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.planning.policy import Approval
from fakes.order_life import PAYING, SHIPPED
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

REVIEWED = replace(PAYING, approval=Approval.REVIEW)
WAITS = (TransactionState.RECORDED, WaitReason.WAITING_FOR_SALE)
MONEY_BACK = refund("T1", item_refund(OurPricePrincipal="-4.00"))


def state_after(connection: RefundingConnection, days: int) -> tuple[TransactionState, str]:
    connection.clock.advance(timedelta(days=days).total_seconds())
    record = connection.plan_refund("T1", posts=False)
    return record.state, record.reason


def test_refund_waits_for_an_approval_that_takes_weeks_and_is_entered_after_it() -> None:
    connection = RefundingConnection(SHIPPED, policy=REVIEWED)
    connection.refund(MONEY_BACK)
    assert state_after(connection, days=20) == WAITS
    assert "awaits your approval in Xero: invoice A" in connection.transaction("T1").remedy

    connection.xero.invoice("A")["Status"] = "AUTHORISED"
    connection.connection.worker.run("worker", connection.clock.now() + timedelta(minutes=1))
    assert connection.document("A").approved_by_person
    # Its payment may be on its way for a moment: that is no reason to fail now.
    assert state_after(connection, days=0) in (WAITS, (TransactionState.PLANNED, ""))
    for _ in range(3):
        connection.clock.advance(3600)
        connection.connection.worker.run("worker", connection.clock.now() + timedelta(minutes=1))

    assert connection.transaction("T1").state is TransactionState.PLANNED
    assert connection.xero.credit_note("A-RFT1")["Total"] == Decimal("4.00")


def test_refund_whose_sale_is_never_approved_fails_after_thirty_days() -> None:
    connection = RefundingConnection(SHIPPED, policy=REVIEWED)
    connection.refund(MONEY_BACK)

    assert state_after(connection, days=29) == WAITS
    assert state_after(connection, days=1) == (TransactionState.FAILED, FailureCode.REFUND_WITHOUT_SALE)
    assert "awaits your approval in Xero" in connection.transaction("T1").remedy


def test_refund_waits_as_long_as_its_order_waits_for_a_charge() -> None:
    connection = RefundingConnection(SHIPPED)
    order = connection.record()
    waiting = order.awaiting_charge(
        connection.clock.now() + timedelta(days=30), WaitReason.WAITING_FOR_LIABILITY, "", connection.clock.now()
    )
    connection.store.save([waiting])
    connection.refund(MONEY_BACK)

    assert state_after(connection, days=20) == WAITS
    assert "Order A waits until Amazon has charged all that it leaves open" in connection.transaction("T1").remedy
    connection.store.save([replace(connection.record().failed(FailureCode.TAX_LIABILITY_UNCLEAR, "Check it."))])
    assert state_after(connection, days=1) == (TransactionState.FAILED, FailureCode.REFUND_WITHOUT_SALE)


@pytest.mark.parametrize("state", [OrderState.RECORDED, OrderState.NOTICED])
def test_refund_does_not_fail_while_its_order_is_planned_after_such_a_wait(state: OrderState) -> None:
    connection = RefundingConnection(SHIPPED)
    connection.store.save([replace(connection.record(), state=state)])
    connection.refund(MONEY_BACK)

    assert state_after(connection, days=4) == WAITS
