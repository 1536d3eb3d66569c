"""Xero's Accounting API through xero-python, with everything in it replaced that would hide what happened to a write.

The SDK builds URLs and headers and names the operations. Bodies go out as text written here, with exact decimals, and
come back as plain objects: the SDK's models would turn money into float and fail on an unknown currency after Xero has
committed. What is sent, how often and for how long is decided in `xero_transport`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tzlocal.windows_tz import win_tz
from xero_python.accounting import AccountingApi

from amazon_to_xero.adapters.xero_transport import Answer, Connection, NoAnswer, NotSent, checked_url
from amazon_to_xero.domain.money import NotAnAmount, amount
from amazon_to_xero.domain.organisation import Account, Organisation, TaxRate
from amazon_to_xero.ports import (
    AccessTokens,
    Clock,
    Json,
    Outcome,
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
MOST_ELEMENTS = 50  # Xero: recommended batch size
MOST_BYTES = 3_000_000  # Xero: requests of up to 3.5 MB
MOST_VALUES = 40  # Xero: at most 40 ids or numbers in one filter
PAGE_SIZE = 1000  # Xero: the largest page
_KEY = re.compile(r"[\x21-\x7e]{1,128}")  # Xero: Idempotency-Key of at most 128 characters

# When a 429 names no time: the length of the window that was used up.
_WAIT = {"appminute": 60, "minute": 60, "day": 3600, "concurrent": 5}

_NO_ID = "00000000-0000-0000-0000-000000000000"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_XERO_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")

# Where a document carries who the buyer is; Xero's messages may repeat these values.
_BUYER_FIELDS = frozenset(
    (
        *("Name", "FirstName", "LastName", "AttentionTo", "EmailAddress", "PhoneNumber", "TaxNumber", "CompanyNumber"),
        *("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode"),
    )
)
_CONTACT_NAME = re.compile(r"(?<=contact name ).+(?= is already assigned)", re.DOTALL | re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>'\"]+@[^\s@<>'\"]+")


@dataclass(frozen=True)
class _Collection:
    """What the SDK calls the operations of one of Xero's collections, and how its documents are named and found."""

    id_field: str
    number_field: str
    create: str
    update: str
    read: str
    write_options: Mapping[str, Any]
    read_options: Mapping[str, Any]
    lists: Mapping[str, str]  # field -> the SDK's parameter that takes a list of its values
    texts: frozenset[str]  # fields that a `where` may compare
    sales_type: str = ""  # the Type of our side of the ledger: a supplier's bill may carry one of our numbers


_SUMMED_UP_NOT = {"summarize_errors": "false"}  # Xero's own default fails a whole batch for one bad element
_FOUR_DECIMALS = {"unitdp": 4}
_ONE_PAGE = {"page": 1, "page_size": PAGE_SIZE}  # paged lists hold line items and payments, others do not

_COLLECTIONS: Mapping[str, _Collection] = {
    "Contacts": _Collection(
        "ContactID",
        "ContactNumber",
        "create_contacts",
        "update_or_create_contacts",
        "get_contacts",
        write_options=_SUMMED_UP_NOT,
        read_options={**_ONE_PAGE, "include_archived": "true"},
        lists={"ContactID": "i_ds"},
        texts=frozenset({"ContactNumber", "Name"}),
    ),
    "Invoices": _Collection(
        "InvoiceID",
        "InvoiceNumber",
        "create_invoices",
        "update_or_create_invoices",
        "get_invoices",
        write_options={**_SUMMED_UP_NOT, **_FOUR_DECIMALS},
        read_options={**_ONE_PAGE, **_FOUR_DECIMALS},
        lists={"InvoiceID": "i_ds", "InvoiceNumber": "invoice_numbers"},
        texts=frozenset(),
        sales_type="ACCREC",
    ),
    "CreditNotes": _Collection(
        "CreditNoteID",
        "CreditNoteNumber",
        "create_credit_notes",
        "update_or_create_credit_notes",
        "get_credit_notes",
        write_options={**_SUMMED_UP_NOT, **_FOUR_DECIMALS},
        read_options={**_ONE_PAGE, **_FOUR_DECIMALS},
        lists={},
        texts=frozenset({"CreditNoteNumber"}),
        sales_type="ACCRECCREDIT",
    ),
    "Payments": _Collection(
        "PaymentID",
        "",  # payments have no number of their own
        "create_payments",
        "delete_payment",
        "get_payments",
        write_options=_SUMMED_UP_NOT,
        read_options=_ONE_PAGE,
        lists={},
        texts=frozenset({"Reference"}),
    ),
}


class XeroAccounting:
    """ports.XeroApi for one organisation. Safe to use from threads; several organisations may live in one process.

    `api_url` replaces https://api.xero.com. Bad arguments raise ValueError before anything is sent; no error carries
    a body, a header or what identifies a buyer.
    """

    def __init__(self, tokens: AccessTokens, tenant_id: str, clock: Clock, *, api_url: str = API_URL) -> None:
        if not tenant_id:
            raise ValueError("tenant_id is empty; run the connect command to choose the Xero organisation")
        self._tokens = tokens
        self._tenant_id = tenant_id
        self._clock = clock
        self._connection = Connection(clock)
        base = f"{checked_url(api_url, 'api_url')}/api.xro/2.0"
        self._api = AccountingApi(self._connection.client, base_url=base)
        self._limits = XeroLimits()

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        kind = _collection(collection)
        for element in elements:
            if element.get(kind.id_field):
                raise ValueError(f"{collection} to create carry no {kind.id_field}; update those that have one")
        return self._write("create", collection, kind.create, elements, idempotency_key, kind.write_options)

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """As the port says; of Payments only {PaymentID, Status: DELETED}, one a call: Xero knows no other change."""
        kind = _collection(collection)
        for element in elements:
            # Without its id Xero would look for the number, and overwrite whatever document has it.
            if not _GUID.fullmatch(str(element.get(kind.id_field, ""))):
                raise ValueError(f"{collection} to update need their {kind.id_field}; create those that have none")
        if collection == "Payments":
            if len(elements) != 1 or elements[0].get("Status") != "DELETED":
                raise ValueError("a payment can only be deleted, one a call: pass one element with Status DELETED")
            return self._write("delete", collection, kind.update, elements, idempotency_key, {})
        return self._write("update", collection, kind.update, elements, idempotency_key, kind.write_options)

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        """As the port says, compared without regard to case. Contacts include archived ones, Invoices no bills."""
        kind = _collection(collection)
        wanted = list(dict.fromkeys(values))
        if len(wanted) > MOST_VALUES:
            raise ValueError(
                f"find takes at most {MOST_VALUES} values of {field} and was given {len(wanted)}; split them"
            )
        if not wanted:
            return []
        operation = f"find {collection}"
        options = {**kind.read_options, **_filter(kind, field, wanted)}
        document = self._read(operation, kind.read, collection, options)
        pagination = document.get("pagination")
        if isinstance(pagination, dict) and (pagination.get("pageCount") or 0) > 1:
            raise XeroUnavailable(
                operation, 200, f"more than {PAGE_SIZE} documents for {len(wanted)} values of {field}"
            )
        # Should Xero ever read a filter in another way, nobody else's document is taken for ours.
        asked = {_folded(value) for value in wanted}
        return [
            found
            for found in document[collection]
            if _folded(found.get(field)) in asked and (not kind.sales_type or found.get("Type") == kind.sales_type)
        ]

    def organisation(self) -> Organisation:
        """As the port says. An unknown time zone raises XeroRefused: without it no document has a date."""
        organisations = self._read("read Organisation", "get_organisations", "Organisations", {})["Organisations"]
        accounts = self._read("read Accounts", "get_accounts", "Accounts", {})["Accounts"]
        tax_rates = self._read("read TaxRates", "get_tax_rates", "TaxRates", {})["TaxRates"]
        currencies = self._read("read Currencies", "get_currencies", "Currencies", {})["Currencies"]
        if len(organisations) != 1:
            raise XeroUnavailable("read Organisation", 200, f"answer has {len(organisations)} organisations, not one")
        own = _Fields("read Organisation", "Organisations", organisations[0])
        return Organisation(
            organisation_id=own.text("OrganisationID"),
            name=own.text("Name"),
            base_currency=own.text("BaseCurrency"),
            country=own.text("CountryCode"),
            time_zone=iana_time_zone(own.text("Timezone")),
            read_at=self._clock.now(),
            # An account without a code cannot be named in the settings or on a line.
            accounts={account.code: account for account in map(_account, accounts) if account.code},
            tax_rates={rate.tax_type: rate for rate in (_tax_rate(each) for each in tax_rates) if rate},
            currencies=frozenset(_Fields("read Currencies", "Currencies", each).text("Code") for each in currencies),
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
        if not 1 <= len(elements) <= MOST_ELEMENTS:
            raise ValueError(
                f"a call carries 1 to {MOST_ELEMENTS} {collection} and was given {len(elements)}; split them"
            )
        if not _KEY.fullmatch(idempotency_key):
            raise ValueError("idempotency_key should be 1 to 128 printable ASCII characters without spaces")
        # Deleting a payment is the one write whose address names the document and whose body is bare.
        bare = verb == "delete"
        body = exact_json({"Status": "DELETED"} if bare else {collection: list(elements)})
        if len(body) > MOST_BYTES:
            raise ValueError(f"{len(elements)} {collection} are {len(body)} bytes; a call carries {MOST_BYTES}: split")
        operation = f"{verb} {collection}"
        given = (elements[0]["PaymentID"], body) if bare else (body,)
        answer = self._sent(operation, method, *given, writes=True, idempotency_key=idempotency_key, **options)
        document = _document(operation, answer, writes=True)
        kind = _COLLECTIONS[collection]
        if answer.status == 400:
            return _refused(operation, kind, elements, document)
        return _outcomes(operation, kind, elements, document.get(collection))

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, operation: str, method: str, collection: str, options: Mapping[str, Any]) -> Json:
        answer = self._sent(operation, method, writes=False, **options)
        document = _document(operation, answer, writes=False)
        if answer.status == 400:
            raise XeroRefused(operation, 400, _message(document, ()))
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


# --- what goes out ----------------------------------------------------------------------------------------------------


def exact_json(value: Any, path: str = "$") -> str:
    """JSON text (ASCII) with each Decimal as a number of exactly its digits, dates as YYYY-MM-DD.

    Raises ValueError naming the place of a value that cannot be sent, a float among them: it has lost digits already.
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case date() if not isinstance(value, datetime):
            return json.dumps(value.isoformat())
        case Mapping():
            fields = (f"{json.dumps(str(name))}:{exact_json(each, f'{path}.{name}')}" for name, each in value.items())
            return "{" + ",".join(fields) + "}"
        case list() | tuple():
            return "[" + ",".join(exact_json(each, f"{path}[{i}]") for i, each in enumerate(value)) + "]"
    kind = type(value).__name__
    raise ValueError(f"{path} is {kind}; Xero takes text, whole numbers, finite Decimals, dates, objects and lists")


def _collection(name: str) -> _Collection:
    if name not in _COLLECTIONS:
        raise ValueError(f"collection {name!r} is not one of {', '.join(_COLLECTIONS)}")
    return _COLLECTIONS[name]


def _filter(kind: _Collection, field: str, values: Sequence[str]) -> dict[str, Any]:
    """The SDK's parameters for "`field` is one of these". Errors name the field, never the value: it may be a name."""
    if field not in {kind.id_field, kind.number_field, *kind.texts} - {""}:
        raise ValueError(f"{field} is no field to find documents by")
    if any(not isinstance(value, str) or not value for value in values):
        raise ValueError(f"a value of {field} is empty or no text")
    if field == kind.id_field and not all(_GUID.fullmatch(value) for value in values):
        raise ValueError(f"a value of {field} is no Xero id such as {_NO_ID}")
    if field in kind.lists:
        if any("," in value for value in values):
            raise ValueError(f"a value of {field} holds a comma; Xero's list filter would cut it in two")
        return {kind.lists[field]: list(values)}
    if field == kind.id_field:
        return {"where": " OR ".join(f'{field}==Guid("{value}")' for value in values)}
    if any('"' in value or "\\" in value for value in values):
        raise ValueError(f"a value of {field} holds a quotation mark or backslash; Xero's filter cannot take it")
    return {"where": " OR ".join(f'{field}=="{value}"' for value in values)}


# --- what comes back --------------------------------------------------------------------------------------------------


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


def _refused(operation: str, kind: _Collection, sent: Sequence[Json], document: Json) -> list[Outcome]:
    """A 400 for the whole batch although errors were not to be summed up.

    Outcomes only when every element says why it was refused: of the others Xero does not say that they were accepted.
    """
    answered = document.get("Elements")
    if _difference(kind, sent, answered) is None:
        outcomes = [_outcome(element, given) for element, given in zip(answered or (), sent, strict=True)]
        if not any(outcome.accepted for outcome in outcomes):
            return outcomes
    raise XeroRefused(operation, 400, _message(document, sent))


def _outcomes(operation: str, kind: _Collection, sent: Sequence[Json], answered: Any) -> list[Outcome]:
    difference = _difference(kind, sent, answered)
    if difference is not None:
        raise XeroOutcomeUnknown(operation, 200, difference)
    outcomes = [_outcome(element, given) for element, given in zip(answered, sent, strict=True)]
    if any(each.accepted and each.element.get(kind.id_field) in (None, "", _NO_ID) for each in outcomes):
        raise XeroOutcomeUnknown(operation, 200, f"an accepted element of the answer has no {kind.id_field}")
    return outcomes


def _difference(kind: _Collection, sent: Sequence[Json], answered: Any) -> str | None:
    """Why the answer's elements cannot be taken for those sent, in their order; None when they can."""
    if not isinstance(answered, list) or len(answered) != len(sent):
        return "the answer does not have one element for each one sent"
    for given, element in zip(sent, answered, strict=True):
        if not isinstance(element, dict):
            return "an element of the answer is no object"
        for field in (kind.id_field, kind.number_field):
            if given.get(field) and element.get(field) and _folded(given[field]) != _folded(element[field]):
                return f"the answer's elements differ from those sent in {field}"
    return None


def _outcome(element: Json, sent: Json) -> Outcome:
    """Xero marks refusals differently by collection: HasErrors, HasValidationErrors, StatusAttributeString."""
    refused = (
        element.get("HasErrors") is True
        or element.get("HasValidationErrors") is True
        or str(element.get("StatusAttributeString", "")).upper() == "ERROR"
    )
    messages = list(_messages(element.get("ValidationErrors")))
    if refused and not messages:
        messages = list(_messages_within(element)) or ["Xero refused the document without saying why"]
    return Outcome(element, tuple(dict.fromkeys(_without_buyer(message, (sent, element)) for message in messages)))


def _messages(errors: Any) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield str(error.get("Message") or "Xero gives no message")


def _messages_within(value: Any) -> Iterator[str]:
    """What is wrong with a part, such as a line or the contact, where the document itself does not say."""
    if isinstance(value, dict):
        yield from _messages(value.get("ValidationErrors"))
        for each in value.values():
            yield from _messages_within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _messages_within(each)


def _message(document: Json, sent: Iterable[Json]) -> str:
    """Xero's own words for a refused call, with the first reasons of its elements."""
    words = next(
        (document[name] for name in ("Message", "Detail", "Title") if isinstance(document.get(name), str)), "HTTP 400"
    )
    reasons = list(dict.fromkeys(_messages_within(document.get("Elements"))))[:3]
    return _without_buyer(": ".join([words, "; ".join(reasons)]) if reasons else words, (document, *sent))


def _without_buyer(message: str, documents: Iterable[Any]) -> str:
    """Xero's message with what identifies the buyer replaced by an ellipsis."""
    message = _EMAIL.sub("…", _CONTACT_NAME.sub("…", message))
    known = {value for document in documents for value in _buyer_values(document) if _may_identify(value)}
    for value in sorted(known, key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", message)
    return message


def _may_identify(value: str) -> bool:
    """Two letters of English are a word of Xero's message as often as a name; two Chinese ones are a whole name."""
    return len(value) > 2 or (value != "" and not value.isascii())


def _buyer_values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in _BUYER_FIELDS and isinstance(each, str):
                yield each.strip()
            else:
                yield from _buyer_values(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _buyer_values(each)


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


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


# --- the organisation -------------------------------------------------------------------------------------------------


class _Fields:
    """The fields of one object of an answer; an odd one raises XeroUnavailable naming it."""

    def __init__(self, operation: str, collection: str, element: Json) -> None:
        self._operation = operation
        self._collection = collection
        self._element = element

    def text(self, name: str) -> str:
        value = self._element.get(name)
        if not isinstance(value, str) or not value:
            raise self._odd(name, "text")
        return value

    def amount(self, name: str) -> Decimal:
        try:
            return amount(self._element.get(name), name)
        except NotAnAmount:
            raise self._odd(name, "a number") from None

    def date(self, name: str) -> date | None:
        """The calendar date in Xero's /Date(milliseconds+0000)/, which is midnight UTC of it in every time zone."""
        value = self._element.get(name)
        if value is None:
            return None
        found = _XERO_DATE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise self._odd(name, "a date such as /Date(1222732800000+0000)/")
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))).date()

    def _odd(self, name: str, wanted: str) -> XeroUnavailable:
        kind = type(self._element.get(name)).__name__
        return XeroUnavailable(self._operation, 200, f"{self._collection}.{name} should be {wanted} and is {kind}")


def _account(element: Json) -> Account:
    fields = _Fields("read Accounts", "Accounts", element)
    kind = fields.text("Type")
    return Account(
        account_id=fields.text("AccountID"),
        code=element.get("Code") or "",
        name=fields.text("Name"),
        type=kind,
        currency=element.get("CurrencyCode") or None,
        active=element.get("Status") == "ACTIVE",
        takes_payments=kind == "BANK" or element.get("EnablePaymentsToAccount") is True,
        system=element.get("SystemAccount") or "",
    )


def _tax_rate(element: Json) -> TaxRate | None:
    """None for a rate that is out of use and has no EffectiveRate any more."""
    fields = _Fields("read TaxRates", "TaxRates", element)
    active = element.get("Status") == "ACTIVE"
    if not active and element.get("EffectiveRate") is None:
        return None
    return TaxRate(
        tax_type=fields.text("TaxType"),
        name=fields.text("Name"),
        rate=fields.amount("EffectiveRate"),
        active=active,
        on_revenue=element.get("CanApplyToRevenue") is True,
    )


def iana_time_zone(xero_name: str) -> str:
    """The IANA zone of Organisation.Timezone, which is Windows' name in capitals without spaces, dots and hyphens.

    Raises XeroRefused for a name that neither CLDR nor the two additions to it know.
    """
    zone = _ZONES.get(xero_name)
    if zone is None:
        raise XeroRefused(
            "read Organisation",
            200,
            f"Organisation.Timezone {xero_name[:40]!r} is not known; choose another time zone in Xero's financial "
            "settings, and report this",
        )
    return zone


# Windows dropped these two years ago, CLDR with it; Xero still offers them.
_ZONES: Mapping[str, str] = {
    "KAMCHATKASTANDARDTIME": "Asia/Kamchatka",
    "MIDATLANTICSTANDARDTIME": "Etc/GMT+2",  # two hours behind UTC: IANA writes that with a plus
    **{re.sub(r"[ .\-]", "", windows).upper(): iana for windows, iana in win_tz.items()},
}
