"""One call carries at most 50 documents and 3 MB, and each attempt has an Idempotency-Key of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.ports.xero import XeroRateLimited
from amazon_to_xero.services.posting.batches import BATCH_BYTES, BATCH_SIZE
from unit.desired_documents import desired_invoice
from unit.services.posting.posting_connection import PostingConnection


def _invoice_with_description(number: str, length: int) -> DesiredDocument:
    """Return an invoice whose line has a description of so many characters."""
    invoice = desired_invoice(number)
    line = {**invoice.body["LineItems"][0], "Description": "x" * length}
    return replace(invoice, body={**invoice.body, "LineItems": [line]})


def test_call_carries_at_most_fifty_documents() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n:03}") for n in range(120)))

    assert connection.post().applied == 120

    assert [len(call.elements) for call in connection.xero.writes()] == [BATCH_SIZE, BATCH_SIZE, 20]
    assert BATCH_SIZE == 50


def test_call_carries_at_most_three_megabytes() -> None:
    connection = PostingConnection(*(_invoice_with_description(f"A{n}", 900_000) for n in range(6)))

    assert connection.post().applied == 6

    sizes = [len(json.dumps(call.elements, default=str)) for call in connection.xero.writes()]
    assert [len(call.elements) for call in connection.xero.writes()] == [3, 3]
    assert max(sizes) <= BATCH_BYTES == 3_000_000


def test_document_larger_than_a_call_is_sent_alone() -> None:
    wide = _invoice_with_description("WIDE", BATCH_BYTES + 1)
    connection = PostingConnection(desired_invoice("A"), wide, desired_invoice("B"))

    assert connection.post().applied == 3

    batches = [[element["InvoiceNumber"] for element in call.elements] for call in connection.xero.writes()]
    assert ["WIDE"] in batches


def test_each_batch_and_each_attempt_has_its_own_idempotency_key() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n:02}") for n in range(60)))
    connection.xero.before = [None, XeroRateLimited("createInvoices", "minute", timedelta(seconds=5))]
    connection.post()
    connection.post_after(61)

    keys = [call.key for call in connection.xero.writes()]
    assert len(keys) == len(set(keys)) == 3
    assert {len(key) <= 128 for key in keys} == {True}


def test_two_connections_never_share_an_idempotency_key() -> None:
    keys = set[str]()
    for name in ("main", "other"):
        connection = PostingConnection(desired_invoice(), name=name)
        connection.post()
        keys |= {call.key for call in connection.xero.writes()}

    assert len(keys) == 2
