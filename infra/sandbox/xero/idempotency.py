"""Idempotency-Key: return the stored response to a repeated request.

Xero stores the response of a PUT or POST under its key for six minutes from the first call, errors included.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.wire import Request, Response

KEY_LIFETIME = timedelta(minutes=6)
MAX_KEY_LENGTH = 128


class IdempotencyKeys:
    """The stored responses of one organisation, by key."""

    def __init__(self) -> None:
        self._stored: dict[str, _StoredResponse] = {}

    def recall(self, request: Request, now: datetime) -> Response | None:
        """Return the stored response, or a 400 for a key that is too long or belongs to a different request."""
        key = _key(request)
        if key is None:
            return None
        if len(key) > MAX_KEY_LENGTH:
            return _bad_request(f"Idempotency Key: must not be longer than {MAX_KEY_LENGTH} characters.")
        self._remove_expired(now)
        stored = self._stored.get(key)
        if stored is None:
            return None
        if stored.fingerprint != _fingerprint(request):
            return _bad_request(f"Idempotency Key: {key} is used with a different request.")
        return stored.response

    def store(self, request: Request, response: Response, now: datetime) -> None:
        """Store the response to a request that was processed."""
        key = _key(request)
        if key is not None:
            self._stored[key] = _StoredResponse(_fingerprint(request), now, response)

    def replace(self, request: Request, response: Response) -> None:
        """Replace the stored response to a request without extending the lifetime of its key."""
        stored = self._stored.get(_key(request) or "")
        if stored is not None and stored.fingerprint == _fingerprint(request):
            stored.response = response

    def _remove_expired(self, now: datetime) -> None:
        while self._stored:
            oldest = next(iter(self._stored))
            if self._stored[oldest].first_called_at > now - KEY_LIFETIME:
                return
            del self._stored[oldest]


@dataclass
class _StoredResponse:
    fingerprint: bytes
    first_called_at: datetime
    response: Response


def _key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") or None if request.method in {"PUT", "POST"} else None


def _fingerprint(request: Request) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in request.query)
    digest = hashlib.blake2b(f"{request.method} {request.path}?{query}\n".encode(), digest_size=16)
    digest.update(request.body)
    return digest.digest()


def _bad_request(message: str) -> Response:
    return Response.of_json({"Title": "Bad Request", "Status": 400, "Detail": message, "Message": message}, 400)
