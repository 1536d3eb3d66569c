"""What the replay function answers an operator: JSON without buyer data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.replay.record import ReplayAttempt, ReplayRecord
from amazon_to_xero.ports.outbound import utc_text
from amazon_to_xero.services.replay.preview import SourcePreview
from amazon_to_xero.services.replay.replay import ReplayedFailure, ReplayStep

type Previews = Mapping[tuple[str, str], SourcePreview]  # by connection and source


def step_answer(step: ReplayStep, now: datetime, previews: Previews | None = None) -> dict[str, Any]:
    """Return the answer to one step: its failures, and the cursor of the next one; empty after the last."""
    return {
        "failures": [_failure(each, now) | _previewed(each, previews or {}) for each in step.failures],
        "cursor": step.cursor.as_text() if step.cursor else "",
        "without_age": step.without_age,
        "is_complete": step.is_complete,
    }


def history_answer(record: ReplayRecord) -> dict[str, Any]:
    """Return what earlier replays did with a source, oldest first."""
    return {"source": record.source, "attempts": [_attempt(each) for each in record.attempts]}


def _failure(replayed: ReplayedFailure, now: datetime) -> dict[str, Any]:
    failure = replayed.failure
    age = None if failure.failed_at is None else int((now - failure.failed_at).total_seconds() // 60)
    return {
        "connection": failure.connection,
        "function": failure.capability,
        "source": failure.source,
        "order": failure.order_id,
        "reason": failure.reason,
        "remedy": failure.remedy,
        "age_minutes": age,
        "has_letter": replayed.has_letter,
        "sent_before": replayed.sent,
        "action": replayed.decision.action,
        "why": replayed.decision.why,
    }


def _previewed(replayed: ReplayedFailure, previews: Previews) -> dict[str, Any]:
    preview = previews.get((replayed.failure.connection, replayed.failure.source))
    return {} if preview is None else {"preview": asdict(preview)}


def _attempt(attempt: ReplayAttempt) -> Mapping[str, Any]:
    return {
        "at": utc_text(attempt.at),
        "by": attempt.by,
        "action": attempt.action,
        "function": attempt.capability,
        "reason": attempt.reason,
        "outcome": attempt.outcome,
        "outcome_at": utc_text(attempt.outcome_at) if attempt.outcome_at else None,
        "why": attempt.why,
    }
