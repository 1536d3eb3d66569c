"""The message by which a person's decision about a change in Xero reaches the shipments queue.

{"decide": {"connection": "main", "document": "invoice#204-…", "id": "…", "decision": "accept", "author": "arn:…",
            "reason": "the accountant moved it", "made_at": "2026-11-27T10:00:00Z"}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.amazon.correction_message import MAX_AUTHOR
from amazon_to_xero.domain.amazon.message import malformed, required_part, short_text, time_of
from amazon_to_xero.domain.correction_checks import MAX_KEY, MAX_REASON


class Decision(StrEnum):
    """What a person decides about a change."""

    ACCEPT = "accept"  # what Xero holds is right
    RESTORE = "restore"  # it is written back as it was


@dataclass(frozen=True)
class ChangeDecision:
    """A person's decision about what somebody changed in Xero of one document.

    decision_id: names it; the same decision is carried out once, however often it arrives.
    document: key of the changed document.
    author, reason, made_at: who decided, why, in their words, and when (UTC).
    """

    decision_id: str
    document: str
    decision: Decision
    author: str
    reason: str
    made_at: datetime


def decision_message(connection: str, decision: ChangeDecision) -> str:
    """Return the body of the message."""
    fields = {
        "connection": connection,
        "document": decision.document,
        "id": decision.decision_id,
        "decision": decision.decision.value,
        "author": decision.author,
        "reason": decision.reason,
        "made_at": decision.made_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return json.dumps({"decide": fields})


def decision_in(document: Mapping[str, Any]) -> ChangeDecision | None:
    """Return the decision in a message, None in any other message. Raises Failure with MALFORMED_MESSAGE."""
    fields = document.get("decide")
    if fields is None:
        return None
    decision = short_text(fields, "decision")
    if decision not in Decision:
        raise malformed(f"decide.decision is {decision!r}; it should be one of {', '.join(Decision)}")
    return ChangeDecision(
        decision_id=short_text(fields, "id"),
        document=short_text(fields, "document", MAX_KEY),
        decision=Decision(decision),
        author=short_text(fields, "author", MAX_AUTHOR),
        reason=_reason(fields),
        made_at=time_of(fields, "made_at"),
    )


def connection_in(document: Mapping[str, Any]) -> str:
    """Return the connection of the decision in a message."""
    return short_text(required_part(document, "decide"), "connection")


def _reason(fields: Any) -> str:
    reason = required_part(fields, "reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > MAX_REASON:
        raise malformed(f"decide.reason should be a text of 1 to {MAX_REASON} characters")
    return reason.strip()
