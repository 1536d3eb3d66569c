"""Files at invoices and credit notes: what the sandbox Xero takes, as the real one does."""

from __future__ import annotations

import pytest

from sandbox.testing.xero import XeroClient


def put(xero: XeroClient, name: str, content: bytes = b"order_id\r\n", method: str = "PUT") -> int:
    return xero.send(method, f"Invoices/A/Attachments/{name}", content).status


def names(xero: XeroClient) -> list[str]:
    return [each["FileName"] for each in xero.get("Invoices/A/Attachments").body["Attachments"]]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_file_of_the_same_name_replaces_the_one_before(xero: XeroClient, method: str) -> None:
    xero.create_invoice("A")
    put(xero, "orders.csv", b"first")
    first = xero.get("Invoices/A/Attachments").body["Attachments"]

    assert put(xero, "ORDERS.csv", b"the second", method) == 200

    (second,) = xero.get("Invoices/A/Attachments").body["Attachments"]
    assert (second["AttachmentID"], second["ContentLength"]) == (first[0]["AttachmentID"], 10)


def test_document_takes_ten_files(xero: XeroClient) -> None:
    xero.create_invoice("A")
    statuses = [put(xero, f"{number}.csv") for number in range(11)]

    assert statuses == [200] * 10 + [400]
    assert put(xero, "3.csv", b"again") == 200
    assert len(names(xero)) == 10


@pytest.mark.parametrize("name", ["a%3Ab.csv", "a%2Bb.csv", "a%3Fb.csv", "a%2Ab.csv"])
def test_name_with_a_forbidden_character_is_refused(xero: XeroClient, name: str) -> None:
    xero.create_invoice("A")

    assert (put(xero, name), names(xero)) == (400, [])


def test_file_that_is_empty_or_too_large_is_refused(xero: XeroClient) -> None:
    xero.create_invoice("A")

    assert put(xero, "a.csv", b"") == 400
    assert put(xero, "a.csv", bytes(10_000_001)) == 400


def test_unknown_document_has_no_files(xero: XeroClient) -> None:
    assert put(xero, "a.csv") == 404
    assert xero.get("Invoices/A/Attachments").status == 404
