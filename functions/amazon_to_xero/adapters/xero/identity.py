"""Xero's token endpoint, and the list of organisations that a token gives access to."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from xero_python.identity import IdentityApi

from amazon_to_xero.adapters.xero.transport import Answer, Connection, NoAnswer, NotSent, checked_url
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.xero import TokenSet, XeroGrantRefused, XeroNotAuthorised, XeroOutcomeUnknown, XeroUnavailable

TOKEN_URL = "https://identity.xero.com/connect/token"  # noqa: S105  # an address
API_URL = "https://api.xero.com"

_GRANT_ERRORS = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})  # a person has to act
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class XeroTokenEndpoint:
    """ports.XeroIdentity over the SDK's client, but not over its TokenApi.

    That one sends an empty scope with a refresh, raises the answer's headers as text, and keeps its URLs on the class,
    where two connections would share them.
    """

    def __init__(
        self, client_id: str, client_secret: str, clock: Clock, *, token_url: str = TOKEN_URL, api_url: str = API_URL
    ) -> None:
        """Raise ValueError for an empty credential or an unusable URL; `token_url` and `api_url` replace Xero's own."""
        for name, value in (("client_id", client_id), ("client_secret", client_secret)):
            if not value.strip():
                raise ValueError(f"{name} of the Xero app is empty; run the connect command again")
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._token_url = checked_url(token_url, "token_url")
        self._connection = Connection(clock)
        self._identity = IdentityApi(self._connection.client, base_url=checked_url(api_url, "api_url"))

    def client_credentials(self) -> TokenSet:
        return self._request_tokens("client_credentials", {"grant_type": "client_credentials"})

    def refresh(self, refresh_token: str) -> TokenSet:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._request_tokens("refresh_token", form)

    def authorisation_code(self, code: str, redirect_uri: str) -> TokenSet:
        """Return the tokens of a consent that a person gave in the browser, for the code that came of it.

        A code can be used once, within 5 minutes, with the redirect URI of the consent (Xero: OAuth 2.0, auth flow).
        Without the scope offline_access there is no refresh token.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._request_tokens("authorization_code", form)

    def connections(self, access_token: str) -> list[Json]:
        """Return the organisations that a token gives access to: Xero's objects (tenantId, tenantName, tenantType …).

        Raises XeroNotAuthorised or XeroUnavailable.
        """
        operation = "connections"
        failure: str | None = None
        try:
            answer = self._connection.call(self._identity.get_connections, access_token=access_token)
        except (NotSent, NoAnswer) as error:
            failure = str(error)
        if failure is not None:
            raise XeroUnavailable(operation, None, failure)
        if answer.status in (401, 403):
            raise XeroNotAuthorised(operation, answer.status, "the access token was refused")
        organisations = answer.json()
        is_list = isinstance(organisations, list) and all(isinstance(each, dict) for each in organisations)
        if answer.status != 200 or not is_list:
            raise XeroUnavailable(operation, answer.status, "answer is not a list of connections")
        return list(organisations)

    def _request_tokens(self, grant: str, form: dict[str, str]) -> TokenSet:
        operation = f"token ({grant})"
        requested_at = self._clock.now()
        answer = self._post(operation, form)
        document = answer.json()
        fields: dict[str, Any] = document if isinstance(document, dict) else {}
        if answer.status != 200:
            code = fields.get("error")
            if code in _GRANT_ERRORS:
                raise XeroGrantRefused(code)
            is_code = isinstance(code, str) and _ERROR_CODE.fullmatch(code)
            raise XeroOutcomeUnknown(
                operation, answer.status, str(code) if is_code else "no token and no known error code"
            )
        required = ["access_token", "refresh_token"] if grant == "refresh_token" else ["access_token"]
        for name in required:
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise XeroOutcomeUnknown(operation, answer.status, f"token answer has no {name}")
        seconds = fields.get("expires_in")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
            raise XeroOutcomeUnknown(operation, answer.status, "token answer has no whole number of seconds expires_in")
        return TokenSet(
            access_token=fields["access_token"],
            # Counted from before the request, so that a token is at worst replaced too early.
            expires_at=requested_at + timedelta(seconds=seconds),
            refresh_token=None if grant == "client_credentials" else fields.get("refresh_token"),
            scopes=frozenset(str(fields.get("scope") or "").split()),
        )

    def _post(self, operation: str, form: dict[str, str]) -> Answer:
        failure: str
        try:
            return self._connection.transport.request(
                "POST",
                self._token_url,
                headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
                post_params={**form, "client_id": self._client_id, "client_secret": self._client_secret},
            )
        except (NotSent, NoAnswer) as error:
            failure = str(error)
        raise XeroOutcomeUnknown(operation, None, failure)
