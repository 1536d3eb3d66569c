"""How long an entry of the stock worklist stays open, and when it comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.stock.comparison import AmazonItem, compare
from amazon_to_xero.domain.stock.correction import correction_of
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from fakes.reconciliation import RECONCILED, at_amazon, tracked
from fakes.stock import minute

NEW = WorklistEntry("MUG-RED")
WEEK = 7 * 24 * 60


def found(entry: WorklistEntry, amazon: int | None, xero: int | None = 100, week: int = 1) -> WorklistEntry:
    """Return the entry after a week's comparison; None for a side that does not know the item."""
    comparison = compare(
        None if amazon is None else at_amazon(amazon),
        None if xero is None else tracked(quantity=xero),
        entry.baseline,
        RECONCILED,
    )
    return entry.compared(comparison, correction_of(comparison, "GBP"), at(week))


def at(week: int) -> datetime:
    return minute(WEEK * week)


def test_entry_stays_open_with_its_day_until_the_difference_is_gone() -> None:
    first = found(NEW, 98)
    second = found(first, 98, week=2)
    third = found(second, 95, week=3)

    assert [each.state for each in (first, second, third)] == [EntryState.OPEN] * 3
    assert {each.opened_at for each in (first, second, third)} == {at(1)}
    assert found(third, 100, week=4).state is EntryState.AGREED


def test_others_hear_once_of_a_difference_and_again_of_another_one() -> None:
    first = found(NEW, 98)
    second = found(first, 98, week=2)
    third = found(second, 95, week=3)

    assert [first.is_news_after(NEW), second.is_news_after(first), third.is_news_after(second)] == [True, False, True]


def test_closed_difference_does_not_come_back() -> None:
    closed = found(NEW, 98).closed("Amazon pays for both, claim 4711", at(1))

    assert found(closed, 98, week=2) == found(closed, 98, week=2)
    assert found(closed, 98, week=2).state is EntryState.CLOSED
    assert found(closed, 98, week=2).word == "Amazon pays for both, claim 4711"


def test_another_difference_opens_a_closed_entry_again() -> None:
    closed = found(NEW, 98).closed("counted", at(1))

    again = found(closed, 97, week=2)

    assert (again.state, again.word, again.opened_at) == (EntryState.OPEN, "", at(2))
    assert again.is_news_after(closed)


def test_item_that_one_side_does_not_know_stays_closed_whatever_its_units() -> None:
    closed = found(NEW, 5, None).closed("a sample, not in Xero", at(1))

    assert found(closed, 9, None, week=2).state is EntryState.CLOSED
    assert found(closed, 9, 12, week=3).state is EntryState.OPEN


@pytest.mark.parametrize("xero", [None, XeroItem("MUG-RED"), tracked(quantity=100)])
def test_closed_entry_keeps_its_word_while_amazon_does_not_state_the_units(xero: XeroItem | None) -> None:
    def again(entry: WorklistEntry, amazon: AmazonItem, week: int) -> WorklistEntry:
        comparison = compare(amazon, xero, entry.baseline, RECONCILED)
        return entry.compared(comparison, correction_of(comparison, "GBP"), at(week))

    closed = again(NEW, at_amazon(5), 1).closed("a sample", at(1))

    unstated = again(closed, replace(at_amazon(), pools={}, unstated=("MUG-RED",)), 2)

    assert unstated == closed
    assert again(unstated, at_amazon(5), 3).state is EntryState.CLOSED


def test_difference_that_was_gone_is_a_new_one_when_it_occurs_again() -> None:
    closed = found(NEW, 98).closed("counted", at(1))
    gone = found(closed, 100, week=2)

    assert (gone.state, gone.word) == (EntryState.AGREED, "")
    assert found(gone, 98, week=3).state is EntryState.OPEN


@pytest.mark.parametrize("word", ["", "   ", "x" * 301, "bell \a"])
def test_entry_is_closed_by_a_word_only(word: str) -> None:
    with pytest.raises(Failure, match="sentence"):
        found(NEW, 98).closed(word, at(1))


def test_entry_that_is_not_open_cannot_be_closed() -> None:
    with pytest.raises(Failure, match="MUG-RED is AGREED"):
        found(NEW, 100).closed("counted", at(1))


@given(st.lists(st.integers(95, 105), min_size=1, max_size=8), st.integers(0, 7))
def test_entry_is_closed_only_by_a_person_and_only_for_one_difference(levels: list[int], closes: int) -> None:
    entry, closed_units = NEW, None
    for week, units in enumerate(levels, start=1):
        entry = found(entry, units, week=week)
        if units == 100:
            assert entry.state is EntryState.AGREED
            closed_units = None
        elif units == closed_units:
            assert entry.state is EntryState.CLOSED
        else:
            assert entry.state is EntryState.OPEN
            closed_units = None
        if week == closes and entry.state is EntryState.OPEN:
            entry, closed_units = entry.closed("counted", at(week)), units
