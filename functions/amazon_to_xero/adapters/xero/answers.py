"""What Xero's answers to HTTP requests mean: the documented object, or the error of `ports.xero` to raise.

What an answer says about each element of a batch is not read here; see `outcomes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from amazon_to_xero.adapters.xero.transport import Answer
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import (
    XeroError,
    XeroLimits,
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroRefused,
    XeroUnavailable,
)

# Xero's name of a limit -> seconds to wait where a 429 states none: the length of the limit's window.
_DEFAULT_WAIT = {"appminute": 60, "minute": 60, "day": 3600, "concurrent": 5}


def document_of(operation: str, answer: Answer, *, writes: bool) -> Json:
    """Return the object of a 2xx or a 400 answer. Raises an XeroError for any other answer."""
    status = answer.status
    if not (200 <= status <= 299 or status == 400):
        # Xero may still be executing a request that it answers with 408 or 409.
        if 400 <= status <= 499 and status not in (408, 409):
            raise XeroRefused(operation, status, f"HTTP {status}")
        raise no_usable_answer(operation, status, f"HTTP {status}", writes=writes)
    document = answer.json()
    if not isinstance(document, dict):
        raise no_usable_answer(operation, status, "answer is not the documented JSON", writes=writes)
    if status == 400 and writes and b"is used with a different request" in answer.data:
        # An earlier request had the key. Xero states neither which one nor its outcome.
        raise XeroOutcomeUnknown(operation, status, "the idempotency key was used with a different request")
    return document


def no_usable_answer(operation: str, status: int | None, message: str, *, writes: bool) -> XeroError:
    """Return the error for a request without a usable answer: a write may have taken effect, a read changed nothing."""
    return (XeroOutcomeUnknown if writes else XeroUnavailable)(operation, status, message)


def rate_limited(operation: str, headers: Mapping[str, str]) -> XeroRateLimited:
    """Return the error for a 429."""
    stated = re.sub("[^a-z]", "", (headers.get("X-Rate-Limit-Problem") or "").lower())
    problem = next((known for known in _DEFAULT_WAIT if known in stated), "minute")
    seconds = _count(headers.get("Retry-After"))
    return XeroRateLimited(
        operation, problem, timedelta(seconds=_DEFAULT_WAIT[problem] if seconds is None else seconds)
    )


def authorisation_problem(answer: Answer) -> str:
    """Return the first word of the Detail in a 401 or 403, such as TokenExpired; the rest may quote the request."""
    document = answer.json()
    detail = document.get("Detail") if isinstance(document, dict) else None
    word = re.match(r"[A-Za-z]{1,64}", detail) if isinstance(detail, str) else None
    return word.group() if word else f"HTTP {answer.status}"


def limits_in(headers: Mapping[str, str]) -> XeroLimits:
    """Return how many calls an answer's headers say are left."""
    return XeroLimits(
        minute_remaining=_count(headers.get("X-MinLimit-Remaining")),
        day_remaining=_count(headers.get("X-DayLimit-Remaining")),
        app_minute_remaining=_count(headers.get("X-AppMinLimit-Remaining")),
    )


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\s*\d{1,9}\s*", text) else None
