"""Corrections by a person, from their message to Xero: they survive replays, changes by Amazon and other workers."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.adapters.dynamodb.rows import Row
from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.correction_message import correction_message
from amazon_to_xero.domain.amazon.notification import ChangeNotice, parse_shipment_event
from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Account
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections, LineTerms
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.policy import MarketplacePolicy, Payments
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from fakes.order_life import correction
from fakes.orders import UK
from unit.services.amazon_orders import (
    FIRST_VERSION,
    MINUTE,
    amazon_order,
    order_with_unmapped_charge,
    order_with_wrong_total,
    shipped_order,
)
from unit.services.planning.paying_connection import PAYING, WITH_CLEARING, PayingConnection

K = CorrectionKind
CLEARING_OF_UK = Account("a-uk", "CLR-UK", "Amazon UK", "BANK", "GBP", active=True, takes_payments=True)
OF_MARKETPLACE = replace(PAYING, accounts=replace(PAYING.accounts, marketplace_clearing={UK: {"GBP": "CLR-UK"}}))


def paid_connection() -> PayingConnection:
    """Return a connection whose order A is invoiced and paid in Xero."""
    connection = PayingConnection(shipped_order())
    bring_to_xero(connection)
    assert connection.payment().exists_in_xero
    return connection


def bring_to_xero(connection: PayingConnection) -> None:
    connection.plan_shipments()
    connection.plan_drafts()
    for _ in range(4):
        connection.post()


def tax_types(connection: PayingConnection) -> dict[str, list[str]]:
    """Return the tax types of the documents that should exist, by kind and number."""
    return {
        key: [line["TaxType"] for line in document.desired.body["LineItems"]]
        for key, document in connection.order_documents().items()
        if not document.desired.tombstone and "LineItems" in document.desired.body
    }


def test_rebooking_arrives_with_the_terms_of_its_lines() -> None:
    terms = (LineTerms("1:ITEM", "206", "OUTPUT2", (("Region", "North"),), "TEA"), LineTerms("1:SHIPPING"))
    made = replace(correction(K.REBOOK), terms=terms)

    notice = parse_shipment_event(correction_message("main", "order#A", made))

    assert notice.correction == made


@pytest.mark.parametrize("terms", ["1:ITEM", [1], [{"line": ""}], [{"line": "1:ITEM", "tracking": [["Region"]]}]])
def test_rebooking_whose_terms_cannot_be_read_names_the_field(terms: Any) -> None:
    made = replace(correction(K.REBOOK), terms=(LineTerms("1:ITEM"),))
    message = json.loads(correction_message("main", "order#A", made))
    message["correct"]["terms"] = terms

    with pytest.raises(Failure) as refused:
        parse_shipment_event(json.dumps(message))

    assert refused.value.code is FailureCode.MALFORMED_MESSAGE


# --- what a correction does -------------------------------------------------------------------------------------------


def test_draft_follows_its_correction() -> None:
    connection = PayingConnection(amazon_order())
    bring_to_xero(connection)

    assert connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT") == ["A"]
    bring_to_xero(connection)

    assert tax_types(connection) == {"invoice#A": ["ZERORATEDOUTPUT"]}
    (recorded,) = connection.decisions.of("CORRECTION_RECORDED")
    assert (recorded["correction"], recorded["author"]) == ("1: tax_type ZERORATEDOUTPUT", "accountant")
    assert connection.decisions.of("PLANNED")[-1] == {"order_id": "A", "status": "UNSHIPPED", "corrections": "1"}


def test_open_invoice_has_the_stated_text_in_xero() -> None:
    connection = PayingConnection(shipped_order(), policy=replace(PAYING, payments=Payments.NONE))
    bring_to_xero(connection)

    connection.correct(K.DESCRIPTION, "Green tea")
    bring_to_xero(connection)

    assert [line["Description"] for line in connection.xero.invoice("A")["LineItems"]] == ["Green tea"]


def test_paid_order_is_credited_and_invoiced_anew_and_a_replay_writes_nothing() -> None:
    connection = paid_connection()

    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")
    bring_to_xero(connection)

    assert tax_types(connection) == {
        "invoice#A": ["OUTPUT2"],
        "credit_note#A-A1": ["OUTPUT2"],
        "invoice#A-A1": ["ZERORATEDOUTPUT"],
    }
    for _ in range(2):  # the first one leaves its version where the next adjustment would be
        writes, calls = connection.store.writes("DOCUMENT#"), len(connection.xero.calls)
        connection.connection.services.notices.record_shipments([ChangeNotice("A", reprocess=True)])
        bring_to_xero(connection)
        assert len(connection.xero.calls) == calls
    assert connection.store.writes("DOCUMENT#") == writes


def test_correction_survives_a_change_by_amazon_and_a_restart() -> None:
    connection = paid_connection()
    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")
    bring_to_xero(connection)

    connection.restart()
    connection.record_orders(shipped_order(price="12.00", updated=FIRST_VERSION + MINUTE))
    bring_to_xero(connection)

    assert tax_types(connection)["invoice#A-A2"] == ["ZERORATEDOUTPUT"]


def test_withdrawn_correction_is_taken_back_and_stays_in_the_list() -> None:
    connection = paid_connection()
    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")
    bring_to_xero(connection)

    connection.correct(K.WITHDRAW, "1")
    bring_to_xero(connection)

    assert tax_types(connection)["invoice#A-A2"] == ["OUTPUT2"]
    (row,) = connection.store.load(Corrections, ["order#A"]).values()
    assert [(entry.number, entry.kind, entry.author) for entry in row.entries] == [
        (1, K.TAX_TYPE, "accountant"),
        (2, K.WITHDRAW, "accountant"),
    ]


def test_skipped_order_has_no_documents_and_comes_back_when_that_is_withdrawn() -> None:
    connection = paid_connection()

    connection.correct(K.SKIP)
    bring_to_xero(connection)

    record = connection.record()
    assert (record.state, record.reason) == (OrderState.NOT_INVOICED, "SKIPPED")
    assert connection.document("A-A1", DocumentKind.CREDIT_NOTE).exists_in_xero

    connection.correct(K.WITHDRAW, "1")
    bring_to_xero(connection)
    assert connection.record().state is OrderState.PLANNED
    assert connection.document("A-A2", DocumentKind.INVOICE).exists_in_xero


def test_skipped_order_is_refunded_from_the_clearing_account_of_its_marketplace() -> None:
    connection = PayingConnection(shipped_order(), policy=OF_MARKETPLACE)
    connection.xero.settings = replace(WITH_CLEARING, accounts={**WITH_CLEARING.accounts, "CLR-UK": CLEARING_OF_UK})
    connection.forget_organisation()
    bring_to_xero(connection)

    connection.correct(K.SKIP)
    bring_to_xero(connection)

    refund = connection.document("A-A1", DocumentKind.CREDIT_NOTE_REFUND)
    accounts = [each.desired.body["Account"]["Code"] for each in (connection.payment(), refund)]
    assert accounts == ["CLR-UK", "CLR-UK"]


def test_skipped_order_has_no_cash_refund_where_its_marketplace_pays_none_by_now() -> None:
    connection = paid_connection()
    connection.change_policy(replace(PAYING, by_marketplace={UK: MarketplacePolicy(payments=Payments.NONE)}))

    connection.correct(K.SKIP)
    bring_to_xero(connection)

    assert "credit_note#A-A1" in connection.requested()
    assert "credit_note_refund#A-A1" not in connection.requested()


@pytest.mark.parametrize(
    "unusable", [order_with_wrong_total(), amazon_order(marketplace="A1ELSEWHERE"), order_with_unmapped_charge()]
)
def test_order_that_a_person_enters_otherwise_leaves_the_list_of_failures(unusable: dict[str, Any]) -> None:
    connection = PayingConnection(unusable)
    connection.plan_drafts()
    connection.plan_shipments()
    assert connection.record().state is OrderState.FAILED

    connection.correct(K.SKIP)
    connection.plan_shipments()
    connection.record_orders(unusable | {"lastUpdatedTime": "2026-11-02T12:00:00Z"})
    connection.plan_drafts()

    record = connection.record()
    assert (record.state, record.reason) == (OrderState.NOT_INVOICED, "SKIPPED")


def test_order_that_was_never_read_is_read_and_planned_with_its_correction() -> None:
    connection = PayingConnection()
    connection.amazon.hold(amazon_order("B"))

    connection.correct(K.ACCOUNT, "205", source="order#B")
    connection.read()
    connection.plan_drafts()

    assert connection.document("B").desired.body["LineItems"][0]["AccountCode"] == "205"


def test_correction_that_cannot_be_applied_fails_its_order_until_it_is_withdrawn() -> None:
    connection = PayingConnection(amazon_order())

    connection.correct(K.ACCOUNT, "999")
    connection.plan_shipments()
    failed = connection.record()
    connection.correct(K.WITHDRAW, "1")
    connection.plan_shipments()

    assert (failed.state, failed.reason) == (OrderState.FAILED, "CORRECTION_UNUSABLE")
    assert failed.remedy.startswith(
        "Correction 1: account 999 cannot be applied: the organisation has no active account"
    )
    assert connection.record().state is OrderState.PLANNED


def test_order_that_ships_while_it_is_skipped_is_approved_with_its_contact_once_that_is_withdrawn() -> None:
    connection = PayingConnection()
    connection.correct(K.SKIP)
    connection.record_orders(shipped_order())
    bring_to_xero(connection)

    connection.correct(K.WITHDRAW, "1")
    bring_to_xero(connection)

    assert connection.document().desired.body["Status"] == "AUTHORISED"
    assert connection.payment().exists_in_xero


def test_charge_of_a_skipped_paid_order_is_explained_by_the_correction() -> None:
    connection = paid_connection()
    connection.correct(K.SKIP)
    bring_to_xero(connection)

    connection.connection.services.confirmations.confirm_due(connection.clock.now() + MINUTE)

    (row,) = connection.store.load(SaleConfirmation, ["A"]).values()
    assert (row.state, row.reason) == (ConfirmationState.NOT_INVOICED, "SKIPPED")


def test_charge_that_a_withdrawn_skip_explained_is_compared_again() -> None:
    connection = PayingConnection(amazon_order(status="CANCELLED"))
    connection.correct(K.SKIP)
    bring_to_xero(connection)
    charge = ShipmentCharge("C1", FIRST_VERSION, "GBP", {AmountType(AmountKind.ITEM): Decimal("10.00")})
    skipped = SaleConfirmation("A", charges={"C1": charge}).settled(ConfirmationState.NOT_INVOICED, "SKIPPED")
    connection.store.save([skipped])

    connection.correct(K.WITHDRAW, "1")
    bring_to_xero(connection)
    connection.connection.services.confirmations.confirm_due(connection.clock.now() + MINUTE)

    (row,) = connection.store.load(SaleConfirmation, ["A"]).values()
    assert (row.state, row.reason) == (ConfirmationState.FAILED, FailureCode.CHARGE_DIFFERS)


# --- the message ------------------------------------------------------------------------------------------------------


def test_message_that_arrives_twice_is_one_correction() -> None:
    connection = PayingConnection(amazon_order())

    connection.correct(K.ACCOUNT, "205", correction_id="same")
    due_again = connection.correct(K.ACCOUNT, "205", correction_id="same")

    assert due_again == []
    assert connection.record().corrections == 1


def test_log_says_once_of_each_correction_that_it_is_recorded() -> None:
    connection = PayingConnection(amazon_order())
    first, second = correction(K.ACCOUNT, "205", "", "first"), correction(K.TAX_TYPE, "ZERORATEDOUTPUT", "", "second")

    for batch in ([first], [first, second]):
        connection.connection.services.corrections.record_of_orders(
            [ChangeNotice("A", correction=each) for each in batch]
        )

    recorded = [each["correction"] for each in connection.decisions.of("CORRECTION_RECORDED")]
    assert recorded == ["1: account 205", "2: tax_type ZERORATEDOUTPUT"]


def test_message_whose_worker_crashed_after_the_entry_makes_the_order_due_when_it_comes_again() -> None:
    connection = PayingConnection(amazon_order())
    bring_to_xero(connection)
    row = Corrections("order#A").with_entry(correction(K.ACCOUNT, "205", correction_id="same"))
    assert row is not None
    connection.store.save([row])

    assert connection.correct(K.ACCOUNT, "205", correction_id="same") == ["A"]


def test_withdrawal_of_nothing_is_dead_lettered_as_it_came() -> None:
    connection = PayingConnection(amazon_order())

    assert connection.correct(K.WITHDRAW, "7") == []

    (letter,) = connection.dead_letters[SHIPMENTS].letters
    assert letter.reason == FailureCode.CORRECTION_REFUSED
    assert "order#A has no correction 7 that applies; those that apply: none" in letter.remedy
    assert parse_shipment_event(letter.body).correction is not None  # it can be redriven
    assert connection.record().corrections == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "colour"}, "correct.kind is 'colour'; it should be one of tax_type, account"),
        ({"reason": None}, "reason should have 1 to 500 characters"),
        ({"source": "transaction#R1"}, "correct.source names no order"),
        ({"value": 5}, "correct.value should be a text and is int"),
        ({"author": None}, "author is missing"),
    ],
)
def test_message_with_a_wrong_field_is_rejected_with_its_name(change: dict[str, Any], problem: str) -> None:
    fields = json.loads(correction_message("main", "order#A", correction(K.SKIP)))["correct"] | change

    with pytest.raises(Failure, match=problem):
        parse_shipment_event(json.dumps({"correct": fields}))


# --- storage ----------------------------------------------------------------------------------------------------------


def test_orders_without_corrections_cost_no_read_and_corrected_ones_one_read_together() -> None:
    def reads_of_a_plan(*corrected: str) -> int:
        connection = PayingConnection(*(shipped_order(order_id) for order_id in "ABCDE"))
        for order_id in corrected:
            connection.correct(K.ACCOUNT, "205", source=f"order#{order_id}")
        before = connection.store.table.reads
        connection.plan_shipments()
        return connection.store.table.reads - before

    assert reads_of_a_plan("A", "B", "C", "D", "E") - reads_of_a_plan() == 1


def test_order_is_not_planned_without_the_corrections_that_it_counts() -> None:
    connection = PayingConnection(amazon_order())
    connection.correct(K.ACCOUNT, "205")
    del connection.store.table.rows["CORRECTION#order#A"]

    connection.plan_shipments()

    record = connection.record()
    assert record.reason == FailureCode.CORRECTION_UNUSABLE
    assert "has 1 corrections, and 0 are in the table" in record.remedy


def test_worker_that_planned_without_the_correction_does_not_replace_documents_with_it() -> None:
    """A worker loads the order, is frozen, and requests its documents after another one has planned the correction."""
    connection = PayingConnection(amazon_order())
    connection.plan_drafts()
    stale = connection.record()
    older = connection.document().desired

    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")
    connection.plan_shipments()
    connection.request(replace(older, source_version=stale.source_version))

    assert tax_types(connection) == {"invoice#A": ["ZERORATEDOUTPUT"]}


def test_correction_between_reading_and_planning_is_planned() -> None:
    connection = PayingConnection(amazon_order())
    connection.store.meanwhile(lambda: connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT"))

    connection.plan_drafts()
    connection.plan_shipments()

    assert tax_types(connection) == {"invoice#A": ["ZERORATEDOUTPUT"]}


def test_row_of_corrections_is_not_due_by_itself() -> None:
    connection = PayingConnection(amazon_order())
    connection.correct(K.SKIP)

    row: Row = connection.store.table.rows["CORRECTION#order#A"]
    assert (row.due, row.next_attempt_at, row.watched) == ("", "", "")
