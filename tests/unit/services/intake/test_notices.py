"""Change notices become durable rows: once a notice is stored, its order will be read even if the message is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.services.intake.notices import NoticeRecorder
from amazon_to_xero.services.state_updates import ATTEMPTS
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.interruptions import before_save

MINUTE = timedelta(minutes=1)


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def recorder(connection: FakeConnection) -> NoticeRecorder:
    return connection.connection.services.notices


def write_again(connection: FakeConnection) -> Callable[[], object]:
    """Return an action of another worker: it saves the record of A without changing what the notice is about."""

    def save() -> None:
        held = connection.store.load(OrderRecord, ["A"]).get("A") or OrderRecord("A")
        assert connection.store.save([replace(held, attempts=held.attempts + 1)])

    return save


def test_notice_makes_its_order_due_at_once(connection: FakeConnection, recorder: NoticeRecorder) -> None:
    assert recorder.record([ChangeNotice("A", NOON - MINUTE)]) == ["A"]

    record = connection.record()
    assert (record.noticed_at, record.next_step, record.next_attempt_at) == (NOON - MINUTE, NextStep.READ, NOON)
    assert connection.store.due(ORDERS, NOON, 10) == ["A"]


def test_notice_without_a_time_is_of_now(connection: FakeConnection, recorder: NoticeRecorder) -> None:
    assert recorder.record([ChangeNotice("A")]) == ["A"]

    assert connection.record().noticed_at == NOON


def test_several_notices_of_one_order_are_one_row_with_the_newest_time(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    notices = [
        ChangeNotice("A", NOON - 3 * MINUTE),
        ChangeNotice("A", NOON - MINUTE),
        ChangeNotice("A", NOON - 2 * MINUTE),
        ChangeNotice("B", NOON),
    ]

    assert sorted(recorder.record(notices)) == ["A", "B"]
    assert connection.store.writes() == 2
    assert connection.record().noticed_at == NOON - MINUTE


def test_repeated_notice_writes_nothing_and_still_names_the_order(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    recorder.record([ChangeNotice("A", NOON)])

    assert recorder.record([ChangeNotice("A", NOON)]) == ["A"]
    assert connection.store.writes() == 1


def test_notice_older_than_the_last_reading_writes_nothing_and_is_logged(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    connection.store.save([OrderRecord("A", read_at=NOON, version=NOON)])

    assert recorder.record([ChangeNotice("A", NOON - MINUTE)]) == []
    assert connection.store.writes() == 1
    assert connection.decisions.of("NOTICE_ALREADY_ANSWERED") == [{"order_id": "A"}]


def test_notice_newer_than_the_last_reading_makes_the_order_due_again(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    connection.store.save([OrderRecord("A", read_at=NOON - MINUTE, version=NOON - MINUTE, digest="d")])

    assert recorder.record([ChangeNotice("A", NOON)]) == ["A"]
    assert (connection.record().next_attempt_at, connection.record().digest) == (NOON, "d")


def test_notice_is_added_to_what_another_worker_stored_in_between(
    connection: FakeConnection, recorder: NoticeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a reading of before the notice that ends between our load of the row and our save
    (held,) = connection.store.save([OrderRecord("A")]).values()
    read = replace(held, read_at=NOON - MINUTE, digest="read by another worker")
    before_save(monkeypatch, connection.store, OrderRecord, lambda: connection.store.save([read]))

    assert recorder.record([ChangeNotice("A", NOON)]) == ["A"]
    assert connection.record().digest == "read by another worker"
    assert connection.record().next_attempt_at == NOON


def test_reading_that_ends_in_between_may_answer_the_notice(
    connection: FakeConnection, recorder: NoticeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (held,) = connection.store.save([OrderRecord("A")]).values()
    read = replace(held, read_at=NOON)
    before_save(monkeypatch, connection.store, OrderRecord, lambda: connection.store.save([read]))

    assert recorder.record([ChangeNotice("A", NOON - MINUTE), ChangeNotice("B", NOON)]) == ["B"]
    assert connection.record().next_attempt_at is None


def test_row_that_keeps_changing_raises_a_conflict(
    connection: FakeConnection, recorder: NoticeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_save(monkeypatch, connection.store, OrderRecord, *[write_again(connection)] * ATTEMPTS)

    with pytest.raises(Conflict, match="1 OrderRecord rows"):
        recorder.record([ChangeNotice("A", NOON)])


# --- events of the own bus --------------------------------------------------------------------------------------------


def read_record(order_id: str = "A", **more: Any) -> OrderRecord:
    return OrderRecord(order_id, read_at=NOON, version=NOON, content={"orderId": order_id}, **more)


def record_events(recorder: NoticeRecorder, *order_ids: str, reprocessed: tuple[str, ...] = ()) -> list[str]:
    """Record an event of each order; a person asks to reprocess some of them."""
    return recorder.record_shipments(
        [ChangeNotice(order_id, reprocess=order_id in reprocessed) for order_id in order_ids]
    )


def test_event_names_an_order_that_is_due_for_planning_and_leaves_its_row_as_it_is(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    connection.store.save([read_record().to_be_planned(SHIPMENTS, NOON)])

    assert record_events(recorder, "A", "A") == ["A"]
    assert connection.store.writes() == 1


def test_event_of_a_planned_order_writes_nothing_and_is_logged(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    connection.store.save([read_record(state=OrderState.PLANNED)])

    assert record_events(recorder, "A") == []
    assert connection.store.writes() == 1
    assert connection.decisions.of("NOTICE_ALREADY_ANSWERED") == [{"order_id": "A"}]


def test_reprocessed_order_is_planned_again(connection: FakeConnection, recorder: NoticeRecorder) -> None:
    failed = read_record().failed(FailureCode.CLEARING_UNUSABLE, "Correct the account.")
    connection.store.save([failed])

    assert record_events(recorder, "A", reprocessed=("A",)) == ["A"]

    record = connection.record()
    assert (record.state, record.next_step, record.next_attempt_at) == (OrderState.RECORDED, NextStep.PLAN, NOON)
    assert (record.reason, record.remedy) == ("", "")
    assert connection.store.due(SHIPMENTS, NOON, 9) == ["A"]


def test_reprocess_refuses_the_save_of_a_failure_whose_letter_was_sent_before_it(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    # Given a worker that has sent the letter of a failure, and a person who redrove it before the failure was saved
    connection.store.save([read_record().to_be_planned(SHIPMENTS, NOON)])
    failed = connection.record().failed(FailureCode.CLEARING_UNUSABLE, "Correct the account.")

    assert record_events(recorder, "A", reprocessed=("A",)) == ["A"]

    assert connection.store.save([failed]) == {}
    assert connection.store.due(SHIPMENTS, NOON, 9) == ["A"]


def test_reprocessed_order_that_amazon_did_not_return_is_read_again(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    connection.store.save([OrderRecord("A", state=OrderState.FAILED, reason=FailureCode.ORDER_REFUSED, content={})])

    due = recorder.record_shipments([ChangeNotice("A", reprocess=True)])

    record = connection.record("A")
    assert record.next_step is NextStep.READ
    assert record.next_attempt_at == connection.clock.now()
    assert due == []


@pytest.mark.parametrize("reprocessed", [(), ("A",)])
def test_order_with_an_open_notice_is_read_before_it_is_planned(
    connection: FakeConnection, recorder: NoticeRecorder, reprocessed: tuple[str, ...]
) -> None:
    connection.store.save([read_record(noticed_at=NOON, next_attempt_at=NOON)])

    assert record_events(recorder, "A", reprocessed=reprocessed) == []
    assert (connection.record().next_step, connection.store.writes()) == (NextStep.READ, 1)


@pytest.mark.parametrize("known", [[], [OrderRecord("A", read_at=NOON - MINUTE)]])
def test_event_of_an_order_that_was_never_read_makes_it_due_for_reading(
    connection: FakeConnection, recorder: NoticeRecorder, known: list[OrderRecord]
) -> None:
    connection.store.save(known)

    assert record_events(recorder, "A") == []

    record = connection.record()
    assert (record.next_step, record.next_attempt_at, record.noticed_at) == (NextStep.READ, NOON, NOON)


def test_event_of_a_failed_order_without_content_does_not_have_it_read_and_fail_again(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    # Each read of such an order publishes an event: it would be read, and a dead letter sent, every minute.
    connection.store.save([OrderRecord("A", read_at=NOON - MINUTE, state=OrderState.FAILED)])

    assert record_events(recorder, "A") == []
    assert connection.record().next_attempt_at is None

    assert record_events(recorder, "A", reprocessed=("A",)) == []
    assert (connection.record().next_step, connection.record().next_attempt_at) == (NextStep.READ, NOON)


def test_one_batch_may_hold_events_of_orders_in_every_state(
    connection: FakeConnection, recorder: NoticeRecorder
) -> None:
    planned = read_record("B", state=OrderState.PLANNED)
    connection.store.save([read_record("A").to_be_planned(SHIPMENTS, NOON), planned, read_record("C")])

    assert record_events(recorder, "A", "B", "C", "D", reprocessed=("C",)) == ["A", "C"]
    assert connection.store.due(ORDERS, NOON, 9) == ["D"]


def test_notice_that_arrives_in_between_keeps_a_reprocessed_order_from_being_planned(
    connection: FakeConnection, recorder: NoticeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (held,) = connection.store.save([read_record(state=OrderState.FAILED)]).values()
    noticed = replace(held, next_attempt_at=NOON, noticed_at=NOON)
    before_save(monkeypatch, connection.store, OrderRecord, lambda: connection.store.save([noticed]))

    assert record_events(recorder, "A", reprocessed=("A",)) == []
    assert connection.record().next_step is NextStep.READ


def test_reprocessed_row_that_keeps_changing_raises_a_conflict(
    connection: FakeConnection, recorder: NoticeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.store.save([read_record()])
    before_save(monkeypatch, connection.store, OrderRecord, *[write_again(connection)] * ATTEMPTS)

    with pytest.raises(Conflict, match="1 OrderRecord rows"):
        record_events(recorder, "A", reprocessed=("A",))
