"""How a line of the functions' log is printed: one decision per line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

#: How Lambda's own lines begin where they are not JSON.
PLATFORM_LINES = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
#: Fields of a log line that are printed in columns, with their widths; reason and remedy follow.
COLUMNS = (("message", 28), ("order_id", 19), ("document", 40))


def decision_line(at: datetime, text: str) -> str:
    """Return the printed form of a log line: time (UTC), message, order id, document, reason and remedy.

    A line that is not JSON, such as a traceback, is printed as it is. Empty for a line that is not printed: a metric,
    or Lambda's own line about an invocation, unless the invocation failed.
    """
    moment = at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
    record = json_object(text)
    if record is None:
        return "" if not text or text.startswith(PLATFORM_LINES) else f"{moment}  {text}"
    if str(record.get("type", "")).startswith("platform."):
        status = record.get("record", {}).get("status", "success")
        return "" if status == "success" else f"{moment}  {record['type']} {status}"
    if "_aws" in record:
        return ""
    why = ": ".join(str(record[name]) for name in ("reason", "remedy") if record.get(name))
    cells = [f"{record.get(name) or '-':<{width}}" for name, width in COLUMNS]
    return "  ".join([moment, *cells, why]).rstrip()


def json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a line, None for any other line."""
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
