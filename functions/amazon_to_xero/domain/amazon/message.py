"""The parts of a message, by their names in any case. What is missing or wrong is a Failure that names it.

Amazon changes the case of names between types of notification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.timestamps import parse_timestamp


def read_document(body: str) -> Mapping[str, Any]:
    """Return the JSON object in a message's body. Raises Failure (MALFORMED_MESSAGE), as every function here does."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("the body is not JSON") from None
    if not isinstance(document, Mapping):
        raise malformed(f"the body is a JSON {type(document).__name__}, not an object")
    return document


def required_part(value: Any, name: str) -> Any:
    part = optional_part(value, name)
    if part is None:
        raise malformed(f"{name} is missing")
    return part


def optional_part(value: Any, name: str) -> Any:
    """Return the part of that name, whatever its case; None where there is none."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if isinstance(key, str) and key.lower() == name.lower():
                return part
    return None


def short_text(value: Any, name: str, limit: int = 64) -> str:
    text = required_part(value, name)
    if not isinstance(text, str) or not is_short(text, limit):
        raise malformed(f"{name} should be a short ASCII text and is {type(text).__name__}")
    return text.strip()


def time_of(value: Any, name: str) -> datetime:
    try:
        return parse_timestamp(required_part(value, name), name)
    except ValueError as problem:
        raise malformed(str(problem)) from None


def is_short(text: str, limit: int = 64) -> bool:
    # Amazon's ids are ASCII; half a surrogate pair could not even be stored, and would keep its whole batch from it.
    return bool(text.strip()) and len(text) <= limit and text.isascii()


def malformed(problem: str) -> Failure:
    return Failure(
        FailureCode.MALFORMED_MESSAGE, f"{problem}; correct the body and send it to the queue again, or delete it"
    )


def unexpected(taken: str, kind: str, remedy: str) -> Failure:
    return Failure(FailureCode.UNEXPECTED_NOTIFICATION, f"this queue takes {taken}, the message is {kind!r}; {remedy}")
