"""Where only one kind of document may not be posted, the others are, and no run repeats itself until its deadline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting import poster
from fakes.order_life import SHIPPED
from fakes.watched_books import WatchedBooks
from unit.desired_documents import desired_invoice, desired_payment
from unit.services.posting.posting_connection import PostingConnection

REST_OF_THE_DAY = timedelta(hours=20)
SHARE_IS_USED_UP = WaitReason.XERO_SHARE_LIMIT


def test_run_ends_where_only_payments_are_due_for_which_no_calls_of_the_day_are_left() -> None:
    books = WatchedBooks()
    until = books.clock.now() + REST_OF_THE_DAY
    Pauses(books.store, books.clock, books.decisions).pause("xero#payment", until, SHARE_IS_USED_UP)

    books.update(SHIPPED)

    assert books.xero.invoice("A")["AmountDue"] == 10
    assert books.decisions.of("WORK_STOPPED")[-1]["posted_stopped"] == "XERO_PAUSED"

    books.clock.advance(REST_OF_THE_DAY.total_seconds())
    books.work()
    assert books.xero.invoice("A")["AmountDue"] == 0


def test_payments_that_pile_up_while_they_are_refused_hide_no_invoice(monkeypatch: pytest.MonkeyPatch) -> None:
    paid = [f"A{place}" for place in range(20)]
    connection = PostingConnection(*(desired_invoice(each) for each in paid))
    connection.post()
    until = connection.clock.now() + REST_OF_THE_DAY
    Pauses(connection.store, connection.clock, connection.decisions).pause("xero#payment", until, SHARE_IS_USED_UP)
    connection.request(*(desired_payment(each) for each in paid))
    connection.clock.advance(60)
    connection.request(desired_invoice("B"))
    monkeypatch.setattr(poster, "MAX_DUE", 4)

    connection.post()

    assert connection.xero.invoice("B")["Status"] == "AUTHORISED"
    assert connection.xero.books["Payments"] == {}
