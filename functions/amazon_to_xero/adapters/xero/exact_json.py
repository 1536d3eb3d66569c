"""JSON text with exact decimals: the SDK's own serialiser turns Decimal into float."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def exact_json(value: Any, path: str = "$") -> str:
    """Return ASCII JSON with each Decimal as a number of exactly its digits, and dates as YYYY-MM-DD.

    Raises ValueError that names the path of a value that cannot be sent; a float is one, as it has lost digits already.
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case date() if not isinstance(value, datetime):
            return json.dumps(value.isoformat())
        case Mapping():
            fields = (f"{json.dumps(str(name))}:{exact_json(each, f'{path}.{name}')}" for name, each in value.items())
            return "{" + ",".join(fields) + "}"
        case list() | tuple():
            return "[" + ",".join(exact_json(each, f"{path}[{i}]") for i, each in enumerate(value)) + "]"
    kind = type(value).__name__
    raise ValueError(f"{path} is {kind}; Xero takes text, whole numbers, finite Decimals, dates, objects and lists")
