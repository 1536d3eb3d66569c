"""A representative of each kind of cure on the deployed stack, by commands alone: found, explained, cured, booked once.

The kinds are those of tests/unit/ways_of_failing/ways_of_failing.toml. What takes hours there (outages, refusals of a
whole connection, refunds that wait for their sale) is walked in virtual time, by the same commands. One failure's
commands are processes, as an operator starts them; the others call the same app here, which saves their start.

The tests of this file build on each other.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from amazon_to_xero.services.changes_in_xero.daily_check import CURSOR as CHECK_OF_CHANGES
from fakes.orders import US, breakdown, item, order
from local.cloud import ROOT
from local.stack import CONNECTION, STACK, Stack, deployed
from operations.command_line.app import app
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

pytestmark = pytest.mark.integration

FUNCTIONS = ("Orders", "Shipments", "Refunds", "Resume", "Replay")
GERMANY = "A1PA6795UKMFR9"


def sold(number: int, *items: dict[str, Any], total: str = "10.00", **more: Any) -> dict[str, Any]:
    """Return a shipped order."""
    given = items or (item(total, currency=more.get("currency", "GBP")),)
    return order(*given, **{"grand_total": total, "order_id": f"908-000000{number}-0000000", **more})


BESIDE = sold(9)
WITHOUT_RULE = sold(1, currency="EUR", marketplace=GERMANY, ship_to="CH")
ON_ARCHIVED_ACCOUNT = sold(2, item("10.00", breakdown("ITEM", "9.00"), breakdown("GIFT_WRAP", "1.00")))
WITH_TAKEN_NUMBER = sold(3)
OF_OTHER_RATE = sold(4, item("10.00", breakdown("ITEM", "10.00"), breakdown("TAX", "0.48", ITEM="0.48")))
WITH_WRONG_TOTAL = sold(5, item("9.00"))
CHANGED = sold(6, currency="USD", marketplace=US, ship_to="US")
OF_CORRECTED_RULE = sold(7, item("10.00", sku="LAMP-DESK"))
OF_THE_PAST = sold(8, created="2026-10-20T10:00:00Z", updated="2026-10-20T15:00:00Z")

FAILING = {
    "TAX_UNMAPPED": WITHOUT_RULE,
    "ACCOUNT_ARCHIVED": ON_ARCHIVED_ACCOUNT,
    "NUMBER_TAKEN": WITH_TAKEN_NUMBER,
    "TAX_VARIANCE": OF_OTHER_RATE,
    "ORDER_TOTAL_DIFFERS": WITH_WRONG_TOTAL,
}
#: What is corrected in the settings: a rule for the destination, and the account of one product.
CORRECTED: dict[str, dict[str, Any]] = {
    "tax": {"rules": [{"ship_to": ["CH"], "amounts": "inclusive", "tax_type": "ZERORATEDOUTPUT"}]},
    "accounts": {"rules": [{"skus": ["LAMP-*"], "account": "205"}]},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, seller: Path) -> Iterator[Stack]:
    """Sales in dollars stay unpaid, so that somebody can edit their invoices in Xero."""
    parts = {"start": "2026-10-01T00:00:00Z", "accounts": {"clearing": {"GBP": "CLR-GBP", "EUR": "CLR-EUR"}}}
    with deployed(tmp_path_factory.mktemp("stack"), seller, parts) as running:
        yield running


# --- an operator, and a person in Xero --------------------------------------------------------------------------------


def typed(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """Run a command as a process of its own; return its JSON."""
    answer: dict[str, Any] = json.loads(run_module("operations", *arguments, "--json", exit_code=exit_code))
    return answer


def run_module(name: str, *arguments: str, exit_code: int = 0) -> str:
    """Run a module of the operator's tools on the stack; return what it printed."""
    command = [sys.executable, "-m", name, *arguments, "--stack", STACK]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'infra'}:{ROOT / 'functions'}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout


def operate(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """Run a command in this process; return its JSON."""
    done = CliRunner().invoke(app, [*arguments, "--stack", STACK, "--json"])
    assert done.exit_code == exit_code, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@dataclass
class PersonInXero:
    """Somebody who works in Xero: calls without an Idempotency-Key, which all calls of the functions have."""

    url: str
    tenant: str
    token: str = field(init=False)

    def __post_init__(self) -> None:
        client = base64.b64encode(f"{DEFAULT_CLIENT_ID}:{DEFAULT_CLIENT_SECRET}".encode()).decode()
        form = b"grant_type=client_credentials"
        self.token = self._answer("POST", "/connect/token", form, Authorization=f"Basic {client}")["access_token"]

    def write(self, method: str, target: str, body: Any) -> dict[str, Any]:
        """Return Xero's object."""
        headers = {"Authorization": f"Bearer {self.token}", "xero-tenant-id": self.tenant, "Accept": "application/json"}
        answer = self._answer(method, f"/api.xro/2.0/{target}", json.dumps(body).encode(), **headers)
        (element,) = answer[target.partition("/")[0]]
        return dict(element)

    def _answer(self, method: str, path: str, body: bytes, **headers: str) -> Any:
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def person(stack: Stack) -> PersonInXero:
    return PersonInXero(stack.xero.url, stack.xero.control("GET", "books")["Organisations"][0]["OrganisationID"])


# --- what is in Xero --------------------------------------------------------------------------------------------------


def written(stack: Stack) -> int:
    """Return how many calls of the functions have written to Xero."""
    calls = stack.xero.control("GET", "calls")
    return sum(call["method"] in ("PUT", "POST") and call["idempotency_key"] is not None for call in calls)


def held(stack: Stack, sale: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the invoices and credit notes of an order that count."""
    books = stack.xero.control("GET", "books")
    documents = [*books["Invoices"], *books["CreditNotes"]]
    ours = [each for each in documents if each.get("Reference", "").endswith(sale["orderId"])]
    return [each for each in ours if each["Status"] not in ("VOIDED", "DELETED")]


def booked(stack: Stack, sale: dict[str, Any]) -> list[tuple[Decimal, str]]:
    return [(each["Total"], each["Status"]) for each in held(stack, sale)]


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)


def idle(stack: Stack) -> None:
    assert stack.wait_until_idle(180) == ""


def set_gift_wrap_account(stack: Stack, status: str) -> None:
    stack.xero.control("POST", "organisation", {"Accounts": [{"Code": "206", "Status": status}]})


# --- found and explained ----------------------------------------------------------------------------------------------


def test_each_failure_is_on_the_list_with_its_code_and_remedy(stack: Stack, person: PersonInXero) -> None:
    set_gift_wrap_account(stack, "ARCHIVED")
    line = {"Description": "Kettle", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    number = WITH_TAKEN_NUMBER["orderId"]
    other = {"Type": "ACCREC", "InvoiceNumber": number, "Contact": {"Name": "Somebody"}, "LineItems": [line]}
    person.write("PUT", "Invoices", other)
    stack.cloud.client("sqs").send_message(QueueUrl=stack.outputs["OrdersQueueUrl"], MessageBody="not JSON")
    stack.amazon.control("POST", "orders", {"elements": [BESIDE, CHANGED, OF_CORRECTED_RULE], "notify": True})
    stack.amazon.control("POST", "orders", {"elements": list(FAILING.values()), "notify": True})
    idle(stack)

    failed = typed("failed", exit_code=1)["failed"]

    # The payments of refused invoices fail with them.
    causes = [(each["reason"], each["order_id"]) for each in failed if each["reason"] != "REFERENCE_FAILED"]
    assert sorted(causes) == sorted((code, each["orderId"]) for code, each in FAILING.items())
    assert all(len(each["remedy"]) > 20 for each in failed)
    (stated,) = operate("status", exit_code=1)["connections"]
    counted = stated["failed_sources"] | stated["failed_documents"]
    assert {code: counted[code] for code in FAILING} == dict.fromkeys(FAILING, 1)
    assert booked(stack, BESIDE) == [(Decimal("10.00"), "PAID")]


def test_each_failure_is_explained_by_its_order_and_its_log() -> None:
    for code, each in FAILING.items():
        shown = operate("show", each["orderId"], exit_code=1)  # a person is needed
        lines = operate("logs", each["orderId"])["lines"]
        rows = [shown["order"], *shown["documents"]]
        assert code in {row["reason"] for row in rows}
        assert code in {line.get("reason") for line in lines if line["message"] == "FAILED"}


def test_rejected_message_is_listed_with_its_code_and_left_to_a_person() -> None:
    listed = operate("replay", "preview", "--function", "orders")["failures"]

    assert [(each["action"], each["why"]) for each in listed if each["reason"] == "MALFORMED_MESSAGE"] == [
        ("LEAVE", "the queue does not take the message")
    ]


# --- cured ------------------------------------------------------------------------------------------------------------


def test_setting_is_corrected_and_its_order_replayed(stack: Stack, tmp_path: Path) -> None:
    """An edit in Xero is looked for once a day; it is made to be due when the functions start anew, too."""
    order_id = WITHOUT_RULE["orderId"]
    correct_settings(stack, tmp_path / "settings.json")

    (planned,) = typed("replay", "preview", "--order", order_id)["failures"]
    assert (planned["action"], planned["preview"]["state"]) == ("SEND", "PLANNED"), planned
    documents = {each["document"]: each for each in planned["preview"]["documents"]}
    fields = {each["field"]: each["to_write"] for each in documents[f"invoice#{order_id}"]["differences"]}
    assert fields["Total"] == "10.00"

    (sent,) = typed("replay", "run", "--order", order_id, "--yes")["failures"]
    assert (sent["action"], sent["reason"]) == ("SEND", "TAX_UNMAPPED")


def correct_settings(stack: Stack, file: Path) -> None:
    """Run `make connect` against the sandboxes; start the functions anew, which keep settings for five minutes."""
    ssm, functions = stack.cloud.client("ssm"), stack.cloud.client("lambda")
    name = f"{stack.outputs['SettingsPath']}/{CONNECTION}"
    settings = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    settings["tax"]["rules"] += CORRECTED["tax"]["rules"]
    settings["accounts"] |= CORRECTED["accounts"]
    file.write_text(json.dumps(settings), encoding="utf-8")
    urls = ["--amazon-api-url", stack.amazon.url, "--lwa-url", f"{stack.amazon.url}/auth/o2/token"]
    run_module("operations.connect", "--settings", str(file), *urls)
    for function in FUNCTIONS:
        functions.update_function_configuration(FunctionName=stack.outputs[f"{function}FunctionName"], MemorySize=1025)


def test_what_stood_in_the_way_in_xero_is_corrected_and_its_orders_replayed(stack: Stack, person: PersonInXero) -> None:
    set_gift_wrap_account(stack, "ACTIVE")
    (other,) = (
        each
        for each in stack.xero.control("GET", "books")["Invoices"]
        if each["InvoiceNumber"] == WITH_TAKEN_NUMBER["orderId"]
    )
    person.write("POST", f"Invoices/{other['InvoiceID']}", {"InvoiceNumber": "INV-0017"})

    for code in ("ACCOUNT_ARCHIVED", "NUMBER_TAKEN"):
        (sent,) = operate("replay", "run", "--code", code, "--yes")["failures"]
        assert (sent["action"], sent["order"]) == ("SEND", FAILING[code]["orderId"])


def test_order_is_corrected_and_another_one_skipped() -> None:
    reason = ("--reason", "as the accountant says", "--yes")
    corrected = operate("correct", OF_OTHER_RATE["orderId"], "--tax-type", "RROUTPUT", *reason)
    skipped = operate("correct", WITH_WRONG_TOTAL["orderId"], "--skip", *reason)

    assert (corrected["is_sent"], skipped["is_sent"]) == (True, True)


def test_every_order_is_booked_once_and_nothing_else_has_moved(stack: Stack) -> None:
    idle(stack)

    assert typed("failed")["failed"] == []
    for cured in (WITHOUT_RULE, ON_ARCHIVED_ACCOUNT, WITH_TAKEN_NUMBER, OF_OTHER_RATE, BESIDE):
        assert booked(stack, cured) == [(Decimal("10.00"), "PAID")], cured["orderId"]
    assert booked(stack, WITH_WRONG_TOTAL) == []
    (line,) = held(stack, OF_OTHER_RATE)[0]["LineItems"]
    assert (line["TaxType"], line["TaxAmount"]) == ("RROUTPUT", Decimal("0.48"))
    # The contact of each marketplace, then invoices and payments: what is cured together is written together.
    assert written(stack) <= 14


def test_second_replay_writes_nothing_and_the_first_has_left_evidence(stack: Stack) -> None:
    before, order_id = written(stack), WITHOUT_RULE["orderId"]

    left = operate("replay", "run", "--yes")["failures"]
    operate("resync", order_id, BESIDE["orderId"], "--yes")
    idle(stack)

    assert {(each["reason"], each["action"]) for each in left} <= {
        ("MALFORMED_MESSAGE", "LEAVE"),
        *((code, "DELETE") for code in FAILING),
    }
    assert written(stack) == before
    attempts = {each["action"]: each for each in operate("replay", "history", order_id)["attempts"]}
    replayed = attempts["SEND"]
    assert attempts.keys() == {"SEND", "RESYNC"}
    assert replayed["by"] == stack.cloud.client("sts").get_caller_identity()["Arn"]
    assert (replayed["reason"], replayed["outcome"]) == ("TAX_UNMAPPED", "DONE")


# --- after a rule was corrected ---------------------------------------------------------------------------------------


def test_paid_order_is_booked_again_by_the_corrected_rule(stack: Stack) -> None:
    order_id, before = OF_CORRECTED_RULE["orderId"], written(stack)

    listed = operate("rebook", "list", "--from", "2026-11-01")
    assert [each["order"] for each in listed["orders"]] == [order_id]
    operate("rebook", "preview", order_id)
    assert written(stack) == before
    assert operate("rebook", "run", order_id, "--reason", "the lamps have an account", "--yes")["sent"] == [order_id]
    idle(stack)

    amounts = {(each["LineItems"][0]["AccountCode"], each["Total"]) for each in held(stack, OF_CORRECTED_RULE)}
    assert amounts == {("200", Decimal("10.00")), ("205", Decimal("10.00"))}
    assert operate("rebook", "list", "--from", "2026-11-01")["orders"] == []


# --- what was changed in Xero -----------------------------------------------------------------------------------------


def test_change_in_xero_is_listed_and_restored_or_accepted(stack: Stack, person: PersonInXero) -> None:
    (invoice,) = held(stack, CHANGED)
    named = ("Description", "Quantity", "UnitAmount", "TaxType")
    line = {name: str(invoice["LineItems"][0][name]) for name in named} | {"AccountCode": "205"}
    document = f"invoice#{CHANGED['orderId']}"

    def edited() -> None:
        person.write("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": [line]})
        check_changes_now(stack)
        (change,) = operate("drift", "list", exit_code=1)["open"]
        assert (change["document"], change["change"]) == (document, "EDITED")
        assert change["differences"][0] | {"field": ""} == {"field": "", "in_xero": "205", "to_write": "200"}

    def account() -> str:
        return str(held(stack, CHANGED)[0]["LineItems"][0]["AccountCode"])

    edited()
    assert operate("drift", "restore", document, "--yes")["is_sent"]
    idle(stack)
    assert account() == "200"
    assert operate("drift", "list")["open"] == []

    edited()
    before = written(stack)
    assert operate("drift", "accept", document, "--reason", "the accountant moved it", "--yes")["is_sent"]
    idle(stack)
    assert (account(), written(stack)) == ("205", before)
    assert operate("drift", "list")["open"] == []


def check_changes_now(stack: Stack) -> None:
    """Have a day pass since the last check, which the functions remember."""
    cursor, since = stack.store.cursor(CHECK_OF_CHANGES), datetime.now(UTC) - timedelta(days=1, minutes=1)
    stack.store.save([replace(cursor, data={"since": since.isoformat()})])
    functions, name = stack.cloud.client("lambda"), stack.outputs["ResumeFunctionName"]
    size = functions.get_function_configuration(FunctionName=name)["MemorySize"]
    functions.update_function_configuration(FunctionName=name, MemorySize=size + 1)
    stack.cloud.invoke(name, {})


# --- further back -----------------------------------------------------------------------------------------------------


def test_past_period_is_entered(stack: Stack) -> None:
    """Its orders have changed before the last sweep, so that only the backfill finds them."""
    stack.cloud.invoke(stack.outputs["OrdersFunctionName"], {"sweep": "orders"})
    stack.amazon.control("POST", "orders", OF_THE_PAST)
    period = ("--from", "2026-10-19", "--to", "2026-10-21")

    forecast = operate("backfill", "forecast", *period)
    assert forecast["orders"] == [1, 1]
    operate("backfill", *period, "--reason", "we moved over", "--yes")
    for _ in range(4):
        stack.cloud.invoke(stack.outputs["OrdersFunctionName"], {"sweep": "orders"})
        if json.loads(run_status())["backfills"][-1]["state"] == "DONE":
            break
    idle(stack)

    assert booked(stack, OF_THE_PAST) == [(Decimal("10.00"), "PAID")]


def run_status() -> str:
    return CliRunner().invoke(app, ["backfill", "status", "--stack", STACK, "--json"]).stdout


# --- without a person -------------------------------------------------------------------------------------------------


def test_automatic_replay_hands_an_unreadable_letter_to_a_person(stack: Stack) -> None:
    mappings, sqs = stack.cloud.client("lambda"), stack.cloud.client("sqs")
    url, stopped = stack.outputs["OrdersDlqUrl"], stack.outputs["StoppedLettersUrl"]
    (mapping,) = (
        each
        for each in mappings.list_event_source_mappings()["EventSourceMappings"]
        if each["EventSourceArn"].endswith("-orders-dlq")
    )
    mappings.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    eventually(lambda: stack.cloud.queue_depth(stopped).visible == 1)
    eventually(lambda: stack.cloud.queue_depth(url).total == 0)
    (letter,) = sqs.receive_message(QueueUrl=stopped, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "not JSON"
    assert letter["MessageAttributes"]["why"]["StringValue"] == "the queue does not take the message"
