"""A loopback server that gives scripted answers, misbehaves where scripted to, and records what it received."""

from __future__ import annotations

import json
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HANGS_FOR = 4.0  # longer than any time limit a test sets, short enough to end a test whose time limit is missing


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    body: text is sent as it is, anything else as JSON.
    fault: drop (the connection is closed without an answer), cut (in the middle of the body) or hang.
    """

    status: int = 200
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""

    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Received:
    """One request.

    headers: by name in lower case.
    connection: the client's port, which distinguishes one kept-alive connection from another.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: str
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body, keep_blank_values=True).items()}


class FaultServer:
    """`on(path, …)` scripts the answers of a path in turn; the last one is given to every further request."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._script: dict[str, list[Reply]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Listener(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def on(self, path: str, *replies: Reply) -> None:
        self._script[path.lower()] = list(replies)

    def to(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path.lower() == path.lower()]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, request: Received) -> Reply:
        with self._lock:
            self.received.append(request)
            replies = self._script[request.path.lower()]
            if not replies:
                return Reply(599, f"nothing is scripted for {request.path}")
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # keeps connections alive, as both services do
            wbufsize = -1  # one packet for an answer, else each costs the wait for a delayed acknowledgement

            def answer(self) -> None:
                target = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                reply = server._next(
                    Received(
                        self.command,
                        target.path,
                        parse_qs(target.query, keep_blank_values=True),
                        {name.lower(): value for name, value in self.headers.items()},
                        self.rfile.read(length).decode(),
                        self.client_address[1],
                    )
                )
                if reply.fault == "hang":
                    server._closing.wait(HANGS_FOR)
                if reply.fault == "drop":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                content = reply.content()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content) + (100 if reply.fault == "cut" else 0)))
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = self.close_connection or reply.fault == "cut"

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that timed out and closed its end; the test expects it."""


def refusing_url() -> str:
    """Return an address on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def all_text_of(error: BaseException | None) -> str:
    """Return all that a log, a debugger or an error tracker could show of an error and of those attached to it."""
    return "\n".join(_texts(error))


def _texts(error: BaseException | None) -> Iterator[str]:
    if error is None:
        return
    yield f"{error!s} {error!r} {error.args!r} {vars(error)!r}"
    yield from _texts(error.__cause__)
    yield from _texts(error.__context__)
