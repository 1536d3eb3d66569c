"""What a refund has to count of an unpaid invoice whose reduction Xero refused: the invoice states it all again."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds, InvoiceTotal

HUNDRED, SEVENTY = Decimal(100), Decimal(70)
REDUCED = DecidedRefunds().with_invoices_changed({"A": InvoiceTotal(HUNDRED, SEVENTY)}, ZERO, ZERO)


def decided(refund: Decimal, of: DecidedRefunds) -> DecidedRefund:
    return DecidedRefund(refund, of.refund_to_credit(refund, ZERO))


def test_refund_after_a_reduction_that_xero_refused_is_credited_in_full() -> None:
    assert decided(HUNDRED, REDUCED).credited == SEVENTY

    restored = REDUCED.with_change_refused("A", HUNDRED)

    assert restored is not None
    assert decided(HUNDRED, restored).credited == HUNDRED


def test_reduction_that_a_refund_has_counted_cannot_be_taken_back() -> None:
    refunded = DecidedRefunds({"T1": decided(HUNDRED, REDUCED)}, reduced=REDUCED.reduced)

    assert refunded.with_change_refused("A", HUNDRED) is None


def test_increase_that_xero_refused_is_reduced_again() -> None:
    raised = REDUCED.with_invoices_changed({"A": InvoiceTotal(SEVENTY, HUNDRED)}, ZERO, ZERO)
    assert decided(HUNDRED, raised).credited == HUNDRED

    restored = raised.with_change_refused("A", SEVENTY)

    assert restored is not None
    assert decided(HUNDRED, restored).credited == SEVENTY


def test_invoice_that_was_never_reduced_changes_nothing() -> None:
    assert DecidedRefunds().with_change_refused("A", HUNDRED) == DecidedRefunds()
