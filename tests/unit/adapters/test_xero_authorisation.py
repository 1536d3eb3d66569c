"""Access tokens and rate limits of calls to Xero."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.ports.xero import (
    XeroError,
    XeroGrantRefused,
    XeroLimits,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroUnavailable,
)
from amazon_to_xero.runtime.privacy import redact
from fakes.state import ManualClock
from unit.adapters.fault_server import FaultServer, Reply
from unit.adapters.xero_replies import (
    ACCESS_TOKEN,
    EXPIRED,
    FORBIDDEN,
    INVOICE,
    INVOICES,
    Tokens,
    answer,
    create,
    find,
    stored,
)

# --- access tokens ----------------------------------------------------------------------------------------------------


def test_expired_token_is_renewed_once_and_the_same_call_repeated(
    accounting: XeroAccounting, server: FaultServer, tokens: Tokens
) -> None:
    server.on(INVOICES, EXPIRED, answer(stored()))
    assert create(accounting)[0].accepted
    first, second = server.received
    assert (first.headers["authorization"], second.headers["authorization"]) == (
        f"Bearer {ACCESS_TOKEN}",
        f"Bearer {ACCESS_TOKEN}.renewed-1",
    )
    assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])
    assert tokens.stale == [ACCESS_TOKEN]


def test_refused_renewed_token_raises_not_authorised(accounting: XeroAccounting, server: FaultServer) -> None:
    server.on(INVOICES, EXPIRED)
    with pytest.raises(XeroNotAuthorised) as caught:
        create(accounting)
    assert (caught.value.status, caught.value.message) == (401, "TokenExpired")
    assert len(server.received) == 2


def test_missing_scope_or_organisation_raises_not_authorised(
    accounting: XeroAccounting, server: FaultServer, tokens: Tokens
) -> None:
    server.on(INVOICES, FORBIDDEN)
    with pytest.raises(XeroNotAuthorised, match="AuthenticationUnsuccessful"):
        find(accounting)
    assert (len(server.received), tokens.stale) == (1, [])


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (XeroGrantRefused("invalid_grant"), XeroNotAuthorised),
        (XeroOutcomeUnknown("token", 503, "server_error"), XeroUnavailable),
    ],
)
def test_write_without_a_token_is_not_sent(
    accounting: XeroAccounting, server: FaultServer, tokens: Tokens, trouble: Exception, expected: type[XeroError]
) -> None:
    def current() -> str:
        raise trouble

    tokens.current = current  # type: ignore[method-assign]
    with pytest.raises(expected):
        create(accounting)
    assert server.received == []


# --- threads and organisations ----------------------------------------------------------------------------------------


def test_two_organisations_in_one_process_never_use_each_others_tokens(server: FaultServer, clock: ManualClock) -> None:
    """The SDK has one configuration for the whole process and one token for all threads of a client."""
    server.on(INVOICES, answer(stored()))
    own = {
        name: XeroAccounting(Tokens(f"ey.{name}"), name, clock, redact, api_url=server.url) for name in ("one", "two")
    }
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


def test_call_uses_the_token_of_its_own_thread(server: FaultServer, clock: ManualClock) -> None:
    """A token renewed in one thread must not reach the call of another thread, which would renew it again."""
    server.on(INVOICES, answer(stored()))

    class Named(Tokens):
        def current(self) -> str:
            return f"ey.{threading.current_thread().name}"

    accounting = XeroAccounting(Named(), "tenant-1", clock, redact, api_url=server.url)
    # Given two threads that have both chosen their token before the SDK asks for it
    both_have_chosen = threading.Barrier(2)
    chosen_token = accounting._connection._token

    def token_once_both_have_chosen() -> dict[str, str]:
        both_have_chosen.wait(5)
        return chosen_token()

    accounting._connection.client.oauth2_token_getter(token_once_both_have_chosen)
    threads = [
        threading.Thread(target=lambda n=name: accounting.create("Invoices", [INVOICE], n), name=name)
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    sent = {request.headers["idempotency-key"]: request.headers["authorization"] for request in server.received}
    assert sent == {"one": "Bearer ey.one", "two": "Bearer ey.two"}


def test_another_use_of_the_sdk_in_the_process_has_no_effect(
    server: FaultServer, tokens: Tokens, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK returns a copy of the process's first Configuration, whatever the arguments."""
    monkeypatch.setattr(Configuration, "_default", None)
    foreign = OAuth2Token("foreign-client", "foreign-secret")
    Configuration(oauth2_token=foreign)
    server.on(INVOICES, answer(stored()))
    create(XeroAccounting(tokens, "tenant-1", clock, redact, api_url=server.url))
    assert server.received[0].headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert foreign.access_token is None


# --- rate limits ------------------------------------------------------------------------------------------------------


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
def test_rate_limit_states_which_limit_and_for_how_long(
    accounting: XeroAccounting, server: FaultServer, headers: dict[str, str], problem: str, wait: timedelta
) -> None:
    server.on(INVOICES, Reply(429, "", headers))
    with pytest.raises(XeroRateLimited) as caught:
        create(accounting)
    assert (caught.value.problem, caught.value.retry_after) == (problem, wait)


def test_limits_are_those_of_the_latest_answer(accounting: XeroAccounting, server: FaultServer) -> None:
    assert accounting.limits() == XeroLimits()
    left = {"x-minlimit-remaining": "59", "X-DAYLIMIT-REMAINING": "4999", "X-AppMinLimit-Remaining": "9999"}
    server.on(INVOICES, Reply(200, answer(stored()).body, left), Reply(429, "", {"X-MinLimit-Remaining": "0"}))
    create(accounting)
    assert accounting.limits() == XeroLimits(minute_remaining=59, day_remaining=4999, app_minute_remaining=9999)
    with pytest.raises(XeroRateLimited):
        create(accounting)
    assert accounting.limits() == XeroLimits(minute_remaining=0)
