"""Fixtures of the sandbox tests; Xero's start with xero_."""

from __future__ import annotations

import pytest
from xero_driver import XeroClient


@pytest.fixture
def xero_client() -> XeroClient:
    """A fresh British organisation at 2026-11-23 10:00 UTC, without rate limits."""
    return XeroClient()
