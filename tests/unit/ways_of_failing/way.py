"""One way of failing: what happens at Amazon or in Xero, then what a person does, and what the books hold in the end.

A way is a generator: what is before its only `yield` makes something fail; what follows is the cure, as commands and as
changes that a person makes in Xero or Amazon makes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amazon_to_xero.domain.failures import FailureCode
from fakes.orders import item, order
from unit.ways_of_failing.operated_stack import Answer, OperatedStack

ORDER = "204-0000001-0000001"
PAID = [(ORDER, "10.00", "PAID")]
SKIPPED: list[tuple[str, str, str]] = []  # a person has entered it: nothing of ours is in Xero

type Steps = Generator[None]


@dataclass(frozen=True)
class Way:
    """How one failure is met and cured.

    steps: see above.
    booked: number, total and status of each document of the order in the end.
    settings: parts of the settings that the stack begins with.
    order_id: whose failure it is; empty where it belongs to no order.
    """

    code: FailureCode
    steps: Callable[[OperatedStack], Steps]
    booked: list[tuple[str, str, str]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    order_id: str = ORDER


WAYS: list[Way] = []


def way(
    code: FailureCode,
    booked: list[tuple[str, str, str]] = PAID,
    order_id: str = ORDER,
    **settings: Any,
) -> Callable[[Callable[[OperatedStack], Steps]], Callable[[OperatedStack], Steps]]:
    """Register a way of failing with that code."""

    def registered(steps: Callable[[OperatedStack], Steps]) -> Callable[[OperatedStack], Steps]:
        WAYS.append(Way(code, steps, booked, settings, order_id))
        return steps

    return registered


def sale(total: str = "10.00", *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a shipped order of that total, in GBP unless `more` says otherwise."""
    days = {"created": "2026-11-22T10:00:00Z", "updated": "2026-11-23T10:00:00Z"}
    stated = {"grand_total": total, "order_id": ORDER, **days, **more}
    return order(*(items or (item(total, currency=more.get("currency", "GBP")),)), **stated)


def replay(stack: OperatedStack, *selected: str) -> Answer:
    """Preview what is selected, which must be booked now, and replay it; the functions do the work."""
    chosen = selected or ("--order", ORDER)
    for failure in stack.operate("replay", "preview", *chosen)["failures"]:
        assert failure["action"] == "SEND", failure
    answer = stack.operate("replay", "run", *chosen, "--yes")
    stack.work()
    return answer


def correct(stack: OperatedStack, *what: str, source: str = ORDER) -> None:
    """Enter a correction; the functions plan its source again."""
    assert stack.operate("correct", source, *what, "--reason", "as the accountant says", "--yes")["is_sent"]
    stack.work()
