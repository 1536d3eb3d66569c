"""What is stored comes back exactly: every field, every cent; and two writers of one row can never both win."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.adapters.dynamodb.rows import RowStateStore
from amazon_to_xero.domain.amazon.order_record import NextStep, OrderRecord, OrderState
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.ports.state import Conflict, Cursor
from fakes.booked import asked_for
from fakes.orders import CA, breakdown, item, order
from fakes.state import NOON, ManualClock, MemoryStateStore

TEXT = st.text(max_size=20)
NAME = st.text(min_size=1, max_size=20)
TIME = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
AMOUNT = st.decimals(-999_999_999, 999_999_999, places=4, allow_nan=False)
COUNT = st.integers(0, 10_000)

LINE = st.fixed_dictionaries(
    {"Description": TEXT, "Quantity": COUNT, "UnitAmount": AMOUNT, "AccountCode": TEXT, "TaxType": TEXT}
)
BODY = st.fixed_dictionaries(
    {
        "Reference": TEXT,
        "LineItems": st.lists(LINE, max_size=3),
        "Amount": AMOUNT,
        "Account": st.fixed_dictionaries({"Code": TEXT}),
    }
)
DESIRED = st.builds(
    DesiredDocument,
    kind=st.sampled_from(DocumentKind),
    number=NAME,
    body=BODY,
    version=st.none() | TIME,
    total=st.none() | AMOUNT,
    references=st.dictionaries(TEXT, TEXT, max_size=2),
    order_id=TEXT,
    tombstone=st.booleans(),
    line_origins=st.lists(TEXT, max_size=3).map(tuple),
)
DOCUMENT = st.builds(
    Document,
    desired=DESIRED,
    state=st.sampled_from(DocumentState),
    next_attempt_at=st.none() | TIME,
    claim=COUNT,
    applied_digest=TEXT,
    xero_id=TEXT,
    xero_status=TEXT,
    attempts=COUNT,
    asked=COUNT,
    name_taken=st.booleans(),
    reason=TEXT,
    remedy=TEXT,
)
CONTENT = st.none() | st.dictionaries(
    TEXT, st.recursive(st.none() | st.booleans() | COUNT | TEXT, st.lists, max_leaves=4), max_size=3
)
SHIPMENT = st.builds(Shipment, reference=TEXT, shipped_at=TIME, quantities=st.dictionaries(TEXT, COUNT, max_size=2))
FACT = st.builds(
    OrderRecord,
    order_id=NAME,
    noticed_at=st.none() | TIME,
    next_attempt_at=st.none() | TIME,
    attempts=COUNT,
    read_at=st.none() | TIME,
    updated=st.none() | TIME,
    digest=TEXT,
    status=TEXT,
    content=CONTENT,
    next_step=st.sampled_from(NextStep),
    shipments=st.lists(SHIPMENT, max_size=2).map(tuple),
    customer=TEXT,
    number=TEXT,
    state=st.sampled_from(OrderState),
    reason=TEXT,
    remedy=TEXT,
    documents=st.lists(TEXT, max_size=3).map(tuple),
)


def store() -> MemoryStateStore:
    return MemoryStateStore(ManualClock())


def kinds(value: Any) -> Any:
    """The same content with each amount's own spelling: 1.50 and 1.5 are equal numbers and different texts."""
    if isinstance(value, dict):
        return {name: kinds(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [kinds(part) for part in value]
    return (type(value).__name__, str(value))


@given(DOCUMENT)
def test_a_document_comes_back_with_every_field(document: Document) -> None:
    kept = store()
    saved = kept.save([document])

    (read,) = kept.documents([document.key]).values()

    assert read == saved[document.key] == replace(document, generation=1)
    assert kinds(dict(read.desired.body)) == kinds(dict(document.desired.body))
    assert read.desired.digest == document.desired.digest


@given(FACT)
def test_an_order_comes_back_with_every_field(fact: OrderRecord) -> None:
    kept = store()
    saved = kept.save([fact])

    (read,) = kept.orders([fact.order_id]).values()

    assert read == saved[fact.order_id] == replace(fact, generation=1)


def test_the_properties_leave_out_no_field() -> None:
    # A field that somebody adds is stored, or this test says that nobody thought of it.
    assert {f.name for f in fields(Document)} == {
        *("desired", "state", "generation", "next_attempt_at", "claim", "applied_digest"),
        *("xero_id", "xero_status", "attempts", "asked", "name_taken", "reason", "remedy"),
    }
    assert {f.name for f in fields(DesiredDocument)} == {
        *("kind", "number", "body", "version", "total", "refers", "order_id", "removed", "sources"),
    }
    assert {f.name for f in fields(OrderRecord)} == {
        *("order_id", "generation", "noticed_at", "next_attempt_at", "attempts", "read_at", "updated", "digest"),
        *("status", "content", "wants", "shipments", "customer", "number"),
        *("standing", "reason", "remedy", "documents"),
    }
    assert {f.name for f in fields(Shipment)} == {"reference", "shipped_at", "quantities"}


def test_a_real_invoice_is_the_same_wish_after_it_was_stored() -> None:
    # Given an invoice with a rounding line, four decimals and tax on top
    sold = item("21.07", breakdown("ITEM", "20.05", "CAD"), breakdown("TAX", "1.02", "CAD"), quantity=8, currency="CAD")
    raw = order(sold, grand_total="21.07", marketplace=CA, currency="CAD", ship_to="CA")
    outcome = asked_for(raw)
    assert isinstance(outcome, list)
    kept = store()

    kept.save([Document(desired, next_attempt_at=NOON) for desired in outcome])

    for desired in outcome:
        (read,) = kept.documents([desired.key]).values()
        assert read.with_desired(desired, NOON) is None
        assert (read.desired.body, read.desired.total) == (desired.body, desired.total)


@pytest.mark.parametrize("amount", ["0.0001", "-0.01", "1E+3", "99999999999.9999", "0", "-0"])
def test_amounts_are_exact(amount: str) -> None:
    desired = DesiredDocument(
        DocumentKind.INVOICE, "A", {"LineItems": [{"UnitAmount": Decimal(amount)}]}, total=Decimal(amount)
    )
    kept = store()
    kept.save([Document(desired)])

    (read,) = kept.documents([desired.key]).values()

    assert read.desired.total == Decimal(amount)
    assert read.desired.body["LineItems"][0]["UnitAmount"] == Decimal(amount)
    assert "float" not in str(kinds(dict(read.desired.body)))


# --- who wins ---------------------------------------------------------------------------------------------------------


def test_of_two_writers_that_read_the_same_one_wins_and_the_other_is_told() -> None:
    kept = store()
    (one,) = kept.save([OrderRecord("A")]).values()

    assert kept.save([replace(one, digest="first"), OrderRecord("B")]).keys() == {"A", "B"}
    assert kept.save([replace(one, digest="second"), OrderRecord("C")]).keys() == {"C"}
    assert kept.orders(["A"])["A"].digest == "first"


def test_a_row_that_exists_is_not_created_again() -> None:
    kept = store()
    kept.save([OrderRecord("A", digest="kept")])

    assert kept.save([OrderRecord("A")]) == {}
    assert kept.orders(["A"])["A"].digest == "kept"


def test_a_cursor_is_fenced_and_unknown_ones_are_empty() -> None:
    kept = store()
    assert kept.cursor("x") == Cursor("x")
    first = kept.save([Cursor("x", {"a": "1"})])

    with pytest.raises(Conflict, match="cursor x"):
        kept.save([Cursor("x", {"a": "2"})])
    assert kept.cursor("x") == first == Cursor("x", {"a": "1"}, 1)


# --- what is due ------------------------------------------------------------------------------------------------------


@given(st.lists(TIME, min_size=1, max_size=12, unique=True), TIME)
def test_what_is_due_comes_longest_due_first_to_the_microsecond(times: list[datetime], now: datetime) -> None:
    kept = store()
    kept.save([OrderRecord(str(number), next_attempt_at=at) for number, at in enumerate(times)])

    expected = [str(times.index(at)) for at in sorted(times) if at <= now]
    assert kept.due(ORDERS, now, 99) == expected
    assert kept.due(ORDERS, now, 3) == expected[:3]
    assert kept.due(DOCUMENTS, now, 99) == []


def test_what_wants_booking_is_not_read_and_what_wants_reading_is_not_booked() -> None:
    kept = store()
    kept.save(
        [OrderRecord("A", next_attempt_at=NOON), OrderRecord("B", next_attempt_at=NOON, next_step=NextStep.PLAN)]
    )

    assert (kept.due(ORDERS, NOON, 9), kept.due(SHIPMENTS, NOON, 9)) == (["A"], ["B"])
    # When a remedy arrives for the one, it is read first, and leaves the other list
    noticed = kept.orders(["B"])["B"].noticed(NOON, NOON)
    assert noticed is not None
    kept.save([noticed])
    assert (kept.due(ORDERS, NOON, 9), kept.due(SHIPMENTS, NOON, 9)) == (["A", "B"], [])


def test_what_is_not_due_any_more_leaves_the_index() -> None:
    kept = store()
    (row,) = kept.save([OrderRecord("A", next_attempt_at=NOON)]).values()
    kept.save([replace(row, next_attempt_at=None)])

    assert kept.due(ORDERS, NOON + timedelta(days=1), 9) == []


def test_another_connection_s_due_rows_are_not_ours() -> None:
    ours = store()
    theirs = RowStateStore("theirs", ours.table)
    theirs.save([OrderRecord("A", next_attempt_at=NOON)])

    assert (ours.due(ORDERS, NOON, 9), theirs.due(ORDERS, NOON, 9)) == ([], ["A"])


# --- leases -----------------------------------------------------------------------------------------------------------


def test_a_lease_has_one_holder_until_it_is_given_back_or_lapses() -> None:
    kept, minute = store(), timedelta(minutes=1)
    first = kept.acquire("work", "w1", NOON, NOON + minute)
    assert first is not None
    assert kept.acquire("work", "w2", NOON + minute / 2, NOON + 2 * minute) is None
    assert kept.acquire("other work", "w2", NOON, NOON + minute) is not None

    kept.release(first)
    second = kept.acquire("work", "w2", NOON + minute / 2, NOON + minute)
    assert second is not None
    # It lapses, and whoever held it cannot give away what is another's by now
    third = kept.acquire("work", "w3", NOON + minute, NOON + 2 * minute)
    assert third is not None
    kept.release(second)
    assert kept.acquire("work", "w4", NOON + minute, NOON + 2 * minute) is None
    assert first.generation < second.generation < third.generation
