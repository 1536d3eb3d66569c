"""Login with Amazon (LWA): access tokens for the seller's authorisation and for grantless operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.wire import Request, Response

Grant = Literal["seller", "grantless"]
NOTIFICATIONS_SCOPE = "sellingpartnerapi::notifications"
TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Credentials:
    """What the application identifies itself with, and the seller's authorisation of it."""

    client_id: str = "amzn1.application-oa2-client.sandbox"
    client_secret: str = "amzn1.oa2-cs.v1.sandbox"
    refresh_token: str = "Atzr|sandbox"


class Login:
    """Issues access tokens and knows which of them are good."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.authorised = True
        self._issued = 0
        self._tokens: dict[str, tuple[Grant, datetime]] = {}

    def token(self, request: Request, now: datetime) -> Response:
        """POST /auth/o2/token, form-encoded."""
        try:
            form = request.form()
        except UnicodeDecodeError:
            return _refusal("invalid_request", "The request body is not form-encoded")
        if not form.get("grant_type"):
            return _refusal("invalid_request", "The request is missing a required parameter : grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (
            self.credentials.client_id,
            self.credentials.client_secret,
        ):
            return _refusal("invalid_client", "Client authentication failed", 401)
        match form["grant_type"]:
            case "refresh_token":
                if not form.get("refresh_token"):
                    return _refusal("invalid_request", "The request is missing a required parameter : refresh_token")
                if form["refresh_token"] != self.credentials.refresh_token or not self.authorised:
                    return _refusal("invalid_grant", "The request has an invalid grant parameter : refresh_token")
                return self._issue("seller", now, {"refresh_token": self.credentials.refresh_token})
            case "client_credentials":
                if form.get("scope") != NOTIFICATIONS_SCOPE:
                    return _refusal("invalid_scope", "The requested scope is invalid, unknown, or malformed")
                return self._issue("grantless", now, {"scope": NOTIFICATIONS_SCOPE})
        return _refusal("unsupported_grant_type", "The authorization grant type is not supported")

    def grant(self, access_token: str | None, now: datetime) -> Grant | None:
        """What a token permits; None for one that is unknown, revoked or older than an hour."""
        if access_token is None or access_token not in self._tokens:
            return None
        grant, expires_at = self._tokens[access_token]
        return grant if now < expires_at else None

    def revoke_access_tokens(self) -> None:
        """Every access token issued so far stops working; new ones can be had at once."""
        self._tokens.clear()

    def revoke_authorisation(self) -> None:
        """The seller withdraws the authorisation: no token works and none can be had until `authorise`."""
        self.authorised = False
        self._tokens = {token: known for token, known in self._tokens.items() if known[0] == "grantless"}

    def authorise(self) -> None:
        self.authorised = True

    def _issue(self, grant: Grant, now: datetime, extra: dict[str, str]) -> Response:
        self._issued += 1
        token = f"Atza|sandbox-{grant}-{self._issued:08d}"
        self._tokens[token] = (grant, now + TOKEN_LIFE)
        body = {"access_token": token, "token_type": "bearer", "expires_in": int(TOKEN_LIFE.total_seconds()), **extra}
        return Response.of_json(body, headers={"cache-control": "no-store"})


def _refusal(error: str, description: str, status: int = 400) -> Response:
    return Response.of_json({"error": error, "error_description": description}, status)
