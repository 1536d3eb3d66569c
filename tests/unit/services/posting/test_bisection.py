"""A batch that Xero refuses as a whole is halved until the document that causes it is alone and fails."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.ports.xero import XeroRefused
from amazon_to_xero.services.posting.writer import MAX_REFUSED_CALLS
from unit.desired_documents import desired_invoice
from unit.services.posting.posting_connection import PostingConnection

D = Decimal
REFUSED = XeroRefused("createInvoices", 400, "the element cannot be read")


@pytest.mark.parametrize("documents", [8, 50])
def test_document_that_makes_xero_refuse_the_batch_fails_alone(documents: int) -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(documents)))
    connection.refuse_creates_with("A5")

    report = connection.post()

    assert (report.applied, report.failed) == (documents - 1, 1)
    assert "A5" not in connection.invoice_numbers()
    assert (connection.invoice("A5").state, connection.invoice("A5").reason) == (DocumentState.FAILED, "XERO_REFUSED")
    assert "the element cannot be read" in connection.invoice("A5").remedy
    assert connection.failures() == [("A5", "XERO_REFUSED")]


def test_every_document_that_makes_xero_refuse_a_batch_fails_however_many_calls_are_refused() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n:02}") for n in range(50)))
    for number in ("A03", "A21", "A40"):
        connection.refuse_creates_with(number)

    report = connection.post()

    assert (report.applied, report.failed, report.stopped) == (47, 3, "")
    assert sorted(connection.failures()) == [(number, "XERO_REFUSED") for number in ("A03", "A21", "A40")]


def test_content_that_changed_during_the_refused_call_is_sent_in_its_new_form() -> None:
    connection = PostingConnection(desired_invoice("A"), desired_invoice("B"))
    connection.xero.before = [REFUSED]
    connection.xero.during = lambda: connection.request(desired_invoice("A", "12.00", minutes=1))

    connection.post()
    connection.post_after(1)

    assert connection.invoice("A").state is DocumentState.APPLIED
    assert connection.xero.invoice("A")["Total"] == D("12.00")
    assert [len(call.elements) for call in connection.xero.writes()] == [2, 1, 1]


def test_documents_are_deferred_when_xero_refuses_every_half() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n:02}") for n in range(50)))
    connection.xero.before = [REFUSED] * (MAX_REFUSED_CALLS + 1)

    assert connection.post().stopped == "XERO_REFUSES_EVERY_CALL"

    assert len(connection.xero.calls) == MAX_REFUSED_CALLS + 1
    (paused,) = connection.decisions.of("PAUSED")
    assert (paused["reason"], paused["service"]) == ("XERO_REFUSES_EVERY_CALL", "xero")
    assert "the element cannot be read" in str(paused["remedy"])
    assert connection.failures() == []
    assert connection.post_after(15 * 60 - 1).stopped == "XERO_PAUSED"
    assert connection.post_after(1).applied == 50


def test_documents_that_xero_refuses_every_time_fail_in_the_end_with_xeros_words() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(4)))
    connection.xero.before = [REFUSED] * 10_000

    for _ in range(200):
        connection.post_after(60)

    assert sorted(connection.failures()) == [(f"A{n}", "XERO_REFUSED") for n in range(4)]
    assert "the element cannot be read" in connection.invoice("A0").remedy


def test_bisection_stops_at_the_deadline() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(8)))
    connection.xero.before = [REFUSED]
    connection.xero.during = lambda: connection.clock.advance(60)

    assert connection.post().stopped == "OUT_OF_TIME"

    assert len(connection.xero.calls) == 1
    assert {connection.invoice(f"A{n}").state for n in range(8)} == {DocumentState.DEFERRED}
    assert connection.post_after(1).applied == 8
