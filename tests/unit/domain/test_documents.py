"""The life of one Xero document: which facts change it, and what every outcome of a call makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import (
    CLAIM_DURATION,
    MAX_BUYER_REQUESTS,
    DesiredDocument,
    Document,
    DocumentState,
    Work,
)
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind, document_key
from fakes.state import NOON

MINUTE = timedelta(minutes=1)


def desired(amount: str = "10.00", minutes: int | None = 0, **more: Any) -> DesiredDocument:
    version = None if minutes is None else NOON + minutes * MINUTE
    return DesiredDocument(
        DocumentKind.INVOICE, "026-1", {"Reference": amount}, version=version, order_id="026-1", **more
    )


def document(state: DocumentState, amount: str = "10.00", **more: Any) -> Document:
    due: datetime | None = None if state in (DocumentState.APPLIED, DocumentState.FAILED) else NOON
    held = {"desired": desired(amount), "generation": 3, "claim": 3, "next_attempt_at": due, "attempts": 2}
    return Document(**{**held, **more}, state=state)


def a_buyer(digest: str, minutes: int = 0) -> DesiredDocument:
    body = {"ContactNumber": "AMAZON-B-1", "Buyer": digest}
    return DesiredDocument(DocumentKind.CONTACT, "AMAZON-B-1", body, version=NOON + minutes * MINUTE, order_id="026-1")


def a_contact() -> Document:
    return Document(a_buyer("d1"), next_attempt_at=NOON)


# --- what should be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(DocumentState))
def test_an_older_fact_changes_nothing_in_any_state(state: DocumentState) -> None:
    assert document(state).with_desired(desired("9.00", minutes=-1), NOON) is None


@pytest.mark.parametrize("state", [state for state in DocumentState if state is not DocumentState.FAILED])
def test_a_fact_that_asks_for_the_same_changes_nothing_but_the_version_below_which_nothing_wins(
    state: DocumentState,
) -> None:
    held = document(state)

    assert held.with_desired(desired(), NOON) is None
    after = held.with_desired(desired(minutes=1), NOON)

    assert after == replace(held, desired=desired(minutes=1))
    assert after is not None
    assert after.with_desired(desired("11.00"), NOON) is None


def test_a_failed_document_is_tried_again_when_the_same_is_asked_for_again() -> None:
    failed = document(DocumentState.FAILED, reason="ACCOUNT_ARCHIVED", remedy="restore it")

    again = failed.with_desired(desired(), NOON)

    assert again is not None
    assert (again.state, again.next_attempt_at, again.reason, again.remedy, again.attempts) == (
        DocumentState.PENDING,
        NOON,
        "",
        "",
        0,
    )


@pytest.mark.parametrize(
    "state", [DocumentState.PENDING, DocumentState.DEFERRED, DocumentState.APPLIED, DocumentState.FAILED]
)
@pytest.mark.parametrize("minutes", [0, 1])
def test_another_content_makes_the_document_due(state: DocumentState, minutes: int) -> None:
    newer = desired("11.00", minutes=minutes)

    after = document(state, xero_id="id-1", reason="X", remedy="y").with_desired(newer, NOON + MINUTE)

    assert after is not None
    assert (after.state, after.desired, after.next_attempt_at) == (DocumentState.PENDING, newer, NOON + MINUTE)
    assert (after.reason, after.remedy, after.attempts, after.xero_id) == ("", "", 0, "id-1")


@pytest.mark.parametrize("state", [DocumentState.IN_FLIGHT, DocumentState.UNKNOWN])
def test_a_document_that_may_stand_in_xero_is_looked_for_before_the_new_content_is_written(
    state: DocumentState,
) -> None:
    held = document(state, reason="OUTCOME_UNKNOWN", next_attempt_at=NOON + MINUTE)

    after = held.with_desired(desired("11.00", minutes=1), NOON)

    assert after == replace(held, desired=desired("11.00", minutes=1))
    assert after is not None
    assert after.outcome_unknown


@pytest.mark.parametrize("state", [DocumentState.PENDING, DocumentState.DEFERRED, DocumentState.FAILED])
def test_wanting_again_what_xero_already_holds_needs_no_call(state: DocumentState) -> None:
    held = document(state, "11.00", applied_digest=desired().digest, xero_id="id-1")

    after = held.with_desired(desired(minutes=1), NOON)

    assert after is not None
    assert (after.state, after.next_attempt_at) == (DocumentState.APPLIED, None)


def test_a_document_that_should_go_is_another_content_and_may_come_back() -> None:
    applied = document(DocumentState.APPLIED, applied_digest=desired().digest, xero_id="id-1")

    going = applied.with_desired(desired(minutes=1, tombstone=True), NOON)
    assert going is not None
    assert going.state is DocumentState.PENDING
    staying = going.with_desired(desired(minutes=2), NOON)

    assert staying is not None
    assert staying.state is DocumentState.APPLIED


def test_a_fact_without_a_version_is_judged_by_its_content() -> None:
    held = replace(document(DocumentState.APPLIED), desired=desired(minutes=None))

    assert held.with_desired(desired(minutes=None), NOON) is None
    assert held.with_desired(desired("11.00", minutes=-9), NOON) is not None
    assert document(DocumentState.APPLIED).with_desired(desired("11.00", minutes=None), NOON) is not None


def test_a_contact_that_waits_for_its_buyer_is_due_when_somebody_has_read_who_it_is() -> None:
    waiting = a_contact().awaiting_buyer(NOON)
    assert (waiting.state, waiting.next_attempt_at, waiting.awaits_buyer) == (
        DocumentState.DEFERRED,
        NOON + MINUTE,
        True,
    )

    for minutes in (-1, 0, 1):
        after = waiting.with_desired(a_buyer("d1", minutes), NOON)
        assert after is not None
        assert (after.state, after.next_attempt_at, after.reason) == (DocumentState.PENDING, NOON, "")
        assert after.desired.version == NOON + max(0, minutes) * MINUTE  # the newest order is the one to ask for

    assert waiting.with_desired(a_buyer("d2", -1), NOON) is None
    other = replace(waiting, reason="XERO_MINUTE_LIMIT")
    assert other.with_desired(a_buyer("d1", 1), NOON) == replace(other, desired=a_buyer("d1", 1))


def test_a_buyer_is_asked_for_with_growing_patience_and_not_for_ever() -> None:
    contact, waits = a_contact(), list[timedelta]()
    for _ in range(MAX_BUYER_REQUESTS + 1):
        assert contact.next_attempt_at is not None
        after = contact.awaiting_buyer(contact.next_attempt_at)
        waits += [after.next_attempt_at - contact.next_attempt_at] if after.next_attempt_at else []
        contact = after

    assert [wait / MINUTE for wait in waits[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert sum(waits, timedelta()) > timedelta(hours=24)
    assert (contact.state, contact.reason) == (DocumentState.FAILED, "BUYER_DATA_UNAVAILABLE")
    again = contact.with_desired(a_buyer("d1"), NOON)
    assert again is not None
    assert (again.state, again.asked) == (DocumentState.PENDING, 0)


def test_a_failed_contact_is_tried_again_as_it_was_wanted_when_an_older_order_needs_it() -> None:
    failed = a_contact().failed("CONTACT_ARCHIVED", "restore it")

    after = failed.with_desired(a_buyer("d2", -1), NOON)

    assert after is not None
    assert (after.state, after.desired, after.reason) == (DocumentState.PENDING, failed.desired, "")


# --- what happens to it -----------------------------------------------------------------------------------------------


def test_a_claim_is_named_by_the_generation_it_is_stored_under() -> None:
    # Given the row of generation 7: the store will keep the claim as generation 8
    claimed = document(DocumentState.PENDING, generation=7, claim=2, reason="X", remedy="y").claimed(NOON)

    assert (claimed.state, claimed.claim, claimed.attempts) == (DocumentState.IN_FLIGHT, 8, 3)
    assert claimed.next_attempt_at == NOON + CLAIM_DURATION
    assert (claimed.reason, claimed.remedy) == ("", "")
    assert claimed.outcome_unknown


def test_whoever_dies_in_flight_leaves_a_document_that_is_looked_for_once_its_call_must_be_over() -> None:
    claimed = document(DocumentState.PENDING).claimed(NOON)

    assert not claimed.is_due(NOON + CLAIM_DURATION - timedelta(seconds=1))
    assert claimed.is_due(NOON + CLAIM_DURATION)
    assert timedelta(seconds=2 * 25) < CLAIM_DURATION


def test_xero_holds_what_is_wanted() -> None:
    applied = document(DocumentState.IN_FLIGHT, reason="X").applied("id-1", "AUTHORISED", desired().digest, NOON)

    assert (applied.state, applied.next_attempt_at, applied.reason) == (DocumentState.APPLIED, None, "")
    assert (applied.xero_id, applied.xero_status, applied.applied_digest) == ("id-1", "AUTHORISED", desired().digest)
    assert applied.exists_in_xero


def test_xero_holds_what_was_wanted_before_the_call_and_something_else_is_wanted_now() -> None:
    applied = document(DocumentState.IN_FLIGHT, "11.00").applied("id-1", "DRAFT", desired().digest, NOON)

    assert (applied.state, applied.next_attempt_at, applied.xero_id) == (DocumentState.PENDING, NOON, "id-1")
    assert applied.applied_digest == desired().digest


def test_found_with_another_content_it_is_updated_under_its_id() -> None:
    found = document(DocumentState.UNKNOWN, applied_digest=desired().digest).found_different("id-1", "DRAFT", NOON)

    assert (found.state, found.next_attempt_at, found.xero_id, found.applied_digest) == (
        DocumentState.PENDING,
        NOON,
        "id-1",
        "",
    )


def test_absent_it_is_created() -> None:
    absent = document(DocumentState.UNKNOWN, xero_id="id-1", xero_status="DRAFT", reason="X").found_absent(NOON)

    assert (absent.state, absent.next_attempt_at, absent.exists_in_xero, absent.reason) == (
        DocumentState.PENDING,
        NOON,
        False,
        "",
    )


def test_deferred_and_unknown_documents_have_a_time_and_a_reason() -> None:
    later = NOON + MINUTE
    deferred = document(DocumentState.IN_FLIGHT).deferred(later, "XERO_MINUTE_LIMIT")
    unknown = document(DocumentState.IN_FLIGHT).unknown(later, "OUTCOME_UNKNOWN")

    assert (deferred.state, deferred.next_attempt_at, deferred.reason) == (
        DocumentState.DEFERRED,
        later,
        "XERO_MINUTE_LIMIT",
    )
    assert (unknown.state, unknown.next_attempt_at, unknown.reason) == (DocumentState.UNKNOWN, later, "OUTCOME_UNKNOWN")
    assert (deferred.outcome_unknown, unknown.outcome_unknown) == (False, True)


def test_a_failed_document_waits_for_a_person_and_for_no_time() -> None:
    failed = document(DocumentState.IN_FLIGHT).failed("PERIOD_LOCKED", "move the lock date")

    assert (failed.state, failed.next_attempt_at, failed.reason, failed.remedy) == (
        DocumentState.FAILED,
        None,
        "PERIOD_LOCKED",
        "move the lock date",
    )
    assert not failed.is_due(NOON + timedelta(days=9000))


# --- names ------------------------------------------------------------------------------------------------------------


def test_documents_of_different_kinds_never_share_a_row() -> None:
    assert document_key(DocumentKind.INVOICE, "026-1") == desired().key == "invoice#026-1"
    assert len({document_key(kind, "026-1") for kind in Kind}) == len(DocumentKind)


def test_the_digest_is_of_what_is_sent_and_not_of_when_it_was_said() -> None:
    assert desired(minutes=0).digest == desired(minutes=5).digest
    others = [desired("11.00"), desired(tombstone=True), desired(references={"Contact.ContactID": "contact#A"})]
    assert len({desired().digest, *(other.digest for other in others)}) == 4


def test_every_kind_is_posted_after_what_it_refers_to() -> None:
    order = list(DocumentKind)

    assert order.index(DocumentKind.CONTACT) < min(
        order.index(DocumentKind.INVOICE), order.index(DocumentKind.CREDIT_NOTE)
    )
    assert set(DOCUMENT_TYPES) == set(DocumentKind)
    for kind, spec in DOCUMENT_TYPES.items():
        assert bool(spec.owner) == bool(spec.inside) == bool(spec.open_field) == (not spec.number_field)
        if spec.owner:
            assert order.index(spec.owner) < order.index(kind)
            assert spec.inside.partition(".")[2] == DOCUMENT_TYPES[spec.owner].id_field


@pytest.mark.parametrize(
    ("kind", "status", "removed", "work"),
    [
        (DocumentKind.CONTACT, "", False, None),
        (DocumentKind.INVOICE, "DRAFT", False, ORDERS),
        (DocumentKind.INVOICE, "DRAFT", True, SHIPMENTS),
        (DocumentKind.INVOICE, "AUTHORISED", False, SHIPMENTS),
        (DocumentKind.PAYMENT, "", False, SHIPMENTS),
        (DocumentKind.CREDIT_NOTE, "AUTHORISED", False, SHIPMENTS),
        (DocumentKind.CREDIT_NOTE_REFUND, "", False, SHIPMENTS),
    ],
)
def test_drafts_are_the_work_of_orders_and_all_that_is_approved_of_shipments(
    kind: DocumentKind, status: str, removed: bool, work: Work | None
) -> None:
    assert DesiredDocument(kind, "026-1", {"Status": status}, order_id="026-1", tombstone=removed).work is work
