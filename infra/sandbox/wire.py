"""What the two sandbox services share: requests, responses, recorded calls and injected faults.

A service is a plain object with `handle(Request) -> Response` and a clock: no sockets, no threads, no sleeping.
`server.py` puts it on a loopback port for the real SDKs; the simulation calls it in-process under a virtual clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import simplejson


class SandboxClock:
    """The sandbox's own time (UTC): the real one, moved by what the control interface asks for."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._moved = timedelta()

    def now(self) -> datetime:
        return self._now() + self._moved

    def advance(self, seconds: float) -> None:
        self._moved += timedelta(seconds=seconds)


def dumps(payload: Any, indent: int | None = None) -> str:
    """JSON text; Decimals become JSON numbers with exactly their digits."""
    return str(simplejson.dumps(payload, use_decimal=True, indent=indent))


@dataclass(frozen=True)
class Request:
    """One HTTP request. `headers` has lower-case names; `query` keeps order and repeats."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def to(cls, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Request:
        """From a request target as it stands on the wire (`/path?query`)."""
        path, _, query = target.partition("?")
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        return cls(method.upper(), path, tuple(parse_qsl(query, keep_blank_values=True)), lowered, body)

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter (names compared without regard to case, as both services do)."""
        return next((value for key, value in self.query if key.lower() == name.lower()), None)

    def listed(self, name: str) -> list[str]:
        """A list parameter, given once with commas or several times."""
        values = [value for key, value in self.query if key.lower() == name.lower()]
        return [part for value in values for part in value.split(",") if part]

    def json(self) -> Any:
        """The body as JSON, numbers as Decimal. Raises ValueError when it is not JSON."""
        return json.loads(self.body, parse_float=Decimal)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    """One HTTP answer. `delay` seconds pass before it is sent; `dropped` closes the connection instead of answering."""

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


@dataclass(frozen=True)
class Call:
    """One request as a person inspecting the run wants to see it; never a body, so never buyer data."""

    at: str
    service: str
    operation: str
    method: str
    path: str
    query: str
    status: int  # 0: the connection was dropped without an answer
    elements: int  # documents in the request's batch; 0 where the request carries none
    idempotency_key: str | None = None
    fault: str | None = None


FAULT_KINDS = {
    "lose": "the connection is dropped before the service sees the request",
    "drop": "the request takes full effect, then the connection is dropped without an answer",
    "refuse": "answers `status` with `body` and does nothing",
    "fail": "the request takes full effect, then answers `status` with `body`",
    "slow": "the request takes full effect at once, the answer comes `delay` seconds later",
}


@dataclass
class Fault:
    """A fault to inject into the next `times` requests that match, after `skip` matching ones went through."""

    kind: str
    method: str | None = None  # any, when absent
    path: str = ""  # prefix of the request path
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

    def answer(self) -> Response:
        return Response(self.status, self.body.encode(), {"content-type": self.content_type, **self.headers})


class SandboxService:
    """Base of both sandboxes: records every call, injects faults, and leaves the behaviour to `respond`."""

    name = "service"

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        self.faults: list[Fault] = []

    def handle(self, request: Request) -> Response:
        """One request, start to end. Never raises for anything a client can send."""
        fault = self._due_fault(request)
        if fault is not None and fault.kind == "lose":
            response = Response(0, dropped=True)
        elif fault is not None and fault.kind == "refuse":
            response = fault.answer()
        else:
            response = self.respond(request)
            if fault is not None and fault.kind == "drop":
                response = Response(0, dropped=True)
            elif fault is not None and fault.kind == "fail":
                response = self.failed(request, fault.answer())
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
        raise NotImplementedError

    def failed(self, request: Request, answer: Response) -> Response:
        """A "fail" fault sends `answer` instead of the true one; a service that remembers answers learns it here."""
        return answer

    def begin(self, request: Request) -> None:
        """The request is being answered from now until `end`: what a service with a limit on concurrency counts.

        Optional for callers in one process, who ask one thing at a time.
        """

    def end(self, request: Request) -> None:
        """The answer to a request announced with `begin` has left."""

    def operation(self, request: Request) -> str:
        """The operation's name in the service's own documentation (`searchOrders`, `createInvoices`)."""
        raise NotImplementedError

    def elements(self, request: Request) -> int:
        """How many documents the request carries."""
        return 0

    def control(self, request: Request) -> Response:
        """`/_sandbox/…`: what a test or a person asks of the sandbox itself. Subclasses add their own paths."""
        match request.method, request.path.removeprefix("/_sandbox/").rstrip("/"):
            case "GET", "calls":
                return Response.of_json([asdict(call) for call in self.calls])
            case "DELETE", "calls":
                self.calls.clear()
                return Response(204)
            case "GET", "faults":
                return Response.of_json([asdict(fault) for fault in self.faults])
            case "POST", "faults":
                wanted = json.loads(request.body)
                self.faults.extend(Fault(**fault) for fault in (wanted if isinstance(wanted, list) else [wanted]))
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

    def _due_fault(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if fault.method not in (None, request.method) or not request.path.startswith(fault.path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
            return fault
        return None
