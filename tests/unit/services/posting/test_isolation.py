"""Whatever one document does to posting ends with itself, after a bounded number of calls; the others are posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import Outcome, XeroOutcomeUnknown, XeroRefused, XeroUnavailable
from fakes.vendors import XeroCall
from unit.desired_documents import desired_invoice, desired_payment
from unit.services.posting.posting_connection import PostingConnection

MAX_CALLS = 12
CULPRIT = "A3"


def carries(number: str, elements: Sequence[Json] | tuple[Any, ...]) -> bool:
    return number in repr(elements)


def fail_every_write_of(connection: PostingConnection, number: str) -> None:
    """Make Xero answer 500 to every write that carries the document, without any effect (X2)."""
    create = connection.xero.create

    def write(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        if carries(number, elements):
            connection.xero.calls.append(XeroCall("create", collection, tuple(elements)))
            raise XeroOutcomeUnknown("createInvoices", 500, "HTTP 500")
        return create(collection, elements, idempotency_key)

    connection.xero.create = write  # type: ignore[method-assign]


def calls_with(connection: PostingConnection, number: str) -> int:
    return sum(carries(number, call.elements) for call in connection.xero.calls)


def post_for_an_hour(connection: PostingConnection) -> None:
    for _ in range(60):
        connection.post_after(60)


def test_content_that_always_gives_500_fails_alone_and_the_others_are_posted_in_the_same_hour() -> None:
    numbers = [f"A{n}" for n in range(10)]
    connection = PostingConnection(
        *(desired_invoice(number) for number in numbers), *(desired_payment(number) for number in numbers)
    )
    fail_every_write_of(connection, CULPRIT)

    post_for_an_hour(connection)

    others = [number for number in numbers if number != CULPRIT]
    assert all(connection.invoice(number).state is DocumentState.APPLIED for number in others)
    assert all(connection.document(number, DocumentKind.PAYMENT).exists_in_xero for number in others)
    failed = connection.invoice(CULPRIT)
    assert (failed.state, failed.reason) == (DocumentState.FAILED, "XERO_ERROR")
    assert "HTTP 500" in failed.remedy
    assert connection.failures() == [(CULPRIT, "XERO_ERROR")]
    assert calls_with(connection, CULPRIT) <= MAX_CALLS


def test_batch_of_fifty_loses_one_document_and_costs_few_calls() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(50)))
    fail_every_write_of(connection, "A17")

    post_for_an_hour(connection)

    assert sum(connection.invoice(f"A{n}").state is DocumentState.APPLIED for n in range(50)) == 49
    assert connection.failures() == [("A17", "XERO_ERROR")]
    assert calls_with(connection, "A17") <= MAX_CALLS
    assert len(connection.xero.calls) <= 30


def test_document_that_is_alone_all_the_time_fails_within_the_hour() -> None:
    connection = PostingConnection(desired_invoice(CULPRIT))
    fail_every_write_of(connection, CULPRIT)

    post_for_an_hour(connection)

    assert connection.failures() == [(CULPRIT, "XERO_ERROR")]
    assert calls_with(connection, CULPRIT) <= MAX_CALLS


@pytest.mark.parametrize("documents", [1, 50])
def test_outage_of_xeros_writes_for_twenty_minutes_fails_no_document(documents: int) -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(documents)))
    create, end = connection.xero.create, connection.clock.now() + timedelta(minutes=20)

    def fail_until_the_end(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        if connection.clock.now() < end:
            raise XeroOutcomeUnknown("createInvoices", 503, "HTTP 503")
        return create(collection, elements, idempotency_key)

    connection.xero.create = fail_until_the_end  # type: ignore[method-assign]

    post_for_an_hour(connection)

    assert connection.failures() == []
    assert all(connection.invoice(f"A{n}").state is DocumentState.APPLIED for n in range(documents))


def test_look_up_that_xero_refuses_for_good_fails_one_document_only() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(8)))
    connection.xero.after = [XeroOutcomeUnknown("createInvoices", None, "no answer")] * 2
    find = connection.xero.find

    def refuse(collection: str, field: str, values: Sequence[str]) -> list[Json]:
        if CULPRIT in values:
            raise XeroRefused("find Invoices", 404, "HTTP 404")
        return find(collection, field, values)

    connection.xero.find = refuse  # type: ignore[method-assign]

    post_for_an_hour(connection)

    assert connection.failures() == [(CULPRIT, "OUTCOME_UNRESOLVED")]
    assert [connection.invoice(f"A{n}").state for n in range(8) if f"A{n}" != CULPRIT] == [DocumentState.APPLIED] * 7


def make_xero_unable_to_look_up(connection: PostingConnection, *numbers: str) -> list[Sequence[str]]:
    """Make Xero answer 500 to look-ups of these numbers; return the list that collects all look-ups."""
    find = connection.xero.find
    lookups: list[Sequence[str]] = []

    def fail(collection: str, field: str, values: Sequence[str]) -> list[Json]:
        lookups.append(values)
        if not numbers or set(numbers) & set(values):
            raise XeroUnavailable("find Invoices", 500, "HTTP 500")
        return find(collection, field, values)

    connection.xero.find = fail  # type: ignore[method-assign]
    return lookups


def test_look_up_that_xero_never_answers_fails_one_document_only_within_two_hours() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(40)))
    connection.xero.after = [XeroOutcomeUnknown("createInvoices", None, "no answer")] * 2
    lookups = make_xero_unable_to_look_up(connection, CULPRIT)

    connection.post()
    connection.post_after(61)

    others = [f"A{n}" for n in range(40) if f"A{n}" != CULPRIT]
    assert [connection.invoice(number).state for number in others] == [DocumentState.APPLIED] * 39

    post_for_an_hour(connection)
    post_for_an_hour(connection)

    assert connection.failures() == [(CULPRIT, "OUTCOME_UNRESOLVED")]
    assert sum(CULPRIT in values for values in lookups) <= MAX_CALLS
    assert len(lookups) <= 24


def test_document_whose_outcome_was_never_found_out_is_looked_up_when_its_order_is_reprocessed() -> None:
    connection = PostingConnection(desired_invoice(CULPRIT))
    connection.xero.after = [XeroOutcomeUnknown("createInvoices", None, "no answer")] * 2
    find = connection.xero.find
    make_xero_unable_to_look_up(connection, CULPRIT)
    post_for_an_hour(connection)
    post_for_an_hour(connection)
    assert connection.failures() == [(CULPRIT, "OUTCOME_UNRESOLVED")]
    connection.xero.find = find  # type: ignore[method-assign]

    connection.request(desired_invoice(CULPRIT))
    connection.post_after(61)

    assert connection.invoice(CULPRIT).state is DocumentState.APPLIED
    assert len(connection.xero.books["Invoices"]) == 1


def test_outage_of_xeros_reads_for_three_hours_fails_no_document() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(3)))
    connection.xero.after = [XeroOutcomeUnknown("createInvoices", None, "no answer")] * 2
    find = connection.xero.find
    make_xero_unable_to_look_up(connection)
    for _ in range(3):
        post_for_an_hour(connection)
    assert connection.failures() == []
    connection.xero.find = find  # type: ignore[method-assign]

    connection.post_after(61)

    assert all(connection.invoice(f"A{n}").state is DocumentState.APPLIED for n in range(3))


def test_request_that_cannot_be_built_fails_its_document_only() -> None:
    connection = PostingConnection(desired_invoice("A1"), desired_invoice(CULPRIT), desired_invoice("A2"))
    create = connection.xero.create

    def raise_for_the_culprit(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        if carries(CULPRIT, elements):
            raise ValueError("a value cannot be sent")
        return create(collection, elements, idempotency_key)

    connection.xero.create = raise_for_the_culprit  # type: ignore[method-assign]

    report = connection.post()

    assert (report.applied, report.failed) == (2, 1)
    assert connection.failures() == [(CULPRIT, "XERO_REFUSED")]
    assert "ValueError" in connection.invoice(CULPRIT).remedy


def test_answer_that_raises_fails_its_document_and_keeps_the_others() -> None:
    connection = PostingConnection(desired_invoice("A1"), desired_invoice(CULPRIT), desired_invoice("A2"))
    create = connection.xero.create

    def without_id(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        outcomes = create(collection, elements, idempotency_key)
        return [Outcome({}) if carries(CULPRIT, (outcome.element,)) else outcome for outcome in outcomes]

    connection.xero.create = without_id  # type: ignore[method-assign]

    connection.post()

    assert connection.failures() == [(CULPRIT, "UNFORESEEN")]
    assert "outcome.py" in connection.invoice(CULPRIT).remedy
    assert connection.invoice("A2").state is DocumentState.APPLIED


def test_payment_of_an_invoice_that_was_never_requested_ends_with_a_person() -> None:
    connection = PostingConnection(desired_payment("A9"))

    for _ in range(24 * 60):
        connection.post_after(60)

    assert connection.failures() == [("A9", "REFERENCE_MISSING")]
    assert connection.xero.calls == []
