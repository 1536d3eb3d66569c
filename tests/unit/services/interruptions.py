"""Other workers that write between two steps of the one under test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from amazon_to_xero.ports.state import Record, StateStore


class Killed(BaseException):
    """The worker's process ends here."""


def kill() -> None:
    raise Killed


def before_save(
    monkeypatch: pytest.MonkeyPatch, store: StateStore, kind: type[Record], *actions: Callable[[], object]
) -> None:
    """Run each action once, in turn, before a save of records of that kind: they were loaded before it.

    What an action saves itself is not interrupted.
    """
    save = store.save
    remaining = list(actions)

    def interrupted[R: Record](records: Sequence[R]) -> dict[str, R]:
        if remaining and any(isinstance(record, kind) for record in records):
            action = remaining.pop(0)
            with monkeypatch.context() as uninterrupted:
                uninterrupted.setattr(store, "save", save)
                action()
        return save(records)

    monkeypatch.setattr(store, "save", interrupted)


def after_load(
    monkeypatch: pytest.MonkeyPatch, store: StateStore, kind: type[Record], action: Callable[[], object]
) -> None:
    """Run the action once, after the next load of records of that kind: who loaded them has the older ones."""
    load = store.load

    def interrupted[R: Record](record_type: type[R], keys: Iterable[str]) -> dict[str, R]:
        loaded = load(record_type, keys)
        if record_type is kind:
            monkeypatch.setattr(store, "load", load)
            action()
        return loaded

    monkeypatch.setattr(store, "load", interrupted)
