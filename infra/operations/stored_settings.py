"""The settings that a stack's connections have in Parameter Store, and what they may not have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError


def stored_settings(ssm: Any, path: str) -> Mapping[str, str]:
    """Return the settings document of each stored connection, JSON text by the connection's name.

    path: `/<stack>/connections`, which is the output SettingsPath, too.
    """
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    return {each["Name"].rpartition("/")[2]: str(each["Value"]) for page in pages for each in page["Parameters"]}


def check_seller(connection: str, settings: ConnectionSettings, stored: Mapping[str, str]) -> None:
    """Raise SettingsError where another connection of the stack has the seller.

    A notification of Amazon names the seller and nothing else that tells connections apart: one of the two would
    receive all of them.
    """
    seller = settings.amazon.seller_id
    if other := next((name for name, each in stored.items() if name != connection and _seller_in(each) == seller), ""):
        raise SettingsError(
            f"the connection {other} of this stack has the seller {seller} already, and would receive all of its "
            f"notifications. Correct amazon.seller_id, or give {connection} a stack of its own."
        )


def _seller_in(document: str) -> str:
    """Return the seller id in stored settings, empty where they cannot be read."""
    try:
        return str(json.loads(document)["amazon"]["seller_id"])
    except (ValueError, LookupError, TypeError):
        return ""
