"""`make status-page`: what a bookkeeper reads of the books."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.domain.failures import FailureCode, remedy_of
from amazon_to_xero.domain.planning.policy import Approval
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.stock.comparison import StockFinding
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate
from fakes.orders import item, order
from fakes.settings import settings as valid_settings
from fakes.state import NOON
from operations.books_state import BooksState, OpenItem, books_state
from operations.open_work import OpenWork
from operations.stated_rows import StatedRow, stated_rows
from operations.status_page import status_page

NOTHING = BooksState("main", NOON, [], [], [], [])


class Reader(HTMLParser):
    """What a browser would show and load of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def connected(*orders: dict[str, Any], approval: Approval = Approval.AT_SHIPMENT) -> FakeConnection:
    """Return a connection whose orders were read and planned, and whose documents were posted."""
    policy = replace(POLICY, start=NOON - timedelta(days=30), approval=approval)
    connection = FakeConnection(*orders, policy=policy)
    connection.read(connection.notice([each["orderId"] for each in orders]))
    connection.plan_shipments()
    connection.post()
    return connection


def page_of(
    connection: FakeConnection, monkeypatch: pytest.MonkeyPatch, folder: Path, settings: str | None = None
) -> Reader:
    file, session = folder / "books.html", OperatorSession(connection)
    session.stored[connection.name] = settings or session.stored[connection.name]
    answer = operate(monkeypatch, session, "status-page", "--out", str(file))
    assert answer.exit_code == 0, answer.output
    return Reader(file.read_text(encoding="utf-8"))


def test_bookkeeper_reads_how_many_orders_are_in_each_state_and_what_that_means(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connection = connected(
        order(item("24.00"), grand_total="24.00", order_id="A"),
        order(item("9.00"), grand_total="9.00", order_id="B", status="CANCELLED"),
    )

    page = page_of(connection, monkeypatch, tmp_path)

    assert "2 orders are known" in page.text
    assert "Planned 1" in " ".join(page.text.split())
    assert "The order was cancelled." in page.text
    assert "Nothing needs you" in page.text


def test_failed_order_is_listed_with_its_remedy_and_links(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = connected(order(item("24.00"), grand_total="24.00", order_id="A"))
    record = connection.record("A")
    remedy = "Check the order <A> in Seller Central & enter it."
    connection.store.save([record.failed(FailureCode.DETAIL_DIFFERS, remedy)])

    page = page_of(connection, monkeypatch, tmp_path)

    assert "You are needed for what failed (1)." in page.text
    assert remedy in page.text  # escaped in the source, so that it is shown as it is
    assert "https://sellercentral.amazon.co.uk/orders-v3/order/A" in page.links
    assert (
        f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={connection.document('A').xero_id}" in page.links
    )


def test_sale_that_no_charge_confirms_yet_is_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = connected(order(item("24.00"), grand_total="24.00", order_id="A"))

    page = page_of(connection, monkeypatch, tmp_path)

    assert "AwaitedWAITING_FOR_CHARGE" in "".join(page.text.split())


def test_stock_to_act_on_is_listed_the_most_urgent_first() -> None:
    levels = [
        StatedRow("fba#UK#MUG", "LOW", "", ""),
        StatedRow("fba#UK#KETTLE#1", "STRANDED", "", ""),
        StatedRow("fba#UK#TEA", "IN_STOCK", "", ""),
    ]

    state = books_state("main", NOON, FakeConnection().store, (), (), levels, OpenWork())

    assert [(each.state, each.sku, each.pool) for each in state.stock] == [
        ("STRANDED", "KETTLE#1", "UK"),
        ("LOW", "MUG", "UK"),
    ]


def test_connection_that_is_refused_needs_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = page_of(FakeConnection(), monkeypatch, tmp_path, settings="{}")

    assert "You are needed for what is refused (1)." in page.text
    assert f"settings SETTINGS_UNUSABLE {remedy_of('SETTINGS_UNUSABLE')}" in " ".join(page.text.split())


def test_work_that_has_been_due_for_hours_needs_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = FakeConnection(order(item("24.00"), grand_total="24.00", order_id="A"))
    connection.notice(["A"])
    connection.clock.advance(3 * 3600)

    assert "work that is late, in hours (3)" in page_of(connection, monkeypatch, tmp_path).text


def test_invoices_that_await_approval_are_counted_until_somebody_approves_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reviewed = valid_settings()
    reviewed["invoices"] = {"approval": "review"}
    connection = connected(
        order(item("24.00"), grand_total="24.00", order_id="A"),
        order(item("9.00"), grand_total="9.00", order_id="B", status="UNSHIPPED"),
        approval=Approval.REVIEW,
    )
    page = page_of(connection, monkeypatch, tmp_path, json.dumps(reviewed))
    assert "You are needed for invoices that await your approval in Xero (1)." in page.text

    invoice = connection.document("A")
    connection.store.save(
        [invoice.approved_in_xero(invoice.xero_id, "AUTHORISED", Decimal(24), connection.clock.now())]
    )
    assert "Nothing needs you" in page_of(connection, monkeypatch, tmp_path, json.dumps(reviewed)).text


def test_open_differences_of_stock_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = FakeConnection()
    found = ((EntryState.OPEN, "MUG"), (EntryState.CLOSED, "TEA"))
    connection.store.save(
        [WorklistEntry(code, state=state, finding=StockFinding.MORE_AT_AMAZON) for state, code in found]
    )

    page = page_of(connection, monkeypatch, tmp_path)

    assert "differences of stock that make operate DO='stock worklist' lists (1)" in page.text


def test_documents_that_somebody_changed_in_xero_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = FakeConnection()
    differences = (FieldDifference("Date", "2026-11-05", "2026-11-04"),)
    connection.store.save([XeroChange("invoice#A", ChangeKind.EDITED, "order#A", "A", differences)])

    page = page_of(connection, monkeypatch, tmp_path)

    assert "documents changed in Xero that make operate DO='drift list' lists (1)" in page.text


def test_failed_confirmation_that_was_taken_off_the_list_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connection = FakeConnection()
    connection.store.save([SaleConfirmation("A").failed(FailureCode.CHARGE_MISSING, "Compare it.")])
    listed = page_of(connection, monkeypatch, tmp_path)
    assert "sales that Amazon charged otherwise or not at all (1)" in listed.text
    assert "Compare it." in listed.text

    table = connection.store.table
    row = table.rows["CONFIRMATION#A"]
    table.put([replace(row, generation=row.generation + 1, watched="")])
    page = page_of(connection, monkeypatch, tmp_path)

    assert "Nothing needs you" in page.text
    assert "Compare it." not in page.text


def test_page_loads_nothing_and_runs_nothing() -> None:
    page = Reader(status_page(NOTHING))

    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not page.links
    assert "@page { size: A4" in status_page(NOTHING)


def test_text_of_a_row_cannot_become_part_of_the_page() -> None:
    failure = OpenItem("<b>A</b>", "FAILED", "X", '<script>alert("1")</script>')

    source = status_page(replace(NOTHING, failures=[failure]))

    assert "script" not in Reader(source).tags
    assert "&lt;script&gt;" in source


def test_what_is_left_out_of_a_long_list_is_counted() -> None:
    failures = [OpenItem(f"A{number}", "FAILED", "X", "") for number in range(503)]

    assert "And 3 more, which make operate DO=failed lists" in status_page(replace(NOTHING, failures=failures))


def test_page_has_no_data_of_the_buyer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = page_of(connected(order(item("24.00"), grand_total="24.00", order_id="A")), monkeypatch, tmp_path)

    assert "anary" not in page.text


def test_program_reads_the_same_state_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = FakeConnection()
    connection.store.save([OrderRecord("A", state=OrderState.NOTICED)])

    answer = operate(
        monkeypatch, OperatorSession(connection), "status-page", "--json", "--out", str(tmp_path / "page.html")
    )

    assert [(each["state"], each["count"]) for each in json.loads(answer.stdout)["orders"]] == [("NOTICED", 1)]


def test_file_that_cannot_be_written_is_a_usage_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    answer = operate(
        monkeypatch, OperatorSession(FakeConnection()), "status-page", "--out", str(tmp_path / "file" / "page.html")
    )

    assert answer.exit_code == 2
    assert "Name another file with --out" in answer.stderr


class StubDynamo:
    """boto3's `dynamodb` client whose query has two pages."""

    def __init__(self) -> None:
        self.request: dict[str, Any] = {}

    def get_paginator(self, operation: str) -> StubDynamo:
        assert operation == "query"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        self.request = request
        return [
            {"Items": [{"sk": {"S": "ORDER#A"}, "state": {"S": "PLANNED"}}]},
            {
                "Items": [
                    {"sk": {"S": "ORDER#B#1"}, "state": {"S": "FAILED"}, "reason": {"S": "X"}, "remedy": {"S": "Do."}}
                ]
            },
        ]


def test_rows_of_one_connection_and_type_are_queried_page_by_page() -> None:
    stub = StubDynamo()

    rows = list(stated_rows(stub, "table", "main", "ORDER"))

    assert rows == [StatedRow("A", "PLANNED", "", ""), StatedRow("B#1", "FAILED", "X", "Do.")]
    assert stub.request["ExpressionAttributeValues"] == {":pk": {"S": "CONNECTION#main"}, ":prefix": {"S": "ORDER#"}}
    assert "FilterExpression" not in stub.request


def test_only_rows_that_have_a_text_are_queried() -> None:
    stub = StubDynamo()

    list(stated_rows(stub, "table", "main", "DOCUMENT#invoice", "SUBMITTED"))

    assert stub.request["FilterExpression"] == "contains(#data, :containing)"
    assert stub.request["ExpressionAttributeNames"]["#data"] == "data"
    assert stub.request["ExpressionAttributeValues"][":containing"] == {"S": "SUBMITTED"}
