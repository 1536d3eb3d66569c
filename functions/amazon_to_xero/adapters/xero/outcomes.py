"""What Xero's answer to a write says about each element of the batch, and Xero's words for a refused call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from amazon_to_xero.adapters.xero.collections import NO_ID, Collection
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import Outcome, Redact, XeroOutcomeUnknown, XeroRefused


def outcomes_of_batch(
    operation: str, kind: Collection, sent: Sequence[Json], answered: Any, redact: Redact
) -> list[Outcome]:
    """Return the outcomes in a 2xx answer. Raises XeroOutcomeUnknown where it does not fit the elements sent.

    An accepted element without an id has an unknown outcome; it says nothing about the other elements.
    """
    mismatch = _mismatch(kind, sent, answered)
    if mismatch is not None:
        raise XeroOutcomeUnknown(operation, 200, mismatch)
    outcomes = (_outcome(element, own, redact) for element, own in zip(answered, sent, strict=True))
    return [_unless_without_id(kind, outcome) for outcome in outcomes]


def outcomes_of_refused_batch(
    operation: str, kind: Collection, sent: Sequence[Json], document: Json, redact: Redact
) -> list[Outcome]:
    """Return the outcomes in a 400, which refuses the whole batch although each element was to be answered by itself.

    There are outcomes only where every element states why it was refused: Xero does not say that any other was
    accepted. Raises XeroRefused otherwise.
    """
    answered = document.get("Elements")
    if _mismatch(kind, sent, answered) is None:
        outcomes = [_outcome(element, own, redact) for element, own in zip(answered or (), sent, strict=True)]
        if not any(outcome.accepted for outcome in outcomes):
            return outcomes
    raise XeroRefused(operation, 400, refusal_message(document, sent, redact))


def refusal_message(document: Json, sent: Iterable[Json], redact: Redact) -> str:
    """Return Xero's own words for a refused call, with the first three reasons of its elements."""
    summary = next(
        (document[name] for name in ("Message", "Detail", "Title") if isinstance(document.get(name), str)), "HTTP 400"
    )
    reasons = list(dict.fromkeys(_messages_within(document.get("Elements"))))[:3]
    return redact(": ".join([summary, "; ".join(reasons)]) if reasons else summary, (document, *sent))


def _mismatch(kind: Collection, sent: Sequence[Json], answered: Any) -> str | None:
    """Return why the answered elements cannot be those that were sent, in their order; None where they can."""
    if not isinstance(answered, list) or len(answered) != len(sent):
        return "the answer does not have one element for each one sent"
    for own, element in zip(sent, answered, strict=True):
        if not isinstance(element, dict):
            return "an element of the answer is no object"
        for field in (kind.id_field, kind.number_field):
            answer = element.get(field)  # a refused element may have an id of zeros
            if own.get(field) and answer not in (None, "", NO_ID) and folded(own[field]) != folded(answer):
                return f"the answer's elements differ from those sent in {field}"
    return None


def _outcome(element: Json, sent: Json, redact: Redact) -> Outcome:
    """Return an element's outcome. Collections mark a refusal by different fields."""
    is_refused = (
        element.get("HasErrors") is True
        or element.get("HasValidationErrors") is True
        or str(element.get("StatusAttributeString", "")).upper() == "ERROR"
    )
    messages = list(_messages(element.get("ValidationErrors")))
    if is_refused and not messages:
        messages = list(_messages_within(element)) or ["Xero refused the document without saying why"]
    return Outcome(element, tuple(dict.fromkeys(redact(message, (sent, element)) for message in messages)))


def _unless_without_id(kind: Collection, outcome: Outcome) -> Outcome:
    if outcome.accepted and outcome.element.get(kind.id_field) in (None, "", NO_ID):
        return replace(outcome, unknown=f"Xero's answer has no {kind.id_field}")
    return outcome


def _messages_within(value: Any) -> Iterator[str]:
    """Return the messages of a document and of its parts, such as a line or the contact."""
    if isinstance(value, dict):
        yield from _messages(value.get("ValidationErrors"))
        for each in value.values():
            yield from _messages_within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _messages_within(each)


def _messages(errors: Any) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield str(error.get("Message") or "Xero gives no message")
