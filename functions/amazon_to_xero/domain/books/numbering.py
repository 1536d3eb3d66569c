"""Every document number and contact number that is given in Xero.

    <prefix><order>        the invoice of an order
    <prefix><order>-S2     the invoice of its second shipment, where each shipment has its own
    …-R1                   the same document again, after Xero holds the number as voided or deleted
    …-RF34358aee           the credit note of the refund whose transaction id begins with 34358aee
    …-A1                   the first adjustment of what is paid: a supplementary invoice or a credit note
    …-D1                   the first move of a paid shipment to another day: a credit note and an invoice
    <prefix>GB-20261102-1  the first invoice and credit note of a marketplace and day, where each day has one

A number stays taken in Xero after its document was voided or deleted (Xero: InvoiceNumber).
"""

from __future__ import annotations

import re
from datetime import date

_PREFIX = "AMAZON-"
_SUFFIX_LENGTH = 6
_MOVE = re.compile(r"-D\d+$")
_DAY_NUMBER = re.compile(r"[A-Z]{2}-\d{8}-\d+$")


def invoice_number(order_id: str, prefix: str) -> str:
    """Return the number of an order's first invoice."""
    return f"{prefix}{order_id}"


def shipment_invoice_number(first: str, place: int) -> str:
    """Return the invoice number of a shipment; place 0 is the first."""
    return first if place == 0 else f"{first}-S{place + 1}"


def reissued_number(number: str, times: int) -> str:
    """Return the number of a document that is entered again for the `times`-th time; 0 is the number itself."""
    return number if times == 0 else f"{number}-R{times}"


def adjustment_number(first: str, place: int) -> str:
    """Return the number of an order's adjustment; place 1 is the first. Invoice and credit note share it."""
    return f"{first}-A{place}"


def move_number(first: str, place: int) -> str:
    """Return the number of a shipment's move to another day, by its first invoice; place 1 is the first.

    Invoice and credit note share it.
    """
    return f"{first}-D{place}"


def moved_number(number: str) -> str:
    """Return the number of the invoice that a move is of; the number itself of any other document."""
    return _MOVE.sub("", number)


def day_number(prefix: str, country: str, day: date, place: int) -> str:
    """Return the number of a day's documents; place 1 is the first. Invoice and credit note share it."""
    return f"{prefix}{country}-{day:%Y%m%d}-{place}"


def is_day_number(text: str) -> bool:
    """Whether a text may be the number of a day. No order id of Amazon ends like one."""
    return _DAY_NUMBER.search(text) is not None


def refund_number(invoice_number: str, transaction_id: str) -> str:
    """Return the number of a refund's credit note, by the order's first invoice and Amazon's transaction id."""
    letters = "".join(character for character in transaction_id if character.isalnum())
    return f"{invoice_number}-RF{letters[:8]}"


def marketplace_contact_number(marketplace_id: str) -> str:
    """Return the ContactNumber of the one customer that stands for all buyers of a marketplace."""
    return f"{_PREFIX}{marketplace_id}"


def buyer_contact_number(pseudonym: str) -> str:
    """Return the ContactNumber of a buyer; the pseudonym is a salted hash of what identifies them."""
    return f"{_PREFIX}B-{pseudonym}"


def distinguishing_suffix(contact_number: str) -> str:
    """Return the suffix that tells a buyer from a namesake in Xero: always the same for one contact."""
    return f" ({contact_number[-_SUFFIX_LENGTH:]})"
