"""The Xero adapter over the real xero-python, against a server that misbehaves as Xero and networks have done."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fault_server import FaultServer, Reply, SettableClock, everything_said, refusing_url
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from amazon_to_xero.adapters.xero import transport
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.exact_json import exact_json
from amazon_to_xero.adapters.xero.organisation import iana_time_zone
from amazon_to_xero.domain.books.contact import customer_of
from amazon_to_xero.domain.planning.policy import ContactPolicy
from amazon_to_xero.ports.xero import (
    XeroError,
    XeroGrantRefused,
    XeroLimits,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroRefused,
    XeroUnavailable,
)
from fakes.books import POLICY
from fakes.orders import UK, item, order

CONTRACT = Path(__file__).parents[4] / "shared/contracts/xero/xero_accounting.json"
API = "/api.xro/2.0"
INVOICES = f"{API}/Invoices"
CONTACTS = f"{API}/Contacts"
BUYER = "Margaret Thistlewood"
SECRET = "ey.the-access-token"
INVOICE = {"Type": "ACCREC", "InvoiceNumber": "AMZ-1", "Contact": {"ContactID": "c"}, "LineItems": []}


def guid(number: int) -> str:
    return f"11111111-2222-3333-4444-{number:012d}"


def stored(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "InvoiceID": guid(number),
        "InvoiceNumber": f"AMZ-{number}",
        "Type": "ACCREC",
        "HasErrors": False,
        "StatusAttributeString": "OK",
        **changes,
    }


def answer(*elements: Any, collection: str = "Invoices", **changes: Any) -> Reply:
    return Reply(200, {"Id": "x", "Status": "OK", collection: list(elements), **changes})


class Tokens:
    """ports.AccessTokens that counts: current is ey.the-access-token, each renewal gives the next one."""

    def __init__(self, name: str = SECRET) -> None:
        self.name = name
        self.stale: list[str] = []

    def current(self) -> str:
        return self.name

    def renewed(self, stale: str) -> str:
        self.stale.append(stale)
        self.name = f"{SECRET}.renewed-{len(self.stale)}"
        return self.name


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def xero(server: FaultServer, tokens: Tokens, clock: SettableClock) -> XeroAccounting:
    return XeroAccounting(tokens, "tenant-1", clock, api_url=server.url)


def create(xero: XeroAccounting, *elements: dict[str, Any]) -> Any:
    return xero.create("Invoices", elements or [INVOICE], "key-1")


def update(xero: XeroAccounting) -> Any:
    return xero.update("Invoices", [{"InvoiceID": guid(1), "Status": "VOIDED"}], "key-2")


def find(xero: XeroAccounting) -> Any:
    return xero.find("Invoices", "InvoiceNumber", ["AMZ-1"])


WRITES = pytest.mark.parametrize("write", [create, update])


# --- sent once, within a time limit -----------------------------------------------------------------------------------


@WRITES
@pytest.mark.parametrize("fault", ["drop", "cut"])
def test_a_lost_connection_is_not_answered_by_sending_the_write_again(
    xero: XeroAccounting, server: FaultServer, write: Callable[[XeroAccounting], Any], fault: str
) -> None:
    server.on(INVOICES, Reply(200, '{"Invoices": []}', fault=fault))
    with pytest.raises(XeroOutcomeUnknown):
        write(xero)
    assert len(server.received) == 1


@WRITES
def test_a_write_that_is_never_answered_is_given_up_as_unknown(
    server: FaultServer, tokens: Tokens, clock: SettableClock, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    xero = XeroAccounting(tokens, "tenant-1", clock, api_url=server.url)
    server.on(INVOICES, Reply(200, answer(stored()).body, fault="hang"))
    with pytest.raises(XeroOutcomeUnknown, match="ReadTimeoutError"):
        write(xero)
    assert len(server.received) == 1


def test_a_read_that_is_never_answered_is_given_up(
    server: FaultServer, tokens: Tokens, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    xero = XeroAccounting(tokens, "tenant-1", clock, api_url=server.url)
    server.on(INVOICES, Reply(200, answer(stored()).body, fault="hang"))
    with pytest.raises(XeroUnavailable):
        find(xero)
    assert len(server.received) == 1


def test_the_time_limits_reach_the_socket(
    xero: XeroAccounting, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = []
    pool = xero._connection.transport.pool_manager
    request = pool.request
    monkeypatch.setattr(pool, "request", lambda *a, **k: limits.append(k["timeout"]) or request(*a, **k))
    server.on(INVOICES, answer(stored()))
    create(xero)
    find(xero)
    assert [(limit.connect_timeout, limit.read_timeout) for limit in limits] == [(3.05, 20.0)] * 2


@pytest.mark.parametrize("call", [create, update, find])
def test_nobody_sleeps_for_a_retry_after(xero: XeroAccounting, server: FaultServer, call: Any) -> None:
    # urllib3 would sleep and send again; with these two answers a hidden second request would succeed
    server.on(INVOICES, Reply(429, "", {"Retry-After": "1", "X-Rate-Limit-Problem": "minute"}), answer(stored()))
    with pytest.raises(XeroRateLimited):
        call(xero)
    assert len(server.received) == 1
    server.on(INVOICES, Reply(503, "", {"Retry-After": "1"}), answer(stored()))
    with pytest.raises((XeroUnavailable, XeroOutcomeUnknown)):
        call(xero)
    assert len(server.received) == 2


@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_access_token(
    xero: XeroAccounting, server: FaultServer, status: int
) -> None:
    server.on(INVOICES, Reply(status, "", {"Location": "/elsewhere", "Retry-After": "1"}))
    with pytest.raises(XeroUnavailable):
        find(xero)
    with pytest.raises(XeroOutcomeUnknown):
        create(xero)
    assert server.to("/elsewhere") == []
    assert len(server.received) == 2


@pytest.mark.parametrize("call", [create, update, find])
@pytest.mark.parametrize("url", [refusing_url(), "http://no-such-host.invalid"], ids=["refused", "unknown host"])
def test_what_was_never_sent_is_not_unknown(tokens: Tokens, clock: SettableClock, call: Any, url: str) -> None:
    with pytest.raises(XeroUnavailable):
        call(XeroAccounting(tokens, "tenant-1", clock, api_url=url))


def test_a_connection_that_idled_while_the_function_was_frozen_is_not_written_to(
    xero: XeroAccounting, server: FaultServer, clock: SettableClock
) -> None:
    server.on(INVOICES, answer(stored()))
    create(xero)
    clock.advance(10)
    create(xero)
    clock.advance(60)
    create(xero)
    first, second, third = (request.connection for request in server.received)
    assert first == second != third


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_a_create_is_a_put_with_its_key_its_tenant_and_every_option_spelt_out(
    xero: XeroAccounting, server: FaultServer
) -> None:
    server.on(INVOICES, answer(stored()))
    create(xero)
    request = server.received[0]
    assert (request.method, request.query) == ("PUT", {"summarizeErrors": ["false"], "unitdp": ["4"]})
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["xero-tenant-id"] == "tenant-1"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["content-type"] == "application/json"
    assert request.json() == {"Invoices": [INVOICE]}


@pytest.mark.parametrize(
    ("collection", "id_field", "query"),
    [
        ("Contacts", "ContactID", {"summarizeErrors": ["false"]}),
        ("Invoices", "InvoiceID", {"summarizeErrors": ["false"], "unitdp": ["4"]}),
        ("CreditNotes", "CreditNoteID", {"summarizeErrors": ["false"], "unitdp": ["4"]}),
    ],
)
def test_an_update_is_a_post_to_the_same_collection(
    xero: XeroAccounting, server: FaultServer, collection: str, id_field: str, query: dict[str, list[str]]
) -> None:
    server.on(f"{API}/{collection}", answer({id_field: guid(1)}, collection=collection))
    assert xero.update(collection, [{id_field: guid(1), "Name": "n"}], "key-2")[0].accepted
    request = server.received[0]
    assert (request.method, request.query, request.headers["idempotency-key"]) == ("POST", query, "key-2")


def test_payments_are_created_in_batches_and_deleted_one_by_one(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(f"{API}/Payments", answer({"PaymentID": guid(1)}, {"PaymentID": guid(2)}, collection="Payments"))
    server.on(f"{API}/Payments/{guid(1)}", answer({"PaymentID": guid(1)}, collection="Payments"))
    assert len(xero.create("Payments", [{"Amount": Decimal("1.10")}, {"Amount": Decimal(2)}], "key-1")) == 2
    assert xero.update("Payments", [{"PaymentID": guid(1), "Status": "DELETED"}], "key-2")[0].accepted
    created, deleted = server.received
    assert (created.method, deleted.method) == ("PUT", "POST")
    assert (deleted.json(), deleted.headers["idempotency-key"]) == ({"Status": "DELETED"}, "key-2")
    with pytest.raises(ValueError, match="deleted"):
        xero.update("Payments", [{"PaymentID": guid(1), "Amount": Decimal(3)}], "key-3")


def test_amounts_go_out_with_exactly_their_digits(xero: XeroAccounting, server: FaultServer) -> None:
    # the last one has more digits than a float holds; the SDK would send 12345678901234568
    amounts = ["12.3456", "0.1", "1234567.89", "12345678901234567.89", "-3.50", "100"]
    server.on(INVOICES, answer(stored()))
    create(xero, {**INVOICE, "LineItems": [{"UnitAmount": Decimal(text)} for text in amounts]})
    assert re.findall(r'"UnitAmount":([^}]+)}', server.received[0].body) == amounts


def test_a_decimal_with_an_exponent_goes_out_in_plain_digits() -> None:
    assert exact_json([Decimal("1E+2"), Decimal("1.5E-7"), date(2026, 11, 23), None, True, "Zoë\n"]) == (
        '[100,0.00000015,"2026-11-23",null,true,"Zo\\u00eb\\n"]'
    )


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1, tzinfo=UTC), {1}])
def test_what_cannot_be_sent_exactly_is_refused_by_its_place(xero: XeroAccounting, value: object) -> None:
    with pytest.raises(ValueError, match=re.escape("$.Invoices[0].LineItems[0].UnitAmount is ")):
        create(xero, {**INVOICE, "LineItems": [{"UnitAmount": value}]})


def test_too_much_for_one_call_is_refused_before_anything_is_sent(xero: XeroAccounting, server: FaultServer) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        create(xero, *[INVOICE] * 51)
    with pytest.raises(ValueError, match="1 to 50"):
        xero.create("Invoices", [], "key-1")
    with pytest.raises(ValueError, match="bytes"):
        create(xero, {**INVOICE, "Reference": "x" * 3_000_000})
    for key in ("", "k" * 129, "two words", "ключ"):
        with pytest.raises(ValueError, match="idempotency_key"):
            xero.create("Invoices", [INVOICE], key)
    assert server.received == []


def test_an_update_without_its_id_would_overwrite_a_stranger(xero: XeroAccounting, server: FaultServer) -> None:
    with pytest.raises(ValueError, match="need their InvoiceID"):
        xero.update("Invoices", [INVOICE], "key-1")
    with pytest.raises(ValueError, match="carry no InvoiceID"):
        create(xero, stored())
    with pytest.raises(ValueError, match="collection"):
        xero.create("Bills", [INVOICE], "key-1")
    assert server.received == []


# --- what became of a write -------------------------------------------------------------------------------------------


def test_each_element_has_its_own_outcome(xero: XeroAccounting, server: FaultServer) -> None:
    refused = {"StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": "Invoice # must be unique."}]}
    server.on(INVOICES, answer(stored(1), stored(2, InvoiceID=guid(0), HasErrors=True, **refused), stored(3)))
    outcomes = create(xero, *[{**INVOICE, "InvoiceNumber": f"AMZ-{n}"} for n in (1, 2, 3)])
    assert [outcome.accepted for outcome in outcomes] == [True, False, True]
    assert outcomes[1].errors == ("Invoice # must be unique.",)
    assert outcomes[2].element["InvoiceID"] == guid(3)


@pytest.mark.parametrize(
    "marks",
    [
        {"HasErrors": True},
        {"HasValidationErrors": True},
        {"StatusAttributeString": "ERROR"},
        {"ValidationErrors": [{"Message": "Account code '999' is not a valid code for this document."}]},
        {"HasErrors": True, "LineItems": [{"ValidationErrors": [{"Message": "Description is required"}]}]},
    ],
)
def test_every_way_xero_marks_a_refusal_is_one(
    xero: XeroAccounting, server: FaultServer, marks: dict[str, Any]
) -> None:
    server.on(INVOICES, answer({**stored(), "StatusAttributeString": None, **marks}))
    (outcome,) = create(xero)
    assert not outcome.accepted
    assert all(outcome.errors)


def test_a_refusal_of_a_line_says_what_is_wrong_with_the_line(xero: XeroAccounting, server: FaultServer) -> None:
    line = {"ValidationErrors": [{"Message": "Description is required"}]}
    server.on(INVOICES, answer(stored(HasErrors=True, LineItems=[line])), answer(stored(HasErrors=True)))
    assert create(xero)[0].errors == ("Description is required",)
    assert create(xero)[0].errors == ("Xero refused the document without saying why",)


def test_what_the_sdk_cannot_read_is_still_a_success(xero: XeroAccounting, server: FaultServer) -> None:
    # unknown enum members, nulls and missing fields make the SDK's models fail after Xero has committed
    odd = {"CurrencyCode": "XCG", "Status": "PARKED", "LineItems": None, "Contact": None, "Payments": None}
    text = json.dumps({"Invoices": [stored(**odd)]}).replace('"XCG"', '"XCG", "Total": 12345678901234567.8900')
    server.on(INVOICES, Reply(200, text))
    (outcome,) = create(xero)
    assert outcome.accepted
    assert str(outcome.element["Total"]) == "12345678901234567.8900"


UNKNOWN = {
    "500": Reply(500, "<html>"),
    "502": Reply(502, ""),
    "503": Reply(503, '{"Message": "busy"}'),
    "504": Reply(504, ""),
    "200 HTML": Reply(200, "<html>all well</html>"),
    "200 list": Reply(200, "[]"),
    "200 empty": Reply(200, ""),
    "200 no elements": answer(),
    "200 too many elements": answer(stored(), stored(2)),
    "200 null elements": Reply(200, {"Invoices": None}),
    "200 another number": answer(stored(2)),
    "200 no id": answer(stored(InvoiceID="00000000-0000-0000-0000-000000000000")),
    "200 no object": answer("AMZ-1"),
    "400 HTML": Reply(400, "<html>Bad Request</html>"),
    "400 key of another request": Reply(
        400, {"Message": "Idempotency Key: key-1 is used with a different request.", "ErrorNumber": 10}
    ),
    "409 still at work": Reply(409, "{}"),
}


@pytest.mark.parametrize("reply", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_write_whose_effect_is_not_certain_is_unknown(
    xero: XeroAccounting, server: FaultServer, reply: Reply
) -> None:
    server.on(INVOICES, reply)
    with pytest.raises(XeroOutcomeUnknown) as caught:
        create(xero)
    assert caught.value.status == reply.status
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [404, 412, 413, 415])
def test_a_call_refused_as_a_whole_executed_nothing(xero: XeroAccounting, server: FaultServer, status: int) -> None:
    server.on(INVOICES, Reply(status, "", {"content-type": "text/html"}))
    for call in (create, find):
        with pytest.raises(XeroRefused) as caught:
            call(xero)
        assert caught.value.status == status


def refused_batch(*elements: dict[str, Any]) -> Reply:
    return Reply(400, {"ErrorNumber": 10, "Message": "A validation exception occurred", "Elements": list(elements)})


def test_a_batch_refused_with_a_reason_for_each_element_gives_outcomes(
    xero: XeroAccounting, server: FaultServer
) -> None:
    server.on(INVOICES, refused_batch(stored(ValidationErrors=[{"Message": "Invoice # must be unique."}])))
    (outcome,) = create(xero)
    assert outcome.errors == ("Invoice # must be unique.",)


def test_a_batch_refused_for_one_element_does_not_accept_the_others(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(
        INVOICES, refused_batch(stored(1), stored(2, ValidationErrors=[{"Message": "Invoice # must be unique."}]))
    )
    with pytest.raises(XeroRefused, match="A validation exception occurred: Invoice # must be unique"):
        create(xero, INVOICE, {**INVOICE, "InvoiceNumber": "AMZ-2"})


def test_a_batch_refused_in_another_order_is_refused_as_a_whole(xero: XeroAccounting, server: FaultServer) -> None:
    why = {"ValidationErrors": [{"Message": "no"}]}
    server.on(INVOICES, refused_batch(stored(2, **why), stored(1, **why)))
    with pytest.raises(XeroRefused):
        create(xero, INVOICE, {**INVOICE, "InvoiceNumber": "AMZ-2"})


# --- reads that fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, ""),
        Reply(503, ""),
        Reply(400, "<html>"),
        Reply(200, "<html>"),
        Reply(200, "[]"),
        Reply(200, {"Contacts": []}),
        Reply(200, {"Invoices": None}),
        Reply(200, {"Invoices": [None]}),
        Reply(200, {"Invoices": [], "pagination": {"page": 1, "pageCount": 2}}),
        Reply(fault="drop"),
    ],
)
def test_a_failed_read_never_says_there_is_nothing(xero: XeroAccounting, server: FaultServer, reply: Reply) -> None:
    server.on(INVOICES, reply)
    with pytest.raises(XeroUnavailable):
        find(xero)
    assert len(server.received) == 1


def test_a_query_xero_does_not_understand_is_refused(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, Reply(400, {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "Operator expected"}))
    with pytest.raises(XeroRefused, match="Operator expected"):
        find(xero)


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "problem", "wait"),
    [
        ({"X-Rate-Limit-Problem": "Minute", "Retry-After": "17"}, "minute", timedelta(seconds=17)),
        ({"x-rate-limit-problem": "day", "retry-after": "71468"}, "day", timedelta(seconds=71468)),
        ({"X-Rate-Limit-Problem": "Day"}, "day", timedelta(hours=1)),
        ({"X-Rate-Limit-Problem": "concurrent"}, "concurrent", timedelta(seconds=5)),
        ({"X-Rate-Limit-Problem": "appminute"}, "appminute", timedelta(seconds=60)),
        ({"X-Rate-Limit-Problem": "App-Minute", "Retry-After": "soon"}, "appminute", timedelta(seconds=60)),
        ({}, "minute", timedelta(seconds=60)),
    ],
)
def test_a_reached_limit_says_which_and_for_how_long(
    xero: XeroAccounting, server: FaultServer, headers: dict[str, str], problem: str, wait: timedelta
) -> None:
    server.on(INVOICES, Reply(429, "", headers))
    with pytest.raises(XeroRateLimited) as caught:
        create(xero)
    assert (caught.value.problem, caught.value.retry_after) == (problem, wait)


def test_the_headers_of_the_latest_answer_say_what_is_left(xero: XeroAccounting, server: FaultServer) -> None:
    assert xero.limits() == XeroLimits()
    left = {"x-minlimit-remaining": "59", "X-DAYLIMIT-REMAINING": "4999", "X-AppMinLimit-Remaining": "9999"}
    server.on(INVOICES, Reply(200, answer(stored()).body, left), Reply(429, "", {"X-MinLimit-Remaining": "0"}))
    create(xero)
    assert xero.limits() == XeroLimits(minute_remaining=59, day_remaining=4999, app_minute_remaining=9999)
    with pytest.raises(XeroRateLimited):
        create(xero)
    assert xero.limits() == XeroLimits(minute_remaining=0)


# --- tokens and organisations -----------------------------------------------------------------------------------------

EXPIRED = Reply(401, {"Title": "Unauthorized", "Status": 401, "Detail": f"TokenExpired: token of {BUYER} expired"})
FORBIDDEN = Reply(403, {"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"})


def test_an_expired_token_is_renewed_once_and_the_same_call_repeated(
    xero: XeroAccounting, server: FaultServer, tokens: Tokens
) -> None:
    server.on(INVOICES, EXPIRED, answer(stored()))
    assert create(xero)[0].accepted
    first, second = server.received
    assert (first.headers["authorization"], second.headers["authorization"]) == (
        f"Bearer {SECRET}",
        f"Bearer {SECRET}.renewed-1",
    )
    assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])
    assert tokens.stale == [SECRET]


def test_a_renewed_token_that_is_refused_too_needs_a_person(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, EXPIRED)
    with pytest.raises(XeroNotAuthorised) as caught:
        create(xero)
    assert (caught.value.status, caught.value.message) == (401, "TokenExpired")
    assert len(server.received) == 2


def test_a_missing_scope_or_organisation_needs_a_person(
    xero: XeroAccounting, server: FaultServer, tokens: Tokens
) -> None:
    server.on(INVOICES, FORBIDDEN)
    with pytest.raises(XeroNotAuthorised, match="AuthenticationUnsuccessful"):
        find(xero)
    assert (len(server.received), tokens.stale) == (1, [])


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (XeroGrantRefused("invalid_grant"), XeroNotAuthorised),
        (XeroOutcomeUnknown("token", 503, "server_error"), XeroUnavailable),
    ],
)
def test_a_write_without_a_token_was_not_executed(
    xero: XeroAccounting, server: FaultServer, tokens: Tokens, trouble: Exception, expected: type[XeroError]
) -> None:
    def current() -> str:
        raise trouble

    tokens.current = current  # type: ignore[method-assign]
    with pytest.raises(expected):
        create(xero)
    assert server.received == []


def test_two_organisations_in_one_process_keep_their_tokens_apart(server: FaultServer, clock: SettableClock) -> None:
    """The SDK's configuration is one object for the whole process, its token one for all threads of a client."""
    server.on(INVOICES, answer(stored()))
    own = {name: XeroAccounting(Tokens(f"ey.{name}"), name, clock, api_url=server.url) for name in ("one", "two")}
    together = threading.Barrier(4)
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            together.wait(5)
            for _ in range(15):
                create(own[name])
                find(own[name])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failed == []
    assert len(server.received) == 120
    assert all(
        sent.headers["authorization"] == f"Bearer ey.{sent.headers['xero-tenant-id']}" for sent in server.received
    )


def test_a_threads_call_carries_the_token_it_was_given(server: FaultServer, clock: SettableClock) -> None:
    """A renewal in one thread must not slip its token into another's call, which would then renew it again."""
    server.on(INVOICES, answer(stored()))

    class Named(Tokens):
        def current(self) -> str:
            return f"ey.{threading.current_thread().name}"

    xero = XeroAccounting(Named(), "tenant-1", clock, api_url=server.url)
    # Given two threads that have both chosen their token before the SDK asks for it
    both_have_chosen = threading.Barrier(2)
    chosen = xero._connection._token

    @xero._connection.client.oauth2_token_getter
    def _late() -> dict[str, str]:
        both_have_chosen.wait(5)
        return chosen()

    threads = [
        threading.Thread(target=lambda n=name: xero.create("Invoices", [INVOICE], n), name=name)
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    sent = {request.headers["idempotency-key"]: request.headers["authorization"] for request in server.received}
    assert sent == {"one": "Bearer ey.one", "two": "Bearer ey.two"}


def test_another_use_of_the_sdk_in_the_process_changes_nothing(
    server: FaultServer, tokens: Tokens, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK answers Configuration(…) with a copy of the process's first one, whatever its arguments."""
    monkeypatch.setattr(Configuration, "_default", None)
    foreign = OAuth2Token("foreign-client", "foreign-secret")
    Configuration(oauth2_token=foreign)
    server.on(INVOICES, answer(stored()))
    create(XeroAccounting(tokens, "tenant-1", clock, api_url=server.url))
    assert server.received[0].headers["authorization"] == f"Bearer {SECRET}"
    assert foreign.access_token is None


# --- what is never said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        EXPIRED,
        Reply(403, {"Detail": f"For {BUYER}"}),
        Reply(500, f"<html>{BUYER}</html>"),
        Reply(400, f"{BUYER} is no JSON"),
        Reply(200, BUYER),
        Reply(200, BUYER, fault="cut"),
        Reply(429, BUYER),
        Reply(fault="drop"),
        Reply(
            400,
            {
                "Message": f"The contact name {BUYER} is already assigned to another contact.",
                "Elements": [
                    {"ValidationErrors": [{"Message": f"Email address m.t@example.test of {BUYER} is wrong."}]}
                ],
            },
        ),
    ],
)
@pytest.mark.parametrize("call", [create, find])
def test_errors_hold_neither_buyers_nor_tokens(
    xero: XeroAccounting, server: FaultServer, reply: Reply, call: Any
) -> None:
    server.on(INVOICES, reply)
    with pytest.raises(XeroError) as caught:
        if call is create:
            create(xero, {**INVOICE, "Contact": {"Name": BUYER}}, {**INVOICE, "InvoiceNumber": "AMZ-2"})
        else:
            find(xero)
    said = everything_said(caught.value)
    forbidden = [SECRET, "m.t@example.test", "urllib3", "key-1"]
    if call is create or "Elements" not in str(reply.body):
        forbidden.append(BUYER)
    for secret in forbidden:
        assert secret not in said


def test_nothing_is_logged_even_when_everything_may_be(
    xero: XeroAccounting, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(CONTACTS, answer(collection="Contacts"))
    xero.find("Contacts", "Name", [BUYER])
    assert caplog.text == ""


CONTACT = {
    "Name": BUYER,
    "FirstName": "Margaret",
    "LastName": "Thistlewood",
    "EmailAddress": "m.t@example.test",
    "Addresses": [{"AddressLine1": "3 Lark Rise", "PostalCode": "BS3 4XY"}, {"City": "東京", "Region": "NY"}],
    "Phones": [{"PhoneNumber": "0117 496 0000"}],
}


@pytest.mark.parametrize(
    ("xeros", "ours"),
    [
        (
            f"The contact name {BUYER} is already assigned to another contact. The contact name must be unique across "
            "all active contacts.",
            "The contact name … is already assigned to another contact. The contact name must be unique across all "
            "active contacts.",
        ),
        # another spelling than the one sent: the existing contact's
        (
            "The contact name M. THISTLEWOOD is already assigned to another",
            "The contact name … is already assigned to another",
        ),
        ("3 Lark Rise, BS3 4XY: address too long", "…, …: address too long"),
        ("Phone 0117 496 0000 of Margaret is wrong", "Phone … of … is wrong"),
        ("Margaret Thistlewood and Margaret are one", "… and … are one"),
        ("someone@else.test is no e-mail address", "… is no e-mail address"),
        ("City '東京' of 'NY' is unknown", "City '…' of 'NY' is unknown"),
        (
            "Account code '200' is not a valid code for this document.",
            "Account code '200' is not a valid code for this document.",
        ),
    ],
)
def test_xeros_messages_travel_without_the_buyer(
    xero: XeroAccounting, server: FaultServer, xeros: str, ours: str
) -> None:
    refused = {**CONTACT, "HasValidationErrors": True, "ValidationErrors": [{"Message": xeros}]}
    server.on(CONTACTS, answer(refused, collection="Contacts"))
    (outcome,) = xero.create("Contacts", [CONTACT], "key-1")
    assert outcome.errors == (ours,)


def test_no_value_of_a_buyer_s_contact_travels_back_in_an_error(xero: XeroAccounting, server: FaultServer) -> None:
    # Given every value that a buyer's contact can carry, in one order
    raw = order(item("1.00"), grand_total="1.00")
    raw["buyer"] = {"buyerName": "Name Canary", "buyerEmail": "a@b.example"}
    raw["recipient"]["deliveryAddress"] |= {
        field: f"{field} canary"
        for field in ("name", "addressLine1", "addressLine2", "addressLine3", "city", "stateOrRegion", "postalCode")
    }
    raw["recipient"]["deliveryAddress"]["phone"] = "0117 canary"
    raw["tax"] = {"taxRegistrations": [{"entityType": "BUYER", "taxRegistrationNumber": "GB canary"}]}
    details = customer_of(raw, UK, replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS)), "main").details
    assert details is not None
    assert str(details).lower().count("canary") == 10

    # When Xero repeats all of them
    refused = {"HasValidationErrors": True, "ValidationErrors": [{"Message": f"Cannot read {details}"}]}
    server.on(CONTACTS, answer(refused, collection="Contacts"))
    (outcome,) = xero.create("Contacts", [dict(details)], "key-1")
    server.on(CONTACTS, Reply(400, {"Message": f"Cannot read {details}"}))
    with pytest.raises(XeroError) as caught:
        xero.create("Contacts", [dict(details)], "key-2")

    assert "Cannot read" in outcome.errors[0]
    assert "canary" not in str(outcome.errors).lower()
    assert "canary" not in everything_said(caught.value).lower()


# --- find -------------------------------------------------------------------------------------------------------------


def test_invoices_are_found_by_number_with_their_lines(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored(1), stored(2)))
    found = xero.find("Invoices", "InvoiceNumber", ["amz-1", "AMZ-2", "AMZ-2"])
    assert [document["InvoiceID"] for document in found] == [guid(1), guid(2)]
    assert server.received[0].query == {
        "InvoiceNumbers": ["amz-1,AMZ-2"],
        "page": ["1"],
        "pageSize": ["1000"],
        "unitdp": ["4"],
    }


def test_a_suppliers_bill_with_our_number_is_not_our_invoice(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored(1, Type="ACCPAY")))
    assert find(xero) == []


def test_documents_that_nobody_asked_for_are_not_handed_on(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, answer(stored(7), stored(1)))
    assert [document["InvoiceNumber"] for document in find(xero)] == ["AMZ-1"]


def test_contacts_are_found_by_number_also_when_archived(xero: XeroAccounting, server: FaultServer) -> None:
    server.on(CONTACTS, answer({"ContactID": guid(1), "ContactNumber": "a,1"}, collection="Contacts"))
    assert len(xero.find("Contacts", "ContactNumber", ["a,1", "b"])) == 1
    query = server.received[0].query
    assert query["where"] == ['ContactNumber=="a,1" OR ContactNumber=="b"']
    assert query["includeArchived"] == ["true"]


@pytest.mark.parametrize(
    ("collection", "field", "value", "parameter", "sent"),
    [
        ("Invoices", "InvoiceID", guid(1), "IDs", guid(1)),
        ("Contacts", "ContactID", guid(1), "IDs", guid(1)),
        ("Contacts", "Name", "Amazon.co.uk, UK", "where", 'Name=="Amazon.co.uk, UK"'),
        ("CreditNotes", "CreditNoteNumber", "CN-1", "where", 'CreditNoteNumber=="CN-1"'),
        ("CreditNotes", "CreditNoteID", guid(1), "where", f'CreditNoteID==Guid("{guid(1)}")'),
        ("Payments", "PaymentID", guid(1), "where", f'PaymentID==Guid("{guid(1)}")'),
    ],
)
def test_each_collection_is_asked_its_own_way(
    xero: XeroAccounting, server: FaultServer, collection: str, field: str, value: str, parameter: str, sent: str
) -> None:
    kind = {"Invoices": "ACCREC", "CreditNotes": "ACCRECCREDIT"}.get(collection)
    server.on(f"{API}/{collection}", answer({field: value, "Type": kind}, collection=collection))
    assert len(xero.find(collection, field, [value])) == 1
    assert server.received[0].query[parameter] == [sent]


@pytest.mark.parametrize(
    ("collection", "field", "values"),
    [
        ("Invoices", "InvoiceNumber", [f"AMZ-{n}" for n in range(41)]),
        ("Invoices", "InvoiceNumber", ["AMZ-1,AMZ-2"]),
        ("Invoices", "InvoiceNumber", [""]),
        ("Invoices", "InvoiceID", ["AMZ-1"]),
        ("Invoices", "Reference", ["r"]),
        ("Contacts", "Name", [f'{BUYER} "Maggie"']),
        ("Contacts", "ContactNumber", [f"{BUYER}\\"]),
        ("Payments", "", ["x"]),
        ("Bills", "InvoiceID", [guid(1)]),
    ],
)
def test_a_filter_xero_would_misread_is_not_sent(
    xero: XeroAccounting, server: FaultServer, collection: str, field: str, values: list[str]
) -> None:
    with pytest.raises(ValueError) as caught:
        xero.find(collection, field, values)
    assert BUYER not in everything_said(caught.value)
    assert server.received == []


def test_finding_nothing_costs_no_call(xero: XeroAccounting, server: FaultServer) -> None:
    assert xero.find("Invoices", "InvoiceNumber", []) == []
    assert server.received == []


# --- the organisation -------------------------------------------------------------------------------------------------


def an_organisation(**changes: Any) -> dict[str, Any]:
    return {
        "OrganisationID": guid(9),
        "Name": "Larkfield Trading Ltd",
        "BaseCurrency": "GBP",
        "CountryCode": "GB",
        "Timezone": "GMTSTANDARDTIME",
        "PeriodLockDate": "/Date(1222732800000+0000)/",
        **changes,
    }


def script_organisation(server: FaultServer, **changes: Any) -> None:
    server.on(f"{API}/Organisation", answer(an_organisation(**changes), collection="Organisations"))
    server.on(
        f"{API}/Accounts",
        answer(
            {"AccountID": guid(1), "Code": "200", "Name": "Sales", "Type": "REVENUE", "Status": "ACTIVE"},
            {
                **{"AccountID": guid(2), "Code": "610", "Name": "Amazon clearing", "Type": "CURRENT"},
                **{"Status": "ACTIVE", "EnablePaymentsToAccount": True},
            },
            {
                **{"AccountID": guid(3), "Code": "090", "Name": "Bank", "Type": "BANK"},
                **{"Status": "ARCHIVED", "CurrencyCode": "EUR"},
            },
            {
                **{"AccountID": guid(4), "Code": "860", "Name": "Rounding", "Type": "EXPENSE"},
                **{"Status": "ACTIVE", "SystemAccount": "ROUNDING"},
            },
            {"AccountID": guid(5), "Name": "A bank account without a code", "Type": "BANK", "Status": "ACTIVE"},
            collection="Accounts",
        ),
    )
    rates = (
        '{"TaxRates": [{"Name": "20% (VAT on Income)", "TaxType": "OUTPUT2", "Status": "ACTIVE",'
        ' "EffectiveRate": 20.0000, "CanApplyToRevenue": true},'
        ' {"Name": "17.5%", "TaxType": "OUTPUT", "Status": "DELETED", "EffectiveRate": 17.5,'
        ' "CanApplyToRevenue": true},'
        ' {"Name": "On purchases", "TaxType": "INPUT2", "Status": "ACTIVE", "EffectiveRate": 20,'
        ' "CanApplyToRevenue": false}, {"Name": "Gone", "TaxType": "OLD", "Status": "DELETED"}]}'
    )
    server.on(f"{API}/TaxRates", Reply(200, rates))
    server.on(f"{API}/Currencies", answer({"Code": "GBP"}, {"Code": "XCG"}, collection="Currencies"))


def test_the_organisation_as_the_books_need_it(xero: XeroAccounting, server: FaultServer, clock: SettableClock) -> None:
    script_organisation(server)
    own = xero.organisation()
    assert (own.organisation_id, own.base_currency, own.country) == (guid(9), "GBP", "GB")
    assert (own.time_zone, own.read_at) == ("Europe/London", clock.now())
    assert (own.period_lock, own.year_lock) == (date(2008, 9, 30), None)
    assert own.currencies == {"GBP", "XCG"}
    assert set(own.accounts) == {"200", "610", "090", "860"}
    assert [own.accounts[code].takes_payments for code in ("200", "610", "090")] == [False, True, True]
    assert [own.accounts[code].active for code in ("200", "090")] == [True, False]
    assert (own.accounts["090"].currency, own.accounts["200"].currency) == ("EUR", None)
    assert own.rounding_account() == own.accounts["860"]
    assert own.tax_rates["OUTPUT2"].rate == Decimal(20)
    assert [(name, own.tax_rates[name].active, own.tax_rates[name].on_revenue) for name in own.tax_rates] == [
        ("OUTPUT2", True, True),
        ("OUTPUT", False, True),
        ("INPUT2", True, False),
    ]
    assert len(server.received) == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"BaseCurrency": None}, "Organisations.BaseCurrency should be text and is NoneType"),
        ({"PeriodLockDate": "30 September"}, "Organisations.PeriodLockDate should be a date"),
        ({"Timezone": ""}, "Organisations.Timezone"),
    ],
)
def test_an_odd_answer_names_its_field(
    xero: XeroAccounting, server: FaultServer, changes: dict[str, Any], named: str
) -> None:
    script_organisation(server, **changes)
    with pytest.raises(XeroUnavailable, match=re.escape(named)):
        xero.organisation()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/Date(1222732800000+0000)/", date(2008, 9, 30)),
        ("/Date(1222732800000)/", date(2008, 9, 30)),
        ("/Date(1222732800000+1300)/", date(2008, 9, 30)),  # the milliseconds are UTC whatever follows
        ("/Date(-86400000+0000)/", date(1969, 12, 31)),
    ],
)
def test_a_lock_date_is_a_calendar_date_in_every_time_zone(
    xero: XeroAccounting, server: FaultServer, text: str, expected: date
) -> None:
    script_organisation(server, EndOfYearLockDate=text, Timezone="NEWZEALANDSTANDARDTIME")
    assert xero.organisation().year_lock == expected


def test_an_unknown_time_zone_says_what_to_do(xero: XeroAccounting, server: FaultServer) -> None:
    script_organisation(server, Timezone="MARSSTANDARDTIME")
    with pytest.raises(XeroRefused, match=r"Organisation\.Timezone 'MARSSTANDARDTIME' is not known; choose another"):
        xero.organisation()


@pytest.mark.parametrize(
    ("xeros", "iana"),
    [
        ("NEWZEALANDSTANDARDTIME", "Pacific/Auckland"),
        ("AUSEASTERNSTANDARDTIME", "Australia/Sydney"),
        ("EASTERNSTANDARDTIME(MEXICO)", "America/Cancun"),
        ("UTC", "Etc/UTC"),
        ("UTC02", "Etc/GMT+2"),  # UTC-02: two hours behind, where Windows' hyphen is dropped
        ("UTC+12", "Etc/GMT-12"),
        ("MIDATLANTICSTANDARDTIME", "Etc/GMT+2"),
    ],
)
def test_xeros_time_zones_are_the_right_ones(xeros: str, iana: str) -> None:
    assert iana_time_zone(xeros) == iana


@pytest.mark.skipif(not CONTRACT.exists(), reason="Xero's OpenAPI description is not here")
def test_every_time_zone_of_xeros_contract_is_known() -> None:
    zones = json.loads(CONTRACT.read_text())["components"]["schemas"]["TimeZone"]["enum"]
    assert len(zones) > 100
    for zone in zones:
        ZoneInfo(iana_time_zone(zone))


@pytest.mark.parametrize(("url", "tenant"), [("api.xero.com", "tenant-1"), ("https://api.xero.com", "")])
def test_a_wrong_setting_is_refused(tokens: Tokens, clock: SettableClock, url: str, tenant: str) -> None:
    with pytest.raises(ValueError, match=r"api_url|tenant_id"):
        XeroAccounting(tokens, tenant, clock, api_url=url)
