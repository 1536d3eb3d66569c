"""Xero's token endpoint: grants, refused grants, unusable answers, and the list of connected organisations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.adapters.xero import transport
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.ports.xero import XeroGrantRefused, XeroNotAuthorised, XeroOutcomeUnknown, XeroUnavailable
from fakes.state import ManualClock
from unit.adapters.fault_server import FaultServer, Reply, all_text_of, refusing_url

TOKEN = "/connect/token"
GRANTED = {"access_token": "ey.new", "expires_in": 1800, "token_type": "Bearer", "refresh_token": "rotated"}
SECRETS = ("the-client-secret", "old-refresh-token", "ey.new", "urllib3")


@pytest.fixture
def endpoint(server: FaultServer, clock: ManualClock) -> XeroTokenEndpoint:
    return XeroTokenEndpoint("client", "the-client-secret", clock, token_url=server.url + TOKEN, api_url=server.url)


def test_refresh_sends_a_form_and_returns_the_rotated_token(
    endpoint: XeroTokenEndpoint, server: FaultServer, clock: ManualClock
) -> None:
    server.on(TOKEN, Reply(200, GRANTED))
    granted = endpoint.refresh("old-refresh-token")
    assert (granted.access_token, granted.refresh_token) == ("ey.new", "rotated")
    assert granted.expires_at == clock.now() + timedelta(seconds=1800)
    (request,) = server.received
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    # No scope: the SDK would send an empty one
    assert request.form() == {
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh-token",
        "client_id": "client",
        "client_secret": "the-client-secret",
    }


def test_token_of_a_custom_connection_has_an_expiry_and_no_refresh_token(
    endpoint: XeroTokenEndpoint, server: FaultServer, clock: ManualClock
) -> None:
    server.on(TOKEN, Reply(200, {"access_token": "ey.new", "expires_in": 1800, "token_type": "Bearer"}))
    granted = endpoint.client_credentials()
    assert granted.refresh_token is None
    assert granted.expires_at == clock.now() + timedelta(minutes=30)
    assert server.received[0].form() == {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": "the-client-secret",
    }


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "unauthorized_client"])
@pytest.mark.parametrize("status", [400, 401])
def test_refused_grant_raises_xeros_code_and_no_secret(
    endpoint: XeroTokenEndpoint, server: FaultServer, code: str, status: int
) -> None:
    server.on(TOKEN, Reply(status, {"error": code, "error_description": "old-refresh-token"}))
    with pytest.raises(XeroGrantRefused) as caught:
        endpoint.refresh("old-refresh-token")
    assert caught.value.code == code
    assert not any(secret in all_text_of(caught.value) for secret in SECRETS)


UNUSABLE: dict[str, Reply] = {
    "500": Reply(500, "<html>"),
    "503 with Retry-After": Reply(503, "", {"Retry-After": "1"}),
    "429": Reply(429, "", {"Retry-After": "1"}),
    "another error": Reply(400, {"error": "temporarily_unavailable"}),
    "an error that quotes": Reply(400, {"error": "no: old-refresh-token"}),
    "400 HTML": Reply(400, "<html>old-refresh-token</html>"),
    "200 HTML": Reply(200, "<html>ey.new</html>"),
    "200 list": Reply(200, "[]"),
    "no access token": Reply(200, {**GRANTED, "access_token": None}),
    "no rotated token": Reply(200, {**GRANTED, "refresh_token": ""}),
    "no expiry": Reply(200, {**GRANTED, "expires_in": None}),
    "expiry as text": Reply(200, {**GRANTED, "expires_in": "1800"}),
    "redirect": Reply(307, "", {"Location": "/elsewhere"}),
    "dropped": Reply(fault="drop"),
    "half": Reply(200, GRANTED, fault="cut"),
}


@pytest.mark.parametrize("reply", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_refresh_without_a_usable_answer_has_an_unknown_outcome(
    endpoint: XeroTokenEndpoint, server: FaultServer, reply: Reply
) -> None:
    server.on(TOKEN, reply)
    with pytest.raises(XeroOutcomeUnknown) as caught:
        endpoint.refresh("old-refresh-token")
    assert not any(secret in all_text_of(caught.value) for secret in SECRETS)
    # Sent once: a second request would race the rotation
    assert len(server.received) == 1


def test_token_request_to_xero_times_out(
    server: FaultServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    endpoint = XeroTokenEndpoint("client", "secret", clock, token_url=server.url + TOKEN)
    server.on(TOKEN, Reply(200, GRANTED, fault="hang"))
    with pytest.raises(XeroOutcomeUnknown, match="ReadTimeoutError"):
        endpoint.client_credentials()


def test_two_connections_use_their_own_token_urls(server: FaultServer, clock: ManualClock) -> None:
    """The SDK's token API keeps its URLs on the class, for the whole process."""
    server.on("/one/token", Reply(200, {**GRANTED, "access_token": "ey.one"}))
    server.on("/two/token", Reply(200, {**GRANTED, "access_token": "ey.two"}))
    one = XeroTokenEndpoint("client", "secret", clock, token_url=f"{server.url}/one/token")
    two = XeroTokenEndpoint("client", "secret", clock, token_url=f"{server.url}/two/token")
    assert (one.client_credentials().access_token, two.client_credentials().access_token) == ("ey.one", "ey.two")
    assert one.client_credentials().access_token == "ey.one"


def test_connected_organisations_are_listed(endpoint: XeroTokenEndpoint, server: FaultServer) -> None:
    known = {"id": "1", "tenantId": "t-1", "tenantType": "ORGANISATION", "tenantName": "Larkfield Trading Ltd"}
    server.on("/connections", Reply(200, [known]))
    assert endpoint.connections("ey.operator") == [known]
    assert server.received[0].headers["authorization"] == "Bearer ey.operator"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(401, {"Detail": "TokenExpired: ey.operator"}), XeroNotAuthorised),
        (Reply(403, ""), XeroNotAuthorised),
        (Reply(500, ""), XeroUnavailable),
        (Reply(500, "[]"), XeroUnavailable),
        (Reply(200, "{}"), XeroUnavailable),
        (Reply(200, '["t-1"]'), XeroUnavailable),
        (Reply(200, "<html>"), XeroUnavailable),
        (Reply(fault="drop"), XeroUnavailable),
    ],
)
def test_failed_list_of_organisations_is_never_empty(
    endpoint: XeroTokenEndpoint, server: FaultServer, reply: Reply, expected: type[Exception]
) -> None:
    server.on("/connections", reply)
    with pytest.raises(expected) as caught:
        endpoint.connections("ey.operator")
    assert "ey.operator" not in all_text_of(caught.value)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "settings", [{"token_url": "identity.xero.com"}, {"api_url": "ftp://x"}, {"client_id": ""}, {"client_secret": " "}]
)
def test_unusable_setting_of_the_token_endpoint_is_named(clock: ManualClock, settings: dict[str, Any]) -> None:
    given = {"client_id": "client", "client_secret": "secret", **settings}
    with pytest.raises(ValueError, match=next(iter(settings))):
        XeroTokenEndpoint(given.pop("client_id"), given.pop("client_secret"), clock, **given)


def test_refused_connection_to_the_token_endpoint_has_an_unknown_outcome(clock: ManualClock) -> None:
    endpoint = XeroTokenEndpoint("client", "secret", clock, token_url=refusing_url())
    with pytest.raises(XeroOutcomeUnknown):
        endpoint.client_credentials()
