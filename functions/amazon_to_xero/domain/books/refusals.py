"""What Xero's refusal of a document means: a reason code, and what the person who mends it should do.

The texts are Xero's own (API documentation and recorded answers); they are matched by their constant parts.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_MODIFIABLE = "NOT_MODIFIABLE"


@dataclass(frozen=True)
class Refusal:
    """`adopt`: Xero may hold the document already; look for it instead of failing.

    `gone`: somebody may have voided or deleted it in Xero; look at it before a person is asked.
    """

    reason: str
    hint: str
    adopt: bool = False
    gone: bool = False


_KNOWN: tuple[tuple[str, Refusal], ...] = (
    # Before its name: a contact that has the number is ours, whoever else has the name.
    ("has this contact number", Refusal("CONTACT_NUMBER_TAKEN", "another contact has this number", adopt=True)),
    ("name must be unique", Refusal("CONTACT_NAME_TAKEN", "another contact in Xero has this name", adopt=True)),
    ("already assigned to another contact", Refusal("CONTACT_NAME_TAKEN", "another contact has this name", adopt=True)),
    ("must be unique", Refusal("NUMBER_TAKEN", "another document in Xero has this number", adopt=True)),
    (
        "archived contact",
        Refusal("CONTACT_ARCHIVED", "restore the contact in Xero (only its own pages can), then redrive"),
    ),
    (
        "not of valid status for modification",
        Refusal(
            NOT_MODIFIABLE, "the document was changed by hand in Xero and takes no changes; correct it there", gone=True
        ),
    ),
    (
        "has a payment or credit note allocated",
        Refusal("HAS_PAYMENTS", "the document is paid or credited in Xero; correct it there by hand"),
    ),
    (
        "payments or credit notes allocated to it",
        Refusal("HAS_PAYMENTS", "the document is paid or credited in Xero; correct it there by hand"),
    ),
    (
        "is not a valid code for this document",
        Refusal("ACCOUNT_UNKNOWN", "correct the account code in accounts of the connection's settings, then redrive"),
    ),
    (
        "has been archived, or has been deleted",
        Refusal("ACCOUNT_ARCHIVED", "restore the account in Xero or correct accounts in the settings, then redrive"),
    ),
    (
        "cannot be used with account code",
        Refusal("TAX_TYPE_UNUSABLE", "the tax type does not go with the account; correct tax.rules, then redrive"),
    ),
    (
        "is not subscribed to currency",
        Refusal("CURRENCY_NOT_SUBSCRIBED", "add the currency in Xero, then redrive"),
    ),
    ("lock date", Refusal("PERIOD_LOCKED", "the date lies before Xero's lock date; move the lock date, then redrive")),
    (
        "reached the limit of invoices",
        Refusal("PLAN_LIMIT", "the organisation's Xero plan allows no more invoices; upgrade it, then redrive"),
    ),
    (
        "exceeds the amount outstanding",
        Refusal("ALREADY_PAID", "the document is paid already, in part or whole", adopt=True),
    ),
    ("line total", Refusal("LINE_TOTAL_DIFFERS", "a line does not add up for Xero; report this as a defect")),
)


def refusal(messages: tuple[str, ...]) -> Refusal:
    """The meaning of Xero's messages for one document; an unknown text keeps its own words for the person."""
    for text, known in _KNOWN:
        if any(text in message for message in messages):
            return known
    return Refusal("XERO_REFUSED", f"Xero says: {'; '.join(messages)[:500]}")
