"""The next state of a document is saved once, logged, and dead-lettered first; another worker's state is kept."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from functools import partial

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.posting.transitions import DocumentTransitions, Transition
from amazon_to_xero.services.state_updates import ATTEMPTS
from amazon_to_xero.services.work_report import PostReport
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDeadLetters, RecordingDecisionLog
from unit.desired_documents import CONTACT, MINUTE, desired_invoice, desired_payment

CLAIMED_LATER = NOON + MINUTE


class Transitions:
    """The transitions of one connection, and the invoice that a worker has claimed."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.queue = RecordingDeadLetters()
        self.decisions = RecordingDecisionLog()
        dead_letters = DeadLetters("main", {SHIPMENTS: self.queue}, self.decisions)
        self.transitions = DocumentTransitions(self.store, dead_letters, self.clock, self.decisions)
        self.apply = self.transitions.apply

    def claim(self, desired: DesiredDocument | None = None) -> Document:
        """Store a document as claimed by this worker."""
        new = self.store.save([Document(desired or desired_invoice(), next_attempt_at=NOON)])
        claimed = self.store.save([each.claimed(NOON) for each in new.values()])
        return next(iter(claimed.values()))

    def stored(self, document: Document) -> Document:
        return self.store.load(Document, [document.key])[document.key]

    def request(self, document: Document, minutes: int = 1) -> None:
        """Save a newer request for the document, with another price."""
        newer = self.stored(document).with_desired(desired_invoice(price="12.00", minutes=minutes), NOON)
        assert newer is not None
        assert self.store.save([newer])

    def claim_by_another_worker(self, document: Document) -> None:
        """Save what another worker does that finds this one's claim expired: it looks the document up and claims it."""
        absent = self.store.save([self.stored(document).found_absent(NOON)])[document.key]
        self.store.save([absent.claimed(CLAIMED_LATER)])


@pytest.fixture
def posting() -> Transitions:
    return Transitions()


applied = partial(Document.applied, xero_id="id-1", status="AUTHORISED", digest=desired_invoice().digest, now=NOON)
failed = partial(Document.failed, code=FailureCode.PERIOD_LOCKED, remedy="Move the lock date.")
deferred = partial(Document.deferred, until=NOON + MINUTE, reason="XERO_MINUTE_LIMIT")


# --- the log and the report -------------------------------------------------------------------------------------------


def test_applied_document_is_logged_with_its_source_status_and_total(posting: Transitions) -> None:
    assert posting.apply([(posting.claim(), applied)]) == PostReport(applied=1)

    assert posting.decisions.of("APPLIED") == [
        {
            "order_id": "A",
            "document": "invoice#A",
            "source": "order#A",
            "xero_status": "AUTHORISED",
            "total": "10.00",
        }
    ]


def test_failed_document_is_logged_and_dead_lettered_with_its_reason_and_remedy(posting: Transitions) -> None:
    assert posting.apply([(posting.claim(), failed)]) == PostReport(failed=1)

    (logged,) = posting.decisions.of("FAILED")
    assert (logged["reason"], logged["remedy"]) == ("PERIOD_LOCKED", "Move the lock date.")
    assert "xero_status" not in logged
    (letter,) = posting.queue.letters
    assert (letter.order_id, letter.reason, letter.remedy) == ("A", "PERIOD_LOCKED", "Move the lock date.")


def test_document_without_order_or_total_is_logged_without_them(posting: Transitions) -> None:
    posting.apply([(posting.claim(CONTACT), deferred)])

    assert posting.decisions.of("DEFERRED") == [
        {"document": "contact#AMAZON-UK", "source": "settings#AMAZON-UK", "reason": "XERO_MINUTE_LIMIT"}
    ]


@pytest.mark.parametrize(
    ("desired", "code"), [(CONTACT, FailureCode.CONTACT_ARCHIVED), (desired_payment(), FailureCode.REFERENCE_FAILED)]
)
def test_contact_and_document_that_failed_with_its_reference_send_no_dead_letter(
    posting: Transitions, desired: DesiredDocument, code: FailureCode
) -> None:
    report = posting.apply([(posting.claim(desired), partial(Document.failed, code=code, remedy="…"))])

    assert report == PostReport(failed=1)
    assert posting.queue.letters == []


def test_dead_letter_of_a_document_without_an_order_names_its_source_only(posting: Transitions) -> None:
    posting.apply([(posting.claim(replace(desired_invoice(), source="statement#S-1", order_id="")), failed)])

    (letter,) = posting.queue.letters
    assert letter.order_id is None
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "source": "statement#S-1"}}


# --- rows that another writer changed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transition", "state"),
    [
        (applied, DocumentState.PENDING),  # what Xero holds is not what is requested by now
        (failed, DocumentState.FAILED),
        (deferred, DocumentState.DEFERRED),
    ],
)
def test_newer_request_is_kept_and_gets_the_outcome_of_the_call(
    posting: Transitions, transition: Transition, state: DocumentState
) -> None:
    claimed = posting.claim()
    posting.store.meanwhile(lambda: posting.request(claimed))

    posting.apply([(claimed, transition)])

    after = posting.stored(claimed)
    assert (after.desired, after.state) == (desired_invoice(price="12.00", minutes=1), state)
    assert [note.decision for note in posting.decisions.notes] == [state]


def test_failure_of_a_newer_request_is_dead_lettered(posting: Transitions) -> None:
    claimed = posting.claim()
    posting.request(claimed)

    assert posting.apply([(claimed, failed)]) == PostReport(failed=1)

    assert posting.queue.reasons == [("A", "PERIOD_LOCKED")]


def test_state_of_another_workers_claim_is_kept_when_nothing_was_written(posting: Transitions) -> None:
    claimed = posting.claim()
    posting.claim_by_another_worker(claimed)

    assert posting.apply([(claimed, deferred)]) == PostReport()

    after = posting.stored(claimed)
    assert (after.state, after.claim) == (DocumentState.IN_FLIGHT, claimed.claim + 2)
    assert posting.decisions.notes == []


def test_document_of_another_workers_claim_is_looked_up_when_this_one_may_have_written_it(posting: Transitions) -> None:
    claimed = posting.claim()
    posting.claim_by_another_worker(claimed)

    assert posting.apply([(claimed, applied)], may_have_written=True) == PostReport()

    after = posting.stored(claimed)
    assert (after.state, after.reason, after.next_attempt_at) == (DocumentState.UNKNOWN, "CHANGED_MEANWHILE", NOON)
    assert len(posting.decisions.of("UNKNOWN")) == 1


def test_failure_after_another_workers_claim_sends_no_dead_letter(posting: Transitions) -> None:
    claimed = posting.claim()
    posting.claim_by_another_worker(claimed)

    posting.apply([(claimed, failed)], may_have_written=True)

    assert posting.queue.letters == []
    assert posting.stored(claimed).state is DocumentState.UNKNOWN


def test_document_that_is_to_be_looked_up_already_is_not_saved_again(posting: Transitions) -> None:
    claimed = posting.claim()
    posting.store.save([posting.stored(claimed).unknown(NOON + MINUTE)])
    written = posting.store.writes()

    assert posting.apply([(claimed, applied)], may_have_written=True) == PostReport()

    assert posting.store.writes() == written
    assert posting.stored(claimed).reason == "OUTCOME_UNKNOWN"


def test_save_that_loses_twice_is_repeated(posting: Transitions) -> None:
    claimed = posting.claim()
    posting.store.meanwhile(lambda: posting.request(claimed, minutes=1), lambda: posting.request(claimed, minutes=2))

    assert posting.apply([(claimed, deferred)]) == PostReport()

    after = posting.stored(claimed)
    assert (after.state, after.desired) == (DocumentState.DEFERRED, desired_invoice(price="12.00", minutes=2))


def test_save_that_loses_every_attempt_leaves_the_document_in_flight(posting: Transitions) -> None:
    claimed = posting.claim()
    versions = itertools.count(1)
    posting.store.meanwhile(*[lambda: posting.request(claimed, minutes=next(versions))] * (ATTEMPTS + 1))

    assert posting.apply([(claimed, deferred)]) == PostReport()

    assert posting.stored(claimed).state is DocumentState.IN_FLIGHT  # it is looked up once its claim expires
    assert posting.decisions.notes == []
