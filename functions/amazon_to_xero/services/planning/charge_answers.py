"""What an order leaves open is answered by what Amazon charged for it, before anything is entered.

The only questions are the day of a shipment and who owes the tax. An order that asks neither costs nothing here. One
that does waits for its charge, within a limit that ends with a person; see `confirmations` for who wakes it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order import Fulfilment, Order
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections
from amazon_to_xero.domain.failures import Failure, FailureCode, WaitReason
from amazon_to_xero.domain.planning.charged_tax import (
    as_charged,
    charges_of_reduced,
    is_charged_in_full,
    with_charged_tax,
)
from amazon_to_xero.domain.planning.confirmation import CHARGE_LIMIT, PART_LIMIT
from amazon_to_xero.domain.planning.corrected_days import with_stated_days
from amazon_to_xero.domain.planning.corrected_sale import corrected_policy
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import nothing_to_invoice
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.planning.shipping_day import CLOSELY, dated_by_charges, decided, shipment_of_uncertain_day
from amazon_to_xero.domain.planning.split_tax import with_split_tax
from amazon_to_xero.domain.tax.liability import unclear_items, unclear_liability
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import RecordStore
from amazon_to_xero.services.planning.loaded_together import LoadedTogether

#: An order waits so long before it is planned again without a charge, and from then on as long as it has waited so far.
_FIRST_WAIT = timedelta(minutes=5)


@dataclass(frozen=True)
class AnsweredOrder:
    """An order of which nothing is open.

    shipments: those of its record, on the days that are certain by now.
    """

    order: Order
    shipments: tuple[Shipment, ...]


@dataclass(frozen=True)
class _Question:
    """What is open.

    reason: why the order waits.
    failure: what becomes of it in the end.
    shipped_at: when what is asked about had shipped at the latest (UTC): Amazon shows its charge within CHARGE_LIMIT.
        None while some of it has not shipped.
    """

    reason: WaitReason
    failure: Failure
    shipped_at: datetime | None


class ChargeAnswers:
    """The answers to the orders of one connection."""

    def __init__(
        self,
        store: RecordStore,
        policy: PostingPolicy,
        clock: Clock,
        transactions_read_until: Callable[[], datetime | None],
    ) -> None:
        """`transactions_read_until` returns until when (UTC) all of Amazon's charges are recorded; None for never."""
        self._store = LoadedTogether(store)
        self._policy = policy
        self._clock = clock
        self._transactions_read_until = transactions_read_until
        self._read_until: datetime | None = None
        self._is_read_until_known = False

    def expect(self, record: OrderRecord) -> None:
        """Load the charges of the order together with those of the others that may need theirs.

        It is called for all orders of a chunk before the first of them is answered.
        """
        self._is_read_until_known = False
        if any(
            each.not_before is not None and each.shipped_at - each.not_before > CLOSELY for each in record.shipments
        ):
            self._store.expect(SaleConfirmation, record.order_id)

    def answer(
        self, order: Order, record: OrderRecord, organisation: Organisation, corrections: Corrections
    ) -> AnsweredOrder | OrderRecord:
        """Return the order with what its charges answer, or its record that waits for them. Raises Failure.

        What a person has stated is not open: on which day it sold, or that an unclear tax is the seller's.
        """
        if nothing_to_invoice(order, self._policy, record.shipments) is not None or not order.grand_total:
            return AnsweredOrder(order, record.shipments)
        is_accepted = corrections.latest(CorrectionKind.BOOK_AS_IT_IS) is not None
        liabilities = self._policy.tax.liabilities
        is_unclear = not is_accepted and bool(unclear_items(order, liabilities))
        is_day_open = self._uncertain(record.shipments, organisation, corrections) is not None
        if not is_unclear and not is_day_open:
            return AnsweredOrder(order, decided(record.shipments, organisation))
        charges = self._charges(record)
        if is_unclear:
            answered = _with_charged_tax(
                order, record, charges, corrected_policy(self._policy, corrections), organisation
            )
            if answered is None:
                return self._wait(record, _question_of_tax(order, record, charges, liabilities))
            order = answered
        shipments = dated_by_charges(record.shipments, charges, organisation)
        uncertain = self._uncertain(shipments, organisation, corrections)
        if uncertain is not None:
            return self._wait(record, _question_of_day(order, uncertain, self._remedy_of_day(uncertain, shipments)))
        return AnsweredOrder(order, decided(shipments, organisation))

    def _uncertain(
        self, shipments: Sequence[Shipment], organisation: Organisation, corrections: Corrections
    ) -> Shipment | None:
        """Return the first shipment whose day neither Amazon nor a person has stated; None where there is none."""
        return shipment_of_uncertain_day(with_stated_days(shipments, corrections), self._policy, organisation)

    def _remedy_of_day(self, uncertain: Shipment, shipments: Sequence[Shipment]) -> str:
        """Return what a person does about an open day."""
        remedy = "Find the day in Seller Central (Payments > Transaction View) and correct the order with --date"
        if not self._policy.invoice_per.is_by_shipment or len(shipments) == 1:
            return f"{remedy}."
        number = shipments.index(uncertain) + 1
        return f"{remedy} --shipment {number}: each of its {len(shipments)} shipments has an invoice and a day."

    def _charges(self, record: OrderRecord) -> tuple[ShipmentCharge, ...]:
        if not self._is_read_until_known:
            # Before the charges are loaded: what a sweep records after that is not missing.
            self._read_until, self._is_read_until_known = self._transactions_read_until(), True
        confirmation = self._store.load(SaleConfirmation, [record.order_id]).get(record.order_id)
        return () if confirmation is None else tuple(confirmation.charges.values())

    def _wait(self, record: OrderRecord, question: _Question) -> OrderRecord:
        """Return the record to be planned again. Raises the question's failure where no charge is to be expected."""
        now = self._clock.now()
        since = record.awaits_charge_since or now
        limit = since + (PART_LIMIT if question.shipped_at is None else CHARGE_LIMIT)
        if now >= limit or self._is_charge_missing(question):
            raise question.failure
        at = min(limit, now + max(_FIRST_WAIT, now - since))
        return record.awaiting_charge(at, question.reason, question.failure.remedy, since)

    def _is_charge_missing(self, question: _Question) -> bool:
        """Whether every charge of the time in which it must have been posted is recorded."""
        if question.shipped_at is None or self._read_until is None:
            return False
        return self._read_until >= question.shipped_at + CHARGE_LIMIT


def _with_charged_tax(
    order: Order,
    record: OrderRecord,
    charges: Sequence[ShipmentCharge],
    policy: PostingPolicy,
    organisation: Organisation,
) -> Order | None:
    """Return the order with what its charges show of its tax; None while it is not charged in full. Raises Failure."""
    liabilities = policy.tax.liabilities
    answers: Sequence[ShipmentCharge] = charges
    if not is_charged_in_full(order, charges):
        # What was entered by its charges before follows its order when something is taken off.
        answers = charges_of_reduced(order, charges, liabilities) if record.documents else ()
    if not answers:
        return None
    split = with_split_tax(order, answers, policy.tax, organisation)
    try:
        return split or with_charged_tax(order, answers, liabilities)
    except Failure:
        unclear = unclear_items(order, liabilities)[0]
        raise unclear_liability(order, unclear, liabilities, as_charged(order, charges)) from None


def _question_of_day(order: Order, shipment: Shipment, remedy: str) -> _Question:
    begin = shipment.not_before or order.created
    failure = Failure(
        FailureCode.SHIPPING_DAY_UNKNOWN,
        f"Amazon does not state when the order shipped: between {_text(begin)} and {_text(shipment.shipped_at)}, and "
        f"no charge of it is known. {remedy} If the application lacks the role Finance and Accounting, add it and "
        "reprocess the order.",
    )
    return _Question(WaitReason.WAITING_FOR_SHIPPING_DAY, failure, shipment.shipped_at)


def _question_of_tax(
    order: Order, record: OrderRecord, charges: Sequence[ShipmentCharge], liabilities: Mapping[str, Party]
) -> _Question:
    failure = unclear_liability(order, unclear_items(order, liabilities)[0], liabilities, as_charged(order, charges))
    is_all_shipped = order.status in (Fulfilment.SHIPPED, Fulfilment.INVOICE_UNCONFIRMED)
    last = max((each.shipped_at for each in record.shipments), default=None)
    return _Question(WaitReason.WAITING_FOR_LIABILITY, failure, last if is_all_shipped else None)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
