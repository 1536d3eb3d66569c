"""Who an order is invoiced to: the one customer that stands for a marketplace, or the buyer's own contact.

Who a buyer is may go to Xero and nowhere else. What is stored of a buyer's contact is its number and a digest of its
details, both hashes that are salted: whoever sees them cannot try an address book on them without knowing the salt.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.document import Desired
from amazon_to_xero.domain.books.document_types import Kind
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.planning.policy import ContactPolicy, PostingPolicy

BUYER_UNKNOWN = "BUYER_UNKNOWN"
_BUSINESS = "AMAZON_BUSINESS"
# Xero: longest values of a contact's fields.
_NAME = 255
_PHONE_NUMBER = 50
_TAX_NUMBER = 50
_ADDRESS: Mapping[str, tuple[str, int]] = {
    "AddressLine1": ("addressLine1", 500),
    "AddressLine2": ("addressLine2", 500),
    "AddressLine3": ("addressLine3", 500),
    "City": ("city", 255),
    "Region": ("stateOrRegion", 255),
    "PostalCode": ("postalCode", 50),
    "Country": ("countryCode", 50),
    "AttentionTo": ("name", 255),
}


@dataclass(frozen=True)
class Customer:
    """`name` is that of a marketplace's customer, `details` a buyer's contact in Xero's own names; never stored.

    `digest` stands for the details in the table. `reason` says why a buyer has no contact where the policy wants one.
    """

    number: str
    name: str = ""
    details: Mapping[str, Any] | None = field(default=None, repr=False)
    digest: str = ""
    reason: str = ""

    def desired(self, updated: datetime, order_id: str) -> Desired:
        """The contact that should stand in Xero by the order's version of that time."""
        if self.details is None:
            return Desired(Kind.CONTACT, self.number, {"Name": self.name, "ContactNumber": self.number})
        body = {"ContactNumber": self.number, "Buyer": self.digest}
        return Desired(Kind.CONTACT, self.number, body, version=updated, order_id=order_id)


def customer_of(raw_order: Mapping[str, Any], marketplace_id: str, policy: PostingPolicy, salt: str) -> Customer:
    """The customer of an order as Amazon gave it. `salt` is the connection's name; `marketplace_id` one of Amazon's.

    Never fails because of what Amazon says of the buyer: what cannot be used is as good as not said.
    """
    business = _BUSINESS in _list(raw_order.get("programs"))
    own = policy.contacts is ContactPolicy.BUYERS or (policy.contacts is ContactPolicy.BUSINESS_BUYERS and business)
    if not own:
        return marketplace_customer(marketplace_id, policy)
    address = _part(_part(raw_order, "recipient"), "deliveryAddress")
    name = _name(_part(raw_order, "buyer"), address, business)
    tax_number = _tax_number(raw_order)
    who = _identity(_part(raw_order, "buyer"), address, name, tax_number)
    if not name or not who:
        return replace(marketplace_customer(marketplace_id, policy), reason=BUYER_UNKNOWN)
    number = f"AMAZON-B-{_hash(salt, *who)}"
    details: dict[str, Any] = {"ContactNumber": number, "Name": _fit(name, _NAME)}
    place = {theirs: _fit(_clean(address.get(ours)), most) for theirs, (ours, most) in _ADDRESS.items()}
    if any(place.values()):
        details["Addresses"] = [{"AddressType": "STREET"} | {line: value for line, value in place.items() if value}]
    if phone := _fit(_clean(address.get("phone")), _PHONE_NUMBER):
        details["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": phone}]
    if tax_number:
        details["TaxNumber"] = tax_number
    return Customer(number, details=details, digest=_hash(canonical_json(details)))  # salted by the number in them


def marketplace_customer(marketplace_id: str, policy: PostingPolicy) -> Customer:
    """The one customer that stands for all buyers of a marketplace."""
    name = policy.contact_names.get(marketplace_id) or f"{MARKETPLACES[marketplace_id].name} customers"
    return Customer(f"AMAZON-{marketplace_id}", name)


def told_apart(name: str, number: str) -> str:
    """The name of a buyer whose namesake Xero has already: a mark behind it that stays the same."""
    mark = f" ({number[-6:]})"
    return f"{_fit(name, _NAME - len(mark))}{mark}"


def _name(buyer: Mapping[str, Any], address: Mapping[str, Any], business: bool) -> str:
    company = (buyer.get("buyerCompanyName"), address.get("companyName")) if business else ()
    return next(filter(None, map(_clean, (*company, buyer.get("buyerName"), address.get("name")))), "")


def _identity(buyer: Mapping[str, Any], address: Mapping[str, Any], name: str, tax_number: str) -> tuple[str, ...]:
    """What tells a buyer from a namesake; empty when nothing does.

    The e-mail address is Amazon's own relay of a buyer to a seller. Some countries have no postal codes.
    """
    email = _clean(buyer.get("buyerEmail")).lower()
    if email:
        return (email,)
    country = _clean(address.get("countryCode"))
    street = " ".join(_clean(address.get(part)) for part in ("addressLine1", "city"))
    place = _clean(address.get("postalCode")) or street.strip()
    if place:
        return (name.casefold(), place.casefold(), country)
    return (name.casefold(), tax_number) if tax_number else ()


def _tax_number(raw_order: Mapping[str, Any]) -> str:
    for registration in _list(_part(raw_order, "tax").get("taxRegistrations")):
        if isinstance(registration, Mapping) and registration.get("entityType") == "BUYER":
            number = _fit(_clean(registration.get("taxRegistrationNumber")), _TAX_NUMBER)
            if number:
                return number
    return ""


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _clean(value: Any) -> str:
    """A text as Xero takes it: no angle brackets, no control characters, single spaces and none around."""
    text = value if isinstance(value, str) else ""
    spaced = (" " if each in "<>" or unicodedata.category(each) == "Cc" else each for each in text)
    # Invisible characters would make two names of one; half a surrogate pair can be neither sent nor hashed.
    return " ".join("".join(each for each in spaced if unicodedata.category(each)[0] != "C").split())


def _fit(text: str, most: int) -> str:
    """Cut to a length that Xero counts in UTF-16 units."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore").rstrip()


def _hash(*parts: str) -> str:
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:20]
