"""The sandbox Xero: one organisation behind Xero's accounting API and identity service.

It is deterministic: the same calls at the same times return the same responses, ids and tokens in every run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.wire import Request, Response, SandboxClock, SandboxService

from .accounting_api import AccountingApi
from .books import Books
from .chart import organisation_for
from .contacts import Contacts
from .control import control_response
from .documents import CREDIT_NOTE, INVOICE, Documents
from .errors import NOT_FOUND_RESPONSE, NoDataProcessed, UnreadableValue
from .export import export_books
from .idempotency import IdempotencyKeys
from .items import Items
from .limits import Limits, RateLimiter
from .oauth import Identity, connection_id
from .page import render
from .request_bodies import RequestBodies
from .routing import API, identity_operation, route

# Xero's web server answers 404 to a longer query string (Xero-NetStandard issue 471, Xero-OpenAPI issue 534).
_LONGEST_QUERY = 2_048


class XeroSandbox(SandboxService):
    """One organisation behind Xero's API, with its identity service.

    organisation: the initial settings in Xero's own keys, as `chart.organisation_for` returns them; a British company
        by default.
    limits: the initial rate limits; Xero's by default.

    The default client, secret and refresh token are `oauth.DEFAULT_…`.
    """

    name = "xero"

    def __init__(
        self, clock: SandboxClock, organisation: dict[str, Any] | None = None, limits: Limits | None = None
    ) -> None:
        super().__init__(clock)
        self._initial_settings = organisation or organisation_for("GB")
        self._initial_limits = limits or Limits()
        self._in_progress: set[int] = set()
        self._bodies = RequestBodies()
        self.reset()

    def reset(self) -> None:
        """Restore the initial state: empty books, initial settings and limits, no calls, faults or tokens."""
        self.calls.clear()
        self.faults.clear()
        self.identity = Identity(self.clock)
        # Copied: limits can be changed, and one set may configure several sandboxes.
        self.limits = replace(self._initial_limits)
        self._open_books(Books(self.clock, self._initial_settings))
        self._rate_limiter = RateLimiter(self.limits)
        self._idempotency_keys = IdempotencyKeys()

    def reset_demo_company(self) -> None:
        """Empty the books and keep everything else, as Xero resets a demo company. No id is ever given again."""
        self._open_books(Books(self.clock, self._initial_settings, issued_ids=self.books.issued_ids))

    def _open_books(self, books: Books) -> None:
        self.books = books
        self.contacts = Contacts(books)
        self.items = Items(books)
        self.invoices = Documents(INVOICE, books, self.contacts)
        self.credit_notes = Documents(CREDIT_NOTE, books, self.contacts)
        self._accounting_api = AccountingApi(books, self.contacts, self.invoices, self.credit_notes, self._bodies)

    @property
    def tenant_id(self) -> str:
        """The organisation's id, which is also the value of the xero-tenant-id header."""
        return self.books.organisation_id

    def holdings(self) -> dict[str, list[dict[str, Any]]]:
        """Return every record of the books in Xero's own shapes, oldest first."""
        return export_books(self.books)

    # -- requests ------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        if request.path == "/" and request.method == "GET":
            return Response.of_html(render(self), 200)  # the page for people, not part of Xero's API, is not logged
        return super().handle(request)

    def respond(self, request: Request) -> Response:
        path = request.path.lower().rstrip("/")
        if request.query_length > _LONGEST_QUERY:
            return NOT_FOUND_RESPONSE
        if path.startswith(API):
            return self._call_accounting_api(request)
        match request.method, path:
            case "GET", "/identity/connect/authorize":
                return self.identity.authorise(request)
            case "POST", "/connect/token":
                return self.identity.token(request)
            case "POST", "/connect/revocation":
                return self.identity.revocation(request)
            case "GET", "/connections":
                error = self.identity.authorisation_error(request, self.tenant_id, requires_tenant=False)
                return error or self.identity.connections(self.books.organisation)
            case "DELETE", _ if path == f"/connections/{connection_id(self.books.organisation)}":
                error = self.identity.authorisation_error(request, self.tenant_id, requires_tenant=False)
                if error is None:
                    self.identity.is_connected = False
                return error or Response(204)
        return NOT_FOUND_RESPONSE

    def _call_accounting_api(self, request: Request) -> Response:
        """Check authorisation, rate limits and Idempotency-Key, in that order, then process the call."""
        error = self.identity.authorisation_error(request, self.tenant_id)
        if error is not None:
            return error
        now = self.clock.now()
        in_progress = len(self._in_progress | {id(request)})
        response = self._rate_limiter.take(now, in_progress) or self._idempotency_keys.recall(request, now)
        if response is None:
            response = self._accounting_api.respond(request)
            self._idempotency_keys.store(request, response, now)
        return response.with_headers(self._rate_limiter.headers())

    def failed(self, request: Request, response: Response) -> Response:
        """Xero stores server errors under the Idempotency-Key, so a repeated call returns the same error."""
        if response.status >= 500:
            self._idempotency_keys.replace(request, response)
        return response

    def begin(self, request: Request) -> None:
        if request.path.lower().startswith(API):
            self._in_progress.add(id(request))

    def end(self, request: Request) -> None:
        self._in_progress.discard(id(request))

    def operation(self, request: Request) -> str:
        operation, _ = route(request.method, request.path)
        return operation or identity_operation(request.method, request.path) or "unknown"

    def elements(self, request: Request) -> int:
        if request.method not in {"PUT", "POST"} or not request.path.lower().startswith(API):
            return 0
        try:
            return len(self._bodies.elements(request))
        except (UnreadableValue, NoDataProcessed):
            return 0

    def control(self, request: Request) -> Response:
        response = control_response(self, request)
        return super().control(request) if response is None else response
