"""The life of one Xero document: which facts change it, and what every outcome of a call makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import ASKED_AT_MOST, IN_FLIGHT_FOR, Desired, Document, State, Work
from amazon_to_xero.domain.books.document_types import IN_XERO, Kind, document_key
from made_up.state import NOON

MINUTE = timedelta(minutes=1)


def desired(amount: str = "10.00", minutes: int | None = 0, **more: Any) -> Desired:
    version = None if minutes is None else NOON + minutes * MINUTE
    return Desired(Kind.INVOICE, "026-1", {"Reference": amount}, version=version, order_id="026-1", **more)


def document(state: State, amount: str = "10.00", **more: Any) -> Document:
    due: datetime | None = None if state in (State.APPLIED, State.FAILED) else NOON
    held = {"desired": desired(amount), "generation": 3, "claim": 3, "due_at": due, "attempts": 2}
    return Document(**{**held, **more}, state=state)


def a_buyer(digest: str, minutes: int = 0) -> Desired:
    body = {"ContactNumber": "AMAZON-B-1", "Buyer": digest}
    return Desired(Kind.CONTACT, "AMAZON-B-1", body, version=NOON + minutes * MINUTE, order_id="026-1")


def a_contact() -> Document:
    return Document(a_buyer("d1"), due_at=NOON)


# --- what should be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_an_older_fact_changes_nothing_in_any_state(state: State) -> None:
    assert document(state).wanting(desired("9.00", minutes=-1), NOON) is None


@pytest.mark.parametrize("state", [state for state in State if state is not State.FAILED])
def test_a_fact_that_asks_for_the_same_changes_nothing_but_the_version_below_which_nothing_wins(state: State) -> None:
    held = document(state)

    assert held.wanting(desired(), NOON) is None
    after = held.wanting(desired(minutes=1), NOON)

    assert after == replace(held, desired=desired(minutes=1))
    assert after is not None
    assert after.wanting(desired("11.00"), NOON) is None


def test_a_failed_document_is_tried_again_when_the_same_is_asked_for_again() -> None:
    failed = document(State.FAILED, reason="ACCOUNT_ARCHIVED", hint="restore it")

    again = failed.wanting(desired(), NOON)

    assert again is not None
    assert (again.state, again.due_at, again.reason, again.hint, again.attempts) == (State.PENDING, NOON, "", "", 0)


@pytest.mark.parametrize("state", [State.PENDING, State.DEFERRED, State.APPLIED, State.FAILED])
@pytest.mark.parametrize("minutes", [0, 1])
def test_another_content_makes_the_document_due(state: State, minutes: int) -> None:
    newer = desired("11.00", minutes=minutes)

    after = document(state, xero_id="id-1", reason="X", hint="y").wanting(newer, NOON + MINUTE)

    assert after is not None
    assert (after.state, after.desired, after.due_at) == (State.PENDING, newer, NOON + MINUTE)
    assert (after.reason, after.hint, after.attempts, after.xero_id) == ("", "", 0, "id-1")


@pytest.mark.parametrize("state", [State.IN_FLIGHT, State.UNKNOWN])
def test_a_document_that_may_stand_in_xero_is_looked_for_before_the_new_content_is_written(state: State) -> None:
    held = document(state, reason="OUTCOME_UNKNOWN", due_at=NOON + MINUTE)

    after = held.wanting(desired("11.00", minutes=1), NOON)

    assert after == replace(held, desired=desired("11.00", minutes=1))
    assert after is not None
    assert after.needs_a_look()


@pytest.mark.parametrize("state", [State.PENDING, State.DEFERRED, State.FAILED])
def test_wanting_again_what_xero_already_holds_needs_no_call(state: State) -> None:
    held = document(state, "11.00", applied_digest=desired().digest, xero_id="id-1")

    after = held.wanting(desired(minutes=1), NOON)

    assert after is not None
    assert (after.state, after.due_at) == (State.APPLIED, None)


def test_a_document_that_should_go_is_another_content_and_may_come_back() -> None:
    applied = document(State.APPLIED, applied_digest=desired().digest, xero_id="id-1")

    going = applied.wanting(desired(minutes=1, removed=True), NOON)
    assert going is not None
    assert going.state is State.PENDING
    staying = going.wanting(desired(minutes=2), NOON)

    assert staying is not None
    assert staying.state is State.APPLIED


def test_a_fact_without_a_version_is_judged_by_its_content() -> None:
    held = replace(document(State.APPLIED), desired=desired(minutes=None))

    assert held.wanting(desired(minutes=None), NOON) is None
    assert held.wanting(desired("11.00", minutes=-9), NOON) is not None
    assert document(State.APPLIED).wanting(desired("11.00", minutes=None), NOON) is not None


def test_a_contact_that_waits_for_its_buyer_is_due_when_somebody_has_read_who_it_is() -> None:
    waiting = a_contact().without_buyer(NOON)
    assert (waiting.state, waiting.due_at, waiting.waits_for_buyer) == (State.DEFERRED, NOON + MINUTE, True)

    for minutes in (-1, 0, 1):
        after = waiting.wanting(a_buyer("d1", minutes), NOON)
        assert after is not None
        assert (after.state, after.due_at, after.reason) == (State.PENDING, NOON, "")
        assert after.desired.version == NOON + max(0, minutes) * MINUTE  # the newest order is the one to ask for

    assert waiting.wanting(a_buyer("d2", -1), NOON) is None
    other = replace(waiting, reason="XERO_MINUTE_LIMIT")
    assert other.wanting(a_buyer("d1", 1), NOON) == replace(other, desired=a_buyer("d1", 1))


def test_a_buyer_is_asked_for_with_growing_patience_and_not_for_ever() -> None:
    contact, waits = a_contact(), list[timedelta]()
    for _ in range(ASKED_AT_MOST + 1):
        assert contact.due_at is not None
        after = contact.without_buyer(contact.due_at)
        waits += [after.due_at - contact.due_at] if after.due_at else []
        contact = after

    assert [wait / MINUTE for wait in waits[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert sum(waits, timedelta()) > timedelta(hours=24)
    assert (contact.state, contact.reason) == (State.FAILED, "BUYER_NOT_AT_HAND")
    again = contact.wanting(a_buyer("d1"), NOON)
    assert again is not None
    assert (again.state, again.asked) == (State.PENDING, 0)


def test_a_failed_contact_is_tried_again_as_it_was_wanted_when_an_older_order_needs_it() -> None:
    failed = a_contact().failed("CONTACT_ARCHIVED", "restore it")

    after = failed.wanting(a_buyer("d2", -1), NOON)

    assert after is not None
    assert (after.state, after.desired, after.reason) == (State.PENDING, failed.desired, "")


# --- what happens to it -----------------------------------------------------------------------------------------------


def test_a_claim_is_named_by_the_generation_it_is_stored_under() -> None:
    # Given the row of generation 7: the store will keep the claim as generation 8
    claimed = document(State.PENDING, generation=7, claim=2, reason="X", hint="y").claimed(NOON)

    assert (claimed.state, claimed.claim, claimed.attempts) == (State.IN_FLIGHT, 8, 3)
    assert claimed.due_at == NOON + IN_FLIGHT_FOR
    assert (claimed.reason, claimed.hint) == ("", "")
    assert claimed.needs_a_look()


def test_whoever_dies_in_flight_leaves_a_document_that_is_looked_for_once_its_call_must_be_over() -> None:
    claimed = document(State.PENDING).claimed(NOON)

    assert not claimed.is_due(NOON + IN_FLIGHT_FOR - timedelta(seconds=1))
    assert claimed.is_due(NOON + IN_FLIGHT_FOR)
    assert timedelta(seconds=2 * 25) < IN_FLIGHT_FOR


def test_xero_holds_what_is_wanted() -> None:
    applied = document(State.IN_FLIGHT, reason="X").applied("id-1", "AUTHORISED", desired().digest, NOON)

    assert (applied.state, applied.due_at, applied.reason) == (State.APPLIED, None, "")
    assert (applied.xero_id, applied.xero_status, applied.applied_digest) == ("id-1", "AUTHORISED", desired().digest)
    assert applied.exists_in_xero


def test_xero_holds_what_was_wanted_before_the_call_and_something_else_is_wanted_now() -> None:
    applied = document(State.IN_FLIGHT, "11.00").applied("id-1", "DRAFT", desired().digest, NOON)

    assert (applied.state, applied.due_at, applied.xero_id) == (State.PENDING, NOON, "id-1")
    assert applied.applied_digest == desired().digest


def test_found_with_another_content_it_is_updated_under_its_id() -> None:
    found = document(State.UNKNOWN, applied_digest=desired().digest).found("id-1", "DRAFT", NOON)

    assert (found.state, found.due_at, found.xero_id, found.applied_digest) == (State.PENDING, NOON, "id-1", "")


def test_absent_it_is_created() -> None:
    absent = document(State.UNKNOWN, xero_id="id-1", xero_status="DRAFT", reason="X").absent(NOON)

    assert (absent.state, absent.due_at, absent.exists_in_xero, absent.reason) == (State.PENDING, NOON, False, "")


def test_deferred_and_unknown_documents_have_a_time_and_a_reason() -> None:
    later = NOON + MINUTE
    deferred = document(State.IN_FLIGHT).deferred(later, "XERO_MINUTE_LIMIT")
    unknown = document(State.IN_FLIGHT).unknown(later, "OUTCOME_UNKNOWN")

    assert (deferred.state, deferred.due_at, deferred.reason) == (State.DEFERRED, later, "XERO_MINUTE_LIMIT")
    assert (unknown.state, unknown.due_at, unknown.reason) == (State.UNKNOWN, later, "OUTCOME_UNKNOWN")
    assert (deferred.needs_a_look(), unknown.needs_a_look()) == (False, True)


def test_a_failed_document_waits_for_a_person_and_for_no_time() -> None:
    failed = document(State.IN_FLIGHT).failed("PERIOD_LOCKED", "move the lock date")

    assert (failed.state, failed.due_at, failed.reason, failed.hint) == (
        State.FAILED,
        None,
        "PERIOD_LOCKED",
        "move the lock date",
    )
    assert not failed.is_due(NOON + timedelta(days=9000))


# --- names ------------------------------------------------------------------------------------------------------------


def test_documents_of_different_kinds_never_share_a_row() -> None:
    assert document_key(Kind.INVOICE, "026-1") == desired().key == "invoice#026-1"
    assert len({document_key(kind, "026-1") for kind in Kind}) == len(Kind)


def test_the_digest_is_of_what_is_sent_and_not_of_when_it_was_said() -> None:
    assert desired(minutes=0).digest == desired(minutes=5).digest
    others = [desired("11.00"), desired(removed=True), desired(refers={"Contact.ContactID": "contact#A"})]
    assert len({desired().digest, *(other.digest for other in others)}) == 4


def test_every_kind_is_posted_after_what_it_refers_to() -> None:
    order = list(Kind)

    assert order.index(Kind.CONTACT) < min(order.index(Kind.INVOICE), order.index(Kind.CREDIT_NOTE))
    assert set(IN_XERO) == set(Kind)
    for kind, spec in IN_XERO.items():
        assert bool(spec.owner) == bool(spec.inside) == bool(spec.open_field) == (not spec.number_field)
        if spec.owner:
            assert order.index(spec.owner) < order.index(kind)
            assert spec.inside.partition(".")[2] == IN_XERO[spec.owner].id_field


@pytest.mark.parametrize(
    ("kind", "status", "removed", "work"),
    [
        (Kind.CONTACT, "", False, None),
        (Kind.INVOICE, "DRAFT", False, Work.ORDERS),
        (Kind.INVOICE, "DRAFT", True, Work.SHIPMENTS),
        (Kind.INVOICE, "AUTHORISED", False, Work.SHIPMENTS),
        (Kind.PAYMENT, "", False, Work.SHIPMENTS),
        (Kind.CREDIT_NOTE, "AUTHORISED", False, Work.SHIPMENTS),
        (Kind.REFUND, "", False, Work.SHIPMENTS),
    ],
)
def test_drafts_are_the_work_of_orders_and_all_that_is_approved_of_shipments(
    kind: Kind, status: str, removed: bool, work: Work | None
) -> None:
    assert Desired(kind, "026-1", {"Status": status}, order_id="026-1", removed=removed).work is work
