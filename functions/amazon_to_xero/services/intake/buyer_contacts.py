"""Requests the contacts of orders that have just been read.

This is the reader's work and not the planner's, because a buyer's details are only in the memory of the process that
has just read the order: the row of the contact holds a digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amazon_to_xero.domain.amazon.order import Fulfilment
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.contact import Customer, Pseudonym, customer_of
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import is_booked
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.planning.document_requests import request_documents

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_NEEDS_CONTACT = (OrderState.RECORDED, OrderState.PLANNED)


class BuyerContacts:
    """The customers of orders, and the requests for their contacts."""

    def __init__(
        self,
        store: StateStore,
        policy: PostingPolicy,
        details: BuyerDetails,
        pseudonym: Pseudonym,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        self._store = store
        self._policy = policy
        self._details = details
        self._pseudonym = pseudonym
        self._clock = clock
        self._decisions = decisions

    def customer(self, raw_order: Mapping[str, Any]) -> Customer | None:
        """Return who an order is invoiced to, and remember a buyer's details; None for orders not booked here."""
        channel = raw_order.get("salesChannel")
        if not isinstance(channel, Mapping) or channel.get("channelName") != "AMAZON":
            return None
        marketplace_id = channel.get("marketplaceId")
        if not isinstance(marketplace_id, str) or not is_booked(marketplace_id, self._policy):
            return None
        customer = customer_of(raw_order, marketplace_id, self._policy.contacts, self._pseudonym)
        self._details.remember(customer)
        return customer

    def number_to_keep(self, record: OrderRecord, customer: Customer) -> str:
        """Return the order's contact number: the buyer's, even once Amazon no longer says who the buyer is."""
        if customer.is_buyer_unknown and record.contact_number not in ("", customer.number):
            held = self._contact(record.contact_number)
            if held is not None and held.exists_in_xero:
                return record.contact_number
        return customer.number

    def contacts_for(self, before: OrderRecord, after: OrderRecord, customer: Customer) -> list[DesiredDocument]:
        """Return the contact that an order asks for; none where an earlier contact is kept."""
        if after.source_version is None or after.contact_number != customer.number:
            return []
        if after.status == Fulfilment.CANCELLED or after.state not in _NEEDS_CONTACT:
            # It needs no contact itself. Another order of the buyer may wait for this one to state who they are.
            held = self._contact(customer.number) if customer.details is not None else None
            if held is None or not held.awaits_buyer:
                return []
        if customer.is_buyer_unknown:
            code = FailureCode.BUYER_UNKNOWN
            self._decisions.record(code, order_id=after.order_id, reason=code, remedy=FAILURES[code].remedy)
            self._give_up(before)
        return [customer.desired_document(after.source_version, after.order_id)]

    def request(self, contacts: list[DesiredDocument]) -> list[str]:
        """Store the requests; return the keys of the contacts that changed. Raises Conflict."""
        # The newest version of a buyer who placed several of these orders comes last, and is stored.
        newest_last = sorted(contacts, key=lambda contact: contact.source_version or _EARLIEST)
        return request_documents(self._store, self._clock, newest_last)

    def _give_up(self, record: OrderRecord) -> None:
        """Fail a contact that waits for this order to state who its buyer is; another order of theirs may state it."""
        held = self._contact(record.contact_number) if record.contact_number else None
        if held is not None and held.awaits_buyer and held.desired.source == record.source:
            code = FailureCode.BUYER_UNKNOWN
            self._store.save([held.failed(code, FAILURES[code].remedy)])

    def _contact(self, number: str) -> Document | None:
        key = document_key(DocumentKind.CONTACT, number)
        return self._store.load(Document, [key]).get(key)
