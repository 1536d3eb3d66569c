"""Answers of Login with Amazon, for tests of the adapters that need its access tokens."""

from __future__ import annotations

from unit.adapters.fault_server import Reply

TOKEN_PATH = "/auth/o2/token"


def token_reply(text: str = "Atza|first") -> Reply:
    """Answer with that access token."""
    return Reply(200, {"access_token": text, "token_type": "bearer", "expires_in": 3600})
