"""What becomes of a contact that somebody archived or merged in Xero, and of the documents that need it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.books.archived_contacts import MAX_MERGES, survivor_of
from amazon_to_xero.domain.books.contact import as_sent
from amazon_to_xero.domain.books.document import MAX_CONTACT_REFUSALS, Document, DocumentState
from amazon_to_xero.domain.books.outcome import after_lookup, after_write
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from fakes.state import NOON
from unit.desired_documents import CONTACT, MINUTE, desired_invoice

NOW = NOON + timedelta(minutes=5)
HAS_BEEN_ARCHIVED = "The contact with the specified contact details has been archived. The contact must be un-archived."


def archived(contact_id: str = "id-1", **fields: Any) -> dict[str, Any]:
    return {**CONTACT.body, "ContactID": contact_id, "ContactStatus": "ARCHIVED", **fields}


def active(contact_id: str, **fields: Any) -> dict[str, Any]:
    return {"ContactID": contact_id, "Name": "Amazon", "ContactStatus": "ACTIVE", **fields}


def in_doubt(**fields: Any) -> Document:
    held = Document(CONTACT, xero_id="id-1", applied_digest=CONTACT.digest)
    return replace(held.unknown(NOW, FailureCode.CONTACT_ARCHIVED), **fields)


# --- the survivor of merges -------------------------------------------------------------------------------------------


def test_survivor_is_found_through_a_chain_of_merges() -> None:
    second = archived("id-2", MergedToContactID="ID-3")
    by_id = {"id-2": second, "id-3": active("id-3")}

    assert survivor_of(archived(MergedToContactID="id-2"), by_id) == by_id["id-3"]
    assert survivor_of(second, {}) is None
    assert survivor_of(archived(), by_id) is None


@pytest.mark.parametrize("length", [2, MAX_MERGES + 3])
def test_merges_in_a_circle_or_without_end_have_no_survivor(length: int) -> None:
    chain = {f"id-{n}": archived(f"id-{n}", MergedToContactID=f"id-{(n + 1) % length}") for n in range(length)}

    assert survivor_of(chain["id-0"], chain) is None


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_survivor_takes_the_place_of_a_merged_contact_and_the_log_says_which() -> None:
    after = after_lookup(in_doubt(), archived(), NOW, active("id-2"))

    assert (after.state, after.xero_id, after.is_merged, after.next_attempt_at) == (
        DocumentState.APPLIED,
        "id-2",
        True,
        None,
    )
    assert (after.applied_digest, after.reason) == (CONTACT.digest, "CONTACT_MERGED")
    assert "id-2" in after.remedy


def test_archived_contact_is_replaced_by_one_with_another_name_and_number() -> None:
    after = after_lookup(in_doubt(), archived(), NOW)

    assert (after.state, after.exists_in_xero, after.reason) == (DocumentState.PENDING, False, "CONTACT_REPLACED")
    assert as_sent(after, CONTACT.body) == {
        "Name": "Amazon.co.uk customers (-UK-R1)",
        "ContactNumber": "AMAZON-UK-R1",
    }


def test_new_contact_that_was_looked_up_needs_no_update() -> None:
    replaced = replace(after_lookup(in_doubt(), archived(), NOW), state=DocumentState.UNKNOWN)
    element = {**as_sent(replaced, CONTACT.body), "ContactID": "id-2", "ContactStatus": "ACTIVE"}

    assert after_lookup(replaced, element, NOW).state is DocumentState.APPLIED


def test_archived_namesake_is_not_taken_for_ours_even_where_it_was_merged() -> None:
    held = replace(in_doubt(), xero_id="")
    after = after_lookup(held, archived(ContactNumber=""), NOW, active("id-2"))

    assert (after.state, after.exists_in_xero) == (DocumentState.PENDING, False)
    assert as_sent(after, CONTACT.body) == {"Name": "Amazon.co.uk customers (ZON-UK)", "ContactNumber": "AMAZON-UK"}

    again = after_lookup(replace(held, name_is_taken=True), archived(ContactNumber=""), NOW)
    assert (again.state, again.reason) == (DocumentState.FAILED, "CONTACT_NAME_TAKEN")


def test_contact_of_an_erasure_request_is_replaced_too() -> None:
    after = after_lookup(in_doubt(), archived(ContactStatus="GDPRREQUEST"), NOW)

    assert (after.state, after.reason) == (DocumentState.PENDING, "CONTACT_REPLACED")


def test_contact_that_xero_refuses_and_does_not_show_gets_another_name_once_and_then_fails() -> None:
    held = in_doubt(xero_id="")

    after = after_lookup(held, None, NOW)
    assert (after.state, after.name_is_taken) == (DocumentState.PENDING, True)
    failed = after_lookup(replace(held, name_is_taken=True), None, NOW)
    assert (failed.state, failed.reason) == (DocumentState.FAILED, "CONTACT_ARCHIVED")


def test_contact_that_is_gone_from_xero_is_created_again_under_its_name_and_number() -> None:
    after = after_lookup(in_doubt(), None, NOW)

    assert (after.state, after.exists_in_xero, after.applied_digest) == (DocumentState.PENDING, False, "")
    assert as_sent(after, CONTACT.body) == CONTACT.body


def test_contact_that_xero_refuses_again_and_again_although_it_shows_it_active_fails() -> None:
    contact = Document(CONTACT, xero_id="id-1")
    element = active("id-1", ContactNumber="AMAZON-UK")
    for _ in range(MAX_CONTACT_REFUSALS):
        refused = after_write(contact.claimed(NOW), {}, (HAS_BEEN_ARCHIVED,), CONTACT.digest, NOW)
        contact = after_lookup(refused, element, NOW)
        assert contact.state is DocumentState.PENDING

    after = after_write(contact.claimed(NOW), {}, (HAS_BEEN_ARCHIVED,), CONTACT.digest, NOW)
    assert (after.state, after.reason) == (DocumentState.FAILED, "CONTACT_ARCHIVED")


# --- documents that need the contact ----------------------------------------------------------------------------------


def test_document_of_an_archived_contact_waits_ever_longer_and_then_fails() -> None:
    desired = desired_invoice()
    document = Document(desired)
    waits = []
    for _ in range(MAX_CONTACT_REFUSALS):
        document = after_write(document.claimed(NOW), {}, (HAS_BEEN_ARCHIVED,), desired.digest, NOW)
        assert (document.state, document.reason) == (DocumentState.DEFERRED, "WAITING_FOR_CONTACT")
        assert document.next_attempt_at is not None
        waits.append((document.next_attempt_at - NOW) / MINUTE)

    after = after_write(document.claimed(NOW), {}, (HAS_BEEN_ARCHIVED,), desired.digest, NOW)
    assert waits == [1, 2, 4, 8, 16]
    assert (after.state, after.reason) == (DocumentState.FAILED, "CONTACT_ARCHIVED")
    assert after.remedy == FAILURES[FailureCode.CONTACT_ARCHIVED].remedy
