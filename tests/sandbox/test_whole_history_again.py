"""A whole history again: once a seller's orders, refunds and charges are entered, repeating all of it writes nothing.

The history is played as it happened, notified and swept, over both sandboxes; then the seller rests for nine days. Each
test repeats everything in one way, and leaves the books as it found them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.backfill.backfill import BackfillState, Share
from amazon_to_xero.services.backfill.rows import load_backfills
from amazon_to_xero.services.intake.sweep_cursor import CURSOR as ORDER_SWEEP
from amazon_to_xero.services.intake.transaction_sweep import CURSOR as TRANSACTION_SWEEP
from amazon_to_xero.services.state_updates import update_cursor
from fakes.played_seller import PlayedSeller
from sandbox.amazon import OWN_SELLER

ROOT = Path(__file__).parents[2]
REAL_SELLER = Path(os.environ.get("AMAZON_TO_XERO_SHARED", ROOT.parent / "shared")) / "data" / "seller-ca"
REST = timedelta(days=9)  # longer than anything waits
AFTERWARDS = timedelta(days=1)


@pytest.fixture(scope="module", params=[OWN_SELLER, REAL_SELLER], ids=["the shipped seller", "a real seller"])
def seller(request: pytest.FixtureRequest) -> Iterator[PlayedSeller]:
    if not request.param.is_dir():
        pytest.skip(f"the real seller's data is not beside the repository: there is no {request.param}")
    played = PlayedSeller(request.param)
    played.play()
    played.pass_until(played.clock.now() + REST)
    yield played


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys of the rows that are not as before."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def repeat(seller: PlayedSeller, again: Callable[[PlayedSeller], object]) -> None:
    """Repeat the history in one way, and check that it changes nothing, at once or in the day that follows."""
    writes, letters, books = seller.writes(), len(seller.letters.letters), seller.books()

    again(seller)
    seller.pass_until(seller.clock.now() + AFTERWARDS)

    assert seller.writes() == writes
    assert changed(books, seller.books()) == []
    assert seller.letters.reasons[letters:] == []


def repeat_twice(seller: PlayedSeller, again: Callable[[PlayedSeller], object]) -> None:
    """Repeat it as `repeat`, and check that the second time changes no row at all.

    The first time, orders that are planned once more state of numbers that were never used that they should not exist.
    """
    repeat(seller, again)
    rows = seller.rows()

    repeat(seller, again)

    assert changed(rows, seller.rows()) == []


def test_history_is_entered_completely(seller: PlayedSeller) -> None:
    assert set(seller.states("ORDER#")) == {f"ORDER#{order_id}" for order_id in seller.order_ids}
    states = [state.partition(" ")[0] for state in seller.states("ORDER#").values()]
    assert set(states) == {"PLANNED", "NOT_INVOICED"}
    assert states.count("PLANNED") > len(states) // 2
    assert {state.partition(" ")[0] for state in seller.states("TRANSACTION#").values()} <= {"PLANNED", "NOT_BOOKED"}
    assert set(seller.states("DOCUMENT#").values()) == {"APPLIED"}
    assert "AWAITED" not in {state.partition(" ")[0] for state in seller.states("CONFIRMATION#").values()}
    assert seller.writes() > 0


def test_every_notification_again_writes_nothing(seller: PlayedSeller) -> None:
    repeat(seller, lambda played: played.notify(played.versions))


def test_every_notification_again_in_another_order_writes_nothing(seller: PlayedSeller) -> None:
    def backwards(played: PlayedSeller) -> None:
        for version in reversed(played.versions):
            played.notify([version])

    repeat(seller, backwards)


def test_every_page_again_writes_nothing(seller: PlayedSeller) -> None:
    def from_the_start(played: PlayedSeller) -> None:
        for name in (ORDER_SWEEP, TRANSACTION_SWEEP):
            update_cursor(played.connection.services.store, name, lambda _: {})
        for _ in range(4):  # the first sweep reads in parts
            played.sweep()

    repeat(seller, from_the_start)


def test_resync_of_every_order_writes_nothing(seller: PlayedSeller) -> None:
    def resync(played: PlayedSeller) -> None:
        services = played.connection.services
        services.notices.record([ChangeNotice(each, reprocess=True) for each in played.order_ids])
        services.order_transactions.ask(played.order_ids)
        played.minutes(15)  # 30 orders a minute

    repeat_twice(seller, resync)


def test_replay_of_every_order_refund_and_confirmation_writes_nothing(seller: PlayedSeller) -> None:
    def replay(played: PlayedSeller) -> None:
        services = played.connection.services
        services.notices.record_shipments([ChangeNotice(each, reprocess=True) for each in played.order_ids])
        refunds = [key.partition("#")[2] for key in played.states("TRANSACTION#")]
        services.transaction_notices.record([ChangeNotice(each, reprocess=True) for each in refunds])
        services.confirmations.reprocess(played.order_ids)
        played.minutes(5)

    repeat_twice(seller, replay)


def test_backfill_of_the_whole_history_writes_nothing(seller: PlayedSeller) -> None:
    def backfill(played: PlayedSeller) -> None:
        first, last = (played.start + timedelta(days=1)).date(), played.clock.now().date()
        played.connection.backfills.begin(first, last, Share(), "ada", "to be sure")
        for _ in range(40):
            played.clock.sleep(timedelta(minutes=15).total_seconds())
            played.sweep()

    repeat(seller, backfill)

    latest = load_backfills(seller.store).latest
    assert latest is not None
    counted = latest.counts
    assert latest.state is BackfillState.DONE
    assert (counted.read, counted.unchanged) == (len(seller.order_ids), len(seller.order_ids))
    assert counted.failed == 0
