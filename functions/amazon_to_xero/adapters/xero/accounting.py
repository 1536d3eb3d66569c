"""Xero's Accounting API through xero-python, with every part replaced that would hide what happened to a write.

The SDK builds URLs and headers and names the operations. Bodies are sent as text that is written here, with exact
decimals, and returned as plain objects: the SDK's models would turn money into float and fail on an unknown currency
after Xero has committed. How often and for how long a request is sent is decided in `transport`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from xero_python.accounting import AccountingApi

from amazon_to_xero.adapters.xero.answers import (
    authorisation_problem,
    document_of,
    limits_in,
    no_usable_answer,
    rate_limited,
)
from amazon_to_xero.adapters.xero.collections import (
    GUID,
    PAGE_SIZE,
    Collection,
    collection_of,
    filter_parameters,
    lookup_groups,
)
from amazon_to_xero.adapters.xero.exact_json import exact_json
from amazon_to_xero.adapters.xero.items import item_from, named_items
from amazon_to_xero.adapters.xero.organisation import branding_themes_from, organisation_from, tracking_from
from amazon_to_xero.adapters.xero.outcomes import outcomes_of_batch, outcomes_of_refused_batch, refusal_message
from amazon_to_xero.adapters.xero.transport import Answer, Connection, NoAnswer, NotSent, checked_url
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.xero import (
    MAX_BYTES,
    MAX_ELEMENTS,
    MAX_VALUES,
    AccessTokens,
    Outcome,
    Redact,
    XeroError,
    XeroGrantRefused,
    XeroLimits,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRefused,
    XeroUnavailable,
)

API_URL = "https://api.xero.com"
NO_LISTS = ListsToRead()
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")  # Xero: at most 128 characters


class XeroAccounting:
    """ports.XeroApi for one organisation. Thread-safe; several organisations can be used in one process.

    Bad arguments raise ValueError before anything is sent. No error carries a body, a header or anything that
    identifies a buyer.
    """

    def __init__(
        self,
        tokens: AccessTokens,
        tenant_id: str,
        clock: Clock,
        redact: Redact,
        *,
        api_url: str = API_URL,
        lists: ListsToRead = NO_LISTS,
    ) -> None:
        """Connect to the organisation with this tenant id.

        api_url: replaces Xero's own.
        lists: what is read of the organisation besides its accounts, tax rates and currencies.
        """
        if not tenant_id:
            raise ValueError("tenant_id is empty; run the connect command to choose the Xero organisation")
        self._tokens = tokens
        self._tenant_id = tenant_id
        self._clock = clock
        self._redact = redact
        self._lists = lists
        self._connection = Connection(clock)
        base = f"{checked_url(api_url, 'api_url')}/api.xro/2.0"
        self._api = AccountingApi(self._connection.client, base_url=base)
        self._limits = XeroLimits()

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        kind = collection_of(collection)
        for element in elements:
            if element.get(kind.id_field):
                raise ValueError(f"{collection} to create carry no {kind.id_field}; update those that have one")
        return self._write_batch("create", kind, kind.create, elements, idempotency_key)

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """As the port says. A payment can only be deleted: one {PaymentID, Status: DELETED} per call."""
        kind = collection_of(collection)
        if not kind.update:
            raise ValueError(f"{collection} can only be created")
        for element in elements:
            # Without an id Xero would look for the number and overwrite whichever document has it.
            if not GUID.fullmatch(str(element.get(kind.id_field, ""))):
                raise ValueError(f"{collection} to update need their {kind.id_field}; create those that have none")
        if collection == "Payments":
            return self._delete_payment(kind, elements, idempotency_key)
        return self._write_batch("update", kind, kind.update, elements, idempotency_key)

    def lookup_groups(self, collection: str, field: str, values: Sequence[str]) -> list[list[str]]:
        return lookup_groups(collection_of(collection), field, values)

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        """As the port says, compared without regard to case. Contacts include archived ones, Invoices no bills."""
        kind = collection_of(collection)
        if not kind.read:
            raise ValueError(f"{collection} can only be read in the documents that they are part of")
        distinct = list(dict.fromkeys(values))
        if len(distinct) > MAX_VALUES:
            raise ValueError(
                f"find takes at most {MAX_VALUES} values of {field} and was given {len(distinct)}; split them"
            )
        if not distinct:
            return []
        operation = f"find {collection}"
        options = {**kind.read_options, **filter_parameters(kind, field, distinct)}
        document = self._read(operation, kind.read, collection, options)
        pagination = document.get("pagination")
        if isinstance(pagination, dict) and (pagination.get("pageCount") or 0) > 1:
            raise XeroUnavailable(
                operation, 200, f"more than {PAGE_SIZE} documents for {len(distinct)} values of {field}"
            )
        # Xero's filter is not relied on: a document that does not match is never taken for one that was requested.
        requested = {folded(value) for value in distinct}
        return [
            element
            for element in document[collection]
            if folded(element.get(field)) in requested
            and (not kind.sales_type or element.get("Type") == kind.sales_type)
        ]

    def approved_since(self, since: datetime, page: int) -> list[Json]:
        options = {**_changed_since(collection_of("Invoices"), since, page), "statuses": ["AUTHORISED", "PAID"]}
        found: list[Json] = self._read("find approved Invoices", "get_invoices", "Invoices", options)["Invoices"]
        return found

    def changed_since(self, collection: str, since: datetime, page: int) -> list[Json]:
        kind = collection_of(collection)
        options = _changed_since(kind, since, page)
        found: list[Json] = self._read(f"find changed {collection}", kind.read, collection, options)[collection]
        return found

    def attach(self, collection: str, document_id: str, file_name: str, content: bytes, idempotency_key: str) -> None:
        kind = collection_of(collection)
        if not kind.attach or not GUID.fullmatch(document_id):
            raise ValueError(f"files are attached to invoices and credit notes by their id, not to {collection}")
        operation = f"attach to {collection}"
        arguments = (document_id, file_name, content)
        answer = self._send(operation, kind.attach, *arguments, writes=True, idempotency_key=idempotency_key)
        document = document_of(operation, answer, writes=True)
        if answer.status == 400:
            raise XeroRefused(operation, 400, refusal_message(document, (), self._redact))

    def attachments(self, collection: str, document_id: str) -> list[Json]:
        kind = collection_of(collection)
        operation = f"read attachments of {collection}"
        answer = self._send(operation, kind.attachments, document_id, writes=False)
        document = document_of(operation, answer, writes=False)
        found = document.get("Attachments")
        if answer.status == 400 or not isinstance(found, list):
            raise XeroUnavailable(operation, answer.status, "answer has no list of Attachments")
        return found

    def organisation(self) -> Organisation:
        """As the port says. An unknown time zone raises XeroRefused: without it no document has a date."""
        organisations = self._read("read Organisation", "get_organisations", "Organisations", {})["Organisations"]
        accounts = self._read("read Accounts", "get_accounts", "Accounts", {})["Accounts"]
        tax_rates = self._read("read TaxRates", "get_tax_rates", "TaxRates", {})["TaxRates"]
        currencies = self._read("read Currencies", "get_currencies", "Currencies", {})["Currencies"]
        return replace(
            organisation_from(organisations, accounts, tax_rates, currencies, self._clock.now()),
            lists=self._lists,
            tracking=self._tracking() if self._lists.tracking else {},
            items=named_items(self._item_elements(), self._lists.item_codes) if self._lists.item_codes else {},
            branding_themes=self._branding_themes() if self._lists.branding_themes else {},
        )

    def _tracking(self) -> Mapping[str, frozenset[str]]:
        return tracking_from(
            self._read("read TrackingCategories", "get_tracking_categories", "TrackingCategories", {})[
                "TrackingCategories"
            ]
        )

    def _branding_themes(self) -> Mapping[str, str]:
        return branding_themes_from(
            self._read("read BrandingThemes", "get_branding_themes", "BrandingThemes", {})["BrandingThemes"]
        )

    def items(self) -> list[XeroItem]:
        return [item_from(element) for element in self._item_elements()]

    def _item_elements(self) -> list[Json]:
        """Return the elements of all items. Xero answers them at once: its Items have no pages."""
        document = self._read("read Items", "get_items", "Items", {"unitdp": 4})
        pagination = document.get("pagination")
        if isinstance(pagination, dict) and (pagination.get("pageCount") or 0) > 1:
            raise XeroUnavailable("read Items", 200, "the answer is one page of several, which is not documented")
        found: list[Json] = document["Items"]
        return found

    def limits(self) -> XeroLimits:
        return self._limits

    def _write_batch(
        self, verb: str, kind: Collection, method: str, elements: Sequence[Json], idempotency_key: str
    ) -> list[Outcome]:
        if not 1 <= len(elements) <= MAX_ELEMENTS:
            raise ValueError(
                f"a call carries 1 to {MAX_ELEMENTS} {kind.name} and was given {len(elements)}; split them"
            )
        owner_ids, sent = _owner_and_parts(kind, elements)
        body = exact_json({kind.name: sent})
        if len(body) > MAX_BYTES:
            raise ValueError(
                f"{len(elements)} {kind.name} are {len(body)} bytes and a call carries {MAX_BYTES}; split them"
            )
        operation = f"{verb} {kind.name}"
        return self._write(operation, kind, method, (*owner_ids, body), sent, idempotency_key, kind.write_options)

    def _delete_payment(self, kind: Collection, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """Delete one payment: the URL names it, and the body is not a list."""
        if len(elements) != 1 or elements[0].get("Status") != "DELETED":
            raise ValueError("a payment can only be deleted, one a call; pass one element with Status DELETED")
        arguments = (elements[0]["PaymentID"], exact_json({"Status": "DELETED"}))
        return self._write("delete Payments", kind, kind.update, arguments, elements, idempotency_key, {})

    def _write(
        self,
        operation: str,
        kind: Collection,
        method: str,
        arguments: tuple[Any, ...],
        elements: Sequence[Json],
        idempotency_key: str,
        options: Mapping[str, Any],
    ) -> list[Outcome]:
        if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            raise ValueError("idempotency_key should be 1 to 128 printable ASCII characters without spaces")
        answer = self._send(operation, method, *arguments, writes=True, idempotency_key=idempotency_key, **options)
        document = document_of(operation, answer, writes=True)
        if answer.status == 400:
            return outcomes_of_refused_batch(operation, kind, elements, document, self._redact)
        return outcomes_of_batch(operation, kind, elements, document.get(kind.name), self._redact)

    def _read(self, operation: str, method: str, collection: str, options: Mapping[str, Any]) -> Json:
        answer = self._send(operation, method, writes=False, **options)
        document = document_of(operation, answer, writes=False)
        if answer.status == 400:
            raise XeroRefused(operation, 400, refusal_message(document, (), self._redact))
        elements = document.get(collection)
        if not isinstance(elements, list) or not all(isinstance(each, dict) for each in elements):
            raise XeroUnavailable(operation, answer.status, f"answer has no list of {collection}")
        return document

    def _send(self, operation: str, method: str, *arguments: Any, writes: bool, **options: Any) -> Answer:
        """Send a request once; a second time only after a 401, which executed nothing. Raises for 401, 403 and 429."""
        token = self._token(operation)
        answer = self._exchange(operation, token, method, arguments, options, writes)
        if answer.status == 401:
            answer = self._exchange(operation, self._token(operation, token), method, arguments, options, writes)
        if answer.status in (401, 403):
            raise XeroNotAuthorised(operation, answer.status, authorisation_problem(answer))
        if answer.status == 429:
            raise rate_limited(operation, answer.headers)
        return answer

    def _exchange(
        self,
        operation: str,
        token: str,
        method: str,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
        writes: bool,
    ) -> Answer:
        # Raised outside of the handlers: an exception of the SDK must not stay attached to the error.
        failure: XeroError
        try:
            answer = self._connection.call(
                getattr(self._api, method), self._tenant_id, *arguments, access_token=token, **options
            )
        except NotSent as error:
            failure = XeroUnavailable(operation, None, str(error))
        except NoAnswer as error:
            failure = no_usable_answer(operation, None, str(error), writes=writes)
        else:
            self._limits = limits_in(answer.headers)
            return answer
        raise failure

    def _token(self, operation: str, stale: str | None = None) -> str:
        """Return an access token other than `stale`. Without one nothing is sent, so the call's outcome is known."""
        failure: XeroError
        try:
            return self._tokens.current() if stale is None else self._tokens.renewed(stale)
        except XeroGrantRefused as error:
            failure = XeroNotAuthorised(operation, None, f"no access token: {error.code}")
        except XeroOutcomeUnknown as error:
            failure = XeroUnavailable(operation, None, f"no access token: {error.message}")
        raise failure


def _changed_since(kind: Collection, since: datetime, page: int) -> dict[str, Any]:
    """Return the SDK's parameters for a page of what changed since that time, of sales documents only."""
    options = {
        **kind.read_options,
        "page": page,
        "order": "UpdatedDateUTC ASC",  # what changes meanwhile moves to a later page, never to an earlier one
        "if_modified_since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    return options | ({"where": f'Type=="{kind.sales_type}"'} if kind.sales_type else {})


def _owner_and_parts(kind: Collection, elements: Sequence[Json]) -> tuple[tuple[str, ...], list[Json]]:
    """Return what the URL names, and the elements as they are sent: what is part of a document does not repeat it."""
    if kind.owner_path is None:
        return (), list(elements)
    name, id_field = kind.owner_path
    owner_ids = {str((element.get(name) or {}).get(id_field, "")) for element in elements}
    if len(owner_ids) != 1 or not all(GUID.fullmatch(owner_id) for owner_id in owner_ids):
        raise ValueError(f"a call carries {kind.name} of one {name}; each names it by its {id_field}")
    return tuple(owner_ids), [{key: value for key, value in element.items() if key != name} for element in elements]
