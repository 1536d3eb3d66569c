"""A failed order on the deployed stack: found, previewed, its cause corrected, replayed, and in Xero once.

The tests of this file build on each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes.orders import item, order
from local.stack import CONNECTION, SETTINGS, STACK, Stack, deployed
from operations.command_line.app import app

pytestmark = pytest.mark.integration

GERMAN_RULES = [{"marketplaces": ["A1PA6795UKMFR9"], "ship_to": ["DE"], "amounts": "inclusive", "tax_type": "TAX003"}]
FAILING = order(item("7.00"), grand_total="7.00", order_id="908-0000001-0000000")
ORDER = FAILING["orderId"]
WRITES = {"PUT", "POST"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, seller: Path) -> Iterator[Stack]:
    """The settings have no tax rule for the order."""
    with deployed(tmp_path_factory.mktemp("stack"), seller, {"tax": {"rules": GERMAN_RULES}}) as running:
        yield running


def operate(*arguments: str) -> dict[str, Any]:
    """Run a command of the operators against the deployed stack; return its JSON."""
    done = CliRunner().invoke(app, [*arguments, "--stack", STACK, "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)


def xero_writes(stack: Stack) -> int:
    calls = stack.xero.control("GET", "calls")
    return sum(call["method"] in WRITES and call["path"].startswith("/api.xro/") for call in calls)


def add_tax_rules(stack: Stack) -> None:
    """Correct the settings, and start the functions anew: they keep settings for five minutes."""
    ssm, functions = stack.cloud.client("ssm"), stack.cloud.client("lambda")
    name = f"{stack.outputs['SettingsPath']}/{CONNECTION}"
    settings = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    settings["tax"] = json.loads(SETTINGS.read_text(encoding="utf-8"))["tax"]
    ssm.put_parameter(Name=name, Value=json.dumps(settings), Overwrite=True)
    for function in ("Orders", "Shipments", "Resume", "Replay"):
        functions.update_function_configuration(FunctionName=stack.outputs[f"{function}FunctionName"], MemorySize=1025)


def test_failed_order_is_previewed_with_why_it_would_fail_again_and_its_letter_stays(stack: Stack) -> None:
    stack.amazon.control("POST", "orders", {"elements": [FAILING], "notify": True})
    assert stack.wait_until_idle(90) == ""

    (failure,) = operate("replay", "preview", "--order", ORDER)["failures"]

    assert (failure["action"], failure["reason"], failure["has_letter"]) == ("SEND", "TAX_UNMAPPED", True)
    assert (failure["preview"]["state"], failure["preview"]["documents"]) == ("FAILED", [])
    assert stack.cloud.queue_depth(stack.outputs["ShipmentsDlqUrl"]).visible == 1
    assert stack.xero.control("GET", "books")["Invoices"] == []


def test_order_whose_cause_is_corrected_is_replayed_into_xero(stack: Stack) -> None:
    add_tax_rules(stack)

    (planned,) = operate("replay", "preview", "--order", ORDER)["failures"]
    assert planned["preview"]["state"] == "PLANNED", planned["preview"]
    documents = {each["document"]: each for each in planned["preview"]["documents"]}
    fields = {each["field"]: each["to_write"] for each in documents[f"invoice#{ORDER}"]["differences"]}
    assert fields["Total"] == "7.00"

    (sent,) = operate("replay", "run", "--order", ORDER, "--yes")["failures"]
    assert sent["action"] == "SEND"
    assert stack.wait_until_idle(90) == ""
    (invoice,) = (each for each in stack.xero.control("GET", "books")["Invoices"] if each["InvoiceNumber"] == ORDER)
    assert (Decimal(invoice["Total"]), invoice["Status"]) == (Decimal("7.00"), "PAID")
    assert stack.cloud.queue_depth(stack.outputs["ShipmentsDlqUrl"]).total == 0


def test_second_replay_writes_nothing(stack: Stack) -> None:
    writes = xero_writes(stack)

    assert operate("replay", "run", "--yes")["failures"] == []
    stack.cloud.client("sqs").send_message(
        QueueUrl=stack.outputs["OrdersQueueUrl"],
        MessageBody=json.dumps({"reprocess": {"connection": CONNECTION, "source": f"order#{ORDER}"}}),
    )
    assert stack.wait_until_idle(90) == ""

    assert xero_writes(stack) == writes


def test_evidence_names_who_replayed_the_order(stack: Stack) -> None:
    (attempt,) = operate("replay", "history", ORDER)["attempts"]

    assert attempt["by"] == stack.cloud.client("sts").get_caller_identity()["Arn"]
    assert (attempt["action"], attempt["reason"], attempt["outcome"]) == ("SEND", "TAX_UNMAPPED", "DONE")


def test_automatic_replay_hands_an_unreadable_letter_to_a_person(stack: Stack) -> None:
    mappings, sqs = stack.cloud.client("lambda"), stack.cloud.client("sqs")
    url, stopped = stack.outputs["OrdersDlqUrl"], stack.outputs["StoppedLettersUrl"]
    (mapping,) = (
        each
        for each in mappings.list_event_source_mappings()["EventSourceMappings"]
        if each["EventSourceArn"].endswith("-orders-dlq")
    )
    mappings.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    sqs.send_message(QueueUrl=url, MessageBody="not JSON")

    eventually(lambda: stack.cloud.queue_depth(stopped).visible == 1)
    eventually(lambda: stack.cloud.queue_depth(url).total == 0)
    (letter,) = sqs.receive_message(QueueUrl=stopped, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "not JSON"
    assert letter["MessageAttributes"]["why"]["StringValue"] == "the queue does not take the message"
