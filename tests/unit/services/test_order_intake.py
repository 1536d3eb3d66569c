"""Hints become durable rows: once stored, an order will be read, whatever happens to the message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.order_facts import OrderFact
from amazon_to_xero.ports import Conflict
from amazon_to_xero.services.order_intake import Hint, OrderIntake
from made_up.state import NOON, ManualClock, MemoryStateStore, RecordingJournal

MINUTE = timedelta(minutes=1)


class Intake:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.journal = RecordingJournal()
        self.service = OrderIntake(self.store, self.clock, self.journal)

    def row(self, order_id: str = "A") -> OrderFact:
        return self.store.orders([order_id])[order_id]


@pytest.fixture
def intake() -> Intake:
    return Intake()


def test_a_hint_is_a_row_that_is_due_at_once(intake: Intake) -> None:
    assert intake.service.note([Hint("A", NOON - MINUTE)]) == ["A"]

    assert (intake.row().hinted_at, intake.row().due_at) == (NOON - MINUTE, NOON)
    assert intake.store.due_orders(NOON, 10) == ["A"]


def test_many_hints_of_one_order_become_one_row_with_the_newest_time(intake: Intake) -> None:
    hints = [Hint("A", NOON - 3 * MINUTE), Hint("A", NOON - MINUTE), Hint("A", NOON - 2 * MINUTE), Hint("B", NOON)]

    assert sorted(intake.service.note(hints)) == ["A", "B"]
    assert intake.store.writes() == 2
    assert intake.row().hinted_at == NOON - MINUTE


def test_the_same_hint_again_writes_nothing_and_still_names_the_order_to_read(intake: Intake) -> None:
    intake.service.note([Hint("A", NOON)])

    assert intake.service.note([Hint("A", NOON)]) == ["A"]
    assert intake.store.writes() == 1


def test_a_hint_older_than_the_last_reading_costs_nothing_and_is_said(intake: Intake) -> None:
    intake.store.save_orders([OrderFact("A", read_at=NOON, updated=NOON)])

    assert intake.service.note([Hint("A", NOON - MINUTE)]) == []
    assert intake.store.writes() == 1
    assert intake.journal.of("HINT_ALREADY_ANSWERED") == [{"order_id": "A"}]


def test_a_hint_newer_than_the_last_reading_makes_the_order_due_again(intake: Intake) -> None:
    intake.store.save_orders([OrderFact("A", read_at=NOON - MINUTE, updated=NOON - MINUTE, digest="d")])

    assert intake.service.note([Hint("A", NOON)]) == ["A"]
    assert intake.row().due_at == NOON
    assert intake.row().digest == "d"


def test_a_row_that_another_worker_wrote_meanwhile_is_read_again_before_the_hint_goes_in(intake: Intake) -> None:
    # Given a reading that ends between our look at the row and our writing, before Amazon spoke
    (held,) = intake.store.save_orders([OrderFact("A")]).values()
    read = replace(held, read_at=NOON - MINUTE, digest="what the other one read")
    intake.store.meanwhile(lambda: intake.store.save_orders([read]))

    assert intake.service.note([Hint("A", NOON)]) == ["A"]
    assert intake.row().digest == "what the other one read"
    assert intake.row().due_at == NOON


def test_a_reading_that_ends_meanwhile_may_answer_the_hint(intake: Intake) -> None:
    (held,) = intake.store.save_orders([OrderFact("A")]).values()
    intake.store.meanwhile(lambda: intake.store.save_orders([replace(held, read_at=NOON)]))

    assert intake.service.note([Hint("A", NOON - MINUTE), Hint("B", NOON)]) == ["B"]
    assert intake.row().due_at is None


def test_a_row_that_keeps_changing_is_given_up_loudly(intake: Intake) -> None:
    def write() -> None:
        held = intake.store.orders(["A"]).get("A") or OrderFact("A")
        intake.store.save_orders([replace(held, attempts=held.attempts + 1)])

    intake.store.meanwhile(*[write] * 5)

    with pytest.raises(Conflict, match="1 order rows"):
        intake.service.note([Hint("A", NOON)])
