"""One text for one content: for hashing and for storing."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any


def canonical_json(value: Any) -> str:
    """Return JSON with sorted names and no spaces, Decimals as strings. Raises TypeError for any other object."""
    return _ENCODER.encode(value)


def content_hash(value: Any) -> str:
    """Return the first 32 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]


def _decimal_as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} cannot be stored")


# Made once: json.dumps would make an encoder for every value.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_decimal_as_text)
