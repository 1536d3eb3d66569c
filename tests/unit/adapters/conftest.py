from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_server import FaultServer, SettableClock


@pytest.fixture
def server() -> Iterator[FaultServer]:
    started = FaultServer()
    yield started
    started.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()
