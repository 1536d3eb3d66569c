"""The successful responses of the accounting API: single records, lists, pages and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.wire import Request, Response

from .books import Books
from .errors import ValidationError, validation_exception
from .listing import is_paged, page_of
from .rejected_elements import rejected_element
from .request_bodies import RequestBodies
from .routing import collection_of
from .values import wire_now

Shape = Callable[[Any], dict[str, Any]]


class Responses:
    """Build the responses of one organisation. Their ids are numbered, so that every run repeats exactly."""

    def __init__(self, books: Books, bodies: RequestBodies) -> None:
        self.books = books
        self._bodies = bodies
        self._issued_ids = 0

    def records(self, key: str, records: list[dict[str, Any]], pagination: dict[str, int] | None = None) -> Response:
        """Return records in Xero's envelope."""
        self._issued_ids += 1
        body: dict[str, Any] = {
            "Id": f"00000000-0000-4000-8000-{self._issued_ids:012x}",
            "Status": "OK",
            "ProviderName": "Sandbox",
            "DateTimeUTC": wire_now(self.books.now()),
        }
        if pagination is not None:
            body["pagination"] = pagination
        body[key] = records
        return Response.of_json(body)

    def collection(self, request: Request, key: str, records: list[Any], shape: Shape) -> Response:
        """Return a list, or one page of it if the request asks for a page."""
        if not is_paged(request):
            return self.records(key, [shape(record) for record in records])
        page, pagination = page_of(records, request)
        return self.records(key, [shape(record) for record in page], pagination)

    def batch(self, request: Request, id_field: str, apply: Callable[[dict[str, Any]], Any], shape: Shape) -> Response:
        """Apply every element of the request and return the results.

        With summarizeErrors (Xero's default), one rejected element fails the whole call.
        """
        summarize = (request.parameter("summarizeErrors") or "true").lower() != "false"
        outcomes: list[Any] = []
        rejected: list[dict[str, Any]] = []
        for element in self._bodies.elements(request):
            savepoint = self.books.savepoint()
            try:
                outcomes.append(apply(element))
            except ValidationError as error:
                self.books.roll_back(savepoint)
                rejected.append(rejected_element(element, id_field, error))
                outcomes.append(rejected[-1])
        if rejected and summarize:
            return validation_exception(rejected)
        # Shaped after all elements were applied, so that a document changed by two elements shows its final state.
        results = []
        for outcome in outcomes:
            is_rejected = isinstance(outcome, dict) and "ValidationErrors" in outcome
            result = dict(outcome) if is_rejected else shape(outcome)
            if not summarize:
                result["StatusAttributeString"] = "ERROR" if is_rejected else "OK"
            results.append(result)
        return self.records(collection_of(request.path), results)
