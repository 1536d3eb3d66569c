"""What Xero's own words mean for the person who has to mend something."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.books.refusals import refusal


@pytest.mark.parametrize(
    ("message", "reason", "adopt"),
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
        ("Invoice # must be unique.", "NUMBER_TAKEN", True),
        ("Only active contacts can be used; this is an archived contact", "CONTACT_ARCHIVED", False),
        ("Invoice not of valid status for modification", "NOT_MODIFIABLE", False),
        ("This document cannot be edited as it has a payment or credit note allocated to it.", "HAS_PAYMENTS", False),
        ("Invoice cannot be voided: payments or credit notes allocated to it", "HAS_PAYMENTS", False),
        ("Account code '999' is not a valid code for this document.", "ACCOUNT_UNKNOWN", False),
        ("Account code '206' has been archived, or has been deleted.", "ACCOUNT_ARCHIVED", False),
        ("The TaxType code 'X' cannot be used with account code '200'.", "TAX_TYPE_UNUSABLE", False),
        ("Organisation is not subscribed to currency SEK", "CURRENCY_NOT_SUBSCRIBED", False),
        ("The document date cannot be before the end of year lock date", "PERIOD_LOCKED", False),
        ("You have reached the limit of invoices you can approve", "PLAN_LIMIT", False),
        ("Payment amount exceeds the amount outstanding on this document", "ALREADY_PAID", True),
        ("The line total 9.99 does not match the expected line total 10.00", "LINE_TOTAL_DIFFERS", False),
    ],
)
def test_each_refusal_has_a_reason_and_says_what_to_do(message: str, reason: str, adopt: bool) -> None:
    meaning = refusal((message,))

    assert (meaning.reason, meaning.adopt) == (reason, adopt)
    assert len(meaning.remedy) > 20


def test_the_message_that_is_understood_decides_wherever_it_stands() -> None:
    messages = ("A validation exception occurred", "Invoice # must be unique.")

    assert refusal(messages).reason == "NUMBER_TAKEN"


def test_a_refusal_that_needs_a_person_is_never_hidden_behind_a_look() -> None:
    # An archived contact on an invoice whose number is free: looking for the invoice would not help.
    assert refusal(("The contact is an archived contact", "line total")).adopt is False


def test_unknown_words_are_kept_for_the_person_in_bounds() -> None:
    meaning = refusal(("Something new", "and " + "x" * 900))

    assert meaning.reason == "XERO_REFUSED"
    assert meaning.remedy.startswith("Xero says: Something new; and xxx")
    assert len(meaning.remedy) < 520


def test_a_contact_whose_number_is_ours_is_adopted_whoever_else_has_its_name() -> None:
    both = ("The contact name X is already assigned to another contact.", "Another contact has this contact number.")

    assert refusal(both).reason == "CONTACT_NUMBER_TAKEN"
