"""What Xero says of each element of a batch, and its words for a refused call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from amazon_to_xero.adapters.xero.collections import NO_ID, Collection, folded
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import (
    Outcome,
    Redact,
    XeroOutcomeUnknown,
    XeroRefused,
)


def outcomes_of_refused_batch(
    operation: str, kind: Collection, sent: Sequence[Json], document: Json, redact: Redact
) -> list[Outcome]:
    """A 400 for the whole batch although errors were not to be summed up.

    Outcomes only when every element says why it was refused: of the others Xero does not say that they were accepted.
    """
    answered = document.get("Elements")
    if _difference(kind, sent, answered) is None:
        outcomes = [_outcome(element, given, redact) for element, given in zip(answered or (), sent, strict=True)]
        if not any(outcome.accepted for outcome in outcomes):
            return outcomes
    raise XeroRefused(operation, 400, refusal_message(document, sent, redact))


def outcomes_of_batch(
    operation: str, kind: Collection, sent: Sequence[Json], answered: Any, redact: Redact
) -> list[Outcome]:
    difference = _difference(kind, sent, answered)
    if difference is not None:
        raise XeroOutcomeUnknown(operation, 200, difference)
    outcomes = [_outcome(element, given, redact) for element, given in zip(answered, sent, strict=True)]
    if any(each.accepted and each.element.get(kind.id_field) in (None, "", NO_ID) for each in outcomes):
        raise XeroOutcomeUnknown(operation, 200, f"an accepted element of the answer has no {kind.id_field}")
    return outcomes


def _difference(kind: Collection, sent: Sequence[Json], answered: Any) -> str | None:
    """Why the answer's elements cannot be taken for those sent, in their order; None when they can."""
    if not isinstance(answered, list) or len(answered) != len(sent):
        return "the answer does not have one element for each one sent"
    for given, element in zip(sent, answered, strict=True):
        if not isinstance(element, dict):
            return "an element of the answer is no object"
        for field in (kind.id_field, kind.number_field):
            if given.get(field) and element.get(field) and folded(given[field]) != folded(element[field]):
                return f"the answer's elements differ from those sent in {field}"
    return None


def _outcome(element: Json, sent: Json, redact: Redact) -> Outcome:
    """Xero marks refusals differently by collection: HasErrors, HasValidationErrors, StatusAttributeString."""
    refused = (
        element.get("HasErrors") is True
        or element.get("HasValidationErrors") is True
        or str(element.get("StatusAttributeString", "")).upper() == "ERROR"
    )
    messages = list(_messages(element.get("ValidationErrors")))
    if refused and not messages:
        messages = list(_messages_within(element)) or ["Xero refused the document without saying why"]
    return Outcome(element, tuple(dict.fromkeys(redact(message, (sent, element)) for message in messages)))


def _messages(errors: Any) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield str(error.get("Message") or "Xero gives no message")


def _messages_within(value: Any) -> Iterator[str]:
    """What is wrong with a part, such as a line or the contact, where the document itself does not say."""
    if isinstance(value, dict):
        yield from _messages(value.get("ValidationErrors"))
        for each in value.values():
            yield from _messages_within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _messages_within(each)


def refusal_message(document: Json, sent: Iterable[Json], redact: Redact) -> str:
    """Xero's own words for a refused call, with the first reasons of its elements."""
    words = next(
        (document[name] for name in ("Message", "Detail", "Title") if isinstance(document.get(name), str)), "HTTP 400"
    )
    reasons = list(dict.fromkeys(_messages_within(document.get("Elements"))))[:3]
    return redact(": ".join([words, "; ".join(reasons)]) if reasons else words, (document, *sent))
