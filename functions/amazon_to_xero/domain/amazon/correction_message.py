"""The message by which a person's correction reaches the queue of the capability that plans its source.

{"correct": {"connection": "main", "source": "order#204-…", "id": "…", "kind": "tax_type", "value": "ZERORATEDOUTPUT",
             "line": "", "author": "arn:…", "reason": "books are zero-rated", "made_at": "2026-11-27T10:00:00Z"}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from amazon_to_xero.domain.amazon.message import malformed, optional_part, required_part, short_text, time_of
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, checked

MAX_AUTHOR = 200  # an ARN of a role and its session


def correction_message(connection: str, source: str, correction: Correction) -> str:
    """Return the body of the message."""
    fields = {
        "connection": connection,
        "source": source,
        "id": correction.correction_id,
        "kind": correction.kind.value,
        "value": correction.value,
        "line": correction.line,
        "author": correction.author,
        "reason": correction.reason,
        "made_at": correction.made_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return json.dumps({"correct": fields})


def correction_in(document: Mapping[str, Any]) -> Correction | None:
    """Return the correction in a message, None in any other message.

    Raises Failure with MALFORMED_MESSAGE, or with CORRECTION_REFUSED for a correction that states nothing.
    """
    fields = document.get("correct")
    if fields is None:
        return None
    kind = short_text(fields, "kind")
    if kind not in CorrectionKind:
        raise malformed(f"correct.kind is {kind!r}; it should be one of {', '.join(CorrectionKind)}")
    return checked(
        Correction(
            correction_id=short_text(fields, "id"),
            kind=CorrectionKind(kind),
            value=_text(fields, "value"),
            author=short_text(fields, "author", MAX_AUTHOR),
            reason=_text(fields, "reason").strip(),
            made_at=time_of(fields, "made_at"),
            line=_text(fields, "line"),
        )
    )


def source_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return connection and source key of the correction in a message."""
    fields = required_part(document, "correct")
    return short_text(fields, "connection"), short_text(fields, "source", limit=220)


def _text(fields: Any, name: str) -> str:
    value = optional_part(fields, name)
    if value is not None and not isinstance(value, str):
        raise malformed(f"correct.{name} should be a text and is {type(value).__name__}")
    return value or ""
