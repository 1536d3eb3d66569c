"""One HTTP exchange with Xero, under the SDK's own client: sent once, answered or failed within a time limit.

xero-python's own transport sends a PUT up to four times, sleeps for hours on Retry-After, follows redirects with the
access token, has no time limit (and ignores one given as float), and puts headers and bodies into its exceptions.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.rest import RESTClientObject

from amazon_to_xero.ports.clock import Clock

CONNECT_SECONDS = 3.05  # just above TCP's first retransmission after 3 s
READ_SECONDS = 20.0

# An idle connection may have died while the function was frozen, and a write on it would have an unknown outcome.
IDLE_FOR_AT_MOST = timedelta(seconds=45)

NOT_JSON = object()


class NotSent(Exception):
    """No connection was made: nothing can have been executed. The text is the kind of failure only."""


class NoAnswer(Exception):
    """The request may have arrived, no whole answer came back. The text is the kind of failure only."""


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in any case) and the whole body of one answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> Any:
        """The body with numbers as Decimal or int; NOT_JSON when it is none.

        The parser's exception would hold the body, so there is none.
        """
        try:
            return json.loads(self.data, parse_float=Decimal)
        except ValueError:
            return NOT_JSON


class SafeTransport(RESTClientObject):  # type: ignore[misc]  # xero_python ships no types
    """Answers with an Answer for every status; raises only NotSent and NoAnswer."""

    def __init__(self, configuration: Any, clock: Clock) -> None:
        super().__init__(configuration, pools_size=3, maxsize=5)
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._clock = clock
        self._used_at: datetime | None = None

    def request(
        self,
        method: str,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        post_params: Sequence[tuple[str, str]] | Mapping[str, str] | None = None,
        **_library: Any,
    ) -> Answer:
        """`body` is sent as it is; `post_params` as a form. The SDK's own time limits are not taken over."""
        now = self._clock.now()
        if self._used_at is not None and now - self._used_at > IDLE_FOR_AT_MOST:
            self.pool_manager.clear()
        self._used_at = now
        try:
            response = self.pool_manager.request(
                method,
                f"{url}?{urlencode(query_params)}" if query_params else url,
                body=urlencode(post_params) if post_params else body,
                headers=dict(headers or {}),
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=True,
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(type(error).__name__) from None
        return Answer(response.status, response.headers, response.data)


class _OneToken(OAuth2Token):  # type: ignore[misc]  # xero_python ships no types
    """The SDK's token without its state: no refresh of its own, and nothing that two threads could mix up."""

    def create_auth_settings(self, api_client: Any) -> dict[str, str]:
        token = api_client.get_oauth2_token()["access_token"]
        return {"type": "oauth2", "in": "header", "key": "Authorization", "value": f"Bearer {token}"}


class Connection:
    """The SDK's client over SafeTransport; `call` sends one SDK operation with the given access token."""

    def __init__(self, clock: Clock) -> None:
        # Configuration(...) copies the process's first one, arguments ignored: each client gets its own token here.
        configuration = Configuration()
        configuration.debug = False
        configuration.oauth2_token = _OneToken()
        self._sending = threading.local()
        self.client = ApiClient(configuration, oauth2_token_getter=self._token)
        self.transport = SafeTransport(configuration, clock)
        self.client.rest_client = self.transport

    def call(self, operation: Callable[..., Any], *given: Any, access_token: str, **named: Any) -> Answer:
        self._sending.token = access_token
        # Not preloaded: the SDK would build its models, and fail on an unknown currency after Xero has committed.
        answer: Answer = operation(*given, _preload_content=False, **named)
        return answer

    def _token(self) -> dict[str, str]:
        return {"access_token": self._sending.token}


def checked_url(url: str, setting: str) -> str:
    """The URL without a slash at its end. Raises ValueError naming the setting."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{setting} should be an http or https URL such as https://api.xero.com")
    return url.rstrip("/")
