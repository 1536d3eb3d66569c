"""Where only one kind of document may not be posted, the others are, and no run repeats itself until its deadline."""

from __future__ import annotations

from datetime import timedelta

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.services.pauses import Pauses
from fakes.order_life import SHIPPED
from fakes.watched_books import WatchedBooks

REST_OF_THE_DAY = timedelta(hours=20)


def test_run_ends_where_only_payments_are_due_for_which_no_calls_of_the_day_are_left() -> None:
    books = WatchedBooks()
    until = books.clock.now() + REST_OF_THE_DAY
    Pauses(books.store, books.clock, books.decisions).pause("xero#payment", until, WaitReason.XERO_SHARE_LIMIT)

    books.update(SHIPPED)

    assert books.xero.invoice("A")["AmountDue"] == 10
    assert books.decisions.of("WORK_STOPPED")[-1]["posted_stopped"] == "XERO_PAUSED"

    books.clock.advance(REST_OF_THE_DAY.total_seconds())
    books.work()
    assert books.xero.invoice("A")["AmountDue"] == 0
