"""What Xero's refusal of a document means: its failure code, its remedy, and whether to look the document up first."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.books.refusals import refusal


@pytest.mark.parametrize(
    ("message", "code", "look_up_new"),
    [
        ("The contact name must be unique.", "CONTACT_NAME_TAKEN", True),
        (
            "The contact name X is already assigned to another contact. The contact name must be unique across all "
            "active contacts.",
            "CONTACT_NAME_TAKEN",
            True,
        ),
        (
            "Another contact has this contact number. Please enter a different contact number.",
            "CONTACT_NUMBER_TAKEN",
            True,
        ),
        ("CONTACT NAME  already exists", "CONTACT_NAME_TAKEN", True),
        ("Contact X cannot be updated to use new name Y", "CONTACT_NAME_TAKEN", True),
        ("Invoice # must be unique.", "NUMBER_TAKEN", True),
        ("Only active contacts can be used; this is an archived contact", "CONTACT_ARCHIVED", False),
        (
            "The contact with the specified contact details has been archived. The contact must be un-archived before "
            "creating new invoices or credit notes.",
            "CONTACT_ARCHIVED",
            False,
        ),
        ("THE CONTACT  you have chosen is Archived", "CONTACT_ARCHIVED", False),
        ("Unable to assign an Archived contact.", "CONTACT_ARCHIVED", False),
        ("The contact could not be found with the specified ContactID", "CONTACT_NOT_FOUND", False),
        ("An existing Invoice with the specified InvoiceID could not be found", "NOT_IN_XERO", False),
        ("An existing Credit Note with the specified CreditNoteID could not be found", "NOT_IN_XERO", False),
        ("An archived thing has no contact", "XERO_REFUSED", False),
        ("Invoice not of valid status for modification", "NOT_MODIFIABLE", False),
        ("This document cannot be edited as it has a payment or credit note allocated to it.", "HAS_PAYMENTS", False),
        ("Invoice cannot be voided: payments or credit notes allocated to it", "HAS_PAYMENTS", False),
        ("Account code '999' is not a valid code for this document.", "ACCOUNT_UNKNOWN", False),
        ("Account code '206' has been archived, or has been deleted.", "ACCOUNT_ARCHIVED", False),
        ("The TaxType code 'X' cannot be used with account code '200'.", "TAX_TYPE_UNUSABLE", False),
        (
            "The TaxType code NONE does not exist or cannot be used for this type of transaction.",
            "TAX_TYPE_UNUSABLE",
            False,
        ),
        ("Organisation is not subscribed to currency SEK", "CURRENCY_NOT_SUBSCRIBED", False),
        ("The document date cannot be before the end of year lock date", "PERIOD_LOCKED", False),
        ("Organisation accounts are locked on the specified payment date", "PERIOD_LOCKED", False),
        ("You have reached the limit of invoices you can approve", "PLAN_LIMIT", False),
        ("Payment amount exceeds the amount outstanding on this document", "ALREADY_PAID", True),
        ("Credit Note cannot be allocated as amount is greater than amount outstanding", "ALREADY_PAID", True),
        ("The invoice you are trying to allocate to has already been paid off", "ALREADY_PAID", True),
        ("The line total 9.99 does not match the expected line total 10.00", "LINE_TOTAL_DIFFERS", False),
    ],
)
def test_known_refusal_has_a_code_and_a_remedy(message: str, code: str, look_up_new: bool) -> None:
    meaning = refusal((message,))

    assert (meaning.code, meaning.look_up_new) == (code, look_up_new)
    assert len(meaning.remedy) > 20


def test_document_that_takes_no_changes_is_looked_up_because_somebody_may_have_voided_it() -> None:
    meaning = refusal(("Invoice not of valid status for modification",))

    assert (meaning.look_up_new, meaning.look_up_existing) == (False, True)


def test_known_message_decides_whatever_its_place_in_the_list() -> None:
    messages = ("A validation exception occurred", "Invoice # must be unique.")

    assert refusal(messages).code == "NUMBER_TAKEN"


def test_refusal_that_needs_a_person_is_not_looked_up_first() -> None:
    # An archived contact on an invoice whose number is free: looking the invoice up would not help.
    assert refusal(("The contact is an archived contact", "line total")).look_up_new is False


def test_unknown_refusal_keeps_xeros_own_words_within_limits() -> None:
    meaning = refusal(("Something new", "and " + "x" * 900))

    assert meaning.code == "XERO_REFUSED"
    assert meaning.remedy.startswith("Xero says: Something new; and xxx")
    assert len(meaning.remedy) < 520


def test_taken_contact_number_decides_over_a_taken_contact_name() -> None:
    both = ("The contact name X is already assigned to another contact.", "Another contact has this contact number.")

    assert refusal(both).code == "CONTACT_NUMBER_TAKEN"
