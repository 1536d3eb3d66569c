"""Collections that Xero refuses although it accepts calls to others, because the app lacks a scope."""

from __future__ import annotations

from collections.abc import Mapping

from amazon_to_xero.ports.xero import XeroApi, XeroError

_SCOPES: Mapping[str, str] = {
    "Contacts": "accounting.contacts",
    "Invoices": "accounting.invoices",
    "CreditNotes": "accounting.invoices",
    "Allocations": "accounting.invoices",
    "Payments": "accounting.payments",
    "Attachments": "accounting.attachments",
}
_UNUSED_ID = "00000000-0000-0000-0000-000000000000"


def is_refused_alone(xero: XeroApi, collection: str) -> bool:
    """Whether Xero accepts a call to another collection now, so that only this one is refused. Makes one call."""
    other, id_field = ("Contacts", "ContactID") if collection == "Invoices" else ("Invoices", "InvoiceID")
    try:
        xero.find(other, id_field, [_UNUSED_ID])
    except XeroError:
        return False
    return True


def remedy_of_refused(collection: str, message: str) -> str:
    """Return what a person has to do about a collection that Xero refuses alone.

    message: how Xero refuses it.
    """
    return (
        f"Give the Xero app the scope {_SCOPES[collection]} and connect Xero again: Xero refuses {collection} "
        f"({message}) and accepts other calls."
    )
