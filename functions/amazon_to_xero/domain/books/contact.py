"""Who an order is invoiced to: the one customer that stands for a marketplace, or the buyer's own contact.

Buyer data may go to Xero and nowhere else. What is stored of a buyer's contact is its number and a digest of its
details, both salted hashes: without the salt nobody can test an address book against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.amazon.business_buyer import buyer_tax_number
from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.numbering import (
    buyer_contact_number,
    distinguishing_suffix,
    marketplace_contact_number,
)
from amazon_to_xero.domain.books.texts import cleaned, cut
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.source import SourceKind, source_key

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

type Pseudonym = Callable[..., str]  # texts -> salted hash of them


class ContactScope(StrEnum):
    """Which orders are invoiced to the buyer's own contact; all others to the customer of their marketplace."""

    MARKETPLACE = "marketplace"  # none
    BUSINESS_BUYERS = "business_buyers"  # orders of Amazon Business
    BUYERS = "buyers"  # all whose buyer Amazon names


@dataclass(frozen=True)
class ContactPolicy:
    """names: marketplace id -> name of its customer in Xero, where the default name is not wanted."""

    scope: ContactScope = ContactScope.MARKETPLACE
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Customer:
    """Who an order is invoiced to.

    number: ContactNumber in Xero.
    name: of a marketplace's customer; empty for a buyer.
    details: a buyer's contact in Xero's field names; never stored, never logged. None for a marketplace's customer.
    digest: the salted hash that stands for the details in the table.
    is_buyer_unknown: the policy asks for a contact of the buyer's own and Amazon does not say who the buyer is.
    """

    number: str
    name: str = ""
    details: Mapping[str, Any] | None = field(default=None, repr=False)
    digest: str = ""
    is_buyer_unknown: bool = False

    def desired_document(self, order_version: datetime, order_id: str) -> DesiredDocument:
        """Return the contact that should exist in Xero according to that version of the order."""
        if self.details is None:
            body = {"Name": self.name, "ContactNumber": self.number}
            return DesiredDocument(
                DocumentKind.CONTACT, self.number, body, source_key(SourceKind.SETTINGS, self.number)
            )
        return DesiredDocument(
            DocumentKind.CONTACT,
            self.number,
            {"ContactNumber": self.number, "BuyerDigest": self.digest},
            source_key(SourceKind.ORDER, order_id),
            source_version=order_version,
            order_id=order_id,
        )


def customer_of(
    raw_order: Mapping[str, Any], marketplace_id: str, policy: ContactPolicy, pseudonym: Pseudonym
) -> Customer:
    """Return the customer of an order as Amazon gave it.

    Never fails because of the buyer data that Amazon sends: a value that cannot be used counts as missing.
    """
    is_business = _BUSINESS in _list(raw_order.get("programs"))
    has_own_contact = policy.scope is ContactScope.BUYERS or (
        policy.scope is ContactScope.BUSINESS_BUYERS and is_business
    )
    if not has_own_contact:
        return marketplace_customer(marketplace_id, policy)
    address = _part(_part(raw_order, "recipient"), "deliveryAddress")
    name = _name(_part(raw_order, "buyer"), address, is_business)
    tax_number = cut(_clean(buyer_tax_number(raw_order)), _TAX_NUMBER)
    identity = _identity(_part(raw_order, "buyer"), address, name, tax_number)
    if not name or not identity:
        return replace(marketplace_customer(marketplace_id, policy), is_buyer_unknown=True)
    number = buyer_contact_number(pseudonym(*identity))
    details: dict[str, Any] = {"ContactNumber": number, "Name": cut(name, _NAME)}
    place = {xero: cut(_clean(address.get(amazon)), limit) for xero, (amazon, limit) in _ADDRESS.items()}
    if any(place.values()):
        details["Addresses"] = [{"AddressType": "STREET"} | {line: value for line, value in place.items() if value}]
    if phone := cut(_clean(address.get("phone")), _PHONE_NUMBER):
        details["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": phone}]
    if tax_number:
        details["TaxNumber"] = tax_number
    return Customer(number, details=details, digest=pseudonym(canonical_json(details)))


def marketplace_customer(marketplace_id: str, policy: ContactPolicy) -> Customer:
    """Return the one customer that stands for all buyers of a marketplace."""
    own_name = cut(_clean(policy.names.get(marketplace_id)), _NAME)
    name = own_name or f"{MARKETPLACES[marketplace_id].name} customers"
    return Customer(marketplace_contact_number(marketplace_id), name)


def chosen_contact(contact_id: str) -> DesiredDocument:
    """Return the contact in Xero that a person has chosen for an order. It stays as it is: nothing is sent to it."""
    source = source_key(SourceKind.SETTINGS, contact_id)
    return DesiredDocument(DocumentKind.CONTACT, contact_id, {"ContactID": contact_id}, source)


def as_sent(document: Document, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contact's content with the name and number that tell it from a namesake and from an archived one."""
    number = document.number_in_xero
    name = distinct_name(content["Name"], number) if document.name_is_taken else content["Name"]
    return {**content, "Name": name, "ContactNumber": number}


def distinct_name(name: str, contact_number: str) -> str:
    """Return the name of a contact whose namesake Xero already has: with a suffix that never changes."""
    suffix = distinguishing_suffix(contact_number)
    return f"{cut(name, _NAME - len(suffix))}{suffix}"


def _name(buyer: Mapping[str, Any], address: Mapping[str, Any], is_business: bool) -> str:
    company = (buyer.get("buyerCompanyName"), address.get("companyName")) if is_business else ()
    return next(filter(None, map(_clean, (*company, buyer.get("buyerName"), address.get("name")))), "")


def _identity(buyer: Mapping[str, Any], address: Mapping[str, Any], name: str, tax_number: str) -> tuple[str, ...]:
    """Return what distinguishes a buyer from a namesake; empty when nothing does.

    The e-mail address is the relay address that Amazon gives each buyer. Some countries have no postal codes.
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


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _clean(value: Any) -> str:
    """Return a text that Xero accepts in a contact: without angle brackets, too."""
    return cleaned(value.replace("<", " ").replace(">", " ")) if isinstance(value, str) else ""
