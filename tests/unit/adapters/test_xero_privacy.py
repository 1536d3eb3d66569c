"""Neither buyers nor access tokens appear in errors, in Xero's messages or in logs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope, customer_of
from amazon_to_xero.ports.xero import (
    XeroError,
)
from amazon_to_xero.runtime.privacy import BuyerPseudonyms, silence_libraries
from fakes.orders import UK, item, order
from unit.adapters.fault_server import FaultServer, Reply, all_text_of
from unit.adapters.xero_replies import (
    ACCESS_TOKEN,
    BUYER_NAME,
    CONTACTS,
    EXPIRED,
    INVOICE,
    INVOICES,
    answer,
    create,
    find,
)


@pytest.mark.parametrize(
    "reply",
    [
        EXPIRED,
        Reply(403, {"Detail": f"For {BUYER_NAME}"}),
        Reply(500, f"<html>{BUYER_NAME}</html>"),
        Reply(400, f"{BUYER_NAME} is no JSON"),
        Reply(200, BUYER_NAME),
        Reply(200, BUYER_NAME, fault="cut"),
        Reply(429, BUYER_NAME),
        Reply(fault="drop"),
        Reply(
            400,
            {
                "Message": f"The contact name {BUYER_NAME} is already assigned to another contact.",
                "Elements": [
                    {"ValidationErrors": [{"Message": f"Email address m.t@example.test of {BUYER_NAME} is wrong."}]}
                ],
            },
        ),
    ],
)
@pytest.mark.parametrize("call", [create, find])
def test_errors_contain_neither_buyers_nor_tokens(
    accounting: XeroAccounting, server: FaultServer, reply: Reply, call: Any
) -> None:
    server.on(INVOICES, reply)
    with pytest.raises(XeroError) as caught:
        if call is create:
            create(accounting, {**INVOICE, "Contact": {"Name": BUYER_NAME}}, {**INVOICE, "InvoiceNumber": "AMZ-2"})
        else:
            find(accounting)
    text = all_text_of(caught.value)
    forbidden = [ACCESS_TOKEN, "m.t@example.test", "urllib3", "key-1"]
    if call is create or "Elements" not in str(reply.body):
        forbidden.append(BUYER_NAME)
    for secret in forbidden:
        assert secret not in text


def test_silenced_libraries_log_nothing_even_at_debug_level(
    accounting: XeroAccounting, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    silence_libraries()
    caplog.set_level(logging.DEBUG)
    server.on(CONTACTS, answer(collection="Contacts"))
    accounting.find("Contacts", "Name", [BUYER_NAME])
    assert caplog.text == ""


CONTACT = {
    "Name": BUYER_NAME,
    "FirstName": "Margaret",
    "LastName": "Thistlewood",
    "EmailAddress": "m.t@example.test",
    "Addresses": [{"AddressLine1": "3 Lark Rise", "PostalCode": "BS3 4XY"}, {"City": "東京", "Region": "NY"}],
    "Phones": [{"PhoneNumber": "0117 496 0000"}],
}


@pytest.mark.parametrize(
    ("xeros", "passed_on"),
    [
        (
            f"The contact name {BUYER_NAME} is already assigned to another contact. The contact name must be unique "
            "across all active contacts.",
            "The contact name … is already assigned to another contact. The contact name must be unique across all "
            "active contacts.",
        ),
        # The existing contact's name is spelt otherwise than the one that was sent
        (
            "The contact name M. THISTLEWOOD is already assigned to another",
            "The contact name … is already assigned to another",
        ),
        ("3 Lark Rise, BS3 4XY: address too long", "…, …: address too long"),
        ("Phone 0117 496 0000 of Margaret is wrong", "Phone … of … is wrong"),
        ("Margaret Thistlewood and Margaret are one", "… and … are one"),
        ("someone@else.test is no e-mail address", "… is no e-mail address"),
        ("City '東京' of 'NY' is unknown", "City '…' of 'NY' is unknown"),
        (
            "Account code '200' is not a valid code for this document.",
            "Account code '200' is not a valid code for this document.",
        ),
    ],
)
def test_xeros_messages_are_passed_on_without_buyer_data(
    accounting: XeroAccounting, server: FaultServer, xeros: str, passed_on: str
) -> None:
    refused = {**CONTACT, "HasValidationErrors": True, "ValidationErrors": [{"Message": xeros}]}
    server.on(CONTACTS, answer(refused, collection="Contacts"))
    (outcome,) = accounting.create("Contacts", [CONTACT], "key-1")
    assert outcome.errors == (passed_on,)


@pytest.mark.parametrize(
    ("xeros", "passed_on"),
    [
        ("'Amazon.co.uk 204-1 · PO 4711-Miller, VAT GB123456789' is too long", "'Amazon.co.uk 204-1 · …' is too long"),
        ("Reference contains 'PO 4711-Miller'", "Reference contains '…'"),
        ("4711-Miller is no number, GB123456789 neither", "… is no number, … neither"),
        ("Amazon.co.uk 204-1 exists already", "Amazon.co.uk 204-1 exists already"),
    ],
)
def test_xeros_messages_repeat_no_purchase_order_or_vat_number_of_a_reference(
    accounting: XeroAccounting, server: FaultServer, xeros: str, passed_on: str
) -> None:
    sent = {**INVOICE, "Reference": "Amazon.co.uk 204-1 · PO 4711-Miller, VAT GB123456789"}
    refused = {**sent, "HasValidationErrors": True, "ValidationErrors": [{"Message": xeros}]}
    server.on(INVOICES, answer(refused))

    (outcome,) = create(accounting, sent)

    assert outcome.errors[0].startswith(passed_on)
    assert not any(part in outcome.errors[0] for part in ("4711", "GB123456789"))


def test_no_field_of_a_buyers_contact_appears_in_an_error(accounting: XeroAccounting, server: FaultServer) -> None:
    # Given every value that a buyer's contact can carry, in one order
    raw = order(item("1.00"), grand_total="1.00")
    raw["buyer"] = {"buyerName": "Name Canary", "buyerEmail": "a@b.example"}
    raw["recipient"]["deliveryAddress"] |= {
        field: f"{field} canary"
        for field in ("name", "addressLine1", "addressLine2", "addressLine3", "city", "stateOrRegion", "postalCode")
    }
    raw["recipient"]["deliveryAddress"]["phone"] = "0117 canary"
    raw["tax"] = {"taxRegistrations": [{"entityType": "BUYER", "taxRegistrationNumber": "GB canary"}]}
    details = customer_of(raw, UK, ContactPolicy(ContactScope.BUYERS), BuyerPseudonyms("salt").pseudonym).details
    assert details is not None
    assert str(details).lower().count("canary") == 10

    # When Xero repeats all of them
    refused = {"HasValidationErrors": True, "ValidationErrors": [{"Message": f"Cannot read {details}"}]}
    server.on(CONTACTS, answer(refused, collection="Contacts"))
    (outcome,) = accounting.create("Contacts", [dict(details)], "key-1")
    server.on(CONTACTS, Reply(400, {"Message": f"Cannot read {details}"}))
    with pytest.raises(XeroError) as caught:
        accounting.create("Contacts", [dict(details)], "key-2")

    assert "Cannot read" in outcome.errors[0]
    assert "canary" not in str(outcome.errors).lower()
    assert "canary" not in all_text_of(caught.value).lower()
