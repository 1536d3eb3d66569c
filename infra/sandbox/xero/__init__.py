"""The sandbox Xero. `python -m sandbox.server --service xero` runs it; `XeroSandbox(clock).handle(request)` is it."""

from __future__ import annotations

import argparse

from sandbox.wire import SandboxClock

from .chart import COUNTRIES, organisation_for
from .limits import Limits
from .oauth import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, DEFAULT_SCOPE
from .sandbox import XeroSandbox

__all__ = [
    "COUNTRIES",
    "DEFAULT_CLIENT_ID",
    "DEFAULT_CLIENT_SECRET",
    "DEFAULT_REFRESH_TOKEN",
    "DEFAULT_SCOPE",
    "Limits",
    "XeroSandbox",
    "add_arguments",
    "build",
    "organisation_for",
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `sandbox.server` that only concern Xero."""
    limits = Limits()
    parser.add_argument("--country", choices=COUNTRIES, default="GB", help="where the organisation is (default GB)")
    parser.add_argument("--client-id", default=DEFAULT_CLIENT_ID, help="OAuth client that may ask for tokens")
    parser.add_argument("--client-secret", default=DEFAULT_CLIENT_SECRET)
    parser.add_argument(
        "--refresh-token", default=DEFAULT_REFRESH_TOKEN, help="a refresh token that works at the start"
    )
    parser.add_argument("--calls-per-minute", type=int, default=limits.minute)
    parser.add_argument("--calls-per-day", type=int, default=limits.day)
    parser.add_argument("--calls-at-once", type=int, default=limits.concurrent)


def build(namespace: argparse.Namespace) -> XeroSandbox:
    limits = Limits()
    limits.change(
        {
            "minute": namespace.calls_per_minute,
            "day": namespace.calls_per_day,
            "concurrent": namespace.calls_at_once,
        }
    )
    sandbox = XeroSandbox(SandboxClock(), organisation_for(namespace.country), limits)
    sandbox.identity.register_client(namespace.client_id, namespace.client_secret)
    sandbox.identity.seed_refresh_token(namespace.refresh_token, namespace.client_id)
    return sandbox
