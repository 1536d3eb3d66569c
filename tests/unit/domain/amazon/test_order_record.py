"""The record of an order: what a change notice does to it, and which version is newer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.source import NextStep
from fakes.state import NOON

MINUTE = timedelta(minutes=1)

# --- change notices ---------------------------------------------------------------------------------------------------


def test_notice_makes_an_unknown_order_due() -> None:
    noticed = OrderRecord("A").noticed(NOON - MINUTE, NOON)

    assert noticed == OrderRecord("A", noticed_at=NOON - MINUTE, next_attempt_at=NOON)


@pytest.mark.parametrize(("read_after", "is_answered"), [(-1, False), (0, True), (1, True)])
def test_read_after_a_notice_was_given_answers_it(read_after: int, is_answered: bool) -> None:
    record = OrderRecord("A", read_at=NOON + read_after * MINUTE)

    assert (record.noticed(NOON, NOON + 5 * MINUTE) is None) == is_answered


def test_older_notice_changes_nothing_of_an_order_that_is_due() -> None:
    record = OrderRecord("A", noticed_at=NOON, next_attempt_at=NOON)

    assert record.noticed(NOON, NOON) is None
    assert record.noticed(NOON - MINUTE, NOON) is None
    assert record.noticed(NOON + MINUTE, NOON) == replace(record, noticed_at=NOON + MINUTE)


def test_notice_makes_an_order_due_at_once_whose_read_was_deferred() -> None:
    record = OrderRecord("A", noticed_at=NOON, next_attempt_at=NOON + 15 * MINUTE, attempts=4)

    noticed = record.noticed(NOON + MINUTE, NOON + 2 * MINUTE)

    assert noticed is not None
    assert (noticed.next_attempt_at, noticed.noticed_at) == (NOON + 2 * MINUTE, NOON + MINUTE)


def test_older_notice_keeps_the_time_of_the_newer_one() -> None:
    record = OrderRecord("A", noticed_at=NOON, next_attempt_at=NOON + 15 * MINUTE)

    noticed = record.noticed(NOON - MINUTE, NOON)

    assert noticed is not None
    assert (noticed.noticed_at, noticed.next_attempt_at) == (NOON, NOON)


def test_order_to_be_planned_is_read_first_after_a_newer_notice() -> None:
    to_be_planned = OrderRecord("A", read_at=NOON, noticed_at=NOON).to_be_planned(SHIPMENTS, NOON + 5 * MINUTE)

    assert to_be_planned.noticed(NOON, NOON + MINUTE) is None
    noticed = to_be_planned.noticed(NOON + MINUTE, NOON + MINUTE)

    assert noticed is not None
    assert (noticed.next_step, noticed.capability) == (NextStep.READ, ORDERS)
    assert (noticed.next_attempt_at, noticed.noticed_at) == (NOON + MINUTE, NOON + MINUTE)


def test_open_notice_is_answered_before_the_order_is_planned() -> None:
    noticed = OrderRecord("A").noticed(NOON, NOON)
    assert noticed is not None

    recorded = noticed.to_be_planned(SHIPMENTS, NOON + MINUTE)

    assert (recorded.state, recorded.next_step, recorded.capability) == (OrderState.RECORDED, NextStep.READ, ORDERS)
    assert recorded.next_attempt_at == NOON


def test_settled_order_needs_nothing_but_the_answer_to_an_open_notice() -> None:
    planned = OrderRecord("A").to_be_planned(SHIPMENTS, NOON).settled(OrderState.PLANNED)
    assert (planned.next_attempt_at, planned.next_step, planned.state) == (None, NextStep.READ, OrderState.PLANNED)

    noticed = OrderRecord("A", next_attempt_at=NOON).settled(OrderState.NOT_INVOICED, "ORDER_PENDING")
    assert (noticed.next_attempt_at, noticed.next_step, noticed.reason) == (NOON, NextStep.READ, "ORDER_PENDING")


@given(st.lists(st.integers(-10, 10), min_size=1, max_size=6))
def test_newest_notice_counts_in_whatever_order_notices_arrive(minutes: list[int]) -> None:
    record = OrderRecord("A", read_at=NOON)
    for minute in minutes:
        record = record.noticed(NOON + minute * MINUTE, NOON + 20 * MINUTE) or record

    assert (record.next_attempt_at is not None) == (max(minutes) > 0)
    if record.next_attempt_at:
        assert record.noticed_at == NOON + max(minutes) * MINUTE


# --- planning ---------------------------------------------------------------------------------------------------------


def test_order_is_planned_by_the_capability_that_it_was_assigned_to() -> None:
    record = OrderRecord("A").to_be_planned(SHIPMENTS, NOON)

    assert record.is_due(NextStep.PLAN, NOON)
    assert not record.is_due(NextStep.READ, NOON)
    assert not record.is_due(NextStep.PLAN, NOON - MINUTE)
    later = record.plan_at(NOON + MINUTE, "WAITING_FOR_OUTCOME")
    assert (later.capability, later.next_attempt_at, later.reason) == (SHIPMENTS, NOON + MINUTE, "WAITING_FOR_OUTCOME")


def test_failed_order_needs_a_person_and_is_never_due() -> None:
    failed = OrderRecord("A").to_be_planned(SHIPMENTS, NOON).failed(FailureCode.TAX_UNMAPPED, "add a rule")

    assert (failed.state, failed.reason, failed.remedy) == (OrderState.FAILED, "TAX_UNMAPPED", "add a rule")
    assert failed.next_attempt_at is None


# --- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "is_newer"), [(-1, True), (0, False), (1, False)])
def test_record_is_newer_only_than_an_older_version(minutes: int, is_newer: bool) -> None:
    assert OrderRecord("A", version=NOON).is_newer_than(NOON + minutes * MINUTE) is is_newer
    assert OrderRecord("A").is_newer_than(NOON) is False
