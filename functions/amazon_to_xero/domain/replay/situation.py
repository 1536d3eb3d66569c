"""The situation of a source, from its record and the documents that it asked for."""

from __future__ import annotations

from collections.abc import Iterable

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.replay.decision import Situation
from amazon_to_xero.domain.source import SourceRecord

_FAILED = "FAILED"  # the state of a source record of any kind that needs a person
_AWAITED = "AWAITED"  # a confirmation waits for a charge or its sale, also where it is compared at no known time


def situation_of(record: SourceRecord | None, documents: Iterable[Document]) -> Situation:
    """Return the situation of a source; None where no record of it is stored."""
    if record is None:
        return Situation.NOT_STORED
    if record.next_attempt_at is not None:
        return Situation.UNDER_WAY
    states = {document.state for document in documents}
    if record.state == _FAILED or DocumentState.FAILED in states:
        return Situation.FAILED
    is_settled = record.state != _AWAITED and states <= {DocumentState.APPLIED}
    return Situation.DONE if is_settled else Situation.UNDER_WAY


def reason_of(record: SourceRecord | None, documents: Iterable[Document]) -> tuple[str, str]:
    """Return why a source has failed, and the remedy: its own, else that of its first failed document."""
    if record is None or record.state == _FAILED:
        return (record.reason, record.remedy) if record else ("", "")
    failed = (each for each in documents if each.state is DocumentState.FAILED)
    return next(((each.reason, each.remedy) for each in failed), ("", ""))
