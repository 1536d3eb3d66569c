"""The refunds of one order that are due together are planned in one run, each in view of those before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason, WaitReason
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.services.planning import planner
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from fakes.order_life import PAYING, SHIPPED, tea, version
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.interruptions import Killed, before_save, kill
from unit.services.planning.refunding_connection import RefundingConnection, without_clearing

TWO_ITEMS = version(1, tea("10.00", item_id="1"), tea("10.00", item_id="2"))  # of one SKU
SOLD_OPEN = without_clearing()


def money_back(amount: str, transaction_id: str, minute: int = 0, sku: str = "TEA-50") -> Json:
    posted = NOON + timedelta(minutes=minute)
    return refund(transaction_id, item_refund(sku, OurPricePrincipal=f"-{amount}"), posted=posted)


def five(amount: str = "1.50") -> list[Json]:
    """Return five refunds; Amazon posted the last of them first."""
    return [money_back(amount, f"T{number}", minute=10 - number) for number in range(1, 6)]


def recorded(*transactions: Json, sold: Json = SHIPPED, policy: PostingPolicy = PAYING) -> RefundingConnection:
    """Return a connection with a sale in Xero and its refunds, all of which are due."""
    connection = RefundingConnection(sold, policy=policy)
    connection.amazon.transactions = list(transactions)
    connection.notice_transactions(NOON)
    connection.clock.advance(1200)
    connection.read_transactions()
    return connection


def states(connection: RefundingConnection) -> set[str]:
    return {record.state for record in connection.transactions.values()}


def credited(connection: RefundingConnection) -> dict[str, Decimal]:
    """Return what each credit note states in Xero, by number."""
    return {note["CreditNoteNumber"]: note["Total"] for note in connection.xero.books["CreditNotes"].values()}


def allocated(connection: RefundingConnection, *numbers: str) -> list[Decimal]:
    """Return what of each credit note is allocated; 0 where nothing is."""
    held = [connection.held(DocumentKind.ALLOCATION, number) for number in numbers]
    return [Decimal(0) if each is None else each.desired.body["Amount"] for each in held]


def test_five_refunds_are_credited_without_a_minute_of_waiting() -> None:
    connection = recorded(*five())
    began = connection.clock.now()

    connection.plan_refunds()
    connection.post()

    assert connection.clock.now() == began
    assert states(connection) == {TransactionState.PLANNED}
    assert credited(connection) == {f"A-RFT{number}": Decimal("1.50") for number in range(1, 6)}
    assert connection.balance() == Decimal("2.50")


def test_open_invoice_is_filled_by_what_amazon_posted_first() -> None:
    connection = recorded(money_back("7.00", "T1", minute=2), money_back("6.00", "T2", minute=1), policy=SOLD_OPEN)

    connection.plan_refunds("T1", "T2")
    connection.post()

    assert allocated(connection, "A-RFT2", "A-RFT1") == [Decimal(6), Decimal(4)]
    assert connection.xero.invoice("A")["AmountDue"] == 0


def test_each_takes_back_the_line_that_those_before_it_have_left() -> None:
    connection = recorded(money_back("10.00", "T1"), money_back("10.00", "T2", minute=1), sold=TWO_ITEMS)

    connection.plan_refunds()

    assert [line.origin for number in ("A-RFT1", "A-RFT2") for line in connection.note_lines(number)] == [
        "1:ITEM",
        "2:ITEM",
    ]


def test_what_an_adjustment_had_credited_is_netted_against_the_first_ones_only() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.update(version(2, tea("6.00")))  # 4.00 were credited
    connection.amazon.transactions = [
        money_back("3.00", "T1"),
        money_back("3.00", "T2", 1),
        money_back("3.00", "T3", 2),
    ]
    connection.notice_transactions(NOON)
    connection.clock.advance(1200)
    connection.read_transactions()

    connection.plan_refunds()
    connection.post()

    assert connection.transaction("T1").reason == NotBookedReason.ALREADY_CREDITED
    assert credited(connection) | {"A-A1": 0} == {"A-A1": 0, "A-RFT2": Decimal(2), "A-RFT3": Decimal(3)}
    assert connection.balance() == Decimal(1)


def test_two_credit_notes_that_would_have_one_number_have_two() -> None:
    connection = recorded(money_back("4.00", "SAMEFIRST1"), money_back("4.00", "SAMEFIRST2", minute=1))

    connection.plan_refunds()
    connection.post()

    assert credited(connection) == {"A-RFSAMEFIRS": Decimal(4), "A-RFSAMEFIRS-R1": Decimal(4)}


# --- a run that ends in the middle ------------------------------------------------------------------------------------


def test_run_that_ends_between_two_chunks_is_continued_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "RECORDS_PER_ROUND", 2)
    connection = recorded(*five("3.00"), policy=SOLD_OPEN)
    deadline = connection.clock.now() + timedelta(minutes=1)
    before_save(monkeypatch, connection.store, TransactionRecord, lambda: connection.clock.advance(120))

    report = connection.plan_refunds(deadline=deadline)

    assert report.stopped == WaitReason.OUT_OF_TIME
    assert [connection.transaction(f"T{number}").state for number in (5, 4, 3)] == ["PLANNED", "PLANNED", "RECORDED"]
    connection.plan_refunds()
    connection.post()
    in_order = [f"A-RFT{number}" for number in (5, 4, 3, 2, 1)]
    assert allocated(connection, *in_order) == [Decimal(3), Decimal(3), Decimal(3), Decimal(1), Decimal(0)]


@pytest.mark.parametrize("kind", [Cursor, Document, TransactionRecord])
@pytest.mark.parametrize("place", range(6))
def test_crash_before_any_save_leaves_the_books_as_without_it(
    monkeypatch: pytest.MonkeyPatch, kind: type[Cursor | Document | TransactionRecord], place: int
) -> None:
    connection = recorded(*five("3.00"), policy=SOLD_OPEN)
    with monkeypatch.context() as until_crash:
        before_save(until_crash, connection.store, kind, *[lambda: None] * place, kill)
        try:
            connection.plan_refunds()
        except Killed:
            connection.restart()

    connection.post()  # what is stored of the plans may be posted before the rest is
    connection.plan_refunds()
    connection.post()

    in_order = [f"A-RFT{number}" for number in (5, 4, 3, 2, 1)]
    assert [credited(connection)[number] for number in in_order] == [Decimal(3)] * 5
    assert allocated(connection, *in_order) == [Decimal(3), Decimal(3), Decimal(3), Decimal(1), Decimal(0)]
    assert states(connection) == {TransactionState.PLANNED}


def test_planning_them_again_writes_no_document() -> None:
    connection = recorded(*five("3.00"), policy=SOLD_OPEN)
    connection.plan_refunds()
    connection.post()
    documents, decisions = connection.store.writes("DOCUMENT#"), connection.store.writes("CURSOR#refunds#")

    connection.store.save([each.plan_at(connection.clock.now()) for each in connection.transactions.values()])
    connection.plan_refunds()

    assert states(connection) == {TransactionState.PLANNED}
    assert (connection.store.writes("DOCUMENT#"), connection.store.writes("CURSOR#refunds#")) == (documents, decisions)


# --- two workers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Cursor, Document, TransactionRecord])
@pytest.mark.parametrize("place", range(5))
def test_another_worker_that_plans_them_meanwhile_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: type[Cursor | Document | TransactionRecord], place: int
) -> None:
    connection = recorded(*five("3.00"), policy=SOLD_OPEN)
    slow_worker = connection.connection.services.refund_planner
    until = connection.clock.now() + timedelta(minutes=1)
    connection.restart()
    overtake: list[Callable[[], object]] = [*[lambda: None] * place, connection.plan_refunds]

    with monkeypatch.context() as meanwhile:
        before_save(meanwhile, connection.store, kind, *overtake)
        slow_worker.plan_due("refunds", (), until)
    connection.post()
    connection.clock.advance(60)
    connection.plan_refunds()
    connection.post()

    assert sorted(credited(connection).values()) == [Decimal(3)] * 5
    assert sum(allocated(connection, *(f"A-RFT{number}" for number in range(1, 6)))) == Decimal(10)
    assert states(connection) == {TransactionState.PLANNED}


def decided_elsewhere(connection: RefundingConnection, transaction_id: str) -> None:
    """Another worker has decided about the refund of 6.00, and has not requested its documents yet."""
    decision = DecidedRefund(Decimal(6), Decimal(6), f"A-RF{transaction_id}")
    DecidedRefundsStore(connection.store).replace("A", DecidedRefunds(), DecidedRefunds({transaction_id: decision}))


def test_refund_waits_for_the_documents_of_one_that_another_worker_has_decided() -> None:
    connection = recorded(money_back("6.00", "T1"), money_back("6.00", "T2", minute=1), policy=SOLD_OPEN)
    decided_elsewhere(connection, "T1")
    first = connection.transaction("T1")
    connection.store.save([first.plan_at(connection.clock.now() + timedelta(seconds=30))])

    connection.plan_refunds()  # the index does not show T1 to this worker yet

    assert (connection.transaction("T2").state, connection.transaction("T2").reason) == (
        TransactionState.RECORDED,
        WaitReason.CHANGED_MEANWHILE,
    )
    connection.clock.advance(60)
    connection.plan_refunds()
    connection.post()
    assert allocated(connection, "A-RFT1", "A-RFT2") == [Decimal(6), Decimal(4)]


def _failed(record: TransactionRecord) -> TransactionRecord:
    return record.failed(FailureCode.PERIOD_LOCKED, "Reopen the period.")


def _waiting(record: TransactionRecord) -> TransactionRecord:
    return replace(record, next_attempt_at=NOON + timedelta(days=3), reason=WaitReason.WAITING_FOR_SALE)


def _settled(record: TransactionRecord) -> TransactionRecord:
    return record.settled(TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)


@pytest.mark.parametrize("outcome", [_failed, _waiting, _settled])
def test_refund_does_not_wait_for_one_that_itself_waits_or_needs_a_person(
    outcome: Callable[[TransactionRecord], TransactionRecord],
) -> None:
    connection = recorded(money_back("6.00", "T1"), money_back("6.00", "T2", minute=1), policy=SOLD_OPEN)
    decided_elsewhere(connection, "T1")
    connection.store.save([outcome(connection.transaction("T1"))])

    connection.plan_refunds()
    connection.post()
    connection.reprocess("T1")

    assert allocated(connection, "A-RFT2", "A-RFT1") == [Decimal(6), Decimal(4)]
    assert states(connection) == {TransactionState.PLANNED}


def test_refund_that_fails_holds_back_none_after_it() -> None:
    connection = recorded(money_back("6.00", "T1", sku="NONE"), money_back("6.00", "T2", minute=1))

    connection.plan_refunds()
    connection.post()

    assert connection.transaction("T1").reason == FailureCode.REFUND_ITEM_UNKNOWN
    assert credited(connection) == {"A-RFT2": Decimal(6)}
