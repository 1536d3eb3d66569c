"""Invoices that are paid but for what a credit note pays of them: however far posting has come, nothing stays open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.planning.policy import Approval
from fakes.books import POLICY
from fakes.order_life import PAYING, SHIPPED, OrderLife, cancelled, order_life, tea, version

STEPS = range(5)  # payment, credit note, allocation, cash refund, and none


def approved_by_a_person() -> OrderLife:
    life = order_life(replace(PAYING, approval=Approval.REVIEW), SHIPPED)
    life.approve()
    return life


def in_a_locked_period(shipped: dict[str, Any] = SHIPPED) -> OrderLife:
    life = order_life(POLICY, shipped)
    life.policy = replace(PAYING, lock_dates=LockDates.NEXT_OPEN_DAY)
    life.organisation = replace(life.organisation, period_lock=date(2026, 11, 20))
    return life


def credited_by_a_refund() -> OrderLife:
    life = order_life(POLICY, SHIPPED)
    life.policy = PAYING
    life.refund("1.00")
    return life


FROZEN = pytest.mark.parametrize("frozen", [approved_by_a_person, in_a_locked_period, credited_by_a_refund])


def open_amount(life: OrderLife) -> Decimal:
    """Return what Xero shows as due of the first invoice."""
    in_xero = life.in_xero
    paid = [
        each.body["Amount"]
        for each in in_xero.values()
        if each.kind in (DocumentKind.PAYMENT, DocumentKind.ALLOCATION) and "invoice#A" in each.references.values()
    ]
    return (in_xero["invoice A"].total or ZERO) - total(paid)


@FROZEN
@pytest.mark.parametrize("posted", STEPS)
@pytest.mark.parametrize("price", ["7.50", "0.50"])
def test_order_that_is_planned_again_in_the_middle_of_posting_leaves_nothing_of_its_invoice_open(
    frozen: Callable[[], OrderLife], posted: int, price: str
) -> None:
    undisturbed, life = frozen(), frozen()
    undisturbed.update(version(25, tea(price)))

    life.request(version(25, tea(price)))
    life.post(at_most=posted)
    life.request()
    life.post()

    assert life.summary == undisturbed.summary
    assert (open_amount(life), life.settled_total) == (ZERO, Decimal(price))
    assert "credit_note_refund A-A1" not in life.summary
    assert life.pending_changes() == []


@FROZEN
@pytest.mark.parametrize("posted", STEPS)
@pytest.mark.parametrize(
    "newer", [version(26, tea()), version(26, tea("9.00")), version(26, tea("4.00")), cancelled(26)]
)
def test_order_that_changes_in_the_middle_of_posting_leaves_nothing_of_its_invoice_open(
    frozen: Callable[[], OrderLife], posted: int, newer: dict[str, object]
) -> None:
    life = frozen()
    life.request(version(25, tea("7.50")))
    life.post(at_most=posted)

    life.update(newer)
    life.update(newer)

    assert open_amount(life) == ZERO
    assert life.settled_total == life.sales_total
    assert life.pending_changes() == []


@FROZEN
@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 4), st.booleans()), min_size=1, max_size=6))
def test_invoice_is_settled_to_the_cent_in_the_end_however_much_was_posted_in_between(
    frozen: Callable[[], OrderLife], versions: list[tuple[int, int, bool]]
) -> None:
    """Draw prices, how much of each plan is posted before the next, and whether the answers are lost."""
    life = frozen()
    for day, (pence, posted, is_lost) in enumerate(versions, start=25):
        life.request(version(day, tea(str(Decimal(pence) / 100))))
        life.post(posted, *([lambda _: True] if is_lost else []))
    for _ in range(8):
        life.post()
        life.request()
    life.post()

    assert open_amount(life) == ZERO
    netted = life.refunds.credited - life.refunds.netted.amount
    assert life.settled_total == life.sales_total - netted
    assert life.pending_changes() == []


def test_credit_note_that_a_payment_counts_on_moves_to_an_open_day_with_its_allocation() -> None:
    life = in_a_locked_period()
    life.request(version(25, tea("7.50")))
    life.post(at_most=1)

    life.organisation = replace(life.organisation, period_lock=date(2026, 12, 31))
    life.update({})

    days = [life.in_xero[name].body["Date"] for name in ("credit_note A-A1", "allocation A-A1")]
    assert days == ["2027-01-01", "2027-01-01"]
    assert (open_amount(life), life.pending_changes()) == (ZERO, [])


def test_corrected_line_of_an_invoice_that_is_paid_in_part_moves_to_an_open_day_as_a_pair() -> None:
    life = in_a_locked_period(version(1, tea("10.00", item_id="1"), tea("5.00", item_id="2")))
    life.enter(CorrectionKind.TAX_TYPE, "ZERORATEDOUTPUT", "1")
    life.request()
    # Xero was locked since: it refuses the invoice, and takes the payment of what the credit note leaves.
    life.documents["invoice#A-A1"] = life.documents["invoice#A-A1"].failed(FailureCode.PERIOD_LOCKED, "")
    life.post(at_most=1)
    assert life.summary["payment A"] == "5"

    life.organisation = replace(life.organisation, period_lock=date(2026, 12, 31))
    life.update({})

    pair = [life.in_xero[name] for name in ("invoice A-A1", "credit_note A-A1")]
    assert [each.body["Date"] for each in pair] == ["2027-01-01", "2027-01-01"]
    assert [sale_day(each) for each in pair] == [date(2026, 11, 21), date(2026, 11, 21)]
    assert (open_amount(life), life.pending_changes()) == (ZERO, [])
