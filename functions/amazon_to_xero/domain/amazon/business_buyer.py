"""What a business buyer gives an order for its own books: its purchase order number and its VAT number.

Amazon states both only to applications with a role for them (Amazon: Orders API, buyer and tax.taxRegistrations).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

#: Where an order that may be stored has the references of its buyer, apart from Amazon's own fields.
STORED_AS = "businessReferences"
_LONGEST = 100


class BuyerReference(StrEnum):
    """A reference of a business buyer. Its value is how the settings and stored orders name it."""

    PURCHASE_ORDER = "purchase_order"
    VAT_NUMBER = "vat_number"


#: How a document's reference names each.
REFERENCE_NAMES: Mapping[BuyerReference, str] = {
    BuyerReference.PURCHASE_ORDER: "PO",
    BuyerReference.VAT_NUMBER: "VAT",
}


def buyer_references(raw_order: Mapping[str, Any]) -> Mapping[BuyerReference, str]:
    """Return the references in an order as Amazon gave it; none of an order that no business placed.

    A value of another type than documented counts as missing: an order never fails because of it.
    """
    programs = raw_order.get("programs")
    if not isinstance(programs, list | tuple) or "AMAZON_BUSINESS" not in programs:
        return {}
    buyer = raw_order.get("buyer")
    purchase_order = buyer.get("buyerPurchaseOrderNumber") if isinstance(buyer, Mapping) else None
    stated = {
        BuyerReference.PURCHASE_ORDER: purchase_order,
        BuyerReference.VAT_NUMBER: buyer_tax_number(raw_order),
    }
    return {name: text[:_LONGEST] for name, value in stated.items() if (text := _text(value))}


def buyer_tax_number(raw_order: Mapping[str, Any]) -> str:
    """Return the first tax number of the buyer that an order states; empty where it states none."""
    tax = raw_order.get("tax")
    registrations = tax.get("taxRegistrations") if isinstance(tax, Mapping) else ()
    for each in registrations if isinstance(registrations, list | tuple) else ():
        is_buyers = isinstance(each, Mapping) and each.get("entityType") == "BUYER"
        if is_buyers and (number := _text(each.get("taxRegistrationNumber"))):
            return number
    return ""


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
