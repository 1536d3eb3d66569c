"""How documents are found in Xero; a failed read is never an empty result."""

from __future__ import annotations

import pytest

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.ports.xero import (
    XeroRefused,
    XeroUnavailable,
)
from unit.adapters.fault_server import FaultServer, Reply, all_text_of
from unit.adapters.xero_replies import (
    API,
    BUYER_NAME,
    CONTACTS,
    INVOICES,
    answer,
    find,
    guid,
    stored,
)

# --- find -------------------------------------------------------------------------------------------------------------


def test_invoices_are_found_by_number_with_their_lines(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored(1), stored(2)))
    found = accounting.find("Invoices", "InvoiceNumber", ["amz-1", "AMZ-2", "AMZ-2"])
    assert [document["InvoiceID"] for document in found] == [guid(1), guid(2)]
    assert server.received[0].query == {
        "InvoiceNumbers": ["amz-1,AMZ-2"],
        "page": ["1"],
        "pageSize": ["1000"],
        "unitdp": ["4"],
    }


def test_suppliers_bill_with_our_number_is_not_found(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored(1, Type="ACCPAY")))
    assert find(accounting) == []


def test_documents_with_other_numbers_are_left_out(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored(7), stored(1)))
    assert [document["InvoiceNumber"] for document in find(accounting)] == ["AMZ-1"]


def test_archived_contacts_are_found_by_number(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(CONTACTS, answer({"ContactID": guid(1), "ContactNumber": "a,1"}, collection="Contacts"))
    assert len(accounting.find("Contacts", "ContactNumber", ["a,1", "b"])) == 1
    query = server.received[0].query
    assert query["where"] == ['ContactNumber=="a,1" OR ContactNumber=="b"']
    assert query["includeArchived"] == ["true"]


@pytest.mark.parametrize(
    ("collection", "field", "value", "parameter", "sent"),
    [
        ("Invoices", "InvoiceID", guid(1), "IDs", guid(1)),
        ("Contacts", "ContactID", guid(1), "IDs", guid(1)),
        ("Contacts", "Name", "Amazon.co.uk, UK", "where", 'Name=="Amazon.co.uk, UK"'),
        ("CreditNotes", "CreditNoteNumber", "CN-1", "where", 'CreditNoteNumber=="CN-1"'),
        ("CreditNotes", "CreditNoteID", guid(1), "where", f'CreditNoteID==Guid("{guid(1)}")'),
        ("Payments", "PaymentID", guid(1), "where", f'PaymentID==Guid("{guid(1)}")'),
    ],
)
def test_each_collection_is_filtered_by_its_own_parameter(
    accounting: XeroAccounting, server: FaultServer, collection: str, field: str, value: str, parameter: str, sent: str
) -> None:
    kind = {"Invoices": "ACCREC", "CreditNotes": "ACCRECCREDIT"}.get(collection)
    server.on(f"{API}/{collection}", answer({field: value, "Type": kind}, collection=collection))
    assert len(accounting.find(collection, field, [value])) == 1
    assert server.received[0].query[parameter] == [sent]


@pytest.mark.parametrize(
    ("collection", "field", "values"),
    [
        ("Invoices", "InvoiceNumber", [f"AMZ-{n}" for n in range(41)]),
        ("Invoices", "InvoiceNumber", ["AMZ-1,AMZ-2"]),
        ("Invoices", "InvoiceNumber", [""]),
        ("Invoices", "InvoiceID", ["AMZ-1"]),
        ("Invoices", "Reference", ["r"]),
        ("Contacts", "Name", [f'{BUYER_NAME} "Maggie"']),
        ("Contacts", "ContactNumber", [f"{BUYER_NAME}\\"]),
        ("Payments", "", ["x"]),
        ("Bills", "InvoiceID", [guid(1)]),
    ],
)
def test_filter_that_xero_would_misread_is_not_sent(
    accounting: XeroAccounting, server: FaultServer, collection: str, field: str, values: list[str]
) -> None:
    with pytest.raises(ValueError) as caught:
        accounting.find(collection, field, values)
    assert BUYER_NAME not in all_text_of(caught.value)
    assert server.received == []


def test_find_without_values_makes_no_call(accounting: XeroAccounting, server: FaultServer) -> None:
    assert accounting.find("Invoices", "InvoiceNumber", []) == []
    assert server.received == []


# --- reads that fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, ""),
        Reply(503, ""),
        Reply(400, "<html>"),
        Reply(200, "<html>"),
        Reply(200, "[]"),
        Reply(200, {"Contacts": []}),
        Reply(200, {"Invoices": None}),
        Reply(200, {"Invoices": [None]}),
        Reply(200, {"Invoices": [], "pagination": {"page": 1, "pageCount": 2}}),
        Reply(fault="drop"),
    ],
)
def test_failed_read_is_never_an_empty_result(accounting: XeroAccounting, server: FaultServer, reply: Reply) -> None:
    server.on(INVOICES, reply)
    with pytest.raises(XeroUnavailable):
        find(accounting)
    assert len(server.received) == 1


def test_query_that_xero_cannot_parse_is_refused(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, Reply(400, {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "Operator expected"}))
    with pytest.raises(XeroRefused, match="Operator expected"):
        find(accounting)
