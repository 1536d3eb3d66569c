"""Each call to Xero is sent once, within a time limit, with the token of its own thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amazon_to_xero.adapters.xero import transport
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.ports.xero import (
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroUnavailable,
)
from amazon_to_xero.runtime.privacy import redact
from fakes.state import ManualClock
from unit.adapters.fault_server import FaultServer, Reply, refusing_url
from unit.adapters.xero_replies import (
    INVOICES,
    Tokens,
    answer,
    create,
    find,
    stored,
    update,
)

WRITES = pytest.mark.parametrize("write", [create, update])

# --- sent once, within a time limit -----------------------------------------------------------------------------------


@WRITES
@pytest.mark.parametrize("fault", ["drop", "cut"])
def test_write_is_not_sent_again_after_a_lost_connection(
    accounting: XeroAccounting, server: FaultServer, write: Callable[[XeroAccounting], Any], fault: str
) -> None:
    server.on(INVOICES, Reply(200, '{"Invoices": []}', fault=fault))
    with pytest.raises(XeroOutcomeUnknown):
        write(accounting)
    assert len(server.received) == 1


@WRITES
def test_write_that_times_out_has_an_unknown_outcome(
    server: FaultServer, tokens: Tokens, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    accounting = XeroAccounting(tokens, "tenant-1", clock, redact, api_url=server.url)
    server.on(INVOICES, Reply(200, answer(stored()).body, fault="hang"))
    with pytest.raises(XeroOutcomeUnknown, match="ReadTimeoutError"):
        write(accounting)
    assert len(server.received) == 1


def test_read_times_out_as_unavailable(
    server: FaultServer, tokens: Tokens, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    accounting = XeroAccounting(tokens, "tenant-1", clock, redact, api_url=server.url)
    server.on(INVOICES, Reply(200, answer(stored()).body, fault="hang"))
    with pytest.raises(XeroUnavailable):
        find(accounting)
    assert len(server.received) == 1


def test_time_limits_are_passed_to_the_connection_pool(
    accounting: XeroAccounting, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[Any] = []
    pool = accounting._connection.transport.pool_manager
    request = pool.request

    def recording_request(*arguments: Any, **options: Any) -> Any:
        limits.append(options["timeout"])
        return request(*arguments, **options)

    monkeypatch.setattr(pool, "request", recording_request)
    server.on(INVOICES, answer(stored()))
    create(accounting)
    find(accounting)
    assert [(limit.connect_timeout, limit.read_timeout) for limit in limits] == [(3.05, 20.0)] * 2


@pytest.mark.parametrize("call", [create, update, find])
def test_retry_after_is_raised_and_not_waited_for(accounting: XeroAccounting, server: FaultServer, call: Any) -> None:
    # urllib3 would sleep and send again; a hidden second request would succeed with these two answers
    server.on(INVOICES, Reply(429, "", {"Retry-After": "1", "X-Rate-Limit-Problem": "minute"}), answer(stored()))
    with pytest.raises(XeroRateLimited):
        call(accounting)
    assert len(server.received) == 1
    server.on(INVOICES, Reply(503, "", {"Retry-After": "1"}), answer(stored()))
    with pytest.raises((XeroUnavailable, XeroOutcomeUnknown)):
        call(accounting)
    assert len(server.received) == 2


@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_redirect_is_not_followed_with_the_access_token(
    accounting: XeroAccounting, server: FaultServer, status: int
) -> None:
    server.on(INVOICES, Reply(status, "", {"Location": "/elsewhere", "Retry-After": "1"}))
    with pytest.raises(XeroUnavailable):
        find(accounting)
    with pytest.raises(XeroOutcomeUnknown):
        create(accounting)
    assert server.to("/elsewhere") == []
    assert len(server.received) == 2


@pytest.mark.parametrize("call", [create, update, find])
@pytest.mark.parametrize("url", [refusing_url(), "http://no-such-host.invalid"], ids=["refused", "unknown host"])
def test_call_that_was_never_sent_is_unavailable_rather_than_unknown(
    tokens: Tokens, clock: ManualClock, call: Any, url: str
) -> None:
    with pytest.raises(XeroUnavailable):
        call(XeroAccounting(tokens, "tenant-1", clock, redact, api_url=url))


def test_connection_that_was_idle_while_the_function_was_frozen_is_replaced(
    accounting: XeroAccounting, server: FaultServer, clock: ManualClock
) -> None:
    server.on(INVOICES, answer(stored()))
    create(accounting)
    clock.advance(10)
    create(accounting)
    clock.advance(60)
    create(accounting)
    first, second, third = (request.connection for request in server.received)
    assert first == second != third
