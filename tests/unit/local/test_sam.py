"""`make sam` and `make event`: SAM CLI's own commands for the local cloud or a stack, with events that are accepted."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from amazon_to_xero.runtime.capabilities import CAPABILITIES
from local import event, sam
from local.invoke import EVENTS
from local.running import RunningStack

RUNNING = RunningStack("http://127.0.0.1:4566", {}, "A2SELLER")


class StubSam:
    """Stands in for SAM CLI: notes how it was called, and with which endpoint of AWS."""

    def __init__(self) -> None:
        self.command: list[str] = []
        self.endpoint: str | None = None

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.command = command[command.index("sam") :]
        self.endpoint = os.environ.get("AWS_ENDPOINT_URL")
        return subprocess.CompletedProcess(command, 3)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> StubSam:
    stub = StubSam()
    monkeypatch.setattr(subprocess, "run", stub.run)
    return stub


def running(monkeypatch: pytest.MonkeyPatch, stack: RunningStack | None) -> None:
    for module in (sam, event):
        monkeypatch.setattr(module, "find_running", lambda: stack)


def test_sam_reaches_the_local_cloud_and_its_exit_code_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, tool: StubSam
) -> None:
    running(monkeypatch, RUNNING)

    assert sam.main(["logs --name OrdersFunction"]) == 3

    assert tool.command == ["sam", "logs", "--name", "OrdersFunction", "--stack-name", "amazon-to-xero"]
    assert tool.endpoint == RUNNING.endpoint


def test_sam_reaches_a_named_stack_with_the_operator_s_own_settings(
    monkeypatch: pytest.MonkeyPatch, tool: StubSam
) -> None:
    running(monkeypatch, RUNNING)

    sam.main(["--stack", "live", "logs"])

    assert tool.command == ["sam", "logs", "--stack-name", "live"]
    assert tool.endpoint is None


def test_without_a_local_cloud_both_say_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tool: StubSam
) -> None:
    running(monkeypatch, None)

    assert sam.main(["logs"]) == 1
    assert event.main(["--event", str(EVENTS / "orders_sweep.json")]) == 1

    assert capsys.readouterr().err.count("start one with make run KEEP=1") == 2
    assert not tool.command


def test_event_names_the_seller_of_the_local_cloud_or_the_given_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running(monkeypatch, RUNNING)
    file = str(EVENTS / "orders_sqs_order_change.json")

    for options, seller in (([], "A2SELLER"), (["--seller", "A3SELLER"], "A3SELLER")):
        assert event.main(["--event", file, *options]) == 0
        records = json.loads(capsys.readouterr().out)["Records"]
        assert {CAPABILITIES["orders"].parse(each["body"]).seller_id for each in records} == {seller}
