"""Golden rows: rows as earlier versions of this application have stored them, which every later version has to read.

Each file of golden_rows holds the attributes of one item of the table, `data` as the text that is stored. A file is
never changed: a change of shape raises the schema of the codec, and adds files of the new schema beside these.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import NewerSchema, Row
from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayState
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.domain.replay.record import ReplayRecord
from amazon_to_xero.domain.stock.record import StockRecord, StockState
from amazon_to_xero.ports.state import Cursor, Record
from fakes.state import ManualClock, MemoryStateStore

FILES = sorted((Path(__file__).parent / "golden_rows").glob("*.json"))
ONLY_WHERE_STATED = ("last_applied", "ship_to")  # most rows lack them, and would be larger for it
BY_PREFIX = {codec.prefix: kind for kind, codec in CODECS.items()}


def golden_row(file: Path) -> Row:
    item = json.loads(file.read_text(encoding="utf-8"))
    assert item.pop("pk") == "CONNECTION#main"
    return Row(**item)


ROWS = {file.stem: golden_row(file) for file in FILES}
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


def kind_of(row: Row) -> type[Record]:
    return BY_PREFIX[row.sk.partition("#")[0]]


def store_with(row: Row) -> MemoryStateStore:
    store = MemoryStateStore(ManualClock(), connection="main")
    store.table.rows[row.sk] = row
    return store


def decoded(row: Row) -> Any:
    (record,) = store_with(row).load(kind_of(row), [row.sk.partition("#")[2]]).values()
    return record


# --- the rows as they were stored -------------------------------------------------------------------------------------


def saved_again(row: Row) -> Row:
    store = store_with(row)
    (record,) = store.load(kind_of(row), [row.sk.partition("#")[2]]).values()
    assert store.save([record]).keys() == {record.key}
    return store.table.rows[row.sk]


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=name) for name, row in ROWS.items() if row.schema == CODECS[kind_of(row)].schema]
)
def test_golden_row_of_the_current_schema_is_encoded_to_the_same_row(row: Row) -> None:
    assert saved_again(row) == replace(row, generation=row.generation + 1)


@every_row
def test_golden_row_is_the_same_record_after_it_was_saved_in_the_current_schema(row: Row) -> None:
    again = saved_again(row)

    assert again.schema == CODECS[kind_of(row)].schema
    assert decoded(again) == replace(decoded(row), generation=row.generation + 1)


@every_row
def test_decoded_record_has_the_key_and_the_generation_of_its_row(row: Row) -> None:
    record = decoded(row)

    assert (row.sk.partition("#")[2], row.generation) == (record.key, record.generation)


def test_golden_rows_cover_every_type_state_and_kind() -> None:
    records = [decoded(row) for row in ROWS.values()]
    orders = [record for record in records if isinstance(record, OrderRecord)]
    transactions = [record for record in records if isinstance(record, TransactionRecord)]
    confirmations = [record for record in records if isinstance(record, SaleConfirmation)]
    documents = [record for record in records if isinstance(record, Document)]
    stock = [record for record in records if isinstance(record, StockRecord)]
    days = [record for record in records if isinstance(record, ClosedDay)]

    assert {type(record) for record in records} == set(CODECS)
    assert {order.state for order in orders} == set(OrderState)
    assert {transaction.state for transaction in transactions} == set(TransactionState)
    assert {confirmation.state for confirmation in confirmations} == set(ConfirmationState)
    assert {document.state for document in documents} == set(DocumentState)
    assert {level.state for level in stock} == set(StockState)
    assert {day.state for day in days} == set(DayState)
    assert {document.kind for document in documents} == set(DocumentKind)
    assert {document.desired.tombstone for document in documents} == {True, False}


def test_amounts_of_a_golden_row_are_decimals() -> None:
    invoice = decoded(ROWS["document_applied_invoice"]).desired

    assert invoice.total == Decimal("21.07")
    assert [line["UnitAmount"] for line in invoice.body["LineItems"]] == [Decimal("10.025"), Decimal("0.02")]


def test_applied_golden_row_needs_no_posting() -> None:
    """Its digest is the one that this version computes; a different digest would post every stored document again."""
    for name in ("document_applied_invoice", "document_applied_contact_of_a_marketplace", "document_applied_tombstone"):
        document = decoded(ROWS[name])
        assert document.applied_digest == document.desired.digest


# --- rows of an older shape -------------------------------------------------------------------------------------------


def test_order_row_without_any_field_is_decoded_with_defaults() -> None:
    assert decoded(Row("ORDER#026-1", 1)) == OrderRecord("026-1", generation=1)


def test_transaction_row_without_any_field_is_decoded_with_defaults() -> None:
    assert decoded(Row("TRANSACTION#R1", 1)) == TransactionRecord("R1", generation=1)


def test_confirmation_row_without_any_field_is_decoded_with_defaults() -> None:
    assert decoded(Row("CONFIRMATION#026-1", 1)) == SaleConfirmation("026-1", generation=1)


def test_invoice_that_a_person_has_approved_stays_theirs() -> None:
    assert decoded(ROWS["document_applied_invoice_approved_by_a_person_schema_4"]).approved_by_person
    assert not decoded(ROWS["document_applied_invoice_schema_3"]).approved_by_person


def test_document_of_an_older_row_does_not_say_where_its_order_went() -> None:
    assert decoded(ROWS["document_applied_invoice_of_a_destination_schema_7"]).desired.ship_to == "CA bc"
    assert decoded(ROWS["document_applied_invoice_approved_by_a_person_schema_4"]).desired.ship_to == ""


def test_entry_waits_for_its_day_until_that_is_closed() -> None:
    waiting, stated = decoded(ROWS["document_pending_entry_schema_5"]), decoded(ROWS["document_closed_entry_schema_5"])

    assert waiting.desired.is_entry
    assert waiting.next_attempt_at == waiting.desired.entry.closes_at
    assert (stated.closed_in, stated.exists_in_xero) == ("AMZ-GB-20261123-1", True)
    assert decoded(ROWS["document_applied_invoice"]).desired.entry is None


def test_money_in_a_golden_confirmation_is_decimal() -> None:
    confirmation = decoded(ROWS["confirmation_failed"])

    (charge,) = confirmation.charges.values()
    assert charge.amounts[AmountType(AmountKind.ITEM, is_tax=True)] == Decimal("3.00")
    assert (charge.total, charge.withheld) == (Decimal("16.00"), Decimal("3.00"))
    assert (confirmation.sale.total, confirmation.sale.withheld) == (Decimal("15.00"), Decimal("3.00"))


def test_stock_row_without_any_field_is_decoded_with_the_level_of_its_key() -> None:
    level = StockRecord(Channel.FBA, "eu", "MUG#1, red", generation=1)

    assert decoded(Row("STOCK#fba#eu#MUG#1, red", 1)) == level


def test_replay_row_without_any_field_is_decoded_without_attempts() -> None:
    assert decoded(Row("REPLAY#order#026-1", 1)) == ReplayRecord("order#026-1", generation=1)


def test_money_in_a_golden_transaction_is_decimal() -> None:
    content = decoded(ROWS["transaction_planned"]).content

    assert content["totalAmount"] == {"currencyAmount": Decimal("-21.60"), "currencyCode": "GBP"}


def test_amount_that_is_no_number_is_left_to_the_plan() -> None:
    row = Row("TRANSACTION#R1", 1, '{"content": {"totalAmount": {"currencyAmount": "much"}}}')

    assert decoded(row).content == {"totalAmount": {"currencyAmount": "much"}}


def test_document_row_without_any_field_is_decoded_with_kind_and_number_of_its_key() -> None:
    desired = DesiredDocument(DocumentKind.CREDIT_NOTE, "026-1-A1", {}, source="")

    assert decoded(Row("DOCUMENT#credit_note#026-1-A1", 1)) == Document(desired, generation=1)


def test_cursor_row_without_any_field_is_decoded_empty() -> None:
    assert decoded(Row("CURSOR#sweep#orders", 1)) == Cursor("sweep#orders", {}, 1)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        pytest.param(row, field, id=f"{name} without {field}")
        for name, row in ROWS.items()
        if not row.sk.startswith("CURSOR#")
        for field in json.loads(row.data)
    ],
)
def test_row_without_one_field_is_decoded_with_a_default_for_it(row: Row, field: str) -> None:
    """Every other field is decoded as it is: encoded again, the row has the missing field and is otherwise the same."""
    data = json.loads(row.data)
    del data[field]
    store = store_with(replace(row, data=json.dumps(data)))
    (record,) = store.load(kind_of(row), [row.sk.partition("#")[2]]).values()
    store.save([record])

    encoded = json.loads(store.table.rows[row.sk].data)
    assert field in encoded or field in ONLY_WHERE_STATED
    assert {name: value for name, value in encoded.items() if name in data} == data


# --- rows of a newer shape --------------------------------------------------------------------------------------------


@every_row
def test_row_of_a_newer_schema_is_refused_with_its_key_and_both_versions(row: Row) -> None:
    known = CODECS[kind_of(row)].schema
    newer = replace(row, schema=known + 1)

    with pytest.raises(NewerSchema) as caught:
        decoded(newer)

    assert f"{row.sk} has schema {newer.schema}" in str(caught.value)
    assert f"knows {known}" in str(caught.value)
