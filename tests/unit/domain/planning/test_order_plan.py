"""Which documents an order asks for, version after version: drafts, approved invoices, payments, locked periods.

Adjustments of what is paid: test_adjustment. One invoice for each shipment: test_shipment_invoices.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.policy import Payments, PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import PostingPlan
from fakes.books import ORGANISATION, POLICY
from fakes.order_life import (
    DRAFT,
    ORGANISATION_WITH_CLEARING,
    PAID_INVOICE,
    PAYING,
    SHIPPED,
    OrderLife,
    cancelled,
    order_life,
    tea,
    version,
)
from fakes.state import NOON

# --- from version to version ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "versions", "summary"),
    [
        pytest.param(PAYING, [DRAFT], {"invoice A": "DRAFT 10.00"}, id="draft"),
        pytest.param(
            PAYING,
            [DRAFT, version(1, tea("12.00"), status="UNSHIPPED")],
            {"invoice A": "DRAFT 12.00"},
            id="draft follows the order",
        ),
        pytest.param(PAYING, [DRAFT, SHIPPED], PAID_INVOICE, id="draft is approved and paid"),
        pytest.param(PAYING, [SHIPPED], PAID_INVOICE, id="shipped without ever being a draft"),
        pytest.param(POLICY, [DRAFT, SHIPPED], {"invoice A": "AUTHORISED 10.00"}, id="no clearing account, no payment"),
        pytest.param(PAYING, [DRAFT, cancelled(1)], {}, id="cancelled draft is deleted"),
        pytest.param(POLICY, [SHIPPED, cancelled(2)], {}, id="cancelled unpaid invoice is voided"),
        pytest.param(
            POLICY,
            [SHIPPED, version(2, tea("12.00"))],
            {"invoice A": "AUTHORISED 12.00"},
            id="unpaid approved invoice follows the order",
        ),
        pytest.param(
            PAYING,
            [SHIPPED, version(2, tea(), tip="3.00")],
            {**PAID_INVOICE, "invoice A-A1": "AUTHORISED 3.00", "payment A-A1": "3"},
            id="tip after payment becomes a supplementary invoice",
        ),
        pytest.param(
            PAYING,
            [SHIPPED, version(2, tea("7.50"))],
            {**PAID_INVOICE, "credit_note A-A1": "AUTHORISED 2.50", "credit_note_refund A-A1": "2.5"},
            id="lower price after payment becomes a refunded credit note",
        ),
        pytest.param(
            PAYING,
            [SHIPPED, cancelled(2)],
            {**PAID_INVOICE, "credit_note A-A1": "AUTHORISED 10.00", "credit_note_refund A-A1": "10"},
            id="cancelled after payment is credited in full",
        ),
        pytest.param(
            PAYING,
            [SHIPPED, cancelled(2), version(3, tea())],
            {
                **PAID_INVOICE,
                "credit_note A-A1": "AUTHORISED 10.00",
                "credit_note_refund A-A1": "10",
                "invoice A-A2": "AUTHORISED 10.00",
                "payment A-A2": "10",
            },
            id="reinstated after it was credited",
        ),
        pytest.param(
            PAYING,
            [DRAFT, cancelled(1), version(2, tea("11.00"))],
            {"invoice A-R1": "AUTHORISED 11.00", "payment A-R1": "11"},
            id="reinstated after its draft was deleted, under a new number",
        ),
        pytest.param(
            POLICY,
            [SHIPPED, cancelled(2), version(3, tea()), cancelled(4), version(5, tea())],
            {"invoice A-R2": "AUTHORISED 10.00"},
            id="reinstated twice",
        ),
        pytest.param(
            PAYING,
            [
                DRAFT,
                version(1, tea("12.00"), status="UNSHIPPED"),
                version(2, tea("12.00")),
                version(3, tea("12.00"), tip="2.00"),
                version(4, tea("9.00"), tip="2.00"),
                cancelled(5),
                version(6, tea("9.00")),
            ],
            {
                "invoice A": "AUTHORISED 12.00",
                "payment A": "12",
                "invoice A-A1": "AUTHORISED 2.00",
                "payment A-A1": "2",
                "credit_note A-A2": "AUTHORISED 3.00",
                "credit_note_refund A-A2": "3",
                "credit_note A-A3": "AUTHORISED 11.00",
                "credit_note_refund A-A3": "11",
                "invoice A-A4": "AUTHORISED 9.00",
                "payment A-A4": "9",
            },
            id="seven versions",
        ),
    ],
)
def test_documents_in_xero_after_each_version_of_an_order(
    policy: PostingPolicy, versions: list[dict[str, Any]], summary: dict[str, str]
) -> None:
    life = order_life(policy)
    for raw in versions:
        life.update(raw)
        assert life.pending_changes() == []

    assert life.summary == summary


def test_cancelled_order_without_documents_stores_a_tombstone_against_older_versions() -> None:
    life = order_life(PAYING, cancelled(1))

    assert life.summary == {}
    late_request = order_life().request(DRAFT).steps[0][0]
    assert life.documents["invoice#A"].with_desired(late_request, NOON) is None


def test_invoice_voided_in_xero_is_reissued_under_a_new_number() -> None:
    life = order_life()
    life.request(SHIPPED)
    voided = life.documents["invoice#A"].failed(FailureCode.VOIDED_IN_XERO, "somebody voided it")
    life.documents["invoice#A"] = voided

    life.update(version(2, tea()))

    assert life.summary == {"invoice A-R1": "AUTHORISED 10.00", "payment A-R1": "10"}


def test_invoice_that_was_voided_in_xero_and_replaced_is_a_failure_no_longer() -> None:
    life = order_life(PAYING)
    life.request(SHIPPED)
    invoice, payment = life.documents["invoice#A"], life.documents["payment#A"]
    held = replace(invoice, xero_id="id-1", xero_status="VOIDED")
    life.documents["invoice#A"] = held.failed(FailureCode.VOIDED_IN_XERO, "somebody voided it")
    life.documents["payment#A"] = payment.failed(FailureCode.REFERENCE_FAILED, "its invoice failed")

    for _ in range(2):  # the second time as a reprocess, which changes nothing
        life.update(version(2, tea()))

    assert life.summary == {"invoice A-R1": "AUTHORISED 10.00", "payment A-R1": "10"}
    assert {document.state for document in life.documents.values()} == {DocumentState.APPLIED}
    assert life.pending_changes() == []


def test_adjustment_whose_rows_were_read_while_another_worker_stored_them_is_planned_again() -> None:
    life = order_life(PAYING, SHIPPED)
    life.update(version(2, tea("12.00")))
    assert life.documents["payment#A-A1"].exists_in_xero

    # The invoice as it was before the other worker stored it, its payment as it is after that.
    del life.documents["invoice#A-A1"]
    plan = life.plan(version(2, tea("12.00")))

    assert plan.awaits_outcome
    assert plan.steps == ()


def test_invoice_that_failed_for_another_reason_keeps_its_number() -> None:
    life = order_life()
    life.request(SHIPPED)
    life.documents["invoice#A"] = life.documents["invoice#A"].failed(FailureCode.PERIOD_LOCKED, "move the lock date")

    life.update(version(2, tea()))

    assert life.summary == PAID_INVOICE


@pytest.mark.parametrize("price", ["12.00", "8.00"])
@pytest.mark.parametrize(
    "newer",
    [version(4, tea()), version(4, tea("11.00")), version(4, tea(), status="CANCELLED")],
    ids=["unchanged", "higher price", "cancelled"],
)
def test_plan_of_an_older_version_cannot_change_documents_after_a_newer_plan(price: str, newer: dict[str, Any]) -> None:
    life = order_life(PAYING, SHIPPED)
    # Given a worker that has planned version 3 and is frozen before it stores its requests
    late = life.plan(version(3, tea(price)))

    life.update(newer)

    invoices = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
    requests = [desired for step in late.steps for desired in step if desired.kind in invoices]
    assert {"invoice#A-A1", "credit_note#A-A1"} <= {desired.key for desired in requests}
    assert [each.key for each in requests if life.documents[each.key].with_desired(each, NOON)] == []


# --- locked periods ---------------------------------------------------------------------------------------------------


def lock_period(life: OrderLife, day: int, lock_dates: LockDates = LockDates.HOLD) -> OrderLife:
    life.organisation = replace(life.organisation, period_lock=date(2026, 11, day))
    life.policy = replace(life.policy, lock_dates=lock_dates)
    return life


def test_documents_stay_unchanged_when_their_period_is_locked() -> None:
    life = lock_period(order_life(PAYING, SHIPPED), 20)

    life.update(version(3, tea(), packages=[{"packageReferenceId": "1", "packageItems": []}]))  # amounts unchanged

    assert life.summary == PAID_INVOICE


def test_change_in_a_locked_period_fails_or_is_dated_on_the_next_open_day() -> None:
    with pytest.raises(Failure) as caught:
        lock_period(order_life(PAYING, SHIPPED), 20).update(version(3, tea("12.00")))
    assert caught.value.code is FailureCode.PERIOD_LOCKED

    life = lock_period(order_life(PAYING, SHIPPED), 20, LockDates.NEXT_OPEN_DAY)
    life.update(version(3, tea("12.00")))
    assert life.in_xero["invoice A-A1"].body["Date"] == "2026-11-21"


def test_invoice_moved_out_of_a_locked_period_states_its_original_day_in_the_reference() -> None:
    life = lock_period(order_life(PAYING, DRAFT), 20, LockDates.NEXT_OPEN_DAY)

    life.update(SHIPPED)

    body = life.in_xero["invoice A"].body
    assert (body["Date"], body["Reference"]) == ("2026-11-21", "Amazon.co.uk A · of 2026-11-02")
    assert life.in_xero["payment A"].body["Date"] == "2026-11-21"
    life.organisation = replace(life.organisation, period_lock=date(2026, 12, 31))
    assert life.pending_changes() == []


def test_original_day_stays_in_a_reference_of_many_tracking_numbers() -> None:
    life = lock_period(order_life(PAYING, DRAFT), 20, LockDates.NEXT_OPEN_DAY)
    packages = [
        {"packageReferenceId": str(place), "shipTime": "2026-11-02T09:00:00Z", "trackingNumber": f"T{place:040}"}
        for place in range(9)
    ]

    life.update(version(2, tea(), packages=packages))

    reference = life.in_xero["invoice A"].body["Reference"]
    assert len(reference) == 255
    assert reference.endswith(", of 2026-11-02")


FIRST_OPEN_DAY = "2026-11-21"
OPEN_INVOICE = {"invoice A": "AUTHORISED 10.00"}


@pytest.mark.parametrize("lock_dates", LockDates)
def test_unpaid_invoice_of_a_locked_period_is_credited_when_its_order_is_cancelled(lock_dates: LockDates) -> None:
    life = lock_period(order_life(POLICY, SHIPPED), 20, lock_dates)

    life.update(cancelled(25))

    assert life.summary == {**OPEN_INVOICE, "credit_note A-A1": "AUTHORISED 10.00", "allocation A-A1": "10"}
    assert life.in_xero["credit_note A-A1"].body["Date"] == "2026-11-26"
    assert life.pending_changes() == []


def test_unpaid_invoice_of_a_locked_period_follows_its_order_by_adjustments() -> None:
    life = lock_period(order_life(POLICY, SHIPPED), 20, LockDates.NEXT_OPEN_DAY)

    life.update(version(2, tea("7.50")))

    credited = {**OPEN_INVOICE, "credit_note A-A1": "AUTHORISED 2.50", "allocation A-A1": "2.5"}
    assert life.summary == credited
    assert life.in_xero["credit_note A-A1"].body["Date"] == FIRST_OPEN_DAY
    # And it is kept as it is once the lock date is taken back: Xero refuses to change what has a credit note allocated
    life.organisation = replace(life.organisation, period_lock=None)
    life.update(version(26, tea("9.50")))
    assert life.summary == {**credited, "invoice A-A2": "AUTHORISED 2.00"}
    life.update(version(27, tea("1.00")))
    assert life.summary["credit_note A-A3"] == "AUTHORISED 8.50"
    assert life.summary["allocation A-A3"] == "7.5"  # more is not open
    assert life.pending_changes() == []


def test_unpaid_invoice_of_a_locked_period_is_paid_what_its_credit_notes_leave() -> None:
    life = order_life(POLICY, SHIPPED)
    life.policy = PAYING  # its currency has a clearing account by now
    lock_period(life, 20, LockDates.NEXT_OPEN_DAY)

    life.update(version(25, tea("7.50")))

    assert life.summary == {
        **OPEN_INVOICE,
        "payment A": "7.5",
        "credit_note A-A1": "AUTHORISED 2.50",
        "allocation A-A1": "2.5",
    }
    assert life.in_xero["payment A"].body["Date"] == FIRST_OPEN_DAY
    assert life.pending_changes() == []


def test_draft_adjustment_of_a_locked_invoice_is_replaced_with_its_allocation_before_it_is_posted() -> None:
    life = lock_period(order_life(POLICY, SHIPPED), 20)
    life.request(version(25, tea("7.50")))

    life.update(version(26, tea("7.00")))

    assert life.summary == {**OPEN_INVOICE, "credit_note A-A1": "AUTHORISED 3.00", "allocation A-A1": "3"}
    life.update(version(27, tea("7.00")))
    assert life.pending_changes() == []


def test_adjustment_of_a_locked_invoice_that_is_no_longer_needed_is_withdrawn() -> None:
    life = lock_period(order_life(POLICY, SHIPPED), 20)
    life.request(version(25, tea("7.50")))

    life.update(version(26, tea()))

    assert life.summary == OPEN_INVOICE
    assert life.pending_changes() == []


# --- dates and settings -----------------------------------------------------------------------------------------------


def test_approved_invoice_is_dated_on_the_day_of_shipment_and_keeps_that_date() -> None:
    shipped = version(5, tea(), packages=[{"packageReferenceId": "1", "shipTime": "2026-11-03T09:00:00Z"}])
    later = version(9, tea("12.00"), packages=[{"packageReferenceId": "2", "shipTime": "2026-11-08T09:00:00Z"}])
    life = order_life(POLICY, DRAFT, shipped, later)

    assert life.in_xero["invoice A"].body["Date"] == "2026-11-03"
    assert life.summary == {"invoice A": "AUTHORISED 12.00"}


def test_changed_settings_do_not_change_a_paid_invoice() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = replace(
        PAYING,
        accounts=replace(PAYING.accounts, charges={**PAYING.accounts.charges, Charge.ITEM: "4000"}),
        invoice_prefix="NEW-",
    )

    life.update(version(2, tea()))

    assert life.summary == PAID_INVOICE
    assert life.in_xero["invoice A"].body["LineItems"][0]["AccountCode"] == "200"


@pytest.mark.parametrize("changed", [version(3, tea("12.00")), version(3, tea("7.00")), cancelled(3)])
def test_correction_of_a_paid_invoice_goes_to_its_contact_although_the_customer_has_another_by_now(
    changed: dict[str, Any],
) -> None:
    life = order_life(PAYING, SHIPPED)
    customer = life.in_xero["invoice A"].references["Contact.ContactID"]
    life.contact_number = "AMAZON-B-5d41402abc"  # the settings invoice to buyers by now

    life.update(changed)

    corrections = [each for name, each in life.in_xero.items() if name in ("invoice A-A1", "credit_note A-A1")]
    assert [each.references["Contact.ContactID"] for each in corrections] == [customer]


def test_every_document_of_a_paid_order_is_stamped_with_the_newest_version() -> None:
    life = order_life(PAYING, SHIPPED, version(2, tea("8.00")), version(3, tea("8.00")))

    newest = datetime(2026, 11, 4, tzinfo=UTC)
    assert {document.desired.source_version for document in life.documents.values()} == {newest}


# --- payments under way -----------------------------------------------------------------------------------------------


def is_settlement(document: Document) -> bool:
    return document.kind in (DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE_REFUND)


@pytest.mark.parametrize("newer", [version(2, tea("12.00")), cancelled(2)], ids=["higher price", "cancelled"])
def test_invoice_is_not_changed_while_the_outcome_of_its_payment_is_unknown(newer: dict[str, Any]) -> None:
    life = order_life()
    life.request(SHIPPED)
    life.post(loses_answer=is_settlement)

    assert life.request(newer) == PostingPlan(awaits_outcome=True)

    life.post()  # finds that it was paid
    life.update(newer)
    assert life.invoiced_total == life.settled_total == life.sales_total
    assert "invoice A" in life.summary


def test_plan_does_not_wait_for_an_unknown_payment_that_stays_the_same() -> None:
    life = order_life()
    life.request(SHIPPED)
    life.post(loses_answer=is_settlement)

    plan = life.request(version(2, tea()))

    assert not plan.awaits_outcome
    assert life.documents["payment#A"].state is DocumentState.UNKNOWN


@pytest.mark.parametrize("newer", [version(2, tea("12.00")), cancelled(2)], ids=["higher price", "cancelled"])
def test_invoice_is_not_changed_while_xero_does_not_say_whether_it_is_paid(newer: dict[str, Any]) -> None:
    life = order_life()
    life.request(SHIPPED)
    life.post(loses_answer=is_settlement)
    payment = life.documents["payment#A"]
    life.documents["payment#A"] = payment.unresolved("HTTP 500")

    plan = life.request(newer)

    invoices = [desired for step in plan.steps for desired in step if desired.key == "invoice#A"]
    assert [desired.digest for desired in invoices] == [life.documents["invoice#A"].desired.digest]
    life.post()  # finds that it was paid
    life.update(newer)
    assert life.invoiced_total == life.settled_total == life.sales_total


def test_unposted_payment_is_withdrawn_before_its_invoice_changes() -> None:
    life = order_life()
    life.request(SHIPPED)
    life.post(at_most=1)

    plan = life.request(version(2, tea("12.00")))

    assert [[(desired.key, desired.tombstone) for desired in step] for step in plan.steps] == [
        [("payment#A", True)],
        [("invoice#A", False)],
        [("payment#A", False)],
    ]
    life.post()
    assert life.summary == {"invoice A": "AUTHORISED 12.00", "payment A": "12"}


# --- payments ---------------------------------------------------------------------------------------------------------


NOT_PAYING = replace(PAYING, payments=Payments.NONE)


def test_invoice_stays_open_and_follows_its_order_where_the_settings_pay_none() -> None:
    life = order_life(NOT_PAYING, SHIPPED)
    assert life.summary == {"invoice A": "AUTHORISED 10.00"}

    life.update(version(2, tea("7.50")))

    assert life.summary == {"invoice A": "AUTHORISED 7.50"}
    life.policy = PAYING
    life.update(version(3, tea("7.50")))
    assert life.summary == {"invoice A": "AUTHORISED 7.50", "payment A": "7.5"}


def test_payment_that_was_made_stays_where_the_settings_pay_none_by_now() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = NOT_PAYING

    life.update(version(2, tea("7.50")))

    assert life.summary == {**PAID_INVOICE, "credit_note A-A1": "AUTHORISED 2.50"}
    assert life.pending_changes() == []


# --- clearing accounts ------------------------------------------------------------------------------------------------


def test_unusable_clearing_account_fails_the_plan_before_any_document_is_requested() -> None:
    life = OrderLife(PAYING, replace(ORGANISATION_WITH_CLEARING, accounts=dict(ORGANISATION.accounts)))

    with pytest.raises(Failure, match="CLEARING_UNUSABLE"):
        life.request(SHIPPED)

    assert life.documents == {}


def test_invoice_approved_without_a_clearing_account_is_paid_with_the_next_version_once_there_is_one() -> None:
    life = order_life(POLICY, SHIPPED)
    life.policy = PAYING

    life.update(version(2, tea()))

    assert life.summary == PAID_INVOICE
