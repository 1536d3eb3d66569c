"""What is sent to Xero, and what its answer to a batch means for each element."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.exact_json import exact_json
from amazon_to_xero.ports.xero import (
    XeroOutcomeUnknown,
    XeroRefused,
)
from unit.adapters.fault_server import FaultServer, Reply
from unit.adapters.xero_replies import (
    ACCESS_TOKEN,
    API,
    INVOICE,
    INVOICES,
    answer,
    create,
    find,
    guid,
    stored,
)


def allocation(credit_note: int, invoice: int) -> dict[str, Any]:
    """Return an allocation as the poster asks for it."""
    references = {"CreditNote": {"CreditNoteID": guid(credit_note)}, "Invoice": {"InvoiceID": guid(invoice)}}
    return {"Amount": Decimal("1.5"), "Date": "2026-11-20", **references}


# --- requests ---------------------------------------------------------------------------------------------------------


def test_create_is_a_put_with_key_tenant_and_all_options(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored()))
    create(accounting)
    request = server.received[0]
    assert (request.method, request.query) == ("PUT", {"summarizeErrors": ["false"], "unitdp": ["4"]})
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["xero-tenant-id"] == "tenant-1"
    assert request.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.json() == {"Invoices": [INVOICE]}


@pytest.mark.parametrize(
    ("collection", "id_field", "query"),
    [
        ("Contacts", "ContactID", {"summarizeErrors": ["false"]}),
        ("Invoices", "InvoiceID", {"summarizeErrors": ["false"], "unitdp": ["4"]}),
        ("CreditNotes", "CreditNoteID", {"summarizeErrors": ["false"], "unitdp": ["4"]}),
    ],
)
def test_update_is_a_post_to_the_same_collection(
    accounting: XeroAccounting, server: FaultServer, collection: str, id_field: str, query: dict[str, list[str]]
) -> None:
    server.on(f"{API}/{collection}", answer({id_field: guid(1)}, collection=collection))
    assert accounting.update(collection, [{id_field: guid(1), "Name": "n"}], "key-2")[0].accepted
    request = server.received[0]
    assert (request.method, request.query, request.headers["idempotency-key"]) == ("POST", query, "key-2")


def test_payments_are_created_in_batches_and_deleted_one_by_one(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    server.on(f"{API}/Payments", answer({"PaymentID": guid(1)}, {"PaymentID": guid(2)}, collection="Payments"))
    server.on(f"{API}/Payments/{guid(1)}", answer({"PaymentID": guid(1)}, collection="Payments"))
    assert len(accounting.create("Payments", [{"Amount": Decimal("1.10")}, {"Amount": Decimal(2)}], "key-1")) == 2
    assert accounting.update("Payments", [{"PaymentID": guid(1), "Status": "DELETED"}], "key-2")[0].accepted
    created, deleted = server.received
    assert (created.method, deleted.method) == ("PUT", "POST")
    assert (deleted.json(), deleted.headers["idempotency-key"]) == ({"Status": "DELETED"}, "key-2")
    with pytest.raises(ValueError, match="deleted"):
        accounting.update("Payments", [{"PaymentID": guid(1), "Amount": Decimal(3)}], "key-3")


def test_allocations_are_sent_to_the_credit_note_that_they_name(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    path = f"{API}/CreditNotes/{guid(7)}/Allocations"
    refused = {"StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": "already been paid off"}]}
    server.on(path, answer({"AllocationID": guid(1)}, refused, collection="Allocations"))

    outcomes = accounting.create("Allocations", [allocation(7, 1), allocation(7, 2)], "key-1")

    (request,) = server.received
    assert (request.method, request.query) == ("PUT", {"summarizeErrors": ["false"]})
    assert request.headers["idempotency-key"] == "key-1"
    parts = [{"Amount": 1.5, "Date": "2026-11-20", "Invoice": {"InvoiceID": guid(number)}} for number in (1, 2)]
    assert request.json() == {"Allocations": parts}
    assert [outcome.errors for outcome in outcomes] == [(), ("already been paid off",)]


def test_allocation_that_xero_accepts_without_an_id_has_an_unknown_outcome(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    server.on(f"{API}/CreditNotes/{guid(7)}/Allocations", answer({"Amount": 1.5}, collection="Allocations"))

    (outcome,) = accounting.create("Allocations", [allocation(7, 1)], "key-1")

    assert outcome.unknown == "Xero's answer has no AllocationID"


def test_allocations_of_two_credit_notes_or_changes_to_one_are_refused_before_they_are_sent(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    for elements in ([allocation(7, 1), allocation(8, 1)], [{"Amount": Decimal(1)}], [{"CreditNote": None}]):
        with pytest.raises(ValueError, match="Allocations of one CreditNote"):
            accounting.create("Allocations", elements, "key-1")
    with pytest.raises(ValueError, match="only be created"):
        accounting.update("Allocations", [{"AllocationID": guid(1)}], "key-1")
    with pytest.raises(ValueError, match="only be read in the documents"):
        accounting.find("Allocations", "AllocationID", [guid(1)])
    assert server.received == []


def test_amounts_are_sent_with_exactly_their_digits(accounting: XeroAccounting, server: FaultServer) -> None:
    # The last one has more digits than a float holds; the SDK would send 12345678901234568
    amounts = ["12.3456", "0.1", "1234567.89", "12345678901234567.89", "-3.50", "100"]
    server.on(INVOICES, answer(stored()))
    create(accounting, {**INVOICE, "LineItems": [{"UnitAmount": Decimal(text)} for text in amounts]})
    assert re.findall(r'"UnitAmount":([^}]+)}', server.received[0].body) == amounts


def test_decimal_with_an_exponent_is_sent_in_plain_digits() -> None:
    assert exact_json([Decimal("1E+2"), Decimal("1.5E-7"), date(2026, 11, 23), None, True, "Zoë\n"]) == (
        '[100,0.00000015,"2026-11-23",null,true,"Zo\\u00eb\\n"]'
    )


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1, tzinfo=UTC), {1}])
def test_value_that_cannot_be_sent_exactly_is_refused_by_its_path(accounting: XeroAccounting, value: object) -> None:
    with pytest.raises(ValueError, match=re.escape("$.Invoices[0].LineItems[0].UnitAmount is ")):
        create(accounting, {**INVOICE, "LineItems": [{"UnitAmount": value}]})


def test_call_beyond_xeros_limits_is_refused_before_it_is_sent(accounting: XeroAccounting, server: FaultServer) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        create(accounting, *[INVOICE] * 51)
    with pytest.raises(ValueError, match="1 to 50"):
        accounting.create("Invoices", [], "key-1")
    with pytest.raises(ValueError, match="bytes"):
        create(accounting, {**INVOICE, "Reference": "x" * 3_000_000})
    for key in ("", "k" * 129, "two words", "ключ"):
        with pytest.raises(ValueError, match="idempotency_key"):
            accounting.create("Invoices", [INVOICE], key)
    assert server.received == []


def test_update_without_an_id_and_create_with_one_are_refused_before_they_are_sent(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    with pytest.raises(ValueError, match="need their InvoiceID"):
        accounting.update("Invoices", [INVOICE], "key-1")
    with pytest.raises(ValueError, match="carry no InvoiceID"):
        create(accounting, stored())
    with pytest.raises(ValueError, match="collection"):
        accounting.create("Bills", [INVOICE], "key-1")
    assert server.received == []


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_each_element_of_a_batch_has_its_own_outcome(accounting: XeroAccounting, server: FaultServer) -> None:
    refused = {"StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": "Invoice # must be unique."}]}
    server.on(INVOICES, answer(stored(1), stored(2, InvoiceID=guid(0), HasErrors=True, **refused), stored(3)))
    outcomes = create(accounting, *[{**INVOICE, "InvoiceNumber": f"AMZ-{n}"} for n in (1, 2, 3)])
    assert [outcome.accepted for outcome in outcomes] == [True, False, True]
    assert outcomes[1].errors == ("Invoice # must be unique.",)
    assert outcomes[2].element["InvoiceID"] == guid(3)


@pytest.mark.parametrize(
    "marks",
    [
        {"HasErrors": True},
        {"HasValidationErrors": True},
        {"StatusAttributeString": "ERROR"},
        {"ValidationErrors": [{"Message": "Account code '999' is not a valid code for this document."}]},
        {"HasErrors": True, "LineItems": [{"ValidationErrors": [{"Message": "Description is required"}]}]},
    ],
)
def test_refusal_is_recognised_however_xero_marks_it(
    accounting: XeroAccounting, server: FaultServer, marks: dict[str, Any]
) -> None:
    server.on(INVOICES, answer({**stored(), "StatusAttributeString": None, **marks}))
    (outcome,) = create(accounting)
    assert not outcome.accepted
    assert all(outcome.errors)


def test_refusal_has_the_message_of_the_line_where_the_document_has_none(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    line = {"ValidationErrors": [{"Message": "Description is required"}]}
    server.on(INVOICES, answer(stored(HasErrors=True, LineItems=[line])), answer(stored(HasErrors=True)))
    assert create(accounting)[0].errors == ("Description is required",)
    assert create(accounting)[0].errors == ("Xero refused the document without saying why",)


def test_answer_that_the_sdk_could_not_read_is_a_success(accounting: XeroAccounting, server: FaultServer) -> None:
    # Unknown enum members, nulls and missing fields make the SDK's models fail after Xero has committed
    odd: dict[str, Any] = {
        "CurrencyCode": "XCG",
        "Status": "PARKED",
        "LineItems": None,
        "Contact": None,
        "Payments": None,
    }
    text = json.dumps({"Invoices": [stored(**odd)]}).replace('"XCG"', '"XCG", "Total": 12345678901234567.8900')
    server.on(INVOICES, Reply(200, text))
    (outcome,) = create(accounting)
    assert outcome.accepted
    assert str(outcome.element["Total"]) == "12345678901234567.8900"


UNKNOWN = {
    "500": Reply(500, "<html>"),
    "502": Reply(502, ""),
    "503": Reply(503, '{"Message": "busy"}'),
    "504": Reply(504, ""),
    "200 HTML": Reply(200, "<html>all well</html>"),
    "200 list": Reply(200, "[]"),
    "200 empty": Reply(200, ""),
    "200 no elements": answer(),
    "200 too many elements": answer(stored(), stored(2)),
    "200 null elements": Reply(200, {"Invoices": None}),
    "200 another number": answer(stored(2)),
    "200 no object": answer("AMZ-1"),
    "400 HTML": Reply(400, "<html>Bad Request</html>"),
    "400 key of another request": Reply(
        400, {"Message": "Idempotency Key: key-1 is used with a different request.", "ErrorNumber": 10}
    ),
    "409 still in progress": Reply(409, "{}"),
}


@pytest.mark.parametrize("reply", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_write_without_a_certain_effect_has_an_unknown_outcome(
    accounting: XeroAccounting, server: FaultServer, reply: Reply
) -> None:
    server.on(INVOICES, reply)
    with pytest.raises(XeroOutcomeUnknown) as caught:
        create(accounting)
    assert caught.value.status == reply.status
    assert len(server.received) == 1


@pytest.mark.parametrize("xero_id", ["00000000-0000-0000-0000-000000000000", "", None])
def test_accepted_element_without_an_id_is_the_only_one_of_its_batch_with_an_unknown_outcome(
    accounting: XeroAccounting, server: FaultServer, xero_id: str | None
) -> None:
    server.on(INVOICES, answer(stored(), stored(2, InvoiceID=xero_id), refused_element(3)))
    elements = [{"InvoiceNumber": f"AMZ-{n}", "Type": "ACCREC"} for n in (1, 2, 3)]

    known, unknown, refused = accounting.create("Invoices", elements, "key-1")

    assert (known.accepted, known.unknown) == (True, "")
    assert "InvoiceID" in unknown.unknown
    assert (refused.accepted, refused.unknown) == (False, "")


def refused_element(number: int) -> dict[str, Any]:
    return {
        **stored(number, InvoiceID="00000000-0000-0000-0000-000000000000"),
        "HasErrors": True,
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": "Account code '999' is not a valid code for this document."}],
    }


@pytest.mark.parametrize("status", [404, 412, 413, 415])
def test_call_refused_as_a_whole_raises_refused(accounting: XeroAccounting, server: FaultServer, status: int) -> None:
    server.on(INVOICES, Reply(status, "", {"content-type": "text/html"}))
    for call in (create, find):
        with pytest.raises(XeroRefused) as caught:
            call(accounting)
        assert caught.value.status == status


def refused_batch(*elements: dict[str, Any]) -> Reply:
    return Reply(400, {"ErrorNumber": 10, "Message": "A validation exception occurred", "Elements": list(elements)})


def test_batch_refused_with_a_message_for_each_element_has_outcomes(
    accounting: XeroAccounting, server: FaultServer
) -> None:
    server.on(INVOICES, refused_batch(stored(ValidationErrors=[{"Message": "Invoice # must be unique."}])))
    (outcome,) = create(accounting)
    assert outcome.errors == ("Invoice # must be unique.",)


def test_batch_refused_for_one_element_is_refused_as_a_whole(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(
        INVOICES, refused_batch(stored(1), stored(2, ValidationErrors=[{"Message": "Invoice # must be unique."}]))
    )
    with pytest.raises(XeroRefused, match="A validation exception occurred: Invoice # must be unique"):
        create(accounting, INVOICE, {**INVOICE, "InvoiceNumber": "AMZ-2"})


def test_batch_refused_in_another_order_is_refused_as_a_whole(accounting: XeroAccounting, server: FaultServer) -> None:
    why = {"ValidationErrors": [{"Message": "no"}]}
    server.on(INVOICES, refused_batch(stored(2, **why), stored(1, **why)))
    with pytest.raises(XeroRefused):
        create(accounting, INVOICE, {**INVOICE, "InvoiceNumber": "AMZ-2"})
