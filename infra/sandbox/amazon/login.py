"""Login with Amazon (LWA): issue access tokens for the seller's data and for grantless operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.wire import Request, Response

Grant = Literal["seller", "grantless"]
NOTIFICATIONS_SCOPE = "sellingpartnerapi::notifications"
TOKEN_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Credentials:
    """The application's client credentials and the refresh token of the seller's authorisation."""

    client_id: str = "amzn1.application-oa2-client.sandbox"
    client_secret: str = "amzn1.oa2-cs.v1.sandbox"
    refresh_token: str = "Atzr|sandbox"


class Login:
    """Issue and validate access tokens."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.is_authorised = True
        self._issued = 0
        self._tokens: dict[str, tuple[Grant, datetime]] = {}

    def token(self, request: Request, now: datetime) -> Response:
        """POST /auth/o2/token, form-encoded."""
        try:
            form = request.form()
        except UnicodeDecodeError:
            return _error("invalid_request", "The request body is not form-encoded")
        if not form.get("grant_type"):
            return _error("invalid_request", "The request is missing a required parameter : grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (
            self.credentials.client_id,
            self.credentials.client_secret,
        ):
            return _error("invalid_client", "Client authentication failed", 401)
        match form["grant_type"]:
            case "refresh_token":
                if not form.get("refresh_token"):
                    return _error("invalid_request", "The request is missing a required parameter : refresh_token")
                if form["refresh_token"] != self.credentials.refresh_token or not self.is_authorised:
                    return _error("invalid_grant", "The request has an invalid grant parameter : refresh_token")
                return self._issue("seller", now, {"refresh_token": self.credentials.refresh_token})
            case "client_credentials":
                if form.get("scope") != NOTIFICATIONS_SCOPE:
                    return _error("invalid_scope", "The requested scope is invalid, unknown, or malformed")
                return self._issue("grantless", now, {"scope": NOTIFICATIONS_SCOPE})
        return _error("unsupported_grant_type", "The authorization grant type is not supported")

    def grant(self, access_token: str | None, now: datetime) -> Grant | None:
        """Return what a token permits; None for an unknown, revoked or expired token."""
        if access_token is None or access_token not in self._tokens:
            return None
        grant, expires_at = self._tokens[access_token]
        return grant if now < expires_at else None

    def revoke_access_tokens(self) -> None:
        """Revoke every access token issued so far. New ones can be requested at once."""
        self._tokens.clear()

    def revoke_authorisation(self) -> None:
        """Withdraw the seller's authorisation: its tokens are revoked and none is issued until `authorise`."""
        self.is_authorised = False
        self._tokens = {
            token: (grant, expires_at) for token, (grant, expires_at) in self._tokens.items() if grant == "grantless"
        }

    def authorise(self) -> None:
        """Restore the seller's authorisation."""
        self.is_authorised = True

    def _issue(self, grant: Grant, now: datetime, extra: dict[str, str]) -> Response:
        self._issued += 1
        token = f"Atza|sandbox-{grant}-{self._issued:08d}"
        self._tokens[token] = (grant, now + TOKEN_LIFETIME)
        body = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(TOKEN_LIFETIME.total_seconds()),
            **extra,
        }
        return Response.of_json(body, headers={"cache-control": "no-store"})


def _error(error: str, description: str, status: int = 400) -> Response:
    return Response.of_json({"error": error, "error_description": description}, status)
