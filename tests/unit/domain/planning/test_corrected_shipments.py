"""Orders with an invoice for each shipment, of which a person states the day of one shipment or of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.numbering import moved_number, shipment_invoice_number
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.money import total
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.planning.retaxed import signed_lines
from fakes.books import POLICY
from fakes.order_life import (
    ORGANISATION_WITH_CLEARING,
    PAYING,
    PER_SHIPMENT,
    SHIPPED,
    OrderLife,
    cancelled,
    order_life,
    tea,
    version,
)

D = Decimal
K = CorrectionKind
UNPAID = replace(POLICY, invoice_per=InvoicePer.SHIPMENT)
OPEN_DAYS = replace(PER_SHIPMENT, lock_dates=LockDates.NEXT_OPEN_DAY)


def mugs(quantity: int = 2, sent: int = 2, price: str = "") -> dict[str, Any]:
    """Return mugs at 5.00 each, of which so many have shipped."""
    fulfilment = {"quantityFulfilled": sent, "quantityUnfulfilled": quantity - sent}
    return tea(price or str(5 * quantity) + ".00", quantity=quantity) | {"fulfillment": fulfilment}


def two_shipments(policy: PostingPolicy = PER_SHIPMENT) -> OrderLife:
    """Return an order of two mugs that shipped on 2 and 3 November: invoices A and A-S2 of 5.00 each."""
    life = order_life(policy, version(1, mugs(sent=1), status="PARTIALLY_SHIPPED"), version(2, mugs()))
    assert sold_on(life) == {"2026-11-02": D(5), "2026-11-03": D(5)}
    return life


def sold_on(life: OrderLife) -> dict[str, Decimal]:
    """Return what the documents in Xero state of the mugs on each day."""
    return life.amounts_by(lambda document, _: sale_day(document).isoformat())


# --- before payment ---------------------------------------------------------------------------------------------------


def test_open_invoice_of_the_named_shipment_moves_to_its_day_and_back() -> None:
    life = two_shipments(UNPAID)

    life.correct(K.DATE, "2026-11-07", "shipment 2")
    moved = sold_on(life)
    life.correct(K.WITHDRAW, "1")

    assert moved == {"2026-11-02": D(5), "2026-11-07": D(5)}
    assert sold_on(life) == {"2026-11-02": D(5), "2026-11-03": D(5)}
    assert life.summary.keys() == {"invoice A", "invoice A-S2"}


# --- after payment ----------------------------------------------------------------------------------------------------


def test_paid_shipment_moves_by_a_credit_note_and_an_invoice_under_its_own_number() -> None:
    life = two_shipments()

    life.correct(K.DATE, "2026-11-07", "shipment 2")

    assert life.summary == {
        "invoice A": "AUTHORISED 5.00",
        "payment A": "5",
        "invoice A-S2": "AUTHORISED 5.00",
        "payment A-S2": "5",
        "credit_note A-S2-D1": "AUTHORISED 5.00",
        "credit_note_refund A-S2-D1": "5",
        "invoice A-S2-D1": "AUTHORISED 5.00",
        "payment A-S2-D1": "5",
    }
    assert life.in_xero["credit_note A-S2-D1"].body["Date"] == "2026-11-03"
    assert life.in_xero["invoice A-S2-D1"].body["Date"] == "2026-11-07"
    assert life.pending_changes() == []


def test_only_shipment_is_shipment_1() -> None:
    life = order_life(PER_SHIPMENT, SHIPPED)

    life.correct(K.DATE, "2026-10-31", "shipment 1")

    assert life.in_xero["invoice A-D1"].body["Date"] == "2026-10-31"


def test_withdrawn_day_of_a_paid_shipment_is_taken_back() -> None:
    life = two_shipments()
    life.correct(K.DATE, "2026-11-07", "shipment 2")

    life.correct(K.WITHDRAW, "1")

    assert sold_on(life) == {"2026-11-02": D(5), "2026-11-03": D(5)}
    assert "invoice A-S2-D2" in life.in_xero
    assert life.pending_changes() == []


def test_both_shipments_move_at_once_each_to_its_day() -> None:
    life = two_shipments()
    life.enter(K.DATE, "2026-11-06", "shipment 1")

    life.correct(K.DATE, "2026-11-07", "shipment 2")

    assert sold_on(life) == {"2026-11-06": D(5), "2026-11-07": D(5)}
    assert {"credit_note A-D1", "credit_note A-S2-D1"} <= life.in_xero.keys()
    assert life.pending_changes() == []


def test_shipment_that_is_stated_again_moves_on_from_where_it_is() -> None:
    life = two_shipments()
    life.correct(K.DATE, "2026-11-07", "shipment 1")

    life.correct(K.DATE, "2026-11-08", "shipment 1")

    assert sold_on(life) == {"2026-11-03": D(5), "2026-11-08": D(5)}
    assert life.in_xero["credit_note A-D2"].body["Date"] == "2026-11-07"


def test_shipment_that_follows_later_keeps_its_own_day() -> None:
    life = order_life(PER_SHIPMENT, version(1, mugs(sent=1), status="PARTIALLY_SHIPPED"))
    life.correct(K.DATE, "2026-11-07", "shipment 1")

    life.update(version(4, mugs()))

    assert sold_on(life) == {"2026-11-05": D(5), "2026-11-07": D(5)}
    assert life.pending_changes() == []


def test_what_amazon_changes_later_is_of_the_day_of_the_change() -> None:
    life = two_shipments()
    life.correct(K.DATE, "2026-11-07", "shipment 2")

    life.update(version(12, mugs(price="8.00")))

    assert sold_on(life) == {"2026-11-02": D(5), "2026-11-07": D(5), "2026-11-13": D(-2)}
    assert life.pending_changes() == []


def test_reduction_stays_with_the_shipment_whose_day_nobody_has_stated() -> None:
    life = two_shipments()
    life.update(version(5, mugs(price="6.00")))

    life.correct(K.DATE, "2026-11-07", "shipment 2")

    assert sold_on(life) == {"2026-11-02": D(5), "2026-11-06": D(-4), "2026-11-07": D(5)}
    assert life.pending_changes() == []


def test_reduction_of_shipments_that_move_stays_on_the_day_that_they_leave() -> None:
    life = two_shipments()
    life.update(version(5, mugs(price="6.00")))
    life.enter(K.DATE, "2026-11-08", "shipment 1")

    life.correct(K.DATE, "2026-11-07", "shipment 2")

    # The reduction of 4.00 is taken to be of the first shipment: 1.00 of it moves
    assert sold_on(life) == {"2026-11-02": D(4), "2026-11-06": D(-4), "2026-11-07": D(5), "2026-11-08": D(1)}
    assert life.pending_changes() == []


def test_moved_order_that_is_cancelled_is_credited_in_full() -> None:
    life = two_shipments()
    life.correct(K.DATE, "2026-11-07", "shipment 2")

    life.update(cancelled(14))

    assert life.invoiced_total == D(0)
    assert life.pending_changes() == []


def test_credit_note_of_a_shipment_that_nobody_has_paid_is_allocated_to_its_own_invoice() -> None:
    life = order_life(UNPAID, version(1, mugs(3, sent=2), status="PARTIALLY_SHIPPED"), version(2, mugs(3, sent=3)))
    life.refund("1.00")  # of invoice A; from then on Xero refuses to change the invoices

    life.correct(K.DATE, "2026-11-07", "shipment 2")

    allocation = life.documents["allocation#A-S2-D1"].desired
    assert allocation.references["Invoice.InvoiceID"] == "invoice#A-S2"  # although A has enough left for it, too
    assert sold_on(life)["2026-11-07"] == D(5)
    assert life.pending_changes() == []


def test_line_of_a_moved_shipment_is_corrected_too() -> None:
    life = two_shipments()
    life.enter(K.TAX_TYPE, "ZERORATEDOUTPUT")

    life.correct(K.DATE, "2026-11-07", "shipment 2")

    moved = [life.in_xero[f"{kind} A-S2-D1"] for kind in ("invoice", "credit_note")]
    taxed = {line.tax_type for desired in moved for line in signed_lines(desired)}
    assert taxed == {"ZERORATEDOUTPUT"}
    assert sold_on(life)["2026-11-07"] == D(5)
    assert life.pending_changes() == []


def test_move_into_a_locked_period_is_dated_on_the_first_open_day_and_stays_there() -> None:
    life = two_shipments(OPEN_DAYS)
    life.organisation = replace(ORGANISATION_WITH_CLEARING, period_lock=date(2026, 10, 31))

    life.correct(K.DATE, "2026-10-15", "shipment 1")

    moved = life.in_xero["invoice A-D1"]
    assert (moved.body["Date"], sale_day(moved)) == ("2026-11-01", date(2026, 10, 15))
    assert life.pending_changes() == []


def test_order_that_was_moved_while_it_had_one_shipment_moves_back_with_its_first() -> None:
    life = order_life(replace(PER_SHIPMENT, invoice_per=InvoicePer.ORDER), version(1, mugs(sent=1)))
    life.correct(K.DATE, "2026-11-07")
    assert "credit_note A-A1" in life.in_xero
    life.policy = PER_SHIPMENT

    life.correct(K.WITHDRAW, "1")

    assert sold_on(life) == {"2026-11-02": D(10)}
    assert life.pending_changes() == []


# --- days that cannot be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "line", "problem"),
    [
        (
            PER_SHIPMENT,
            "",
            "an invoice for each of its shipments. State the day of one of them: shipment 1, shipment 2",
        ),
        (PER_SHIPMENT, "shipment 3", "the order has no such shipment; it has shipment 1, shipment 2 so far"),
        (PAYING, "shipment 1", "the order has one invoice, so its day is stated without a shipment"),
    ],
)
def test_day_of_which_it_is_not_clear_what_it_is_of_fails_with_what_there_is(
    policy: PostingPolicy, line: str, problem: str
) -> None:
    life = order_life(policy, version(1, mugs(sent=1), status="PARTIALLY_SHIPPED"), version(2, mugs()))

    with pytest.raises(Failure, match=problem):
        life.correct(K.DATE, "2026-11-07", line)


def test_order_without_shipments_is_a_draft_of_the_stated_day() -> None:
    life = order_life(PER_SHIPMENT, version(0, mugs(), status="UNSHIPPED"))

    life.correct(K.DATE, "2026-11-07")

    assert life.in_xero["invoice A"].body["Date"] == "2026-11-07"


# --- properties -------------------------------------------------------------------------------------------------------

DAYS = st.sampled_from(["2026-10-31", "2026-11-03", "2026-11-20"])
STEP = st.one_of(
    st.tuples(st.just("state"), DAYS, st.sampled_from(["shipment 1", "shipment 2"])),
    st.tuples(st.just("withdraw"), st.integers(0, 5), st.none()),
    st.tuples(st.just("price"), st.integers(1, 30), st.none()),
    st.tuples(st.just("account"), st.sampled_from(["205", "206"]), st.none()),
    st.tuples(st.just("lose"), st.sampled_from(list(DocumentKind)), st.none()),
)


@given(st.lists(STEP, min_size=1, max_size=8), st.sampled_from([PER_SHIPMENT, UNPAID]))
def test_each_shipment_is_on_its_day_whatever_else_changes(steps: list[Any], policy: PostingPolicy) -> None:
    life = two_shipments(policy)
    for day, (action, first, second) in enumerate(steps, 3):
        if action == "state":
            life.correct(K.DATE, first, second)
        elif action == "withdraw" and life.corrections.in_force:
            applying = life.corrections.in_force
            life.correct(K.WITHDRAW, str(applying[first % len(applying)].number))
        elif action == "price":
            life.update(version(day, mugs(price=f"{first}.00")))
        elif action == "account":
            life.correct(K.ACCOUNT, first)
        elif action == "lose":
            life.request()
            life.post(1, partial(is_of_kind, first))
            life.post()
    life.update({})

    assert life.invoiced_total == life.sales_total
    assert life.pending_changes() == []
    assert left_on_other_days(life) == []


def is_of_kind(kind: DocumentKind, document: Document) -> bool:
    return document.kind is kind


def left_on_other_days(life: OrderLife) -> list[str]:
    """Return the shipments of which something is left on another day than the one that applies."""
    lost = max(D(0), D(10) - life.sales_total)
    on_days = life.amounts_by(lambda document, _: (moved_number(document.number), sale_day(document)))
    wrong = []
    for place, sale in enumerate(life.sales):
        number = shipment_invoice_number("A", place)
        elsewhere = total(
            amount for (of_number, day), amount in on_days.items() if of_number == number and day != sale.booked_on
        )
        if sale.is_day_corrected and elsewhere > lost:
            wrong.append(f"{number}: {elsewhere} is not on {sale.booked_on}")
    return wrong
