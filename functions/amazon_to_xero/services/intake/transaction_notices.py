"""Notices of transactions: each makes a read of listTransactions due, and many of them the same one.

A notice names no transaction, and Amazon may show what it is about up to two days later. So the read begins where the
earliest notice was posted, and what it does not find is left to the sweeps, each of which reads three days again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, FinancesApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import LIST_TRANSACTIONS, AmazonQuota
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY
from amazon_to_xero.services.intake.transactions import FIRST_SWEEP, TransactionRecorder
from amazon_to_xero.services.state_updates import update_cursor, update_records
from amazon_to_xero.services.work_report import StepReport

CURSOR = "noticed#transactions"
# What the cursor holds: of notices, the time (UTC, ISO) to read from and when that is due; of a read under way, the
# time that it began at and the token of its next page.
_SINCE, _NEXT_ATTEMPT_AT, _READING, _PAGE_TOKEN = "since", "next_attempt_at", "reading", "page_token"  # a name
_BAD_REQUEST = 400


class TransactionNotices:
    """Writes notices into the cursor. At least once; the same notice twice costs a page at most."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

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
        due: dict[str, None] = {}
        unread: list[datetime] = []

        def again(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            now = self._clock.now()
            for key, known in stored.items():
                if known is None or known.content is None:
                    unread.append((known.posted_at if known else None) or now - FIRST_SWEEP)
                    yield (known or TransactionRecord(key, first_read_at=now)).awaiting_content()
                elif known.next_attempt_at is None:
                    yield known.plan_at(now)
                else:
                    due[key] = None

        saved = update_records(self._store, TransactionRecord, transaction_ids, again)
        if unread:
            self._make_due(min(unread), self._clock.now())
        return [*due, *(key for key, record in saved.items() if not record.awaits_content)]

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

    def __init__(
        self,
        amazon: FinancesApi,
        store: StateStore,
        recorder: TransactionRecorder,
        quota: AmazonQuota,
        faults: AmazonFaults,
        clock: Clock,
    ) -> None:
        self._amazon = amazon
        self._store = store
        self._recorder = recorder
        self._quota = quota
        self._faults = faults
        self._clock = clock

    def read_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Read the pages that are due. A read that is interrupted continues with its next page.

        While Amazon refuses the operation nothing is reported as stopped: its pause says so, and the sweep, too.
        """
        report = StepReport()
        while (cursor := self._cursor_to_read()) is not None and not self._faults.is_refused(LIST_TRANSACTIONS):
            stopped = self._stop(deadline)
            if stopped:
                return report.plus(StepReport(stopped=stopped))
            report = report.plus(self._read_page(cursor))
            if report.stopped:
                break
        return report

    def _stop(self, deadline: datetime) -> str:
        if self._clock.now() >= deadline:
            return WaitReason.OUT_OF_TIME
        stopped = self._faults.stop_reason(LIST_TRANSACTIONS)
        if not stopped and not self._quota.take(LIST_TRANSACTIONS):
            stopped = WaitReason.AMAZON_QUOTA
        return stopped

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
            page = self._amazon.list_transactions(
                posted_after=datetime.fromisoformat(cursor.data[_READING]), page_token=page_token
            )
        except AmazonError as problem:
            if problem.status == _BAD_REQUEST and page_token:
                # Amazon may refuse the token for good: the sweeps read what is left.
                self._continue_with(cursor, None)
            return self._faults.report(problem)
        report = self._recorder.record(page.transactions)
        if page.next_token is None:
            self._continue_with(cursor, None)
        elif page.next_token == page_token:
            # Amazon's token leads nowhere, as if it were refused.
            self._continue_with(cursor, None)
            report = report.plus(StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE))
        else:
            self._continue_with(cursor, page.next_token)
        return report

    def _continue_with(self, read: Cursor, page_token: str | None) -> None:
        """Store which page is next; without a token the read is over."""

        def continued(cursor: Cursor) -> Mapping[str, str] | None:
            if cursor.data.get(_READING) != read.data[_READING]:
                return None  # another worker has read it to its end
            data = {name: text for name, text in cursor.data.items() if name in (_SINCE, _NEXT_ATTEMPT_AT)}
            return data | ({_READING: read.data[_READING], _PAGE_TOKEN: page_token} if page_token else {})

        update_cursor(self._store, CURSOR, continued)
