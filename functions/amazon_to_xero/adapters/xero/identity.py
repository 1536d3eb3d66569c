"""Xero's token endpoint and the list of connected organisations."""

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

_NEEDS_A_PERSON = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
_CODE = re.compile(r"[a-z_]{1,40}")


class XeroTokenEndpoint:
    """ports.XeroIdentity. `token_url` and `api_url` replace Xero's own, for this object only.

    Over the SDK's client but not its TokenApi: that one sends an empty scope with a refresh, raises the answer's
    headers as text, and keeps its URLs on the class, where two connections would share them.
    """

    def __init__(
        self, client_id: str, client_secret: str, clock: Clock, *, token_url: str = TOKEN_URL, api_url: str = API_URL
    ) -> None:
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
        return self._granted("client_credentials", {"grant_type": "client_credentials"})

    def refresh(self, refresh_token: str) -> TokenSet:
        return self._granted("refresh_token", {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def connections(self, access_token: str) -> list[Json]:
        """The organisations that a token reaches: Xero's objects (tenantId, tenantName, tenantType …).

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
        found = answer.json()
        if answer.status != 200 or not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise XeroUnavailable(operation, answer.status, "answer is not a list of connections")
        return found

    def _granted(self, grant: str, form: dict[str, str]) -> TokenSet:
        operation = f"token ({grant})"
        asked_at = self._clock.now()
        answer = self._posted(operation, form)
        given = answer.json()
        fields: dict[str, Any] = given if isinstance(given, dict) else {}
        if answer.status != 200:
            code = fields.get("error")
            if code in _NEEDS_A_PERSON:
                raise XeroGrantRefused(code)
            known = code if isinstance(code, str) and _CODE.fullmatch(code) else "no token and no known error code"
            raise XeroOutcomeUnknown(operation, answer.status, known)
        wanted = ["access_token", "refresh_token"] if grant == "refresh_token" else ["access_token"]
        for name in wanted:
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise XeroOutcomeUnknown(operation, answer.status, f"token answer has no {name}")
        seconds = fields.get("expires_in")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
            raise XeroOutcomeUnknown(operation, answer.status, "token answer has no whole number of seconds expires_in")
        return TokenSet(
            access_token=fields["access_token"],
            # Counted from before the call: at worst a token is taken for older than it is.
            expires_at=asked_at + timedelta(seconds=seconds),
            refresh_token=fields["refresh_token"] if grant == "refresh_token" else None,
        )

    def _posted(self, operation: str, form: dict[str, str]) -> Answer:
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
