"""Amazon's Selling Partner API through python-amazon-sp-api, with that library's error handling replaced.

Left to itself the library hands back an empty success for every error whose body is not Amazon's JSON, adds marketplace
parameters nobody asked for, reads money as float, waits for tokens without a limit of ours and keeps a refused token
for an hour. `HardenedClient` mends each of these; the classes below it speak in the words of `ports`.

Environment variables that the library reads at import, before any of our code: `AWS_ENV` (anything but PRODUCTION or
SANDBOX stops the import) and `SP_API_DEFAULT_MARKETPLACE` (an unknown country stops the import). A function that uses
this module must not have them set. Proxy variables are not read: no variable decides where tokens are sent.
"""

from __future__ import annotations

import functools
import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
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

from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
    Json,
)

# Connect 3 s, each read 20 s; a Lambda function has to have time left for writing down what went wrong.
TIMEOUT = httpx.Timeout(20.0, connect=3.0)


LWA_URL = "https://api.amazon.com/auth/o2/token"


_NEEDS_A_PERSON = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})


_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


_NOT_JSON = object()


@dataclass(frozen=True)
class AmazonCredentials:
    """Of one seller authorisation; `repr` shows the client id only."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret", "refresh_token"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise ValueError(f"AmazonCredentials.{name} is empty; run the connect command for this seller again")


@dataclass(frozen=True)
class Region:
    api_url: str
    aws_region: str
    marketplace: Any  # the library wants one; nothing it decides is used


# Amazon: SP-API endpoints.
REGIONS: Mapping[str, Region] = {
    "na": Region("https://sellingpartnerapi-na.amazon.com", "us-east-1", Marketplaces.US),
    "eu": Region("https://sellingpartnerapi-eu.amazon.com", "eu-west-1", Marketplaces.GB),
    "fe": Region("https://sellingpartnerapi-fe.amazon.com", "us-west-2", Marketplaces.JP),
}


class _Refusal(Exception):
    """A call that did not work, before the operation's name is known. `message` is Amazon's and may name a buyer."""

    def __init__(self, kind: type[AmazonError], status: int | None, code: str, message: str = "") -> None:
        super().__init__(code)
        self.kind = kind
        self.status = status
        self.code = code
        self.message = message


class _LwaTokens(AccessTokenClient):  # type: ignore[misc]  # sp_api ships no types
    """Login with Amazon on our transport, with its answers checked and the cache guarded."""

    # The library's caches are plain dictionaries with a clock, shared by the process and guarded by nothing.
    _lock = threading.Lock()

    def __init__(self, *, url: str, transport: HttpxTransport, **given: Any) -> None:
        super().__init__(**given)
        self._url = url
        self._transport = transport

    def get_auth(self) -> Any:
        with self._lock:
            return super().get_auth()

    def get_grantless_auth(self, scope: str = "sellingpartnerapi::notifications") -> Any:
        with self._lock:
            return super().get_grantless_auth(scope)

    def forget(self, access_token: str) -> None:
        """Drops a token that Amazon refused, unless another thread has replaced it already."""
        with self._lock:
            for tokens in (seller_tokens, grantless_tokens):
                for key, answer in list(tokens.items()):
                    if answer.get("access_token") == access_token:
                        tokens.pop(key, None)

    def _get_cache_key(self, token_flavor: str = "") -> str:
        # The library's key is the refresh token alone: two applications, or the real service and the sandbox, would
        # be given each other's access tokens.
        return f"{super()._get_cache_key(token_flavor)} {self.cred.client_id} {self._url}"

    def _request(self, url: str, data: Mapping[str, str], headers: Mapping[str, str]) -> Json:
        response = _sent(self._transport, method="POST", url=self._url, data=data, headers=headers)
        answer = _parsed(response)
        code = _word(answer.get("error")) if isinstance(answer, dict) else None
        if code in _NEEDS_A_PERSON:
            raise _Refusal(AmazonNotAuthorised, response.status_code, code)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _Refusal(AmazonThrottled, response.status_code, code or "login with Amazon is throttled")
        if response.status_code != httpx.codes.OK or not isinstance(answer, dict):
            raise _Refusal(AmazonUnavailable, response.status_code, code or f"token answer is {_kind_of(answer)}")
        if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
            raise _Refusal(AmazonUnavailable, response.status_code, "token answer has no access_token")
        return answer


class HardenedClient(Client):  # type: ignore[misc]  # sp_api ships no types
    """Every operation of the library goes through `_request`; this one answers with Amazon's document or raises.

    The document is a plain dictionary: the library's ApiResponse answers None for any misspelt attribute.
    """

    user_agent = "amazon-to-xero/1 (Language=Python)"

    def _request(self, path: str, *, data: Any = None, params: Any = None, **_library: Any) -> Json:
        return self._exchange(path, data, params, lambda: self.auth.access_token)

    def _request_grantless_operation(self, path: str, *, data: Any = None, params: Any = None) -> Json:
        return self._exchange(path, data, params, lambda: self.grantless_auth.access_token)

    def _exchange(self, path: str, data: Any, params: Any, access_token: Callable[[], str]) -> Json:
        method, params, data = resolve_method(params, data)
        for repeated in (False, True):
            token = access_token()
            headers = build_headers(self.endpoint, self.user_agent, token)
            # The library cuts the scheme off as if it were always https; httpx knows the host of the URL.
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
            response = _sent(self._transport, **prepared)
            if response.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) or repeated:
                break
            # The token may have been revoked since it was cached: an authorisation that still stands gives a new one.
            self._auth.forget(token)
        return _document(response)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def connected_client(
    client: type[HardenedClient], credentials: AmazonCredentials, region: str, api_url: str | None, lwa_url: str | None
) -> Any:
    if region not in REGIONS:
        raise ValueError(f"region {region!r} is not one of {', '.join(REGIONS)}")
    endpoint = _url(api_url or REGIONS[region].api_url, "api_url")
    transport = HttpxTransport(client=httpx.Client(verify=_tls(), timeout=TIMEOUT, trust_env=False))
    connected = client(
        REGIONS[region].marketplace,
        credentials={
            "lwa_app_id": credentials.client_id,
            "lwa_client_secret": credentials.client_secret,
            "refresh_token": credentials.refresh_token,
        },
        # Nothing but what was passed: the library would go on to the environment, AWS and files under HOME.
        credential_providers=(FromCodeCredentialProvider,),
        auth_token_client_class=functools.partial(
            _LwaTokens, url=_url(lwa_url or LWA_URL, "lwa_url"), transport=transport
        ),
        verify=_tls(),
    )
    connected.endpoint = endpoint
    connected._transport = transport  # one connection pool for the API and its tokens
    return connected


def _url(url: str, setting: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{setting} should be an http or https URL such as https://sellingpartnerapi-eu.amazon.com")
    return url.rstrip("/")


def _sent(transport: HttpxTransport, **request: Any) -> httpx.Response:
    try:
        response: httpx.Response = transport.request(**request)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _Refusal(AmazonUnavailable, None, type(error).__name__) from None
    return response


def _parsed(response: httpx.Response) -> Any:
    """The body as JSON, numbers as Decimal; `_NOT_JSON` when it is none. The parser's exception would hold the body."""
    try:
        return json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return _NOT_JSON


def _document(response: httpx.Response) -> Json:
    """The documented object of a 2xx answer. Raises _Refusal for everything else."""
    status = response.status_code
    answer = _parsed(response)
    errors = answer.get("errors") if isinstance(answer, dict) else None
    error = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
    code = _word(error.get("code")) if error else None
    message = error.get("message") if error and isinstance(error.get("message"), str) else None
    if response.is_success and isinstance(answer, dict) and not errors:
        return answer
    kind: type[AmazonError]
    if status == httpx.codes.TOO_MANY_REQUESTS:
        kind = AmazonThrottled
    elif status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        kind = AmazonNotAuthorised
    elif status == httpx.codes.NOT_FOUND and error:
        kind = AmazonNotFound
    elif status == httpx.codes.CONFLICT and error:
        kind = AmazonError
    else:
        # 400 among them: valid queries were answered 400 InvalidInput for hours (Amazon: models issue 5365).
        kind = AmazonUnavailable
    raise _Refusal(kind, status, code or f"answer is {_kind_of(answer)}", message or "")


def _kind_of(answer: Any) -> str:
    match answer:
        case dict():
            return "an object without what is documented"
        case list() | str() | int() | Decimal() | None:
            return "JSON, but no object"
        case _:
            return "not JSON"


def _word(value: Any) -> str | None:
    """An error code: letters, digits and little else. Anything longer might quote the request."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def call(operation: str, call: Callable[..., Any], *given: Any, **named: Any) -> Json:
    answer = _attempted(call, given, named)
    if isinstance(answer, _Refusal):
        raise answer.kind(operation, answer.status, answer.code)
    return answer


def call_with_message(operation: str, call: Callable[..., Any], *given: Any, **named: Any) -> Json:
    """As call, with Amazon's message: only for operations that cannot mention a buyer."""
    answer = _attempted(call, given, named)
    if isinstance(answer, _Refusal):
        raise answer.kind(operation, answer.status, f"{answer.code} {answer.message}".rstrip())
    return answer


def _attempted(call: Callable[..., Any], given: tuple[Any, ...], named: Mapping[str, Any]) -> Json | _Refusal:
    """The answer or the refusal: returned, so that neither it nor httpx's exception, which holds the request with its
    access token, stays attached to the error raised for it.
    """
    try:
        answer: Json = call(*given, **named)
    except _Refusal as refusal:
        return refusal
    return answer
