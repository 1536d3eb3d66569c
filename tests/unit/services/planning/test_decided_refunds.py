"""What an order's refunds have to count, as it is stored: read again as it was, also from rows of earlier versions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds, NettedReductions, ReducedInvoice
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore, decided_refunds_cursor
from fakes.state import ManualClock, MemoryStateStore


def test_all_of_it_is_read_as_it_was_stored() -> None:
    store = DecidedRefundsStore(MemoryStateStore(ManualClock()))
    decided = DecidedRefunds(
        {"T1": DecidedRefund(D("10.00"), D("4.00"), "A-RF1"), "T2": DecidedRefund(D("2.50"), D(0))},
        netted=NettedReductions(D("1.50"), {"1:ITEM": D("1.50")}),
        reduced={
            "A": ReducedInvoice(D("70.00"), D("30.00"), ((D("100.00"), D(0)), (D("90.00"), D("10.00")))),
            "A-S2": ReducedInvoice(D("5.00"), D(0)),
        },
        reinstated={"A-A2": D("3.00")},
        unshipped=D("20.00"),
        voided_at=datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC),
        skipped=frozenset({"T3"}),
    )

    assert store.replace("A", DecidedRefunds(), decided)
    assert store.load("A") == decided


def test_row_of_an_earlier_version_does_not_say_what_an_invoice_stated_before() -> None:
    state = MemoryStateStore(ManualClock())
    state.save([Cursor(decided_refunds_cursor("A"), {"reduced#A": "70.00 30.00", "netted": "0"})])

    assert DecidedRefundsStore(state).load("A").reduced == {"A": ReducedInvoice(D("70.00"), D("30.00"))}
