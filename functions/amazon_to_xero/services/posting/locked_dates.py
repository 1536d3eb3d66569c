"""Documents whose date Xero refuses as locked: their sources are planned again with the lock dates as they are now."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_to_xero.domain.books.document import MAX_PERIOD_REFUSALS, Document
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.refusals import refusal
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.services.posting.requests import SourceRequest


def plan_locked_again(
    answered: Sequence[tuple[Document, Sequence[str]]],
    plan_for_other_dates: SourceRequest | None,
    lock_dates: LockDates,
) -> set[str]:
    """Have the sources planned again of documents whose date Xero refused as locked; return these documents' keys.

    Xero's lock date may be newer than the organisation that the plan was made with. The next plan dates a new document
    on the first open day where `lock_dates` says so, and adjusts an approved invoice that Xero does not change.

    answered: documents that were sent, with the messages of those that Xero refused.
    plan_for_other_dates: makes sources due for planning with fresh lock dates; None where such documents fail.
    """
    if plan_for_other_dates is None:
        return set()
    locked = [
        document
        for document, messages in answered
        if document.period_refusals < MAX_PERIOD_REFUSALS
        and _can_be_planned_otherwise(document, lock_dates)
        and refusal(tuple(messages)).code is FailureCode.PERIOD_LOCKED
    ]
    if locked:
        plan_for_other_dates(list(dict.fromkeys(document.desired.source for document in locked)))
    return {document.key for document in locked}


def _can_be_planned_otherwise(document: Document, lock_dates: LockDates) -> bool:
    takes_another_day = lock_dates is LockDates.NEXT_OPEN_DAY and not document.desired.tombstone
    return takes_another_day or document.content_in_xero is not None
