"""The optimistic update: a save that lost to another writer is repeated with what is stored then, a few times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.ports.state import Conflict, Cursor
from amazon_to_xero.services.state_updates import ATTEMPTS, update_cursor, update_records
from fakes.state import NOON, ManualClock, MemoryStateStore

type Stored = Mapping[str, OrderRecord | None]


@pytest.fixture
def store() -> MemoryStateStore:
    return MemoryStateStore(ManualClock())


def attempts_of(store: MemoryStateStore, order_id: str) -> int:
    return store.load(OrderRecord, [order_id])[order_id].attempts


def add_by_another_worker(store: MemoryStateStore, order_id: str) -> Callable[[], object]:
    """Return another worker's update: it adds 100 to the attempts of the stored record."""

    def add() -> None:
        held = store.load(OrderRecord, [order_id]).get(order_id) or OrderRecord(order_id)
        assert store.save([replace(held, attempts=held.attempts + 100)])

    return add


class AddOne:
    """A change that adds 1 to the attempts of each record; `given` are the attempts that it was given, call by call."""

    def __init__(self) -> None:
        self.given: list[dict[str, int | None]] = []

    def __call__(self, stored: Stored) -> Iterable[OrderRecord]:
        self.given.append({key: record.attempts if record else None for key, record in stored.items()})
        for key, record in stored.items():
            held = record or OrderRecord(key)
            yield replace(held, attempts=held.attempts + 1)


# --- records ----------------------------------------------------------------------------------------------------------


def test_change_is_given_the_stored_record_of_each_key_and_none_for_a_new_one(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A", attempts=5)])
    add_one = AddOne()

    saved = update_records(store, OrderRecord, ["A", "B", "A"], add_one)

    assert add_one.given == [{"A": 5, "B": None}]
    assert (attempts_of(store, "A"), attempts_of(store, "B")) == (6, 1)
    assert {key: record.generation for key, record in saved.items()} == {"A": 2, "B": 1}
    assert saved == store.load(OrderRecord, ["A", "B"])


def test_lost_save_is_repeated_with_the_record_as_stored_then(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A", attempts=5)])
    add_one = AddOne()
    store.meanwhile(add_by_another_worker(store, "A"))

    saved = update_records(store, OrderRecord, ["A"], add_one)

    assert add_one.given == [{"A": 5}, {"A": 105}]
    assert attempts_of(store, "A") == saved["A"].attempts == 106


def test_only_the_records_that_lost_are_changed_again(store: MemoryStateStore) -> None:
    add_one = AddOne()
    store.meanwhile(add_by_another_worker(store, "B"))

    saved = update_records(store, OrderRecord, ["A", "B", "C"], add_one)

    assert add_one.given == [{"A": None, "B": None, "C": None}, {"B": 100}]
    assert {key: record.attempts for key, record in saved.items()} == {"A": 1, "B": 101, "C": 1}
    assert store.writes("ORDER#A") == 1


def test_record_that_loses_every_attempt_is_a_conflict(store: MemoryStateStore) -> None:
    add_one = AddOne()
    store.meanwhile(*[add_by_another_worker(store, "B")] * ATTEMPTS)

    with pytest.raises(Conflict):
        update_records(store, OrderRecord, ["A", "B"], add_one)

    assert len(add_one.given) == ATTEMPTS
    assert (attempts_of(store, "A"), attempts_of(store, "B")) == (1, 100 * ATTEMPTS)


def test_record_that_wins_the_last_attempt_is_saved(store: MemoryStateStore) -> None:
    add_one = AddOne()
    store.meanwhile(*[add_by_another_worker(store, "A")] * (ATTEMPTS - 1))

    saved = update_records(store, OrderRecord, ["A"], add_one)

    assert len(add_one.given) == ATTEMPTS
    assert saved["A"].attempts == 100 * (ATTEMPTS - 1) + 1


def test_caller_may_choose_the_number_of_attempts(store: MemoryStateStore) -> None:
    store.meanwhile(*[add_by_another_worker(store, "A")] * 2)

    with pytest.raises(Conflict):
        update_records(store, OrderRecord, ["A"], AddOne(), attempts=2)


def test_nothing_is_saved_when_nothing_changes(store: MemoryStateStore) -> None:
    store.save([OrderRecord("A")])

    assert update_records(store, OrderRecord, ["A", "B"], lambda stored: []) == {}

    assert store.writes() == 1
    assert "B" not in store.load(OrderRecord, ["A", "B"])


def test_record_that_needs_no_change_any_more_is_left_as_the_other_worker_stored_it(store: MemoryStateStore) -> None:
    def record_if_new(stored: Stored) -> Iterable[OrderRecord]:
        for key, record in stored.items():
            if record is None:
                yield OrderRecord(key, noticed_at=NOON)

    store.meanwhile(lambda: store.save([OrderRecord("A", noticed_at=NOON + timedelta(minutes=1))]))

    assert update_records(store, OrderRecord, ["A"], record_if_new) == {}
    assert store.load(OrderRecord, ["A"])["A"].noticed_at == NOON + timedelta(minutes=1)


def test_no_keys_need_no_read(store: MemoryStateStore) -> None:
    add_one = AddOne()

    assert update_records(store, OrderRecord, [], add_one) == {}

    assert (add_one.given, store.table.reads, store.writes()) == ([], 0, 0)


# --- cursors ----------------------------------------------------------------------------------------------------------


def test_new_cursor_is_given_to_the_change_empty_and_saved(store: MemoryStateStore) -> None:
    given: list[Cursor] = []

    def start(cursor: Cursor) -> Mapping[str, str]:
        given.append(cursor)
        return {"at": "1"}

    saved = update_cursor(store, "watermark", start)

    assert given == [Cursor("watermark")]
    assert saved == store.cursor("watermark") == Cursor("watermark", {"at": "1"}, generation=1)


def test_cursor_that_another_worker_moved_is_changed_from_where_it_is_then(store: MemoryStateStore) -> None:
    def advance(cursor: Cursor) -> Mapping[str, str]:
        return {"at": str(int(cursor.data.get("at", "0")) + 1)}

    store.meanwhile(lambda: store.save([Cursor("watermark", {"at": "7"})]))

    saved = update_cursor(store, "watermark", advance)

    assert saved is not None
    assert saved.data == store.cursor("watermark").data == {"at": "8"}


def test_cursor_without_new_data_is_not_saved(store: MemoryStateStore) -> None:
    assert update_cursor(store, "watermark", lambda cursor: None) is None
    assert store.writes() == 0


def test_cursor_may_be_emptied(store: MemoryStateStore) -> None:
    update_cursor(store, "watermark", lambda cursor: {"at": "1"})

    assert update_cursor(store, "watermark", lambda cursor: {}) == Cursor("watermark", {}, generation=2)


def test_cursor_that_loses_every_attempt_is_a_conflict(store: MemoryStateStore) -> None:
    def move() -> None:
        store.save([Cursor("watermark", {"at": "7"}, store.cursor("watermark").generation)])

    store.meanwhile(*[move] * 3)

    with pytest.raises(Conflict):
        update_cursor(store, "watermark", lambda cursor: {"at": "1"}, attempts=3)
    assert store.cursor("watermark").data == {"at": "7"}


def test_exception_of_the_change_saves_nothing(store: MemoryStateStore) -> None:
    def refuse(cursor: Cursor) -> Mapping[str, str]:
        raise ValueError(cursor.name)

    with pytest.raises(ValueError, match="watermark"):
        update_cursor(store, "watermark", refuse)
    assert store.writes() == 0
