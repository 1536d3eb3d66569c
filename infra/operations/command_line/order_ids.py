"""The Amazon order ids in a text file, e.g. in a report, or in what another command has printed."""

from __future__ import annotations

import re
from pathlib import Path

from operations.command_line.session import UsageProblem

ORDER_ID = re.compile(r"[A-Z0-9]{3}-[0-9]{7}-[0-9]{7}")


def order_ids_in(file: Path | None) -> list[str]:
    """Return the ids in the order of the file; none without one. Raises UsageProblem where it cannot be read."""
    try:
        return ORDER_ID.findall(file.read_text(encoding="utf-8")) if file else []
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageProblem(f"The file {file} cannot be read ({type(problem).__name__}).") from None
