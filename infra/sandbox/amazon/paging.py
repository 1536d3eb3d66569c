"""What the list operations share: ids in order of time, and page tokens."""

from __future__ import annotations

import base64
import heapq
import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.amazon.errors import invalid_input
from sandbox.amazon.seller import moment
from sandbox.wire import Request

Position = tuple[datetime, str]
Part = tuple[str | None, ...]  # the values one can filter on
DISTANT_PAST = datetime.min.replace(tzinfo=UTC)


class TimeIndex:
    """Keys sorted by time, kept apart by what can be filtered on, so that no query looks at what it does not return."""

    def __init__(self) -> None:
        self._parts: dict[Part, list[Position]] = {}

    def add(self, part: Part, at: datetime, key: str) -> None:
        insort(self._parts.setdefault(part, []), (at, key))

    def remove(self, part: Part, at: datetime, key: str) -> None:
        positions = self._parts[part]
        del positions[bisect_left(positions, (at, key))]

    def scan(self, wanted: Callable[[Part], bool], start: datetime, after: Position | None) -> Iterator[Position]:
        """Positions in order of time, from `start` on, or only those later than the position `after`."""
        runs = []
        for part, positions in self._parts.items():
            if wanted(part):
                first = bisect_left(positions, (start, "")) if after is None else bisect_right(positions, after)
                if first < len(positions):
                    runs.append(_run(positions, first))
        return runs[0] if len(runs) == 1 else heapq.merge(*runs)


def _run(positions: list[Position], first: int) -> Iterator[Position]:
    for index in range(first, len(positions)):
        yield positions[index]


@dataclass(frozen=True)
class Page:
    """What a page token stands for: after which position to go on, up to which time, and when it was given out."""

    after: Position | None
    before: datetime
    issued_at: datetime

    def token(self, parameters: dict[str, list[str]]) -> str:
        content = [
            self.after and [self.after[0].isoformat(), self.after[1]],
            self.before.isoformat(),
            self.issued_at.isoformat(),
            parameters,
        ]
        return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()

    @classmethod
    def read(
        cls, token: str, name: str, parameters: dict[str, list[str]], now: datetime, life: timedelta | None
    ) -> Page:
        """Raises the 400 of a token that is not ours, too old, or used with other parameters than it was made for."""
        try:
            after, before, issued_at, given_for = json.loads(base64.urlsafe_b64decode(token.encode()))
            page = cls(after and (moment(after[0]), after[1]), moment(before), moment(issued_at))
        except (ValueError, TypeError, LookupError) as problem:
            raise invalid_input(f"{name} is invalid.") from problem
        if life is not None and now > page.issued_at + life:
            raise invalid_input(f"{name} has expired.")
        if given_for != parameters:
            raise invalid_input(f"{name} was issued for a request with different parameters.")
        return page


def parameters_of(request: Request, names: tuple[str, ...]) -> dict[str, list[str]]:
    """The parameters a page token is bound to, as they were given."""
    return {name: values for name in names if (values := [v for k, v in request.query if k.lower() == name.lower()])}


def time_parameter(request: Request, name: str) -> datetime | None:
    """A time parameter, None when it is not given. Raises the 400 of one that is not ISO 8601 with a time zone."""
    value = request.parameter(name)
    if value is None:
        return None
    try:
        return moment(value)
    except ValueError:
        raise invalid_input(f"{name} must be in ISO 8601 date-time format.") from None


def stamp(at: datetime) -> str:
    """A time as Amazon writes it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
