"""The interface of both sandbox services: requests, responses, the request log and injected faults.

A service is a plain object with `handle(Request) -> Response` and a clock: no sockets, no threads, no sleeping.
`server.py` serves it on a loopback port for the real SDKs; the simulation calls it in-process under a virtual clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import simplejson  # type: ignore[import-untyped]  # ships no type information


class SandboxService:
    """Base class of both sandboxes: log every request, inject faults, and leave the behaviour to `respond`."""

    name = "service"

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        self.faults: list[Fault] = []

    def handle(self, request: Request) -> Response:
        """Process one request from start to end. Never raise, whatever the client sends."""
        fault = self._take_fault(request)
        if fault is not None and fault.kind == "lose":
            response = Response(0, dropped=True)
        elif fault is not None and fault.kind == "refuse":
            response = fault.response()
        else:
            response = self.respond(request)
            if fault is not None and fault.kind == "drop":
                response = Response(0, dropped=True)
            elif fault is not None and fault.kind == "fail":
                response = self.failed(request, fault.response())
            elif fault is not None:
                response = replace(response, delay=fault.delay)
        self.calls.append(
            Call(
                at=self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                service=self.name,
                operation=self.operation(request),
                method=request.method,
                path=request.path,
                query="&".join(f"{name}={value}" for name, value in request.query),
                status=response.status,
                elements=self.elements(request),
                idempotency_key=request.headers.get("idempotency-key"),
                fault=fault.kind if fault else None,
            )
        )
        return response

    def respond(self, request: Request) -> Response:
        """Return the service's own response."""
        raise NotImplementedError

    def failed(self, request: Request, response: Response) -> Response:
        """Return `response`, which a "fail" fault sends instead of the service's own response.

        A service that stores its responses overrides this to store `response`.
        """
        return response

    def begin(self, request: Request) -> None:
        """Count the request as in progress until `end`, for services that limit concurrency.

        Optional for in-process callers, which send one request at a time.
        """

    def end(self, request: Request) -> None:
        """Stop counting a request that was announced with `begin`: its response has been sent."""

    def operation(self, request: Request) -> str:
        """Return the operation's name in the service's own documentation (`searchOrders`, `createInvoices`)."""
        raise NotImplementedError

    def elements(self, request: Request) -> int:
        """Return how many documents the request carries."""
        return 0

    def control(self, request: Request) -> Response:
        """Process a request of the control interface, `/_sandbox/…`. Subclasses add their own paths."""
        match request.method, request.path.removeprefix("/_sandbox/").rstrip("/"):
            case "GET", "calls":
                return Response.of_json([asdict(call) for call in self.calls])
            case "DELETE", "calls":
                self.calls.clear()
                return Response(204)
            case "GET", "faults":
                return Response.of_json([asdict(fault) for fault in self.faults])
            case "POST", "faults":
                body = json.loads(request.body)
                self.faults.extend(Fault(**fault) for fault in (body if isinstance(body, list) else [body]))
                return Response(204)
            case "DELETE", "faults":
                self.faults.clear()
                return Response(204)
            case "GET", "clock":
                return Response.of_json({"now": self.clock.now().isoformat()})
            case "POST", "clock":
                self.clock.advance(json.loads(request.body)["advance"])
                return Response.of_json({"now": self.clock.now().isoformat()})
        return Response.of_json({"error": f"the sandbox has no control {request.method} {request.path}"}, 404)

    def _take_fault(self, request: Request) -> Fault | None:
        """Return the fault to inject into this request and count it as used; None if no fault applies."""
        for fault in self.faults:
            if fault.method not in (None, request.method) or not request.path.startswith(fault.path):
                continue
            if fault.contains.encode() not in request.body:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
            return fault
        return None


class SandboxClock:
    """The sandbox's current time (UTC): the real time plus whatever the control interface has added."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._now() + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    query: pairs in the order sent, repeated names included.
    headers: keyed by lower-case name.
    query_length: characters of the encoded query string, as sent.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query_length: int = 0

    @classmethod
    def to(cls, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Request:
        """Build a request from its target as sent over the wire (`/path?query`)."""
        path, _, query = target.partition("?")
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        return cls(method.upper(), path, pairs, lowered, body, len(query))

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter. Both services compare names case-insensitively."""
        return next((value for key, value in self.query if key.lower() == name.lower()), None)

    def list_parameter(self, name: str) -> list[str]:
        """Return the values of a list parameter, sent once with commas or several times."""
        values = [value for key, value in self.query if key.lower() == name.lower()]
        return [part for value in values for part in value.split(",") if part]

    def without_parameter(self, name: str) -> Request:
        """Return the same request without a query parameter."""
        return replace(self, query=tuple(pair for pair in self.query if pair[0].lower() != name.lower()))

    def json(self) -> Any:
        """Return the body as JSON, numbers as Decimal. Raise ValueError if it is not JSON."""
        return json.loads(self.body, parse_float=Decimal)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    """One HTTP response.

    delay: seconds to wait before sending it.
    dropped: close the connection instead of sending it.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    dropped: bool = False

    @classmethod
    def of_json(cls, payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return cls(
            status, dumps(payload).encode(), {"content-type": "application/json; charset=utf-8", **(headers or {})}
        )

    @classmethod
    def of_html(cls, text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        return cls(status, text.encode(), {"content-type": "text/html; charset=utf-8", **(headers or {})})

    def with_headers(self, headers: Mapping[str, str]) -> Response:
        return replace(self, headers={**self.headers, **headers})


def dumps(payload: Any, indent: int | None = None) -> str:
    """Return JSON text; Decimals become JSON numbers with exactly their digits."""
    return str(simplejson.dumps(payload, use_decimal=True, indent=indent))


@dataclass(frozen=True)
class Call:
    """One entry of the request log. It never holds a body, and therefore no buyer data.

    status: 0 if the connection was dropped without a response.
    elements: number of documents in the request's batch; 0 for a request without documents.
    fault: kind of the fault that was injected, if any.
    """

    at: str
    service: str
    operation: str
    method: str
    path: str
    query: str
    status: int
    elements: int
    idempotency_key: str | None = None
    fault: str | None = None


FAULT_KINDS = {
    "lose": "drop the connection before the service sees the request",
    "drop": "process the request, then drop the connection without a response",
    "refuse": "respond with `status` and `body` without processing the request",
    "fail": "process the request, then respond with `status` and `body`",
    "slow": "process the request at once and send the response after `delay` seconds",
}


@dataclass
class Fault:
    """A fault to inject into the next matching requests.

    method: HTTP method to match; None matches every method.
    path: prefix of the request paths to match.
    contains: text in the bodies to match, such as a document's number.
    times: number of matching requests to inject it into.
    skip: number of matching requests to let through first.
    """

    kind: str
    method: str | None = None
    path: str = ""
    contains: str = ""
    times: int = 1
    skip: int = 0
    status: int = 503
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"fault kind {self.kind!r} is not one of {', '.join(FAULT_KINDS)}")

    def response(self) -> Response:
        return Response(self.status, self.body.encode(), {"content-type": self.content_type, **self.headers})
