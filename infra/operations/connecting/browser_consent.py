"""A person's consent in the browser: a server on this machine waits for the browser to come back with the answer."""

from __future__ import annotations

import hmac
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from secrets import token_urlsafe
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from amazon_to_xero.runtime.settings import SettingsError

PATH = "/callback"
_PAGE = "<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{text}</p>"


class ConsentCallback:
    """The local address of an authorisation code grant (RFC 6749 §4.1), served during the `with` block.

    redirect_uri: its address, as it has to be registered for the app.
    state: random text that the browser has to bring back, so that no other page can answer (RFC 6749 §10.12).
    """

    def __init__(self, port: int) -> None:
        """Raise SettingsError where another program uses the port."""
        self.state = token_urlsafe(32)
        self._answers: SimpleQueue[dict[str, str]] = SimpleQueue()
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        except OSError as problem:
            raise SettingsError(
                f"port {port} of this machine cannot be used ({problem.strerror}). "
                "Name another with --port, and add its redirect URI to the app at developer.xero.com."
            ) from None
        self.redirect_uri = f"http://localhost:{self._server.server_address[1]}{PATH}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> str:
        """Return the code of the consent. Raises SettingsError if it was declined, or did not come in time."""
        try:
            answer = self._answers.get(timeout=seconds)
        except Empty:
            raise SettingsError(
                f"nobody consented in the browser within {seconds:.0f} seconds, and nothing was stored. Run it again. "
                f"If the browser said that the redirect URI is invalid, add {self.redirect_uri} to the app."
            ) from None
        if "code" not in answer:
            raise SettingsError(
                f"the consent was not given ({answer.get('error', 'no code')}), and nothing was stored. "
                "Run it again and allow access in the browser."
            )
        return answer["code"]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        callback = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # seconds: browsers open connections that they then do not use

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                if address.path != PATH:
                    self._answer(404, "Not found", "")
                elif not hmac.compare_digest(query.get("state", "").encode(), callback.state.encode()):
                    self._answer(400, "Not accepted", "This is no answer to the consent that is being waited for.")
                else:
                    self._answer(200, "Received", "Return to the terminal. This page can be closed.")
                    callback._answers.put(query)

            def _answer(self, status: int, title: str, text: str) -> None:
                page = _PAGE.format(title=title, text=text).encode()
                self.send_response(status)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing: the address has the code."""

        return Handler
