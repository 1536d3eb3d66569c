"""Notices become durable rows: once stored, an order will be read, whatever happens to the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import NextStep, OrderRecord, OrderState
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.services.intake.notices import ChangeNotice, NoticeRecorder
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog

MINUTE = timedelta(minutes=1)


class Intake:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.decisions = RecordingDecisionLog()
        self.service = NoticeRecorder(self.store, self.clock, self.decisions)

    def row(self, order_id: str = "A") -> OrderRecord:
        return self.store.load(OrderRecord, [order_id])[order_id]


@pytest.fixture
def intake() -> Intake:
    return Intake()


def test_a_hint_is_a_row_that_is_due_at_once(intake: Intake) -> None:
    assert intake.service.note([ChangeNotice("A", NOON - MINUTE)]) == ["A"]

    assert (intake.row().noticed_at, intake.row().next_attempt_at) == (NOON - MINUTE, NOON)
    assert intake.store.due(ORDERS, NOON, 10) == ["A"]


def test_many_hints_of_one_order_become_one_row_with_the_newest_time(intake: Intake) -> None:
    notices = [
        ChangeNotice("A", NOON - 3 * MINUTE),
        ChangeNotice("A", NOON - MINUTE),
        ChangeNotice("A", NOON - 2 * MINUTE),
        ChangeNotice("B", NOON),
    ]

    assert sorted(intake.service.note(notices)) == ["A", "B"]
    assert intake.store.writes() == 2
    assert intake.row().noticed_at == NOON - MINUTE


def test_the_same_hint_again_writes_nothing_and_still_names_the_order_to_read(intake: Intake) -> None:
    intake.service.note([ChangeNotice("A", NOON)])

    assert intake.service.note([ChangeNotice("A", NOON)]) == ["A"]
    assert intake.store.writes() == 1


def test_a_hint_older_than_the_last_reading_costs_nothing_and_is_said(intake: Intake) -> None:
    intake.store.save([OrderRecord("A", read_at=NOON, updated=NOON)])

    assert intake.service.note([ChangeNotice("A", NOON - MINUTE)]) == []
    assert intake.store.writes() == 1
    assert intake.decisions.of("NOTICE_ALREADY_ANSWERED") == [{"order_id": "A"}]


def test_a_hint_newer_than_the_last_reading_makes_the_order_due_again(intake: Intake) -> None:
    intake.store.save([OrderRecord("A", read_at=NOON - MINUTE, updated=NOON - MINUTE, digest="d")])

    assert intake.service.note([ChangeNotice("A", NOON)]) == ["A"]
    assert intake.row().next_attempt_at == NOON
    assert intake.row().digest == "d"


def test_a_row_that_another_worker_wrote_meanwhile_is_read_again_before_the_hint_goes_in(intake: Intake) -> None:
    # Given a reading that ends between our look at the row and our writing, before Amazon spoke
    (held,) = intake.store.save([OrderRecord("A")]).values()
    read = replace(held, read_at=NOON - MINUTE, digest="what the other one read")
    intake.store.meanwhile(lambda: intake.store.save([read]))

    assert intake.service.note([ChangeNotice("A", NOON)]) == ["A"]
    assert intake.row().digest == "what the other one read"
    assert intake.row().next_attempt_at == NOON


def test_a_reading_that_ends_meanwhile_may_answer_the_hint(intake: Intake) -> None:
    (held,) = intake.store.save([OrderRecord("A")]).values()
    intake.store.meanwhile(lambda: intake.store.save([replace(held, read_at=NOON)]))

    assert intake.service.note([ChangeNotice("A", NOON - MINUTE), ChangeNotice("B", NOON)]) == ["B"]
    assert intake.row().next_attempt_at is None


def test_a_row_that_keeps_changing_is_given_up_loudly(intake: Intake) -> None:
    def write() -> None:
        held = intake.store.load(OrderRecord, ["A"]).get("A") or OrderRecord("A")
        intake.store.save([replace(held, attempts=held.attempts + 1)])

    intake.store.meanwhile(*[write] * 5)

    with pytest.raises(Conflict, match="1 order rows"):
        intake.service.note([ChangeNotice("A", NOON)])


# --- events of the own bus --------------------------------------------------------------------------------------------


def read(order_id: str = "A", **more: Any) -> OrderRecord:
    return OrderRecord(order_id, read_at=NOON, updated=NOON, content={"orderId": order_id}, **more)


def test_an_order_that_wants_booking_is_named_and_its_row_left_as_it_is(intake: Intake) -> None:
    intake.store.save([read().to_be_booked(NOON)])

    assert intake.service.note_shipments(["A", "A"]) == ["A"]
    assert intake.store.writes() == 1


def test_an_event_of_an_order_that_wants_nothing_is_no_news(intake: Intake) -> None:
    intake.store.save([read(state=OrderState.PLANNED)])

    assert intake.service.note_shipments(["A"]) == []
    assert intake.store.writes() == 1
    assert intake.decisions.of("NOTICE_ALREADY_ANSWERED") == [{"order_id": "A"}]


def test_when_a_person_asks_an_order_that_wants_nothing_is_booked_again(intake: Intake) -> None:
    intake.store.save([read(state=OrderState.FAILED, reason="CLEARING_UNUSABLE", remedy="mend it")])

    assert intake.service.note_shipments(["A"], again={"A"}) == ["A"]

    row = intake.row()
    assert (row.state, row.next_step, row.next_attempt_at, row.reason) == (OrderState.RECORDED, NextStep.PLAN, NOON, "")
    assert intake.store.due(SHIPMENTS, NOON, 9) == ["A"]


@pytest.mark.parametrize("again", [(), ("A",)])
def test_an_order_that_is_to_be_read_first_is_not_booked_from_what_is_old(intake: Intake, again: Sequence[str]) -> None:
    intake.store.save([read(noticed_at=NOON, next_attempt_at=NOON)])

    assert intake.service.note_shipments(["A"], again) == []
    assert (intake.row().next_step, intake.store.writes()) == (NextStep.READ, 1)


@pytest.mark.parametrize("known", [[], [OrderRecord("A", read_at=NOON - MINUTE, state=OrderState.FAILED)]])
def test_an_order_that_was_never_read_is_hinted(intake: Intake, known: list[OrderRecord]) -> None:
    intake.store.save(known)

    assert intake.service.note_shipments(["A"]) == []

    assert (intake.row().next_step, intake.row().next_attempt_at, intake.row().noticed_at) == (NextStep.READ, NOON, NOON)


def test_orders_in_all_conditions_in_one_batch(intake: Intake) -> None:
    intake.store.save([read("A").to_be_booked(NOON), read("B", state=OrderState.PLANNED), read("C")])

    assert intake.service.note_shipments(["A", "B", "C", "D"], again=["C"]) == ["A", "C"]
    assert intake.store.due(ORDERS, NOON, 9) == ["D"]


def test_a_row_that_another_worker_wrote_meanwhile_is_looked_at_again(intake: Intake) -> None:
    (held,) = intake.store.save([read(state=OrderState.FAILED)]).values()
    noticed = replace(held, next_attempt_at=NOON, noticed_at=NOON)
    intake.store.meanwhile(lambda: intake.store.save([noticed]))

    assert intake.service.note_shipments(["A"], again=["A"]) == []
    assert intake.row().next_step is NextStep.READ


def test_a_row_that_keeps_changing_while_a_person_asks_is_given_up_loudly(intake: Intake) -> None:
    intake.store.save([read()])

    def write() -> None:
        held = intake.row()
        intake.store.save([replace(held, attempts=held.attempts + 1)])

    intake.store.meanwhile(*[write] * 5)

    with pytest.raises(Conflict, match="1 order rows"):
        intake.service.note_shipments(["A"], again=["A"])
