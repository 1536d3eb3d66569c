"""The documents that an order asks for: when nothing of it stands in the books yet, and version after version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from amazon_to_xero.domain.books.contact import marketplace_customer
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.order_plan import Booked, Plan, invoice_number, plan
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, sales
from amazon_to_xero.domain.tax.rounding import xero_total
from fakes.books import ORGANISATION, POLICY
from fakes.state import NOON


class _Nothing(frozenset[str]):
    """Everything was looked up, and nothing was there."""

    def __contains__(self, key: object) -> bool:
        return True


def asked_for(
    raw: dict[str, Any], policy: PostingPolicy = POLICY, organisation: Organisation = ORGANISATION
) -> list[DesiredDocument] | NotInvoiced | NotPriced:
    """The customer, the invoice, and its payment where it has one; or why there are none. Raises Failure."""
    order = parse_order(raw)
    shipments = shipments_of(order, ())
    wanted = sales(order, shipments, policy, organisation)
    if not isinstance(wanted, list):
        return wanted
    contact = marketplace_customer(order.marketplace_id, policy).desired(order.updated, order.order_id)
    booked = Booked(order.order_id, order.updated, contact.number)
    number = invoice_number(order.order_id, policy)
    made = plan(booked, number, wanted, len(shipments), HeldDocuments({}, _Nothing()), policy, organisation)
    return [contact, *(desired for step in made.steps for desired in step)]


class Life:
    """One order in the books: its versions are booked one after the other, and posted as Xero would take them.

    `executed` are the payments that Xero made and whose answer was lost: their rows say that nobody knows.
    """

    def __init__(self, policy: PostingPolicy = POLICY, organisation: Organisation = ORGANISATION) -> None:
        self.policy = policy
        self.organisation = organisation
        self.documents: dict[str, Document] = {}
        self.shipments: tuple[Shipment, ...] = ()
        self.number = ""
        self.wanted: list[Sale] = []
        self.executed: dict[str, DesiredDocument] = {}
        self._raw: dict[str, Any] = {}
        self._ids = 0

    def becomes(self, raw: dict[str, Any]) -> Plan:
        """A new version of the order is booked and posted."""
        made = self.book(raw)
        self.post()
        return made

    def book(self, raw: dict[str, Any] | None = None) -> Plan:
        """Asks for the documents of a version of the order; without one, for those of the newest again."""
        self._raw = raw or self._raw
        made = self.planned()
        for step in made.steps:
            for desired in step:
                held = self.documents.get(desired.key)
                row = Document(desired, next_attempt_at=NOON) if held is None else held.with_desired(desired, NOON)
                if row is not None:
                    self.documents[row.key] = row
        return made

    def planned_of(self, raw: dict[str, Any]) -> Plan:
        """What somebody works out for a version of the order, and does not come to ask for."""
        self._raw = raw
        return self.planned()

    def planned(self) -> Plan:
        order = parse_order(self._raw)
        self.shipments = shipments_of(order, self.shipments)
        outcome = sales(order, self.shipments, self.policy, self.organisation)
        assert not isinstance(outcome, NotPriced)
        self.wanted = [] if isinstance(outcome, NotInvoiced) else outcome
        self.number = self.number or invoice_number(order.order_id, self.policy)
        booked = Booked(order.order_id, order.updated, marketplace_customer(order.marketplace_id, self.policy).number)
        looked_up: frozenset[str] = frozenset()
        while True:
            held = HeldDocuments({key: self.documents[key] for key in looked_up & self.documents.keys()}, looked_up)
            try:
                made = plan(booked, self.number, self.wanted, len(self.shipments), held, self.policy, self.organisation)
            except Failure:
                if not held.missing:
                    raise
            else:
                if not held.missing:
                    return made
            looked_up |= held.missing

    def changes(self) -> list[str]:
        """The keys of what booking the newest version again would change."""
        asked = [desired for step in self.planned().steps for desired in step]
        wishes = [desired for desired in asked if desired.key in self.documents or not desired.tombstone]
        held = {desired.key: self.documents.get(desired.key) for desired in wishes}
        return [d.key for d in wishes if (row := held[d.key]) is None or row.with_desired(d, NOON) is not None]

    # --- Xero -------------------------------------------------------------------------------------------------------

    def post(self, at_most: int = 99, loses: Callable[[Document], bool] = lambda document: False) -> None:
        """Xero takes what is due, in the poster's order. Of what it `loses` it does not say what became of it."""
        for kind in DocumentKind:
            for document in [each for each in self.documents.values() if each.kind is kind and each.next_attempt_at]:
                if at_most > 0 and self._may_go(document):
                    at_most -= 1
                    self._post(document, loses(document))

    def _post(self, document: Document, loses: bool) -> None:
        desired = document.desired
        if document.outcome_unknown:
            sent = self.executed.pop(document.key, None)
            if sent is None:
                found = document.found_absent(NOON)
            else:
                status = "VOIDED" if sent.tombstone else str(sent.body.get("Status", "AUTHORISED"))
                found = document.applied(document.xero_id or self._id(), status, sent.digest, NOON)
            self.documents[document.key] = found
            if found.next_attempt_at:
                self._post(found, loses=False)
        elif loses and (document.exists_in_xero or not desired.tombstone):
            self.executed[document.key] = desired
            self.documents[document.key] = document.claimed(NOON).unknown(NOON, "OUTCOME_UNKNOWN")
        elif not desired.tombstone:
            self._check(document)
            status = str(desired.body.get("Status", "AUTHORISED"))
            xero_id = document.xero_id or self._id()
            self.documents[document.key] = document.applied(xero_id, status, desired.digest, NOON)
        else:
            self._check(document)
            status = "DELETED" if document.xero_status == "DRAFT" else "VOIDED"
            gone = (document.xero_id, status) if document.exists_in_xero else ("", "")
            self.documents[document.key] = document.applied(*gone, desired.digest, NOON)

    def _may_go(self, document: Document) -> bool:
        """A payment waits until what it pays stands as it should."""
        paid = [
            self.documents.get(key) for key in document.desired.references.values() if not key.startswith("contact")
        ]
        return document.desired.tombstone or all(
            each is not None and each.state is DocumentState.APPLIED and not each.desired.tombstone for each in paid
        )

    def _check(self, document: Document) -> None:
        """What Xero would refuse, or an auditor."""
        desired = document.desired
        changes = document.exists_in_xero and desired.digest != document.applied_digest
        assert not (changes and document.kind in (DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE_REFUND)), (
            f"{document.key} is changed"
        )
        paid_by = [
            each
            for each in self.documents.values()
            if document.key in each.desired.references.values() and (each.exists_in_xero or each.key in self.executed)
        ]
        assert not (changes and paid_by), f"{document.key} is paid and changed"
        if document.kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE) and not desired.tombstone:
            arrived = xero_total(_lines(desired), LineAmountTypes(desired.body["LineAmountTypes"]), self.organisation)
            assert arrived == desired.total, f"Xero arrives at {arrived} for {document.key}, not {desired.total}"
            assert (desired.total or ZERO) > 0, f"{document.key} is of {desired.total}"

    def _id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    # --- what the books say -----------------------------------------------------------------------------------------

    @property
    def standing(self) -> dict[str, DesiredDocument]:
        """What Xero holds, neither deleted nor voided, by kind and number."""
        return {
            f"{document.kind} {document.desired.number}": document.desired
            for document in self.documents.values()
            if document.exists_in_xero and document.xero_status not in ("DELETED", "VOIDED")
        }

    @property
    def says(self) -> dict[str, str]:
        """In short: each document that stands, with its status and total, or amount."""
        return {
            name: " ".join([str(desired.body.get("Status", "")), str(desired.total or desired.body["Amount"])]).strip()
            for name, desired in self.state.items()
        }

    @property
    def booked_total(self) -> Decimal:
        return total(_sign(d.kind) * d.total for d in self.state.values() if d.total is not None)

    @property
    def settled_total(self) -> Decimal:
        """What clearing took: payments less refunds."""
        kinds = {DocumentKind.PAYMENT: 1, DocumentKind.CREDIT_NOTE_REFUND: -1}
        return total(kinds[d.kind] * d.body["Amount"] for d in self.state.values() if d.kind in kinds)

    @property
    def by_source(self) -> Counter[str]:
        """What is booked for each item and charge, rounding left out."""
        booked: Counter[str] = Counter()
        for desired in self.state.values():
            if desired.kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE):
                for line in _lines(desired):
                    booked[line.source] += _sign(desired.kind) * line.amount  # type: ignore[assignment]
        return _without_rounding(booked)

    @property
    def wanted_by_source(self) -> Counter[str]:
        wanted: Counter[str] = Counter()
        for sale in self.wanted:
            for line in sale.lines if sale.total else ():
                wanted[line.source] += line.amount  # type: ignore[assignment]
        return _without_rounding(wanted)

    @property
    def wanted_total(self) -> Decimal:
        return total(sale.total for sale in self.wanted)


def _lines(desired: DesiredDocument) -> Sequence[Line]:
    return [
        Line(line["Description"], line["Quantity"], line["UnitAmount"], line["AccountCode"], line["TaxType"], source)
        for line, source in zip(desired.body["LineItems"], desired.line_origins, strict=True)
    ]


def _sign(kind: DocumentKind) -> int:
    return -1 if kind is DocumentKind.CREDIT_NOTE else 1


def _without_rounding(amounts: Counter[str]) -> Counter[str]:
    return Counter({source: amount for source, amount in amounts.items() if amount and source not in ("", "ROUNDING")})


def paid_from(policy: PostingPolicy, **clearing: str) -> PostingPolicy:
    """The policy with a clearing account for each currency named."""
    return replace(policy, accounts=replace(policy.accounts, clearing=clearing))
