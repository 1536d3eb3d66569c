"""What a burst costs: calls to Amazon and Xero, and units of DynamoDB, counted as `make bench` counts them."""

from __future__ import annotations

import pytest

from amazon_to_xero.adapters.dynamodb.rows import Row
from bench.costs import Cost, charges_read, late_orders_swept, orders_and_refunds, sales_confirmed
from bench.counted_table import CountedTable, Units

COUNT = 100


@pytest.fixture(scope="module")
def bursts() -> tuple[list[Cost], list[Cost]]:
    """Return the costs of three bursts of shipped orders, and those of their refunds."""
    return orders_and_refunds(COUNT, rounds=3)


def test_shipped_orders_cost_full_pages_and_full_batches(bursts: tuple[list[Cost], list[Cost]]) -> None:
    for cost in bursts[0]:
        assert cost.xero == {"createInvoices": 2, "createPayments": 2}
        assert cost.amazon == {"searchOrders": 1, "lwaToken": 1}


def test_refunds_of_paid_invoices_cost_full_pages_and_full_batches(bursts: tuple[list[Cost], list[Cost]]) -> None:
    for cost in bursts[1]:
        assert cost.xero == {"createCreditNotes": 2, "createPayments": 2}
        assert cost.amazon == {"listTransactions": 1, "lwaToken": 1}


def test_dynamodb_costs_the_same_for_each_order_and_refund_however_much_is_stored(
    bursts: tuple[list[Cost], list[Cost]],
) -> None:
    for costs, most in zip(bursts, (Units(18, 29, 11), Units(21, 27, 11)), strict=True):
        first, last = costs[0].units, costs[-1].units
        assert last.read == pytest.approx(first.read, rel=0.02)
        assert last.written == pytest.approx(first.written, rel=0.02)
        assert first.read <= most.read * COUNT
        assert first.written <= most.written * COUNT
        assert first.requests <= most.requests * COUNT


@pytest.mark.parametrize("by_sweep", [True, False])
def test_transactions_of_a_period_cost_one_call_for_each_full_page(by_sweep: bool) -> None:
    cost = charges_read(6_000, by_sweep=by_sweep)

    assert cost.amazon["listTransactions"] == 12
    assert cost.xero == {}


def test_first_sweep_of_late_orders_reads_their_charges_in_full_pages_and_writes_them_to_xero_once() -> None:
    cost = late_orders_swept(COUNT)

    assert cost.amazon == {"listTransactions": 1, "searchOrders": 2, "lwaToken": 1}
    assert cost.xero == {"createInvoices": 2, "createPayments": 2}


def test_charge_that_confirms_a_known_sale_costs_few_units_and_no_other_call() -> None:
    cost = sales_confirmed(COUNT)

    assert cost.xero == {}
    assert cost.amazon == {"listTransactions": 1, "lwaToken": 1}
    assert cost.units.read <= 3 * COUNT
    assert cost.units.written <= 3 * COUNT


# --- the units that DynamoDB charges ----------------------------------------------------------------------------------


def test_item_costs_a_write_unit_for_each_kilobyte_and_one_for_each_entry_of_an_index() -> None:
    table = CountedTable()
    large = "x" * 2000
    table.put([Row("ORDER#1", 1, large, due="main#orders", next_attempt_at="2026-11-02")])
    assert table.units == Units(0, 3 + 1, 1)

    table.put([Row("ORDER#1", 2, large, due="main#orders", next_attempt_at="2026-11-03")])
    assert table.units == Units(0, 4 + 3 + 2, 2)

    table.put([Row("ORDER#1", 3, "{}")])
    assert table.units == Units(0, 9 + 3 + 1, 3)


def test_write_that_another_writer_was_faster_than_costs_as_much_and_changes_nothing() -> None:
    table = CountedTable()
    table.put([Row("ORDER#1", 1)])

    assert table.put([Row("ORDER#1", 1, "x" * 3000)]) == [False]

    assert table.units == Units(0, 1 + 3, 2)
    assert [row.data for row in table.get(["ORDER#1"])] == ["{}"]


def test_reads_cost_a_unit_for_each_row_and_half_a_unit_for_a_query() -> None:
    table = CountedTable()
    table.put([Row(f"ORDER#{n}", 1, due="main#orders", next_attempt_at=f"2026-11-{n:02}") for n in (3, 1, 2)])
    written = table.units

    assert [row.sk for row in table.get(["ORDER#1", "ORDER#9"])] == ["ORDER#1"]
    assert table.due("main#orders", "2026-11-02", 10) == ["ORDER#1", "ORDER#2"]
    assert table.first_due("main#orders") == "2026-11-01"

    assert table.units.minus(written) == Units(2 + 0.5 + 0.5, 0, 3)
