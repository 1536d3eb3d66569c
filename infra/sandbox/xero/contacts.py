"""Contacts: how Xero finds the one a request means, and what it refuses to store."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .books import Books, Contact, NotFound, Refused
from .values import read_object, read_objects, read_text

UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
ARCHIVED = (
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API."
)
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
INVALID_EMAIL = "Email address must be valid."

# Umlauts and other letters outside ASCII are not supported in addresses (Xero: contacts, EmailAddress).
_EMAIL = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+$")
_LONGEST = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "EmailAddress": 255,
    "TaxNumber": 50,
}
_TEXTS = (
    "FirstName",
    "LastName",
    "AccountNumber",
    "CompanyNumber",
    "EmailAddress",
    "TaxNumber",
    "BankAccountDetails",
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
    "DefaultCurrency",
    "Website",
    "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode",
    "XeroNetworkKey",
)
_LISTS = ("Addresses", "Phones", "ContactPersons")
_OBJECTS = ("PaymentTerms",)


class Contacts:
    def __init__(self, books: Books) -> None:
        self.books = books

    def find(self, reference: str) -> Contact | None:
        """By id or contact number, archived ones too."""
        contact_id = self.books.contact_by_number.get(reference.casefold(), "")
        return self.books.contacts.get(reference.lower()) or self.books.contacts.get(contact_id)

    def create(self, element: dict[str, Any]) -> Contact:
        """PUT: always a new contact."""
        name = self._name(element)
        if name is None:
            raise Refused("The contact name must be specified.")
        if name.casefold() in self.books.archived_contact_by_name:
            raise Refused(ARCHIVED)
        return self._store(None, element, name)

    def update_or_create(self, element: dict[str, Any], contact_id: str | None = None) -> Contact:
        """POST: the contact the element identifies, or a new one. NotFound for an unknown id in the path."""
        if contact_id is not None:
            contact = self.find(contact_id)
            if contact is None:
                raise NotFound
        else:
            contact = self._identified(element, must_exist=False)
        name = self._name(element) or (contact.name if contact else None)
        if name is None:
            raise Refused("The contact name must be specified.")
        return self._store(contact, element, name)

    def for_document(self, element: Any) -> Contact:
        """The contact an invoice or credit note names: matched, updated with the other fields sent, or created."""
        if not element:
            raise Refused(UNIDENTIFIED)
        element = read_object(element, "Contact")
        contact = self._identified(element, must_exist=True)
        name = self._name(element) or (contact.name if contact else None)
        if name is None:
            raise Refused(UNIDENTIFIED)
        if contact is None or self._changes(contact, element, name):
            return self._store(contact, element, name)
        return contact

    def archive(self, reference: str) -> Contact:
        """What only a person can do, in Xero's own pages."""
        contact = self.find(reference) or self.books.contacts.get(
            self.books.active_contact_by_name.get(reference.casefold(), "")
        )
        if contact is None:
            raise NotFound
        if contact.status == "ACTIVE":
            self.books.remove(self.books.active_contact_by_name, contact.name.casefold())
            self.books.put(self.books.archived_contact_by_name, contact.name.casefold(), contact.id)
            contact = replace(contact, status="ARCHIVED", updated=self.books.now())
            self.books.put(self.books.contacts, contact.id, contact)
        return contact

    def _identified(self, element: dict[str, Any], *, must_exist: bool) -> Contact | None:
        """ContactID first, then ContactNumber, then Name. None: a name nobody has yet."""
        contact_id, number, name = (
            read_text(element.get("ContactID")),
            read_text(element.get("ContactNumber")),
            self._name(element),
        )
        if contact_id:
            contact = self.books.contacts.get(contact_id.lower())
            if contact is None:
                raise Refused("The contact could not be found with the specified ContactID")
            return self._unarchived(contact)
        if number:
            contact = self.books.contacts.get(self.books.contact_by_number.get(number.casefold(), ""))
            if contact is not None:
                return self._unarchived(contact)
            if name is None and must_exist:
                raise Refused("The contact could not be found with the specified ContactNumber")
        if name:
            if found := self.books.active_contact_by_name.get(name.casefold()):
                return self.books.contacts[found]
            if name.casefold() in self.books.archived_contact_by_name:
                raise Refused(ARCHIVED, record_id=self.books.archived_contact_by_name[name.casefold()])
            return None
        if number:
            return None
        raise Refused(UNIDENTIFIED)

    @staticmethod
    def _unarchived(contact: Contact) -> Contact:
        if contact.status != "ACTIVE":
            raise Refused(ARCHIVED, record_id=contact.id)
        return contact

    @staticmethod
    def _name(element: dict[str, Any]) -> str | None:
        """The name as Xero stores it: single spaces, none around."""
        return read_text(" ".join(str(element.get("Name") or "").split()))

    def _changes(self, contact: Contact, element: dict[str, Any], name: str) -> bool:
        number = read_text(element.get("ContactNumber"))
        return (
            name != contact.name
            or (number is not None and number != contact.number)
            or any(contact.fields.get(key) != value for key, value in self._fields(element).items())
        )

    @staticmethod
    def _fields(element: dict[str, Any]) -> dict[str, Any]:
        sent: dict[str, Any] = {key: read_text(element[key]) or "" for key in _TEXTS if element.get(key) is not None}
        sent.update({key: read_objects(element[key], key) for key in _LISTS if element.get(key) is not None})
        sent.update({key: read_object(element[key], key) for key in _OBJECTS if element.get(key) is not None})
        return sent

    def _store(self, contact: Contact | None, element: dict[str, Any], name: str) -> Contact:
        books = self.books
        record_id = contact.id if contact else None
        number = read_text(element.get("ContactNumber")) or (contact.number if contact else None)
        fields = self._fields(element)
        problems = [
            f"The {key} must not be longer than {longest} characters."
            for key, longest in _LONGEST.items()
            if len(str({**fields, "Name": name, "ContactNumber": number}.get(key) or "")) > longest
        ]
        if "<" in name or ">" in name:
            problems.append("The contact name cannot contain the characters < or >.")
        if len(fields.get("ContactPersons", [])) > 5:
            problems.append("A contact can have at most 5 contact persons.")
        addresses = [fields.get("EmailAddress"), *(p.get("EmailAddress") for p in fields.get("ContactPersons", []))]
        if any(address and not _EMAIL.match(str(address)) for address in addresses):
            problems.append(INVALID_EMAIL)
        if books.active_contact_by_name.get(name.casefold(), record_id) != record_id:
            problems.append(
                f"The contact name {name} is already assigned to another contact. "
                "The contact name must be unique across all active contacts."
            )
        if number and books.contact_by_number.get(number.casefold(), record_id) != record_id:
            problems.append(NUMBER_TAKEN)
        if problems:
            raise Refused(*problems, record_id=record_id)
        if contact is None:
            contact = Contact(books.new_id(), name, number, "ACTIVE", books.now(), fields)
        else:
            if contact.name.casefold() != name.casefold():
                books.remove(books.active_contact_by_name, contact.name.casefold())
            if contact.number and contact.number.casefold() != (number or "").casefold():
                books.remove(books.contact_by_number, contact.number.casefold())
            contact = replace(
                contact, name=name, number=number, updated=books.now(), fields={**contact.fields, **fields}
            )
        books.put(books.contacts, contact.id, contact)
        books.put(books.active_contact_by_name, name.casefold(), contact.id)
        if number:
            books.put(books.contact_by_number, number.casefold(), contact.id)
        return contact
