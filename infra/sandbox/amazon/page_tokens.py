"""Page tokens of list operations."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.amazon.errors import invalid_input
from sandbox.amazon.time_index import Position
from sandbox.amazon.times import parse_time
from sandbox.wire import Request


@dataclass(frozen=True)
class Page:
    """The content of a page token.

    after: last position of the previous page.
    before: end of the period of the first page, which all pages share.
    """

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
        cls, token: str, name: str, parameters: dict[str, list[str]], now: datetime, lifetime: timedelta | None
    ) -> Page:
        """Decode a token. Raise a 400 if it is invalid, expired, or issued for other parameters.

        name: of the parameter that carries the token.
        lifetime: None if the token does not expire.
        """
        try:
            after, before, issued_at, issued_for = json.loads(base64.urlsafe_b64decode(token.encode()))
            page = cls(after and (parse_time(after[0]), after[1]), parse_time(before), parse_time(issued_at))
        except (ValueError, TypeError, LookupError) as problem:
            raise invalid_input(f"{name} is invalid.") from problem
        if lifetime is not None and now > page.issued_at + lifetime:
            raise invalid_input(f"{name} has expired.")
        if issued_for != parameters:
            raise invalid_input(f"{name} was issued for a request with different parameters.")
        return page


def bound_parameters(request: Request, names: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the parameters that every page of a list must repeat, as they were sent."""
    return {
        name: values
        for name in names
        if (values := [value for key, value in request.query if key.lower() == name.lower()])
    }
