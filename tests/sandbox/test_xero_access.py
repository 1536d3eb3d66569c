"""Tokens, connections, rate limits, Idempotency-Key, faults, and the control interface."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from sandbox.testing.xero import ParsedResponse, XeroClient, credit_note, invoice, parse_response
from sandbox.wire import Request
from sandbox.xero import (
    COUNTRIES,
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    DEFAULT_REFRESH_TOKEN,
    Limits,
    organisation_for,
)

CLIENT = {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}


def send(
    client: XeroClient,
    method: str,
    target: str,
    form: Mapping[str, str] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> ParsedResponse:
    """Send a form-encoded request to any path."""
    body = urlencode(form or {}).encode()
    return parse_response(client.sandbox.handle(Request.to(method, target, headers=headers, body=body)))


def request_token(
    client: XeroClient, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None
) -> ParsedResponse:
    return send(client, "POST", "/connect/token", form, headers=headers)


def refresh(client: XeroClient, token: str) -> ParsedResponse:
    return request_token(client, {"grant_type": "refresh_token", "refresh_token": token, **CLIENT})


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **headers}


# -- tokens ------------------------------------------------------------------------------------------------------


def test_client_credentials_return_an_access_token_without_a_refresh_token(xero: XeroClient) -> None:
    response = request_token(xero, {"grant_type": "client_credentials", **CLIENT})

    assert (response.status, response.body["expires_in"], response.body["token_type"]) == (200, 1800, "Bearer")
    assert not {"refresh_token", "expires_at"} & set(response.body)
    custom = send(xero, "GET", "/api.xro/2.0/Organisation", headers=bearer(response.body["access_token"]))
    assert custom.status == 200, "a custom connection needs no tenant header"


def test_client_may_use_basic_authentication(xero: XeroClient) -> None:
    basic = base64.b64encode(f"{DEFAULT_CLIENT_ID}:{DEFAULT_CLIENT_SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    assert request_token(xero, {"grant_type": "client_credentials"}, headers=headers).status == 200


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({**CLIENT, "client_secret": "wrong"}, {}),
        ({**CLIENT, "client_id": "nobody"}, {}),
        ({}, {}),
        ({}, {"Authorization": "Basic !!!"}),
        (CLIENT, {"Authorization": "Basic " + base64.b64encode(b"nobody:nothing").decode()}),
    ],
)
def test_wrong_client_credentials_are_rejected(xero: XeroClient, form: dict[str, str], headers: dict[str, str]) -> None:
    response = request_token(xero, {"grant_type": "client_credentials", **form}, headers=headers)
    assert (response.status, response.body) == (401, {"error": "invalid_client"})


def test_unknown_grant_type_is_rejected(xero: XeroClient) -> None:
    response = request_token(xero, {"grant_type": "password", **CLIENT})
    assert (response.status, response.body) == (400, {"error": "unsupported_grant_type"})


def test_refresh_tokens_rotate_and_the_used_one_expires_after_thirty_minutes(xero: XeroClient) -> None:
    first = refresh(xero, DEFAULT_REFRESH_TOKEN)
    assert first.status == 200
    assert first.body["refresh_token"] != DEFAULT_REFRESH_TOKEN

    xero.wait(minutes=30)
    second = refresh(xero, DEFAULT_REFRESH_TOKEN)
    assert second.status == 200, "a retry after a lost response is accepted"

    xero.wait(seconds=1)
    third = refresh(xero, DEFAULT_REFRESH_TOKEN)
    assert (third.status, third.body) == (400, {"error": "invalid_grant"})
    assert refresh(xero, first.body["refresh_token"]).status == 200
    assert refresh(xero, second.body["refresh_token"]).status == 200


def test_unused_refresh_token_expires_after_sixty_days(xero: XeroClient) -> None:
    token = refresh(xero, DEFAULT_REFRESH_TOKEN).body["refresh_token"]
    xero.wait(days=59, hours=23)
    token = refresh(xero, token).body["refresh_token"]
    xero.wait(days=60)
    assert refresh(xero, token).body == {"error": "invalid_grant"}


REDIRECT = "http://localhost:8765/callback"


def consent(client: XeroClient, redirect_uri: str = REDIRECT) -> ParsedResponse:
    query = {"response_type": "code", "client_id": DEFAULT_CLIENT_ID, "redirect_uri": redirect_uri, "state": "s t"}
    query["scope"] = "offline_access accounting.contacts"
    return send(client, "GET", f"/identity/connect/authorize?{urlencode(query)}")


def redeem(client: XeroClient, code: str, redirect_uri: str = REDIRECT) -> ParsedResponse:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **CLIENT}
    return request_token(client, form)


def code_of(client: XeroClient) -> str:
    query = dict(parse_qsl(urlsplit(consent(client).headers["location"]).query))
    assert query["state"] == "s t"
    return query["code"]


def test_code_of_a_consent_is_worth_tokens_once_and_for_five_minutes(xero: XeroClient) -> None:
    code = code_of(xero)
    tokens = redeem(xero, code)

    assert tokens.body["scope"] == "offline_access accounting.contacts"
    assert refresh(xero, tokens.body["refresh_token"]).status == 200
    assert redeem(xero, code).body == {"error": "invalid_grant"}
    late = code_of(xero)
    xero.sandbox.clock.advance(300)
    assert redeem(xero, late).body == {"error": "invalid_grant"}


def test_code_is_only_for_the_redirect_uri_of_the_consent(xero: XeroClient) -> None:
    assert redeem(xero, code_of(xero), "http://localhost:1/callback").body == {"error": "invalid_grant"}
    assert consent(xero, "http://127.0.0.1:8765/callback").status == 400


def test_registered_clients_cannot_use_each_others_refresh_tokens(xero: XeroClient) -> None:
    xero.sandbox.identity.register_client("mine", "my-secret")
    xero.sandbox.identity.seed_refresh_token("my-token", "mine")
    mine = {
        "grant_type": "refresh_token",
        "refresh_token": "my-token",
        "client_id": "mine",
        "client_secret": "my-secret",
    }

    assert refresh(xero, "my-token").body == {"error": "invalid_grant"}, "another client's token"
    assert request_token(xero, mine).status == 200


def test_revocation_invalidates_the_refresh_token_and_its_access_tokens(xero: XeroClient) -> None:
    tokens = refresh(xero, DEFAULT_REFRESH_TOKEN).body
    response = send(xero, "POST", "/connect/revocation", {"token": tokens["refresh_token"], **CLIENT})

    assert (response.status, response.body) == (200, b"")
    assert refresh(xero, tokens["refresh_token"]).body == {"error": "invalid_grant"}
    headers = bearer(tokens["access_token"], **{"xero-tenant-id": xero.sandbox.tenant_id})
    assert send(xero, "GET", "/api.xro/2.0/Organisation", headers=headers).status == 401


def test_access_token_expires_after_thirty_minutes(xero: XeroClient) -> None:
    headers = dict(xero.headers)
    xero.wait(minutes=29, seconds=59)
    assert send(xero, "GET", "/api.xro/2.0/Organisation", headers=headers).status == 200
    xero.wait(seconds=1)

    expired = send(xero, "GET", "/api.xro/2.0/Organisation", headers=headers)
    assert (expired.status, expired.headers["content-type"]) == (401, "application/problem+json")
    assert expired.body["Detail"].startswith("TokenExpired")


@pytest.mark.parametrize("headers", [{}, bearer("invalid"), {"Authorization": "Basic abc"}])
def test_unknown_token_is_rejected(xero: XeroClient, headers: dict[str, str]) -> None:
    for path in ("/api.xro/2.0/Organisation", "/connections"):
        response = send(xero, "GET", path, headers=headers)
        assert (response.status, response.body["Detail"]) == (401, "AuthenticationUnsuccessful")


def test_unconnected_tenant_is_forbidden(xero: XeroClient) -> None:
    token = xero.sandbox.identity.issue_access_token()
    for headers in (bearer(token), bearer(token, **{"xero-tenant-id": "somebody-elses"})):
        response = send(xero, "GET", "/api.xro/2.0/Organisation", headers=headers)
        assert (response.status, response.body["Detail"]) == (403, "AuthenticationUnsuccessful")
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/connections", "/Connections"])
def test_connections_list_the_tenant_until_it_is_disconnected(xero: XeroClient, path: str) -> None:
    [connection] = send(xero, "GET", path, headers=xero.headers).body
    assert (connection["tenantId"], connection["tenantType"]) == (xero.sandbox.tenant_id, "ORGANISATION")

    assert send(xero, "DELETE", f"{path}/{connection['id']}", headers=xero.headers).status == 204
    assert send(xero, "GET", path, headers=xero.headers).body == []
    assert xero.get("Organisation").status == 403
    xero.control("POST", "connection", {"connected": True})
    assert xero.get("Organisation").status == 200


# -- rate limits -------------------------------------------------------------------------------------------------


def test_minute_limit_is_a_sliding_window_of_sixty_calls() -> None:
    client = XeroClient(limits=Limits())
    for _ in range(30):
        assert client.get("Organisation").status == 200
    client.wait(seconds=20)
    for _ in range(30):
        last = client.get("Organisation")
    assert (last.status, last.headers["x-minlimit-remaining"], last.headers["x-daylimit-remaining"]) == (
        200,
        "0",
        "4940",
    )
    assert last.headers["x-appminlimit-remaining"] == "9940"

    rejected = client.get("Organisation")
    assert (rejected.status, rejected.body) == (429, b"")
    assert (rejected.headers["x-rate-limit-problem"], rejected.headers["retry-after"]) == ("minute", "40")
    assert rejected.headers["x-daylimit-remaining"] == "4940", "a rejected call does not count"

    client.wait(seconds=39)
    assert client.get("Organisation").headers["retry-after"] == "1"
    client.wait(seconds=1)
    assert [client.get("Organisation").status for _ in range(31)] == [200] * 30 + [429]


def test_day_limit_returns_the_seconds_to_wait() -> None:
    client = XeroClient(limits=Limits(day=3))
    client.get("Organisation")
    client.wait(hours=4)
    assert [client.get("Organisation").status for _ in range(3)] == [200, 200, 429]
    rejected = client.get("Organisation")
    assert (rejected.headers["x-rate-limit-problem"], rejected.headers["retry-after"]) == ("day", "72000")
    client.wait(hours=20)
    assert client.get("Organisation").status == 200


def test_app_has_its_own_minute_limit() -> None:
    client = XeroClient(limits=Limits(app_minute=1))
    assert client.get("Organisation").status == 200
    assert client.get("Organisation").headers["x-rate-limit-problem"] == "appminute"


def test_sixth_concurrent_call_is_rejected() -> None:
    client = XeroClient(limits=Limits())
    sandbox = client.sandbox
    target = "/api.xro/2.0/Organisation"
    requests = [Request.to("GET", target, headers=client.headers) for _ in range(6)]
    for request in requests:
        sandbox.begin(request)

    rejected = sandbox.handle(requests[5])
    assert (rejected.status, rejected.headers["x-rate-limit-problem"]) == (429, "concurrent")
    sandbox.end(requests[5])
    assert sandbox.handle(requests[0]).status == 200, "the fifth concurrent call"
    assert client.get("Organisation").status == 429, "calls without begin() count as concurrent too"
    sandbox.end(requests[0])
    assert client.get("Organisation").status == 200


def test_limits_can_be_changed(xero: XeroClient) -> None:
    assert xero.control("POST", "limits", {"minute": 1, "concurrent": 2}).body["minute"] == 1
    assert [xero.get("Organisation").status for _ in range(2)] == [200, 429]
    for invalid in ({"hour": 5}, {"minute": 0}, {"minute": "many"}):
        rejected = xero.control("POST", "limits", invalid)
        assert (rejected.status, next(iter(invalid)) in rejected.body["error"]) == (400, True)


# -- Idempotency-Key ---------------------------------------------------------------------------------------------


def test_repeated_request_with_the_same_key_returns_the_stored_response(xero: XeroClient) -> None:
    first = xero.send("PUT", "Invoices", invoice(), key="k-1")
    repeated = xero.send("PUT", "Invoices", invoice(), key="k-1")

    assert (repeated.status, repeated.body) == (first.status, first.body)
    assert len(xero.books()["Invoices"]) == 1
    assert xero.put("Invoices", invoice()).messages == ["Invoice # must be unique."]


def test_rejection_is_stored_under_its_key(xero: XeroClient) -> None:
    invalid = invoice(CurrencyCode="CHF")
    assert xero.put("Invoices", invalid, key="k").status == 400
    xero.control("POST", "organisation", {"Currencies": [{"Code": "CHF"}]})
    assert xero.put("Invoices", invalid, key="k").status == 400
    assert xero.put("Invoices", invalid, key="another").status == 200


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "Invoices", invoice("B")),
        ("POST", "Invoices", invoice("A")),
        ("PUT", "CreditNotes", credit_note()),
        ("PUT", "Invoices?summarizeErrors=false", invoice("A")),
    ],
)
def test_idempotency_key_of_a_different_request_is_rejected(
    xero: XeroClient, method: str, target: str, body: Any
) -> None:
    xero.put("Invoices", invoice("A"), key="k-1").record()
    rejected = xero.call(method, target, body, key="k-1")
    assert rejected.status == 400
    assert "Idempotency Key: k-1 is used with a different request." in json.dumps(rejected.body)
    assert len(xero.books()["Invoices"]) == 1


def test_idempotency_key_expires_six_minutes_after_its_first_call(xero: XeroClient) -> None:
    xero.put("Invoices", invoice(), key="k").record()
    xero.wait(minutes=5, seconds=59)
    assert xero.put("Invoices", invoice(), key="k").status == 200
    xero.wait(seconds=1)
    assert xero.put("Invoices", invoice(), key="k").messages == ["Invoice # must be unique."]


def test_long_idempotency_key_is_rejected_and_reads_ignore_the_key(xero: XeroClient) -> None:
    assert xero.put("Invoices", invoice(), key="k" * 129).status == 400
    assert xero.books()["Invoices"] == []
    assert xero.put("Invoices", invoice(), key="k" * 128).status == 200
    before = xero.call("GET", "Invoices", key="read").body["Invoices"]
    xero.create_invoice("B")
    assert len(xero.call("GET", "Invoices", key="read").body["Invoices"]) == len(before) + 1


def test_repeated_calls_count_and_rate_limits_apply_before_the_key() -> None:
    client = XeroClient(limits=Limits(minute=2))
    client.put("Invoices", invoice(), key="k").record()
    assert client.put("Invoices", invoice(), key="k").headers["x-minlimit-remaining"] == "0"
    assert client.put("Invoices", invoice(), key="k").status == 429
    client.wait(minutes=1)
    assert client.put("Invoices", invoice(), key="k").status == 200, "the 429 is not stored"


# -- faults ------------------------------------------------------------------------------------------------------


def fault(client: XeroClient, kind: str, **more: Any) -> None:
    assert client.control("POST", "faults", {"kind": kind, "path": "/api.xro/2.0/Invoices", **more}).status == 204


def test_lost_response_is_returned_again_for_the_same_key(xero: XeroClient) -> None:
    fault(xero, "drop")
    assert xero.send("PUT", "Invoices", invoice(), key="k").dropped
    assert len(xero.books()["Invoices"]) == 1
    assert xero.put("Invoices", invoice(), key="k").record()["InvoiceNumber"] == "AMZ-1"
    assert xero.put("Invoices", invoice(), key="k2").messages == ["Invoice # must be unique."]


def test_server_error_after_processing_is_stored_under_its_key(xero: XeroClient) -> None:
    fault(xero, "fail", status=500, body="<html>Internal error</html>")
    first = xero.put("Invoices", invoice(), key="k")
    repeated = xero.put("Invoices", invoice(), key="k")

    assert (first.status, repeated.status, repeated.body) == (500, 500, b"<html>Internal error</html>")
    assert len(xero.books()["Invoices"]) == 1
    xero.wait(minutes=6)
    assert xero.put("Invoices", invoice(), key="k").messages == ["Invoice # must be unique."]


@pytest.mark.parametrize("kind", ["lose", "refuse"])
def test_request_that_never_arrived_is_processed_on_retry_with_the_same_key(xero: XeroClient, kind: str) -> None:
    fault(xero, kind, status=503)
    xero.send("PUT", "Invoices", invoice(), key="k")
    assert xero.books()["Invoices"] == []
    assert xero.put("Invoices", invoice(), key="k").status == 200


def test_slow_fault_delays_the_response(xero: XeroClient) -> None:
    fault(xero, "slow", delay=30.0)
    response = xero.send("PUT", "Invoices", invoice())
    assert (response.status, response.delay) == (200, 30.0)


def test_fault_for_one_document_is_injected_into_each_request_that_carries_it(xero: XeroClient) -> None:
    fault(xero, "refuse", contains='"BAD"', times=9, status=500)

    assert xero.send("PUT", "Invoices", [invoice("GOOD"), invoice("BAD")]).status == 500
    assert xero.put("Invoices", [invoice("GOOD")]).status == 200
    assert xero.send("PUT", "Invoices", invoice("BAD")).status == 500


# -- control -----------------------------------------------------------------------------------------------------


def test_reset_of_a_demo_company_empties_the_books_and_keeps_tokens_and_ids_unique(xero: XeroClient) -> None:
    before = xero.put("Invoices", invoice()).record()
    assert xero.control("POST", "reset-demo-company").status == 204

    assert xero.books()["Invoices"] == []
    update = xero.post("Invoices", {"InvoiceID": before["InvoiceID"], "Status": "VOIDED"})
    assert update.messages == ["An existing Invoice with the specified InvoiceID could not be found"]
    again = xero.put("Invoices", invoice()).record()
    assert {again["InvoiceID"], again["Contact"]["ContactID"]}.isdisjoint(
        {before["InvoiceID"], before["Contact"]["ContactID"]}
    )


def test_request_log_names_operations_and_contains_no_bodies(xero: XeroClient) -> None:
    xero.put("Invoices", {"Invoices": [invoice("A"), invoice("B")]}, key="k")
    xero.get("Organisation")
    xero.post("Payments", {"InvoiceNumber": "A", "Account": {"Code": "CLR-GBP"}, "Amount": 1})
    xero.put("CreditNotes/x/Allocations", {"Allocations": [{"Amount": 1}]})
    refresh(xero, DEFAULT_REFRESH_TOKEN)
    xero.put("Invoices", b"{broken")
    xero.get("Journals")

    calls = xero.control("GET", "calls").body
    assert [(one["operation"], one["elements"], one["status"]) for one in calls] == [
        ("createInvoices", 2, 200),
        ("getOrganisations", 0, 200),
        ("createPayment", 1, 200),
        ("createCreditNoteAllocation", 1, 404),
        ("connectToken", 0, 200),
        ("createInvoices", 0, 400),
        ("unknown", 0, 404),
    ]
    assert calls[0]["idempotency_key"] == "k"
    assert "Amazon UK" not in json.dumps(calls, default=str)


def test_books_contain_every_record_with_its_details(xero: XeroClient) -> None:
    created, note = xero.create_invoice(), xero.create_credit_note()
    xero.put(
        f"CreditNotes/{note['CreditNoteID']}/Allocations",
        {"Invoice": {"InvoiceID": created["InvoiceID"]}, "Amount": 40, "Date": "2026-11-22"},
    ).record()
    xero.pay(created, "60.00").record()

    books = xero.books()
    [paid_invoice] = books["Invoices"]
    assert (
        paid_invoice["Status"],
        len(paid_invoice["LineItems"]),
        len(paid_invoice["Payments"]),
        len(paid_invoice["CreditNotes"]),
    ) == (
        "PAID",
        1,
        1,
        1,
    )
    assert (paid_invoice["AmountPaid"], paid_invoice["AmountCredited"], paid_invoice["AmountDue"]) == (60, 40, 0)
    assert [len(books[key]) for key in ("Organisations", "Contacts", "CreditNotes", "Payments", "Allocations")] == [
        1
    ] * 5
    assert len(books["Accounts"]) == 21
    assert {"TaxRates", "Currencies", "Items"} <= set(books)


def test_reset_restores_the_initial_state(xero: XeroClient) -> None:
    xero.control("POST", "organisation", {"Organisation": {"Name": "Changed"}})
    xero.put("Invoices", invoice(), key="k").record()
    assert xero.control("POST", "reset").status == 204

    assert xero.control("GET", "calls").body == []
    assert xero.books()["Organisations"][0]["Name"] == "Northwind Trading Ltd"
    assert xero.get("Organisation").status == 401, "tokens are gone as well"
    xero.wait()
    assert xero.put("Invoices", invoice(), key="k").status == 200


def test_settings_can_be_merged_or_replaced(xero: XeroClient) -> None:
    xero.control("POST", "organisation", {"Accounts": [{"Code": "200", "Name": "Amazon sales"}]})
    assert xero.get("Accounts", where='Code=="200"').record()["Name"] == "Amazon sales"
    assert len(xero.books()["Accounts"]) == 21

    american = organisation_for("US")
    assert xero.control("POST", "organisation?replace=true", american).status == 204
    books = xero.books()
    assert books["Organisations"][0]["BaseCurrency"] == "USD"
    assert {one["TaxType"] for one in books["TaxRates"]} >= {"OUTPUT", "NONE"}
    assert "ZERORATEDOUTPUT" not in {one["TaxType"] for one in books["TaxRates"]}


@pytest.mark.parametrize(
    ("invalid_settings", "word"),
    [({"Organisation": {"Timezone": "MARSTIME"}}, "Timezone"), ({"Ledgers": []}, "Ledgers")],
)
def test_invalid_settings_are_rejected_and_change_nothing(
    xero: XeroClient, invalid_settings: dict[str, Any], word: str
) -> None:
    rejected = xero.control("POST", "organisation", invalid_settings)
    assert (rejected.status, word in rejected.body["error"]) == (400, True)
    assert xero.books()["Organisations"] == [XeroClient().books()["Organisations"][0]]


@pytest.mark.parametrize(
    ("country", "currency", "timezone", "tax_types"),
    [
        ("GB", "GBP", "GMTSTANDARDTIME", {"OUTPUT2", "RROUTPUT", "ZERORATEDOUTPUT", "ECZROUTPUT", "EXEMPTOUTPUT"}),
        ("US", "USD", "EASTERNSTANDARDTIME", {"OUTPUT", "NONE"}),
        ("CA", "CAD", "EASTERNSTANDARDTIME", {"OUTPUT", "NONE"}),
        ("DE", "EUR", "WEUROPESTANDARDTIME", {"OUTPUT", "NONE"}),
        ("AU", "AUD", "AUSEASTERNSTANDARDTIME", {"OUTPUT", "EXEMPTEXPORT", "EXEMPTOUTPUT", "BASEXCLUDED"}),
        ("NZ", "NZD", "NEWZEALANDSTANDARDTIME", {"OUTPUT2", "ZERORATED", "NONE"}),
    ],
)
def test_initial_organisation_of_every_country_can_invoice_and_take_payment(
    country: str, currency: str, timezone: str, tax_types: set[str]
) -> None:
    client = XeroClient(organisation_for(country))
    organisation = client.get("Organisation").record()
    assert (organisation["BaseCurrency"], organisation["Timezone"]) == (currency, timezone)
    usable = client.get("TaxRates", where='Status=="ACTIVE" && CanApplyToRevenue==true').body["TaxRates"]
    assert tax_types <= {one["TaxType"] for one in usable}
    assert country in COUNTRIES
    sale = invoice(CurrencyCode=currency, LineItems=[{"Description": "x", "UnitAmount": 10, "AccountCode": "200"}])
    created = client.put("Invoices", sale).record()
    assert client.pay(created, str(created["Total"]), Account={"Code": f"CLR-{currency}"}).status == 200


def test_unknown_country_is_rejected() -> None:
    with pytest.raises(ValueError, match="'FR'"):
        organisation_for("FR")


def test_same_calls_return_the_same_ids_and_tokens() -> None:
    def run() -> list[bytes]:
        client = XeroClient()
        created = client.create_invoice()
        return [
            client.send("PUT", "CreditNotes", credit_note()).body,
            client.send("GET", f"Invoices/{created['InvoiceID']}").body,
            json.dumps(refresh(client, DEFAULT_REFRESH_TOKEN).body, default=str).encode(),
        ]

    assert run() == run()


# -- page --------------------------------------------------------------------------------------------------------


def page(client: XeroClient) -> str:
    response = client.sandbox.handle(Request.to("GET", "/"))
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response.body.decode()


def test_page_works_with_empty_books(xero: XeroClient) -> None:
    text = page(xero)
    assert "Northwind Trading Ltd" in text
    assert "None yet." in text
    assert xero.sandbox.calls == [], "the page is not logged"


def test_page_shows_the_books_escaped(xero: XeroClient) -> None:
    created = xero.create_invoice("AMZ-<script>", "1234.50", Contact={"Name": 'Smith & "Sons"'}, Reference="<img>")
    xero.create_credit_note("R-1", "40.00")
    xero.pay(created, "34.50").record()

    text = page(xero)

    for escaped_text in (
        "AMZ-&lt;script&gt;",
        "Smith &amp; &quot;Sons&quot;",
        "1,234.50",
        "1,200.00",
        "R-1",
        "createPayments",
    ):
        assert escaped_text in text
    assert not {"<script", "<img"} & {part for part in ("<script", "<img") if part in text}


def test_clock_can_be_advanced(xero: XeroClient) -> None:
    now = datetime.fromisoformat(xero.control("GET", "clock").body["now"])
    xero.control("POST", "clock", {"advance": 60})
    later = datetime.fromisoformat(xero.control("GET", "clock").body["now"])
    assert (later - now).total_seconds() == 60
