"""Who an order is invoiced to, what Xero receives of a buyer, and how little of it is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.contact import (
    ContactPolicy,
    ContactScope,
    Customer,
    customer_of,
    distinct_name,
    marketplace_customer,
)
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.runtime.privacy import BuyerPseudonyms
from fakes.orders import UK, item, order
from fakes.state import NOON

MARKETPLACE = ContactPolicy()
BUYERS = ContactPolicy(ContactScope.BUYERS)
BUSINESS_BUYERS = ContactPolicy(ContactScope.BUSINESS_BUYERS)
ADDRESS = {
    "name": "Margaret Thistlewood",
    "addressLine1": "3 Lark Rise",
    "addressLine2": "Flat 2",
    "city": "Bristol",
    "stateOrRegion": "Avon",
    "postalCode": "BS3 4XY",
    "countryCode": "GB",
    "phone": "0117 496 0000",
}
BUYER = {"buyerName": "M. Thistlewood", "buyerEmail": "Abc123@marketplace.amazon.co.uk"}


def an_order(buyer: Any = BUYER, address: Any = ADDRESS, **more: Any) -> dict[str, Any]:
    made = order(item("1.00"), grand_total="1.00", **more)
    return {**made, "buyer": buyer, "recipient": {"deliveryAddress": address}}


def customer(raw: dict[str, Any], policy: ContactPolicy = BUYERS, salt: str = "one salt") -> Customer:
    return customer_of(raw, UK, policy, BuyerPseudonyms(salt).pseudonym)


def details(raw: dict[str, Any], policy: ContactPolicy = BUYERS) -> dict[str, Any]:
    found = customer(raw, policy).details
    assert found is not None
    return dict(found)


# --- the contact policy -----------------------------------------------------------------------------------------------


def test_orders_are_invoiced_to_the_customer_of_their_marketplace_by_default() -> None:
    business = an_order(programs=["AMAZON_BUSINESS"])

    assert customer(business, MARKETPLACE) == marketplace_customer(UK, MARKETPLACE)
    assert customer(business, MARKETPLACE).desired_document(NOON, "026-1") == DesiredDocument(
        DocumentKind.CONTACT,
        f"AMAZON-{UK}",
        {"Name": "Amazon.co.uk customers", "ContactNumber": f"AMAZON-{UK}"},
        f"settings#AMAZON-{UK}",
    )


def test_customer_of_a_marketplace_has_the_name_of_the_settings() -> None:
    named = ContactPolicy(names={UK: "Web shop"})

    assert customer(an_order(), named).desired_document(NOON, "026-1").body["Name"] == "Web shop"


@pytest.mark.parametrize(
    ("name", "sent"),
    [(" Web \t shop\x00", "Web shop"), ("W" * 254 + "𝔸", "W" * 254), ("\x00", "Amazon.co.uk customers")],
)
def test_name_in_the_settings_is_cleaned_like_the_names_of_buyers(name: str, sent: str) -> None:
    assert marketplace_customer(UK, ContactPolicy(names={UK: name})).name == sent


def test_business_buyers_policy_gives_only_business_orders_their_own_contact() -> None:
    assert customer(an_order(programs=["PRIME", "AMAZON_BUSINESS"]), BUSINESS_BUYERS).details is not None
    for others in (an_order(programs=["PRIME"]), an_order(), an_order(programs=None)):
        assert customer(others, BUSINESS_BUYERS) == marketplace_customer(UK, BUSINESS_BUYERS)


@pytest.mark.parametrize(
    "raw",
    [
        an_order(buyer=None, address=None),
        an_order(buyer={}, address={"countryCode": "GB", "city": "Bristol"}),
        an_order(buyer={"buyerName": "  "}, address={**ADDRESS, "name": "<>"}),
        an_order(buyer={"buyerEmail": "abc@marketplace.amazon.co.uk"}, address=None),  # no name
        an_order(buyer={"buyerName": "John Smith"}, address={"countryCode": "GB"}),  # one of many
    ],
)
def test_unknown_buyer_is_invoiced_to_the_customer_of_the_marketplace(raw: dict[str, Any]) -> None:
    found = customer(raw)

    assert found == replace(marketplace_customer(UK, BUYERS), is_buyer_unknown=True)
    assert not customer(an_order()).is_buyer_unknown


# --- what Xero receives -----------------------------------------------------------------------------------------------


def test_buyer_contact_has_name_address_phone_and_tax_number_but_not_amazons_relay_address() -> None:
    registrations = [
        {"entityType": "MERCHANT", "taxRegistrationNumber": "GB111"},
        {"entityType": "BUYER", "taxRegistrationType": "VAT", "taxRegistrationNumber": "GB 999 9999 73"},
    ]
    raw = an_order(tax={"taxRegistrations": registrations})

    assert details(raw) == {
        "ContactNumber": customer(raw).number,
        "Name": "M. Thistlewood",
        "Addresses": [
            {
                "AddressType": "STREET",
                "AddressLine1": "3 Lark Rise",
                "AddressLine2": "Flat 2",
                "City": "Bristol",
                "Region": "Avon",
                "PostalCode": "BS3 4XY",
                "Country": "GB",
                "AttentionTo": "Margaret Thistlewood",
            }
        ],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "0117 496 0000"}],
        "TaxNumber": "GB 999 9999 73",
    }
    assert "marketplace.amazon" not in json.dumps(details(raw)).lower()


def test_details_that_amazon_does_not_give_are_not_sent() -> None:
    made = details(an_order(address={"name": "Margaret Thistlewood", "postalCode": "BS3 4XY"}))

    assert made["Addresses"] == [
        {"AddressType": "STREET", "PostalCode": "BS3 4XY", "AttentionTo": "Margaret Thistlewood"}
    ]
    assert made.keys() == {"ContactNumber", "Name", "Addresses"}
    assert details(an_order(address=None)).keys() == {"ContactNumber", "Name"}


@pytest.mark.parametrize(
    ("buyer", "programs", "name"),
    [
        ({**BUYER, "buyerCompanyName": "Thistle & Co"}, ["AMAZON_BUSINESS"], "Thistle & Co"),
        ({**BUYER, "buyerCompanyName": "Thistle & Co"}, [], "M. Thistlewood"),
        (BUYER, ["AMAZON_BUSINESS"], "M. Thistlewood"),
        ({"buyerEmail": "a@b.example"}, [], "Margaret Thistlewood"),
    ],
)
def test_contact_name_is_the_company_for_business_else_the_buyer_else_the_recipient(
    buyer: dict[str, str], programs: list[str], name: str
) -> None:
    assert details(an_order(buyer=buyer, programs=programs))["Name"] == name


@pytest.mark.parametrize(
    ("given_name", "sent"),
    [
        ("  Ann \t  Lee\n", "Ann Lee"),
        ("<b>Ann</b> Lee", "b Ann /b Lee"),
        ("Ann\x00\u200b Lee\u202e", "Ann Lee"),
        ("Ann\ud800 Lee", "Ann Lee"),
        ("Łódź & Søn „Ä“ 王伟", "Łódź & Søn „Ä“ 王伟"),
        ("A" * 300, "A" * 255),
        ("A" * 254 + " B", "A" * 254),
        ("A" * 254 + "𝔸", "A" * 254),  # Xero counts it as two
    ],
)
def test_names_are_cleaned_and_cut_to_what_xero_accepts(given_name: str, sent: str) -> None:
    assert details(an_order(buyer={**BUYER, "buyerName": given_name}))["Name"] == sent


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_unexpected_buyer_data_neither_raises_nor_exceeds_xeros_limits(odd: Any) -> None:
    address = dict.fromkeys((*ADDRESS, "companyName"), odd)
    for raw in (
        an_order(buyer=odd, address=odd, programs=odd, tax=odd),
        an_order(buyer={"buyerName": odd, "buyerEmail": odd}, address=address, tax={"taxRegistrations": [odd]}),
        an_order(address=dict.fromkeys(ADDRESS, str(odd) * 600), tax={"taxRegistrations": odd}),
    ):
        found = customer(raw)
        sent = json.dumps(found.details)
        assert len(found.number) <= 50
        if found.details:
            place = found.details.get("Addresses", [{}])[0]
            assert len(found.details["Name"]) <= 255
            assert len(place.get("AddressLine1", "")) <= 500
            assert len(place.get("PostalCode", "")) <= 50
            assert not {"<", ">"} & set(sent)


# --- what is stored ---------------------------------------------------------------------------------------------------


def test_stored_buyer_contact_contains_no_buyer_data() -> None:
    found = customer(an_order())

    stored = found.desired_document(NOON, "026-1")

    assert stored == DesiredDocument(
        DocumentKind.CONTACT,
        found.number,
        {"ContactNumber": found.number, "BuyerDigest": found.digest},
        "order#026-1",
        source_version=NOON,
        order_id="026-1",
    )
    assert stored.buyer_digest == found.digest
    assert found.number.startswith("AMAZON-B-")
    assert len(found.number) == 29
    for secret in ("Thistlewood", "Lark", "BS3", "0117", "Abc123"):
        assert secret.lower() not in repr(found).lower()
        assert secret.lower() not in repr(stored).lower()


def test_buyer_keeps_the_contact_number_when_the_address_changes() -> None:
    before, after = customer(an_order()), customer(an_order(address={**ADDRESS, "addressLine1": "9 Elm Row"}))

    assert before.number == after.number
    assert before.digest != after.digest
    assert before.desired_document(NOON, "026-1").digest != after.desired_document(NOON, "026-1").digest


def test_spelling_does_not_make_another_buyer() -> None:
    without_email = {"buyerName": "Ann  LEE"}
    capitals = an_order(buyer={"buyerName": "ANN Lee "}, address={**ADDRESS, "postalCode": " bs3  4xy"})
    other_email_spelling = an_order(buyer={**BUYER, "buyerEmail": " ABC123@marketplace.amazon.co.uk"})

    assert customer(an_order(buyer=without_email)).number == customer(capitals).number
    assert customer(an_order()).number == customer(other_email_spelling).number


@pytest.mark.parametrize(
    "other",
    [
        an_order(buyer={"buyerName": "M. Thistlewood"}, address={**ADDRESS, "postalCode": "BS3 4XZ"}),
        an_order(buyer={"buyerName": "M. Thistlewood"}, address={**ADDRESS, "countryCode": "IE"}),
        an_order(buyer={"buyerName": "N. Thistlewood"}),
        an_order(buyer={**BUYER, "buyerEmail": "other@marketplace.amazon.co.uk"}),
    ],
)
def test_namesake_at_another_address_is_another_buyer(other: dict[str, Any]) -> None:
    assert customer(other).number not in {
        customer(an_order(buyer={"buyerName": "M. Thistlewood"})).number,
        customer(an_order()).number,
    }


def test_namesakes_without_postal_codes_differ_by_street_and_without_address_by_tax_number() -> None:
    def number_of(address: dict[str, Any], tax_number: str = "") -> str:
        registrations = [{"entityType": "BUYER", "taxRegistrationNumber": tax_number}]
        raw = an_order(buyer={"buyerName": "Ann Lee"}, address=address, tax={"taxRegistrations": registrations})
        return customer(raw).number

    numbers = [
        number_of({"countryCode": "AE", "addressLine1": "1 Palm St", "city": "Dubai"}),
        number_of({"countryCode": "AE", "addressLine1": "2 Palm St", "city": "Dubai"}),
        number_of({}, "GB1"),
        number_of({}, "GB2"),
    ]
    assert len(set(numbers)) == 4
    assert all(number.startswith("AMAZON-B-") for number in numbers)


def test_connections_with_different_salts_store_different_hashes_of_the_same_buyer() -> None:
    one, two = customer(an_order(), salt="one salt"), customer(an_order(), salt="another salt")

    assert one.number != two.number
    assert one.digest != two.digest


def test_namesake_suffix_fits_into_xeros_limit() -> None:
    assert distinct_name("Ann Lee", "AMAZON-B-0123456789abcdef") == "Ann Lee (abcdef)"
    assert distinct_name("A" * 255, "AMAZON-B-0123456789abcdef") == "A" * 246 + " (abcdef)"
    assert distinct_name("A" * 245 + " Lee", "AMAZON-B-0123456789abcdef") == "A" * 245 + " (abcdef)"
