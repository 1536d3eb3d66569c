from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_server import FaultServer, SettableClock
from live_sandboxes import LiveXero, listening

from fakes.state import ManualClock
from sandbox.wire import SandboxClock
from sandbox.xero import XeroSandbox


@pytest.fixture
def server() -> Iterator[FaultServer]:
    started = FaultServer()
    yield started
    started.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def wall() -> ManualClock:
    """The clock of the sandbox Xero and of whoever calls it."""
    return ManualClock()


@pytest.fixture
def xero(wall: ManualClock) -> Iterator[LiveXero]:
    sandbox = XeroSandbox(SandboxClock(wall.now))
    with listening(sandbox) as url:
        yield LiveXero(sandbox, url)
