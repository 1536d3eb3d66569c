"""Many refunds are planned with as few reads of the table as a few, and see each other's decisions nevertheless."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.services.planning.decided_refunds import decided_refunds_cursor
from amazon_to_xero.services.planning.loaded_together import LoadedTogether
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING
from fakes.orders import item, order
from fakes.refunds import item_refund, refund
from fakes.state import NOON, ManualClock, MemoryStateStore

HOUR = timedelta(hours=1)
POLICY = replace(PAYING, start=NOON - timedelta(days=30))


def sold(*order_ids: str) -> FakeConnection:
    """Return a connection whose orders of GBP 10.00 are invoiced and paid."""
    connection = FakeConnection(
        *(order(item("10.00"), order_id=each, grand_total="10.00") for each in order_ids), policy=POLICY
    )
    connection.xero.settings = ORGANISATION_WITH_CLEARING
    named = connection.sweep().due
    connection.plan_shipments(*named)
    connection.post()
    return connection


def refunded(connection: FakeConnection, transactions: Sequence[dict[str, Any]]) -> int:
    """Amazon posts these refunds; they are planned. Return how many reads of the table that took."""
    connection.amazon.transactions = list(transactions)
    named = connection.sweep_transactions().due
    before = connection.store.table.reads
    connection.plan_refunds(*named)
    return connection.store.table.reads - before


def ten_pounds(transaction_id: str, order_id: str, amount: str = "-10.00") -> dict[str, Any]:
    items = item_refund(OurPricePrincipal=amount)
    return refund(transaction_id, items, order_id=order_id, posted=NOON - HOUR)


def test_sixty_refunds_are_planned_with_as_many_reads_as_two() -> None:
    reads = []
    for count in (2, 60):
        ids = [f"206-{number:07}-0000000" for number in range(count)]
        connection = sold(*ids)
        reads.append(refunded(connection, [ten_pounds(f"R{each}", each) for each in ids]))
        assert {connection.transaction(f"R{each}").state for each in ids} == {TransactionState.PLANNED}

    assert reads[0] == reads[1]


def test_hundred_refunds_of_few_orders_are_planned_with_as_many_reads_as_those_of_as_many_orders() -> None:
    reads = []
    for orders in (100, 20, 1):
        ids = [f"206-{number:07}-0000000" for number in range(orders)]
        connection = sold(*ids)
        refunds = [ten_pounds(f"{number:08}", ids[number % orders], "-0.10") for number in range(100)]
        reads.append(refunded(connection, refunds))
        assert {connection.transaction(each["transactionId"]).state for each in refunds} == {TransactionState.PLANNED}

    assert reads == [reads[0]] * 3


def test_refunds_of_one_order_that_are_read_together_credit_what_each_gave_back() -> None:
    connection = sold("A")

    refunded(connection, [ten_pounds("R1", "A", "-6.00"), ten_pounds("R2", "A", "-4.00")])
    connection.post()

    assert sorted(note["Total"] for note in connection.xero.books["CreditNotes"].values()) == [Decimal(4), Decimal(6)]
    decided = connection.store.cursor(decided_refunds_cursor("A")).data
    assert {name: text.split()[:2] for name, text in decided.items() if name.startswith("transaction#")} == {
        "transaction#R1": ["6.00", "6.00"],
        "transaction#R2": ["4.00", "4.00"],
    }


# --- what they load together ------------------------------------------------------------------------------------------


@pytest.fixture
def store() -> MemoryStateStore:
    stored = MemoryStateStore(ManualClock())
    stored.save([Cursor("a", {"is": "1"}), Cursor("b", {"is": "1"})])
    return stored


def expecting(store: MemoryStateStore, *names: str) -> LoadedTogether:
    together = LoadedTogether(store)
    for name in names:
        together.expect(Cursor, name)
    return together


def test_expected_records_are_loaded_in_one_call_also_those_that_do_not_exist(store: MemoryStateStore) -> None:
    together = expecting(store, "a", "b", "c")

    assert [together.cursor(name).data for name in ("a", "b", "c")] == [{"is": "1"}, {"is": "1"}, {}]

    assert store.table.reads == 1


def test_records_that_nobody_expected_are_loaded_each_time(store: MemoryStateStore) -> None:
    together = expecting(store, "a")

    assert together.load(Cursor, ["a", "b"]).keys() == {"a", "b"}
    store.save([Cursor("b", {"is": "2"}, 1)])

    assert together.cursor("b").data == {"is": "2"}


def test_save_is_seen_by_the_next_load(store: MemoryStateStore) -> None:
    together = expecting(store, "a")
    together.save([Cursor("a", {"is": "2"}, together.cursor("a").generation)])

    assert (together.cursor("a").data, together.cursor("a").generation) == ({"is": "2"}, 2)
    assert store.table.reads == 1


def test_record_that_another_writer_changed_is_not_saved_and_then_loaded_anew(store: MemoryStateStore) -> None:
    together = expecting(store, "a")
    held = together.cursor("a")
    store.save([Cursor("a", {"is": "2"}, 1)])

    assert together.save([Cursor("a", {"is": "3"}, held.generation)]) == {}

    assert together.cursor("a").data == {"is": "2"}


def test_next_chunk_loads_its_records_anew(store: MemoryStateStore) -> None:
    together = expecting(store, "a")
    together.cursor("a")
    store.save([Cursor("a", {"is": "2"}, 1)])
    together.expect(Cursor, "a")

    assert together.cursor("a").data == {"is": "2"}
