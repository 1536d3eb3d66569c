"""Hints become durable rows: once stored, an order will be read, whatever happens to the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderFact, Standing, Wants
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.services.intake.notices import Hint, OrderIntake
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


# --- events of the own bus --------------------------------------------------------------------------------------------


def read(order_id: str = "A", **more: Any) -> OrderFact:
    return OrderFact(order_id, read_at=NOON, updated=NOON, content={"orderId": order_id}, **more)


def test_an_order_that_wants_booking_is_named_and_its_row_left_as_it_is(intake: Intake) -> None:
    intake.store.save_orders([read().to_be_booked(NOON)])

    assert intake.service.note_shipments(["A", "A"]) == ["A"]
    assert intake.store.writes() == 1


def test_an_event_of_an_order_that_wants_nothing_is_no_news(intake: Intake) -> None:
    intake.store.save_orders([read(standing=Standing.BOOKED)])

    assert intake.service.note_shipments(["A"]) == []
    assert intake.store.writes() == 1
    assert intake.journal.of("HINT_ALREADY_ANSWERED") == [{"order_id": "A"}]


def test_when_a_person_asks_an_order_that_wants_nothing_is_booked_again(intake: Intake) -> None:
    intake.store.save_orders([read(standing=Standing.FAILED, reason="CLEARING_UNUSABLE", hint="mend it")])

    assert intake.service.note_shipments(["A"], again={"A"}) == ["A"]

    row = intake.row()
    assert (row.standing, row.wants, row.due_at, row.reason) == (Standing.RECORDED, Wants.BOOKING, NOON, "")
    assert intake.store.due_shipments(NOON, 9) == ["A"]


@pytest.mark.parametrize("again", [(), ("A",)])
def test_an_order_that_is_to_be_read_first_is_not_booked_from_what_is_old(intake: Intake, again: Sequence[str]) -> None:
    intake.store.save_orders([read(hinted_at=NOON, due_at=NOON)])

    assert intake.service.note_shipments(["A"], again) == []
    assert (intake.row().wants, intake.store.writes()) == (Wants.READING, 1)


@pytest.mark.parametrize("known", [[], [OrderFact("A", read_at=NOON - MINUTE, standing=Standing.FAILED)]])
def test_an_order_that_was_never_read_is_hinted(intake: Intake, known: list[OrderFact]) -> None:
    intake.store.save_orders(known)

    assert intake.service.note_shipments(["A"]) == []

    assert (intake.row().wants, intake.row().due_at, intake.row().hinted_at) == (Wants.READING, NOON, NOON)


def test_orders_in_all_conditions_in_one_batch(intake: Intake) -> None:
    intake.store.save_orders([read("A").to_be_booked(NOON), read("B", standing=Standing.BOOKED), read("C")])

    assert intake.service.note_shipments(["A", "B", "C", "D"], again=["C"]) == ["A", "C"]
    assert intake.store.due_orders(NOON, 9) == ["D"]


def test_a_row_that_another_worker_wrote_meanwhile_is_looked_at_again(intake: Intake) -> None:
    (held,) = intake.store.save_orders([read(standing=Standing.FAILED)]).values()
    hinted = replace(held, due_at=NOON, hinted_at=NOON)
    intake.store.meanwhile(lambda: intake.store.save_orders([hinted]))

    assert intake.service.note_shipments(["A"], again=["A"]) == []
    assert intake.row().wants is Wants.READING


def test_a_row_that_keeps_changing_while_a_person_asks_is_given_up_loudly(intake: Intake) -> None:
    intake.store.save_orders([read()])

    def write() -> None:
        held = intake.row()
        intake.store.save_orders([replace(held, attempts=held.attempts + 1)])

    intake.store.meanwhile(*[write] * 5)

    with pytest.raises(Conflict, match="1 order rows"):
        intake.service.note_shipments(["A"], again=["A"])
