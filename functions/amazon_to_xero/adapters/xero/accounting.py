"""Xero's Accounting API through xero-python, with everything in it replaced that would hide what happened to a write.

The SDK builds URLs and headers and names the operations. Bodies go out as text written here, with exact decimals, and
come back as plain objects: the SDK's models would turn money into float and fail on an unknown currency after Xero has
committed. What is sent, how often and for how long is decided in `transport`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from xero_python.accounting import AccountingApi

from amazon_to_xero.adapters.xero.collections import (
    COLLECTIONS,
    GUID,
    PAGE_SIZE,
    collection_of,
    filter_parameters,
    folded,
)
from amazon_to_xero.adapters.xero.exact_json import exact_json
from amazon_to_xero.adapters.xero.organisation import Fields, account_from, iana_time_zone, tax_rate_from
from amazon_to_xero.adapters.xero.outcomes import outcomes_of_batch, outcomes_of_refused_batch, refusal_message
from amazon_to_xero.adapters.xero.transport import Answer, Connection, NoAnswer, NotSent, checked_url
from amazon_to_xero.domain.books.organisation import Organisation
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
    XeroRateLimited,
    XeroRefused,
    XeroUnavailable,
)

API_URL = "https://api.xero.com"


_KEY = re.compile(r"[\x21-\x7e]{1,128}")  # Xero: Idempotency-Key of at most 128 characters


# When a 429 names no time: the length of the window that was used up.
_WAIT = {"appminute": 60, "minute": 60, "day": 3600, "concurrent": 5}


class XeroAccounting:
    """ports.XeroApi for one organisation. Safe to use from threads; several organisations may live in one process.

    `api_url` replaces https://api.xero.com. Bad arguments raise ValueError before anything is sent; no error carries
    a body, a header or what identifies a buyer.
    """

    def __init__(
        self, tokens: AccessTokens, tenant_id: str, clock: Clock, redact: Redact, *, api_url: str = API_URL
    ) -> None:
        if not tenant_id:
            raise ValueError("tenant_id is empty; run the connect command to choose the Xero organisation")
        self._tokens = tokens
        self._tenant_id = tenant_id
        self._clock = clock
        self._redact = redact
        self._connection = Connection(clock)
        base = f"{checked_url(api_url, 'api_url')}/api.xro/2.0"
        self._api = AccountingApi(self._connection.client, base_url=base)
        self._limits = XeroLimits()

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        kind = collection_of(collection)
        for element in elements:
            if element.get(kind.id_field):
                raise ValueError(f"{collection} to create carry no {kind.id_field}; update those that have one")
        return self._write("create", collection, kind.create, elements, idempotency_key, kind.write_options)

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """As the port says; of Payments only {PaymentID, Status: DELETED}, one a call: Xero knows no other change."""
        kind = collection_of(collection)
        for element in elements:
            # Without its id Xero would look for the number, and overwrite whatever document has it.
            if not GUID.fullmatch(str(element.get(kind.id_field, ""))):
                raise ValueError(f"{collection} to update need their {kind.id_field}; create those that have none")
        if collection == "Payments":
            if len(elements) != 1 or elements[0].get("Status") != "DELETED":
                raise ValueError("a payment can only be deleted, one a call: pass one element with Status DELETED")
            return self._write("delete", collection, kind.update, elements, idempotency_key, {})
        return self._write("update", collection, kind.update, elements, idempotency_key, kind.write_options)

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        """As the port says, compared without regard to case. Contacts include archived ones, Invoices no bills."""
        kind = collection_of(collection)
        wanted = list(dict.fromkeys(values))
        if len(wanted) > MAX_VALUES:
            raise ValueError(
                f"find takes at most {MAX_VALUES} values of {field} and was given {len(wanted)}; split them"
            )
        if not wanted:
            return []
        operation = f"find {collection}"
        options = {**kind.read_options, **filter_parameters(kind, field, wanted)}
        document = self._read(operation, kind.read, collection, options)
        pagination = document.get("pagination")
        if isinstance(pagination, dict) and (pagination.get("pageCount") or 0) > 1:
            raise XeroUnavailable(
                operation, 200, f"more than {PAGE_SIZE} documents for {len(wanted)} values of {field}"
            )
        # Should Xero ever read a filter in another way, nobody else's document is taken for ours.
        asked = {folded(value) for value in wanted}
        return [
            found
            for found in document[collection]
            if folded(found.get(field)) in asked and (not kind.sales_type or found.get("Type") == kind.sales_type)
        ]

    def organisation(self) -> Organisation:
        """As the port says. An unknown time zone raises XeroRefused: without it no document has a date."""
        organisations = self._read("read Organisation", "get_organisations", "Organisations", {})["Organisations"]
        accounts = self._read("read Accounts", "get_accounts", "Accounts", {})["Accounts"]
        tax_rates = self._read("read TaxRates", "get_tax_rates", "TaxRates", {})["TaxRates"]
        currencies = self._read("read Currencies", "get_currencies", "Currencies", {})["Currencies"]
        if len(organisations) != 1:
            raise XeroUnavailable("read Organisation", 200, f"answer has {len(organisations)} organisations, not one")
        own = Fields("read Organisation", "Organisations", organisations[0])
        return Organisation(
            organisation_id=own.text("OrganisationID"),
            name=own.text("Name"),
            base_currency=own.text("BaseCurrency"),
            country=own.text("CountryCode"),
            time_zone=iana_time_zone(own.text("Timezone")),
            read_at=self._clock.now(),
            # An account without a code cannot be named in the settings or on a line.
            accounts={account.code: account for account in map(account_from, accounts) if account.code},
            tax_rates={rate.tax_type: rate for rate in (tax_rate_from(each) for each in tax_rates) if rate},
            currencies=frozenset(Fields("read Currencies", "Currencies", each).text("Code") for each in currencies),
            period_lock=own.date("PeriodLockDate"),
            year_lock=own.date("EndOfYearLockDate"),
        )

    def limits(self) -> XeroLimits:
        return self._limits

    # --- writing --------------------------------------------------------------------------------------------------

    def _write(
        self,
        verb: str,
        collection: str,
        method: str,
        elements: Sequence[Json],
        idempotency_key: str,
        options: Mapping[str, Any],
    ) -> list[Outcome]:
        if not 1 <= len(elements) <= MAX_ELEMENTS:
            raise ValueError(
                f"a call carries 1 to {MAX_ELEMENTS} {collection} and was given {len(elements)}; split them"
            )
        if not _KEY.fullmatch(idempotency_key):
            raise ValueError("idempotency_key should be 1 to 128 printable ASCII characters without spaces")
        # Deleting a payment is the one write whose address names the document and whose body is bare.
        bare = verb == "delete"
        body = exact_json({"Status": "DELETED"} if bare else {collection: list(elements)})
        if len(body) > MAX_BYTES:
            raise ValueError(f"{len(elements)} {collection} are {len(body)} bytes; a call carries {MAX_BYTES}: split")
        operation = f"{verb} {collection}"
        given = (elements[0]["PaymentID"], body) if bare else (body,)
        answer = self._sent(operation, method, *given, writes=True, idempotency_key=idempotency_key, **options)
        document = _document(operation, answer, writes=True)
        kind = COLLECTIONS[collection]
        if answer.status == 400:
            return outcomes_of_refused_batch(operation, kind, elements, document, self._redact)
        return outcomes_of_batch(operation, kind, elements, document.get(collection), self._redact)

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, operation: str, method: str, collection: str, options: Mapping[str, Any]) -> Json:
        answer = self._sent(operation, method, writes=False, **options)
        document = _document(operation, answer, writes=False)
        if answer.status == 400:
            raise XeroRefused(operation, 400, refusal_message(document, (), self._redact))
        found = document.get(collection)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise XeroUnavailable(operation, answer.status, f"answer has no list of {collection}")
        return document

    # --- both -----------------------------------------------------------------------------------------------------

    def _sent(self, operation: str, method: str, *given: Any, writes: bool, **options: Any) -> Answer:
        """One exchange; a second one only after a 401, which executed nothing. Raises for 401, 403 and 429."""
        token = self._token(operation)
        answer = self._exchanged(operation, token, method, given, options, writes)
        if answer.status == 401:
            answer = self._exchanged(operation, self._token(operation, token), method, given, options, writes)
        if answer.status in (401, 403):
            raise XeroNotAuthorised(operation, answer.status, _first_word(answer))
        if answer.status == 429:
            raise _rate_limited(operation, answer.headers)
        return answer

    def _exchanged(
        self,
        operation: str,
        token: str,
        method: str,
        given: tuple[Any, ...],
        options: Mapping[str, Any],
        writes: bool,
    ) -> Answer:
        failure: XeroError
        try:
            answer = self._connection.call(
                getattr(self._api, method), self._tenant_id, *given, access_token=token, **options
            )
        except NotSent as error:
            failure = XeroUnavailable(operation, None, str(error))
        except NoAnswer as error:
            failure = _nobody_knows(operation, None, str(error), writes)
        else:
            self._limits = _limits(answer.headers)
            return answer
        raise failure

    def _token(self, operation: str, stale: str | None = None) -> str:
        """Without a token nothing is sent, so an unknown outcome of fetching one is none of this call."""
        failure: XeroError
        try:
            return self._tokens.current() if stale is None else self._tokens.renewed(stale)
        except XeroGrantRefused as error:
            failure = XeroNotAuthorised(operation, None, f"no access token: {error.code}")
        except XeroOutcomeUnknown as error:
            failure = XeroUnavailable(operation, None, f"no access token: {error.message}")
        raise failure


def _nobody_knows(operation: str, status: int | None, message: str, writes: bool) -> XeroError:
    """A read that failed changed nothing; a write may have."""
    return (XeroOutcomeUnknown if writes else XeroUnavailable)(operation, status, message)


def _document(operation: str, answer: Answer, *, writes: bool) -> Json:
    """The object of a 2xx or a 400 answer; raises what every other answer means."""
    status = answer.status
    if not (200 <= status <= 299 or status == 400):
        # 408 and 409 may be said of a request that is still being worked on.
        if 400 <= status <= 499 and status not in (408, 409):
            raise XeroRefused(operation, status, f"HTTP {status}")
        raise _nobody_knows(operation, status, f"HTTP {status}", writes)
    document = answer.json()
    if not isinstance(document, dict):
        raise _nobody_knows(operation, status, "answer is not the documented JSON", writes)
    if status == 400 and writes and b"is used with a different request" in answer.data:
        # The key has been used: by which request, and what became of it, is not said.
        raise XeroOutcomeUnknown(operation, status, "the idempotency key was used with a different request")
    return document


def _first_word(answer: Answer) -> str:
    """Of a 401 or 403: the first word of its Detail (TokenExpired, AuthenticationUnsuccessful); the rest may quote."""
    document = answer.json()
    detail = document.get("Detail") if isinstance(document, dict) else None
    word = re.match(r"[A-Za-z]{1,64}", detail) if isinstance(detail, str) else None
    return word.group() if word else f"HTTP {answer.status}"


def _limits(headers: Mapping[str, str]) -> XeroLimits:
    return XeroLimits(
        minute_remaining=_count(headers.get("X-MinLimit-Remaining")),
        day_remaining=_count(headers.get("X-DayLimit-Remaining")),
        app_minute_remaining=_count(headers.get("X-AppMinLimit-Remaining")),
    )


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\s*\d{1,9}\s*", text) else None


def _rate_limited(operation: str, headers: Mapping[str, str]) -> XeroRateLimited:
    said = re.sub("[^a-z]", "", (headers.get("X-Rate-Limit-Problem") or "").lower())
    problem = next((known for known in _WAIT if known in said), "minute")
    seconds = _count(headers.get("Retry-After"))
    return XeroRateLimited(operation, problem, timedelta(seconds=_WAIT[problem] if seconds is None else seconds))
