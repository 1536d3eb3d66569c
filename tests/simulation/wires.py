"""The network to Xero and Amazon: the real adapters above, the sandbox services below, and what gets lost between.

A request that was sent is executed by the service whether or not its sender is still alive, at once or after the
sender has given up.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import urllib3

from sandbox.amazon import AmazonSandbox
from sandbox.wire import Request, Response, SandboxService
from sandbox.xero import XeroSandbox
from simulation.culprits import Culprits
from simulation.scheduler import Scheduler
from simulation.weather import Weather

GIVES_UP_AFTER = 20.0  # both adapters' read time-out
LATE = 60.0  # Xero is taken to have executed a request at most so long after its sender gave up

Step = Callable[[str], None]


@dataclass(frozen=True)
class Fate:
    """What becomes of one request. Times in seconds from sending; `answered` beyond the time-out is never seen."""

    executed: float | None  # None: never
    answered: float | None  # None: the connection breaks at `breaks`
    breaks: float = 0.0
    instead: Response | None = None  # answers this and executes nothing
    after_effect: Response | None = None  # executes, then answers this
    not_sent: bool = False
    name: str = ""


class NotSent(Exception):
    pass


class NoAnswer(Exception):
    """`timed_out` or the connection broke."""

    def __init__(self, timed_out: bool) -> None:
        super().__init__()
        self.timed_out = timed_out


@dataclass(frozen=True)
class Seen:
    """One request as a service saw it (status 0: executed, but nobody was there any more)."""

    at: float
    by: str
    operation: str
    writes: bool
    status: int
    elements: int
    fate: str


class Wire:
    """To one service. `seen` is what arrived there, in the order of execution."""

    def __init__(
        self,
        name: str,
        engine: SandboxService,
        scheduler: Scheduler,
        rng: random.Random,
        weather: Callable[[], Weather],
        log: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self.engine = engine
        self.seen: list[Seen] = []
        self.in_flight = 0
        self.own_refusals: list[Seen] = []  # 429s that the service itself found necessary
        self._scheduler = scheduler
        self._rng = rng
        self._weather = weather
        self._log = log

    def exchange(self, request: Request, step: Step) -> Response:
        """Called by a worker. Raises NotSent or NoAnswer."""
        writes = self.writes(request)
        step(f"{self.name}.write" if writes else f"{self.name}.read")
        fate = self.fate(request, writes)
        operation = self.engine.operation(request)
        self._log(f"{self.name} {operation}", f"{fate.name or 'sent'} {self.describe(request)}")
        if fate.not_sent:
            self._scheduler.sleep(0.05)
            raise NotSent
        answers: list[Response] = []
        by = self._scheduler.current.name if self._scheduler.current else "test"
        if fate.instead is not None:
            answers.append(fate.instead)
        elif fate.executed is not None:
            self.in_flight += 1
            arrival = min(0.03, fate.executed)
            engine = self.addressed(request)
            self._scheduler.after(arrival, lambda: engine.begin(request))
            self._scheduler.after(fate.executed, lambda: self._execute(request, fate, operation, writes, by, answers))
            self._scheduler.after(max(fate.executed, fate.answered or 0.0) + 0.001, lambda: engine.end(request))
        seen_at = fate.breaks if fate.answered is None else fate.answered
        self._scheduler.sleep(min(seen_at, GIVES_UP_AFTER) + 0.002)
        step(f"{self.name}.wrote" if writes else f"{self.name}.answered")
        if fate.answered is None or fate.answered > GIVES_UP_AFTER:
            self._log(f"{self.name} {operation}", "no answer")
            raise NoAnswer(timed_out=fate.answered is not None)
        self._log(f"{self.name} {operation}", f"answered {answers[0].status}")
        return answers[0]

    def writes(self, request: Request) -> bool:
        return request.method != "GET"

    def describe(self, request: Request) -> str:
        return request.path.rpartition("/")[2]

    def fate(self, request: Request, writes: bool) -> Fate:
        raise NotImplementedError

    def addressed(self, request: Request) -> SandboxService:
        """The service that the request is addressed to."""
        return self.engine

    def delivered(self, request: Request) -> Request:
        """The request as it arrives."""
        return request

    def answered(self, request: Request, answer: Response) -> Response:
        """The answer as it leaves."""
        return answer

    def _execute(
        self, request: Request, fate: Fate, operation: str, writes: bool, by: str, answers: list[Response]
    ) -> None:
        self.in_flight -= 1
        answer = self.answered(request, self.addressed(request).handle(self.delivered(request)))
        seen = Seen(
            self._scheduler.seconds, by, operation, writes, answer.status, self.engine.elements(request), fate.name
        )
        self.seen.append(seen)
        if answer.status == 429:
            self.own_refusals.append(seen)
        if fate.after_effect is not None and answer.status < 400:
            answer = self.addressed(request).failed(request, fate.after_effect)
        self._log(f"{self.name} {operation}", f"executed {seen.status} for {by} {self.describe(request)}")
        answers.append(answer)

    def _quick(self, slowest: float) -> Fate:
        executed = 0.03 + self._rng.random() * slowest
        return Fate(executed, executed + 0.03)


_HTML = Response.of_html("<html><body>Service Unavailable</body></html>", 503)
_ERRORS = (
    _HTML,
    Response.of_html("<html>Bad gateway</html>", 502),
    Response(500, b"", {"content-type": "application/json"}),
    Response.of_json({"Type": "Error", "Title": "An error occurred", "Status": 500}, 500),
    Response.of_html("<html>Sign in</html>", 200),
)


class XeroWire(Wire):
    engine: XeroSandbox

    def __init__(self, *given: Any, culprits: Culprits, drops_keys: bool = False, latest: float = LATE) -> None:
        super().__init__(*given)
        self._culprits = culprits
        self._drops_keys = drops_keys
        self._latest = latest
        self.others: dict[str, XeroSandbox] = {}  # further organisations of the same authorisation, by tenant id

    def addressed(self, request: Request) -> XeroSandbox:
        return self.others.get(request.headers.get("xero-tenant-id", ""), self.engine)

    def writes(self, request: Request) -> bool:
        return request.method != "GET" and "/connect/" not in request.path

    def describe(self, request: Request) -> str:
        if request.method == "GET" or not request.body or "/connect/" in request.path:
            return "&".join(
                f"{name}={value[:200]}" for name, value in request.query if name not in ("page", "pageSize")
            )
        try:
            document = request.json()
        except ValueError:
            return "?"
        elements = next((each for each in document.values() if isinstance(each, list)), [document])
        return " ".join(_short(element) for element in elements)

    def delivered(self, request: Request) -> Request:
        if not self._drops_keys:
            return request
        return replace(request, headers={n: v for n, v in request.headers.items() if n != "idempotency-key"})

    def fate(self, request: Request, writes: bool) -> Fate:
        weather, rng = self._weather(), self._rng
        usual = self._quick(1.5 if writes else 0.4)
        spoilt = self._culprits.xero_answer(request, self.engine)
        if spoilt is not None:
            return replace(usual, instead=spoilt, name="culprit")
        usual = replace(usual, after_effect=self._culprits.xero_answer_after_effect(request))
        if weather.xero_token_dropped and "/connect/" in request.path and rng.random() < weather.xero_token_dropped:
            return Fate(usual.executed, None, breaks=(usual.executed or 0) + 0.05, name="dropped")
        if rng.random() < weather.xero_not_sent:
            return Fate(None, None, not_sent=True, name="not sent")
        if rng.random() < weather.xero_lost:
            return Fate(None, None, breaks=rng.choice((0.1, GIVES_UP_AFTER)), name="lost")
        if rng.random() < weather.xero_refused:
            return replace(usual, instead=rng.choice(_ERRORS), name="refused")
        if rng.random() < weather.xero_throttled and "/connect/" not in request.path:
            return replace(usual, instead=self._throttled(), name="throttled")
        if rng.random() < weather.xero_unauthorised:
            status = rng.choice((401, 401, 403)) if "/connect/" not in request.path else 503
            body = {"Title": "Unauthorized", "Status": status, "Detail": "AuthenticationUnsuccessful"}
            return replace(usual, instead=Response.of_json(body, status), name="unauthorised")
        if rng.random() < weather.xero_dropped:
            return Fate(usual.executed, None, breaks=(usual.executed or 0) + 0.05, name="dropped")
        if rng.random() < weather.xero_failed:
            return replace(usual, after_effect=rng.choice(_ERRORS[:4]), name="failed after effect")
        if rng.random() < weather.xero_slow:
            return Fate(usual.executed, GIVES_UP_AFTER + 5, name="slow")
        if rng.random() < weather.xero_late:
            executed = GIVES_UP_AFTER + 0.5 + rng.random() * self._latest
            return Fate(executed, executed + 0.1, name="late")
        return usual

    def _throttled(self) -> Response:
        problem = self._rng.choice(("minute", "minute", "concurrent", "appminute", "day"))
        headers = {"x-rate-limit-problem": problem, "x-minlimit-remaining": "0", "x-daylimit-remaining": "4000"}
        if problem != "concurrent":
            headers["retry-after"] = str(self._rng.randrange(1, 60) if problem != "day" else 1800)
        return Response(429, headers=headers)


def _short(element: Mapping[str, Any]) -> str:
    number = next((str(element[n]) for n in ("InvoiceNumber", "ContactNumber", "Reference") if n in element), "")
    ids = next((f"({str(element[n])[:8]})" for n in ("InvoiceID", "ContactID", "PaymentID") if n in element), "")
    return f"{number}{ids} {element.get('Status', '')}".strip()


_PAGE_TOKENS = frozenset({"paginationToken", "nextToken"})


class AmazonWire(Wire):
    engine: AmazonSandbox

    def __init__(
        self,
        *given: Any,
        culprits: Culprits,
        page_size: int | None = None,
        before: Callable[[str], Any] = lambda _: None,
        visible: Callable[[Response], Response] = lambda page: page,
    ) -> None:
        """visible: returns a page of listTransactions as the world shows it."""
        super().__init__(*given)
        self._culprits = culprits
        self._page_size = page_size
        self._before = before
        self._visible = visible

    def writes(self, request: Request) -> bool:
        return False

    def delivered(self, request: Request) -> Request:
        """Amazon may answer with fewer orders on a page than were asked for."""
        if self._page_size is None or not request.path.endswith("/orders"):
            return request
        size = str(self._page_size)
        return replace(
            request,
            query=tuple((name, size if name == "maxResultsPerPage" else value) for name, value in request.query),
        )

    def answered(self, request: Request, answer: Response) -> Response:
        if request.path.endswith("/transactions"):
            return self._visible(answer)
        return self._culprits.visible(answer) if request.path.endswith("/orders") else answer

    def fate(self, request: Request, writes: bool) -> Fate:
        weather, rng = self._weather(), self._rng
        usual = self._quick(0.5)
        spoilt = self._culprits.amazon_answer(request)
        if spoilt is not None:
            return replace(usual, instead=spoilt, name="culprit")
        if rng.random() < weather.amazon_lost:
            return Fate(None, None, breaks=rng.choice((0.1, GIVES_UP_AFTER)), name="lost")
        if rng.random() < weather.amazon_refused:
            return replace(usual, instead=rng.choice((*_ERRORS, Response(200, b""))), name="refused")
        if rng.random() < weather.amazon_throttled:
            errors = {"errors": [{"code": "QuotaExceeded", "message": "You exceeded your quota.", "details": ""}]}
            return replace(usual, instead=Response.of_json(errors, 429), name="throttled")
        if rng.random() < weather.amazon_unauthorised:
            errors = {"errors": [{"code": "Unauthorized", "message": "Access denied.", "details": ""}]}
            return replace(usual, instead=Response.of_json(errors, 403), name="unauthorised")
        if not _PAGE_TOKENS.isdisjoint(dict(request.query)) and rng.random() < weather.amazon_token_refused:
            errors = {"errors": [{"code": "InvalidInput", "message": "The page token is invalid.", "details": ""}]}
            return replace(usual, instead=Response.of_json(errors, 400), name="token refused")
        if rng.random() < weather.amazon_slow:
            return Fate(usual.executed, GIVES_UP_AFTER + 5, name="slow")
        if rng.random() < weather.amazon_stale and self.engine.operation(request) == "getOrder":
            earlier = self._before(request.path.rpartition("/")[2])
            if earlier is not None:
                return replace(usual, instead=Response.of_json({"order": earlier}), name="stale")
        return usual


# --- under the SDKs ---------------------------------------------------------------------------------------------------


class XeroPool:
    """Stands where urllib3's pool manager stands in the Xero adapter's transport."""

    def __init__(self, wire: XeroWire, step: Step) -> None:
        self._wire = wire
        self._step = step

    def clear(self) -> None:
        """Idle connections are closed; there are none."""

    def request(
        self, method: str, url: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> Any:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        raw = body.encode() if isinstance(body, str) else body or b""
        try:
            answer = self._wire.exchange(Request.to(method, target, headers=headers, body=raw), self._step)
        except NotSent:
            raise urllib3.exceptions.NewConnectionError(None, "refused") from None  # type: ignore[arg-type]
        except NoAnswer as problem:
            if problem.timed_out:
                raise urllib3.exceptions.ReadTimeoutError(None, url, "timed out") from None  # type: ignore[arg-type]
            raise urllib3.exceptions.ProtocolError("connection broken") from None
        return _UrllibAnswer(answer)


class _UrllibAnswer:
    def __init__(self, answer: Response) -> None:
        self.status = answer.status
        self.headers = urllib3.HTTPHeaderDict(answer.headers)
        self.data = answer.body


class AmazonTransport:
    """Stands where the Amazon library's HTTP transport stands; httpx itself is left out."""

    def __init__(self, wire: AmazonWire, step: Step) -> None:
        self._wire = wire
        self._step = step

    def request(
        self,
        *,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Any:
        body = urlencode(data).encode() if isinstance(data, Mapping) else (data or "").encode()
        request = Request(
            method.upper(),
            urlsplit(url).path,
            tuple((name, str(value)) for name, value in (params or {}).items()),
            {name.lower(): value for name, value in (headers or {}).items()},
            body,
        )
        return _HttpxAnswer(_sent(self._wire, request, self._step))


class _HttpxAnswer:
    def __init__(self, answer: Response) -> None:
        self.status_code = answer.status
        self.content = answer.body
        self.headers = answer.headers
        self.is_success = 200 <= answer.status < 300


class AmazonHttp(httpx.BaseTransport):
    """The same under httpx, for the worlds that run with everything real above the socket."""

    def __init__(self, wire: AmazonWire, step: Step) -> None:
        self._wire = wire
        self._step = step

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = Request.to(
            request.method, request.url.raw_path.decode(), headers=dict(request.headers), body=request.read()
        )
        answer = _sent(self._wire, sent, self._step)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)


def _sent(wire: AmazonWire, request: Request, step: Step) -> Response:
    try:
        return wire.exchange(request, step)
    except NotSent:
        raise httpx.ConnectError("refused") from None
    except NoAnswer as problem:
        raise (httpx.ReadTimeout("timed out") if problem.timed_out else httpx.RemoteProtocolError("broken")) from None
