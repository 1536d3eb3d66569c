"""python-amazon-sp-api's client with its tokens, transport and error handling replaced.

By itself the library returns an empty success for every error whose body is not Amazon's JSON, adds marketplace
parameters that were not requested, reads money as float, waits for tokens without a time limit that we set, and keeps a
refused token for an hour. `HardenedClient` does none of this.

The library reads two environment variables when it is imported, before any of our code runs: `AWS_ENV` (any value but
PRODUCTION or SANDBOX stops the import) and `SP_API_DEFAULT_MARKETPLACE` (an unknown country stops the import). A
function that uses this module must not have them set. Proxy variables are not read, so no variable decides where tokens
are sent.
"""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from sp_api.auth import AccessTokenClient
from sp_api.auth.access_token_client import cache as seller_tokens
from sp_api.auth.access_token_client import grantless_cache as grantless_tokens
from sp_api.base import Client, Marketplaces
from sp_api.base._core import build_headers, prepare_request, resolve_method
from sp_api.base._transport_httpx import HttpxTransport
from sp_api.base.credential_provider import FromCodeCredentialProvider

from amazon_to_xero.adapters.amazon.answers import api_document, is_refused, send, token_document
from amazon_to_xero.ports.amazon import Json

# 3 s to connect, 20 s for each read: a Lambda function needs time left to record what went wrong.
TIMEOUT = httpx.Timeout(20.0, connect=3.0)
LWA_URL = "https://api.amazon.com/auth/o2/token"


@dataclass(frozen=True)
class AmazonCredentials:
    """One seller's authorisation of the application; `repr` shows the client id only.

    client_id, client_secret: of the application, from Login with Amazon.
    refresh_token: the seller's grant to the application.
    """

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret", "refresh_token"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise ValueError(f"AmazonCredentials.{name} is empty; run the connect command for this seller again")


@dataclass(frozen=True)
class Region:
    """A region of the Selling Partner API (Amazon: SP-API endpoints).

    api_url: its endpoint.
    marketplace: one of its marketplaces; the library requires one and decides nothing by it.
    """

    api_url: str
    marketplace: Any


REGIONS: Mapping[str, Region] = {
    "na": Region("https://sellingpartnerapi-na.amazon.com", Marketplaces.US),
    "eu": Region("https://sellingpartnerapi-eu.amazon.com", Marketplaces.GB),
    "fe": Region("https://sellingpartnerapi-fe.amazon.com", Marketplaces.JP),
}


class HardenedClient(Client):  # type: ignore[misc]  # sp_api ships no types
    """Sends every operation of the library through `_request`, which returns Amazon's document or raises Refusal.

    The document is a plain dictionary: the library's ApiResponse returns None for any misspelt attribute.
    """

    user_agent = "amazon-to-xero/1 (Language=Python)"

    def _request(self, path: str, *, data: Any = None, params: Any = None, **_library: Any) -> Json:
        return self._exchange(path, data, params, lambda: self.auth.access_token)

    def _request_grantless_operation(self, path: str, *, data: Any = None, params: Any = None) -> Json:
        return self._exchange(path, data, params, lambda: self.grantless_auth.access_token)

    def _exchange(self, path: str, data: Any, params: Any, access_token: Callable[[], str]) -> Json:
        method, params, data = resolve_method(params, data)
        for is_second_attempt in (False, True):
            token = access_token()
            headers = build_headers(self.endpoint, self.user_agent, token)
            # The library cuts the scheme off as if it were always https; httpx derives the host from the URL.
            del headers["host"]
            prepared = prepare_request(
                method=method,
                endpoint=self.endpoint,
                path=path,
                params=params,
                data=data,
                headers=headers,
                add_marketplace=False,
                marketplace_id=None,
                version=None,
            )
            response = send(self._transport, **prepared)
            if not is_refused(response) or is_second_attempt:
                break
            # The token may have been revoked since it was cached; a valid authorisation gives a new one.
            self._auth.forget(token)
        return api_document(response)


def connected_client(
    client: type[HardenedClient], credentials: AmazonCredentials, region: str, api_url: str | None, lwa_url: str | None
) -> Any:
    """Return a client of a region. `api_url` and `lwa_url` (the whole token URL) replace Amazon's own.

    Raises ValueError for an unknown region or an unusable URL.
    """
    if region not in REGIONS:
        raise ValueError(f"region {region!r} is not one of {', '.join(REGIONS)}")
    endpoint = _checked_url(api_url or REGIONS[region].api_url, "api_url")
    transport = HttpxTransport(client=httpx.Client(verify=_tls_context(), timeout=TIMEOUT, trust_env=False))
    connected = client(
        REGIONS[region].marketplace,
        credentials={
            "lwa_app_id": credentials.client_id,
            "lwa_client_secret": credentials.client_secret,
            "refresh_token": credentials.refresh_token,
        },
        # Only these credentials: the library would otherwise search the environment, AWS and files under HOME.
        credential_providers=(FromCodeCredentialProvider,),
        auth_token_client_class=functools.partial(
            _LwaTokens, url=_checked_url(lwa_url or LWA_URL, "lwa_url"), transport=transport
        ),
        verify=_tls_context(),
    )
    connected.endpoint = endpoint
    connected._transport = transport  # one connection pool for the API and its tokens
    return connected


def timestamp_text(moment: datetime) -> str:
    """Return Amazon's text for a time, with microseconds cut off: rounded up they could skip a record."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _LwaTokens(AccessTokenClient):  # type: ignore[misc]  # sp_api ships no types
    """Access tokens from Login with Amazon, requested on our transport, with checked answers and a guarded cache."""

    # The library's caches are plain dictionaries that the whole process shares without a lock.
    _lock = threading.Lock()

    def __init__(self, *, url: str, transport: HttpxTransport, **library: Any) -> None:
        super().__init__(**library)
        self._url = url
        self._transport = transport

    def get_auth(self) -> Any:
        with self._lock:
            return super().get_auth()

    def get_grantless_auth(self, scope: str = "sellingpartnerapi::notifications") -> Any:
        with self._lock:
            return super().get_grantless_auth(scope)

    def forget(self, access_token: str) -> None:
        """Remove a token that Amazon refused from the cache, unless another thread has already replaced it."""
        with self._lock:
            for tokens in (seller_tokens, grantless_tokens):
                for key, answer in list(tokens.items()):
                    if answer.get("access_token") == access_token:
                        tokens.pop(key, None)

    def _get_cache_key(self, token_flavor: str = "") -> str:
        # The library's key is the refresh token alone: two applications, or the real service and the sandbox, would
        # receive each other's access tokens.
        return f"{super()._get_cache_key(token_flavor)} {self.cred.client_id} {self._url}"

    def _request(self, url: str, data: Mapping[str, str], headers: Mapping[str, str]) -> Json:
        return token_document(send(self._transport, method="POST", url=self._url, data=data, headers=headers))


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _checked_url(url: str, setting: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{setting} should be an http or https URL such as https://sellingpartnerapi-eu.amazon.com")
    return url.rstrip("/")
