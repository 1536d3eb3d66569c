"""What of a connection needs a person besides its failures: what is refused or late, invoices to approve, stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from amazon_to_xero.domain.books.document import AWAITING_APPROVAL, Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.reconciliation.worklist import open_entries
from amazon_to_xero.services.reminder import LATE
from operations.command_line.session import Session


@dataclass(frozen=True)
class OpenWork:
    """What needs a person.

    refused: what does not work until a person acts -> failure code; see ConnectionStatus.
    late_hours: for how many hours work has been due that is late; 0 where none is.
    to_approve: invoices that await approval in Xero, as far as is known: approvals are found within an hour.
    differences: open entries of the worklist of stock.
    changed: documents that somebody changed in Xero and nobody has decided about.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    late_hours: int = 0
    to_approve: int = 0
    differences: int = 0
    changed: int = 0


def open_work(session: Session) -> OpenWork:
    """Return what needs a person of the command's connection. Neither Amazon nor Xero is called."""
    store = session.store()
    settings = _settings(session)
    unusable = "" if settings else FailureCode.SETTINGS_UNUSABLE
    status = StatusReader(session.connection, store, session.clock, CAPABILITIES, None, unusable).read()
    is_late = status.oldest_due_seconds > LATE.total_seconds()
    return OpenWork(
        status.refusals,
        status.oldest_due_seconds // 3600 if is_late else 0,
        _to_approve(session) if settings is None or settings.policy().has_review else 0,
        len(open_entries(store)),
        sum(status.changed_in_xero.values()),
    )


def _settings(session: Session) -> ConnectionSettings | None:
    """Return the connection's settings; None where they cannot be used."""
    try:
        return parse(ConnectionSettings, session.settings.get(session.connection, ""), "the settings")
    except SettingsError:
        return None


def _to_approve(session: Session) -> int:
    """Return how many invoices await approval. Each of the connection's invoices is read, at half a unit for 4 KB."""
    rows = session.rows(f"DOCUMENT#{DocumentKind.INVOICE}", containing=AWAITING_APPROVAL)
    keys = [document_key(DocumentKind.INVOICE, row.key) for row in rows]
    return sum(document.awaits_approval for document in session.store().load(Document, keys).values())
