"""The identity part of the sandbox Xero: clients, rotating refresh tokens, access tokens and connections.

Access tokens live 30 minutes; refresh tokens live 60 days and rotate: the one just used may be used again for 30
minutes, for a client that lost the answer, and is refused afterwards (Xero: OAuth 2.0, token expiry).
Tokens are numbered, not random, so that a seeded simulation sees the same ones in every run.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.wire import Request, Response, SandboxClock

DEFAULT_CLIENT_ID = "SANDBOX0CLIENT0ID0000000000000000"
DEFAULT_CLIENT_SECRET = "sandbox-client-secret"
DEFAULT_REFRESH_TOKEN = "sandbox-refresh-token"
DEFAULT_SCOPE = (
    "offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings "
    "accounting.settings.read"
)

ACCESS_TOKEN_LIFE = timedelta(minutes=30)
REFRESH_TOKEN_LIFE = timedelta(days=60)
REFRESH_GRACE = timedelta(minutes=30)


@dataclass
class RefreshToken:
    client_id: str
    issued: datetime
    first_used: datetime | None = None


@dataclass(frozen=True)
class AccessToken:
    client_id: str
    expires: datetime
    is_custom_connection: bool  # from client credentials: one organisation, no tenant header needed


class Identity:
    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.clients = {DEFAULT_CLIENT_ID: DEFAULT_CLIENT_SECRET}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.is_connected = True
        self._issued = 0
        self.seed_refresh_token(DEFAULT_REFRESH_TOKEN)

    # -- for tests and start-up ----------------------------------------------------------------------------------

    def register_client(self, client_id: str, client_secret: str) -> None:
        self.clients[client_id] = client_secret

    def seed_refresh_token(self, token: str, client_id: str = DEFAULT_CLIENT_ID) -> None:
        """A refresh token as the authorisation in a browser would have given it."""
        self.refresh_tokens[token] = RefreshToken(client_id, self.clock.now())

    def issue_access_token(self, client_id: str = DEFAULT_CLIENT_ID, *, is_custom_connection: bool = False) -> str:
        self._forget_expired()
        token = self._next("access")
        self.access_tokens[token] = AccessToken(client_id, self.clock.now() + ACCESS_TOKEN_LIFE, is_custom_connection)
        return token

    # -- endpoints -----------------------------------------------------------------------------------------------

    def token(self, request: Request) -> Response:
        """POST /connect/token."""
        form = request.form()
        client_id = self._client(request, form)
        if client_id is None:
            return _oauth_error("invalid_client", 401)
        match form.get("grant_type"):
            case "client_credentials":
                access = self.issue_access_token(client_id, is_custom_connection=True)
                return Response.of_json(self._answer(access, form.get("scope")))
            case "refresh_token":
                return self._refresh(client_id, form)
        return _oauth_error("unsupported_grant_type", 400)

    def revocation(self, request: Request) -> Response:
        """POST /connect/revocation: the refresh token and the connection it stands for are gone."""
        form = request.form()
        client_id = self._client(request, form)
        if client_id is None:
            return _oauth_error("invalid_client", 401)
        known = self.refresh_tokens.get(form.get("token", ""))
        if known is not None and known.client_id == client_id:
            self.refresh_tokens.pop(form["token"])
            self.access_tokens = {t: a for t, a in self.access_tokens.items() if a.client_id != client_id}
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
                }
            ]
        )

    def refusal(self, request: Request, tenant_id: str, *, needs_tenant: bool = True) -> Response | None:
        """Why the bearer token of a request is not good for the organisation, as problem+json; None when it is."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = self.access_tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if known is None:
            return _problem(401, "Unauthorized", "AuthenticationUnsuccessful")
        if self.clock.now() >= known.expires:
            return _problem(401, "Unauthorized", f"TokenExpired: token expired at {known.expires:%m/%d/%Y %H:%M:%S}")
        if not needs_tenant:
            return None
        wanted = request.headers.get("xero-tenant-id") or (tenant_id if known.is_custom_connection else "")
        if not self.is_connected or wanted.lower() != tenant_id:
            return _problem(403, "Forbidden", "AuthenticationUnsuccessful")
        return None

    # -- inside --------------------------------------------------------------------------------------------------

    def _refresh(self, client_id: str, form: dict[str, str]) -> Response:
        known = self.refresh_tokens.get(form.get("refresh_token", ""))
        now = self.clock.now()
        if known is None or known.client_id != client_id or now >= known.issued + REFRESH_TOKEN_LIFE:
            return _oauth_error("invalid_grant", 400)
        if known.first_used is not None and now > known.first_used + REFRESH_GRACE:
            return _oauth_error("invalid_grant", 400)
        known.first_used = known.first_used or now
        refresh = self._next("refresh")
        self.refresh_tokens[refresh] = RefreshToken(client_id, now)
        answer = self._answer(self.issue_access_token(client_id), form.get("scope"))
        return Response.of_json({**answer, "refresh_token": refresh})

    def _client(self, request: Request, form: dict[str, str]) -> str | None:
        """The client that proves itself by Basic authentication or in the form."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        return client_id if client_id in self.clients and self.clients[client_id] == secret else None

    def _answer(self, access_token: str, scope: str | None) -> dict[str, Any]:
        return {
            "access_token": access_token,
            "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
            "token_type": "Bearer",
            "scope": scope or DEFAULT_SCOPE,
        }

    def _next(self, kind: str) -> str:
        self._issued += 1
        return f"sandbox-{kind}-{self._issued:08}"

    def _forget_expired(self) -> None:
        """Drops tokens a day after they expired; until then a client hears that they expired, not that they are bad."""
        limit = self.clock.now() - timedelta(days=1)
        while self.access_tokens:
            oldest = next(iter(self.access_tokens))
            if self.access_tokens[oldest].expires > limit:
                return
            del self.access_tokens[oldest]


def connection_id(organisation: dict[str, Any]) -> str:
    """The connection's own id, which is not the tenant id."""
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
