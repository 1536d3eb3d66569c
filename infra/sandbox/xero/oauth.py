"""Xero's OAuth 2.0 identity service: clients, rotating refresh tokens, access tokens and connections.

Access tokens expire after 30 minutes, refresh tokens after 60 days. A refresh token is replaced when it is used; the
used one stays valid for another 30 minutes, for a client that did not receive the response (Xero: OAuth 2.0, token
expiry). Tokens are numbered, not random, so that a seeded simulation sees the same tokens in every run.

A consent in the browser is answered at once, as if the person had agreed to everything: with a code, which can be used
once within 5 minutes.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sandbox.wire import Request, Response, SandboxClock

DEFAULT_CLIENT_ID = "SANDBOX0CLIENT0ID0000000000000000"
DEFAULT_CLIENT_SECRET = "sandbox-client-secret"
DEFAULT_REFRESH_TOKEN = "sandbox-refresh-token"
DEFAULT_SCOPE = (
    "offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings "
    "accounting.settings.read accounting.attachments"
)

ACCESS_TOKEN_LIFETIME = timedelta(minutes=30)
REFRESH_TOKEN_LIFETIME = timedelta(days=60)
REFRESH_GRACE_PERIOD = timedelta(minutes=30)
CODE_LIFETIME = timedelta(minutes=5)
# Xero: plain http only to localhost, and not to 127.0.0.1.
_REDIRECTS = ("https://", "http://localhost:", "http://localhost/")


@dataclass
class RefreshToken:
    client_id: str
    issued_at: datetime
    first_used_at: datetime | None = None


@dataclass(frozen=True)
class AccessToken:
    """is_custom_connection: issued for client credentials, which grant one organisation and need no tenant header."""

    client_id: str
    expires_at: datetime
    is_custom_connection: bool


@dataclass(frozen=True)
class Code:
    """What a person consented to in the browser, until the client asks for tokens."""

    client_id: str
    redirect_uri: str
    scope: str
    expires_at: datetime


class Identity:
    """The clients and tokens of one organisation's connection."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.clients = {DEFAULT_CLIENT_ID: DEFAULT_CLIENT_SECRET}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.codes: dict[str, Code] = {}
        self.is_connected = True
        self.is_consent_given = True
        self.other_tenants: list[dict[str, Any]] = []
        self.stated_scopes: list[str] | None = None
        self._issued = 0
        self.seed_refresh_token(DEFAULT_REFRESH_TOKEN)

    # -- setup ----------------------------------------------------------------------------------------------------

    def register_client(self, client_id: str, client_secret: str) -> None:
        self.clients[client_id] = client_secret

    def seed_refresh_token(self, token: str, client_id: str = DEFAULT_CLIENT_ID) -> None:
        """Accept a refresh token, as if a user had authorised the client in a browser."""
        self.refresh_tokens[token] = RefreshToken(client_id, self.clock.now())

    def issue_access_token(self, client_id: str = DEFAULT_CLIENT_ID, *, is_custom_connection: bool = False) -> str:
        self._remove_expired_tokens()
        token = self._next_token("access") + self._claims()
        self.access_tokens[token] = AccessToken(
            client_id, self.clock.now() + ACCESS_TOKEN_LIFETIME, is_custom_connection
        )
        return token

    # -- endpoints -----------------------------------------------------------------------------------------------

    def authorise(self, request: Request) -> Response:
        """GET /identity/connect/authorize: the browser goes back to the client with a code, or with a refusal."""
        client_id, redirect_uri = request.parameter("client_id") or "", request.parameter("redirect_uri") or ""
        asks_for_code = request.parameter("response_type") == "code"
        if client_id not in self.clients or not asks_for_code or not redirect_uri.startswith(_REDIRECTS):
            return Response.of_html("Sorry, something went wrong: unauthorized_client", 400)
        answer = {"state": request.parameter("state") or ""}
        if self.is_consent_given:
            scope = request.parameter("scope") or ""
            answer["code"] = self._next_token("code")
            self.codes[answer["code"]] = Code(client_id, redirect_uri, scope, self.clock.now() + CODE_LIFETIME)
        else:
            answer["error"] = "access_denied"
        return Response(302, headers={"location": f"{redirect_uri}?{urlencode(answer)}"})

    def token(self, request: Request) -> Response:
        """POST /connect/token."""
        form = request.form()
        client_id = self._authenticate(request, form)
        if client_id is None:
            return _oauth_error("invalid_client", 401)
        match form.get("grant_type"):
            case "client_credentials":
                access = self.issue_access_token(client_id, is_custom_connection=True)
                return Response.of_json(self._token_body(access, form.get("scope")))
            case "refresh_token":
                return self._refresh(client_id, form)
            case "authorization_code":
                return self._redeem(client_id, form)
        return _oauth_error("unsupported_grant_type", 400)

    def revocation(self, request: Request) -> Response:
        """POST /connect/revocation: revoke the refresh token and the client's access tokens."""
        form = request.form()
        client_id = self._authenticate(request, form)
        if client_id is None:
            return _oauth_error("invalid_client", 401)
        refresh_token = self.refresh_tokens.get(form.get("token", ""))
        if refresh_token is not None and refresh_token.client_id == client_id:
            self.refresh_tokens.pop(form["token"])
            self.access_tokens = {
                token: access for token, access in self.access_tokens.items() if access.client_id != client_id
            }
        return Response(200)

    def connections(self, organisation: dict[str, Any]) -> Response:
        """GET /connections."""
        if not self.is_connected:
            return Response.of_json([])
        return Response.of_json(
            [
                {
                    "id": connection_id(organisation),
                    "authEventId": _derived_id(organisation, "authorisation"),
                    "tenantId": organisation["OrganisationID"],
                    "tenantType": "ORGANISATION",
                    "tenantName": organisation["Name"],
                    "createdDateUtc": "2024-01-01T00:00:00.0000000",
                    "updatedDateUtc": "2024-01-01T00:00:00.0000000",
                },
                *self.other_tenants,
            ]
        )

    def authorisation_error(self, request: Request, tenant_id: str, *, requires_tenant: bool = True) -> Response | None:
        """Return problem+json if the request's bearer token does not grant access to the organisation, else None."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        access = self.access_tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if access is None:
            return _problem(401, "Unauthorized", "AuthenticationUnsuccessful")
        if self.clock.now() >= access.expires_at:
            return _problem(
                401, "Unauthorized", f"TokenExpired: token expired at {access.expires_at:%m/%d/%Y %H:%M:%S}"
            )
        if not requires_tenant:
            return None
        requested = request.headers.get("xero-tenant-id") or (tenant_id if access.is_custom_connection else "")
        if not self.is_connected or requested.lower() != tenant_id:
            return _problem(403, "Forbidden", "AuthenticationUnsuccessful")
        return None

    # -- tokens --------------------------------------------------------------------------------------------------

    def _redeem(self, client_id: str, form: dict[str, str]) -> Response:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or self.clock.now() >= code.expires_at:
            return _oauth_error("invalid_grant", 400)
        if (code.client_id, code.redirect_uri) != (client_id, form.get("redirect_uri")):
            return _oauth_error("invalid_grant", 400)
        body = self._token_body(self.issue_access_token(client_id), code.scope)
        if "offline_access" not in body["scope"].split():
            return Response.of_json(body)
        refresh_token = self._next_token("refresh")
        self.seed_refresh_token(refresh_token, client_id)
        return Response.of_json({**body, "refresh_token": refresh_token})

    def _refresh(self, client_id: str, form: dict[str, str]) -> Response:
        used = self.refresh_tokens.get(form.get("refresh_token", ""))
        now = self.clock.now()
        if used is None or used.client_id != client_id or now >= used.issued_at + REFRESH_TOKEN_LIFETIME:
            return _oauth_error("invalid_grant", 400)
        if used.first_used_at is not None and now > used.first_used_at + REFRESH_GRACE_PERIOD:
            return _oauth_error("invalid_grant", 400)
        used.first_used_at = used.first_used_at or now
        new_token = self._next_token("refresh")
        self.refresh_tokens[new_token] = RefreshToken(client_id, now)
        body = self._token_body(self.issue_access_token(client_id), form.get("scope"))
        return Response.of_json({**body, "refresh_token": new_token})

    def _authenticate(self, request: Request, form: dict[str, str]) -> str | None:
        """Return the id of the client if its secret, in a Basic header or in the form, is correct."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        return client_id if client_id in self.clients and self.clients[client_id] == secret else None

    def _token_body(self, access_token: str, scope: str | None) -> dict[str, Any]:
        return {
            "access_token": access_token,
            "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            "token_type": "Bearer",
            "scope": " ".join(self.stated_scopes) if self.stated_scopes is not None else scope or DEFAULT_SCOPE,
        }

    def _claims(self) -> str:
        """Return the rest of a token that is a JSON Web Token with its scopes, as Xero's are; nothing by default."""
        if self.stated_scopes is None:
            return ""
        claims = json.dumps({"scope": self.stated_scopes}).encode()
        return f".{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"

    def _next_token(self, kind: str) -> str:
        self._issued += 1
        return f"sandbox-{kind}-{self._issued:08}"

    def _remove_expired_tokens(self) -> None:
        """Delete tokens a day after they expired. Until then the response says "expired" instead of "invalid"."""
        limit = self.clock.now() - timedelta(days=1)
        while self.access_tokens:
            oldest = next(iter(self.access_tokens))
            if self.access_tokens[oldest].expires_at > limit:
                return
            del self.access_tokens[oldest]


def connection_id(organisation: dict[str, Any]) -> str:
    """Return the id of the connection, which differs from the tenant id."""
    return _derived_id(organisation, "connection")


def _derived_id(organisation: dict[str, Any], purpose: str) -> str:
    return str(uuid.uuid5(uuid.UUID(organisation["OrganisationID"]), purpose))


def _oauth_error(error: str, status: int) -> Response:
    return Response.of_json({"error": error}, status)


def _problem(status: int, title: str, detail: str) -> Response:
    body: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": "",
        "Extensions": {},
    }
    return Response.of_json(body, status, {"content-type": "application/problem+json"})
