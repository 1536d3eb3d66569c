"""The one way to Xero. Which errors mean "nothing was executed", and which "the outcome is unknown", is the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.ports.amazon import Json

MAX_ELEMENTS = 50  # Xero: recommended number of documents in one request
MAX_BYTES = 3_000_000  # Xero: requests of up to 3.5 MB
MAX_VALUES = 40  # ids or numbers in one filter

type Redact = Callable[[str, Iterable[Any]], str]  # message, documents -> message without their buyer data


@dataclass(frozen=True)
class XeroLimits:
    """What Xero's response headers said is left; None where a header was absent."""

    minute_remaining: int | None = None
    day_remaining: int | None = None
    app_minute_remaining: int | None = None


class XeroError(Exception):
    """A call to Xero that did not work. `message` is Xero's own validation text or our code, never a body."""

    def __init__(self, operation: str, status: int | None, message: str) -> None:
        super().__init__(f"Xero {operation}: {message} (status {status})")
        self.operation = operation
        self.status = status
        self.message = message


class XeroRateLimited(XeroError):
    """429: nothing was executed. `problem` is minute, day, concurrent or appminute."""

    def __init__(self, operation: str, problem: str, retry_after: timedelta) -> None:
        super().__init__(operation, 429, f"{problem} limit reached")
        self.problem = problem
        self.retry_after = retry_after


class XeroNotAuthorised(XeroError):
    """401 after one renewed token, or 403: nothing was executed, a person has to look."""


class XeroRefused(XeroError):
    """The whole call was refused (400, 404, 413): nothing was executed."""


class XeroOutcomeUnknown(XeroError):
    """A write whose answer did not arrive or was a 5xx: it may have taken effect. Look before writing again."""


class XeroUnavailable(XeroError):
    """A read that failed, or a connection that was refused before anything was sent: nothing was executed."""


@dataclass(frozen=True)
class Outcome:
    """What Xero said of one element of a batch. `element` is Xero's own object, numbers as Decimal."""

    element: Json
    errors: tuple[str, ...] = ()  # Xero's validation messages; empty when accepted

    @property
    def accepted(self) -> bool:
        return not self.errors


class XeroApi(Protocol):
    """The one way to Xero. `collection` is Xero's own name: Contacts, Invoices, CreditNotes, Payments.

    Writes take an Idempotency-Key (Xero keeps it six minutes) and are sent exactly once by a call: no hidden retries.
    Every method may raise XeroRateLimited, XeroNotAuthorised or XeroRefused (nothing executed); writes also
    XeroOutcomeUnknown (nobody knows), reads XeroUnavailable.
    """

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """Create at most MAX_ELEMENTS documents (PUT); return one outcome per element, in order."""
        ...

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """Update at most MAX_ELEMENTS documents by their Xero id (POST); return one outcome per element, in order."""
        ...

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        """Return the documents with one of at most MAX_VALUES values in `field`: a number, an id, or a contact's Name."""
        ...

    def organisation(self) -> Organisation:
        """The organisation with its accounts, tax rates and currencies as they are now (four reads)."""
        ...

    def limits(self) -> XeroLimits:
        """What the latest answer's headers said is left."""
        ...


@dataclass(frozen=True)
class TokenSet:
    """Xero's answer of the token endpoint. `refresh_token` is None for a custom connection."""

    access_token: str
    expires_at: datetime
    refresh_token: str | None = None


class XeroGrantRefused(Exception):
    """`invalid_grant` or `invalid_client`: only a person can mend it. `code` is Xero's own word."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Xero refused the grant: {code}")
        self.code = code


class XeroIdentity(Protocol):
    """Xero's token endpoint. Raises XeroGrantRefused, or XeroOutcomeUnknown when no usable answer came."""

    def client_credentials(self) -> TokenSet: ...

    def refresh(self, refresh_token: str) -> TokenSet:
        """Rotates: the old token stays usable for 30 minutes only, to repeat a refresh whose answer was lost."""
        ...


class AccessTokens(Protocol):
    """Xero access tokens for calls."""

    def current(self) -> str: ...

    def renewed(self, stale: str) -> str:
        """A token other than `stale`, which Xero refused."""
        ...
