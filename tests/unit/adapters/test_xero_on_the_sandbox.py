"""The Xero adapter against the sandbox Xero on a real socket."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import (
    XeroGrantRefused,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroUnavailable,
)
from fakes.state import NOON, ManualClock
from unit.adapters.live_sandboxes import LiveXero

BUYER_NAME = "Margaret Thistlewood"


def an_invoice(number: str = "AMZ-1", price: str = "12.3456", **changes: Any) -> Json:
    return {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"Name": "Amazon.co.uk"},
        "Date": "2026-11-20",
        "DueDate": "2026-11-20",
        "LineAmountTypes": "Inclusive",
        "Status": "AUTHORISED",
        "LineItems": [
            {
                "Description": "Tea towel",
                "Quantity": Decimal(3),
                "UnitAmount": Decimal(price),
                "AccountCode": "200",
                "TaxType": "OUTPUT2",
            }
        ],
        **changes,
    }


def test_organisation_of_the_sandbox_is_read(xero: LiveXero) -> None:
    (connected,) = xero.endpoint.connections(xero.tokens.current())
    own = xero.api.organisation()
    assert connected["tenantId"] == own.organisation_id == xero.sandbox.tenant_id
    assert (own.time_zone, own.base_currency, own.read_at) == ("Europe/London", "GBP", NOON)
    rounding = own.rounding_account()
    assert rounding is not None
    assert rounding.code == "498"
    assert own.accounts["CLR-GBP"].takes_payments
    assert own.tax_rates["OUTPUT2"].rate == Decimal(20)
    assert "EUR" in own.currencies


def test_invoice_is_created_approved_paid_and_found_and_its_payment_deleted(xero: LiveXero) -> None:
    # When an invoice with four decimals is created, approved and paid
    (draft,) = xero.api.create("Invoices", [an_invoice(Status="DRAFT")], "k1")
    assert (draft.accepted, draft.element["Status"], draft.element["Total"]) == (True, "DRAFT", Decimal("37.04"))
    invoice_id = draft.element["InvoiceID"]
    (approved,) = xero.api.update("Invoices", [{**an_invoice(), "InvoiceID": invoice_id}], "k2")
    assert (approved.element["Status"], approved.element["InvoiceID"]) == ("AUTHORISED", invoice_id)
    payment = {
        "Invoice": {"InvoiceID": invoice_id},
        "Account": {"Code": "CLR-GBP"},
        "Date": "2026-11-21",
        "Amount": Decimal("37.04"),
    }
    (paid,) = xero.api.create("Payments", [payment], "k3")
    assert paid.accepted
    # Then it is found with its lines and its payment, by number and by id
    for field, value in (("InvoiceNumber", "amz-1"), ("InvoiceID", invoice_id)):
        (found,) = xero.api.find("Invoices", field, [value, invoice_id if field == "InvoiceID" else "AMZ-2"])
        assert (found["Status"], found["AmountDue"]) == ("PAID", Decimal(0))
        assert found["LineItems"][0]["UnitAmount"] == Decimal("12.3456")
        assert found["Payments"][0]["Amount"] == Decimal("37.04")
    # And once the payment is deleted, it is due again
    (deleted,) = xero.api.update("Payments", [{"PaymentID": paid.element["PaymentID"], "Status": "DELETED"}], "k4")
    assert deleted.accepted
    assert xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])[0]["AmountDue"] == Decimal("37.04")


def test_invoices_that_were_approved_since_a_time_are_found_page_by_page(xero: LiveXero, wall: ManualClock) -> None:
    bill = {**an_invoice("BILL-1"), "Type": "ACCPAY"}
    xero.api.create("Invoices", [an_invoice("OLD"), an_invoice("AMZ-1", Status="SUBMITTED"), bill], "k1")
    wall.advance(600)
    since = wall.now()
    (waiting,) = xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])
    approved = {"InvoiceID": waiting["InvoiceID"], "Status": "AUTHORISED", "Contact": waiting["Contact"]}
    xero.api.update("Invoices", [{**an_invoice("AMZ-1"), **approved}], "k2")
    xero.api.create("Invoices", [an_invoice("AMZ-2", Status="SUBMITTED"), {**bill, "InvoiceNumber": "BILL-2"}], "k3")

    (found,) = xero.api.approved_since(since, 1)

    assert (found["InvoiceNumber"], found["Status"], found["Total"]) == ("AMZ-1", "AUTHORISED", Decimal("37.04"))
    assert xero.api.approved_since(since, 2) == []


def test_batch_has_an_outcome_for_each_invoice(xero: LiveXero) -> None:
    xero.api.create("Invoices", [an_invoice("AMZ-1")], "k1")
    wrong = an_invoice("AMZ-3", LineItems=[{"Description": "?", "UnitAmount": Decimal(1), "AccountCode": "999"}])
    outcomes = xero.api.create("Invoices", [an_invoice("AMZ-2"), an_invoice("AMZ-1"), wrong], "k2")
    assert [outcome.accepted for outcome in outcomes] == [True, False, False]
    assert outcomes[1].errors == ("Invoice # must be unique.",)
    assert "'999' is not a valid code" in outcomes[2].errors[0]
    assert len(xero.sandbox.books.invoices) == 2


def test_contacts_are_found_by_number_and_name_and_not_named_in_errors(xero: LiveXero) -> None:
    (made,) = xero.api.create("Contacts", [{"Name": BUYER_NAME, "ContactNumber": "AMZ-B-1"}], "k1")
    xero.api.create("Contacts", [{"Name": "Smith, Jones & Co", "ContactNumber": "AMZ-B-2"}], "k2")
    assert [c["Name"] for c in xero.api.find("Contacts", "ContactNumber", ["AMZ-B-1", "AMZ-B-9"])] == [BUYER_NAME]
    assert len(xero.api.find("Contacts", "Name", ["smith, jones & co", BUYER_NAME])) == 2
    assert len(xero.api.find("Contacts", "ContactID", [made.element["ContactID"]])) == 1
    (twice,) = xero.api.create("Contacts", [{"Name": BUYER_NAME.upper(), "ContactNumber": "AMZ-B-3"}], "k3")
    assert not twice.accepted
    assert "already assigned to another contact" in twice.errors[0]
    assert BUYER_NAME.lower() not in str(twice.errors).lower()


def test_credit_notes_are_found_by_number(xero: LiveXero) -> None:
    note = {**an_invoice(), "Type": "ACCRECCREDIT", "CreditNoteNumber": "AMZ-1-R1"}
    del note["InvoiceNumber"], note["DueDate"]
    (made,) = xero.api.create("CreditNotes", [note], "k1")
    (found,) = xero.api.find("CreditNotes", "CreditNoteNumber", ["AMZ-1-R1"])
    assert found["CreditNoteID"] == made.element["CreditNoteID"]
    assert len(xero.api.find("CreditNotes", "CreditNoteID", [found["CreditNoteID"]])) == 1


def test_write_with_a_lost_answer_is_executed_once(xero: LiveXero) -> None:
    xero.fault("drop", "/api.xro/2.0/Invoices")
    with pytest.raises(XeroOutcomeUnknown):
        xero.api.create("Invoices", [an_invoice()], "k1")
    assert len(xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])) == 1
    # The same key and body get the first answer again, and no second invoice is created
    assert xero.api.create("Invoices", [an_invoice()], "k1")[0].accepted
    assert len(xero.sandbox.books.invoices) == 1


def test_idempotency_key_of_another_request_leaves_the_outcome_unknown(xero: LiveXero) -> None:
    xero.api.create("Invoices", [an_invoice("AMZ-1")], "k1")
    with pytest.raises(XeroOutcomeUnknown, match="different request"):
        xero.api.create("Invoices", [an_invoice("AMZ-2")], "k1")


def test_outage_is_an_unknown_outcome_for_a_write_and_unavailable_for_a_read(xero: LiveXero) -> None:
    xero.fault("refuse", "/api.xro/2.0/Invoices", times=2, status=503, headers={"Retry-After": "3"})
    with pytest.raises(XeroOutcomeUnknown):
        xero.api.create("Invoices", [an_invoice()], "k1")
    with pytest.raises(XeroUnavailable):
        xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])
    assert [call.status for call in xero.sandbox.calls if call.path.endswith("/Invoices")] == [503, 503]


def test_minute_limit_states_when_it_ends(xero: LiveXero) -> None:
    xero.sandbox.limits.minute = 2
    xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])
    assert xero.api.limits().minute_remaining == 1
    xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])
    with pytest.raises(XeroRateLimited) as caught:
        xero.api.create("Invoices", [an_invoice()], "k1")
    assert caught.value.problem == "minute"
    assert timedelta() < caught.value.retry_after <= timedelta(seconds=60)
    assert xero.api.limits().minute_remaining == 0
    assert xero.sandbox.books.invoices == {}


def test_expired_token_is_renewed_within_the_call(xero: LiveXero, wall: ManualClock) -> None:
    wall.advance(31 * 60)
    assert xero.api.create("Invoices", [an_invoice()], "k1")[0].accepted
    assert xero.tokens.renewals == 1


def test_disconnected_organisation_raises_not_authorised(xero: LiveXero) -> None:
    xero.sandbox.identity.is_connected = False
    with pytest.raises(XeroNotAuthorised, match="AuthenticationUnsuccessful"):
        xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])


def test_client_credentials_are_granted_and_an_unknown_refresh_token_is_refused(xero: LiveXero) -> None:
    custom = xero.endpoint.client_credentials()
    assert (custom.refresh_token, custom.expires_at) == (None, NOON + timedelta(minutes=30))
    with pytest.raises(XeroGrantRefused, match="invalid_grant"):
        xero.endpoint.refresh("never-issued")
