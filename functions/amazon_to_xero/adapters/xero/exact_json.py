"""Xero's Accounting API through xero-python, with everything in it replaced that would hide what happened to a write.

The SDK builds URLs and headers and names the operations. Bodies go out as text written here, with exact decimals, and
come back as plain objects: the SDK's models would turn money into float and fail on an unknown currency after Xero has
committed. What is sent, how often and for how long is decided in `xero_transport`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def exact_json(value: Any, path: str = "$") -> str:
    """JSON text (ASCII) with each Decimal as a number of exactly its digits, dates as YYYY-MM-DD.

    Raises ValueError naming the place of a value that cannot be sent, a float among them: it has lost digits already.
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
