"""Files at invoices and credit notes: list, create and replace. A file of the same name replaces the one before."""

from __future__ import annotations

from functools import partial
from typing import Any

from sandbox.wire import Request, Response

from ..books import Books
from ..documents import Documents
from ..errors import NotFound, api_exception
from ..records import Attachment, Document
from ..responses import Responses
from . import Endpoint

MAX_ATTACHMENTS = 10  # of one document
MAX_BYTES = 10_000_000  # Xero's pages state 10 and 25 MB
_FORBIDDEN = frozenset('<>:"/\\|?*\0+')


class AttachmentEndpoints:
    def __init__(self, books: Books, invoices: Documents, credit_notes: Documents, responses: Responses) -> None:
        self.books = books
        self.responses = responses
        self._owners = {"Invoice": invoices, "CreditNote": credit_notes}

    def by_operation(self) -> dict[str, Endpoint]:
        endpoints: dict[str, Endpoint] = {}
        for owner, documents in self._owners.items():
            endpoints[f"get{owner}Attachments"] = partial(self._list, documents)
            for verb in ("create", "update"):
                endpoints[f"{verb}{owner}AttachmentByFileName"] = partial(self._put, documents)
        return endpoints

    def _list(self, documents: Documents, request: Request, reference: str) -> Response:
        owner = _require(documents, reference)
        return self.responses.records("Attachments", [self._shape(each) for each in self._of(owner)])

    def _put(self, documents: Documents, request: Request, reference: str, name: str) -> Response:
        owner = _require(documents, reference)
        key = owner.id, name.casefold()
        known = self.books.attachments.get(key)
        if problem := self._problem(owner, name, request.body, is_new=known is None):
            return api_exception(10, "ValidationException", problem)
        attachment_id = known.id if known else self.books.new_id()
        mime_type = request.headers.get("content-type", "application/octet-stream")
        attachment = Attachment(attachment_id, owner.id, name, request.body, mime_type)
        self.books.put(self.books.attachments, key, attachment)
        return self.responses.records("Attachments", [self._shape(attachment)])

    def _problem(self, owner: Document, name: str, content: bytes, *, is_new: bool) -> str:
        """Return why Xero takes no such file; empty where it does."""
        if not name or _FORBIDDEN & set(name):
            return "The file name contains characters that are not allowed"
        if not content:
            return "The file is empty"
        if len(content) > MAX_BYTES:
            return "The file is larger than the maximum size"
        if is_new and len(self._of(owner)) >= MAX_ATTACHMENTS:
            return "The maximum number of attachments has been reached"
        return ""

    def _of(self, owner: Document) -> list[Attachment]:
        return [each for each in self.books.attachments.values() if each.document_id == owner.id]

    def _shape(self, attachment: Attachment) -> dict[str, Any]:
        owner = self.books.document(attachment.document_id)
        collection = "CreditNotes" if owner.is_credit_note else "Invoices"
        return {
            "AttachmentID": attachment.id,
            "FileName": attachment.name,
            "Url": f"https://api.xero.com/api.xro/2.0/{collection}/{owner.id}/Attachments/{attachment.name}",
            "MimeType": attachment.mime_type,
            "ContentLength": len(attachment.content),
            "IncludeOnline": False,
        }


def _require(documents: Documents, reference: str) -> Document:
    document = documents.find(reference)
    if document is None:
        raise NotFound
    return document
