"""Orders on the deployed stack: what a seller, an accountant and the person on call see.

The tests of this file build on each other: one deployment, one history, then one fault after the other.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fakes.orders import UK, breakdown, item, order
from local.inventory_report import received
from local.invoke import EVENTS, addressed, invoke, read_event
from local.order_report import load_confirmations, load_orders, order_report
from local.running import announced, find_running
from local.stack import Stack, deployed
from operations.logs import print_log
from sandbox.amazon import OWN_SELLER

pytestmark = pytest.mark.integration

WRITES = {"PUT", "POST"}
FUNCTIONS = ("Orders", "Shipments", "Resume")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, seller: Path) -> Iterator[Stack]:
    """Every buyer has their own contact, so that buyer data passes through the system."""
    with deployed(tmp_path_factory.mktemp("stack"), seller, {"contacts": {"policy": "buyers"}}) as running:
        yield running


def xero_writes(stack: Stack) -> int:
    calls = stack.xero.control("GET", "calls")
    return sum(call["method"] in WRITES and call["path"].startswith("/api.xro/") for call in calls)


def invoices(stack: Stack) -> dict[str, dict[str, Any]]:
    return {invoice["InvoiceNumber"]: invoice for invoice in stack.xero.control("GET", "books")["Invoices"]}


def net(stack: Stack) -> dict[str, Decimal]:
    """Return invoices less credit notes by order; voided and deleted documents count as zero."""
    books = stack.xero.control("GET", "books")
    amounts: dict[str, Decimal] = {}
    for collection, sign in (("Invoices", 1), ("CreditNotes", -1)):
        for document in books[collection]:
            order_id = document["Reference"].partition(" · ")[0].rpartition(" ")[2]
            is_effective = document["Status"] not in ("VOIDED", "DELETED")
            amounts[order_id] = amounts.get(order_id, Decimal(0)) + (sign * document["Total"] if is_effective else 0)
    return amounts


def documented() -> dict[str, list[str]]:
    """Return order id -> invoice, later correction and net, as documented in the README of the seller folder."""
    expected: dict[str, list[str]] = {}
    for line in (OWN_SELLER / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and re.fullmatch(r"(\d{3}|S01)-\d{7}-\d{7}", cells[0]):
            expected[cells[0]] = cells[4:]
    return expected


def documented_refunds() -> dict[str, Decimal]:
    """Return credit note number -> amount, as documented in the README of the seller folder."""
    expected: dict[str, Decimal] = {}
    for line in (OWN_SELLER / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and re.fullmatch(r"\d{3}-\d{7}-\d{7}", cells[2]) and cells[5] != "none":
            expected[f"{cells[2]}-RF{cells[1]}"] = Decimal(cells[5].partition(" ")[0])
    return expected


def eventually(condition: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s")


def dead_letters(stack: Stack, function: str) -> list[dict[str, Any]]:
    """Remove and return the messages of the function's dead-letter queue."""
    sqs, url = stack.cloud.client("sqs"), stack.outputs[f"{function}DlqUrl"]
    taken = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        for message in messages:
            attributes = {name: text["StringValue"] for name, text in message.get("MessageAttributes", {}).items()}
            taken.append({"body": message["Body"], **attributes})
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return taken


def test_sellers_history_becomes_the_documented_books(stack: Stack) -> None:
    assert stack.play(300) == ""

    books, of_orders, expected, refunds = invoices(stack), net(stack), documented(), documented_refunds()
    assert len(expected) == 32
    for order_id, (invoice, afterwards, comes_to) in expected.items():
        if invoice == "none":
            assert order_id not in of_orders
            continue
        held = books[order_id]
        status = {"voided": "VOIDED", "deleted": "DELETED"}.get(afterwards, "PAID")
        assert (order_id, held["Total"]) == (order_id, Decimal(invoice))
        assert held["Status"] == ("DRAFT" if order_id == "204-0000027-0000027" else status)
        refunded = sum(amount for number, amount in refunds.items() if number.startswith(order_id))
        assert (order_id, of_orders[order_id]) == (order_id, Decimal(comes_to) - refunded)


PLACED = "2026-11-03T09:00:00Z"  # so near to the shipment that its day is certain
# Currency -> what the buyers got back: one refund of each kind (see the README of the seller folder).
REFUNDED = {"GBP": Decimal("151.60"), "USD": Decimal("40.00"), "EUR": Decimal("47.60"), "JPY": Decimal(410)}


def test_each_refund_becomes_one_credit_note_of_what_the_buyer_got_back(stack: Stack) -> None:
    notes = [each for each in stack.xero.control("GET", "books")["CreditNotes"] if "-RF" in each["CreditNoteNumber"]]

    assert {note["CreditNoteNumber"]: note["Total"] for note in notes} == documented_refunds()
    totals: dict[str, Decimal] = {}
    for note in notes:
        totals[note["CurrencyCode"]] = totals.get(note["CurrencyCode"], Decimal(0)) + note["Total"]
    assert totals == REFUNDED
    # Their invoices are paid, so each is refunded out of the clearing account.
    assert {(note["Status"], note["RemainingCredit"]) for note in notes} == {("PAID", 0)}


def test_invoice_of_a_shipped_order_has_the_date_contact_and_carrier_that_amazon_states(stack: Stack) -> None:
    kettle, by_merchant = (invoices(stack)[number] for number in ("204-0000001-0000001", "204-0000003-0000003"))

    assert kettle["DateString"][:10] == "2026-10-25"
    assert kettle["Payments"][0]["Amount"] == kettle["Total"]
    assert kettle["Contact"]["Name"] == "Ada Invented"
    assert by_merchant["Reference"].startswith("Amazon.co.uk 204-0000003-0000003 · ")  # carrier and tracking number


def test_order_report_agrees_with_xeros_books(stack: Stack) -> None:
    books = stack.xero.control("GET", "books")
    held = {each["InvoiceID"]: (each["InvoiceNumber"], each["Total"]) for each in books["Invoices"]}
    held |= {each["CreditNoteID"]: (each["CreditNoteNumber"], each["Total"]) for each in books["CreditNotes"]}
    held |= {each["PaymentID"]: (None, each["Amount"]) for each in books["Payments"]}

    store, order_ids = stack.store, stack.order_ids
    report = order_report(store, order_ids, load_orders(store, order_ids), load_confirmations(store, order_ids))

    numbered = ("invoice", "credit_note")
    reported = {
        document["xero_id"]: (document["number"] if document["kind"] in numbered else None, document["total"])
        for order in report
        for document in order["documents"]
        if document["kind"] != "contact"
    }
    assert reported == held
    assert {order["state"] for order in report} == {"PLANNED", "NOT_INVOICED"}
    assert {(each["confirmation"] or {}).get("state") for each in report} == {"CONFIRMED", "NOT_INVOICED", None}


def test_people_and_workflows_hear_once_of_each_change_of_stock_that_matters(stack: Stack) -> None:
    texts = [alert["Message"] for alert in received(stack.cloud)]

    headlines = re.findall(r"^([A-Z ]+): (\S+)", "\n".join(texts), re.MULTILINE)
    assert sorted(headlines) == [
        ("IN STOCK AGAIN", "MUG-RED"),
        ("LOW STOCK", "BOOK-TEA"),
        ("LOW STOCK", "KETTLE-BLUE"),
        ("LOW STOCK", "KETTLE-BLUE"),
        ("LOW STOCK", "LAMP-DESK"),
        ("MORE UNFULFILLABLE UNITS", "TOWEL-GREY"),
        ("OUT OF STOCK", "MUG-RED"),
    ]


def test_running_stack_is_found_by_other_commands(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "running.json"
    with announced(stack, file):
        running = find_running(file)
    assert running is not None
    assert running.functions.keys() == {
        *("orders", "shipments", "refunds", "inventory_alerts", "inventory_reconciliation", "resume", "replay")
    }

    event = read_event(EVENTS / "orders_sqs_order_change.json")
    status = invoke(running, running.functions["orders"], addressed(event, running.seller_id, "204-0000001-0000001"))

    assert status == 0
    answer, _, log = capsys.readouterr().out.partition("}\n")
    assert json.loads(answer + "}") == {"batchItemFailures": []}
    assert "NOTICE_ALREADY_ANSWERED" in log
    assert "204-0000001-0000001" in log
    print_log(running.cloud.client("logs"), running.functions)
    lines = capsys.readouterr().out.splitlines()
    assert sum("APPLIED" in line and "invoice#" in line for line in lines) > 20
    assert lines == sorted(lines, key=lambda line: line[:24])


def test_repeated_notifications_and_sweeps_write_nothing(stack: Stack) -> None:
    before = xero_writes(stack)

    sent = stack.amazon.control("POST", "replay", {"seed": 7})["sent"]
    assert stack.wait_until_idle(60) == ""
    stack.cloud.invoke(stack.outputs["OrdersFunctionName"], {"sweep": "orders"})
    stack.cloud.invoke(stack.outputs["OrdersFunctionName"], {"sweep": "orders"})
    assert stack.wait_until_idle(60) == ""

    assert sent > 20
    assert received(stack.cloud) == []  # no further alerts of stock
    assert xero_writes(stack) == before
    assert stack.store.cursor("sweep#orders").data["watermark"] > "2026-11-2"


BROKEN = {
    "UNKNOWN_MARKETPLACE": order(
        item("5.00"), grand_total="5.00", order_id="900-0000001-0000001", marketplace="A33AVAJ2PDY3EV"
    ),
    "TAX_UNMAPPED": order(
        item("6.00", currency="EUR"),
        grand_total="6.00",
        currency="EUR",
        order_id="900-0000002-0000002",
        marketplace="A1PA6795UKMFR9",
        ship_to="CH",
    ),
    "ITEM_TOTAL_DIFFERS": order(
        item("7.01", breakdown("ITEM", "7.00")), grand_total="7.01", order_id="900-0000003-0000003"
    ),
    "ACCOUNT_ARCHIVED": order(
        item("8.50", breakdown("ITEM", "8.00"), breakdown("GIFT_WRAP", "0.50")),
        grand_total="8.50",
        order_id="900-0000004-0000004",
    ),
}
GOOD = [order(item(f"{n}.00"), grand_total=f"{n}.00", order_id=f"901-000000{n}-0000000") for n in range(1, 9)]


def set_gift_wrap_account(stack: Stack, status: str) -> None:
    accounts = stack.xero.control("GET", "books")["Accounts"]
    for account in accounts:
        if account.get("Code") == "206":
            account["Status"] = status
    stack.xero.control("POST", "organisation", {"Accounts": accounts})


def test_order_that_cannot_be_invoiced_is_dead_lettered_without_affecting_other_orders(stack: Stack) -> None:
    set_gift_wrap_account(stack, "ARCHIVED")
    sqs, url = stack.cloud.client("sqs"), stack.outputs["OrdersQueueUrl"]
    for body in ("not JSON", json.dumps({"NotificationType": "PRICING_HEALTH"}), "[]"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    stack.amazon.control("POST", "orders", {"elements": [*BROKEN.values(), *GOOD], "notify": True})
    assert stack.wait_until_idle(90) == ""

    books = invoices(stack)
    assert {i: books[i]["Total"] for i in books if i.startswith("901-")} == {
        good["orderId"]: Decimal(good["proceeds"]["grandTotal"]["amount"]) for good in GOOD
    }
    assert not [number for number in books if number.startswith("900-")]

    letters = [*dead_letters(stack, "Orders"), *dead_letters(stack, "Shipments")]
    assert sorted(letter["reason"] for letter in letters) == sorted(
        [*BROKEN, "MALFORMED_MESSAGE", "MALFORMED_MESSAGE", "UNEXPECTED_NOTIFICATION"]
    )
    assert all(len(letter["remedy"]) > 20 for letter in letters)
    by_order = {letter["order_id"]: letter for letter in letters if "order_id" in letter}
    assert {by_order[broken["orderId"]]["reason"] for broken in BROKEN.values()} == set(BROKEN)

    records = [line for name in FUNCTIONS for line in stack.cloud.log_records(stack.outputs[f"{name}FunctionName"])]
    failed = {(r["order_id"], r["reason"]): r for r in records if r.get("message") == "FAILED" and "order_id" in r}
    for reason, broken in BROKEN.items():
        line = failed[broken["orderId"], reason]
        assert line["correlation_id"]
        assert line["connection"] == "main"


def test_dead_letter_sent_again_after_its_cause_is_corrected_is_invoiced(stack: Stack) -> None:
    set_gift_wrap_account(stack, "ACTIVE")
    order_id = BROKEN["ACCOUNT_ARCHIVED"]["orderId"]

    stack.cloud.client("sqs").send_message(
        QueueUrl=stack.outputs["ShipmentsQueueUrl"],
        MessageBody=json.dumps({"reprocess": {"connection": "main", "source": f"order#{order_id}"}}),
    )

    invoice = eventually(lambda: invoices(stack).get(order_id))
    assert invoice["Total"] == Decimal("8.50")


def test_html_error_of_amazon_for_one_order_does_not_delay_others(stack: Stack) -> None:
    late, fine = (
        order(
            item("3.00"),
            grand_total="3.00",
            order_id=f"902-000000{n}-0000000",
            created=PLACED,
            updated="2026-11-03T10:00:00Z",
        )
        for n in (1, 2)
    )
    stack.amazon.control(
        "POST",
        "faults",
        {
            "kind": "refuse",
            "path": f"/orders/2026-01-01/orders/{late['orderId']}",
            "status": 503,
            "body": "<html><body>Service Unavailable</body></html>",
        },
    )
    stack.amazon.control("POST", "orders", {"elements": [late, fine], "notify": True})

    eventually(lambda: invoices(stack).get(fine["orderId"]), 60)
    records = stack.cloud.log_records(stack.outputs["OrdersFunctionName"])
    waiting = [r for r in records if r.get("order_id") == late["orderId"] and r.get("message") == "AMAZON_UNAVAILABLE"]
    assert waiting
    # The resume function reads it again within a minute or two.
    assert eventually(lambda: invoices(stack).get(late["orderId"]), 150)["Total"] == Decimal("3.00")


def test_lost_answer_of_xero_leaves_one_invoice(stack: Stack) -> None:
    lost = order(
        item("4.00"), grand_total="4.00", order_id="903-0000001-0000000", created=PLACED, updated="2026-11-03T11:00:00Z"
    )
    stack.xero.control("POST", "faults", {"kind": "drop", "method": "PUT", "path": "/api.xro/2.0/Invoices"})

    stack.amazon.control("POST", "orders", {"elements": [lost], "notify": True})

    eventually(lambda: invoices(stack).get(lost["orderId"]))
    assert stack.wait_until_idle(180) == ""
    dropped = [call for call in stack.xero.control("GET", "calls") if call["fault"] == "drop"]
    assert len(dropped) == 1
    assert sum(i["Reference"].endswith(lost["orderId"]) for i in stack.xero.control("GET", "books")["Invoices"]) == 1
    assert invoices(stack)[lost["orderId"]]["Status"] == "PAID"


def test_order_whose_event_was_lost_is_invoiced_and_paid(stack: Stack) -> None:
    events, bus = stack.cloud.client("events"), stack.outputs["EventBusName"]
    (rule,) = [each for each in events.list_rules(EventBusName=bus)["Rules"] if each["Name"].endswith("-shipments")]
    events.disable_rule(Name=rule["Name"], EventBusName=bus)
    silent = order(
        item("2.50"), grand_total="2.50", order_id="904-0000001-0000000", created=PLACED, updated="2026-11-03T12:00:00Z"
    )
    try:
        stack.amazon.control("POST", "orders", {"elements": [silent], "notify": True})
        paid = eventually(lambda: (invoices(stack).get(silent["orderId"]) or {}).get("Status") == "PAID", 150)
    finally:
        events.enable_rule(Name=rule["Name"], EventBusName=bus)

    assert paid


def test_buyer_data_is_in_xero_and_nowhere_else(stack: Stack) -> None:
    """The orders of this test have a buyer called Canary, with an address and a telephone number to search for."""
    traces = [line for name in FUNCTIONS for line in stack.cloud.log_lines(stack.outputs[f"{name}FunctionName"])]
    table = stack.cloud.client("dynamodb").scan(TableName=stack.outputs["TableName"])["Items"]
    traces += [json.dumps(row) for row in table]
    traces += [json.dumps(letter) for name in ("Orders", "Shipments") for letter in dead_letters(stack, name)]
    traces += [json.dumps(call) for call in stack.amazon.control("GET", "calls")]
    contacts = json.dumps(stack.xero.control("GET", "books")["Contacts"], default=str)

    assert len(table) > 50
    for canary in ("canary", "cn1 1nc", "0000 000000"):
        assert canary in contacts.lower()
        assert not [trace for trace in traces if canary in trace.lower()]
    assert UK in "".join(traces)  # the order itself is there
