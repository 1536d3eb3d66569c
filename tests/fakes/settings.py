"""Settings and secrets of a connection as an operator writes them, fictitious, for tests."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from fakes.orders import UK, US

_SETTINGS: dict[str, Any] = {
    "amazon": {"seller_id": "A1SELLERMADEUP", "region": "eu", "marketplaces": [UK, US]},
    "xero": {"tenant_id": "00000000-0000-4000-8000-000000000001"},
    "accounts": {"item": "200", "shipping": "205", "gift_wrap": "206", "discounts": "210"},
    "tax": {
        "rules": [
            {"marketplaces": [UK], "amounts": "inclusive", "tax_type": "OUTPUT2"},
            {"marketplaces": [US], "responsible": "marketplace", "amounts": "none", "tax_type": "NONE"},
        ]
    },
    "start": "2026-01-01T00:00:00Z",
}

_SECRETS: dict[str, Any] = {
    "amazon": {"client_id": "amazon-client", "client_secret": "S3CRET-amazon", "refresh_token": "S3CRET-atzr"},
    "xero": {"client_id": "xero-client", "client_secret": "S3CRET-xero", "refresh_token": "S3CRET-refresh"},
    "buyer_salt": "0123456789abcdef0123456789abcdef",
}


def settings() -> dict[str, Any]:
    return deepcopy(_SETTINGS)


def secrets() -> dict[str, Any]:
    return deepcopy(_SECRETS)
