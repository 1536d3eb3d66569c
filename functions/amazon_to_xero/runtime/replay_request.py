"""What an operator sends to the replay function, checked: an error names the field and what it should be."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from amazon_to_xero.domain.backfill.backfill import Share
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.replay.decision import DEFAULT_CAP
from amazon_to_xero.domain.replay.selection import ReplayFilter
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.services.replay.closing import Closing
from amazon_to_xero.services.replay.cursor import CursorUnusable, parse_cursor
from amazon_to_xero.services.replay.replay import ReplayRequest

type Name = Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=True)]
type OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3}-[0-9]{7}-[0-9]{7}$")]
_MOST_AT_ONCE = 100


class RequestRefused(Exception):
    """The event is not one that the replay function takes. The message is for the person who sent it."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Name = Field(description="ARN of who asks; the commands fill it in.")


class ShownFailure(BaseModel):
    """A failure that a person has seen before they close it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection: str
    source: str
    code: str


class ReplayEvent(_Request):
    """Which failures are replayed, or closed or discarded instead. A preview changes nothing, and is the default."""

    preview: bool = True
    functions: tuple[Name, ...] = ()
    connection: str = ""
    order: str = ""
    source: str = ""
    reason: str = ""
    older_than_minutes: Annotated[int, Field(ge=0)] | None = None
    newer_than_minutes: Annotated[int, Field(ge=0)] | None = None
    text: str = ""
    limit: Annotated[int, Field(ge=1, le=_MOST_AT_ONCE)] = 25
    cap: Annotated[int, Field(ge=1, le=50)] = DEFAULT_CAP
    cursor: str = ""
    differences: bool = True
    discarded_because: Annotated[str, Field(max_length=500)] = ""
    closed_because: Annotated[str, Field(max_length=500)] = ""
    shown: tuple[ShownFailure, ...] = ()

    @property
    def shows_differences(self) -> bool:
        """Whether what would be sent is planned in memory and compared with Xero: in a preview, unless it says no."""
        return self.preview and self.differences

    @field_validator("functions")
    @classmethod
    def _are_known(cls, functions: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in functions if name not in CAPABILITIES]
        if unknown:
            raise ValueError(f"there is no function {', '.join(unknown)}; it should be of {', '.join(CAPABILITIES)}")
        return functions

    @field_validator("reason")
    @classmethod
    def _is_a_code(cls, reason: str) -> str:
        if reason and reason not in FailureCode.__members__:
            raise ValueError(f"{reason} is no failure code; docs/operating.md lists them")
        return reason

    @model_validator(mode="after")
    def _is_one_thing(self) -> ReplayEvent:
        if self.closed_because.strip() and self.discarded_because.strip():
            raise ValueError("closed_because and discarded_because are two requests")
        if self.shown and not self.closed_because.strip():
            raise ValueError("shown needs closed_because, which says why these are closed")
        return self

    def request(self) -> ReplayRequest:
        """Return the step that is asked for. Raises RequestRefused for a cursor that cannot be used."""
        selection = ReplayFilter(
            frozenset(self.functions),
            self.connection,
            self.order,
            self.source,
            self.reason,
            _minutes(self.older_than_minutes),
            _minutes(self.newer_than_minutes),
            self.text,
        )
        try:
            cursor = parse_cursor(self.cursor) if self.cursor else None
        except CursorUnusable as problem:
            raise RequestRefused(str(problem)) from None
        why = self.discarded_because.strip()
        return ReplayRequest(selection, self.by, self.limit, self.cap, cursor, self.preview, why, self._closing)

    @property
    def _closing(self) -> Closing | None:
        shown = frozenset((each.connection, each.source, each.code) for each in self.shown)
        why = self.closed_because.strip()
        return Closing(why, shown, self.reason) if why else None


class HistoryEvent(_Request):
    """What earlier replays did with one source."""

    connection: Name
    source: Name


class ResyncEvent(_Request):
    """Orders that are read again, with their transactions."""

    connection: Name
    orders: Annotated[tuple[OrderId, ...], Field(min_length=1, max_length=_MOST_AT_ONCE)]


class BackfillAction(StrEnum):
    """What is asked of backfills."""

    FORECAST = "forecast"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class BackfillEvent(_Request):
    """What is asked of a connection's backfills. The days are those of the organisation, and both are included."""

    connection: Name
    action: BackfillAction
    first: date | None = Field(None, alias="from")
    last: date | None = Field(None, alias="to")
    percent: Annotated[int, Field(ge=1, le=90)] = Share().percent
    calls: Annotated[int, Field(ge=1)] | None = None
    reason: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _is_complete(self) -> BackfillEvent:
        is_of_period = self.action in (BackfillAction.FORECAST, BackfillAction.START)
        if is_of_period and (self.first is None or self.last is None):
            raise ValueError("from and to name the first and the last day, e.g. 2026-01-01")
        if self.action is BackfillAction.START and not self.reason.strip():
            raise ValueError("reason says why the period is read again")
        return self

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day, where the action has them."""
        return self.first or date.min, self.last or date.min

    @property
    def share(self) -> Share:
        return Share(self.percent, self.calls)


_EVENTS: dict[str, type[_Request]] = {
    "replay": ReplayEvent,
    "history": HistoryEvent,
    "resync": ResyncEvent,
    "backfill": BackfillEvent,
}


def parse_event(event: dict[str, Any]) -> _Request:
    """Return the request in an event `{"replay": {…}}`. Raises RequestRefused that names every wrong field."""
    names = [name for name in _EVENTS if name in event]
    if len(names) != 1 or len(event) != 1:
        raise RequestRefused(f"the event should have one field, of {', '.join(_EVENTS)}")
    (name,) = names
    try:
        return _EVENTS[name].model_validate(event[name])
    except ValidationError as problem:
        errors = problem.errors(include_input=False, include_url=False, include_context=False)
        lines = [f"{'.'.join([name, *map(str, error['loc'])])}: {error['msg']}" for error in errors]
        raise RequestRefused("; ".join(lines)) from None


def _minutes(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(minutes=number)
