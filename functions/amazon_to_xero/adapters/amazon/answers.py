"""What Amazon's answers to HTTP requests mean: the documented object, or the error of `ports.amazon` to raise.

Neither a body nor a request is ever part of an error: bodies may hold buyer data, requests the access token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import httpx
from sp_api.base._transport_httpx import HttpxTransport

from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonForbidden,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
    Json,
)

_NOT_JSON = object()
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_GRANT_ERRORS = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})  # a person has to act


def call(operation: str, method: Callable[..., Any], *arguments: Any, **options: Any) -> Json:
    """Call one operation of the library. Raises an AmazonError with Amazon's error code."""
    answer = _document_or_refusal(method, arguments, options)
    if isinstance(answer, Refusal):
        raise answer.kind(operation, answer.status, answer.code)
    return answer


def call_with_message(operation: str, method: Callable[..., Any], *arguments: Any, **options: Any) -> Json:
    """Do the same as `call`, with Amazon's message in the error: only for operations that cannot mention a buyer."""
    answer = _document_or_refusal(method, arguments, options)
    if isinstance(answer, Refusal):
        raise answer.kind(operation, answer.status, f"{answer.code} {answer.message}".rstrip())
    return answer


class Refusal(Exception):
    """A request that did not succeed, before the name of its operation is known.

    kind: the error to raise for it.
    status: HTTP status; None where there was no answer.
    code: Amazon's error code, or a description of the answer.
    message: Amazon's message; it may name a buyer.
    """

    def __init__(self, kind: type[AmazonError], status: int | None, code: str, message: str = "") -> None:
        super().__init__(code)
        self.kind = kind
        self.status = status
        self.code = code
        self.message = message


def send(transport: HttpxTransport, **request: Any) -> httpx.Response:
    """Send one request. Raises Refusal where no answer came."""
    try:
        response: httpx.Response = transport.request(**request)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refusal(AmazonUnavailable, None, type(error).__name__) from None
    return response


def api_document(response: httpx.Response) -> Json:
    """Return the documented object of an operation's 2xx answer. Raises Refusal for any other answer."""
    status = response.status_code
    answer = _parsed(response)
    errors = answer.get("errors") if isinstance(answer, dict) else None
    error = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
    code = _error_code(error.get("code")) if error else None
    message = error.get("message") if error and isinstance(error.get("message"), str) else None
    if response.is_success and isinstance(answer, dict) and not errors:
        return answer
    kind: type[AmazonError]
    if status == httpx.codes.TOO_MANY_REQUESTS:
        kind = AmazonThrottled
    elif is_refused(response):
        kind = AmazonForbidden
    elif status == httpx.codes.NOT_FOUND and error:
        kind = AmazonNotFound
    elif status == httpx.codes.CONFLICT and error:
        kind = AmazonError
    else:
        # Also for 400: valid queries were answered with 400 InvalidInput for hours (Amazon: models issue 5365).
        kind = AmazonUnavailable
    raise Refusal(kind, status, code or f"answer is {_describe(answer)}", message or "")


def is_refused(response: httpx.Response) -> bool:
    """Return whether Amazon refuses the request, which it does in JSON.

    A page of HTML with the same status is from the network before it (Amazon: docs issue 410), and says nothing about
    the authorisation.
    """
    is_refusal = response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    return is_refusal and isinstance(_parsed(response), dict)


def token_document(response: httpx.Response) -> Json:
    """Return the object with an access_token that Login with Amazon answered. Raises Refusal for any other answer."""
    answer = _parsed(response)
    code = _error_code(answer.get("error")) if isinstance(answer, dict) else None
    if code in _GRANT_ERRORS:
        raise Refusal(AmazonNotAuthorised, response.status_code, code)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Refusal(AmazonThrottled, response.status_code, code or "Login with Amazon is throttled")
    if response.status_code != httpx.codes.OK or not isinstance(answer, dict):
        raise Refusal(AmazonUnavailable, response.status_code, code or f"token answer is {_describe(answer)}")
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        raise Refusal(AmazonUnavailable, response.status_code, "token answer has no access_token")
    return answer


def _document_or_refusal(
    method: Callable[..., Any], arguments: tuple[Any, ...], options: Mapping[str, Any]
) -> Json | Refusal:
    """Return the document or the Refusal.

    It is returned and not raised, so that neither it nor httpx's exception, which holds the request with its access
    token, stays attached to the error that is raised for it.
    """
    try:
        document: Json = method(*arguments, **options)
    except Refusal as refusal:
        return refusal
    return document


def _parsed(response: httpx.Response) -> Any:
    """Return the body's JSON with numbers as Decimal, or _NOT_JSON: the parser's exception would hold the body."""
    try:
        return json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return _NOT_JSON


def _describe(answer: Any) -> str:
    match answer:
        case dict():
            return "an object without what is documented"
        case list() | str() | int() | Decimal() | None:
            return "JSON, but no object"
        case _:
            return "not JSON"


def _error_code(value: Any) -> str | None:
    """Return an error code; None for a text that is longer or has other characters, which might quote the request."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
