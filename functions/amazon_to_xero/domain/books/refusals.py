"""What Xero's refusal of a document means: a failure code, and whether to look in Xero before failing.

The texts are Xero's own (API documentation and recorded answers), recognised by their constant parts in any case; an
ellipsis stands for whatever is between two parts.
"""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.failures import FAILURES, FailureCode

SETTLED_DOCUMENT_GONE = (
    "Xero no longer has a document that it settles. Correct it in Xero manually, then take it off the list with replay "
    "close."
)


@dataclass(frozen=True)
class Refusal:
    """The meaning of a refusal.

    look_up_new: Xero may hold a document that we created already; look it up before failing.
    look_up_existing: somebody may have voided or deleted our document; look it up before failing.
    """

    code: FailureCode
    remedy: str
    look_up_new: bool = False
    look_up_existing: bool = False


def _known(code: FailureCode, *, look_up_new: bool = False, look_up_existing: bool = False) -> Refusal:
    return Refusal(code, FAILURES[code].remedy, look_up_new, look_up_existing)


_C = FailureCode
_KNOWN: tuple[tuple[str, Refusal], ...] = (
    # Before the name: a contact that has the number is ours, whoever else has the name.
    ("has this contact number", _known(_C.CONTACT_NUMBER_TAKEN, look_up_new=True)),
    ("name must be unique", _known(_C.CONTACT_NAME_TAKEN, look_up_new=True)),
    ("already assigned to another contact", _known(_C.CONTACT_NAME_TAKEN, look_up_new=True)),
    ("contact name already exists", _known(_C.CONTACT_NAME_TAKEN, look_up_new=True)),
    ("cannot be updated to use new name", _known(_C.CONTACT_NAME_TAKEN, look_up_new=True)),
    ("must be unique", _known(_C.NUMBER_TAKEN, look_up_new=True)),
    ("archived contact", _known(_C.CONTACT_ARCHIVED)),
    ("contact … archived", _known(_C.CONTACT_ARCHIVED)),
    ("contact … could not be found", _known(_C.CONTACT_NOT_FOUND)),
    ("contact … does not exist", _known(_C.CONTACT_NOT_FOUND)),
    ("existing invoice … could not be found", _known(_C.NOT_IN_XERO)),
    ("existing credit note … could not be found", _known(_C.NOT_IN_XERO)),
    ("not of valid status for modification", _known(_C.NOT_MODIFIABLE, look_up_existing=True)),
    ("has a payment or credit note allocated", _known(_C.HAS_PAYMENTS)),
    ("payments or credit notes allocated to it", _known(_C.HAS_PAYMENTS)),
    ("is not a valid code for this document", _known(_C.ACCOUNT_UNKNOWN)),
    ("has been archived, or has been deleted", _known(_C.ACCOUNT_ARCHIVED)),
    ("cannot be used with account code", _known(_C.TAX_TYPE_UNUSABLE)),
    ("taxtype … does not exist or cannot be used", _known(_C.TAX_TYPE_UNUSABLE)),
    ("is not subscribed to currency", _known(_C.CURRENCY_NOT_SUBSCRIBED)),
    ("lock date", _known(_C.PERIOD_LOCKED)),
    ("accounts are locked on the specified", _known(_C.PERIOD_LOCKED)),
    ("reached the limit of invoices", _known(_C.PLAN_LIMIT)),
    ("exceeds the amount outstanding", _known(_C.ALREADY_PAID, look_up_new=True)),
    ("greater than amount outstanding", _known(_C.ALREADY_PAID, look_up_new=True)),
    ("already been paid off", _known(_C.ALREADY_PAID, look_up_new=True)),
    ("line total", _known(_C.LINE_TOTAL_DIFFERS)),
)


def refusal(messages: tuple[str, ...]) -> Refusal:
    """Return the meaning of Xero's messages for one document; an unknown text is kept for the person."""
    wordings = [folded(message) for message in messages]
    for text, known in _KNOWN:
        if any(_says(message, text) for message in wordings):
            return known
    return Refusal(FailureCode.XERO_REFUSED, xero_says("; ".join(messages)))


def refusal_of_call(kind: DocumentKind, status: int | None, message: str) -> Refusal:
    """Return the meaning of a call that Xero refused as a whole, and that carried one document of this kind."""
    if status == 404 and DOCUMENT_TYPES[kind].is_written_to_owner:
        return Refusal(FailureCode.NOT_IN_XERO, SETTLED_DOCUMENT_GONE)
    return Refusal(FailureCode.XERO_REFUSED, xero_says(message))


def _says(message: str, text: str) -> bool:
    """Whether a message has the parts of a text, which are separated by an ellipsis, one after the other."""
    place = 0
    for part in folded(text).split(" … "):
        found = message.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True


def xero_says(message: str) -> str:
    """Return the remedy for a refusal that is not known: Xero's own words."""
    return f"Xero says: {message[:500]}"
