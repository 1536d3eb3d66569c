"""The row of a ReplayRecord: who had a source processed again, when, why, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, timestamp
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.replay.record import ReplayAction, ReplayAttempt, ReplayRecord


class ReplayCodec:
    """Converts ReplayRecord. Its rows are never due, and in no list: they are read by their key.

    Since schema 2, an attempt says why, and it may be that of a person who closed the failure.
    """

    prefix = "REPLAY"
    schema = 2

    def encode(self, record: ReplayRecord) -> Row:
        data = {"attempts": [_encoded(attempt) for attempt in record.attempts]}
        return Row(f"{self.prefix}#{record.source}", record.generation, canonical_json(data))

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> ReplayRecord:
        return ReplayRecord(key, row.generation, tuple(map(_decoded, data.get("attempts", ()))))


def _encoded(attempt: ReplayAttempt) -> dict[str, Any]:
    return {
        "at": timestamp(attempt.at),
        "by": attempt.by,
        "action": attempt.action,
        "capability": attempt.capability,
        "reason": attempt.reason,
        "outcome": attempt.outcome,
        "outcome_at": timestamp(attempt.outcome_at) if attempt.outcome_at else "",
        "why": attempt.why,
    }


def _decoded(data: Mapping[str, Any]) -> ReplayAttempt:
    outcome_at = data.get("outcome_at")
    return ReplayAttempt(
        at=datetime.fromisoformat(data["at"]),
        by=data.get("by", ""),
        action=ReplayAction(data["action"]),
        capability=data.get("capability", ""),
        reason=data.get("reason", ""),
        outcome=data.get("outcome", ""),
        outcome_at=datetime.fromisoformat(outcome_at) if outcome_at else None,
        why=data.get("why", ""),
    )
