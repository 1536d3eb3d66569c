"""Contacts: list, get, create and update."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.wire import Request, Response

from .. import fields, shapes
from ..books import Books
from ..contacts import Contacts
from ..errors import NotFound
from ..listing import select
from ..records import Contact
from ..responses import Responses
from ..where import allowed_values, parse_where
from . import Endpoint


class ContactEndpoints:
    def __init__(self, books: Books, contacts: Contacts, responses: Responses) -> None:
        self.books = books
        self.contacts = contacts
        self.responses = responses

    def by_operation(self) -> dict[str, Endpoint]:
        return {
            "getContacts": self._get_contacts,
            "getContact": self._get_contact,
            "createContacts": self._create_contacts,
            "updateOrCreateContacts": self._update_or_create_contacts,
            "updateContact": self._update_or_create_contacts,
        }

    def _get_contacts(self, request: Request) -> Response:
        includes_archived = _is_true(request, "includeArchived")
        contacts = [contact for contact in self._candidates(request) if includes_archived or contact.status == "ACTIVE"]
        if term := (request.parameter("searchTerm") or "").casefold():
            contacts = [contact for contact in contacts if any(term in text for text in _searchable_texts(contact))]
        contacts = select(request, contacts, fields.CONTACTS, self.books)
        shape = shapes.contact_summary if _is_true(request, "summaryOnly") else shapes.contact
        return self.responses.collection(request, "Contacts", contacts, shape)

    def _candidates(self, request: Request) -> list[Contact]:
        """Return the contacts with the ids, numbers or names in the request; all contacts if it restricts none."""
        books = self.books
        where = parse_where(request.parameter("where"), fields.CONTACTS)
        ids = [contact_id.lower() for contact_id in request.list_parameter("IDs")]
        allowed_ids = ids or allowed_values(where, "contactid")
        number = request.parameter("ContactNumber")
        allowed_numbers = [number.casefold()] if number else allowed_values(where, "contactnumber")
        allowed_names = allowed_values(where, "name")
        candidates: Iterable[Contact | None]
        if allowed_ids is not None:
            candidates = [books.contacts.get(contact_id) for contact_id in dict.fromkeys(allowed_ids)]
        elif allowed_numbers is not None:
            candidates = [books.contacts.get(books.contact_by_number.get(number, "")) for number in allowed_numbers]
        elif allowed_names is not None:
            candidates = [
                books.contacts.get(index.get(name, ""))
                for name in allowed_names
                for index in (books.active_contact_by_name, books.archived_contact_by_name)
            ]
        else:
            candidates = books.contacts.values()
        return [contact for contact in candidates if contact is not None]

    def _get_contact(self, request: Request, reference: str) -> Response:
        contact = self.contacts.find(reference)
        if contact is None:
            raise NotFound
        return self.responses.records("Contacts", [shapes.contact(contact)])

    def _create_contacts(self, request: Request) -> Response:
        return self.responses.batch(request, "ContactID", self.contacts.create, self._current_shape)

    def _update_or_create_contacts(self, request: Request, contact_id: str | None = None) -> Response:
        return self.responses.batch(
            request,
            "ContactID",
            lambda element: self.contacts.update_or_create(element, contact_id),
            self._current_shape,
        )

    def _current_shape(self, contact: Contact) -> dict[str, Any]:
        return shapes.contact(self.books.contacts[contact.id])


def _is_true(request: Request, name: str) -> bool:
    return (request.parameter(name) or "").lower() == "true"


def _searchable_texts(contact: Contact) -> list[str]:
    keys = ("FirstName", "LastName", "EmailAddress", "CompanyNumber")
    texts = [contact.name, contact.number, *(contact.fields.get(key) for key in keys)]
    return [str(text).casefold() for text in texts if text]
