"""People change in Xero what states a whole day: it is found, and restored as any other document."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision, decision_message
from amazon_to_xero.domain.books.xero_change import ChangeState, XeroChange
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from unit.services.planning.day_connection import MONDAY, DayConnection

INVOICE, PAYMENT = f"invoice#{MONDAY}", f"payment#{MONDAY}"


@pytest.fixture
def connection() -> DayConnection:
    connection = DayConnection()
    connection.work()
    connection.sell("A", "B")
    connection.close_day()
    connection.xero.unpay(connection.xero.invoice(MONDAY))
    return connection


def void(connection: DayConnection) -> None:
    connection.xero.change(connection.xero.invoice(MONDAY), Status="VOIDED")


def pass_a_day(connection: DayConnection) -> None:
    connection.work(timedelta(days=2))


def decide(connection: DayConnection, decision: Decision, document: str) -> None:
    made = ChangeDecision("d1", document, decision, "maria", "a mistake", connection.clock.now())
    shipments = CAPABILITIES[SHIPMENTS]
    message = decision_message(connection.name, made)
    shipments.record(connection.connection.services, [shipments.parse(message)])
    for _ in range(3):
        connection.work()


def change(connection: DayConnection, document: str) -> tuple[str, str]:
    found = connection.store.load(XeroChange, [document])[document]
    return found.kind, found.state


def test_restored_invoice_of_a_day_is_entered_and_paid_again_with_its_list(connection: DayConnection) -> None:
    void(connection)
    pass_a_day(connection)
    assert change(connection, INVOICE) == ("REMOVED", ChangeState.OPEN)

    decide(connection, Decision.RESTORE, INVOICE)

    again = connection.xero.invoice(f"{MONDAY}-R1")
    assert (again["Status"], again["Total"], again["AmountDue"]) == ("AUTHORISED", Decimal(24), 0)
    assert len(connection.attached(f"{MONDAY}-R1")) == 2
    assert connection.failures == []


def test_removal_of_a_day_cannot_be_accepted_because_its_orders_would_be_in_no_document(
    connection: DayConnection,
) -> None:
    void(connection)
    pass_a_day(connection)

    decide(connection, Decision.ACCEPT, INVOICE)

    assert change(connection, INVOICE) == ("REMOVED", ChangeState.OPEN)
    (letter,) = connection.dead_letters[SHIPMENTS].letters
    assert "would stay entered and be in no document. Restore it" in letter.remedy


def test_edited_lines_of_a_day_cannot_be_accepted_because_its_orders_would_keep_their_terms(
    connection: DayConnection,
) -> None:
    invoice = connection.xero.invoice(MONDAY)
    connection.xero.change(invoice, LineItems=[{**line, "AccountCode": "205"} for line in invoice["LineItems"]])
    pass_a_day(connection)

    decide(connection, Decision.ACCEPT, INVOICE)

    assert change(connection, INVOICE) == ("EDITED", ChangeState.OPEN)
    (letter,) = connection.dead_letters[SHIPMENTS].letters
    assert "Change its lines back in Xero, or restore it" in letter.remedy


def test_other_day_of_a_day_s_invoice_can_be_accepted(connection: DayConnection) -> None:
    connection.xero.change(connection.xero.invoice(MONDAY), DateString="2026-11-22T00:00:00")
    pass_a_day(connection)

    decide(connection, Decision.ACCEPT, INVOICE)

    assert change(connection, INVOICE) == ("EDITED", ChangeState.ACCEPTED)
    assert connection.failures == []


def test_removed_payment_of_a_day_is_found_and_made_again(connection: DayConnection) -> None:
    pass_a_day(connection)
    assert change(connection, PAYMENT) == ("UNSETTLED", ChangeState.OPEN)

    decide(connection, Decision.RESTORE, PAYMENT)

    assert connection.xero.invoice(MONDAY)["AmountDue"] == 0
