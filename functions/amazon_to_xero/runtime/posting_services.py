"""The services of one connection that write to Xero."""

from __future__ import annotations

from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.approvals import Approvals
from amazon_to_xero.services.posting.outcome_resolution import OutcomeResolution
from amazon_to_xero.services.posting.poster import DocumentPoster
from amazon_to_xero.services.posting.requests import EditReport, ReadRequest, RequestBuilder, SourceRequest
from amazon_to_xero.services.posting.transitions import DocumentTransitions
from amazon_to_xero.services.posting.writer import BatchWriter


def document_poster(
    connection: str,
    xero: XeroApi,
    store: StateStore,
    pauses: Pauses,
    dead_letters: DeadLetters,
    buyer_details: BuyerDetails,
    read_again: ReadRequest,
    plan_again: SourceRequest,
    clock: Clock,
    decisions: DecisionLog,
    plan_for_other_dates: SourceRequest | None = None,
    lock_dates: LockDates = LockDates.HOLD,
    report_edits: EditReport = lambda documents: None,
) -> DocumentPoster:
    """Return the poster of a connection. It needs nothing of Amazon, and knows no source."""
    transitions = DocumentTransitions(store, dead_letters, clock, decisions)
    return DocumentPoster(
        xero,
        store,
        pauses,
        RequestBuilder(store, transitions, buyer_details.details, read_again, plan_again, clock),
        BatchWriter(connection, xero, store, transitions, pauses, clock, plan_for_other_dates, lock_dates),
        OutcomeResolution(xero, store, transitions, pauses, clock, plan_again, report_edits),
        transitions,
        clock,
    )


def approvals(shared: SharedServices, plan_again: SourceRequest) -> Approvals:
    """Return what finds invoices that people have approved in Xero."""
    transitions = DocumentTransitions(shared.store, shared.dead_letters, shared.clock, shared.decisions)
    return Approvals(
        shared.xero,
        shared.store,
        transitions,
        shared.pauses,
        plan_again,
        shared.clock,
        is_needed=shared.policy.has_review,
    )
