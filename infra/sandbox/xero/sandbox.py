"""The sandbox Xero: the accounting API of one organisation, with the rules that hurt in real life.

A pure function of its books, the request and the clock: the same calls give the same answers, ids and tokens in
every run. `server.py` puts it on a port; the simulation calls `handle` directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from sandbox.wire import Request, Response, SandboxClock, SandboxService

from . import querying, shapes
from .books import Books, Contact, Document, HistoryRecord, NotFound, Payment, Refused
from .chart import organisation_for
from .contacts import Contacts
from .documents import CREDIT_NOTE, INVOICE, Documents
from .limits import IdempotencyKeys, Limits, RateLimiter
from .oauth import Identity, connection_id
from .page import render
from .querying import Fields, UnreadableQuery
from .settings import Items, create_account, create_currency
from .settlement import Allocations, Payments
from .shapes import Shapes
from .values import UnreadableValue, read_instant, read_objects, read_text, wire_now

API = "/api.xro/2.0/"

# method, resource and what follows it -> operation of Xero's OpenAPI document, method of this class
_ROUTES: dict[tuple[str, str, str], tuple[str, str]] = {
    ("GET", "organisation", ""): ("getOrganisations", "_get_organisation"),
    ("GET", "accounts", ""): ("getAccounts", "_get_accounts"),
    ("PUT", "accounts", ""): ("createAccount", "_create_account"),
    ("GET", "taxrates", ""): ("getTaxRates", "_get_tax_rates"),
    ("GET", "currencies", ""): ("getCurrencies", "_get_currencies"),
    ("PUT", "currencies", ""): ("createCurrency", "_create_currency"),
    ("GET", "contacts", ""): ("getContacts", "_get_contacts"),
    ("PUT", "contacts", ""): ("createContacts", "_create_contacts"),
    ("POST", "contacts", ""): ("updateOrCreateContacts", "_update_or_create_contacts"),
    ("GET", "contacts", "/id"): ("getContact", "_get_contact"),
    ("POST", "contacts", "/id"): ("updateContact", "_update_or_create_contacts"),
    ("GET", "invoices", ""): ("getInvoices", "_get_invoices"),
    ("PUT", "invoices", ""): ("createInvoices", "_create_invoices"),
    ("POST", "invoices", ""): ("updateOrCreateInvoices", "_update_or_create_invoices"),
    ("GET", "invoices", "/id"): ("getInvoice", "_get_invoice"),
    ("POST", "invoices", "/id"): ("updateInvoice", "_update_or_create_invoices"),
    ("GET", "invoices", "/id/history"): ("getInvoiceHistory", "_get_history"),
    ("PUT", "invoices", "/id/history"): ("createInvoiceHistory", "_create_history"),
    ("GET", "creditnotes", ""): ("getCreditNotes", "_get_credit_notes"),
    ("PUT", "creditnotes", ""): ("createCreditNotes", "_create_credit_notes"),
    ("POST", "creditnotes", ""): ("updateOrCreateCreditNotes", "_update_or_create_credit_notes"),
    ("GET", "creditnotes", "/id"): ("getCreditNote", "_get_credit_note"),
    ("POST", "creditnotes", "/id"): ("updateCreditNote", "_update_or_create_credit_notes"),
    ("PUT", "creditnotes", "/id/allocations"): ("createCreditNoteAllocation", "_create_allocations"),
    ("DELETE", "creditnotes", "/id/allocations/id"): ("deleteCreditNoteAllocations", "_delete_allocation"),
    ("GET", "payments", ""): ("getPayments", "_get_payments"),
    ("PUT", "payments", ""): ("createPayments", "_create_payments"),
    ("POST", "payments", ""): ("createPayment", "_create_payments"),
    ("GET", "payments", "/id"): ("getPayment", "_get_payment"),
    ("POST", "payments", "/id"): ("deletePayment", "_delete_payment"),
    ("GET", "items", ""): ("getItems", "_get_items"),
    ("PUT", "items", ""): ("createItems", "_create_items"),
    ("POST", "items", ""): ("updateOrCreateItems", "_update_or_create_items"),
    ("GET", "items", "/id"): ("getItem", "_get_item"),
    ("POST", "items", "/id"): ("updateItem", "_update_or_create_items"),
}
_COLLECTIONS = {
    "accounts": "Accounts",
    "currencies": "Currencies",
    "contacts": "Contacts",
    "invoices": "Invoices",
    "creditnotes": "CreditNotes",
    "payments": "Payments",
    "items": "Items",
}
_NESTED = {"history": "HistoryRecords", "allocations": "Allocations"}

Shape = Callable[[Any], dict[str, Any]]


class XeroSandbox(SandboxService):
    """One organisation behind Xero's API, identity included.

    `organisation` are the starting settings in Xero's own keys, as `chart.organisation_for` gives them (a British
    company when absent). Default client, secret and refresh token: `oauth.DEFAULT_…`.
    """

    name = "xero"

    def __init__(
        self, clock: SandboxClock, organisation: dict[str, Any] | None = None, limits: Limits | None = None
    ) -> None:
        super().__init__(clock)
        self._start = organisation or organisation_for("GB")
        self._start_limits = limits or Limits()
        self._running: set[int] = set()
        self._body: tuple[Request | None, Any] = (None, None)
        self._envelopes = 0
        self._fresh()

    def _fresh(self) -> None:
        self.books = Books(self.clock, self._start)
        self.identity = Identity(self.clock)
        # Copied: limits can be changed, and one set may start many sandboxes.
        self.limits = replace(self._start_limits)
        self.rate = RateLimiter(self.limits)
        self.keys = IdempotencyKeys()
        self.contacts = Contacts(self.books)
        self.invoices = Documents(INVOICE, self.books, self.contacts)
        self.credit_notes = Documents(CREDIT_NOTE, self.books, self.contacts)
        self.payments = Payments(self.books)
        self.allocations = Allocations(self.books)
        self.items = Items(self.books)
        self.shapes = Shapes(self.books)

    @property
    def tenant_id(self) -> str:
        """The organisation's id, which is also what the xero-tenant-id header names."""
        return self.books.organisation_id

    # -- the service ---------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        if request.path == "/" and request.method == "GET":
            return Response.of_html(render(self), 200)  # a person looking, not a call of the API
        return super().handle(request)

    def respond(self, request: Request) -> Response:
        path = request.path.lower().rstrip("/")
        if path.startswith(API):
            return self._api(request)
        match request.method, path:
            case "POST", "/connect/token":
                return self.identity.token(request)
            case "POST", "/connect/revocation":
                return self.identity.revocation(request)
            case "GET", "/connections":
                refused = self.identity.refusal(request, self.tenant_id, needs_tenant=False)
                return refused or self.identity.connections(self.books.organisation)
            case "DELETE", _ if path == f"/connections/{connection_id(self.books.organisation)}":
                refused = self.identity.refusal(request, self.tenant_id, needs_tenant=False)
                if refused is None:
                    self.identity.is_connected = False
                return refused or Response(204)
        return _NOT_FOUND

    def _api(self, request: Request) -> Response:
        refused = self.identity.refusal(request, self.tenant_id)
        if refused is not None:
            return refused
        now = self.clock.now()
        running = len(self._running) + (0 if id(request) in self._running else 1)
        response = self.rate.take(now, running) or self.keys.recall(request, now)
        if response is None:
            response = self._answer(request)
            self.keys.keep(request, response, now)
        return response.with_headers(self.rate.headers())

    def failed(self, request: Request, answer: Response) -> Response:
        """Xero keeps errors under the Idempotency-Key as well, so the same key meets the same failure again."""
        if answer.status >= 500:
            self.keys.replace(request, answer)
        return answer

    def begin(self, request: Request) -> None:
        if request.path.lower().startswith(API):
            self._running.add(id(request))

    def end(self, request: Request) -> None:
        self._running.discard(id(request))

    def operation(self, request: Request) -> str:
        route, _ = _route(request.method, request.path)
        if route is not None:
            return route[0]
        match request.method, request.path.lower().rstrip("/"):
            case "POST", "/connect/token":
                return "connectToken"
            case "POST", "/connect/revocation":
                return "connectRevocation"
            case "GET", "/connections":
                return "getConnections"
            case "DELETE", path if path.startswith("/connections/"):
                return "deleteConnection"
        return "unknown"

    def elements(self, request: Request) -> int:
        if request.method not in {"PUT", "POST"} or not request.path.lower().startswith(API):
            return 0
        try:
            return len(self._elements(request))
        except (UnreadableValue, Refused):
            return 0

    # -- control -------------------------------------------------------------------------------------------------

    def control(self, request: Request) -> Response:
        """What every sandbox offers (calls, faults, clock), and:

        GET books · POST organisation (`?replace=true` replaces the lists sent instead of merging) · GET, POST limits ·
        POST reset · POST archive `{"Contact": id, number or name}` · POST refresh-token `{"refresh_token": …}` ·
        POST connection `{"connected": bool}`.
        """
        try:
            match request.method, request.path.removeprefix("/_sandbox/").rstrip("/"):
                case "GET", "books":
                    return Response.of_json(self.holdings())
                case "POST", "organisation":
                    replacing = (request.parameter("replace") or "").lower() == "true"
                    self.books.configure(_object(request), replacing=replacing)
                    return Response(204)
                case "GET", "limits":
                    return Response.of_json(self.limits.as_dict())
                case "POST", "limits":
                    self.limits.change(_object(request))
                    return Response.of_json(self.limits.as_dict())
                case "POST", "reset":
                    self.calls.clear()
                    self.faults.clear()
                    self._fresh()
                    return Response(204)
                case "POST", "archive":
                    contact = self.contacts.archive(str(_object(request)["Contact"]))
                    self.books.settle()
                    return Response.of_json({"Contacts": [shapes.contact(contact)]})
                case "POST", "refresh-token":
                    self.identity.seed_refresh_token(str(_object(request)["refresh_token"]))
                    return Response(204)
                case "POST", "connection":
                    self.identity.is_connected = bool(_object(request)["connected"])
                    return Response(204)
        except NotFound:
            return Response.of_json({"error": "no such contact: send its ContactID, ContactNumber or Name"}, 404)
        except KeyError as missing:
            return Response.of_json({"error": f"the body lacks {missing}"}, 400)
        except (ValueError, UnreadableValue) as error:
            return Response.of_json({"error": str(error)}, 400)
        return super().control(request)

    def holdings(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in the books in Xero's own shapes, oldest first; documents with their lines and payments."""
        books = self.books
        return {
            "Organisations": [books.organisation],
            "Accounts": list(books.accounts.values()),
            "TaxRates": list(books.tax_rates.values()),
            "Currencies": list(books.currencies.values()),
            "Contacts": [shapes.contact(one) for one in books.contacts.values()],
            "Invoices": [self.shapes.invoice(one, full_contact=False, decimals=4) for one in books.invoices.values()],
            "CreditNotes": [
                self.shapes.credit_note(one, full_contact=False, decimals=4) for one in books.credit_notes.values()
            ],
            "Payments": [self.shapes.payment(one) for one in books.payments.values()],
            "Allocations": [self.shapes.allocation(one) for one in books.allocations.values()],
            "Items": [self.shapes.item(one) for one in books.items.values()],
            "HistoryRecords": [
                {"InvoiceID": invoice_id, **self.shapes.history(record)}
                for invoice_id, records in books.history.items()
                for record in records
            ],
        }

    # -- answering -----------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        route, references = _route(request.method, request.path)
        if route is None:
            return _NOT_FOUND
        try:
            response: Response = getattr(self, route[1])(request, *references)
        except NotFound:
            response = _NOT_FOUND
        except UnreadableQuery as error:
            response = _exception(16, "QueryParseException", str(error))
        except UnreadableValue as error:
            response = _exception(14, "PostDataInvalidException", str(error))
        if response.status >= 400:
            self.books.back_to(0)
        self.books.settle()
        return response

    def _envelope(self, key: str, records: list[dict[str, Any]], pagination: dict[str, int] | None = None) -> Response:
        self._envelopes += 1
        body: dict[str, Any] = {
            "Id": f"00000000-0000-4000-8000-{self._envelopes:012x}",
            "Status": "OK",
            "ProviderName": "Sandbox",
            "DateTimeUTC": wire_now(self.clock.now()),
        }
        if pagination is not None:
            body["pagination"] = pagination
        body[key] = records
        return Response.of_json(body)

    def _elements(self, request: Request) -> list[dict[str, Any]]:
        """The documents of a body: `{"Invoices": […]}`, a bare list or one bare object."""
        if self._body[0] is not request:
            try:
                self._body = (request, request.json())
            except (ValueError, RecursionError):
                self._body = (request, None)
        body = self._body[1]
        key = _collection(request.path)
        if isinstance(body, dict):
            body = body.get(key, body)
        if not isinstance(body, dict | list):
            raise UnreadableValue("JSON for post data was invalid")
        elements = read_objects(body if isinstance(body, list) else [body], key)
        if not elements or elements == [{}]:
            raise Refused(
                "No data has been processed for this endpoint. "
                f"This endpoint is expecting {key.removesuffix('s')} data to be specified in the request body."
            )
        return elements

    def _batch(self, request: Request, id_field: str, apply: Callable[[dict[str, Any]], Any], shape: Shape) -> Response:
        """Apply every element. With summarizeErrors (Xero's default) one refused element undoes the whole call."""
        try:
            elements = self._elements(request)
        except Refused as nothing:
            return _exception(17, "NoDataProcessedException", nothing.messages[0])
        summarize = (request.parameter("summarizeErrors") or "true").lower() != "false"
        outcomes: list[Any] = []
        refused: list[dict[str, Any]] = []
        for element in elements:
            mark = self.books.mark()
            try:
                outcomes.append(apply(element))
            except Refused as refusal:
                self.books.back_to(mark)
                refused.append(shapes.refused(element, id_field, refusal.record_id, refusal.messages))
                outcomes.append(refused[-1])
        if refused and summarize:
            return _exception(10, "ValidationException", "A validation exception occurred", Elements=refused)
        # Shaped at the end, so that a document an element touched twice is shown as it now is.
        answered = []
        for outcome in outcomes:
            failed = isinstance(outcome, dict) and "ValidationErrors" in outcome
            record = dict(outcome) if failed else shape(outcome)
            if not summarize:
                record["StatusAttributeString"] = "ERROR" if failed else "OK"
            answered.append(record)
        return self._envelope(_collection(request.path), answered)

    def _selected(self, request: Request, records: Iterable[Any], fields: Fields, *, modified: bool) -> list[Any]:
        """Records that pass where and If-Modified-Since, in the order asked for."""
        wanted = querying.condition(request.parameter("where"), fields)
        selected = list(records)
        if wanted is not None:
            selected = [one for one in selected if wanted.holds(one, fields.getters, self.books)]
        since = read_instant(request.headers.get("if-modified-since", "")) if modified else None
        if since is not None:
            selected = [one for one in selected if one.updated >= since]
        return querying.ordered(selected, request.parameter("order"), fields, self.books)

    # -- settings ------------------------------------------------------------------------------------------------

    def _get_organisation(self, request: Request) -> Response:
        return self._envelope("Organisations", [self.books.organisation])

    def _get_accounts(self, request: Request) -> Response:
        accounts = self._selected(request, self.books.accounts.values(), querying.ACCOUNTS, modified=False)
        return self._envelope("Accounts", accounts)

    def _create_account(self, request: Request) -> Response:
        return self._batch(request, "AccountID", lambda element: create_account(self.books, element), dict)

    def _get_tax_rates(self, request: Request) -> Response:
        rates = self._selected(request, self.books.tax_rates.values(), querying.TAX_RATES, modified=False)
        return self._envelope("TaxRates", rates)

    def _get_currencies(self, request: Request) -> Response:
        currencies = self._selected(request, self.books.currencies.values(), querying.CURRENCIES, modified=False)
        return self._envelope("Currencies", currencies)

    def _create_currency(self, request: Request) -> Response:
        return self._batch(request, "CurrencyID", lambda element: create_currency(self.books, element), dict)

    # -- contacts ------------------------------------------------------------------------------------------------

    def _get_contacts(self, request: Request) -> Response:
        books = self.books
        wanted = querying.condition(request.parameter("where"), querying.CONTACTS)
        ids = [one.lower() for one in request.listed("IDs")] or querying.allowed_values(wanted, "contactid")
        given = request.parameter("ContactNumber")
        numbers = [given.casefold()] if given else querying.allowed_values(wanted, "contactnumber")
        names = querying.allowed_values(wanted, "name")
        found: Iterable[Contact | None]
        if ids is not None:
            found = [books.contacts.get(one) for one in dict.fromkeys(ids)]
        elif numbers is not None:
            found = [books.contacts.get(books.contact_by_number.get(one, "")) for one in numbers]
        elif names is not None:
            found = [
                books.contacts.get(index.get(name, ""))
                for name in names
                for index in (books.active_contact_by_name, books.archived_contact_by_name)
            ]
        else:
            found = books.contacts.values()
        archived_too = (request.parameter("includeArchived") or "").lower() == "true"
        contacts = [one for one in found if one is not None and (archived_too or one.status == "ACTIVE")]
        if term := (request.parameter("searchTerm") or "").casefold():
            contacts = [one for one in contacts if any(term in text for text in _searched(one))]
        contacts = self._selected(request, contacts, querying.CONTACTS, modified=True)
        summary = (request.parameter("summaryOnly") or "").lower() == "true"
        return self._listed(request, "Contacts", contacts, shapes.contact_summary if summary else shapes.contact)

    def _get_contact(self, request: Request, reference: str) -> Response:
        contact = self.contacts.find(reference)
        if contact is None:
            raise NotFound
        return self._envelope("Contacts", [shapes.contact(contact)])

    def _create_contacts(self, request: Request) -> Response:
        return self._batch(request, "ContactID", self.contacts.create, self._contact_now)

    def _update_or_create_contacts(self, request: Request, contact_id: str | None = None) -> Response:
        return self._batch(
            request, "ContactID", lambda one: self.contacts.update_or_create(one, contact_id), self._contact_now
        )

    def _contact_now(self, contact: Contact) -> dict[str, Any]:
        return shapes.contact(self.books.contacts[contact.id])

    # -- invoices and credit notes -------------------------------------------------------------------------------

    def _get_invoices(self, request: Request) -> Response:
        invoices = self._documents(request, self.invoices, querying.INVOICES)
        contact_ids = {one.lower() for one in request.listed("ContactIDs")}
        statuses = {one.upper() for one in request.listed("Statuses")}
        if contact_ids:
            invoices = [one for one in invoices if one.contact_id in contact_ids]
        if statuses:
            invoices = [one for one in invoices if one.status in statuses]
        if term := (request.parameter("searchTerm") or "").casefold():
            invoices = [
                one
                for one in invoices
                if term in one.number.casefold()
                or term in (one.reference or "").casefold()
                or term in self.books.contacts[one.contact_id].name.casefold()
            ]
        summary = (request.parameter("summaryOnly") or "").lower() == "true"
        decimals, paged = _decimals(request), _is_paged(request)
        return self._listed(
            request,
            "Invoices",
            invoices,
            lambda one: self.shapes.invoice(one, lines=paged, full_contact=False, decimals=decimals, summary=summary),
        )

    def _get_credit_notes(self, request: Request) -> Response:
        notes = self._documents(request, self.credit_notes, querying.CREDIT_NOTES)
        decimals, paged = _decimals(request), _is_paged(request)
        return self._listed(
            request,
            "CreditNotes",
            notes,
            lambda one: self.shapes.credit_note(one, lines=paged, full_contact=False, decimals=decimals),
        )

    def _documents(self, request: Request, documents: Documents, fields: Fields) -> list[Document]:
        kind = documents.kind
        wanted = querying.condition(request.parameter("where"), fields)
        ids = [one.lower() for one in request.listed("IDs")]
        numbers = [one.casefold() for one in request.listed("InvoiceNumbers")]
        asked = ids or querying.allowed_values(wanted, kind.id_field.lower())
        named = numbers or querying.allowed_values(wanted, kind.number_field.lower())
        found: Iterable[Document | None]
        if asked is not None:
            found = [documents.table.get(one) for one in dict.fromkeys(asked)]
        elif named is not None:
            found = [
                documents.table[one]
                for number in dict.fromkeys(named)
                for one in documents.ids_by_number.get(number, ())
            ]
        else:
            found = documents.table.values()
        if ids and numbers:
            found = [one for one in found if one is not None and one.number.casefold() in numbers]
        return self._selected(request, (one for one in found if one is not None), fields, modified=True)

    def _get_invoice(self, request: Request, reference: str) -> Response:
        return self._one_document(request, self.invoices, reference)

    def _get_credit_note(self, request: Request, reference: str) -> Response:
        return self._one_document(request, self.credit_notes, reference)

    def _one_document(self, request: Request, documents: Documents, reference: str) -> Response:
        document = documents.find(reference)
        if document is None:
            raise NotFound
        return self._envelope(documents.kind.collection, [self.shapes.document(document, decimals=_decimals(request))])

    def _create_invoices(self, request: Request) -> Response:
        return self._write(request, self.invoices, create=True)

    def _update_or_create_invoices(self, request: Request, invoice_id: str | None = None) -> Response:
        return self._write(request, self.invoices, document_id=invoice_id)

    def _create_credit_notes(self, request: Request) -> Response:
        return self._write(request, self.credit_notes, create=True)

    def _update_or_create_credit_notes(self, request: Request, note_id: str | None = None) -> Response:
        return self._write(request, self.credit_notes, document_id=note_id)

    def _write(
        self, request: Request, documents: Documents, *, create: bool = False, document_id: str | None = None
    ) -> Response:
        decimals = _decimals(request)

        def apply(element: dict[str, Any]) -> Document:
            if create:
                return documents.create(element, decimals)
            return documents.update_or_create(element, decimals, document_id)

        def shape(document: Document) -> dict[str, Any]:
            return dict(self.shapes.document(documents.table[document.id], decimals=decimals))

        return self._batch(request, documents.kind.id_field, apply, shape)

    def _get_history(self, request: Request, reference: str) -> Response:
        invoice = self.books.invoice(reference)
        if invoice is None:
            raise NotFound
        records = self.books.history.get(invoice.id, ())
        return self._envelope("HistoryRecords", [self.shapes.history(record) for record in records])

    def _create_history(self, request: Request, reference: str) -> Response:
        invoice = self.books.invoice(reference)
        if invoice is None:
            raise NotFound

        def apply(element: dict[str, Any]) -> HistoryRecord:
            details = read_text(element.get("Details"))
            if details is None or len(details) > 2500:
                raise Refused("The Details of a history record must have 1 to 2500 characters.")
            record = HistoryRecord(details, "Note", self.books.now())
            self.books.put(self.books.history, invoice.id, (*self.books.history.get(invoice.id, ()), record))
            return record

        return self._batch(request, "HistoryRecordID", apply, self.shapes.history)

    # -- payments and allocations --------------------------------------------------------------------------------

    def _get_payments(self, request: Request) -> Response:
        books = self.books
        wanted = querying.condition(request.parameter("where"), querying.PAYMENTS)
        asked = querying.allowed_values(wanted, "paymentid")
        paid = querying.allowed_values(wanted, "invoice.invoiceid")
        found: Iterable[Payment]
        if asked is not None:
            found = [books.payments[one] for one in asked if one in books.payments]
        elif paid is not None:
            found = [
                books.payments[one] for document in paid for one in books.payment_ids_by_document.get(document, ())
            ]
        else:
            found = books.payments.values()
        selected = self._selected(request, found, querying.PAYMENTS, modified=True)
        return self._listed(request, "Payments", selected, self.shapes.payment)

    def _get_payment(self, request: Request, payment_id: str) -> Response:
        payment = self.books.payments.get(payment_id.lower())
        if payment is None:
            raise NotFound
        return self._envelope("Payments", [self.shapes.payment(payment, written=True)])

    def _create_payments(self, request: Request) -> Response:
        return self._batch(
            request, "PaymentID", self.payments.create, lambda one: self.shapes.payment(one, written=True)
        )

    def _delete_payment(self, request: Request, payment_id: str) -> Response:
        return self._batch(
            request,
            "PaymentID",
            lambda element: self.payments.delete(payment_id, element),
            lambda one: self.shapes.payment(one, written=True),
        )

    def _create_allocations(self, request: Request, note_id: str) -> Response:
        return self._batch(
            request,
            "AllocationID",
            lambda element: self.allocations.create(note_id, element),
            self.shapes.allocation,
        )

    def _delete_allocation(self, request: Request, note_id: str, allocation_id: str) -> Response:
        allocation = self.allocations.delete(note_id, allocation_id)
        return Response.of_json({**self.shapes.allocation(allocation), "IsDeleted": True})

    # -- items ---------------------------------------------------------------------------------------------------

    def _get_items(self, request: Request) -> Response:
        items = self._selected(request, self.books.items.values(), querying.ITEMS, modified=True)
        return self._envelope("Items", [self.shapes.item(item) for item in items])

    def _get_item(self, request: Request, reference: str) -> Response:
        item = self.items.find(reference)
        if item is None:
            raise NotFound
        return self._envelope("Items", [self.shapes.item(item)])

    def _create_items(self, request: Request) -> Response:
        return self._batch(request, "ItemID", self.items.create, self.shapes.item)

    def _update_or_create_items(self, request: Request, item_id: str | None = None) -> Response:
        return self._batch(
            request, "ItemID", lambda element: self.items.update_or_create(element, item_id), self.shapes.item
        )

    def _listed(self, request: Request, key: str, records: list[Any], shape: Shape) -> Response:
        """A list, in pages when page or pageSize is sent and whole otherwise."""
        if not _is_paged(request):
            return self._envelope(key, [shape(record) for record in records])
        records, pagination = querying.page_of(records, request.parameter("page"), request.parameter("pageSize"))
        return self._envelope(key, [shape(record) for record in records], pagination)


_NOT_FOUND = Response.of_html("", 404)


@lru_cache(maxsize=4096)
def _route(method: str, path: str) -> tuple[tuple[str, str] | None, tuple[str, ...]]:
    """The route of a path, and the references (ids, numbers) in it."""
    if not path.lower().startswith(API):
        return None, ()
    parts = [unquote(part) for part in path[len(API) :].strip("/").split("/")]
    rest = [part if index % 2 else "id" for index, part in enumerate(parts[1:])]
    trail = "".join(f"/{part.lower()}" for part in rest)
    return _ROUTES.get((method, parts[0].lower(), trail)), tuple(parts[1::2])


def _object(request: Request) -> dict[str, Any]:
    """The body of a control request. Raises ValueError."""
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError(f"the body must be a JSON object, not {type(body).__name__}")
    return body


def _collection(path: str) -> str:
    """The key of a request's or an answer's documents."""
    parts = path[len(API) :].strip("/").lower().split("/")
    return _NESTED[parts[2]] if len(parts) > 2 and parts[2] in _NESTED else _COLLECTIONS.get(parts[0], "")


def _decimals(request: Request) -> int:
    return 4 if request.parameter("unitdp") == "4" else 2


def _is_paged(request: Request) -> bool:
    return bool(request.parameter("page") or request.parameter("pageSize"))


def _searched(contact: Contact) -> list[str]:
    keys = ("FirstName", "LastName", "EmailAddress", "CompanyNumber")
    texts = [contact.name, contact.number, *(contact.fields.get(key) for key in keys)]
    return [str(text).casefold() for text in texts if text]


def _exception(number: int, kind: str, message: str, **more: Any) -> Response:
    return Response.of_json({"ErrorNumber": number, "Type": kind, "Message": message, **more}, 400)
