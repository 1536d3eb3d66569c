"""Properties of an order's plans: whatever happens to the order, its documents together state what the order states."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import cents
from fakes.books import POLICY
from fakes.order_life import CANADIAN, PAYING, PER_SHIPMENT, OrderLife, canadian_item, order_life, version
from fakes.orders import breakdown, item

D = Decimal
PENCE = st.integers(0, 4000)
STATUS = st.sampled_from(["UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "SHIPPED", "CANCELLED"])
POLICIES = {
    "paying": PAYING,
    "per shipment": PER_SHIPMENT,
    "other account": replace(
        PAYING, accounts=replace(PAYING.accounts, charges={**PAYING.accounts.charges, Charge.ITEM: "4000"})
    ),
    "unpaid": POLICY,
}
type BritishItem = tuple[int, int, int, int, int]  # price, shipping, discount, quantity, of it shipped
type BritishVersion = tuple[str, list[BritishItem], int]  # status, items, tip
type CanadianVersion = tuple[str, list[tuple[int, int]]]  # status, items: net price, cents more of tax than Xero's
BRITISH_ITEM = st.tuples(PENCE, PENCE, PENCE, st.integers(1, 4), st.integers(0, 4))
BRITISH_VERSION = st.tuples(STATUS, st.lists(BRITISH_ITEM, min_size=1, max_size=2), st.sampled_from([0, 250]))
CANADIAN_ITEM = st.tuples(PENCE, st.sampled_from([0, 0, 1]))
CANADIAN_VERSION = st.tuples(STATUS, st.lists(CANADIAN_ITEM, min_size=1, max_size=3))


def pounds(pence: int) -> str:
    return str(D(pence) / 100)


def british_order(day: int, drawn: BritishVersion) -> dict[str, Any]:
    """Return an order whose prices include the tax, with shipping, a discount, a quantity for each item, and a tip."""
    status, sold, tip = drawn
    items = []
    for number, (price, shipping, discount, quantity, shipped) in enumerate(sold):
        reduced = discount if discount + 10 <= price else price  # a share of a shipment is of pence
        made = item(
            pounds(price + shipping - reduced),
            breakdown("ITEM", pounds(price)),
            breakdown("SHIPPING", pounds(shipping)),
            breakdown("DISCOUNT", pounds(-reduced)),
            quantity=quantity,
            item_id=str(number),
        )
        made["fulfillment"] = {"quantityFulfilled": min(shipped, quantity)}
        items.append(made)
    return version(day, *items, status=status, tip=pounds(tip))


def canadian_order(day: int, drawn: CanadianVersion) -> dict[str, Any]:
    """Return an order with tax in addition to each price as Amazon computes it, sometimes a cent more than Xero's."""
    status, sold = drawn
    items = []
    for number, (net, more) in enumerate(sold):
        tax = max(cents(D(net) * 5 / 10000) + D(more) / 100, D("0.01"))
        items.append(canadian_item(pounds(net), str(tax), str(number)))
    return version(day, *items, status=status, **CANADIAN)


def assert_documents_state_the_order(life: OrderLife) -> None:
    assert life.invoiced_total == life.sales_total
    assert life.invoiced_by_origin == life.sales_by_origin
    assert life.pending_changes() == []


@given(st.lists(BRITISH_VERSION, min_size=1, max_size=6), st.sampled_from(["paying", "per shipment", "unpaid"]))
def test_documents_state_the_order_after_each_version(versions: list[BritishVersion], policy: str) -> None:
    life = order_life(POLICIES[policy])
    for day, drawn in enumerate(versions):
        life.update(british_order(day, drawn))
        assert_documents_state_the_order(life)
        approved = [sale.total for sale in life.sales if sale.approved]
        assert life.settled_total == (0 if policy == "unpaid" else sum(approved, D(0)))


LOCKED_UNTIL = st.sampled_from([None, None, date(2026, 10, 31), date(2026, 11, 2), date(2026, 11, 4)])


@given(st.lists(st.tuples(BRITISH_VERSION, LOCKED_UNTIL), min_size=1, max_size=6), st.sampled_from(sorted(POLICIES)))
def test_documents_state_the_order_whatever_periods_are_locked_and_opened_again(
    versions: list[tuple[BritishVersion, date | None]], policy: str
) -> None:
    life = order_life(replace(POLICIES[policy], lock_dates=LockDates.NEXT_OPEN_DAY))
    for day, (drawn, locked) in enumerate(versions):
        life.organisation = replace(life.organisation, period_lock=locked)
        life.update(british_order(day, drawn))
        assert_documents_state_the_order(life)


@given(st.lists(CANADIAN_VERSION, min_size=1, max_size=6))
def test_tax_exclusive_documents_state_the_order_to_the_cent(versions: list[CanadianVersion]) -> None:
    life = order_life()
    for day, drawn in enumerate(versions):
        try:
            life.update(canadian_order(day, drawn))
        except Failure as failure:
            assert failure.code in (FailureCode.TAX_DIFFERS, FailureCode.TAX_VARIANCE)
            return
        assert life.invoiced_total == life.sales_total
        assert life.pending_changes() == []


POSTED = st.sampled_from(["all", "all", "nothing", "one", "two", "answers lost"])
DOCUMENTS_POSTED = {"nothing": 0, "one": 1, "two": 2}


@given(st.lists(st.tuples(BRITISH_VERSION, st.sampled_from(sorted(POLICIES)), POSTED), min_size=1, max_size=7))
def test_newest_version_is_in_xero_in_the_end_however_much_was_posted_in_between(
    versions: list[tuple[BritishVersion, str, str]],
) -> None:
    """Draw versions, settings, and how much of each plan is posted before the next: all, some, or with lost answers."""
    life = order_life()
    for day, (drawn, policy, posted) in enumerate(versions):
        life.policy = POLICIES[policy]
        life.request(british_order(day, drawn))
        if posted == "answers lost":
            life.post(loses_answer=lambda _: True)
        else:
            life.post(DOCUMENTS_POSTED.get(posted, 99))

    for _ in range(6):
        life.post()
        if not life.plan().awaits_outcome and not life.pending_changes():
            break
        life.request()

    assert_documents_state_the_order(life)
    assert not [document.key for document in life.documents.values() if document.next_attempt_at]
