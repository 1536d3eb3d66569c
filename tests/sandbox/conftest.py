"""Fixtures of the sandbox tests."""

from __future__ import annotations

import pytest

from sandbox.testing.xero import XeroClient


@pytest.fixture
def xero() -> XeroClient:
    """Return a client of a new British organisation at 2026-11-23 10:00 UTC, without rate limits."""
    return XeroClient()
