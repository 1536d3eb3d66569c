"""Refunds as the planner needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache


class RefundPlans:
    """PlannedSource of transactions. It books nothing yet."""

    record_type = TransactionRecord

    def __init__(
        self,
        policy: PostingPolicy,
        organisation: OrganisationCache,
        store: StateStore,
        clock: Clock,
        read_order: Callable[[Sequence[str]], object],
    ) -> None:
        """`read_order` makes orders due to be read, by their ids."""
        self._services = policy, organisation, store, clock, read_order

    def document_keys(self, record: TransactionRecord) -> set[str]:
        return set(record.documents)

    def plan(self, record: TransactionRecord, held: HeldDocuments) -> PlannedRecord[TransactionRecord]:
        return PlannedRecord(record.settled(TransactionState.NOT_BOOKED))
