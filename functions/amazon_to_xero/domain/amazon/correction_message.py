"""The message by which a person's correction reaches the queue of the capability that plans its source.

{"correct": {"connection": "main", "source": "order#204-…", "id": "…", "kind": "tax_type", "value": "ZERORATEDOUTPUT",
             "line": "", "author": "arn:…", "reason": "books are zero-rated", "made_at": "2026-11-27T10:00:00Z"}}

One of kind `rebook` has its lines, too: "terms": [{"line": "123:ITEM", "account": "200", "tax_type": "OUTPUT2",
"tracking": [["Region", "North"]], "item_code": ""}].
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from amazon_to_xero.domain.amazon.message import malformed, optional_part, required_part, short_text, time_of
from amazon_to_xero.domain.correction_checks import checked
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, LineTerms

_LONGEST_LINE = 100  # an order item id and the name of a charge
MAX_AUTHOR = 200  # an ARN of a role and its session


def correction_message(connection: str, source: str, correction: Correction) -> str:
    """Return the body of the message."""
    fields: dict[str, Any] = {
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
    if correction.terms:
        fields["terms"] = [terms_as_data(each) for each in correction.terms]
    return json.dumps({"correct": fields})


def terms_as_data(terms: LineTerms) -> dict[str, Any]:
    """Return the terms of a line as JSON has them, in messages and in rows."""
    return {
        "line": terms.line,
        "account": terms.account,
        "tax_type": terms.tax_type,
        "tracking": [list(each) for each in terms.tracking],
        "item_code": terms.item_code,
    }


def terms_in(data: Mapping[str, Any]) -> LineTerms:
    """Return what `terms_as_data` was given. Raises Failure with MALFORMED_MESSAGE."""
    tracking = optional_part(data, "tracking") or []
    if not isinstance(tracking, list) or not all(_is_pair(each) for each in tracking):
        raise malformed("correct.terms.tracking should be a list of pairs of texts, such as [[category, option]]")
    return LineTerms(
        short_text(data, "line", _LONGEST_LINE),
        _text(data, "account"),
        _text(data, "tax_type"),
        tuple((category, option) for category, option in tracking),
        _text(data, "item_code"),
    )


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
            terms=_terms(fields),
        )
    )


def source_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return connection and source key of the correction in a message."""
    fields = required_part(document, "correct")
    return short_text(fields, "connection"), short_text(fields, "source", limit=220)


def _terms(fields: Any) -> tuple[LineTerms, ...]:
    listed = optional_part(fields, "terms") or []
    if not isinstance(listed, list):
        raise malformed(f"correct.terms should be a list and is {type(listed).__name__}")
    return tuple(terms_in(each) for each in listed)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _text(fields: Any, name: str) -> str:
    value = optional_part(fields, name)
    if value is not None and not isinstance(value, str):
        raise malformed(f"correct.{name} should be a text and is {type(value).__name__}")
    return value or ""
