"""Where the next step of a replay continues, as text that a caller hands back unchanged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime


class CursorUnusable(Exception):
    """The text is no cursor of a replay."""


@dataclass(frozen=True)
class ReplayCursor:
    """The place after which the next step continues.

    started_at: when the first step began (UTC): what was sent since then is not sent again by the later ones.
    place: as in FoundFailure; empty before the first failure.
    """

    started_at: datetime
    place: tuple[str, ...] = ()

    def as_text(self) -> str:
        return json.dumps([self.started_at.isoformat(), *self.place])


def parse_cursor(text: str) -> ReplayCursor:
    """Return the cursor in a text. Raises CursorUnusable."""
    try:
        started_at, *place = json.loads(text)
        if not all(isinstance(part, str) for part in place):
            raise ValueError("a place has texts only")
        return ReplayCursor(datetime.fromisoformat(started_at), tuple(place))
    except (ValueError, TypeError):
        raise CursorUnusable("cursor: it should be the one that the last step returned") from None
