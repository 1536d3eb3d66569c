"""Each way of failing is found, explained, cured and re-triggered by commands alone; then the books are right, once."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.orders import item, order
from unit.ways_of_failing.operated_stack import HOUR, OperatedStack
from unit.ways_of_failing.registered import WAYS
from unit.ways_of_failing.way import Way

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")

BESIDE = "204-0000008-0000008"


def names(way: Way) -> str:
    return f"{way.code}-{way.steps.__name__}"


@pytest.mark.parametrize("way", WAYS, ids=names)
def test_failure_is_found_explained_and_cured_by_commands(monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    stack = OperatedStack(monkeypatch, way.settings)
    stack.charge(BESIDE, "5.00")
    stack.notify_orders(order(item("5.00"), grand_total="5.00", order_id=BESIDE))
    beside = in_xero(stack, BESIDE)
    steps = way.steps(stack)

    next(steps)
    is_found_and_explained(stack, way)
    with pytest.raises(StopIteration):
        next(steps)

    assert stack.operate("failed") == {"connection": "main", "failed": []}
    assert stack.in_books(way.order_id) == way.booked
    assert in_xero(stack, BESIDE) == beside
    writes_nothing_more(stack)


def is_found_and_explained(stack: OperatedStack, way: Way) -> None:
    failed = stack.operate("failed", "--code", way.code)
    # A contact fails beside the invoices that need it.
    (row,) = (each for each in failed["failed"] if not each["key"].startswith("DOCUMENT#contact#"))
    assert (row["order_id"], failed.exit_code) == (way.order_id, 1)
    assert row["remedy"]
    (stated,) = stack.operate("status")["connections"]
    assert {**stated["failed_sources"], **stated["failed_documents"]}[way.code] == len(failed["failed"])
    if way.order_id:
        assert way.code in str(dict(stack.operate("show", way.order_id)))
        assert way.code in str(dict(stack.operate("logs", way.order_id)))


def writes_nothing_more(stack: OperatedStack) -> None:
    """Replay everything that is left, and let an hour pass with its sweeps."""
    before = stack.writes()
    for failure in stack.operate("replay", "run", "--yes")["failures"]:
        assert failure["action"] == "DELETE", failure
    stack.pass_time(2 * HOUR)
    assert stack.writes() == before
    assert not [letter for queue in stack.dead_letter_queues.values() for letter in queue.kept]


def in_xero(stack: OperatedStack, order_id: str) -> list[Any]:
    """Return every document of an order as Xero holds it."""
    books = stack.xero.holdings()
    found = [each for kind in ("Invoices", "CreditNotes") for each in books[kind] if order_id in str(each["Reference"])]
    assert found
    return found
