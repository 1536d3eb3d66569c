"""Requests for documents: the same request changes nothing, and a request that lost to another writer is repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.services.planning.document_requests import request_documents
from fakes.connection import FakeConnection
from unit.services.interruptions import before_save
from unit.services.planning.paying_connection import CUSTOMER

RENAMED = replace(CUSTOMER, body={**CUSTOMER.body, "Name": "Another"})


def test_same_request_changes_nothing() -> None:
    connection = FakeConnection()
    connection.request(CUSTOMER)

    assert request_documents(connection.store, connection.clock, [CUSTOMER]) == []
    assert request_documents(connection.store, connection.clock, [RENAMED]) == [CUSTOMER.key]


def test_request_that_lost_to_another_writer_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection()
    connection.request(CUSTOMER)

    def change_row() -> None:
        row = connection.document(CUSTOMER.number, DocumentKind.CONTACT)
        connection.store.save([replace(row, attempts=row.attempts + 1)])

    before_save(monkeypatch, connection.store, Document, change_row, change_row)

    assert request_documents(connection.store, connection.clock, [RENAMED]) == [CUSTOMER.key]
    row = connection.document(CUSTOMER.number, DocumentKind.CONTACT)
    assert (row.desired.body["Name"], row.attempts) == ("Another", 0)
