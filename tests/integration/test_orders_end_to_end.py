"""Orders on the really deployed stack: what a seller, an accountant and the person on call would see.

The tests of this file build on each other: one deployment, one history, then one thing after the other goes wrong.
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
from local.stack import Stack, deployed
from sandbox.amazon import OWN_SELLER

pytestmark = pytest.mark.integration

WRITES = {"PUT", "POST"}
FUNCTIONS = ("Orders", "Shipments", "Resume")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, seller: Path) -> Iterator[Stack]:
    """Every buyer has a contact of his own, so that there is something to give away."""
    with deployed(tmp_path_factory.mktemp("stack"), seller, contacts={"policy": "buyers"}) as running:
        yield running


def xero_writes(stack: Stack) -> int:
    calls = stack.xero.ask("GET", "calls")
    return sum(call["method"] in WRITES and call["path"].startswith("/api.xro/") for call in calls)


def invoices(stack: Stack) -> dict[str, dict[str, Any]]:
    return {invoice["InvoiceNumber"]: invoice for invoice in stack.xero.ask("GET", "books")["Invoices"]}


def net(stack: Stack) -> dict[str, Decimal]:
    """By order what stands in Xero: invoices less credit notes, those apart that were voided or deleted."""
    books = stack.xero.ask("GET", "books")
    amounts: dict[str, Decimal] = {}
    for collection, sign in (("Invoices", 1), ("CreditNotes", -1)):
        for document in books[collection]:
            order_id = document["Reference"].partition(" · ")[0].rpartition(" ")[2]
            stands = document["Status"] not in ("VOIDED", "DELETED")
            amounts[order_id] = amounts.get(order_id, Decimal(0)) + (sign * document["Total"] if stands else 0)
    return amounts


def documented() -> dict[str, list[str]]:
    """Order id -> what the seller folder's README promises of it: invoice, what came of it, net."""
    expected: dict[str, list[str]] = {}
    for line in (OWN_SELLER / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and re.fullmatch(r"(\d{3}|S01)-\d{7}-\d{7}", cells[0]):
            expected[cells[0]] = cells[4:]
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
    """Takes what is in the function's dead-letter queue."""
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


def test_the_seller_s_history_becomes_the_documented_books(stack: Stack) -> None:
    assert stack.play(90) == ""

    books, of_orders, expected = invoices(stack), net(stack), documented()
    assert len(expected) == 32
    for order_id, (invoice, afterwards, comes_to) in expected.items():
        if invoice == "none":
            assert order_id not in of_orders
            continue
        held = books[order_id]
        status = {"voided": "VOIDED", "deleted": "DELETED"}.get(afterwards, "PAID")
        assert (order_id, held["Total"]) == (order_id, Decimal(invoice))
        assert held["Status"] == ("DRAFT" if order_id == "204-0000027-0000027" else status)
        assert (order_id, of_orders[order_id]) == (order_id, Decimal(comes_to))


def test_what_was_shipped_is_dated_and_told_as_amazon_does(stack: Stack) -> None:
    kettle, by_merchant = (invoices(stack)[number] for number in ("204-0000001-0000001", "204-0000003-0000003"))

    assert kettle["DateString"][:10] == "2026-10-25"
    assert kettle["Payments"][0]["Amount"] == kettle["Total"]
    assert kettle["Contact"]["Name"] == "Ada Invented"
    assert by_merchant["Reference"].startswith("Amazon.co.uk 204-0000003-0000003 · ")  # carrier and tracking number


def test_the_same_notifications_and_a_sweep_again_write_nothing(stack: Stack) -> None:
    before = xero_writes(stack)

    sent = stack.amazon.ask("POST", "replay", {"seed": 7})["sent"]
    assert stack.wait_until_quiet(60) == ""
    stack.cloud.invoke(stack.outputs["OrdersFunctionName"], {"sweep": "orders"})
    stack.cloud.invoke(stack.outputs["OrdersFunctionName"], {"sweep": "orders"})
    assert stack.wait_until_quiet(60) == ""

    assert sent > 20
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
    accounts = stack.xero.ask("GET", "books")["Accounts"]
    for account in accounts:
        if account.get("Code") == "206":
            account["Status"] = status
    stack.xero.ask("POST", "organisation", {"Accounts": accounts})


def test_what_cannot_be_booked_waits_for_a_person_and_disturbs_nothing_else(stack: Stack) -> None:
    set_gift_wrap_account(stack, "ARCHIVED")
    sqs, url = stack.cloud.client("sqs"), stack.outputs["OrdersQueueUrl"]
    for body in ("not JSON", json.dumps({"NotificationType": "PRICING_HEALTH"}), "[]"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    stack.amazon.ask("POST", "orders", {"elements": [*BROKEN.values(), *GOOD], "notify": True})
    assert stack.wait_until_quiet(90) == ""

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


def test_once_mended_the_dead_letter_sent_again_is_booked(stack: Stack) -> None:
    set_gift_wrap_account(stack, "ACTIVE")
    order_id = BROKEN["ACCOUNT_ARCHIVED"]["orderId"]

    stack.cloud.client("sqs").send_message(
        QueueUrl=stack.outputs["ShipmentsQueueUrl"],
        MessageBody=json.dumps({"reprocess": {"connection": "main", "order_id": order_id}}),
    )

    invoice = eventually(lambda: invoices(stack).get(order_id))
    assert invoice["Total"] == Decimal("8.50")


def test_amazon_answering_html_delays_one_order_not_its_neighbours(stack: Stack) -> None:
    late, fine = (
        order(item("3.00"), grand_total="3.00", order_id=f"902-000000{n}-0000000", updated="2026-11-03T10:00:00Z")
        for n in (1, 2)
    )
    stack.amazon.ask(
        "POST",
        "faults",
        {
            "kind": "refuse",
            "path": f"/orders/2026-01-01/orders/{late['orderId']}",
            "status": 503,
            "body": "<html><body>Service Unavailable</body></html>",
        },
    )
    stack.amazon.ask("POST", "orders", {"elements": [late, fine], "notify": True})

    eventually(lambda: invoices(stack).get(fine["orderId"]), 60)
    records = stack.cloud.log_records(stack.outputs["OrdersFunctionName"])
    waiting = [r for r in records if r.get("order_id") == late["orderId"] and r.get("message") == "AMAZON_UNAVAILABLE"]
    assert waiting
    # The resume function reads it again when its minute has come.
    assert eventually(lambda: invoices(stack).get(late["orderId"]), 150)["Total"] == Decimal("3.00")


def test_a_lost_answer_of_xero_leaves_one_invoice(stack: Stack) -> None:
    lost = order(item("4.00"), grand_total="4.00", order_id="903-0000001-0000000", updated="2026-11-03T11:00:00Z")
    stack.xero.ask("POST", "faults", {"kind": "drop", "method": "PUT", "path": "/api.xro/2.0/Invoices"})

    stack.amazon.ask("POST", "orders", {"elements": [lost], "notify": True})

    eventually(lambda: invoices(stack).get(lost["orderId"]))
    assert stack.wait_until_quiet(60) == ""
    dropped = [call for call in stack.xero.ask("GET", "calls") if call["fault"] == "drop"]
    assert len(dropped) == 1
    assert sum(i["Reference"].endswith(lost["orderId"]) for i in stack.xero.ask("GET", "books")["Invoices"]) == 1
    assert invoices(stack)[lost["orderId"]]["Status"] == "PAID"


def test_an_order_whose_event_was_lost_is_booked_all_the_same(stack: Stack) -> None:
    events, bus = stack.cloud.client("events"), stack.outputs["EventBusName"]
    (rule,) = events.list_rules(EventBusName=bus)["Rules"]
    events.disable_rule(Name=rule["Name"], EventBusName=bus)
    silent = order(item("2.50"), grand_total="2.50", order_id="904-0000001-0000000", updated="2026-11-03T12:00:00Z")
    try:
        stack.amazon.ask("POST", "orders", {"elements": [silent], "notify": True})
        paid = eventually(lambda: (invoices(stack).get(silent["orderId"]) or {}).get("Status") == "PAID", 150)
    finally:
        events.enable_rule(Name=rule["Name"], EventBusName=bus)

    assert paid


def test_buyers_are_found_in_xero_and_nowhere_else(stack: Stack) -> None:
    """The made-up orders carry a buyer called Canary, with an address and a telephone number of that name."""
    traces = [line for name in FUNCTIONS for line in stack.cloud.log_lines(stack.outputs[f"{name}FunctionName"])]
    table = stack.cloud.client("dynamodb").scan(TableName=stack.outputs["TableName"])["Items"]
    traces += [json.dumps(row) for row in table]
    traces += [json.dumps(letter) for name in ("Orders", "Shipments") for letter in dead_letters(stack, name)]
    traces += [json.dumps(call) for call in stack.amazon.ask("GET", "calls")]
    contacts = json.dumps(stack.xero.ask("GET", "books")["Contacts"], default=str)

    assert len(table) > 50
    for canary in ("canary", "cn1 1nc", "0000 000000"):
        assert canary in contacts.lower()
        assert not [trace for trace in traces if canary in trace.lower()]
    assert UK in "".join(traces)  # the order itself is there
