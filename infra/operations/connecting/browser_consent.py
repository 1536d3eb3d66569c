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
_PAGE = """<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>{title} · Amazon to Xero</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1rem }}</style>
<p>Amazon to Xero</p><h1>{title}</h1><p>{text}</p></html>"""
# What the person reads in the browser: title and text. Whether the consent is enough, the terminal says.
_RECEIVED = ("Consent received", "Return to the terminal, which checks and stores it. You can close this page.")
_NOT_GIVEN = (
    "No consent given",
    "Nothing was stored. Return to the terminal: it says what Xero answered and what to do. You can close this page.",
)
_OTHER_ATTEMPT = (
    "From another attempt",
    "This page belongs to another attempt, perhaps in an earlier tab, and changes nothing. Close it, and open the "
    "address that the terminal printed last.",
)


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
                "If the browser showed an error of Xero, compare the client id and the redirect URI "
                f"{self.redirect_uri} with those of the app at developer.xero.com, My Apps."
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
                    self._answer(404, "Not found", f"There is only {PATH} here.")
                elif not hmac.compare_digest(query.get("state", "").encode(), callback.state.encode()):
                    self._answer(400, *_OTHER_ATTEMPT)
                else:
                    self._answer(200, *(_RECEIVED if "code" in query else _NOT_GIVEN))
                    callback._answers.put(query)

            def _answer(self, status: int, title: str, text: str) -> None:
                page = _PAGE.format(title=title, text=text).encode()
                self.send_response(status)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("referrer-policy", "no-referrer")  # the address has the code
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing: the address has the code."""

        return Handler
