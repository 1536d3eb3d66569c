from __future__ import annotations

from collections.abc import Iterator

import pytest
from sp_api.auth.access_token_client import cache as seller_tokens
from sp_api.auth.access_token_client import grantless_cache as grantless_tokens

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.runtime.privacy import redact
from fakes.state import ManualClock
from sandbox.wire import SandboxClock
from sandbox.xero import XeroSandbox
from unit.adapters.fault_server import FaultServer
from unit.adapters.live_sandboxes import LiveXero, listening
from unit.adapters.xero_replies import Tokens


@pytest.fixture
def server() -> Iterator[FaultServer]:
    started = FaultServer()
    yield started
    started.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def accounting(server: FaultServer, tokens: Tokens, clock: ManualClock) -> XeroAccounting:
    """Return the Xero adapter over the server with scripted answers."""
    return XeroAccounting(tokens, "tenant-1", clock, redact, api_url=server.url)


@pytest.fixture
def wall() -> ManualClock:
    """Return the clock that the sandbox Xero and its clients share."""
    return ManualClock()


@pytest.fixture
def xero(wall: ManualClock) -> Iterator[LiveXero]:
    sandbox = XeroSandbox(SandboxClock(wall.now))
    with listening(sandbox) as url:
        yield LiveXero(sandbox, url, wall)


@pytest.fixture
def credentials() -> AmazonCredentials:
    """Return credentials for which the library's process-wide caches hold no access token of an earlier test."""
    seller_tokens.clear()
    grantless_tokens.clear()
    return AmazonCredentials("amzn1.client", "amzn1.very-secret", "Atzr|refresh-me")
