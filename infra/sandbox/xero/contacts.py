"""Contacts: which existing contact a request identifies, and the rules a contact must satisfy."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .books import Books
from .errors import NotFound, ValidationError
from .records import Contact
from .values import read_object, read_objects, read_text, utf16_length

UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
ARCHIVED = (
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API."
)
ARCHIVED_FOR_DOCUMENTS = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
INVALID_EMAIL = "Email address must be valid."

# Xero rejects letters outside ASCII in e-mail addresses (Xero: contacts, EmailAddress).
_EMAIL = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+$")
_MAX_LENGTHS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "EmailAddress": 255,
    "TaxNumber": 50,
}
_TEXT_FIELDS = (
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
_LIST_FIELDS = ("Addresses", "Phones", "ContactPersons")
_OBJECT_FIELDS = ("PaymentTerms",)


class Contacts:
    """Create, update and archive the contacts of one organisation."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def find(self, reference: str) -> Contact | None:
        """Return the contact with that id or contact number, archived contacts included."""
        contact_id = self.books.contact_by_number.get(reference.casefold(), "")
        return self.books.contacts.get(reference.lower()) or self.books.contacts.get(contact_id)

    def create(self, element: dict[str, Any]) -> Contact:
        """PUT: create a contact."""
        name = self._read_name(element)
        if name is None:
            raise ValidationError("The contact name must be specified.")
        if name.casefold() in self.books.archived_contact_by_name:
            raise ValidationError(ARCHIVED)
        return self._store(None, element, name)

    def update_or_create(self, element: dict[str, Any], contact_id: str | None = None) -> Contact:
        """POST: update the contact the element identifies, or create one. NotFound for an unknown id in the path."""
        if contact_id is not None:
            contact = self.find(contact_id)
            if contact is None:
                raise NotFound
        else:
            contact = self._identify(element, must_exist=False)
        name = self._read_name(element) or (contact.name if contact else None)
        if name is None:
            raise ValidationError("The contact name must be specified.")
        return self._store(contact, element, name)

    def for_document(self, element: Any) -> Contact:
        """Return the contact of an invoice or credit note; create it, or update it with the other fields sent."""
        if not element:
            raise ValidationError(UNIDENTIFIED)
        element = read_object(element, "Contact")
        try:
            contact = self._identify(element, must_exist=True)
        except ValidationError as error:
            messages = [ARCHIVED_FOR_DOCUMENTS if each == ARCHIVED else each for each in error.messages]
            raise ValidationError(*messages, record_id=error.record_id) from None
        name = self._read_name(element) or (contact.name if contact else None)
        if name is None:
            raise ValidationError(UNIDENTIFIED)
        if contact is None or self._differs(contact, element, name):
            return self._store(contact, element, name)
        return contact

    def archive(self, reference: str) -> Contact:
        """Archive a contact, which in Xero only a user of its web pages can do."""
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

    def merge(self, reference: str, into: str) -> Contact:
        """Merge a contact into another, which only a user of Xero's web pages can do.

        Its documents move to the other one, and it stays archived for good, with its contact number.
        """
        survivor = self.find(into)
        if survivor is None:
            raise NotFound
        merged = replace(self.archive(reference), merged_to=survivor.id)
        self.books.put(self.books.contacts, merged.id, merged)
        for documents in (self.books.invoices, self.books.credit_notes):
            for document in [each for each in documents.values() if each.contact_id == merged.id]:
                self.books.store(replace(document, contact_id=survivor.id))
        return merged

    def restore(self, reference: str) -> Contact:
        """Restore an archived contact, as a user of Xero's web pages can unless it was merged."""
        contact = self.find(reference)
        if contact is None or contact.merged_to:
            raise NotFound
        name = contact.name.casefold()
        self.books.remove(self.books.archived_contact_by_name, name)
        self.books.put(self.books.active_contact_by_name, name, contact.id)
        contact = replace(contact, status="ACTIVE", updated=self.books.now())
        self.books.put(self.books.contacts, contact.id, contact)
        return contact

    def _identify(self, element: dict[str, Any], *, must_exist: bool) -> Contact | None:
        """Match by ContactID, then by ContactNumber, then by Name. Return None for a new contact."""
        contact_id, number, name = (
            read_text(element.get("ContactID")),
            read_text(element.get("ContactNumber")),
            self._read_name(element),
        )
        if contact_id:
            contact = self.books.contacts.get(contact_id.lower())
            if contact is None:
                raise ValidationError("The contact could not be found with the specified ContactID")
            return self._require_active(contact)
        if number:
            contact = self.books.contacts.get(self.books.contact_by_number.get(number.casefold(), ""))
            if contact is not None:
                return self._require_active(contact)
            if name is None and must_exist:
                raise ValidationError("The contact could not be found with the specified ContactNumber")
        if name:
            if active_id := self.books.active_contact_by_name.get(name.casefold()):
                return self.books.contacts[active_id]
            if name.casefold() in self.books.archived_contact_by_name:
                raise ValidationError(ARCHIVED, record_id=self.books.archived_contact_by_name[name.casefold()])
            return None
        if number:
            return None
        raise ValidationError(UNIDENTIFIED)

    @staticmethod
    def _require_active(contact: Contact) -> Contact:
        if contact.status != "ACTIVE":
            raise ValidationError(ARCHIVED, record_id=contact.id)
        return contact

    @staticmethod
    def _read_name(element: dict[str, Any]) -> str | None:
        """Return the name as Xero stores it: trimmed, with single spaces."""
        return read_text(" ".join(str(element.get("Name") or "").split()))

    def _differs(self, contact: Contact, element: dict[str, Any], name: str) -> bool:
        number = read_text(element.get("ContactNumber"))
        return (
            name != contact.name
            or (number is not None and number != contact.number)
            or any(contact.fields.get(key) != value for key, value in self._read_fields(element).items())
        )

    @staticmethod
    def _read_fields(element: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {
            key: read_text(element[key]) or "" for key in _TEXT_FIELDS if element.get(key) is not None
        }
        fields.update({key: read_objects(element[key], key) for key in _LIST_FIELDS if element.get(key) is not None})
        fields.update({key: read_object(element[key], key) for key in _OBJECT_FIELDS if element.get(key) is not None})
        return fields

    def _store(self, contact: Contact | None, element: dict[str, Any], name: str) -> Contact:
        books = self.books
        record_id = contact.id if contact else None
        number = read_text(element.get("ContactNumber")) or (contact.number if contact else None)
        fields = self._read_fields(element)
        problems = [
            f"The {key} must not be longer than {max_length} characters."
            for key, max_length in _MAX_LENGTHS.items()
            if utf16_length(str({**fields, "Name": name, "ContactNumber": number}.get(key) or "")) > max_length
        ]
        if "<" in name or ">" in name:
            problems.append("The contact name cannot contain the characters < or >.")
        if len(fields.get("ContactPersons", [])) > 5:
            problems.append("A contact can have at most 5 contact persons.")
        persons = fields.get("ContactPersons", [])
        emails = [fields.get("EmailAddress"), *(person.get("EmailAddress") for person in persons)]
        if any(email and not _EMAIL.match(str(email)) for email in emails):
            problems.append(INVALID_EMAIL)
        if books.active_contact_by_name.get(name.casefold(), record_id) != record_id:
            problems.append(
                f"The contact name {name} is already assigned to another contact. "
                "The contact name must be unique across all active contacts."
            )
        if number and books.contact_by_number.get(number.casefold(), record_id) != record_id:
            problems.append(NUMBER_TAKEN)
        if problems:
            raise ValidationError(*problems, record_id=record_id)
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
