"""The states of one document: what a request of its source changes, and what each outcome of a call makes of it."""

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
)
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind, document_key
from amazon_to_xero.domain.failures import FailureCode
from fakes.state import NOON

MINUTE = timedelta(minutes=1)
SOURCE = "order#026-1"


def desired(amount: str = "10.00", minutes: int | None = 0, **more: Any) -> DesiredDocument:
    """The invoice as a version of the order so many minutes after noon asks for it."""
    version = None if minutes is None else NOON + minutes * MINUTE
    body = {"Reference": amount}
    return DesiredDocument(DocumentKind.INVOICE, "026-1", body, SOURCE, source_version=version, **more)


def document(state: DocumentState, amount: str = "10.00", **more: Any) -> Document:
    due: datetime | None = None if state in (DocumentState.APPLIED, DocumentState.FAILED) else NOON
    held = {"desired": desired(amount), "generation": 3, "claim": 3, "next_attempt_at": due, "attempts": 2}
    return Document(**{**held, **more}, state=state)


def buyer_contact(digest: str, minutes: int = 0) -> DesiredDocument:
    body = {"ContactNumber": "AMAZON-B-1", "BuyerDigest": digest}
    version = NOON + minutes * MINUTE
    return DesiredDocument(DocumentKind.CONTACT, "AMAZON-B-1", body, SOURCE, source_version=version)


def pending_contact() -> Document:
    return Document(buyer_contact("d1"), next_attempt_at=NOON)


# --- what the source asks for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(DocumentState))
def test_older_version_changes_nothing_in_any_state(state: DocumentState) -> None:
    assert document(state).with_desired(desired("9.00", minutes=-1), NOON) is None


@pytest.mark.parametrize("state", [state for state in DocumentState if state is not DocumentState.FAILED])
def test_newer_version_with_the_same_content_changes_only_the_stored_version(state: DocumentState) -> None:
    held = document(state)

    assert held.with_desired(desired(), NOON) is None
    after = held.with_desired(desired(minutes=1), NOON)

    assert after == replace(held, desired=desired(minutes=1))
    assert after is not None
    assert after.with_desired(desired("11.00"), NOON) is None


def test_failed_document_is_retried_when_its_source_asks_for_the_same_again() -> None:
    failed = document(DocumentState.FAILED, reason="ACCOUNT_ARCHIVED", remedy="restore it")

    again = failed.with_desired(desired(), NOON)

    assert again is not None
    assert (again.state, again.next_attempt_at) == (DocumentState.PENDING, NOON)
    assert (again.reason, again.remedy, again.attempts) == ("", "", 0)


@pytest.mark.parametrize(
    "state", [DocumentState.PENDING, DocumentState.DEFERRED, DocumentState.APPLIED, DocumentState.FAILED]
)
@pytest.mark.parametrize("minutes", [0, 1])
def test_changed_content_makes_the_document_due(state: DocumentState, minutes: int) -> None:
    newer = desired("11.00", minutes=minutes)

    after = document(state, xero_id="id-1", reason="X", remedy="y").with_desired(newer, NOON + MINUTE)

    assert after is not None
    assert (after.state, after.desired, after.next_attempt_at) == (DocumentState.PENDING, newer, NOON + MINUTE)
    assert (after.reason, after.remedy, after.attempts, after.xero_id) == ("", "", 0, "id-1")


@pytest.mark.parametrize("state", [DocumentState.IN_FLIGHT, DocumentState.UNKNOWN])
def test_changed_content_does_not_end_an_unknown_outcome(state: DocumentState) -> None:
    held = document(state, reason="OUTCOME_UNKNOWN", next_attempt_at=NOON + MINUTE)

    after = held.with_desired(desired("11.00", minutes=1), NOON)

    assert after == replace(held, desired=desired("11.00", minutes=1))
    assert after is not None
    assert after.outcome_unknown


@pytest.mark.parametrize("state", [DocumentState.PENDING, DocumentState.DEFERRED, DocumentState.FAILED])
def test_request_for_what_xero_already_holds_needs_no_call(state: DocumentState) -> None:
    held = document(state, "11.00", applied_digest=desired().digest, xero_id="id-1")

    after = held.with_desired(desired(minutes=1), NOON)

    assert after is not None
    assert (after.state, after.next_attempt_at) == (DocumentState.APPLIED, None)


def test_tombstone_makes_the_document_due_and_the_original_request_restores_it() -> None:
    applied = document(DocumentState.APPLIED, applied_digest=desired().digest, xero_id="id-1")

    removal = applied.with_desired(desired(minutes=1, tombstone=True), NOON)
    assert removal is not None
    assert removal.state is DocumentState.PENDING
    restored = removal.with_desired(desired(minutes=2), NOON)

    assert restored is not None
    assert restored.state is DocumentState.APPLIED


def test_requests_without_a_version_are_compared_by_content() -> None:
    held = replace(document(DocumentState.APPLIED), desired=desired(minutes=None))

    assert held.with_desired(desired(minutes=None), NOON) is None
    assert held.with_desired(desired("11.00", minutes=-9), NOON) is not None
    assert document(DocumentState.APPLIED).with_desired(desired("11.00", minutes=None), NOON) is not None


# --- a buyer's contact ------------------------------------------------------------------------------------------------


def test_contact_awaiting_its_buyer_is_due_when_any_order_of_the_buyer_was_read() -> None:
    waiting = pending_contact().awaiting_buyer(NOON)
    assert (waiting.state, waiting.next_attempt_at) == (DocumentState.DEFERRED, NOON + MINUTE)
    assert waiting.awaits_buyer

    for minutes in (-1, 0, 1):
        after = waiting.with_desired(buyer_contact("d1", minutes), NOON)
        assert after is not None
        assert (after.state, after.next_attempt_at, after.reason) == (DocumentState.PENDING, NOON, "")
        assert after.desired.source_version == NOON + max(0, minutes) * MINUTE  # the newest order is read again first

    assert waiting.with_desired(buyer_contact("d2", -1), NOON) is None
    other = replace(waiting, reason="XERO_MINUTE_LIMIT")
    assert other.with_desired(buyer_contact("d1", 1), NOON) == replace(other, desired=buyer_contact("d1", 1))


def test_buyer_is_requested_at_growing_intervals_for_about_a_day() -> None:
    contact, waits = pending_contact(), list[timedelta]()
    for _ in range(MAX_BUYER_REQUESTS + 1):
        assert contact.next_attempt_at is not None
        after = contact.awaiting_buyer(contact.next_attempt_at)
        waits += [after.next_attempt_at - contact.next_attempt_at] if after.next_attempt_at else []
        contact = after

    assert [wait / MINUTE for wait in waits[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert sum(waits, timedelta()) > timedelta(hours=24)
    assert (contact.state, contact.reason) == (DocumentState.FAILED, "BUYER_DATA_UNAVAILABLE")
    again = contact.with_desired(buyer_contact("d1"), NOON)
    assert again is not None
    assert (again.state, again.buyer_requests) == (DocumentState.PENDING, 0)


def test_failed_contact_is_retried_unchanged_when_an_older_order_needs_it() -> None:
    failed = pending_contact().failed(FailureCode.CONTACT_ARCHIVED, "restore it")

    after = failed.with_desired(buyer_contact("d2", -1), NOON)

    assert after is not None
    assert (after.state, after.desired, after.reason) == (DocumentState.PENDING, failed.desired, "")


# --- what happens in posting ------------------------------------------------------------------------------------------


def test_claim_is_the_generation_under_which_it_is_stored() -> None:
    # Given the row of generation 7: the store will keep the claim as generation 8
    claimed = document(DocumentState.PENDING, generation=7, claim=2, reason="X", remedy="y").claimed(NOON)

    assert (claimed.state, claimed.claim, claimed.attempts) == (DocumentState.IN_FLIGHT, 8, 3)
    assert claimed.next_attempt_at == NOON + CLAIM_DURATION
    assert (claimed.reason, claimed.remedy) == ("", "")
    assert claimed.outcome_unknown


def test_claimed_document_is_due_again_only_after_its_call_must_have_ended() -> None:
    claimed = document(DocumentState.PENDING).claimed(NOON)

    assert not claimed.is_due(NOON + CLAIM_DURATION - timedelta(seconds=1))
    assert claimed.is_due(NOON + CLAIM_DURATION)
    assert timedelta(seconds=2 * 25) < CLAIM_DURATION


def test_applied_document_is_no_longer_due() -> None:
    applied = document(DocumentState.IN_FLIGHT, reason="X").applied("id-1", "AUTHORISED", desired().digest, NOON)

    assert (applied.state, applied.next_attempt_at, applied.reason) == (DocumentState.APPLIED, None, "")
    assert (applied.xero_id, applied.xero_status, applied.applied_digest) == ("id-1", "AUTHORISED", desired().digest)
    assert applied.exists_in_xero


def test_document_whose_request_changed_during_the_call_is_due_again() -> None:
    applied = document(DocumentState.IN_FLIGHT, "11.00").applied("id-1", "DRAFT", desired().digest, NOON)

    assert (applied.state, applied.next_attempt_at, applied.xero_id) == (DocumentState.PENDING, NOON, "id-1")
    assert applied.applied_digest == desired().digest


def test_document_found_with_other_content_is_to_be_updated_by_its_xero_id() -> None:
    found = document(DocumentState.UNKNOWN, applied_digest=desired().digest).found_different("id-1", "DRAFT", NOON)

    assert (found.state, found.next_attempt_at) == (DocumentState.PENDING, NOON)
    assert (found.xero_id, found.applied_digest) == ("id-1", "")


def approved(amount: str, minutes: int = 0, status: str = "AUTHORISED") -> DesiredDocument:
    request = desired(amount, minutes)
    return replace(request, body={**request.body, "Status": status})


def changing(status: str = "AUTHORISED") -> Document:
    """An invoice in Xero of which the order asks for a change."""
    was = approved("10.00", status=status)
    held = document(DocumentState.APPLIED, desired=was, applied_digest=was.digest, xero_id="x-1")
    after = held.with_desired(approved("12.00", 1), NOON)
    assert after is not None
    return after


def test_approved_invoice_keeps_what_xero_holds_while_a_change_is_under_way() -> None:
    held = changing()

    assert held.content_in_xero == approved("10.00")
    changed_again = held.claimed(NOON).unknown(NOON).with_desired(approved("13.00", 2), NOON)
    assert changed_again is not None
    assert changed_again.content_in_xero == approved("10.00")
    assert changed_again.found_different("x-1", "AUTHORISED", NOON).content_in_xero is None
    unchanged = changed_again.found_different("x-1", "AUTHORISED", NOON, is_unchanged=True)
    assert unchanged.content_in_xero == approved("10.00")


def test_what_was_applied_before_is_forgotten_once_the_change_is_applied_or_taken_back() -> None:
    held = changing()

    assert held.applied("x-1", "AUTHORISED", held.desired.digest, NOON).last_applied is None
    taken_back = held.with_desired(approved("10.00", 2), NOON)
    assert taken_back is not None
    assert (taken_back.state, taken_back.last_applied) == (DocumentState.APPLIED, None)


def test_draft_keeps_no_earlier_content() -> None:
    assert changing("DRAFT").last_applied is None


def test_document_not_found_in_xero_is_to_be_created() -> None:
    absent = document(DocumentState.UNKNOWN, xero_id="id-1", xero_status="DRAFT", reason="X").found_absent(NOON)

    assert (absent.state, absent.next_attempt_at) == (DocumentState.PENDING, NOON)
    assert (absent.exists_in_xero, absent.reason) == (False, "")


def test_deferred_and_unknown_documents_have_a_next_attempt_and_a_reason() -> None:
    later = NOON + MINUTE
    deferred = document(DocumentState.IN_FLIGHT).deferred(later, "XERO_MINUTE_LIMIT")
    unknown = document(DocumentState.IN_FLIGHT).unknown(later)

    assert (deferred.state, deferred.next_attempt_at) == (DocumentState.DEFERRED, later)
    assert (unknown.state, unknown.next_attempt_at) == (DocumentState.UNKNOWN, later)
    assert (deferred.reason, unknown.reason) == ("XERO_MINUTE_LIMIT", "OUTCOME_UNKNOWN")
    assert (deferred.outcome_unknown, unknown.outcome_unknown) == (False, True)


def test_failed_document_is_never_due() -> None:
    failed = document(DocumentState.IN_FLIGHT).failed(FailureCode.PERIOD_LOCKED, "move the lock date")

    assert (failed.state, failed.next_attempt_at) == (DocumentState.FAILED, None)
    assert (failed.reason, failed.remedy) == ("PERIOD_LOCKED", "move the lock date")
    assert not failed.is_due(NOON + timedelta(days=9000))


# --- keys, digests, kinds ---------------------------------------------------------------------------------------------


def test_documents_of_different_kinds_have_different_keys() -> None:
    assert document_key(DocumentKind.INVOICE, "026-1") == desired().key == "invoice#026-1"
    assert len({document_key(kind, "026-1") for kind in DocumentKind}) == len(DocumentKind)


def test_digest_covers_content_references_and_tombstone_but_not_the_version() -> None:
    assert desired(minutes=0).digest == desired(minutes=5).digest
    others = [desired("11.00"), desired(tombstone=True), desired(references={"Contact.ContactID": "contact#A"})]
    assert len({desired().digest, *(other.digest for other in others)}) == 4


def test_digest_does_not_cover_source_and_capability() -> None:
    assert replace(desired(), source="order#026-2", capability="orders").digest == desired().digest


def test_every_kind_is_posted_after_the_kinds_it_refers_to() -> None:
    order = list(DocumentKind)

    assert order.index(DocumentKind.CONTACT) < min(
        order.index(DocumentKind.INVOICE), order.index(DocumentKind.CREDIT_NOTE)
    )
    assert set(DOCUMENT_TYPES) == set(DocumentKind)
    for kind, spec in DOCUMENT_TYPES.items():
        assert bool(spec.owner) == bool(spec.owner_path) == (not spec.number_field)
        for path, settled in spec.settles.items():
            assert order.index(settled) < order.index(kind)
            assert path.partition(".")[2] == DOCUMENT_TYPES[settled].id_field
            assert DOCUMENT_TYPES[settled].open_amount_field
    # A credit note is applied to its invoice first; what is left of it is refunded.
    assert order.index(DocumentKind.ALLOCATION) < order.index(DocumentKind.CREDIT_NOTE_REFUND)
