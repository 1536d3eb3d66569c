"""Rows of one connection: of two writers one wins, what is due is found, and a lease has one holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import NewerSchema, Row, RowStateStore
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.state import (
    DOCUMENTS,
    FAILED_DOCUMENTS,
    FAILED_SOURCES,
    UNKNOWN_DOCUMENTS,
    Cursor,
    Watched,
)
from fakes.state import NOON, ManualClock, MemoryStateStore

TIME = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.fixture
def store() -> MemoryStateStore:
    return MemoryStateStore(ManualClock())


# --- concurrent writers -----------------------------------------------------------------------------------------------


def test_of_two_writers_of_one_row_the_second_loses(store: MemoryStateStore) -> None:
    (read,) = store.save([OrderRecord("A")]).values()

    assert store.save([replace(read, digest="first"), OrderRecord("B")]).keys() == {"A", "B"}
    assert store.save([replace(read, digest="second"), OrderRecord("C")]).keys() == {"C"}
    assert store.load(OrderRecord, ["A"])["A"].digest == "first"


def test_existing_row_is_not_created_again(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A", digest="kept")])

    assert store.save([OrderRecord("A")]) == {}
    assert store.load(OrderRecord, ["A"])["A"].digest == "kept"


def test_cursor_that_another_writer_changed_is_not_overwritten(store: MemoryStateStore) -> None:
    assert store.cursor("x") == Cursor("x")
    (first,) = store.save([Cursor("x", {"a": "1"})]).values()

    assert store.save([Cursor("x", {"a": "2"})]) == {}
    assert store.cursor("x") == first == Cursor("x", {"a": "1"}, 1)


def test_records_of_different_types_with_one_key_are_different_rows(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A")])
    store.save([Cursor("A", {"a": "1"})])

    assert store.load(OrderRecord, ["A"])["A"] == OrderRecord("A", generation=1)
    assert store.cursor("A") == Cursor("A", {"a": "1"}, 1)


def test_only_existing_records_are_loaded_each_once(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A")])

    assert store.load(OrderRecord, ["A", "B", "A"]).keys() == {"A"}
    assert store.load(OrderRecord, []) == {}


# --- what is due ------------------------------------------------------------------------------------------------------


@given(st.lists(TIME, min_size=1, max_size=12, unique=True), TIME)
def test_due_records_are_found_earliest_first_to_the_microsecond(times: list[datetime], now: datetime) -> None:
    store = MemoryStateStore(ManualClock())
    store.save([OrderRecord(str(number), next_attempt_at=at) for number, at in enumerate(times)])

    expected = [str(times.index(at)) for at in sorted(times) if at <= now]
    assert store.due(ORDERS, now, 99) == expected
    assert store.due(ORDERS, now, 3) == expected[:3]
    assert store.due(DOCUMENTS, now, 99) == []


def test_each_capability_has_its_own_due_queue(store: MemoryStateStore) -> None:
    to_read = OrderRecord("A", next_attempt_at=NOON)
    to_plan = OrderRecord("B").to_be_planned(SHIPMENTS, NOON)
    store.save([to_read, to_plan])

    assert (store.due(ORDERS, NOON, 9), store.due(SHIPMENTS, NOON, 9)) == (["A"], ["B"])
    # When a change notice arrives for the order to be planned, it is read first and leaves the queue of shipments
    noticed = store.load(OrderRecord, ["B"])["B"].noticed(NOON, NOON)
    assert noticed is not None
    store.save([noticed])
    assert (store.due(ORDERS, NOON, 9), store.due(SHIPMENTS, NOON, 9)) == (["A", "B"], [])


def test_documents_have_one_due_queue_whatever_their_capability(store: MemoryStateStore) -> None:
    desired = DesiredDocument(DocumentKind.INVOICE, "A", {}, "order#A", capability=SHIPMENTS)
    store.save([Document(desired, next_attempt_at=NOON)])

    assert (store.due(DOCUMENTS, NOON, 9), store.due(SHIPMENTS, NOON, 9)) == (["invoice#A"], [])


def test_record_that_is_no_longer_due_leaves_the_index(store: MemoryStateStore) -> None:
    (record,) = store.save([OrderRecord("A", next_attempt_at=NOON)]).values()
    store.save([replace(record, next_attempt_at=None)])

    assert store.due(ORDERS, NOON + timedelta(days=1), 9) == []


def test_due_records_of_another_connection_are_not_found(store: MemoryStateStore) -> None:
    another = RowStateStore("another", store.table, CODECS)
    another.save([OrderRecord("A", next_attempt_at=NOON)])

    assert (store.due(ORDERS, NOON, 9), another.due(ORDERS, NOON, 9)) == ([], ["A"])


# --- what a person should see -----------------------------------------------------------------------------------------


def invoice(number: str, state: DocumentState = DocumentState.FAILED, reason: str = "PERIOD_LOCKED") -> Document:
    return Document(DesiredDocument(DocumentKind.INVOICE, number, {}, "order#A"), state=state, reason=reason)


def test_failed_records_are_found_by_reason_in_the_group_of_their_type(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A").failed(FailureCode.TAX_UNMAPPED, "Add a rule.")])
    store.save([OrderRecord("B").failed(FailureCode.ACCOUNT_UNMAPPED, "Set the account."), OrderRecord("C")])
    store.save([invoice("A"), invoice("B", DocumentState.UNKNOWN, "OUTCOME_UNKNOWN")])
    store.save([invoice("C", DocumentState.DEFERRED, "XERO_PAUSED"), invoice("D", DocumentState.APPLIED, "")])

    assert store.watched(FAILED_SOURCES, 9) == [
        Watched("ORDER#B", "ACCOUNT_UNMAPPED"),
        Watched("ORDER#A", "TAX_UNMAPPED"),
    ]
    assert store.watched(FAILED_DOCUMENTS, 9) == [Watched("DOCUMENT#invoice#A", "PERIOD_LOCKED")]
    assert store.watched(UNKNOWN_DOCUMENTS, 9) == [Watched("DOCUMENT#invoice#B", "OUTCOME_UNKNOWN")]


def test_record_that_is_no_longer_failed_leaves_the_index(store: MemoryStateStore) -> None:
    (failed,) = store.save([OrderRecord("A").failed(FailureCode.TAX_UNMAPPED, "Add a rule.")]).values()
    noticed = failed.noticed(NOON, NOON)
    assert noticed is not None

    # A notice alone corrects nothing: the order is to be read, and still failed
    (noticed,) = store.save([noticed]).values()
    assert store.due(ORDERS, NOON, 9) == ["A"]
    assert store.watched(FAILED_SOURCES, 9) == [Watched("ORDER#A", "TAX_UNMAPPED")]
    store.save([noticed.settled(OrderState.PLANNED)])

    assert store.watched(FAILED_SOURCES, 9) == []


def test_failed_record_is_found_years_after_its_dead_letter_expired(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A").failed(FailureCode.TAX_UNMAPPED, "Add a rule.")])

    assert store.due(ORDERS, NOON + timedelta(days=3650), 9) == []
    assert store.watched(FAILED_SOURCES, 9) == [Watched("ORDER#A", "TAX_UNMAPPED")]


@given(st.integers(1, 12), st.integers(1, 5))
def test_pages_of_watched_records_hold_each_record_once(failed: int, size: int) -> None:
    store = MemoryStateStore(ManualClock())
    store.save([invoice(str(number), reason=f"R{number % 3}") for number in range(failed)])

    pages, last = [], None
    while page := store.watched(FAILED_DOCUMENTS, size, last):
        pages.append(page)
        last = page[-1]

    assert [each for page in pages for each in page] == store.watched(FAILED_DOCUMENTS, 99)
    assert {len(page) for page in pages[:-1]} <= {size}


def test_failed_records_of_another_connection_are_not_found(store: MemoryStateStore) -> None:
    another = RowStateStore("another", store.table, CODECS)
    another.save([OrderRecord("A").failed(FailureCode.TAX_UNMAPPED, "Add a rule.")])

    assert store.watched(FAILED_SOURCES, 9) == []
    assert another.watched(FAILED_SOURCES, 9) == [Watched("ORDER#A", "TAX_UNMAPPED")]


def test_record_that_failed_under_an_older_version_is_found_once_it_is_written_again(store: MemoryStateStore) -> None:
    store.table.rows["ORDER#A"] = Row("ORDER#A", 1, state="FAILED", reason="TAX_UNMAPPED")
    assert store.watched(FAILED_SOURCES, 9) == []

    store.save([store.load(OrderRecord, ["A"])["A"]])

    assert store.watched(FAILED_SOURCES, 9) == [Watched("ORDER#A", "TAX_UNMAPPED")]


def test_row_that_is_neither_failed_nor_unknown_costs_nothing_in_the_index(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A", state=OrderState.RECORDED, reason="WAITING_FOR_OUTCOME", next_attempt_at=NOON)])
    states = [state for state in DocumentState if state not in (DocumentState.FAILED, DocumentState.UNKNOWN)]
    store.save([invoice(state, state) for state in states])

    assert {row.watched for row in store.table.rows.values()} == {""}


# --- schema versions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "prefix"), [(OrderRecord, "ORDER"), (Document, "DOCUMENT"), (Cursor, "CURSOR")])
def test_row_of_a_newer_schema_is_refused_with_its_key_and_both_versions(
    store: MemoryStateStore, kind: type[OrderRecord | Document | Cursor], prefix: str
) -> None:
    known = CODECS[kind].schema
    row = Row(f"{prefix}#invoice#A", 1, schema=known + 1)
    store.table.rows[row.sk] = row

    with pytest.raises(NewerSchema) as caught:
        store.load(kind, ["invoice#A"])

    assert f"{prefix}#invoice#A has schema {known + 1}" in str(caught.value)
    assert f"knows {known}" in str(caught.value)
    assert "Deploy the newer version" in str(caught.value)


def test_saved_row_has_the_schema_of_its_codec(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A")])

    assert store.table.rows["ORDER#A"].schema == CODECS[OrderRecord].schema


# --- leases -----------------------------------------------------------------------------------------------------------


def test_lease_has_one_holder_until_it_is_released_or_expires(store: MemoryStateStore) -> None:
    minute = timedelta(minutes=1)
    first = store.acquire("work", "w1", NOON, NOON + minute)
    assert first is not None
    assert store.acquire("work", "w2", NOON + minute / 2, NOON + 2 * minute) is None
    assert store.acquire("other work", "w2", NOON, NOON + minute) is not None

    store.release(first)
    second = store.acquire("work", "w2", NOON + minute / 2, NOON + minute)
    assert second is not None
    # It expires, and its former holder cannot release the lease of the next one
    third = store.acquire("work", "w3", NOON + minute, NOON + 2 * minute)
    assert third is not None
    store.release(second)
    assert store.acquire("work", "w4", NOON + minute, NOON + 2 * minute) is None
    assert first.generation < second.generation < third.generation
