"""Tokens, connections, rate limits, Idempotency-Key, faults, and the control interface."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from xero_driver import Answer, XeroClient, answer_of, credit_note, invoice

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


def ask(client: XeroClient, method: str, target: str, headers: dict[str, str] | None = None, **form: str) -> Answer:
    body = urlencode(form).encode()
    return answer_of(client.sandbox.handle(Request.to(method, target, headers=headers, body=body)))


def refresh(client: XeroClient, token: str) -> Answer:
    return ask(client, "POST", "/connect/token", grant_type="refresh_token", refresh_token=token, **CLIENT)


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


# -- tokens ------------------------------------------------------------------------------------------------------


def test_client_credentials_give_an_access_token_and_nothing_to_refresh(xero_client: XeroClient) -> None:
    answer = ask(xero_client, "POST", "/connect/token", grant_type="client_credentials", **CLIENT)

    assert (answer.status, answer.body["expires_in"], answer.body["token_type"]) == (200, 1800, "Bearer")
    assert not {"refresh_token", "expires_at"} & set(answer.body)
    custom = ask(xero_client, "GET", "/api.xro/2.0/Organisation", bearer(answer.body["access_token"]))
    assert custom.status == 200, "a custom connection needs no tenant header"


def test_a_client_may_prove_itself_with_basic_authentication(xero_client: XeroClient) -> None:
    basic = base64.b64encode(f"{DEFAULT_CLIENT_ID}:{DEFAULT_CLIENT_SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    assert ask(xero_client, "POST", "/connect/token", headers, grant_type="client_credentials").status == 200


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
def test_a_wrong_client_is_refused(xero_client: XeroClient, form: dict[str, str], headers: dict[str, str]) -> None:
    answer = ask(xero_client, "POST", "/connect/token", headers, grant_type="client_credentials", **form)
    assert (answer.status, answer.body) == (401, {"error": "invalid_client"})


def test_an_unknown_grant_is_refused(xero_client: XeroClient) -> None:
    answer = ask(xero_client, "POST", "/connect/token", grant_type="password", **CLIENT)
    assert (answer.status, answer.body) == (400, {"error": "unsupported_grant_type"})


def test_refresh_tokens_rotate_and_the_previous_one_has_thirty_minutes(xero_client: XeroClient) -> None:
    first = refresh(xero_client, DEFAULT_REFRESH_TOKEN)
    assert first.status == 200
    assert first.body["refresh_token"] != DEFAULT_REFRESH_TOKEN

    xero_client.wait(minutes=30)
    retried = refresh(xero_client, DEFAULT_REFRESH_TOKEN)
    assert retried.status == 200, "the answer may have been lost"

    xero_client.wait(seconds=1)
    late = refresh(xero_client, DEFAULT_REFRESH_TOKEN)
    assert (late.status, late.body) == (400, {"error": "invalid_grant"})
    assert refresh(xero_client, first.body["refresh_token"]).status == 200
    assert refresh(xero_client, retried.body["refresh_token"]).status == 200


def test_an_unused_refresh_token_lives_sixty_days(xero_client: XeroClient) -> None:
    token = refresh(xero_client, DEFAULT_REFRESH_TOKEN).body["refresh_token"]
    xero_client.wait(days=59, hours=23)
    token = refresh(xero_client, token).body["refresh_token"]
    xero_client.wait(days=60)
    assert refresh(xero_client, token).body == {"error": "invalid_grant"}


def test_seeded_clients_and_tokens_work_and_do_not_mix(xero_client: XeroClient) -> None:
    xero_client.sandbox.identity.register_client("mine", "my-secret")
    xero_client.sandbox.identity.seed_refresh_token("my-token", "mine")
    mine = {
        "grant_type": "refresh_token",
        "refresh_token": "my-token",
        "client_id": "mine",
        "client_secret": "my-secret",
    }

    assert refresh(xero_client, "my-token").body == {"error": "invalid_grant"}, "another client's token"
    assert ask(xero_client, "POST", "/connect/token", **mine).status == 200


def test_revocation_ends_the_refresh_token_and_the_access_that_came_from_it(xero_client: XeroClient) -> None:
    tokens = refresh(xero_client, DEFAULT_REFRESH_TOKEN).body
    answer = ask(xero_client, "POST", "/connect/revocation", token=tokens["refresh_token"], **CLIENT)

    assert (answer.status, answer.body) == (200, b"")
    assert refresh(xero_client, tokens["refresh_token"]).body == {"error": "invalid_grant"}
    headers = bearer(tokens["access_token"], **{"xero-tenant-id": xero_client.sandbox.tenant_id})
    assert ask(xero_client, "GET", "/api.xro/2.0/Organisation", headers).status == 401


def test_access_tokens_live_thirty_minutes(xero_client: XeroClient) -> None:
    headers = dict(xero_client.headers)
    xero_client.wait(minutes=29, seconds=59)
    assert ask(xero_client, "GET", "/api.xro/2.0/Organisation", headers).status == 200
    xero_client.wait(seconds=1)

    expired = ask(xero_client, "GET", "/api.xro/2.0/Organisation", headers)
    assert (expired.status, expired.headers["content-type"]) == (401, "application/problem+json")
    assert expired.body["Detail"].startswith("TokenExpired")


@pytest.mark.parametrize("headers", [{}, bearer("made-up"), {"Authorization": "Basic abc"}])
def test_an_unknown_token_is_refused(xero_client: XeroClient, headers: dict[str, str]) -> None:
    for path in ("/api.xro/2.0/Organisation", "/connections"):
        answer = ask(xero_client, "GET", path, headers)
        assert (answer.status, answer.body["Detail"]) == (401, "AuthenticationUnsuccessful")


def test_an_unconnected_tenant_is_forbidden(xero_client: XeroClient) -> None:
    token = xero_client.sandbox.identity.issue_access_token()
    for headers in (bearer(token), bearer(token, **{"xero-tenant-id": "somebody-elses"})):
        answer = ask(xero_client, "GET", "/api.xro/2.0/Organisation", headers)
        assert (answer.status, answer.body["Detail"]) == (403, "AuthenticationUnsuccessful")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/connections", "/Connections"])
def test_connections_name_the_tenant_until_it_is_disconnected(xero_client: XeroClient, path: str) -> None:
    [connection] = ask(xero_client, "GET", path, xero_client.headers).body
    assert (connection["tenantId"], connection["tenantType"]) == (xero_client.sandbox.tenant_id, "ORGANISATION")

    assert ask(xero_client, "DELETE", f"{path}/{connection['id']}", xero_client.headers).status == 204
    assert ask(xero_client, "GET", path, xero_client.headers).body == []
    assert xero_client.get("Organisation").status == 403
    xero_client.control("POST", "connection", {"connected": True})
    assert xero_client.get("Organisation").status == 200


# -- rate limits -------------------------------------------------------------------------------------------------


def test_sixty_calls_a_minute_in_a_window_that_slides() -> None:
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

    refused = client.get("Organisation")
    assert (refused.status, refused.body) == (429, b"")
    assert (refused.headers["x-rate-limit-problem"], refused.headers["retry-after"]) == ("minute", "40")
    assert refused.headers["x-daylimit-remaining"] == "4940", "a refused call does not count"

    client.wait(seconds=39)
    assert client.get("Organisation").headers["retry-after"] == "1"
    client.wait(seconds=1)
    assert [client.get("Organisation").status for _ in range(31)] == [200] * 30 + [429]


def test_the_day_limit_says_how_many_hours_to_wait() -> None:
    client = XeroClient(limits=Limits(day=3))
    client.get("Organisation")
    client.wait(hours=4)
    assert [client.get("Organisation").status for _ in range(3)] == [200, 200, 429]
    refused = client.get("Organisation")
    assert (refused.headers["x-rate-limit-problem"], refused.headers["retry-after"]) == ("day", "72000")
    client.wait(hours=20)
    assert client.get("Organisation").status == 200


def test_the_app_has_a_limit_of_its_own() -> None:
    client = XeroClient(limits=Limits(app_minute=1))
    assert client.get("Organisation").status == 200
    assert client.get("Organisation").headers["x-rate-limit-problem"] == "appminute"


def test_five_calls_at_the_same_time() -> None:
    client = XeroClient(limits=Limits())
    sandbox = client.sandbox
    target = "/api.xro/2.0/Organisation"
    running = [Request.to("GET", target, headers=client.headers) for _ in range(6)]
    for request in running:
        sandbox.begin(request)

    refused = sandbox.handle(running[5])
    assert (refused.status, refused.headers["x-rate-limit-problem"]) == (429, "concurrent")
    sandbox.end(running[5])
    assert sandbox.handle(running[0]).status == 200, "the fifth"
    assert client.get("Organisation").status == 429, "unannounced calls count as running too"
    sandbox.end(running[0])
    assert client.get("Organisation").status == 200


def test_limits_can_be_changed(xero_client: XeroClient) -> None:
    assert xero_client.control("POST", "limits", {"minute": 1, "concurrent": 2}).body["minute"] == 1
    assert [xero_client.get("Organisation").status for _ in range(2)] == [200, 429]
    for wrong in ({"hour": 5}, {"minute": 0}, {"minute": "many"}):
        refused = xero_client.control("POST", "limits", wrong)
        assert (refused.status, next(iter(wrong)) in refused.body["error"]) == (400, True)


# -- Idempotency-Key ---------------------------------------------------------------------------------------------


def test_the_same_key_and_request_gives_the_first_answer_without_doing_it_again(xero_client: XeroClient) -> None:
    first = xero_client.respond("PUT", "Invoices", invoice(), key="k-1")
    again = xero_client.respond("PUT", "Invoices", invoice(), key="k-1")

    assert (again.status, again.body) == (first.status, first.body)
    assert len(xero_client.books()["Invoices"]) == 1
    assert xero_client.put("Invoices", invoice()).messages == ["Invoice # must be unique."]


def test_refused_calls_are_remembered_too(xero_client: XeroClient) -> None:
    wrong = invoice(CurrencyCode="CHF")
    assert xero_client.put("Invoices", wrong, key="k").status == 400
    xero_client.control("POST", "organisation", {"Currencies": [{"Code": "CHF"}]})
    assert xero_client.put("Invoices", wrong, key="k").status == 400
    assert xero_client.put("Invoices", wrong, key="another").status == 200


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "Invoices", invoice("B")),
        ("POST", "Invoices", invoice("A")),
        ("PUT", "CreditNotes", credit_note()),
        ("PUT", "Invoices?summarizeErrors=false", invoice("A")),
    ],
)
def test_a_key_used_for_another_request_is_refused(
    xero_client: XeroClient, method: str, target: str, body: Any
) -> None:
    xero_client.put("Invoices", invoice("A"), key="k-1").accepted()
    refused = xero_client.call(method, target, body, key="k-1")
    assert refused.status == 400
    assert "Idempotency Key: k-1 is used with a different request." in json.dumps(refused.body)
    assert len(xero_client.books()["Invoices"]) == 1


def test_a_key_lives_six_minutes_from_its_first_call(xero_client: XeroClient) -> None:
    xero_client.put("Invoices", invoice(), key="k").accepted()
    xero_client.wait(minutes=5, seconds=59)
    assert xero_client.put("Invoices", invoice(), key="k").status == 200
    xero_client.wait(seconds=1)
    assert xero_client.put("Invoices", invoice(), key="k").messages == ["Invoice # must be unique."]


def test_long_keys_and_reads(xero_client: XeroClient) -> None:
    assert xero_client.put("Invoices", invoice(), key="k" * 129).status == 400
    assert xero_client.books()["Invoices"] == []
    assert xero_client.put("Invoices", invoice(), key="k" * 128).status == 200
    before = xero_client.call("GET", "Invoices", key="read").body["Invoices"]
    xero_client.invoiced("B")
    assert len(xero_client.call("GET", "Invoices", key="read").body["Invoices"]) == len(before) + 1


def test_replays_count_and_a_limit_comes_before_the_key() -> None:
    client = XeroClient(limits=Limits(minute=2))
    client.put("Invoices", invoice(), key="k").accepted()
    assert client.put("Invoices", invoice(), key="k").headers["x-minlimit-remaining"] == "0"
    assert client.put("Invoices", invoice(), key="k").status == 429
    client.wait(minutes=1)
    assert client.put("Invoices", invoice(), key="k").status == 200, "the 429 was not remembered"


# -- faults ------------------------------------------------------------------------------------------------------


def fault(client: XeroClient, kind: str, **more: Any) -> None:
    assert client.control("POST", "faults", {"kind": kind, "path": "/api.xro/2.0/Invoices", **more}).status == 204


def test_an_answer_lost_on_its_way_can_be_had_again_with_its_key(xero_client: XeroClient) -> None:
    fault(xero_client, "drop")
    assert xero_client.respond("PUT", "Invoices", invoice(), key="k").dropped
    assert len(xero_client.books()["Invoices"]) == 1
    assert xero_client.put("Invoices", invoice(), key="k").accepted()["InvoiceNumber"] == "AMZ-1"
    assert xero_client.put("Invoices", invoice(), key="k2").messages == ["Invoice # must be unique."]


def test_a_server_error_after_the_effect_stays_under_its_key(xero_client: XeroClient) -> None:
    fault(xero_client, "fail", status=500, body="<html>Internal error</html>")
    first = xero_client.put("Invoices", invoice(), key="k")
    again = xero_client.put("Invoices", invoice(), key="k")

    assert (first.status, again.status, again.body) == (500, 500, b"<html>Internal error</html>")
    assert len(xero_client.books()["Invoices"]) == 1
    xero_client.wait(minutes=6)
    assert xero_client.put("Invoices", invoice(), key="k").messages == ["Invoice # must be unique."]


@pytest.mark.parametrize("kind", ["lose", "refuse"])
def test_a_request_that_never_arrived_is_new_with_the_same_key(xero_client: XeroClient, kind: str) -> None:
    fault(xero_client, kind, status=503)
    xero_client.respond("PUT", "Invoices", invoice(), key="k")
    assert xero_client.books()["Invoices"] == []
    assert xero_client.put("Invoices", invoice(), key="k").status == 200


def test_a_slow_answer_says_how_long_it_takes(xero_client: XeroClient) -> None:
    fault(xero_client, "slow", delay=30.0)
    response = xero_client.respond("PUT", "Invoices", invoice())
    assert (response.status, response.delay) == (200, 30.0)


# -- control -----------------------------------------------------------------------------------------------------


def test_calls_are_recorded_by_operation_without_bodies(xero_client: XeroClient) -> None:
    xero_client.put("Invoices", {"Invoices": [invoice("A"), invoice("B")]}, key="k")
    xero_client.get("Organisation")
    xero_client.post("Payments", {"InvoiceNumber": "A", "Account": {"Code": "CLR-GBP"}, "Amount": 1})
    xero_client.put("CreditNotes/x/Allocations", {"Allocations": [{"Amount": 1}]})
    refresh(xero_client, DEFAULT_REFRESH_TOKEN)
    xero_client.put("Invoices", b"{broken")
    xero_client.get("Journals")

    calls = xero_client.control("GET", "calls").body
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


def test_books_hold_everything_complete(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced(), xero_client.credited()
    xero_client.put(
        f"CreditNotes/{note['CreditNoteID']}/Allocations",
        {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Amount": 40, "Date": "2026-11-22"},
    ).accepted()
    xero_client.paid(made, "60.00").accepted()

    books = xero_client.books()
    [kept] = books["Invoices"]
    assert (kept["Status"], len(kept["LineItems"]), len(kept["Payments"]), len(kept["CreditNotes"])) == (
        "PAID",
        1,
        1,
        1,
    )
    assert (kept["AmountPaid"], kept["AmountCredited"], kept["AmountDue"]) == (60, 40, 0)
    assert [len(books[key]) for key in ("Organisations", "Contacts", "CreditNotes", "Payments", "Allocations")] == [
        1
    ] * 5
    assert len(books["Accounts"]) == 20
    assert {"TaxRates", "Currencies", "Items"} <= set(books)


def test_reset_starts_again(xero_client: XeroClient) -> None:
    xero_client.control("POST", "organisation", {"Organisation": {"Name": "Changed"}})
    xero_client.put("Invoices", invoice(), key="k").accepted()
    assert xero_client.control("POST", "reset").status == 204

    assert xero_client.control("GET", "calls").body == []
    assert xero_client.books()["Organisations"][0]["Name"] == "Northwind Trading Ltd"
    assert xero_client.get("Organisation").status == 401, "tokens are gone as well"
    xero_client.wait()
    assert xero_client.put("Invoices", invoice(), key="k").status == 200


def test_settings_can_be_merged_or_replaced(xero_client: XeroClient) -> None:
    xero_client.control("POST", "organisation", {"Accounts": [{"Code": "200", "Name": "Amazon sales"}]})
    assert xero_client.get("Accounts", where='Code=="200"').accepted()["Name"] == "Amazon sales"
    assert len(xero_client.books()["Accounts"]) == 20

    american = organisation_for("US")
    assert xero_client.control("POST", "organisation?replace=true", american).status == 204
    books = xero_client.books()
    assert books["Organisations"][0]["BaseCurrency"] == "USD"
    assert {one["TaxType"] for one in books["TaxRates"]} >= {"OUTPUT", "NONE"}
    assert "ZERORATEDOUTPUT" not in {one["TaxType"] for one in books["TaxRates"]}


@pytest.mark.parametrize(
    ("wanted", "word"),
    [({"Organisation": {"Timezone": "MARSTIME"}}, "Timezone"), ({"Ledgers": []}, "Ledgers")],
)
def test_settings_that_are_not_understood_change_nothing(
    xero_client: XeroClient, wanted: dict[str, Any], word: str
) -> None:
    refused = xero_client.control("POST", "organisation", wanted)
    assert (refused.status, word in refused.body["error"]) == (400, True)
    assert xero_client.books()["Organisations"] == [XeroClient().books()["Organisations"][0]]


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
def test_every_country_can_sell_from_the_start(country: str, currency: str, timezone: str, tax_types: set[str]) -> None:
    client = XeroClient(organisation_for(country))
    organisation = client.get("Organisation").accepted()
    assert (organisation["BaseCurrency"], organisation["Timezone"]) == (currency, timezone)
    usable = client.get("TaxRates", where='Status=="ACTIVE" && CanApplyToRevenue==true').body["TaxRates"]
    assert tax_types <= {one["TaxType"] for one in usable}
    assert country in COUNTRIES
    sale = invoice(CurrencyCode=currency, LineItems=[{"Description": "x", "UnitAmount": 10, "AccountCode": "200"}])
    made = client.put("Invoices", sale).accepted()
    assert client.paid(made, str(made["Total"]), Account={"Code": f"CLR-{currency}"}).status == 200


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(ValueError, match="'FR'"):
        organisation_for("FR")


def test_the_same_calls_give_the_same_ids_and_tokens() -> None:
    def story() -> list[bytes]:
        client = XeroClient()
        made = client.invoiced()
        return [
            client.respond("PUT", "CreditNotes", credit_note()).body,
            client.respond("GET", f"Invoices/{made['InvoiceID']}").body,
            json.dumps(refresh(client, DEFAULT_REFRESH_TOKEN).body, default=str).encode(),
        ]

    assert story() == story()


# -- the page for people -----------------------------------------------------------------------------------------


def page(client: XeroClient) -> str:
    response = client.sandbox.handle(Request.to("GET", "/"))
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response.body.decode()


def test_the_page_works_with_empty_books(xero_client: XeroClient) -> None:
    text = page(xero_client)
    assert "Northwind Trading Ltd" in text
    assert "None yet." in text
    assert xero_client.sandbox.calls == [], "looking is not a call"


def test_the_page_shows_the_books_and_escapes_them(xero_client: XeroClient) -> None:
    made = xero_client.invoiced("AMZ-<script>", "1234.50", Contact={"Name": 'Smith & "Sons"'}, Reference="<img>")
    xero_client.credited("R-1", "40.00")
    xero_client.paid(made, "34.50").accepted()

    text = page(xero_client)

    for shown in (
        "AMZ-&lt;script&gt;",
        "Smith &amp; &quot;Sons&quot;",
        "1,234.50",
        "1,200.00",
        "R-1",
        "createPayments",
    ):
        assert shown in text
    assert not {"<script", "<img"} & {part for part in ("<script", "<img") if part in text}


def test_the_start_of_the_books_is_documented_by_fixed_times(xero_client: XeroClient) -> None:
    now = datetime.fromisoformat(xero_client.control("GET", "clock").body["now"])
    xero_client.control("POST", "clock", {"advance": 60})
    later = datetime.fromisoformat(xero_client.control("GET", "clock").body["now"])
    assert (later - now).total_seconds() == 60
