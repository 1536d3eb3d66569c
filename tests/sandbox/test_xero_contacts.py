"""Contacts: which one a request means, what is refused, what an archived one blocks."""

from __future__ import annotations

from typing import Any

import pytest
from xero_driver import XeroClient, invoice

ARCHIVED = (
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API."
)


def names(client: XeroClient) -> list[str]:
    return [one["Name"] for one in client.books()["Contacts"]]


def test_an_invoice_creates_a_contact_by_name_and_finds_it_again_in_any_case(xero_client: XeroClient) -> None:
    first = xero_client.invoiced("A", Contact={"Name": "Amazon UK"})
    second = xero_client.invoiced("B", Contact={"Name": "  amazon   uk "})

    assert first["Contact"]["ContactID"] == second["Contact"]["ContactID"]
    assert len(names(xero_client)) == 1


def test_contact_id_comes_before_number_and_number_before_name(xero_client: XeroClient) -> None:
    one = xero_client.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).accepted()
    two = xero_client.put("Contacts", {"Name": "Two", "ContactNumber": "c-2"}).accepted()

    by_id = xero_client.invoiced("A", Contact={"ContactID": two["ContactID"].upper()})
    by_number = xero_client.invoiced("B", Contact={"ContactNumber": "C-1"})
    by_both = xero_client.invoiced("C", Contact={"ContactNumber": "c-1", "Name": "One"})

    assert by_id["Contact"]["ContactID"] == two["ContactID"]
    assert by_number["Contact"]["ContactID"] == by_both["Contact"]["ContactID"] == one["ContactID"]


def test_a_new_number_with_a_new_name_makes_one_contact(xero_client: XeroClient) -> None:
    made = xero_client.invoiced("A", Contact={"Name": "Buyer", "ContactNumber": "AMZN-1"})["Contact"]
    again = xero_client.invoiced("B", Contact={"ContactNumber": "AMZN-1"})["Contact"]
    assert (made["ContactNumber"], again["ContactID"]) == ("AMZN-1", made["ContactID"])


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ({"ContactNumber": "unknown"}, "The contact could not be found with the specified ContactNumber"),
        (
            {"ContactID": "deadbeef-0000-4000-8000-000000000000"},
            "The contact could not be found with the specified ContactID",
        ),
        ({"Name": "A <b>"}, "The contact name cannot contain the characters < or >."),
        ({"Name": "Müller", "EmailAddress": "müller@example.org"}, "Email address must be valid."),
        ({"Name": "A", "EmailAddress": "not an address"}, "Email address must be valid."),
        ({"Name": "A" * 256}, "The Name must not be longer than 255 characters."),
        ({"Name": "A", "ContactNumber": "9" * 51}, "The ContactNumber must not be longer than 50 characters."),
    ],
)
def test_a_bad_contact_fails_its_invoice(xero_client: XeroClient, contact: dict[str, Any], message: str) -> None:
    refused = xero_client.put("Invoices", invoice(Contact=contact))
    assert (refused.status, refused.messages) == (400, [message])
    assert names(xero_client) == []


def test_other_fields_sent_with_an_invoice_update_the_contact(xero_client: XeroClient) -> None:
    made = xero_client.put("Contacts", {"Name": "One", "EmailAddress": "a@example.org"}).accepted()
    contact_id = made["ContactID"]

    xero_client.wait(seconds=5)
    xero_client.invoiced("A", Contact={"ContactID": contact_id})
    assert xero_client.get(f"Contacts/{contact_id}").accepted()["EmailAddress"] == "a@example.org"

    address = {"AddressType": "STREET", "AddressLine1": "1 High Street", "City": "Leeds"}
    xero_client.invoiced("B", Contact={"ContactID": contact_id, "Name": "Renamed", "Addresses": [address]})
    now = xero_client.get(f"Contacts/{contact_id}").accepted()
    assert now["Name"] == "Renamed"
    assert next(one for one in now["Addresses"] if one["AddressType"] == "STREET")["City"] == "Leeds"
    assert now["UpdatedDateUTC"] != made["UpdatedDateUTC"]


def test_names_are_unique_among_active_contacts(xero_client: XeroClient) -> None:
    xero_client.put("Contacts", {"Name": "One"}).accepted()
    two = xero_client.put("Contacts", {"Name": "Two"}).accepted()
    taken = (
        "The contact name ONE is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )

    assert xero_client.put("Contacts", {"Name": "ONE"}).messages == [taken]
    assert xero_client.post("Contacts", {"ContactID": two["ContactID"], "Name": "ONE"}).messages == [taken]
    assert names(xero_client) == ["One", "Two"]


def test_a_renamed_contact_frees_its_name(xero_client: XeroClient) -> None:
    one = xero_client.put("Contacts", {"Name": "One"}).accepted()
    xero_client.post(f"Contacts/{one['ContactID']}", {"Name": "Other"}).accepted()
    assert xero_client.put("Contacts", {"Name": "One"}).accepted()["ContactID"] != one["ContactID"]


def test_contact_numbers_are_unique(xero_client: XeroClient) -> None:
    xero_client.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).accepted()
    refused = xero_client.put("Contacts", {"Name": "Two", "ContactNumber": "C-1"})
    assert refused.messages == ["Another contact has this contact number. Please enter a different contact number."]


@pytest.mark.parametrize("key", ["ContactID", "ContactNumber", "Name"])
def test_post_updates_what_it_can_identify(xero_client: XeroClient, key: str) -> None:
    made = xero_client.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).accepted()
    updated = xero_client.post("Contacts", {key: made[key], "EmailAddress": "new@example.org"}).accepted()
    assert (updated["ContactID"], updated["EmailAddress"]) == (made["ContactID"], "new@example.org")


def test_post_creates_what_it_cannot_find_and_needs_something_to_identify_it(xero_client: XeroClient) -> None:
    assert xero_client.post("Contacts", {"Name": "New", "ContactNumber": "c-9"}).accepted()["ContactNumber"] == "c-9"
    nothing = xero_client.post("Contacts", {"EmailAddress": "a@example.org"})
    assert nothing.messages[0].startswith("The Contact must contain at least 1 of the following elements")


@pytest.mark.parametrize("named_by", ["ContactID", "ContactNumber", "Name"])
def test_an_archived_contact_blocks_documents_and_changes(xero_client: XeroClient, named_by: str) -> None:
    made = xero_client.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).accepted()
    assert xero_client.control("POST", "archive", {"Contact": made[named_by]}).status == 200

    reference = {named_by: made[named_by]}
    assert xero_client.put("Invoices", invoice(Contact=reference)).messages == [ARCHIVED]
    assert xero_client.post("Contacts", {**reference, "EmailAddress": "a@example.org"}).messages == [ARCHIVED]
    assert xero_client.put("Contacts", {"Name": "one"}).messages == [ARCHIVED]


def test_archived_contacts_are_listed_only_on_request(xero_client: XeroClient) -> None:
    xero_client.put("Contacts", [{"Name": "One", "ContactNumber": "c-1"}, {"Name": "Two"}])
    xero_client.control("POST", "archive", {"Contact": "One"})

    def listed(**query: str) -> list[str]:
        return [one["Name"] for one in xero_client.get("Contacts", **query).body["Contacts"]]

    assert listed() == ["Two"]
    assert listed(includeArchived="true") == ["One", "Two"]
    assert xero_client.get("Contacts/c-1").accepted()["ContactStatus"] == "ARCHIVED"
    assert xero_client.control("POST", "archive", {"Contact": "nobody"}).status == 404


def test_a_contact_number_with_a_slash_is_found_by_its_encoded_path(xero_client: XeroClient) -> None:
    xero_client.put("Contacts", {"Name": "One", "ContactNumber": "AMZ/1"}).accepted()
    assert xero_client.get("Contacts/AMZ%2F1").accepted()["Name"] == "One"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"where": 'Name=="ACME LTD"'}, ["Acme Ltd"]),
        ({"where": 'ContactNumber=="b-2"'}, ["Beta"]),
        ({"where": 'EmailAddress!=null && EmailAddress!=""'}, ["Beta"]),
        ({"where": 'Name=="gamma" OR Name=="Beta"'}, ["Gamma", "Beta"]),
        ({"where": 'ContactNumber=="nope" OR ContactNumber=="A-1"'}, ["Acme Ltd"]),
        ({"ContactNumber": "a-1"}, ["Acme Ltd"]),
        ({"searchTerm": "eta"}, ["Beta"]),
        ({"searchTerm": "a-1"}, ["Acme Ltd"]),
        ({"order": "Name DESC"}, ["Gamma", "Beta", "Acme Ltd"]),
        ({"page": 2, "pageSize": 2}, ["Gamma"]),
    ],
)
def test_lists(xero_client: XeroClient, query: dict[str, Any], expected: list[str]) -> None:
    xero_client.put(
        "Contacts",
        [
            {"Name": "Acme Ltd", "ContactNumber": "a-1"},
            {"Name": "Beta", "ContactNumber": "b-2", "EmailAddress": "b@example.org"},
            {"Name": "Gamma"},
        ],
    )
    assert [one["Name"] for one in xero_client.get("Contacts", **query).body["Contacts"]] == expected


def test_lists_by_id_keep_to_the_ids(xero_client: XeroClient) -> None:
    made = xero_client.put("Contacts", [{"Name": "A"}, {"Name": "B"}, {"Name": "C"}]).body["Contacts"]
    wanted = f"{made[2]['ContactID']},{made[0]['ContactID']},deadbeef-0000-4000-8000-000000000000"
    assert {one["Name"] for one in xero_client.get("Contacts", IDs=wanted).body["Contacts"]} == {"A", "C"}
