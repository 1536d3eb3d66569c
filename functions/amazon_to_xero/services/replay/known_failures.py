"""Open failures with what is stored of them: the state of each source, and its earlier replays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.replay.decision import Situation
from amazon_to_xero.domain.replay.failure import OpenFailure
from amazon_to_xero.domain.replay.record import ReplayRecord
from amazon_to_xero.services.replay.evidence import load_records, outcome_of, record_outcome
from amazon_to_xero.services.replay.failures import FoundFailure, ReplayedConnection
from amazon_to_xero.services.replay.source_states import SourceState, load_states

_SETTLING = timedelta(minutes=5)  # a source that was sent is processed by then, or its row shows that it is


@dataclass(frozen=True)
class KnownFailure:
    """An open failure and what is stored of it.

    found: where it was found.
    failure: with reason and remedy as its rows state them now: the letter may be of an older failure.
    situation: of its source.
    state: the rows of its source.
    record: its earlier replays.
    """

    found: FoundFailure
    failure: OpenFailure
    situation: Situation
    state: SourceState
    record: ReplayRecord


def known_failures(
    found: Sequence[FoundFailure], connections: Mapping[str, ReplayedConnection], now: datetime
) -> list[KnownFailure]:
    """Return the failures with what is stored of them: in a few reads for each connection, however many they are."""
    states: dict[tuple[str, str], SourceState] = {}
    records: dict[tuple[str, str], ReplayRecord] = {}
    for name in sorted({each.failure.connection for each in found} & connections.keys()):
        store = connections[name].store
        sources = [each.failure.source for each in found if each.failure.connection == name]
        states |= {(name, source): state for source, state in load_states(store, sources).items()}
        records |= {(name, source): record for source, record in load_records(store, sources).items()}
    return [
        _known(
            each,
            states.get(each.source_key, SourceState()),
            records.get(each.source_key, ReplayRecord(each.failure.source)),
            now,
        )
        for each in found
    ]


def outcome_recorded(known: KnownFailure, connections: Mapping[str, ReplayedConnection], now: datetime) -> KnownFailure:
    """Return the failure after what came of its last replay was stored, where that is known by now."""
    connection = connections.get(known.failure.connection)
    if connection is None:
        return known
    outcome = outcome_of(known.record, known.state, known.failure.failed_at, now)
    return replace(known, record=record_outcome(connection.store, known.record, outcome, now))


def _known(found: FoundFailure, state: SourceState, record: ReplayRecord, now: datetime) -> KnownFailure:
    reason, remedy = state.failure
    failure = found.failure
    if reason and not found.is_for_transactions:  # the order's own failure is another one
        failure = replace(failure, reason=reason, remedy=remedy)
    situation = found.known or (Situation.UNDER_WAY if _is_settling(record, failure, now) else state.situation)
    return KnownFailure(found, failure, situation, state, record)


def _is_settling(record: ReplayRecord, failure: OpenFailure, now: datetime) -> bool:
    """Whether the source was sent a moment ago and has not failed since."""
    last = record.last_sent_like(failure.capability)
    if last is None or now - last.at >= _SETTLING:
        return False
    return failure.failed_at is None or failure.failed_at <= last.at
