"""One HTTP exchange with Xero under the SDK's client: sent once, and answered or failed within a time limit.

xero-python's own transport sends a PUT up to four times, sleeps for hours on Retry-After, follows redirects with the
access token, has no time limit (and ignores one given as a float), and puts headers and bodies into its exceptions.
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
# A connection may have died while the function was frozen, and a write on it would have an unknown outcome.
MAX_IDLE_TIME = timedelta(seconds=45)
NOT_JSON = object()


class NotSent(Exception):
    """No connection was made, so nothing was executed. The text is only the type of the failure."""


class NoAnswer(Exception):
    """The request may have arrived, and no complete answer came back. The text is only the type of the failure."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer.

    status: HTTP status.
    headers: found by name without regard to case.
    data: the whole body.
    """

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> Any:
        """Return the body's JSON with numbers as Decimal or int, or NOT_JSON: the parser's exception holds the body."""
        try:
            return json.loads(self.data, parse_float=Decimal)
        except ValueError:
            return NOT_JSON


class Connection:
    """The SDK's client over SafeTransport. Thread-safe: each call carries the access token that it was given."""

    def __init__(self, clock: Clock) -> None:
        # Configuration() copies the first one of the process, so this client's token is set on its own copy.
        configuration = Configuration()
        configuration.debug = False
        configuration.oauth2_token = _StatelessToken()
        self._sending = threading.local()
        self.client = ApiClient(configuration, oauth2_token_getter=self._token)
        self.transport = SafeTransport(configuration, clock)
        self.client.rest_client = self.transport

    def call(self, operation: Callable[..., Any], *arguments: Any, access_token: str, **options: Any) -> Answer:
        """Send one operation of the SDK. Raises NotSent or NoAnswer."""
        self._sending.token = access_token
        # Not preloaded: the SDK would build its models, and fail on an unknown currency after Xero has committed.
        answer: Answer = operation(*arguments, _preload_content=False, **options)
        return answer

    def _token(self) -> dict[str, str]:
        return {"access_token": self._sending.token}


class SafeTransport(RESTClientObject):  # type: ignore[misc]  # xero_python ships no types
    """Returns an Answer for every status; raises only NotSent and NoAnswer."""

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
        """Send `body` as it is, or `post_params` as a form. The SDK's own options, its time limits too, are ignored."""
        now = self._clock.now()
        if self._used_at is not None and now - self._used_at > MAX_IDLE_TIME:
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


class _StatelessToken(OAuth2Token):  # type: ignore[misc]  # xero_python ships no types
    """The SDK's token without its state: it refreshes nothing, and two threads cannot mix up their tokens."""

    def create_auth_settings(self, api_client: Any) -> dict[str, str]:
        token = api_client.get_oauth2_token()["access_token"]
        return {"type": "oauth2", "in": "header", "key": "Authorization", "value": f"Bearer {token}"}


def checked_url(url: str, setting: str) -> str:
    """Return the URL without a slash at its end. Raises ValueError that names the setting."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{setting} should be an http or https URL such as https://api.xero.com")
    return url.rstrip("/")
