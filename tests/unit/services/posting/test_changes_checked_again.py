"""A change of an approved invoice is sent only in the run that has looked it up: a person may edit it in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.planning.policy import Payments
from amazon_to_xero.ports.xero import XeroRateLimited
from fakes.order_life import PAYING, SHIPPED, tea, version
from fakes.watched_books import WatchedBooks

A_WHILE = timedelta(hours=5)
REACHED = XeroRateLimited("update Invoices", "day", A_WHILE)


@pytest.fixture
def books() -> WatchedBooks:
    """Books whose change was looked up and not sent, because a limit was reached in between."""
    books = WatchedBooks(SHIPPED, policy=replace(PAYING, payments=Payments.NONE))
    books.xero.before = [None, REACHED]  # the look-up is answered
    books.update(version(3, tea("7.50")))
    assert (books.document("A").state, books.xero.invoice("A")["Total"]) == (DocumentState.DEFERRED, Decimal("10.00"))
    books.xero.calls.clear()
    return books


def test_invoice_that_was_edited_while_its_change_waited_for_a_limit_is_not_overwritten(books: WatchedBooks) -> None:
    books.edit_line(AccountCode="205")
    books.clock.advance(A_WHILE.total_seconds())
    books.work()

    assert books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "205"
    assert books.found() == [("invoice#A", "EDITED")]
    assert books.record("A").reason == "CHANGED_IN_XERO"


def test_invoice_that_nobody_edited_is_looked_up_once_more_and_changed(books: WatchedBooks) -> None:
    books.clock.advance(A_WHILE.total_seconds())
    books.work()

    assert books.xero.invoice("A")["Total"] == Decimal("7.50")
    of_invoice = [call.verb for call in books.xero.calls if call.collection == "Invoices"]
    assert of_invoice == ["find", "update"]
