"""The sandboxes on real sockets, and the Xero adapter connected to one of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.runtime.privacy import redact
from sandbox.server import SandboxServer
from sandbox.wire import Fault, SandboxService
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, XeroSandbox


@contextmanager
def listening(service: SandboxService) -> Iterator[str]:
    """Serve a sandbox on a loopback port in a thread of its own; yield its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner, url = asyncio.run_coroutine_threadsafe(SandboxServer(service).start("127.0.0.1", 0), loop).result(10)
    try:
        yield url
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class RotatingTokens:
    """ports.AccessTokens over the adapter's own token endpoint."""

    def __init__(self, endpoint: XeroTokenEndpoint) -> None:
        self._endpoint = endpoint
        self._held = endpoint.refresh(DEFAULT_REFRESH_TOKEN)
        self.renewals = 0

    def current(self) -> str:
        return self._held.access_token

    def renewed(self, stale: str) -> str:
        assert stale == self._held.access_token
        assert self._held.refresh_token
        self._held = self._endpoint.refresh(self._held.refresh_token)
        self.renewals += 1
        return self._held.access_token


class LiveXero:
    """The sandbox Xero and the adapters that are connected to it.

    endpoint, tokens, api: the adapter's token endpoint, access tokens from it, and ports.XeroApi.
    """

    def __init__(self, sandbox: XeroSandbox, url: str, clock: Clock) -> None:
        self.sandbox = sandbox
        self.url = url
        self.endpoint = XeroTokenEndpoint(
            DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, clock, token_url=f"{url}/connect/token", api_url=url
        )
        self.tokens = RotatingTokens(self.endpoint)
        self.api = XeroAccounting(self.tokens, sandbox.tenant_id, clock, redact, api_url=url)

    def fault(self, kind: str, path: str, **more: Any) -> None:
        """Let the sandbox misbehave once, or `times` times, for requests to that path."""
        self.sandbox.faults.append(Fault(kind, path=path, **more))
