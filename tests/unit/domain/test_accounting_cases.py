"""The cases of accounting_cases/*.toml, from what Amazon states to what Xero holds, and their form."""

from __future__ import annotations

from collections import Counter

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document_types import DocumentKind
from documentation.case_files import books as read_books
from documentation.case_files import themes
from unit.domain.case_books import CaseBooks
from unit.domain.case_statements import ORDER_ID, Case

BOOKS = read_books()
CASES = [case for theme in themes() for case in theme["case"]]
_OUTCOMES = {"fails": {OrderState.FAILED}, "not_invoiced": {OrderState.NOT_INVOICED}}
_OUTCOMES["waits"] = {OrderState.NOTICED, OrderState.RECORDED}
_OF_REFUNDS = {"refund_fails": TransactionState.FAILED, "refund_not_booked": TransactionState.NOT_BOOKED}

_KEYS = frozenset(
    (
        *("name", "why", "books", "settings", "organisation"),
        *("on", "placed", "shipped", "read_late", "status", "order", "items", "packages", "charged", "later"),
        *("xero", "document", "says", "logged", "confirmation", "document_fails", *_OUTCOMES, *_OF_REFUNDS),
    )
)
_KEYS_OF_EVENTS = frozenset(
    (
        *("at", "on", "status", "order", "items", "packages", "charged", "refund", "type", "currency"),
        *("settings", "organisation", "approve", "correct"),
    )
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_books_hold_what_an_accountant_expects(case: Case) -> None:
    books = CaseBooks(case, BOOKS[case["books"]])

    books.enter()

    assert books.in_xero() == [" ".join(line.split()) for line in case.get("xero", "").strip().splitlines()]
    _check_order(books, case)
    _check_refunds(books, case)
    assert [each.reason for each in books.failed_documents if each.kind is not DocumentKind.CREDIT_NOTE_REFUND] == (
        [case["document_fails"]] if "document_fails" in case else []
    )
    if "confirmation" in case:
        assert books.confirmation == case["confirmation"]
    for code in case.get("logged", ()):
        assert books.decisions.of(code), f"{code} is not logged"
    for name, expected in case.get("document", {}).items():
        stated = books.customer() if name == "Customer" else str(books.first_invoice()[name])
        assert stated == expected
    _check_that_reading_again_writes_nothing(books)


def _check_that_reading_again_writes_nothing(books: CaseBooks) -> None:
    written = books.writes
    books.clock.advance(60)
    books.work(books.notice([ORDER_ID]))
    assert books.writes == written


def _check_order(books: CaseBooks, case: Case) -> None:
    named = [(states, case[name]) for name, states in _OUTCOMES.items() if name in case]
    ((states, reason),) = named or [({OrderState.PLANNED}, "")]
    assert books.order.state in states, books.order.remedy
    assert books.order.reason == reason, books.order.remedy
    remedies = " ".join([books.order.remedy, *(each.remedy for each in books.transactions)])
    for text in case.get("says", ()):
        assert text in remedies


def _check_refunds(books: CaseBooks, case: Case) -> None:
    """Check what became of refunds; but for those that a case names, all have a credit note."""
    unusual = [(each.state, each.reason) for each in books.transactions if each.state is not TransactionState.PLANNED]
    assert unusual == [(state, case[name]) for name, state in _OF_REFUNDS.items() if name in case]


# --- the form of the table --------------------------------------------------------------------------------------------


def test_every_case_has_a_name_of_its_own_and_says_why() -> None:
    assert [name for name, count in Counter(case["name"] for case in CASES).items() if count > 1] == []
    assert [case["name"] for case in CASES if not case.get("why", "").endswith(".")] == []


def test_every_case_says_nothing_that_is_not_checked() -> None:
    events = [event for case in CASES for event in case.get("later", ())]

    assert {key for case in CASES for key in case} <= _KEYS
    assert {key for event in events for key in event} <= _KEYS_OF_EVENTS


def test_table_has_as_many_cases_as_an_accountant_tried() -> None:
    assert len(CASES) >= 142


def test_every_case_states_documents_or_why_there_are_none() -> None:
    silent = [case["name"] for case in CASES if not case.keys() & {"xero", *_OUTCOMES}]
    assert silent == []
