"""The transactions of one order, read because a person asks: however old, and without writing what is known."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.notification import parse_transaction_update
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonForbidden,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
)
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.services.intake.amazon_faults import paused_operation
from amazon_to_xero.services.intake.asked_orders import ASKED, MAX_ASKED, TooManyOrders
from amazon_to_xero.services.pauses import cursor_of
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.amazon_orders import MINUTE, shipped_order
from unit.services.planning.refunding_connection import RefundingConnection

LONG_AGO = NOON - timedelta(days=300)


def connection_with(*transactions: dict[str, object]) -> RefundingConnection:
    connection = RefundingConnection(shipped_order("A"))
    connection.amazon.transactions = list(transactions)
    return connection


def ask(connection: RefundingConnection, *order_ids: str) -> None:
    """Send what `resync` sends to the refunds queue."""
    bodies = [json.dumps({"reprocess": {"connection": "main", "source": f"order#{each}"}}) for each in order_ids]
    CAPABILITIES[REFUNDS].record(connection.connection.services, list(map(parse_transaction_update, bodies)))


def work(connection: RefundingConnection) -> None:
    for _ in range(3):
        connection.clock.advance(60)
        connection.connection.worker.run("worker", connection.clock.now() + MINUTE)


def test_old_refund_that_no_sweep_has_read_is_found_by_its_order() -> None:
    connection = connection_with(refund("R1", item_refund(Tax="-1.00", OurPricePrincipal="-5.00"), posted=LONG_AGO))

    ask(connection, "A")
    work(connection)

    assert connection.transaction("R1").order_id == "A"
    assert connection.store.cursor(ASKED).data == {}


def test_transactions_of_other_orders_are_not_read() -> None:
    connection = connection_with(refund("R2", item_refund(OurPricePrincipal="-5.00"), order_id="B", posted=LONG_AGO))

    ask(connection, "A")
    work(connection)

    assert connection.store.load(TransactionRecord, ["R2"]) == {}


def test_refund_that_stands_is_planned_again_and_nothing_is_written_to_xero() -> None:
    raw = refund("R1", item_refund(OurPricePrincipal="-5.00"), posted=NOON - timedelta(hours=1))
    connection = connection_with(raw)
    ask(connection, "A")
    work(connection)
    assert connection.transaction("R1").state is TransactionState.PLANNED
    writes, planned = len(connection.xero.writes()), connection.transaction("R1").generation

    ask(connection, "A")
    work(connection)

    assert len(connection.xero.writes()) == writes
    assert connection.transaction("R1").generation > planned


def test_read_that_amazon_throttles_continues_later() -> None:
    connection = connection_with(refund("R1", item_refund(OurPricePrincipal="-5.00"), posted=LONG_AGO))
    ask(connection, "A")
    connection.amazon.faults = [AmazonThrottled("listTransactions", 429, "QuotaExceeded")]

    connection.connection.services.order_transactions.read_due((), connection.clock.now() + MINUTE)
    assert list(connection.store.cursor(ASKED).data) == ["A"]
    work(connection)

    assert connection.store.cursor(ASKED).data == {}
    assert connection.transaction("R1").order_id == "A"


# --- orders whose transactions Amazon does not return ----------------------------------------------------------------

REFUSALS = [
    AmazonUnavailable("listTransactions", 400, "InvalidInput"),
    AmazonForbidden("listTransactions", 403, "Unauthorized"),
    AmazonUnavailable("listTransactions", 500, "InternalFailure"),
    AmazonNotFound("listTransactions", 404, "NotFound"),
]
OF_B = refund("R1", item_refund(OurPricePrincipal="-5.00"), order_id="B", posted=LONG_AGO)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: str(each.status))
def test_order_that_amazon_refuses_keeps_no_other_from_being_read(refusal: AmazonError) -> None:
    connection = connection_with(OF_B)
    connection.amazon.refused_transactions["A"] = refusal
    ask(connection, "A")
    ask(connection, "B")

    work(connection)

    assert connection.transaction("R1").order_id == "B"
    assert list(connection.store.cursor(ASKED).data) == ["A"]
    assert connection.store.cursor(cursor_of(paused_operation("listTransactions"))).data == {}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: str(each.status))
def test_order_that_amazon_refuses_while_it_returns_others_goes_to_a_person(refusal: AmazonError) -> None:
    connection = connection_with(OF_B)
    connection.amazon.refused_transactions["A"] = refusal
    ask(connection, "A")
    for _ in range(9):
        ask(connection, "B")
        work(connection)

    assert connection.store.cursor(ASKED).data == {}
    (letter,) = connection.dead_letters[REFUNDS].letters
    assert (letter.reason, letter.order_id) == ("ORDER_TRANSACTIONS_REFUSED", "A")
    assert json.loads(letter.body)["reprocess"]["source"] == "order#A"
    assert refusal.code in letter.remedy
    assert "resync the order" in letter.remedy


def test_only_order_that_is_asked_for_is_given_up_after_four_hours() -> None:
    connection = connection_with()
    connection.amazon.refused_transactions["A"] = REFUSALS[1]
    ask(connection, "A")

    for _ in range(79):
        work(connection)
    assert connection.dead_letters[REFUNDS].letters == []
    work(connection)
    work(connection)

    assert [letter.order_id for letter in connection.dead_letters[REFUNDS].letters] == ["A"]
    assert connection.store.cursor(ASKED).data == {}


def test_orders_behind_three_refused_ones_are_read_in_the_next_minute() -> None:
    connection = connection_with(OF_B)
    connection.amazon.refused_transactions = dict.fromkeys(("A1", "A2", "A3"), REFUSALS[0])
    ask(connection, "A1", "A2", "A3")
    connection.clock.advance(1)
    ask(connection, "B")

    work(connection)

    assert connection.transaction("R1").order_id == "B"


def test_order_stays_asked_for_while_the_dead_letter_queue_does_not_take_its_letter() -> None:
    connection = connection_with()
    connection.amazon.refused_transactions["A"] = REFUSALS[0]
    connection.store.save([Cursor(ASKED, {"A": f"{NOON.isoformat()} 239"})])
    connection.dead_letters[REFUNDS].broken = True

    work(connection)
    assert list(connection.store.cursor(ASKED).data) == ["A"]
    connection.dead_letters[REFUNDS].broken = False
    work(connection)

    assert [letter.order_id for letter in connection.dead_letters[REFUNDS].letters] == ["A"]


def test_order_that_an_earlier_version_was_asked_for_is_read() -> None:
    connection = connection_with(OF_B)
    connection.store.save([Cursor(ASKED, {"B": NOON.isoformat()})])

    work(connection)

    assert connection.transaction("R1").order_id == "B"


def test_no_more_orders_are_asked_for_than_one_row_holds() -> None:
    connection = connection_with()
    ask(connection, *(f"{number:03}-0000001-0000001" for number in range(MAX_ASKED)))

    with pytest.raises(TooManyOrders):
        ask(connection, "A")
