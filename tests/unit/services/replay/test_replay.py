"""A person's replay: what is sent again, deleted, stopped or left, and what is written down about it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS, ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.replay.record import DONE, ReplayAction
from amazon_to_xero.ports.replay import QueueFailed
from amazon_to_xero.services.replay.cursor import CursorUnusable, parse_cursor
from amazon_to_xero.services.replay.evidence import history_of
from unit.runtime.two_connections import order_change
from unit.services.amazon_orders import HOUR, amazon_order, shipped_order
from unit.services.replay.replayed_stack import ADA, WITHOUT_ACCOUNT, ReplayedStack, actions

SEND, DELETE, STOP, LEAVE, *_ = ReplayAction
DAY = timedelta(days=1)


def stored(stack: ReplayedStack, order_id: str = "A") -> OrderState:
    return stack.main.record(order_id).state


def in_queues(stack: ReplayedStack) -> dict[str, list[str]]:
    """Return the sources that wait in the queues of the functions."""
    return {
        name: [json.loads(body)["reprocess"]["source"] for body in queue.bodies]
        for name, queue in stack.queues.items()
        if queue.bodies
    }


def test_corrected_order_is_sent_to_its_queue_and_entered_and_its_letter_is_gone() -> None:
    stack = ReplayedStack(shipped_order())
    assert stack.letters() == [(SHIPMENTS, "A")]
    stack.correct()

    step = stack.step()

    assert (actions(step), step.cursor) == ([("order#A", SEND)], None)
    assert in_queues(stack) == {SHIPMENTS: ["order#A"]}
    assert stack.letters() == []
    stack.run_functions()
    assert stored(stack) is OrderState.PLANNED
    assert [invoice["InvoiceNumber"] for invoice in stack.main.xero.books["Invoices"].values()] == ["A"]


def test_second_replay_of_a_corrected_order_finds_nothing_and_writes_nothing_to_xero() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    stack.step()
    stack.run_functions()
    written = len(stack.main.xero.writes())

    assert actions(stack.step()) == []
    stack.run_functions()
    assert len(stack.main.xero.writes()) == written


def test_preview_changes_nothing() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    rows = stack.main.store.writes()

    step = stack.step(preview=True)

    assert actions(step) == [("order#A", SEND)]
    assert (in_queues(stack), stack.letters(), stack.main.store.writes() - rows) == ({}, [(SHIPMENTS, "A")], 0)
    assert len(stack.dead_letters[SHIPMENTS].visible) == 1


def test_letter_of_an_order_that_is_entered_meanwhile_is_deleted_and_nothing_is_sent() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    stack.main.connection.services.notices.record_shipments([])
    stack.main.clock.advance(60)
    stack.main.read(stack.main.notice(["A"]))
    stack.run_functions()
    assert stored(stack) is OrderState.PLANNED

    assert actions(stack.step()) == [("order#A", DELETE)]
    assert (in_queues(stack), stack.letters()) == ({}, [])


def test_failed_row_whose_letter_has_expired_is_sent_the_same_way() -> None:
    stack = ReplayedStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].delete(letter)
    stack.correct()

    (failure,) = stack.step().failures

    assert (failure.failure.source, failure.failure.reason, failure.has_letter) == (
        "order#A",
        "ACCOUNT_UNMAPPED",
        False,
    )
    assert in_queues(stack) == {ORDERS: ["order#A"]}
    stack.main.clock.advance(60)
    stack.run_functions()
    assert stored(stack) is OrderState.PLANNED


def test_row_with_a_letter_is_replayed_once() -> None:
    stack = ReplayedStack(shipped_order())

    assert actions(stack.step()) == [("order#A", SEND)]
    assert in_queues(stack) == {SHIPMENTS: ["order#A"]}


def test_two_letters_of_one_order_send_it_once() -> None:
    stack = ReplayedStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].move(letter.body, letter.reason, letter.remedy, "A")

    assert actions(stack.step()) == [("order#A", SEND), ("order#A", DELETE)]
    assert (in_queues(stack), stack.letters()) == ({SHIPMENTS: ["order#A"]}, [])


def test_letter_about_the_transactions_of_a_failed_order_does_not_keep_the_order_from_being_sent() -> None:
    stack = ReplayedStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].delete(letter)  # the order has a row only
    stack.dead_letters[REFUNDS].move(letter.body)

    first = stack.step(limit=1)
    second = stack.step(cursor=first.cursor)

    assert [actions(first), actions(second)] == [[("order#A", SEND)]] * 2
    assert in_queues(stack) == {REFUNDS: ["order#A"], ORDERS: ["order#A"]}


def test_failure_of_what_the_same_replay_has_sent_keeps_its_letter() -> None:
    stack = ReplayedStack(shipped_order("A"), shipped_order("B"))
    stack.clock.advance(1)
    first = stack.step(limit=1)
    stack.clock.advance(1)
    stack.run_functions()  # A fails again

    second = stack.step(cursor=first.cursor)

    assert actions(second) == [("order#B", SEND), ("order#A", LEAVE)]
    assert second.failures[1].decision.why == "has failed again since this replay sent it"
    assert stack.letters() == [(SHIPMENTS, "A")]


def test_only_what_is_selected_is_touched() -> None:
    stack = ReplayedStack(shipped_order("A"), amazon_order("B"), shipped_order("C"))

    assert actions(stack.step(order_id="C")) == [("order#C", SEND)]

    assert stack.letters() == [(ORDERS, "B"), (SHIPMENTS, "A")]
    assert [letter.order_id for letter in stack.dead_letters[SHIPMENTS].visible] == ["A"]
    assert actions(stack.step(functions=frozenset({ORDERS}))) == [("order#B", SEND)]


def test_steps_are_bounded_and_continue_where_the_last_one_ended() -> None:
    stack = ReplayedStack(*(shipped_order(order_id) for order_id in "ABCDE"))
    (letter,) = (each for each in stack.dead_letters[SHIPMENTS].kept if each.order_id == "E")
    stack.dead_letters[SHIPMENTS].delete(letter)  # one of them has a row only
    seen: list[str] = []
    steps = 0
    cursor = None
    while steps == 0 or cursor is not None:
        step = stack.step(limit=2, cursor=cursor)
        cursor = None if step.cursor is None else parse_cursor(step.cursor.as_text())
        seen += [each.failure.source for each in step.failures]
        steps += 1

    assert sorted(seen) == [f"order#{order_id}" for order_id in "ABCDE"]
    assert steps == 3


@pytest.mark.parametrize("preview", [True, False])
def test_step_that_is_out_of_time_leaves_the_rest_to_the_next(preview: bool) -> None:
    stack = ReplayedStack(shipped_order("A"), shipped_order("B"))

    step = stack.step(preview=preview, deadline=timedelta())

    assert step.failures == ()
    assert step.cursor is not None
    assert len(actions(stack.step(preview=preview, cursor=step.cursor))) == 2


def test_order_that_fails_every_time_is_stopped_after_the_cap_and_its_letter_stays() -> None:
    stack = ReplayedStack(shipped_order())
    sent = 0
    for _ in range(9):
        stack.main.clock.advance(HOUR.total_seconds())
        step = stack.step(cap=3)
        sent += actions(step) == [("order#A", SEND)]
        stack.run_functions()

    assert sent == 3
    assert actions(stack.step(cap=3)) == [("order#A", STOP)]
    assert stack.letters() == [(SHIPMENTS, "A")]
    assert actions(stack.step(cap=4)) == [("order#A", SEND)]


def test_evidence_says_who_when_why_and_what_came_of_it() -> None:
    stack = ReplayedStack(shipped_order())
    first_at = stack.clock.now()
    stack.step()
    stack.main.clock.advance(60)
    stack.run_functions()  # it fails again
    stack.correct()
    stack.main.clock.advance(600)
    stack.step()
    stack.run_functions()
    # When the same is found failed later, for whatever cause
    stack.dead_letters[SHIPMENTS].move('{"reprocess": {"connection": "main", "source": "order#A"}}')
    stack.main.clock.advance(600)
    stack.step()

    failed, succeeded, deleted = stack.evidence("order#A").attempts
    assert (failed.at, failed.by, failed.action, failed.capability) == (first_at, ADA, SEND, SHIPMENTS)
    assert (failed.reason, failed.outcome) == ("ACCOUNT_UNMAPPED", "ACCOUNT_UNMAPPED")
    assert (succeeded.by, succeeded.outcome, succeeded.outcome_at) == (ADA, DONE, stack.clock.now())
    assert (deleted.action, deleted.by) == (DELETE, ADA)


def test_history_is_completed_with_what_came_of_the_last_attempt() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    stack.step()
    stack.run_functions()

    (attempt,) = history_of(stack.main.store, "order#A", stack.clock.now()).attempts

    assert (attempt.outcome, attempt.outcome_at) == (DONE, stack.clock.now())
    assert stack.evidence("order#A").attempts == (attempt,)


def test_stopped_letter_is_replayed_by_a_person_like_any_other() -> None:
    stack = ReplayedStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].delete(letter)
    stack.stopped_letters.capability = SHIPMENTS
    stack.stopped_letters.move(letter.body, letter.reason, letter.remedy, "A")

    assert actions(stack.step(functions=frozenset({SHIPMENTS}))) == [("order#A", SEND)]
    assert (stack.stopped_letters.kept, in_queues(stack)) == ([], {SHIPMENTS: ["order#A"]})


def test_decision_is_logged_with_who_made_it() -> None:
    stack = ReplayedStack(shipped_order())

    stack.step()

    (line,) = stack.main.decisions.of("REPLAYED")
    assert line == {
        "order_id": "A",
        "reason": "ACCOUNT_UNMAPPED",
        "source": "order#A",
        "queue": SHIPMENTS,
        "by": ADA,
    }


def test_order_that_was_sent_a_moment_ago_is_left_to_its_function() -> None:
    stack = ReplayedStack(shipped_order())
    stack.step()
    stack.main.clock.advance(60)

    (failure,) = stack.step().failures

    assert (failure.decision.action, failure.decision.why) == (LEAVE, "is being processed")
    assert in_queues(stack) == {SHIPMENTS: ["order#A"]}


def test_letter_stays_when_the_queue_does_not_take_the_message() -> None:
    stack = ReplayedStack(shipped_order())
    stack.queues[SHIPMENTS].broken = True

    with pytest.raises(QueueFailed):
        stack.step()

    assert len(stack.dead_letters[SHIPMENTS].visible) == 1


def test_crash_between_sending_and_deleting_leaves_the_letter_and_enters_the_order_once() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    stack.dead_letters[SHIPMENTS].fails = {"delete"}
    with pytest.raises(QueueFailed):
        stack.step()
    stack.dead_letters[SHIPMENTS].fails = set()
    assert stack.letters() == [(SHIPMENTS, "A")]

    stack.run_functions()
    stack.main.clock.advance(600)

    assert actions(stack.step()) == [("order#A", DELETE)]
    assert len(stack.main.xero.writes("Invoices")) == 1
    assert stack.letters() == []


# --- messages that are no dead letters of ours ------------------------------------------------------------------------


def test_unreadable_message_is_left_with_what_is_wrong_with_it() -> None:
    stack = ReplayedStack()
    stack.dead_letters[REFUNDS].move("{not JSON")

    (failure,) = stack.step().failures

    assert (failure.decision.action, failure.failure.reason) == (LEAVE, "MALFORMED_MESSAGE")
    assert "is not JSON" in failure.failure.remedy
    assert len(stack.dead_letters[REFUNDS].visible) == 1


def test_letter_that_names_no_function_is_left_and_stops_no_other() -> None:
    stack = ReplayedStack(shipped_order())
    stack.stopped_letters.capability = ""
    stack.stopped_letters.move('{"reprocess": {"connection": "main", "source": "order#A"}}')

    found = {each.failure.capability: each for each in stack.step().failures}

    assert found[SHIPMENTS].decision.action is SEND
    assert found[""].decision.action is LEAVE
    assert "names no function" in found[""].failure.remedy


def test_message_of_a_seller_that_is_not_connected_is_left() -> None:
    stack = ReplayedStack()
    stack.dead_letters[ORDERS].move(order_change("A", "A2OTHERSELLER", stack.clock.now()))

    assert [action for _, action in actions(stack.step())] == [LEAVE]


def test_notification_that_sqs_has_moved_is_sent_again_as_it_is() -> None:
    stack = ReplayedStack()
    body = order_change("B", stack.main.seller_id, stack.clock.now())
    stack.dead_letters[ORDERS].move(body)

    (failure,) = stack.step().failures

    assert (failure.decision.action, failure.failure.order_id) == (SEND, "B")
    assert (stack.queues[ORDERS].bodies, stack.letters()) == ([body], [])


def test_notification_of_an_order_that_was_read_since_is_deleted() -> None:
    stack = ReplayedStack(shipped_order())
    stack.dead_letters[ORDERS].move(order_change("A", stack.main.seller_id, stack.clock.now() - HOUR))

    assert [action for _, action in actions(stack.step(functions=frozenset({ORDERS})))] == [DELETE]
    assert stack.queues[ORDERS].bodies == []


def test_notification_is_stopped_after_the_cap_although_each_letter_of_it_is_another() -> None:
    stack = ReplayedStack()
    body = '{"reprocess": {"connection": "main", "source": "stock#fba#A1F83G8C2ARO7P#TEA-50"}}'
    found = []
    for _ in range(3):
        stack.dead_letters[INVENTORY_ALERTS].move(body)
        found += actions(stack.step(cap=2))
        stack.main.clock.advance(HOUR.total_seconds())

    assert [action for _, action in found] == [SEND, SEND, STOP]


# --- what cannot be selected ------------------------------------------------------------------------------------------


def test_failed_rows_that_a_filter_by_age_leaves_out_are_counted() -> None:
    stack = ReplayedStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].delete(letter)

    step = stack.step(older_than=HOUR)

    assert (step.failures, step.without_age) == ((), 1)


def test_failed_document_sends_its_source_to_the_queue_of_its_capability() -> None:
    stack = ReplayedStack(shipped_order(), policy=replace(WITHOUT_ACCOUNT))
    stack.correct()
    stack.main.xero.refusals["A"] = ("Some refusal that nobody knows",)
    stack.step()
    stack.run_functions()
    assert [reason for _, reason in stack.dead_letters[SHIPMENTS].reasons] == ["ACCOUNT_UNMAPPED", "XERO_REFUSED"]
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].delete(letter)
    stack.main.xero.refusals.clear()
    stack.main.clock.advance(HOUR.total_seconds())

    (failure,) = stack.step().failures

    assert (failure.failure.reason, failure.failure.capability) == ("XERO_REFUSED", SHIPMENTS)
    stack.run_functions()
    assert len(stack.main.xero.books["Invoices"]) == 1


@pytest.mark.parametrize("text", ["", "{}", "[1]", '["no time"]', '["2026-11-27T12:00:00+00:00", 3]'])
def test_cursor_that_no_step_returned_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(CursorUnusable, match="cursor"):
        parse_cursor(text)
