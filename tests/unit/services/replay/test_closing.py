"""Failures that a person has dealt with otherwise, and takes off the list: which rows and letters go and stay."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import REFUNDS, SHIPMENTS
from amazon_to_xero.domain.planning.closed_day import DayState
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.ports.replay import QueueFailed
from amazon_to_xero.ports.state import FAILED_DOCUMENTS, FAILED_SOURCES
from amazon_to_xero.services.reminder import needs_reminder
from amazon_to_xero.services.replay.closing import Closing
from amazon_to_xero.services.replay.replay import ReplayStep
from fakes.connection import FakeConnection
from unit.services.amazon_orders import shipped_order
from unit.services.planning.day_connection import MONDAY, DayConnection
from unit.services.replay.replayed_stack import ADA, ReplayedStack, actions

CLOSE, LEAVE, DELETE = ReplayAction.CLOSE, ReplayAction.LEAVE, ReplayAction.DELETE
WHY = "entered in Xero as INV-0017"
LOCKED, GONE = "PERIOD_LOCKED", "NOT_IN_XERO"


def close(stack: ReplayedStack, shown: tuple[str, str, str] | None = None, **asked: Any) -> ReplayStep:
    """Close what is selected; `shown` are connection, source and code of the only failure that was shown."""
    of_code = asked.get("reason", "")
    return stack.step(closing=Closing(WHY, frozenset({shown} if shown else ()), of_code), **asked)


def listed(connection: FakeConnection) -> list[str]:
    """Return the keys of everything that is on the list of failures."""
    groups = (FAILED_SOURCES, FAILED_DOCUMENTS)
    return [each.key for group in groups for each in connection.store.watched(group, 100)]


def document(number: str, state: DocumentState, reason: str = "", **more: Any) -> Document:
    desired = DesiredDocument(DocumentKind.INVOICE, number, {}, "order#A", capability=SHIPMENTS, order_id="A", **more)
    return Document(desired, state, reason=reason)


def with_documents(stack: ReplayedStack, *documents: Document, **changes: Any) -> None:
    """Let the order A have asked for these documents."""
    record = stack.main.record()
    keys = tuple(each.key for each in documents)
    assert stack.main.store.save([replace(record, documents=keys, **changes)])
    assert len(stack.main.store.save(documents)) == len(documents)


# --- what is closed ---------------------------------------------------------------------------------------------------


def test_closed_failure_is_not_asked_for_any_more_and_stays_failed() -> None:
    stack = ReplayedStack(shipped_order())
    assert needs_reminder(stack.main.connection.status.read())

    assert actions(close(stack, order_id="A")) == [("order#A", CLOSE)]

    status = stack.main.connection.status.read()
    assert (status.failed_sources, status.failed_documents, needs_reminder(status)) == ({}, {}, False)
    assert (listed(stack.main), stack.letters()) == ([], [])
    record = stack.main.record()
    assert (record.state, record.reason) == (OrderState.FAILED, "ACCOUNT_UNMAPPED")
    assert record.remedy
    assert actions(stack.step()) == []  # no replay sends it
    assert not any(queue.bodies for queue in stack.queues.values())


def test_closed_failure_returns_to_the_list_when_it_fails_again() -> None:
    stack = ReplayedStack(shipped_order())
    close(stack, order_id="A")

    stack.main.amazon.hold(shipped_order(updated=stack.clock.now()))
    stack.main.notice(["A"])
    stack.main.read()
    stack.run_functions()

    assert listed(stack.main) == ["ORDER#A"]
    assert stack.letters() == [(SHIPMENTS, "A")]


def test_evidence_and_log_say_who_closed_it_when_and_why() -> None:
    stack = ReplayedStack(shipped_order())

    close(stack, order_id="A")

    (attempt,) = stack.evidence("order#A").attempts
    assert (attempt.at, attempt.by, attempt.action) == (stack.clock.now(), ADA, CLOSE)
    assert (attempt.reason, attempt.why) == ("ACCOUNT_UNMAPPED", WHY)
    (line,) = stack.main.decisions.of("FAILURE_CLOSED")
    assert (line["order_id"], line["reason"], line["by"], line["why"]) == ("A", "ACCOUNT_UNMAPPED", ADA, WHY)


def test_preview_closes_nothing() -> None:
    stack = ReplayedStack(shipped_order())
    rows = stack.main.store.writes()

    assert actions(close(stack, preview=True, order_id="A")) == [("order#A", CLOSE)]

    assert (listed(stack.main), stack.letters()) == (["ORDER#A"], [(SHIPMENTS, "A")])
    assert stack.main.store.writes() == rows


def test_failed_documents_and_the_contact_that_they_fail_with_are_closed_with_their_order() -> None:
    stack = ReplayedStack(shipped_order())
    needs = {"Contact.ContactID": "contact#C"}
    contact = DesiredDocument(DocumentKind.CONTACT, "C", {}, "settings#C")
    stack.main.store.save([Document(contact, DocumentState.FAILED, reason="CONTACT_ARCHIVED")])
    failed = document("A", DocumentState.FAILED, LOCKED, references=needs)
    with_documents(stack, failed, document("A-2", DocumentState.APPLIED), state=OrderState.PLANNED, reason="")
    assert listed(stack.main) == ["DOCUMENT#contact#C", "DOCUMENT#invoice#A"]

    close(stack, order_id="A")

    assert listed(stack.main) == []
    assert stack.main.document("A").state is DocumentState.FAILED


def test_contact_that_failed_alone_is_closed_by_its_code() -> None:
    stack = ReplayedStack()
    contact = DesiredDocument(DocumentKind.CONTACT, "C", {}, "settings#C")
    stack.main.store.save([Document(contact, DocumentState.FAILED, reason="CONTACT_ARCHIVED")])

    assert actions(close(stack, reason="CONTACT_ARCHIVED")) == [("settings#C", CLOSE)]
    assert listed(stack.main) == []


def test_failed_document_that_its_order_no_longer_asks_for_is_closed() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    stack.step()
    stack.run_functions()
    stack.clock.advance(600)
    stack.main.store.save([document("A-OLD", DocumentState.FAILED, GONE)])

    assert actions(close(stack, reason=GONE)) == [("order#A", CLOSE)]
    assert listed(stack.main) == []


def test_failed_day_is_closed() -> None:
    days = DayConnection()
    days.sell("A")
    days.xero.settings = replace(days.xero.settings, period_lock=date(2026, 11, 23))
    days.connection.services.organisation.expire()
    days.close_day()
    stack = ReplayedStack()
    stack.main = days

    assert actions(close(stack, reason=LOCKED)) == [(f"day#{MONDAY}", CLOSE)]
    assert (listed(days), days.day().state) == ([], DayState.FAILED)


def test_letter_about_the_transactions_of_an_order_is_closed_and_the_failed_order_is_not() -> None:
    stack = ReplayedStack(shipped_order())
    body = json.dumps({"reprocess": {"connection": "main", "source": "order#A"}})
    stack.dead_letters[REFUNDS].send(body, reason="ORDER_TRANSACTIONS_REFUSED", remedy="Resync it.", order_id="A")

    (closed,) = close(stack, reason="ORDER_TRANSACTIONS_REFUSED").failures

    assert (closed.decision.action, closed.failure.reason) == (CLOSE, "ORDER_TRANSACTIONS_REFUSED")
    assert (listed(stack.main), stack.letters()) == (["ORDER#A"], [(SHIPMENTS, "A")])


def test_all_letters_of_a_failure_are_deleted_with_it_also_in_small_steps() -> None:
    stack = ReplayedStack(shipped_order("A"), shipped_order("B"))
    for _ in range(2):
        stack.dead_letters[SHIPMENTS].move(json.dumps({"reprocess": {"connection": "main", "source": "order#A"}}))
    (of_b,) = (each for each in stack.dead_letters[SHIPMENTS].kept if each.order_id == "B")
    stack.dead_letters[SHIPMENTS].delete(of_b)  # B has a row only

    first = close(stack, limit=1, functions=frozenset({SHIPMENTS}))
    second = close(stack, cursor=first.cursor)

    assert [actions(first), actions(second)] == [[("order#A", CLOSE)], [("order#B", CLOSE)]]
    assert (listed(stack.main), stack.letters()) == ([], [])


def test_closing_twice_is_harmless() -> None:
    stack = ReplayedStack(shipped_order())
    close(stack, order_id="A")
    rows = stack.main.store.writes()

    assert actions(close(stack, order_id="A")) == []
    assert stack.main.store.writes() == rows


def test_crash_before_the_letter_is_deleted_is_made_good_by_closing_again() -> None:
    stack = ReplayedStack(shipped_order())
    stack.dead_letters[SHIPMENTS].fails = {"delete"}
    with pytest.raises(QueueFailed):
        close(stack, order_id="A")
    stack.dead_letters[SHIPMENTS].fails = set()

    assert actions(close(stack, order_id="A")) == [("order#A", CLOSE)]
    assert (listed(stack.main), stack.letters()) == ([], [])


# --- what is left -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [DocumentState.IN_FLIGHT, DocumentState.UNKNOWN])
def test_order_of_which_xero_may_still_process_something_is_not_closed(state: DocumentState) -> None:
    stack = ReplayedStack(shipped_order())
    with_documents(stack, document("A", state, "XERO_UNAVAILABLE"), document("A-2", DocumentState.FAILED, LOCKED))

    (left,) = close(stack, order_id="A").failures

    assert left.decision.action is LEAVE
    assert "Xero may still process" in left.decision.why
    assert listed(stack.main) == ["ORDER#A", "DOCUMENT#invoice#A-2"]
    assert stack.letters() == [(SHIPMENTS, "A")]


def test_order_that_is_processed_right_now_is_not_closed() -> None:
    stack = ReplayedStack(shipped_order())
    stack.step()  # it is in its queue

    (left,) = close(stack, order_id="A").failures

    assert (left.decision.action, left.decision.why) == (LEAVE, "is being processed")
    assert listed(stack.main) == ["ORDER#A"]


def test_order_that_a_worker_plans_between_reading_and_closing_is_decided_about_again() -> None:
    stack = ReplayedStack(shipped_order())

    def planned() -> None:
        record = stack.main.record()
        stack.main.store.save([record.plan_at(stack.clock.now())])

    stack.main.store.meanwhile(lambda: None, planned)  # after the evidence is stored

    (left,) = close(stack, order_id="A").failures

    assert (left.decision.action, left.decision.why) == (LEAVE, "is being processed")
    assert stack.letters() == [(SHIPMENTS, "A")]
    assert stack.main.record().next_attempt_at is not None
    assert stack.main.decisions.of("FAILURE_CLOSED") == []


def test_order_that_was_saved_with_the_same_failure_meanwhile_is_closed() -> None:
    stack = ReplayedStack(shipped_order())
    stack.main.store.meanwhile(lambda: None, lambda: stack.main.store.save([stack.main.record()]))

    assert actions(close(stack, order_id="A")) == [("order#A", CLOSE)]
    assert (listed(stack.main), stack.letters()) == ([], [])


def test_code_closes_no_failure_of_another_code() -> None:
    stack = ReplayedStack(shipped_order())
    with_documents(stack, document("A", DocumentState.FAILED, LOCKED))

    (left,) = close(stack, reason=LOCKED).failures

    assert left.decision.action is LEAVE
    assert "ACCOUNT_UNMAPPED, which was not chosen" in left.decision.why
    assert listed(stack.main) == ["ORDER#A", "DOCUMENT#invoice#A"]


def test_letter_of_an_older_failure_does_not_close_the_one_of_now() -> None:
    stack = ReplayedStack(shipped_order())
    stack.main.store.save([replace(stack.main.record(), reason=LOCKED)])

    assert actions(close(stack, reason="ACCOUNT_UNMAPPED")) == []
    assert listed(stack.main) == ["ORDER#A"]
    assert actions(close(stack, reason=LOCKED)) == [("order#A", CLOSE)]
    assert stack.letters() == []


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (("main", "order#A", "ACCOUNT_UNMAPPED"), [("order#A", CLOSE)]),
        (("main", "order#A", LOCKED), [("order#A", LEAVE)]),
        (("main", "order#B", "ACCOUNT_UNMAPPED"), [("order#B", CLOSE)]),
        (("other", "order#A", "ACCOUNT_UNMAPPED"), []),
    ],
)
def test_only_what_was_shown_is_closed(shown: tuple[str, str, str], expected: list[tuple[str, ReplayAction]]) -> None:
    stack = ReplayedStack(shipped_order("A"), shipped_order("B"))

    assert actions(close(stack, shown, functions=frozenset({SHIPMENTS}))) == expected
    assert len(listed(stack.main)) == 2 - [each[1] for each in expected].count(CLOSE)


def test_message_that_no_queue_takes_is_left_to_discard_and_one_of_amazon_to_a_replay() -> None:
    stack = ReplayedStack()
    stack.dead_letters[REFUNDS].move("{not JSON")
    stack.dead_letters[SHIPMENTS].move(json.dumps({"reprocess": {"connection": "main", "source": "order#Z"}}))

    left = close(stack, text="").failures

    assert [each.decision.action for each in left] == [LEAVE, LEAVE]
    assert {each.decision.why for each in left} == {
        "is a rejected message: replay discard deletes it",
        "nothing is stored of it: replay it",
    }


def test_letter_of_what_is_done_by_now_is_deleted() -> None:
    stack = ReplayedStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.correct()
    stack.step()
    stack.run_functions()
    stack.dead_letters[SHIPMENTS].move(letter.body)
    stack.clock.advance(600)

    assert actions(close(stack, order_id="A")) == [("order#A", DELETE)]
    assert (stack.letters(), stack.main.store.load(OrderRecord, ["A"])["A"].state) == ([], OrderState.PLANNED)
