"""Both adapters against the sandbox Amazon and Xero on real sockets; the two sides were written apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from live_sandboxes import LiveXero, listening

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.adapters.amazon.orders import AmazonSellerApi
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
    Json,
)
from amazon_to_xero.ports.xero import (
    XeroGrantRefused,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroUnavailable,
)
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.wire import Fault, SandboxClock

SELLER = Path(__file__).parents[3] / "infra/sandbox/seller"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUEUE = "arn:aws:sqs:eu-west-1:000000000000:orders"
BUYER = "Margaret Thistlewood"


# --- Xero -------------------------------------------------------------------------------------------------------------


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


def test_the_sandbox_organisation_is_read(xero: LiveXero) -> None:
    (connected,) = xero.endpoint.connections(xero.tokens.current())
    own = xero.api.organisation()
    assert connected["tenantId"] == own.organisation_id == xero.sandbox.tenant_id
    assert (own.time_zone, own.base_currency, own.read_at) == ("Europe/London", "GBP", NOW)
    rounding = own.rounding_account()
    assert rounding is not None
    assert rounding.code == "498"
    assert own.accounts["CLR-GBP"].takes_payments
    assert own.tax_rates["OUTPUT2"].rate == Decimal(20)
    assert "EUR" in own.currencies


def test_an_invoice_is_booked_found_paid_and_the_payment_taken_back(xero: LiveXero) -> None:
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


def test_a_batch_has_an_outcome_for_each_invoice(xero: LiveXero) -> None:
    xero.api.create("Invoices", [an_invoice("AMZ-1")], "k1")
    wrong = an_invoice("AMZ-3", LineItems=[{"Description": "?", "UnitAmount": Decimal(1), "AccountCode": "999"}])
    outcomes = xero.api.create("Invoices", [an_invoice("AMZ-2"), an_invoice("AMZ-1"), wrong], "k2")
    assert [outcome.accepted for outcome in outcomes] == [True, False, False]
    assert outcomes[1].errors == ("Invoice # must be unique.",)
    assert "'999' is not a valid code" in outcomes[2].errors[0]
    assert len(xero.sandbox.books.invoices) == 2


def test_contacts_are_found_by_number_and_name_and_named_in_no_error(xero: LiveXero) -> None:
    (made,) = xero.api.create("Contacts", [{"Name": BUYER, "ContactNumber": "AMZ-B-1"}], "k1")
    xero.api.create("Contacts", [{"Name": "Smith, Jones & Co", "ContactNumber": "AMZ-B-2"}], "k2")
    assert [c["Name"] for c in xero.api.find("Contacts", "ContactNumber", ["AMZ-B-1", "AMZ-B-9"])] == [BUYER]
    assert len(xero.api.find("Contacts", "Name", ["smith, jones & co", BUYER])) == 2
    assert len(xero.api.find("Contacts", "ContactID", [made.element["ContactID"]])) == 1
    (twice,) = xero.api.create("Contacts", [{"Name": BUYER.upper(), "ContactNumber": "AMZ-B-3"}], "k3")
    assert not twice.accepted
    assert "already assigned to another contact" in twice.errors[0]
    assert BUYER.lower() not in str(twice.errors).lower()


def test_credit_notes_are_found_by_number(xero: LiveXero) -> None:
    note = {**an_invoice(), "Type": "ACCRECCREDIT", "CreditNoteNumber": "AMZ-1-R1"}
    del note["InvoiceNumber"], note["DueDate"]
    (made,) = xero.api.create("CreditNotes", [note], "k1")
    (found,) = xero.api.find("CreditNotes", "CreditNoteNumber", ["AMZ-1-R1"])
    assert found["CreditNoteID"] == made.element["CreditNoteID"]
    assert len(xero.api.find("CreditNotes", "CreditNoteID", [found["CreditNoteID"]])) == 1


def test_a_lost_answer_is_unknown_and_the_invoice_is_found_once(xero: LiveXero) -> None:
    xero.fault("drop", "/api.xro/2.0/Invoices")
    with pytest.raises(XeroOutcomeUnknown):
        xero.api.create("Invoices", [an_invoice()], "k1")
    assert len(xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])) == 1
    # the same key and body are answered as the first time, nothing is booked again
    assert xero.api.create("Invoices", [an_invoice()], "k1")[0].accepted
    assert len(xero.sandbox.books.invoices) == 1


def test_a_key_of_another_request_leaves_the_outcome_unknown(xero: LiveXero) -> None:
    xero.api.create("Invoices", [an_invoice("AMZ-1")], "k1")
    with pytest.raises(XeroOutcomeUnknown, match="different request"):
        xero.api.create("Invoices", [an_invoice("AMZ-2")], "k1")


def test_an_outage_is_unknown_for_a_write_and_unavailable_for_a_read(xero: LiveXero) -> None:
    xero.fault("refuse", "/api.xro/2.0/Invoices", times=2, status=503, headers={"Retry-After": "3"})
    with pytest.raises(XeroOutcomeUnknown):
        xero.api.create("Invoices", [an_invoice()], "k1")
    with pytest.raises(XeroUnavailable):
        xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])
    assert [call.status for call in xero.sandbox.calls if call.path.endswith("/Invoices")] == [503, 503]


def test_the_minute_limit_is_told_with_its_end(xero: LiveXero) -> None:
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


def test_an_expired_token_is_renewed_within_the_call(xero: LiveXero) -> None:
    xero.sandbox.clock.advance(31 * 60)
    assert xero.api.create("Invoices", [an_invoice()], "k1")[0].accepted
    assert xero.tokens.renewals == 1


def test_a_disconnected_organisation_needs_a_person(xero: LiveXero) -> None:
    xero.sandbox.identity.is_connected = False
    with pytest.raises(XeroNotAuthorised, match="AuthenticationUnsuccessful"):
        xero.api.find("Invoices", "InvoiceNumber", ["AMZ-1"])


def test_grants_are_given_and_refused(xero: LiveXero) -> None:
    custom = xero.endpoint.client_credentials()
    assert (custom.refresh_token, custom.expires_at) == (None, NOW + timedelta(minutes=30))
    with pytest.raises(XeroGrantRefused, match="invalid_grant"):
        xero.endpoint.refresh("never-issued")


# --- Amazon -----------------------------------------------------------------------------------------------------------


class LiveAmazon:
    def __init__(self, sandbox: AmazonSandbox, url: str) -> None:
        self.sandbox = sandbox
        known = sandbox.login.credentials
        credentials = AmazonCredentials(known.client_id, known.client_secret, known.refresh_token)
        at: dict[str, Any] = {"api_url": url, "lwa_url": f"{url}/auth/o2/token"}
        self.api = AmazonSellerApi(credentials, "eu", **at)
        self.notifications = AmazonNotifications(credentials, "eu", **at)

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.faults.append(Fault(kind, path="/orders/", **more))


@pytest.fixture
def amazon() -> Iterator[LiveAmazon]:
    sandbox = AmazonSandbox(
        SandboxClock(lambda: NOW), Seller.load(SELLER), lambda arn, body: None, credentials=Credentials()
    )
    sandbox.play()
    with listening(sandbox) as url:
        yield LiveAmazon(sandbox, url)


def test_every_order_of_the_seller_is_read(amazon: LiveAmazon) -> None:
    page = amazon.api.search_orders(updated_after=NOW - timedelta(days=90))
    assert len(page.orders) == 32
    assert page.next_token is None
    assert NOW - timedelta(minutes=5) <= page.updated_before < NOW
    marketplaces = {order["salesChannel"].get("marketplaceId") for order in page.orders}
    assert len(marketplaces) > 1
    listed = page.orders[0]
    assert amazon.api.get_order(listed["orderId"]) == listed
    assert "buyer" not in listed


def test_amazons_refusals_are_told_apart(amazon: LiveAmazon) -> None:
    with pytest.raises(AmazonNotFound):
        amazon.api.get_order("204-9999999-9999999")
    amazon.fault("refuse", status=503, body="<html>Service Unavailable</html>")
    with pytest.raises(AmazonUnavailable):
        amazon.api.search_orders(updated_after=NOW - timedelta(days=1))
    amazon.fault("drop")
    with pytest.raises(AmazonUnavailable):
        amazon.api.search_orders(updated_after=NOW - timedelta(days=1))
    with pytest.raises(AmazonThrottled):
        for _ in range(21):
            amazon.api.search_orders(updated_after=NOW - timedelta(days=1))


def test_a_revoked_token_is_replaced_and_a_revoked_authorisation_is_told(amazon: LiveAmazon) -> None:
    some_order = amazon.api.search_orders(updated_after=NOW - timedelta(days=90)).orders[0]["orderId"]
    amazon.sandbox.login.revoke_access_tokens()
    assert amazon.api.get_order(some_order)["orderId"] == some_order
    amazon.sandbox.login.revoke_access_tokens()
    amazon.sandbox.login.revoke_authorisation()
    with pytest.raises(AmazonNotAuthorised):
        amazon.api.get_order(some_order)


def test_notifications_are_set_up_once(amazon: LiveAmazon) -> None:
    assert amazon.notifications.get_subscription("ORDER_CHANGE") is None
    destination = amazon.notifications.create_destination("orders", queue_arn=QUEUE)
    with pytest.raises(AmazonError) as caught:
        amazon.notifications.create_destination("orders", queue_arn=QUEUE)
    assert caught.value.status == 409
    assert [each["destinationId"] for each in amazon.notifications.get_destinations()] == [destination]
    subscription = amazon.notifications.create_subscription("ORDER_CHANGE", destination)
    known = amazon.notifications.get_subscription("ORDER_CHANGE")
    assert known is not None
    assert (known["subscriptionId"], known["destinationId"]) == (subscription, destination)
