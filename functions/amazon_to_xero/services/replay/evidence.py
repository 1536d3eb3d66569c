"""Writes down what a replay does with a source before it does it, and what came of it when the source is next read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from amazon_to_xero.domain.replay.decision import Situation
from amazon_to_xero.domain.replay.failure import is_for_transactions
from amazon_to_xero.domain.replay.record import DONE, ReplayAttempt, ReplayRecord
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.replay.source_states import SourceState, load_states
from amazon_to_xero.services.state_updates import update_records

#: After so long a source that was sent and is still failed has failed again, although no newer letter says so.
_PROCESSED_WITHIN = timedelta(hours=1)


def load_records(store: StateStore, sources: Iterable[str]) -> dict[str, ReplayRecord]:
    """Return the record of each source, a new one where none is stored."""
    wanted = list(dict.fromkeys(sources))
    stored = store.load(ReplayRecord, wanted) if wanted else {}
    return {source: stored.get(source, ReplayRecord(source)) for source in wanted}


def history_of(store: StateStore, source: str, now: datetime) -> ReplayRecord:
    """Return the record of a source, after what came of its last sending was stored, where that is known by now."""
    record, state = load_records(store, [source])[source], load_states(store, [source])[source]
    return record_outcome(store, record, outcome_of(record, state, None, now), now)


def record_attempt(store: StateStore, source: str, attempt: ReplayAttempt) -> None:
    """Store an attempt. Raises Conflict.

    It is stored before the message is sent: a crash in between counts an attempt that was none, and a source that
    always fails is never sent more often than the cap allows.
    """

    def attempted(stored: Mapping[str, ReplayRecord | None]) -> Iterable[ReplayRecord]:
        return [(stored[source] or ReplayRecord(source)).with_attempt(attempt)]

    update_records(store, ReplayRecord, [source], attempted)


def outcome_of(record: ReplayRecord, state: SourceState, failed_at: datetime | None, now: datetime) -> str:
    """Return what came of the last sending: DONE or the failure code; empty while nobody knows.

    Nobody knows it of an order in the refunds queue, whose rows do not say if its transactions were read.

    failed_at: when the letter was sent that the source has now (UTC); None where it has none.
    """
    last = record.last_sent
    if last is None or last.outcome or is_for_transactions(last.capability, record.source):
        return ""
    if state.situation is Situation.DONE:
        return DONE
    is_new_failure = failed_at is not None and failed_at > last.at
    if state.situation is Situation.FAILED and (is_new_failure or now - last.at >= _PROCESSED_WITHIN):
        return state.failure[0]
    return ""


def record_outcome(store: StateStore, record: ReplayRecord, outcome: str, now: datetime) -> ReplayRecord:
    """Store what came of the last sending, where that is known; return the record as it is stored then."""
    if not outcome:
        return record
    return store.save([record.with_outcome(outcome, now)]).get(record.key, record)
