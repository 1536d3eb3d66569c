"""What a refund has to count of an unpaid invoice whose change Xero refused: it states what it stated before."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds, InvoiceTotal, ReducedInvoice

HUNDRED, SEVENTY, THIRTY = Decimal(100), Decimal(70), Decimal(30)
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


def test_increase_by_what_has_shipped_takes_nothing_off_when_xero_refuses_it() -> None:
    half_shipped = DecidedRefunds().with_invoices_changed({"A": InvoiceTotal(HUNDRED, SEVENTY)}, THIRTY, ZERO)
    shipped = half_shipped.with_invoices_changed({"A": InvoiceTotal(SEVENTY, HUNDRED)}, ZERO, ZERO)

    restored = shipped.with_change_refused("A", SEVENTY)

    assert restored is not None
    assert decided(HUNDRED, restored).credited == HUNDRED


def test_only_what_the_refused_change_has_changed_is_taken_back() -> None:
    raised = REDUCED.with_invoices_changed({"A": InvoiceTotal(SEVENTY, HUNDRED)}, ZERO, ZERO)  # is in Xero
    raised = raised.with_invoices_changed({"A": InvoiceTotal(HUNDRED, HUNDRED + THIRTY)}, ZERO, ZERO)
    raised = raised.with_invoices_changed({"A": InvoiceTotal(HUNDRED + THIRTY, HUNDRED + SEVENTY)}, ZERO, ZERO)

    restored = raised.with_change_refused("A", HUNDRED)

    assert restored is not None
    assert restored.reduced == {"A": raised.reduced["A"].as_it_stated(HUNDRED)}
    assert decided(HUNDRED, restored).credited == HUNDRED
    assert restored.with_change_refused("A", HUNDRED) == restored


def test_change_of_a_row_that_does_not_say_what_was_before_takes_nothing_off() -> None:
    stored = DecidedRefunds(reduced={"A": ReducedInvoice(HUNDRED, ZERO)})

    assert stored.with_change_refused("A", SEVENTY) == DecidedRefunds(reduced={"A": ReducedInvoice(SEVENTY, ZERO)})


def test_invoice_that_was_never_reduced_changes_nothing() -> None:
    assert DecidedRefunds().with_change_refused("A", HUNDRED) == DecidedRefunds()
