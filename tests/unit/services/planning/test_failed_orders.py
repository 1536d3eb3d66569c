"""Orders that cannot be planned: the dead letter, the other orders, and planning again once the cause is corrected."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.domain.tax.rules import TaxPolicy
from amazon_to_xero.ports.xero import XeroUnavailable
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from fakes.books import POLICY
from fakes.state import NOON
from unit.services.amazon_orders import (
    FIRST_VERSION,
    MINUTE,
    amazon_order,
    order_with_unmapped_charge,
    shipped_order,
)
from unit.services.planning.paying_connection import (
    CUSTOMER,
    WITH_CLEARING,
    WITH_CLOSED_CLEARING,
    PayingConnection,
)


def reprocess(connection: PayingConnection) -> None:
    """Have the order read and planned again a minute later, as a notice does."""
    connection.clock.advance(60)
    due = connection.read(connection.notice(["A"])).due
    connection.plan_drafts(*due)
    connection.plan_shipments(*due)


def test_failed_order_is_dead_lettered_and_delays_no_other() -> None:
    connection = PayingConnection(shipped_order(), order_with_unmapped_charge("B"), shipped_order("C"))

    assert connection.plan_shipments().records == 3

    (letter,) = connection.dead_letters[SHIPMENTS].letters
    assert (letter.order_id, letter.reason) == ("B", "ACCOUNT_UNMAPPED")
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "source": "order#B"}}
    failed = connection.record("B")
    assert (failed.state, failed.next_attempt_at, bool(failed.remedy)) == (OrderState.FAILED, None, True)
    assert {connection.record(order_id).state for order_id in "AC"} == {OrderState.PLANNED}


@pytest.mark.parametrize(("status", "capability"), [("UNSHIPPED", ORDERS), ("SHIPPED", SHIPMENTS)])
def test_dead_letter_is_sent_to_the_queue_of_the_capability_that_plans(status: str, capability: str) -> None:
    connection = PayingConnection(amazon_order(status=status))
    connection.change_policy(replace(POLICY, marketplaces=frozenset()))

    connection.plan_drafts()
    connection.plan_shipments()

    reasons = {name: queue.reasons for name, queue in connection.dead_letters.items()}
    assert reasons == {key: [] for key in CAPABILITIES} | {capability: [("A", "UNKNOWN_MARKETPLACE")]}


def test_order_whose_dead_letter_cannot_be_sent_fails_when_it_can() -> None:
    connection = PayingConnection(order_with_unmapped_charge())
    connection.dead_letters[SHIPMENTS].broken = True

    connection.plan_shipments()

    assert (connection.record().state, connection.record().next_attempt_at) == (OrderState.RECORDED, NOON + MINUTE)
    connection.dead_letters[SHIPMENTS].broken = False
    connection.clock.advance(60)
    connection.plan_shipments()
    assert connection.record().state is OrderState.FAILED
    assert connection.dead_letters[SHIPMENTS].reasons == [("A", "ACCOUNT_UNMAPPED")]


def test_order_is_dead_lettered_once_however_often_its_documents_are_looked_up() -> None:
    # Given a long history of documents, and a clearing account that was closed before the newest adjustment
    connection = PayingConnection(shipped_order())
    for place, price in enumerate(("12.00", "11.00", "14.00"), start=1):
        connection.plan_shipments()
        connection.post()
        connection.record_orders(shipped_order(price=price, updated=FIRST_VERSION + place * MINUTE))
    connection.xero.settings = WITH_CLOSED_CLEARING
    connection.clock.advance(600)
    connection.forget_organisation()
    writes = len(connection.xero.writes())

    connection.plan_shipments()

    assert connection.dead_letters[SHIPMENTS].reasons == [("A", "CLEARING_UNUSABLE")]
    assert connection.record().state is OrderState.FAILED
    assert len(connection.xero.writes()) == writes


def test_failure_without_having_seen_all_documents_is_not_final() -> None:
    # Given a posted adjustment, a record that does not name it, as after a crash, and a clearing account closed since
    connection = PayingConnection(shipped_order())
    for place in (1, 2):
        connection.plan_shipments()
        connection.post()
        connection.record_orders(shipped_order(price="12.00", updated=FIRST_VERSION + place * MINUTE))
    connection.store.save([replace(connection.record(), documents=())])
    connection.xero.settings = WITH_CLOSED_CLEARING
    connection.clock.advance(600)
    connection.forget_organisation()

    connection.plan_shipments()

    assert (connection.record().state, connection.dead_letters[SHIPMENTS].letters) == (OrderState.PLANNED, [])
    assert {"invoice#A-A1", "payment#A-A1"} <= set(connection.record().documents)


def test_order_that_the_code_cannot_plan_fails_alone() -> None:
    connection = PayingConnection(shipped_order(), shipped_order("B"), shipped_order("C"))
    malformed = connection.record("B")
    connection.store.save([replace(malformed, content={**(malformed.content or {}), "orderItems": "none"})])
    payment = DesiredDocument(DocumentKind.PAYMENT, "C", {}, "order#C")
    invoice = DesiredDocument(DocumentKind.INVOICE, "C", {"LineItems": [{}]}, "order#C", line_origins=("x",))
    connection.store.save(
        [
            Document(payment, DocumentState.APPLIED, xero_id="id-9"),
            Document(invoice, DocumentState.APPLIED, xero_id="id-8"),
        ]
    )

    connection.plan_shipments()

    assert connection.record("A").state is OrderState.PLANNED
    reasons = {order_id: connection.record(order_id).reason for order_id in "BC"}
    assert reasons == {"B": "ORDER_MALFORMED", "C": "ORDER_UNREADABLE"}
    assert sorted(connection.dead_letters[SHIPMENTS].reasons) == sorted(reasons.items())


# --- planning again once the cause is corrected -----------------------------------------------------------------------


def test_order_is_planned_when_it_is_reprocessed_after_the_settings_were_corrected() -> None:
    connection = PayingConnection(amazon_order(), policy=replace(POLICY, tax=TaxPolicy(())))
    connection.plan_drafts()
    assert connection.record().reason == "TAX_UNMAPPED"

    connection.change_policy(POLICY)
    reprocess(connection)

    record = connection.record()
    assert (record.state, record.reason, record.remedy) == (OrderState.PLANNED, "", "")
    assert connection.document().state is DocumentState.PENDING


def test_order_is_planned_when_it_is_reprocessed_after_a_tax_rate_was_added_in_xero() -> None:
    connection = PayingConnection()
    rates = WITH_CLEARING.tax_rates
    connection.xero.settings = replace(
        WITH_CLEARING, tax_rates={name: rate for name, rate in rates.items() if name != "OUTPUT2"}
    )
    connection.forget_organisation()
    connection.record_orders(amazon_order())
    connection.plan_drafts()
    assert connection.record().reason == "TAX_RATE_UNUSABLE"

    # When the rate exists, and what was read of the organisation is more than five minutes old
    connection.xero.settings = WITH_CLEARING
    connection.clock.advance(300)
    reprocess(connection)

    assert connection.record().state is OrderState.PLANNED


def test_order_is_planned_when_it_is_due_again_after_the_clearing_account_was_restored() -> None:
    connection = PayingConnection()
    connection.xero.settings = WITH_CLOSED_CLEARING
    connection.forget_organisation()
    connection.record_orders(shipped_order())
    connection.plan_shipments()
    assert connection.record().reason == "CLEARING_UNUSABLE"

    connection.xero.settings = WITH_CLEARING
    connection.clock.advance(360)
    connection.store.save([connection.record().to_be_planned(SHIPMENTS, connection.clock.now())])
    connection.plan_shipments()

    assert connection.record().state is OrderState.PLANNED


def test_failed_customer_is_retried_with_each_order_that_needs_it() -> None:
    connection = PayingConnection(shipped_order())
    contact = connection.document(CUSTOMER.number, DocumentKind.CONTACT)
    connection.store.save([contact.failed(FailureCode.CONTACT_ARCHIVED, "Restore the contact.")])

    connection.plan_shipments()
    connection.post()

    assert connection.document(CUSTOMER.number, DocumentKind.CONTACT).state is DocumentState.APPLIED
    assert connection.xero.invoice("A")["Status"] == "AUTHORISED"


def test_failed_document_is_retried_when_its_order_is_planned_again() -> None:
    connection = PayingConnection(shipped_order())
    connection.plan_shipments()
    connection.store.save([connection.document().failed(FailureCode.PERIOD_LOCKED, "Move the lock date.")])
    connection.store.save([connection.record().to_be_planned(SHIPMENTS, NOON)])

    assert connection.plan_shipments().documents == ("invoice#A",)
    assert connection.document().state is DocumentState.PENDING


# --- the organisation cannot be read ----------------------------------------------------------------------------------


def test_nothing_is_planned_and_nothing_is_lost_while_the_organisation_is_unavailable() -> None:
    connection = PayingConnection(shipped_order())
    connection.forget_organisation()
    connection.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    assert connection.plan_shipments().stopped == "XERO_UNAVAILABLE"
    assert connection.plan_shipments().stopped == "XERO_PAUSED"
    assert (connection.record().state, connection.record().next_step) == (OrderState.RECORDED, NextStep.PLAN)

    connection.clock.advance(900)
    assert connection.plan_shipments().records == 1


def test_order_does_not_fail_by_cached_settings_while_xero_cannot_be_read() -> None:
    connection = PayingConnection()
    connection.xero.settings = WITH_CLOSED_CLEARING
    connection.forget_organisation()
    connection.record_orders(shipped_order())
    connection.clock.advance(360)
    connection.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    connection.plan_shipments()

    record = connection.record()
    assert (record.state, record.reason) == (OrderState.RECORDED, "XERO_UNAVAILABLE")
    assert record.next_attempt_at == connection.clock.now() + 5 * MINUTE
    assert connection.dead_letters[SHIPMENTS].letters == []


def test_orders_wait_while_settings_that_another_worker_has_expire_cannot_be_read() -> None:
    connection = PayingConnection()
    connection.xero.settings = WITH_CLOSED_CLEARING
    connection.forget_organisation()
    connection.record_orders(shipped_order("A"), shipped_order("B"), shipped_order("C"))
    connection.clock.advance(360)
    another = connection.connection.services.organisation
    connection.restart()
    renewing = XeroUnavailable("getOrganisation", None, "no access token: another worker is renewing the access token")
    connection.xero.before = [renewing] * 5
    connection.store.meanwhile(another.expire)

    connection.plan_shipments()

    assert {connection.record(order_id).state for order_id in "ABC"} == {OrderState.RECORDED}
    assert all(connection.record(order_id).next_attempt_at for order_id in "ABC")
    assert connection.dead_letters[SHIPMENTS].letters == []
    assert len(connection.decisions.of("PAUSED")) == 1
