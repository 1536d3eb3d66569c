"""Reading and writing Xero. The errors say whether nothing was executed or the outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.amazon import Json

MAX_ELEMENTS = 50  # documents in one request (Xero: recommended number)
MAX_BYTES = 3_000_000  # of one request (Xero: up to 3.5 MB)
MAX_PAGE = 1000  # documents in one answer (Xero: the largest page)
MAX_VALUES = 40  # ids or numbers in one filter

type Redact = Callable[[str, Iterable[Any]], str]  # message, documents -> message without the buyer data in them


class XeroError(Exception):
    """A call to Xero that failed.

    operation: verb and collection, e.g. create Invoices.
    status: HTTP status; None where no answer came.
    message: Xero's validation messages or what is wrong with the answer; never a body, never buyer data.
    """

    def __init__(self, operation: str, status: int | None, message: str) -> None:
        super().__init__(f"Xero {operation}: {message} (status {status})")
        self.operation = operation
        self.status = status
        self.message = message


class XeroRateLimited(XeroError):
    """429: nothing was executed.

    problem: the limit: minute, day, concurrent or appminute; share where the budget holds calls back for other work.
    retry_after: how long to wait.
    """

    def __init__(self, operation: str, problem: str, retry_after: timedelta) -> None:
        super().__init__(operation, 429, f"{problem} limit reached")
        self.problem = problem
        self.retry_after = retry_after


class XeroNotAuthorised(XeroError):
    """401 also with a renewed token, or 403: nothing was executed. A person has to connect Xero again."""


class XeroTokensUnreadable(XeroError):
    """The key of the stored tokens is refused: nothing was sent. A person has to allow the use of the key."""


class XeroTenantChanged(XeroError):
    """The connection has posted to another organisation: nothing was sent. A person has to correct the settings."""

    def __init__(self, operation: str, bound_to: str, tenant_id: str) -> None:
        message = (
            f"Set xero.tenant_id back to {bound_to}, to which this connection has posted, and run make connect. "
            f"To post to {tenant_id}, run make disconnect and connect the seller under another connection name."
        )
        super().__init__(operation, None, message)


class XeroRefused(XeroError):
    """The whole call was refused (400, 404, 413 …): nothing was executed."""


class XeroOutcomeUnknown(XeroError):
    """A write without a usable answer: it may have taken effect. Look it up before writing again."""


class XeroUnavailable(XeroError):
    """A read that failed, or a call that was never sent: nothing was executed. Retry later."""


@dataclass(frozen=True)
class Outcome:
    """What Xero answered for one element of a batch.

    element: Xero's own object, with numbers as Decimal.
    errors: Xero's validation messages without buyer data; empty where the element was accepted.
    unknown: why its outcome is not known although the call was answered; empty where it is known.
    """

    element: Json
    errors: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def accepted(self) -> bool:
        return not self.errors


@dataclass(frozen=True)
class XeroLimits:
    """How many calls Xero's latest answer said are left; None where it did not say.

    minute_remaining, day_remaining: for the organisation, in this minute and on this day.
    app_minute_remaining: for all organisations of the app, in this minute.
    """

    minute_remaining: int | None = None
    day_remaining: int | None = None
    app_minute_remaining: int | None = None


class XeroApi(Protocol):
    """One organisation's documents. A collection has Xero's own name: Contacts, Invoices, CreditNotes, Payments.

    Allocations can only be created; each names its credit note, and a call carries those of one.

    A write carries an Idempotency-Key, which Xero keeps for six minutes, and is sent once, without hidden retries.
    Every method may raise XeroRateLimited, XeroNotAuthorised, XeroTokensUnreadable, XeroTenantChanged, XeroRefused or
    XeroUnavailable: nothing was executed.
    A write may also raise XeroOutcomeUnknown: it may have been executed.
    """

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """Create at most MAX_ELEMENTS documents (PUT); return one outcome per element, in order."""
        ...

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        """Update at most MAX_ELEMENTS documents by their Xero id (POST); return one outcome per element, in order."""
        ...

    def lookup_groups(self, collection: str, field: str, values: Sequence[str]) -> list[list[str]]:
        """Return the values in groups that one `find` can carry, by number and by the length of the URL."""
        ...

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        """Return the documents with one of at most MAX_VALUES values in a field: number, id, or a contact's Name."""
        ...

    def approved_since(self, since: datetime, page: int) -> list[Json]:
        """Return a page of the sales invoices that are approved or paid and were changed since that time (UTC).

        page: the first is 1; a page with fewer than MAX_PAGE invoices is the last one.
        """
        ...

    def changed_since(self, collection: str, since: datetime, page: int) -> list[Json]:
        """Return a page of the Contacts, sales Invoices or sales CreditNotes that changed since that time (UTC).

        It has those in every status, archived contacts included, the earliest change first.

        page: the first is 1; a page with fewer than MAX_PAGE elements is the last one.
        """
        ...

    def attach(self, collection: str, document_id: str, file_name: str, content: bytes, idempotency_key: str) -> None:
        """Attach a file to an invoice or credit note. It replaces the one of the same name (PUT)."""
        ...

    def attachments(self, collection: str, document_id: str) -> list[Json]:
        """Return the attachments of an invoice or credit note, with FileName and ContentLength in bytes."""
        ...

    def organisation(self) -> Organisation:
        """Return the organisation with its accounts, tax rates and currencies as they are now; takes four reads."""
        ...

    def items(self) -> list[XeroItem]:
        """Return all items, tracked or not, with the quantities that Xero holds now; takes one read."""
        ...

    def limits(self) -> XeroLimits:
        """Return what the latest answer said about the calls that are left."""
        ...


@dataclass(frozen=True)
class TokenSet:
    """What Xero's token endpoint granted.

    access_token: for calls, until expires_at (UTC).
    refresh_token: can be used once to get the next token set; None for a custom connection.
    scopes: what the access token lets its holder do, as the answer states it; empty where it does not.
    """

    access_token: str
    expires_at: datetime
    refresh_token: str | None = None
    scopes: frozenset[str] = frozenset()


class XeroGrantRefused(Exception):
    """Xero refused to grant a token; a person has to connect Xero again.

    code: Xero's own, e.g. invalid_grant or invalid_client.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"Xero refused the grant: {code}")
        self.code = code


class XeroIdentity(Protocol):
    """Xero's token endpoint. Raises XeroGrantRefused, or XeroOutcomeUnknown where no usable answer came."""

    def client_credentials(self) -> TokenSet:
        """Return a token set of a custom connection."""
        ...

    def refresh(self, refresh_token: str) -> TokenSet:
        """Return a token set with a new refresh token.

        The old one can be used for 30 more minutes, to repeat a refresh whose answer was lost.
        """
        ...


class AccessTokens(Protocol):
    """Access tokens for calls to Xero."""

    def current(self) -> str:
        """Return an access token that has not expired."""
        ...

    def renewed(self, stale: str) -> str:
        """Return another access token than `stale`, which Xero refused."""
        ...
