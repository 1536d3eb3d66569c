"""No call to Xero is made without budget; Xero's headers correct it; all workers of a connection share one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from amazon_to_xero.domain.call_budget import SLOT_LIFETIME, Limits
from amazon_to_xero.ports.xero import XeroLimits, XeroRateLimited, XeroUnavailable
from amazon_to_xero.services.posting.budget import BudgetedXero
from fakes.state import ManualClock, MemoryStateStore
from fakes.vendors import ScriptedXero, lost

CONTACT = {"Name": "n", "ContactNumber": "c"}
THREE_A_MINUTE = Limits(per_minute=3)


class BudgetedConnection:
    """Workers of one connection over one scripted Xero and one budget."""

    def __init__(self, limits: Limits = THREE_A_MINUTE) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.xero = ScriptedXero(clock=self.clock)
        self.limits = limits
        self.first_worker = self.worker("w1")

    def worker(self, name: str) -> BudgetedXero:
        return BudgetedXero(self.xero, self.store, self.clock, self.limits, name)

    def find(self, times: int = 1) -> None:
        for _ in range(times):
            self.first_worker.find("Contacts", "ContactNumber", ["c"])

    def slots(self) -> dict[str, str]:
        """Return the slots in the stored budget."""
        slots: dict[str, str] = json.loads(self.store.cursor("xero-budget").data["json"])["slots"]
        return slots


def rate_limit_of(call: Callable[[], object]) -> XeroRateLimited:
    """Return the XeroRateLimited that the call raises."""
    with pytest.raises(XeroRateLimited) as caught:
        call()
    return caught.value


def test_call_without_budget_is_not_sent_and_states_when_it_may_be() -> None:
    budget = BudgetedConnection()
    budget.find(3)
    budget.clock.advance(20)

    problem = rate_limit_of(lambda: budget.first_worker.create("Contacts", [CONTACT], "k"))

    assert len(budget.xero.calls) == 3
    assert (problem.problem, problem.retry_after) == ("minute", timedelta(seconds=40))
    budget.clock.advance(40)
    assert budget.first_worker.create("Contacts", [CONTACT], "k")[0].accepted


def test_all_workers_of_a_connection_share_the_budget() -> None:
    budget = BudgetedConnection()
    budget.find(2)

    budget.worker("w2").find("Contacts", "ContactNumber", ["c"])

    rate_limit_of(lambda: budget.worker("w3").find("Contacts", "ContactNumber", ["c"]))


def test_each_call_counts_once_and_reading_the_organisation_four_times() -> None:
    budget = BudgetedConnection(Limits(per_minute=7))
    (created,) = budget.first_worker.create("Contacts", [CONTACT], "k1")
    budget.first_worker.update("Contacts", [{**CONTACT, "ContactID": created.element["ContactID"]}], "k2")
    budget.find()
    budget.first_worker.organisation()

    rate_limit_of(budget.find)


def test_organisation_is_read_only_when_all_its_reads_fit_the_budget() -> None:
    budget = BudgetedConnection(Limits(per_minute=5))
    budget.find(2)

    rate_limit_of(budget.first_worker.organisation)
    assert [call.verb for call in budget.xero.calls] == ["find", "find"]
    budget.find(3)


@pytest.mark.parametrize("fault", [lost(), XeroUnavailable("getContacts", 503, "HTTP 503"), ValueError("defect")])
def test_slot_is_freed_after_any_exception(fault: Exception) -> None:
    budget = BudgetedConnection(Limits(at_once=1))
    budget.xero.before = [fault]  # type: ignore[list-item]  # the fake raises whatever it is given

    with pytest.raises(type(fault)):
        budget.find()

    assert budget.slots() == {}
    budget.find()


def test_concurrent_calls_take_a_slot_each() -> None:
    budget = BudgetedConnection(Limits(at_once=2))
    limits: list[XeroRateLimited] = []

    def call_by_a_third_worker() -> None:
        limits.append(rate_limit_of(lambda: budget.worker("w3").create("Contacts", [CONTACT], "z")))

    def calls_by_a_second_worker() -> None:
        budget.worker("w2").find("Contacts", "ContactNumber", ["c"])
        budget.xero.during = call_by_a_third_worker
        budget.worker("w2").create("Contacts", [{**CONTACT, "ContactNumber": "d"}], "y")

    budget.xero.during = calls_by_a_second_worker
    budget.first_worker.create("Contacts", [CONTACT], "x")

    (limit,) = limits
    assert (limit.problem, limit.retry_after) == ("concurrent", SLOT_LIFETIME)
    assert [call.verb for call in budget.xero.calls] == ["create", "find", "create"]


def test_minute_limit_in_xeros_headers_applies_when_less_is_left_than_counted() -> None:
    budget = BudgetedConnection(Limits())
    budget.xero.reported_limits = XeroLimits(minute_remaining=3, day_remaining=4000, app_minute_remaining=9000)
    budget.find()

    # 57 calls are allowed and Xero counts 57: another application of the seller made the others
    problem = rate_limit_of(budget.find)
    assert (problem.problem, problem.retry_after) == ("minute", timedelta(seconds=60))


def test_day_limit_in_xeros_headers_applies() -> None:
    budget = BudgetedConnection(Limits())
    budget.xero.reported_limits = XeroLimits(day_remaining=0)
    budget.find()
    budget.xero.reported_limits = XeroLimits()

    assert rate_limit_of(budget.find).problem == "day"


def test_connection_makes_no_calls_for_a_minute_near_the_limit_of_the_whole_app() -> None:
    budget = BudgetedConnection(Limits())
    budget.xero.reported_limits = XeroLimits(minute_remaining=50, app_minute_remaining=499)
    budget.find()
    budget.xero.reported_limits = XeroLimits()

    assert rate_limit_of(budget.find).retry_after == timedelta(seconds=60)
    budget.clock.advance(60)
    budget.find()


def test_call_that_another_worker_counts_meanwhile_is_not_lost() -> None:
    budget = BudgetedConnection()
    budget.store.meanwhile(lambda: budget.worker("w2").find("Contacts", "ContactNumber", ["c"]))

    budget.find()
    budget.find()

    rate_limit_of(budget.find)
    assert len(budget.xero.calls) == 3
