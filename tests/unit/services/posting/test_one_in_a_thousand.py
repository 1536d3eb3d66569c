"""One document of a thousand that Xero never accepts costs its neighbours nothing, and few calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import DOCUMENTS
from amazon_to_xero.ports.xero import Outcome, XeroError, XeroOutcomeUnknown, XeroRefused, XeroUnavailable
from fakes.vendors import XeroCall
from unit.desired_documents import CONTACT, desired_invoice, desired_payment
from unit.services.posting.posting_connection import PostingConnection

COUNT = 1000
EXTRA_CALLS = 60
NUMBERS = [f"A{n:04}" for n in range(COUNT)]
CULPRIT = "A0417"

type Spoil = Callable[[PostingConnection, str], None]


def _carries(elements: Sequence[Json], connection: PostingConnection) -> bool:
    """Whether the culprit, or its payment, is among the elements."""
    ids = [xero_id for xero_id, held in connection.xero.books["Invoices"].items() if CULPRIT in held["InvoiceNumber"]]
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
        outcomes = iter(create(collection, good, idempotency_key))
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


def _connection(collection: str) -> PostingConnection:
    if collection == "Contacts":
        bodies = {number: {"Name": f"Customers of {number}", "ContactNumber": number} for number in NUMBERS}
        return PostingConnection(*(replace(CONTACT, number=number, body=body) for number, body in bodies.items()))
    invoices = [desired_invoice(number) for number in NUMBERS]
    payments = [desired_payment(number) for number in NUMBERS] if collection == "Payments" else []
    return PostingConnection(*invoices, *payments)


def _calls_until_nothing_waits(connection: PostingConnection) -> int:
    """Post for at most three hours; return the number of calls to Xero."""
    for _ in range(3 * 60):
        connection.post_after(60)
        if not connection.store.due(DOCUMENTS, connection.clock.now() + timedelta(days=1), 1):
            break
    return len(connection.xero.calls)


KINDS = {"Contacts": DocumentKind.CONTACT, "Invoices": DocumentKind.INVOICE, "Payments": DocumentKind.PAYMENT}


@pytest.fixture(scope="module")
def calls_without_culprit() -> dict[str, int]:
    return {collection: _calls_until_nothing_waits(_connection(collection)) for collection in KINDS}


@pytest.mark.parametrize("collection", KINDS)
@pytest.mark.parametrize("culprit", CULPRITS)
def test_the_other_999_are_posted_with_at_most_60_more_calls(
    culprit: str, collection: str, calls_without_culprit: dict[str, int]
) -> None:
    connection = _connection(collection)
    CULPRITS[culprit](connection, collection)

    calls = _calls_until_nothing_waits(connection)

    states = [connection.document(number, KINDS[collection]).state for number in NUMBERS]
    assert states.count(DocumentState.APPLIED) == COUNT - 1
    assert connection.document(CULPRIT, KINDS[collection]).state is DocumentState.FAILED
    assert calls - calls_without_culprit[collection] <= EXTRA_CALLS
