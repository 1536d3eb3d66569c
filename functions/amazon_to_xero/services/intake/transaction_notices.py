"""Notices of transactions: each makes a read of listTransactions due, and many of them the same one.

A notice names no transaction, and Amazon may show what it is about up to two days later. So the read begins where the
earliest notice was posted, and what it does not find is left to the sweeps, each of which reads three days again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonUnavailable
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.paged_sweep import MAX_UNANSWERED
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY
from amazon_to_xero.services.intake.transaction_pages import TransactionPages
from amazon_to_xero.services.intake.transaction_sweep import FIRST_SWEEP
from amazon_to_xero.services.state_updates import update_cursor, update_records
from amazon_to_xero.services.work_report import StepReport

CURSOR = "noticed#transactions"
# What the cursor holds: of notices, the time (UTC, ISO) to read from and when that is due; of a read under way, the
# time that it began at, the token of its next page, and how often Amazon has not answered that page.
_SINCE, _NEXT_ATTEMPT_AT, _READING, _PAGE_TOKEN = "since", "next_attempt_at", "reading", "page_token"  # a name
_UNANSWERED = "unanswered"
_BAD_REQUEST = 400


class TransactionNotices:
    """Writes notices into the cursor. At least once; the same notice twice costs a page at most."""

    def __init__(self, store: StateStore, clock: Clock, expire_organisation: Callable[[], None]) -> None:
        """`expire_organisation`: see NoticeRecorder."""
        self._store = store
        self._clock = clock
        self._expire_organisation = expire_organisation

    def record(self, notices: Sequence[ChangeNotice]) -> list[str]:
        """Return the ids of the transactions that are to be planned again, because a person asks. Raises Conflict.

        Every other notice makes a read due, as soon as listTransactions may show what was posted just now.
        """
        now = self._clock.now()
        posted = [notice.at or now for notice in notices if not notice.reprocess]
        if posted:
            self._make_due(min(posted), now + SEARCH_DELAY)
        return self._plan_again([notice.key for notice in notices if notice.reprocess])

    def _plan_again(self, transaction_ids: Sequence[str]) -> list[str]:
        unread: list[datetime] = []

        def again(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            now = self._clock.now()
            if any(known is not None and known.state is TransactionState.FAILED for known in stored.values()):
                self._expire_organisation()
            for key, known in stored.items():
                if known is None or known.content is None:
                    unread.append((known.posted_at if known else None) or now - FIRST_SWEEP)
                    yield (known or TransactionRecord(key, first_read_at=now)).awaiting_content()
                elif known.next_attempt_at is None:
                    yield known.planned_anew(now)  # its order may just have been corrected, too
                else:
                    # Written although it is due: a worker that has just sent this letter has not saved the failure yet.
                    # Its save is refused then, and what it decides next is reported again.
                    yield known.plan_at(now, known.reason)

        saved = update_records(self._store, TransactionRecord, transaction_ids, again)
        if unread:
            self._make_due(min(unread), self._clock.now())
        return [key for key, record in saved.items() if not record.awaits_content]

    def _make_due(self, since: datetime, next_attempt_at: datetime) -> None:
        """Make a read due that begins at `since`. A time too far away to be Amazon's is not believed."""
        now = self._clock.now()
        since = max(now - FIRST_SWEEP, min(since, now - SEARCH_DELAY))

        def noticed(cursor: Cursor) -> Mapping[str, str]:
            data = cursor.data
            earliest = {_SINCE: since.isoformat(), _NEXT_ATTEMPT_AT: next_attempt_at.isoformat()}
            return {**data, **{name: min(text, data.get(name, text)) for name, text in earliest.items()}}

        update_cursor(self._store, CURSOR, noticed)


class TransactionReader:
    """Reads what notices reported, and hands it to the recorder."""

    def __init__(self, pages: TransactionPages, store: StateStore, clock: Clock, decisions: DecisionLog) -> None:
        self._pages = pages
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def read_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Read the pages that are due. A read that is interrupted continues with its next page.

        While Amazon refuses the operation nothing is reported as stopped: its pause says so, and the sweep, too.
        """
        report = StepReport()
        while (cursor := self._cursor_to_read()) is not None and not self._pages.is_refused:
            stopped = self._stop(deadline)
            if stopped:
                return report.plus(StepReport(stopped=stopped))
            report = report.plus(self._read_page(cursor))
            if report.stopped:
                break
        return report

    def _stop(self, deadline: datetime) -> str:
        return WaitReason.OUT_OF_TIME if self._clock.now() >= deadline else self._pages.stop_reason()

    def _cursor_to_read(self) -> Cursor | None:
        """Return the cursor with a read under way; None where none is due.

        A read takes its notices with it: those that come meanwhile make another one due.
        """
        cursor = self._store.cursor(CURSOR)
        if _READING in cursor.data:
            return cursor
        if cursor.data.get(_NEXT_ATTEMPT_AT, "9") > self._clock.now().isoformat():
            return None
        begun = replace(cursor, data={_READING: cursor.data[_SINCE]})
        # If another writer was faster, the next run finds what it has written.
        return self._store.save([begun]).get(CURSOR)

    def _read_page(self, cursor: Cursor) -> StepReport:
        page_token = cursor.data.get(_PAGE_TOKEN)
        try:
            report, next_token = self._pages.read(datetime.fromisoformat(cursor.data[_READING]), None, page_token)
        except AmazonError as problem:
            if isinstance(problem, AmazonUnavailable):
                self._count_unanswered(cursor, problem)
            return self._pages.failed(problem)
        if next_token is not None and next_token == page_token:
            # Amazon's token leads nowhere, as if it were refused.
            self._continue_with(cursor, None)
            return report.plus(StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE))
        self._continue_with(cursor, next_token)
        return report

    def _count_unanswered(self, cursor: Cursor, problem: AmazonUnavailable) -> None:
        """Count a page that Amazon does not answer; end the read where it may never do so: the sweeps read the rest."""
        page_token = cursor.data.get(_PAGE_TOKEN)
        unanswered = 1 + int(cursor.data.get(_UNANSWERED, "0"))
        is_token_refused = problem.status == _BAD_REQUEST and page_token is not None
        if is_token_refused or unanswered >= MAX_UNANSWERED:
            self._continue_with(cursor, None)
            self._decisions.record("READ_ENDED", since=cursor.data[_READING], unanswered=unanswered, code=problem.code)
        else:
            self._continue_with(cursor, page_token, unanswered)

    def _continue_with(self, read: Cursor, page_token: str | None, unanswered: int = 0) -> None:
        """Store which page is next; the read is over without a token, unless its first page was not answered."""

        def continued(cursor: Cursor) -> Mapping[str, str] | None:
            if cursor.data.get(_READING) != read.data[_READING]:
                return None  # another worker has read it to its end
            data = {name: text for name, text in cursor.data.items() if name in (_SINCE, _NEXT_ATTEMPT_AT)}
            token = {_PAGE_TOKEN: page_token} if page_token else {}
            counted = {_UNANSWERED: str(unanswered)} if unanswered else {}
            return data | ({_READING: read.data[_READING], **token, **counted} if token or counted else {})

        update_cursor(self._store, CURSOR, continued)
