"""The events in tests/events, which `make invoke` and `sam remote invoke` send: each is accepted by its function."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from amazon_to_xero.runtime import handlers
from local.invoke import EVENTS
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import TwoConnections

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing

FUNCTIONS = Path(handlers.__file__).parents[2]
NAMES = sorted(each.parent.name for each in FUNCTIONS.glob("*/handler.py"))
# Those of the other functions are in the tests of their handlers, over applications of their own.
ACCEPTED_HERE = ("orders", "shipments", "refunds", "inventory_alerts", "resume")


def events_of(function: str) -> list[Path]:
    return sorted(EVENTS.glob(f"{function}_*.json"))


@pytest.mark.parametrize("function", NAMES)
def test_every_function_has_an_example(function: str) -> None:
    assert events_of(function)


@pytest.mark.parametrize(
    "file", [file for function in ACCEPTED_HERE for file in events_of(function)], ids=lambda file: file.stem
)
def test_function_accepts_its_example(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "application", TwoConnections)
    function = next(name for name in ACCEPTED_HERE if file.stem.startswith(f"{name}_"))

    answer = import_module(f"{function}.handler").handler(json.loads(file.read_text("utf-8")), FakeLambdaContext())

    assert answer in ({}, {"batchItemFailures": []})
