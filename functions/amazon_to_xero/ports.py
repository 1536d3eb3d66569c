"""What the services need of the outside world. Adapters implement these; tests and the simulation have their own.

Delivery semantics are part of each promise: which errors mean "nothing happened", and which mean "nobody knows".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from amazon_to_xero.domain.documents import Document
from amazon_to_xero.domain.order_facts import OrderFact
from amazon_to_xero.domain.organisation import Organisation

type Json = dict[str, Any]


class Clock(Protocol):
    """Time, UTC and aware. Nothing else reads it, and nothing else waits."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


# --- Amazon ----------------------------------------------------------------------------------------------------------


class AmazonError(Exception):
    """A read from Amazon that did not work. Never carries a body: bodies may hold buyer data."""

    def __init__(self, operation: str, status: int | None, code: str) -> None:
        super().__init__(f"Amazon {operation}: {code} (status {status})")
        self.operation = operation
        self.status = status
        self.code = code


class AmazonThrottled(AmazonError):
    """429: the operation's quota is used up; Amazon does not say until when."""


class AmazonUnavailable(AmazonError):
    """5xx, HTML or empty answers, time-outs, and 400s on queries that are known to be good: try again later."""


class AmazonNotAuthorised(AmazonError):
    """401, 403 or a refused refresh token: a person has to authorise again."""


class AmazonNotFound(AmazonError):
    """404: Amazon knows no such order for this seller."""


@dataclass(frozen=True)
class OrderPage:
    """One page of searchOrders. `orders` are Amazon's own objects, numbers as Decimal."""

    orders: Sequence[Json]
    next_token: str | None
    updated_before: datetime  # the limit Amazon applied and echoed: the next watermark


class SellerApi(Protocol):
    """The one reading path from Amazon (Orders API v2026-01-01). All operations are reads and safe to repeat."""

    def get_order(self, order_id: str) -> Json:
        """One order as Amazon's own object. Raises an AmazonError."""
        ...

    def search_orders(
        self, *, updated_after: datetime, updated_before: datetime | None = None, page_token: str | None = None
    ) -> OrderPage:
        """A page of at most 100 orders of all marketplaces, updated in that time. Raises an AmazonError.

        An answer that is not the documented shape raises AmazonUnavailable: an empty success is never made of an error.
        """
        ...


# --- Xero ------------------------------------------------------------------------------------------------------------


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
        """PUT of at most 50 new documents; one outcome per element, in order."""
        ...

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """POST of at most 50 documents that carry their Xero id; one outcome per element, in order."""
        ...

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        """The documents that have one of at most 40 values in `field`: a number, an id, or a contact's Name."""
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


# --- State -----------------------------------------------------------------------------------------------------------


class Conflict(Exception):
    """Somebody else wrote the row since it was read: read again, decide again. Nothing was written."""


@dataclass(frozen=True)
class Lease:
    """The right to work for a connection until `until`; `generation` fences what an expired holder still writes."""

    name: str
    owner: str
    until: datetime
    generation: int


@dataclass(frozen=True)
class Cursor:
    """A small named piece of progress (watermark, token bucket, token set). `generation` 0: not stored yet."""

    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0


class StateStore(Protocol):
    """The sync state of one connection. Reads by key are strongly consistent; `due_*` may lag by moments.

    Every row carries a generation. A save succeeds only when the stored generation is the one that was read, and
    stores generation + 1: two writers can never both win.
    """

    def orders(self, order_ids: Iterable[str]) -> dict[str, OrderFact]:
        """The known ones among these orders."""
        ...

    def documents(self, keys: Iterable[str]) -> dict[str, Document]:
        """The known ones among these document keys."""
        ...

    def save_orders(self, facts: Sequence[OrderFact]) -> dict[str, OrderFact]:
        """Saves each on its own; returns the saved ones with their new generation, by order id.

        One that is missing from the answer lost to another writer: nothing was written for it.
        """
        ...

    def save_documents(self, documents: Sequence[Document]) -> dict[str, Document]:
        """Saves each on its own; returns the saved ones with their new generation, by key.

        One that is missing from the answer lost to another writer: nothing was written for it.
        """
        ...

    def due_orders(self, now: datetime, limit: int) -> list[str]:
        """Ids of orders that want reading, longest due first."""
        ...

    def due_shipments(self, now: datetime, limit: int) -> list[str]:
        """Ids of orders that want booking as they were read, longest due first."""
        ...

    def due_documents(self, now: datetime, limit: int) -> list[str]:
        """Keys of documents that want work, longest due first."""
        ...

    def cursor(self, name: str) -> Cursor: ...

    def save_cursor(self, cursor: Cursor) -> Cursor:
        """Raises Conflict. Returns the cursor with its new generation."""
        ...

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        """The lease, or None while somebody else holds it."""
        ...

    def release(self, lease: Lease) -> None:
        """Gives a lease back; does nothing when it has already passed to somebody else."""
        ...


# --- Other functions and systems ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OrderEvent:
    """`kind` is `Order Shipped` or `Order Cancelled`; `updated` the version of the order (UTC) that says so."""

    kind: str
    order_id: str
    updated: datetime
    marketplace_id: str = ""


class Events(Protocol):
    """The own event bus. Events are hints: the order's row says what there is to do, a lost event loses nothing."""

    def publish(self, connection: str, events: Sequence[OrderEvent]) -> int:
        """At least once, in any order; returns how many could not be published. Never raises for a busy bus."""
        ...


# --- People ----------------------------------------------------------------------------------------------------------


class DeadLetters(Protocol):
    """The function's dead-letter queue, for what a person has to mend."""

    def send(self, body: str, *, reason: str, hint: str, order_id: str | None = None) -> None:
        """Queues `body` (re-triggerable as it is) with reason attributes. At least once; raises when it cannot."""
        ...


class Journal(Protocol):
    """One structured line per decision, for the person reading the log at night, and a count of each in the metrics.

    Never given buyer data: only ids, reason codes, hints, numbers.
    """

    def note(
        self,
        decision: str,
        *,
        order_id: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        hint: str | None = None,
        **numbers: object,
    ) -> None: ...
