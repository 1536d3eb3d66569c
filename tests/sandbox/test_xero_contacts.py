"""Contacts: how a request identifies one, which are rejected, and the effects of archiving."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing.xero import XeroClient, invoice

ARCHIVED = (
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API."
)
ARCHIVED_FOR_DOCUMENTS = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)


def names(client: XeroClient) -> list[str]:
    return [one["Name"] for one in client.books()["Contacts"]]


def test_invoice_creates_a_contact_and_matches_it_by_name_in_any_case(xero: XeroClient) -> None:
    first = xero.create_invoice("A", Contact={"Name": "Amazon UK"})
    second = xero.create_invoice("B", Contact={"Name": "  amazon   uk "})

    assert first["Contact"]["ContactID"] == second["Contact"]["ContactID"]
    assert len(names(xero)) == 1


def test_contact_is_matched_by_id_then_number_then_name(xero: XeroClient) -> None:
    one = xero.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).record()
    two = xero.put("Contacts", {"Name": "Two", "ContactNumber": "c-2"}).record()

    by_id = xero.create_invoice("A", Contact={"ContactID": two["ContactID"].upper()})
    by_number = xero.create_invoice("B", Contact={"ContactNumber": "C-1"})
    by_both = xero.create_invoice("C", Contact={"ContactNumber": "c-1", "Name": "One"})

    assert by_id["Contact"]["ContactID"] == two["ContactID"]
    assert by_number["Contact"]["ContactID"] == by_both["Contact"]["ContactID"] == one["ContactID"]


def test_new_number_with_a_new_name_creates_one_contact(xero: XeroClient) -> None:
    first = xero.create_invoice("A", Contact={"Name": "Buyer", "ContactNumber": "AMZN-1"})["Contact"]
    second = xero.create_invoice("B", Contact={"ContactNumber": "AMZN-1"})["Contact"]
    assert (first["ContactNumber"], second["ContactID"]) == ("AMZN-1", first["ContactID"])


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
def test_invoice_with_an_invalid_contact_is_rejected(xero: XeroClient, contact: dict[str, Any], message: str) -> None:
    rejected = xero.put("Invoices", invoice(Contact=contact))
    assert (rejected.status, rejected.messages) == (400, [message])
    assert names(xero) == []


def test_contact_fields_sent_with_an_invoice_update_the_contact(xero: XeroClient) -> None:
    created = xero.put("Contacts", {"Name": "One", "EmailAddress": "a@example.org"}).record()
    contact_id = created["ContactID"]

    xero.wait(seconds=5)
    xero.create_invoice("A", Contact={"ContactID": contact_id})
    assert xero.get(f"Contacts/{contact_id}").record()["EmailAddress"] == "a@example.org"

    address = {"AddressType": "STREET", "AddressLine1": "1 High Street", "City": "Leeds"}
    xero.create_invoice("B", Contact={"ContactID": contact_id, "Name": "Renamed", "Addresses": [address]})
    updated = xero.get(f"Contacts/{contact_id}").record()
    assert updated["Name"] == "Renamed"
    assert next(one for one in updated["Addresses"] if one["AddressType"] == "STREET")["City"] == "Leeds"
    assert updated["UpdatedDateUTC"] != created["UpdatedDateUTC"]


def test_names_of_active_contacts_are_unique(xero: XeroClient) -> None:
    xero.put("Contacts", {"Name": "One"}).record()
    two = xero.put("Contacts", {"Name": "Two"}).record()
    name_taken = (
        "The contact name ONE is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )

    assert xero.put("Contacts", {"Name": "ONE"}).messages == [name_taken]
    assert xero.post("Contacts", {"ContactID": two["ContactID"], "Name": "ONE"}).messages == [name_taken]
    assert names(xero) == ["One", "Two"]


def test_renaming_a_contact_releases_its_name(xero: XeroClient) -> None:
    one = xero.put("Contacts", {"Name": "One"}).record()
    xero.post(f"Contacts/{one['ContactID']}", {"Name": "Other"}).record()
    assert xero.put("Contacts", {"Name": "One"}).record()["ContactID"] != one["ContactID"]


def test_contact_numbers_are_unique(xero: XeroClient) -> None:
    xero.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).record()
    rejected = xero.put("Contacts", {"Name": "Two", "ContactNumber": "C-1"})
    assert rejected.messages == ["Another contact has this contact number. Please enter a different contact number."]


@pytest.mark.parametrize("key", ["ContactID", "ContactNumber", "Name"])
def test_post_updates_the_contact_identified_by_any_key(xero: XeroClient, key: str) -> None:
    created = xero.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).record()
    updated = xero.post("Contacts", {key: created[key], "EmailAddress": "new@example.org"}).record()
    assert (updated["ContactID"], updated["EmailAddress"]) == (created["ContactID"], "new@example.org")


def test_post_creates_an_unknown_contact_and_rejects_one_without_identifier(xero: XeroClient) -> None:
    assert xero.post("Contacts", {"Name": "New", "ContactNumber": "c-9"}).record()["ContactNumber"] == "c-9"
    rejected = xero.post("Contacts", {"EmailAddress": "a@example.org"})
    assert rejected.messages[0].startswith("The Contact must contain at least 1 of the following elements")


@pytest.mark.parametrize("named_by", ["ContactID", "ContactNumber", "Name"])
def test_archived_contact_rejects_documents_and_changes(xero: XeroClient, named_by: str) -> None:
    created = xero.put("Contacts", {"Name": "One", "ContactNumber": "c-1"}).record()
    assert xero.control("POST", "archive", {"Contact": created[named_by]}).status == 200

    reference = {named_by: created[named_by]}
    assert xero.put("Invoices", invoice(Contact=reference)).messages == [ARCHIVED_FOR_DOCUMENTS]
    assert xero.post("Contacts", {**reference, "EmailAddress": "a@example.org"}).messages == [ARCHIVED]
    assert xero.put("Contacts", {"Name": "one"}).messages == [ARCHIVED]


def test_merged_contact_is_archived_with_its_number_and_its_documents_belong_to_the_survivor(xero: XeroClient) -> None:
    merged, survivor = xero.put("Contacts", [{"Name": "One", "ContactNumber": "c-1"}, {"Name": "Two"}]).body["Contacts"]
    sold = xero.put("Invoices", invoice(Contact={"ContactID": merged["ContactID"]})).record()

    assert xero.control("POST", "merge", {"Contact": "c-1", "Into": survivor["ContactID"]}).status == 200

    shown = xero.get("Contacts/c-1").record()
    assert (shown["ContactStatus"], shown["MergedToContactID"]) == ("ARCHIVED", survivor["ContactID"])
    (listed,) = xero.get("Contacts", IDs=merged["ContactID"], includeArchived="true", page=1).body["Contacts"]
    assert listed["MergedToContactID"] == survivor["ContactID"]
    assert xero.get(f"Invoices/{sold['InvoiceID']}").record()["Contact"]["ContactID"] == survivor["ContactID"]
    again = xero.put("Invoices", invoice("AMZ-2", Contact={"ContactID": merged["ContactID"]}))
    assert again.messages == [ARCHIVED_FOR_DOCUMENTS]
    taken = xero.put("Contacts", {"Name": "Three", "ContactNumber": "c-1"})
    assert taken.messages == ["Another contact has this contact number. Please enter a different contact number."]
    assert xero.control("POST", "merge", {"Contact": "c-1", "Into": "nobody"}).status == 404


def test_archived_contacts_are_listed_only_on_request(xero: XeroClient) -> None:
    xero.put("Contacts", [{"Name": "One", "ContactNumber": "c-1"}, {"Name": "Two"}])
    xero.control("POST", "archive", {"Contact": "One"})

    def listed(**query: str) -> list[str]:
        return [one["Name"] for one in xero.get("Contacts", **query).body["Contacts"]]

    assert listed() == ["Two"]
    assert listed(includeArchived="true") == ["One", "Two"]
    assert xero.get("Contacts/c-1").record()["ContactStatus"] == "ARCHIVED"
    assert xero.control("POST", "archive", {"Contact": "nobody"}).status == 404


def test_contact_number_with_a_slash_is_found_by_its_encoded_path(xero: XeroClient) -> None:
    xero.put("Contacts", {"Name": "One", "ContactNumber": "AMZ/1"}).record()
    assert xero.get("Contacts/AMZ%2F1").record()["Name"] == "One"


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
def test_contacts_can_be_filtered_ordered_and_paged(
    xero: XeroClient, query: dict[str, Any], expected: list[str]
) -> None:
    xero.put(
        "Contacts",
        [
            {"Name": "Acme Ltd", "ContactNumber": "a-1"},
            {"Name": "Beta", "ContactNumber": "b-2", "EmailAddress": "b@example.org"},
            {"Name": "Gamma"},
        ],
    )
    assert [one["Name"] for one in xero.get("Contacts", **query).body["Contacts"]] == expected


def test_contacts_can_be_listed_by_id(xero: XeroClient) -> None:
    created = xero.put("Contacts", [{"Name": "A"}, {"Name": "B"}, {"Name": "C"}]).body["Contacts"]
    ids = f"{created[2]['ContactID']},{created[0]['ContactID']},deadbeef-0000-4000-8000-000000000000"
    assert {one["Name"] for one in xero.get("Contacts", IDs=ids).body["Contacts"]} == {"A", "C"}
