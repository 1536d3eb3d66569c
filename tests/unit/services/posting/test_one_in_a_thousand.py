"""One document of a thousand that Xero never accepts costs its neighbours nothing, and few calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument, DocumentState
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import DOCUMENTS
from amazon_to_xero.ports.xero import Outcome, XeroError, XeroOutcomeUnknown, XeroRefused, XeroUnavailable
from fakes.vendors import XeroCall
from unit.desired_documents import (
    CONTACT,
    desired_allocation,
    desired_credit_note,
    desired_invoice,
    desired_payment,
    desired_refund,
)
from unit.services.posting.posting_connection import PostingConnection

COUNT = 1000
EXTRA_CALLS = 60
NUMBERS = [f"A{n:04}" for n in range(COUNT)]
CULPRIT = "A0041"
#: The allocations of each credit note have a call of their own, so a thousand of them show nothing more.
FEWER = {DocumentKind.ALLOCATION: 100}

type Spoil = Callable[[PostingConnection, str], None]


def _carries(elements: Sequence[Json], connection: PostingConnection) -> bool:
    """Whether the culprit, or what settles it, is among the elements."""
    books = connection.xero.books
    ids = [
        xero_id
        for collection, number in (("Invoices", "InvoiceNumber"), ("CreditNotes", "CreditNoteNumber"))
        for xero_id, held in books[collection].items()
        if CULPRIT in held[number]
    ]
    return any(word in repr(elements) for word in [CULPRIT, *(f"'{xero_id}'" for xero_id in ids)])


def _before_effect(error: type[XeroError], status: int) -> Spoil:
    def spoil(connection: PostingConnection, spoilt: str) -> None:
        create = connection.xero.create

        def write(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
            if collection == spoilt and _carries(elements, connection):
                connection.xero.calls.append(XeroCall("create", collection, tuple(elements)))
                raise error(f"create{collection}", status, f"HTTP {status}")
            return create(collection, elements, idempotency_key)

        connection.xero.create = write  # type: ignore[method-assign]

    return spoil


def _element_refused(connection: PostingConnection, spoilt: str) -> None:
    create = connection.xero.create

    def write(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        good = [each for each in elements if collection != spoilt or not _carries([each], connection)]
        outcomes = iter(create(collection, good, idempotency_key) if good else ())
        return [next(outcomes) if each in good else Outcome(each, ("Something is odd here.",)) for each in elements]

    connection.xero.create = write  # type: ignore[method-assign]


def _answer_lost_and_lookup(error: type[XeroError], status: int) -> Spoil:
    def spoil(connection: PostingConnection, spoilt: str) -> None:
        create, find = connection.xero.create, connection.xero.find

        def write(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
            outcomes = create(collection, elements, idempotency_key)
            if collection == spoilt and _carries(elements, connection):
                raise XeroOutcomeUnknown(f"create{collection}", 500, "HTTP 500")
            return outcomes

        def look_up(collection: str, field: str, values: Sequence[str]) -> list[Json]:
            if _carries([{"values": list(values)}], connection):
                connection.xero.calls.append(XeroCall("find", collection, (field, *values)))
                raise error(f"find{collection}", status, f"HTTP {status}")
            return find(collection, field, values)

        connection.xero.create = write  # type: ignore[method-assign]
        connection.xero.find = look_up  # type: ignore[method-assign]

    return spoil


CULPRITS: dict[str, Spoil] = {
    "its write is never answered": _before_effect(XeroOutcomeUnknown, 500),
    "the call that carries it is refused": _before_effect(XeroRefused, 400),
    "it alone is refused": _element_refused,
    "its look-up is never answered": _answer_lost_and_lookup(XeroUnavailable, 500),
    "its look-up is refused": _answer_lost_and_lookup(XeroRefused, 404),
}


def _connection(kind: DocumentKind) -> PostingConnection:
    """Return a connection with a thousand documents of that kind to post, and what they settle."""
    if kind is DocumentKind.CONTACT:
        bodies = {number: {"Name": f"Customers of {number}", "ContactNumber": number} for number in NUMBERS}
        return PostingConnection(*(replace(CONTACT, number=number, body=body) for number, body in bodies.items()))
    return PostingConnection(*(desired for number in _numbers(kind) for desired in _SETTLED[kind](number)))


def _numbers(kind: DocumentKind) -> list[str]:
    return NUMBERS[: FEWER.get(kind, COUNT)]


_SETTLED: dict[DocumentKind, Callable[[str], Sequence[DesiredDocument]]] = {
    DocumentKind.INVOICE: lambda number: [desired_invoice(number)],
    DocumentKind.PAYMENT: lambda number: [desired_invoice(number), desired_payment(number)],
    DocumentKind.CREDIT_NOTE: lambda number: [desired_credit_note(number, order_id=number)],
    DocumentKind.CREDIT_NOTE_REFUND: lambda number: [
        desired_credit_note(number, order_id=number),
        desired_refund(number, order_id=number),
    ],
    DocumentKind.ALLOCATION: lambda number: [
        desired_invoice(number),
        desired_credit_note(number, order_id=number),
        desired_allocation(number, order_id=number),
    ],
}


def _calls_until_nothing_waits(connection: PostingConnection) -> int:
    """Post for at most three hours; return the number of calls to Xero."""
    for _ in range(3 * 60):
        connection.post_after(60)
        if not connection.store.due(DOCUMENTS, connection.clock.now() + timedelta(days=1), 1):
            break
    return len(connection.xero.calls)


@pytest.fixture(scope="module")
def calls_without_culprit() -> dict[DocumentKind, int]:
    return {kind: _calls_until_nothing_waits(_connection(kind)) for kind in DocumentKind}


@pytest.mark.parametrize("kind", DocumentKind)
@pytest.mark.parametrize("culprit", CULPRITS)
def test_the_others_are_posted_with_at_most_60_more_calls(
    culprit: str, kind: DocumentKind, calls_without_culprit: dict[DocumentKind, int]
) -> None:
    connection = _connection(kind)
    CULPRITS[culprit](connection, DOCUMENT_TYPES[kind].collection)

    calls = _calls_until_nothing_waits(connection)

    states = [connection.document(number, kind).state for number in _numbers(kind)]
    assert states.count(DocumentState.APPLIED) == len(states) - 1
    assert connection.document(CULPRIT, kind).state is DocumentState.FAILED
    assert calls - calls_without_culprit[kind] <= EXTRA_CALLS
