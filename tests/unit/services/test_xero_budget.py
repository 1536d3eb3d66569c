"""No call to Xero without budget; its headers are learned from; all workers of a connection share one budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from amazon_to_xero.domain.call_budget import SLOT_FOR, Limits
from amazon_to_xero.ports.xero import XeroLimits, XeroRateLimited, XeroUnavailable
from amazon_to_xero.services.posting.budget import BudgetedXero
from fakes.state import ManualClock, MemoryStateStore
from fakes.vendors import ScriptedXero, lost

CONTACT = {"Name": "n", "ContactNumber": "c"}


THREE_A_MINUTE = Limits(per_minute=3)


class Budget:
    def __init__(self, limits: Limits = THREE_A_MINUTE) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.xero = ScriptedXero(clock=self.clock)
        self.limits = limits
        self.api = self.worker("w1")

    def worker(self, name: str) -> BudgetedXero:
        return BudgetedXero(self.xero, self.store, self.clock, self.limits, name)

    def find(self, times: int = 1) -> None:
        for _ in range(times):
            self.api.find("Contacts", "ContactNumber", ["c"])

    def slots(self) -> str:
        return self.store.cursor("xero-budget").data["json"].partition('"slots":')[2]


def refused(call: Callable[[], object]) -> XeroRateLimited:
    with pytest.raises(XeroRateLimited) as caught:
        call()
    return caught.value


def test_without_budget_nothing_is_sent_and_it_is_said_when_there_will_be_some() -> None:
    budget = Budget()
    budget.find(3)
    budget.clock.advance(20)

    problem = refused(lambda: budget.api.create("Contacts", [CONTACT], "k"))

    assert len(budget.xero.calls) == 3
    assert (problem.problem, problem.retry_after) == ("minute", timedelta(seconds=40))
    budget.clock.advance(40)
    assert budget.api.create("Contacts", [CONTACT], "k")[0].accepted


def test_all_workers_of_a_connection_share_the_budget() -> None:
    budget = Budget()
    budget.find(2)

    budget.worker("w2").find("Contacts", "ContactNumber", ["c"])

    refused(lambda: budget.worker("w3").find("Contacts", "ContactNumber", ["c"]))


def test_every_kind_of_call_counts_and_the_organisation_is_four() -> None:
    budget = Budget(Limits(per_minute=7))
    (made,) = budget.api.create("Contacts", [CONTACT], "k1")
    budget.api.update("Contacts", [{**CONTACT, "ContactID": made.element["ContactID"]}], "k2")
    budget.find()
    budget.api.organisation()

    refused(budget.find)


def test_reading_the_organisation_is_not_begun_when_its_reads_do_not_all_fit() -> None:
    budget = Budget(Limits(per_minute=5))
    budget.find(2)

    refused(budget.api.organisation)
    assert [call.verb for call in budget.xero.calls] == ["find", "find"]
    budget.find(3)


@pytest.mark.parametrize("fault", [lost(), XeroUnavailable("getContacts", 503, "HTTP 503"), ValueError("defect")])
def test_the_slot_is_given_back_after_whatever_happened(fault: Exception) -> None:
    budget = Budget(Limits(at_once=1))
    budget.xero.before = [fault]  # type: ignore[list-item]

    with pytest.raises(type(fault)):
        budget.find()

    assert budget.slots() == "{}}"
    budget.find()


def test_a_call_within_a_call_of_another_worker_takes_its_own_slot() -> None:
    budget = Budget(Limits(at_once=2))
    seen = []

    def meanwhile() -> None:
        seen.append(budget.worker("w2").find("Contacts", "ContactNumber", ["c"]))
        budget.xero.during = lambda: seen.append(
            refused(lambda: budget.worker("w3").create("Contacts", [CONTACT], "z"))
        )
        budget.worker("w2").create("Contacts", [{**CONTACT, "ContactNumber": "d"}], "y")

    budget.xero.during = meanwhile
    budget.api.create("Contacts", [CONTACT], "x")

    assert len(seen) == 2
    assert isinstance(seen[1], XeroRateLimited)
    assert (seen[1].problem, seen[1].retry_after) == ("concurrent", SLOT_FOR)


def test_what_xero_says_is_left_is_believed_when_it_is_less() -> None:
    budget = Budget(Limits())
    budget.xero.said = XeroLimits(minute_remaining=3, day_remaining=4000, app_minute_remaining=9000)
    budget.find()

    # 57 may be used, Xero counts 57 used: another program of the seller is at it
    problem = refused(budget.find)
    assert (problem.problem, problem.retry_after) == ("minute", timedelta(seconds=60))


def test_the_day_ends_when_xero_says_so() -> None:
    budget = Budget(Limits())
    budget.xero.said = XeroLimits(day_remaining=0)
    budget.find()
    budget.xero.said = XeroLimits()

    assert refused(budget.find).problem == "day"


def test_near_the_limit_of_the_whole_app_the_connection_stands_back_for_a_minute() -> None:
    budget = Budget(Limits())
    budget.xero.said = XeroLimits(minute_remaining=50, app_minute_remaining=499)
    budget.find()
    budget.xero.said = XeroLimits()

    assert refused(budget.find).retry_after == timedelta(seconds=60)
    budget.clock.advance(60)
    budget.find()


def test_another_worker_s_booking_in_between_is_not_overwritten() -> None:
    budget = Budget()
    budget.store.meanwhile(lambda: budget.worker("w2").find("Contacts", "ContactNumber", ["c"]))

    budget.find()
    budget.find()

    refused(budget.find)
    assert len(budget.xero.calls) == 3
