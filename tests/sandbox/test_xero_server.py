"""The server on a real socket: dropped and slow responses, real concurrency, and the official SDK as the client."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from xero_python.accounting import AccountingApi, Contact, CurrencyCode, Invoice, Invoices, LineItem
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, NotFoundException, RateLimitException
from xero_python.identity import IdentityApi

from sandbox.server import SandboxServer, main
from sandbox.testing.xero import invoice, payment
from sandbox.wire import SandboxClock, dumps
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, Limits, XeroSandbox


class RunningServer:
    """A sandbox Xero on a loopback port, in its own thread."""

    def __init__(self, limits: Limits | None = None, latency: float = 0.0) -> None:
        self.sandbox = XeroSandbox(SandboxClock(), limits=limits)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        server = SandboxServer(self.sandbox, latency)
        self.runner, self.address = self._in_loop(server.start("127.0.0.1", 0))
        self.token = self.sandbox.identity.issue_access_token()

    def _in_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def stop(self) -> None:
        self._in_loop(self.runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        raw = None if body is None else dumps(body).encode()
        sent = {
            "Authorization": f"Bearer {self.token}",
            "xero-tenant-id": self.sandbox.tenant_id,
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        request = urllib.request.Request(self.address + path, raw, sent, method=method)  # noqa: S310 (loopback)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else text


@pytest.fixture
def xero_server() -> Iterator[RunningServer]:
    running = RunningServer()
    yield running
    running.stop()


# -- sockets -----------------------------------------------------------------------------------------------------


def test_dropped_response_is_a_connection_error_after_the_request_was_processed(xero_server: RunningServer) -> None:
    xero_server.send("POST", "/_sandbox/faults", {"kind": "drop", "path": "/api.xro/2.0/Invoices"})

    with pytest.raises((ConnectionError, urllib.error.URLError)):
        xero_server.send("PUT", "/api.xro/2.0/Invoices", invoice(), Idempotency_Key="k")

    assert len(xero_server.send("GET", "/_sandbox/books")[1]["Invoices"]) == 1
    status, body = xero_server.send("PUT", "/api.xro/2.0/Invoices", invoice(), Idempotency_Key="k")
    assert (status, body["Invoices"][0]["InvoiceNumber"]) == (200, "AMZ-1")


def test_lost_request_has_no_effect(xero_server: RunningServer) -> None:
    xero_server.send("POST", "/_sandbox/faults", {"kind": "lose"})
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        xero_server.send("PUT", "/api.xro/2.0/Invoices", invoice())
    assert xero_server.send("GET", "/_sandbox/books")[1]["Invoices"] == []


def test_slow_response_does_not_block_other_requests(xero_server: RunningServer) -> None:
    xero_server.send("POST", "/_sandbox/faults", {"kind": "slow", "path": "/api.xro/2.0/Invoices", "delay": 1.0})
    order: list[str] = []

    def get(name: str, path: str) -> None:
        assert xero_server.send("GET", path)[0] == 200
        order.append(name)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(get, "slow", "/api.xro/2.0/Invoices")
        while not xero_server.sandbox.calls:
            time.sleep(0.01)  # until the slow request is being processed
        pool.submit(get, "quick", "/api.xro/2.0/Organisation").result()
        slow.result()
    assert order == ["quick", "slow"]


def test_more_than_five_concurrent_calls_are_rejected() -> None:
    running = RunningServer(latency=1.0)
    try:
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: running.send("GET", "/api.xro/2.0/Organisation")[0], range(8)))
        assert sorted(outcomes) == [200] * 5 + [429] * 3
        assert running.send("GET", "/api.xro/2.0/Organisation")[0] == 200, "the concurrent calls have ended"
    finally:
        running.stop()


def test_encoded_slash_in_the_path_is_preserved(xero_server: RunningServer) -> None:
    xero_server.send("PUT", "/api.xro/2.0/Contacts", {"Name": "A", "ContactNumber": "AMZ/1"})
    assert xero_server.send("GET", "/api.xro/2.0/Contacts/AMZ%2F1")[0] == 200


def test_page_is_served(xero_server: RunningServer) -> None:
    with urllib.request.urlopen(xero_server.address + "/", timeout=10) as response:  # noqa: S310
        assert "Northwind Trading Ltd" in response.read().decode()


@pytest.mark.parametrize("arguments", [[], ["--service", "quickbooks"], ["--service", "xero", "--country", "FR"]])
def test_invalid_arguments_are_rejected_with_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


# -- the official SDK --------------------------------------------------------------------------------------------


@pytest.fixture
def xero_sdk(xero_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> AccountingApi:
    """Return xero-python against the sandbox, with its automatic retries disabled."""
    for name in ("refresh_token_url", "client_credentials_token_url"):
        monkeypatch.setattr(TokenApi, name, f"{xero_server.address}/connect/token")
    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
    token: dict[str, Any] = {
        "access_token": xero_server.token, "scope": ["accounting.invoices"], "expires_in": 1800, "token_type": "Bearer"
    }  # fmt: skip
    client = ApiClient(configuration, oauth2_token_getter=lambda: token, oauth2_token_saver=token.update)
    client.rest_client.pool_manager.connection_pool_kw["retries"] = urllib3.Retry(total=False)
    return AccountingApi(client, base_url=f"{xero_server.address}/api.xro/2.0")


def sdk_invoices(number: str) -> Invoices:
    item = LineItem(description="Principal", quantity=2, unit_amount=15.5, account_code="200", tax_type="NONE")
    created = Invoice(
        type="ACCREC",
        invoice_number=number,
        contact=Contact(name="Amazon UK"),
        line_items=[item],
        status="AUTHORISED",
        currency_code=CurrencyCode.GBP,
    )
    return Invoices(invoices=[created])


def test_sdk_creates_lists_pays_and_deletes(xero_server: RunningServer, xero_sdk: AccountingApi) -> None:
    tenant = xero_server.sandbox.tenant_id
    assert xero_sdk.get_organisations(tenant).organisations[0].base_currency == CurrencyCode.GBP
    [connection] = IdentityApi(xero_sdk.api_client, base_url=xero_server.address).get_connections()
    assert connection.tenant_id == tenant

    created = xero_sdk.create_invoices(tenant, sdk_invoices("AMZ-1"), summarize_errors="false").invoices[0]
    assert (float(created.total), created.status) == (31.0, "AUTHORISED")
    listed = xero_sdk.get_invoices(tenant, invoice_numbers=["AMZ-1"], page=1).invoices
    assert [one.invoice_id for one in listed] == [created.invoice_id]

    body = {"Payments": [payment({"InvoiceID": created.invoice_id}, "31.00")]}
    paid = xero_sdk.create_payments(tenant, body).payments[0]
    assert xero_sdk.get_invoice(tenant, created.invoice_id).invoices[0].status == "PAID"
    xero_sdk.delete_payment(tenant, paid.payment_id, {"Status": "DELETED"})
    assert xero_sdk.get_invoice(tenant, created.invoice_id).invoices[0].status == "AUTHORISED"


def test_sdk_raises_its_exceptions_for_xeros_errors(xero_server: RunningServer, xero_sdk: AccountingApi) -> None:
    tenant = xero_server.sandbox.tenant_id
    xero_sdk.create_invoices(tenant, {"Invoices": [invoice()]})
    with pytest.raises(AccountingBadRequestException) as duplicate:
        xero_sdk.create_invoices(tenant, {"Invoices": [invoice()]}, summarize_errors="true")
    assert duplicate.value.reason == "Invoice # must be unique."
    with pytest.raises(NotFoundException):
        xero_sdk.get_invoice(tenant, "nope")

    xero_server.send("POST", "/_sandbox/limits", {"minute": 1})
    with pytest.raises(RateLimitException) as limited:
        xero_sdk.get_organisations(tenant)
    assert limited.value.rate_limit == "minute"
    assert int(limited.value.headers["Retry-After"]) > 0


def test_sdk_retries_a_dropped_call_with_its_key(xero_server: RunningServer, xero_sdk: AccountingApi) -> None:
    tenant = xero_server.sandbox.tenant_id
    body = {"Invoices": [invoice()]}
    xero_server.send("POST", "/_sandbox/faults", {"kind": "drop", "path": "/api.xro/2.0/Invoices"})

    with pytest.raises(urllib3.exceptions.HTTPError):
        xero_sdk.create_invoices(tenant, body, idempotency_key="k-1")
    retried = xero_sdk.create_invoices(tenant, body, idempotency_key="k-1")

    assert retried.invoices[0].invoice_number == "AMZ-1"
    assert len(xero_server.sandbox.holdings()["Invoices"]) == 1


def test_sdk_refreshes_its_token(xero_server: RunningServer, xero_sdk: AccountingApi) -> None:
    token = xero_sdk.api_client.configuration.oauth2_token
    token.update_token(
        access_token="old", scope=["offline_access"], expires_in=1800, token_type="Bearer", expires_at=0,
        refresh_token=DEFAULT_REFRESH_TOKEN,
    )  # fmt: skip
    assert token.refresh_access_token(xero_sdk.api_client) is True
    assert token.refresh_token != DEFAULT_REFRESH_TOKEN
    assert token.access_token in xero_server.sandbox.identity.access_tokens
