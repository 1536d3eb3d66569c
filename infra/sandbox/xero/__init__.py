"""A local stand-in for Xero: one organisation behind the accounting API and the identity service.

`python -m sandbox.server --service xero` serves it; `XeroSandbox(clock).handle(request)` calls it in-process.
"""

from __future__ import annotations

import argparse

from sandbox.wire import SandboxClock

from .chart import COUNTRIES, organisation_for
from .limits import Limits
from .oauth import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, DEFAULT_SCOPE
from .service import XeroSandbox

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
    """Add Xero's own options to the server's command line."""
    limits = Limits()
    parser.add_argument("--country", choices=COUNTRIES, default="GB", help="country of the organisation (default GB)")
    parser.add_argument("--client-id", default=DEFAULT_CLIENT_ID, help="OAuth client that may request tokens")
    parser.add_argument("--client-secret", default=DEFAULT_CLIENT_SECRET)
    parser.add_argument(
        "--refresh-token", default=DEFAULT_REFRESH_TOKEN, help="a refresh token that is valid from the start"
    )
    parser.add_argument("--calls-per-minute", type=int, default=limits.minute)
    parser.add_argument("--calls-per-day", type=int, default=limits.day)
    parser.add_argument("--calls-at-once", type=int, default=limits.concurrent)


def build(namespace: argparse.Namespace) -> XeroSandbox:
    """Return the service for the parsed command line."""
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
