"""The orders that docs/operating.md offers for practising on the local cloud fail as its table says."""

from __future__ import annotations

import json
import re

import pytest

from local.cloud import ROOT
from sandbox.wire import Request
from unit.runtime.two_connections import order_change
from unit.ways_of_failing.operated_stack import OperatedStack

FOLDER = ROOT / "infra" / "sandbox" / "practice"
DOCUMENTED = re.findall(
    r"^\| `(order_\w+)` \| `?(\w+)`?", (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"), re.MULTILINE
)


def test_each_file_is_documented() -> None:
    assert sorted(name for name, _ in DOCUMENTED) == sorted(file.stem for file in FOLDER.iterdir())


@pytest.mark.parametrize(("name", "code"), DOCUMENTED)
def test_order_fails_as_documented(monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    stack = OperatedStack(monkeypatch)
    if code == "ACCOUNT_ARCHIVED":
        stack.set_organisation(Accounts=[{"Code": "206", "Status": "ARCHIVED"}])
    body = (FOLDER / f"{name}.json").read_bytes()

    assert stack.amazon.control(Request.to("POST", "/_sandbox/orders", body=body)).status == 200
    request = json.loads(body)
    for each in request["elements"] if request["notify"] else ():
        stack.queues["orders"].send(order_change(each["orderId"], stack.seller_id, stack.clock.now()))
    stack.work()

    failed = [each["reason"] for each in stack.operate("failed")["failed"]]
    assert failed[:1] == ([code] if code.isupper() else [])
