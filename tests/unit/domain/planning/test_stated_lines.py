"""Lines of which a person has stated the tracking, the item or the text."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.policy import Approval
from fakes.books import POLICY
from fakes.order_life import DRAFT, ORGANISATION_WITH_CLEARING, PAYING, SHIPPED, OrderLife, order_life, tea, version
from fakes.orders import breakdown, item

D = Decimal
K = CorrectionKind
NORTH = [{"Name": "Region", "Option": "North"}]
REVIEWED = replace(PAYING, approval=Approval.REVIEW)


def with_shipping() -> dict[str, Any]:
    return version(1, item("14.99", breakdown("ITEM", "10.00"), breakdown("SHIPPING", "4.99"), item_id="1"))


def lines(life: OrderLife, name: str = "invoice A") -> list[dict[str, Any]]:
    return list(life.in_xero[name].body["LineItems"])


# --- before payment ---------------------------------------------------------------------------------------------------


def test_draft_has_the_stated_item_tracking_and_text_and_the_same_amounts() -> None:
    life = order_life(PAYING, DRAFT)
    before = lines(life)[0]
    life.enter(K.ITEM_CODE, "TEA")
    life.enter(K.TRACKING, "Region=North; Channel=FBA")

    life.correct(K.DESCRIPTION, "Green tea, 100 g")

    assert lines(life) == [
        before
        | {
            "ItemCode": "TEA",
            "Tracking": [*NORTH, {"Name": "Channel", "Option": "FBA"}],
            "Description": "Green tea, 100 g",
        }
    ]
    assert life.summary == {"invoice A": "DRAFT 10.00"}


def test_only_the_named_line_is_described() -> None:
    life = order_life(POLICY, with_shipping())

    life.correct(K.DESCRIPTION, "Carriage", "1:SHIPPING")

    goods, shipping = lines(life)
    assert (shipping["Description"], goods["Description"]) == ("Carriage", "Breakfast tea, 50 bags (TEA-50)")


def test_line_named_by_itself_comes_before_all_lines() -> None:
    life = order_life(POLICY, with_shipping())
    life.enter(K.TRACKING, "Region=North")

    life.correct(K.TRACKING, "none", "1:SHIPPING")

    goods, shipping = lines(life)
    assert (goods["Tracking"], "Tracking" in shipping) == (NORTH, False)


def test_what_is_stated_survives_a_change_by_amazon_and_ends_when_it_is_withdrawn() -> None:
    life = order_life(POLICY, DRAFT)
    life.correct(K.DESCRIPTION, "Green tea")

    life.update(SHIPPED)
    life.update(version(2, tea("12.00")))
    stated = lines(life)[0]["Description"]
    life.correct(K.WITHDRAW, "1")

    assert (stated, lines(life)[0]["Description"]) == ("Green tea", "Breakfast tea, 50 bags (TEA-50)")


@pytest.mark.parametrize("stated", [(K.DESCRIPTION, "Green tea"), (K.ITEM_CODE, "TEA"), (K.TRACKING, "Region=North")])
def test_invoice_that_awaits_approval_is_written_anew(stated: tuple[CorrectionKind, str]) -> None:
    life = order_life(REVIEWED, SHIPPED)
    before = lines(life)

    life.correct(*stated)

    assert lines(life) != before
    assert life.pending_changes() == []


# --- after payment ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "field", "value"),
    [((K.TRACKING, "Region=North"), "Tracking", NORTH), ((K.ITEM_CODE, "TEA"), "ItemCode", "TEA")],
)
def test_paid_line_is_credited_as_it_is_booked_and_invoiced_as_stated_and_back(
    stated: tuple[CorrectionKind, str], field: str, value: Any
) -> None:
    life = order_life(PAYING, SHIPPED)

    life.correct(*stated)

    assert field not in lines(life, "credit_note A-A1")[0]
    assert lines(life, "invoice A-A1")[0][field] == value
    assert life.pending_changes() == []

    life.correct(K.WITHDRAW, "1")

    assert lines(life, "credit_note A-A2")[0][field] == value
    assert field not in lines(life, "invoice A-A2")[0]
    assert (life.invoiced_total, life.pending_changes()) == (D("10.00"), [])


def test_text_of_a_paid_line_stays_and_so_does_where_it_is_booked() -> None:
    life = order_life(PAYING, SHIPPED)
    before = life.summary
    life.policy = replace(PAYING, accounts=replace(PAYING.accounts, charges={"ITEM": "205"}))  # type: ignore[dict-item]

    life.correct(K.DESCRIPTION, "Green tea")

    assert life.summary == before


def test_supplementary_invoice_has_the_stated_tracking_of_its_line() -> None:
    life = order_life(PAYING, SHIPPED)
    life.correct(K.TRACKING, "Region=North")

    life.update(version(12, tea("12.00")))

    assert lines(life, "invoice A-A2")[0]["Tracking"] == NORTH


# --- what the organisation lacks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ((K.TRACKING, "Region=South"), "no active tracking category Region with an active option South"),
        ((K.ITEM_CODE, "TEE"), "the organisation has no item TEE"),
        ((K.ITEM_CODE, "TEA"), "the organisation tracks the stock of item TEA"),
    ],
)
def test_what_the_organisation_is_known_to_lack_fails_the_order(
    stated: tuple[CorrectionKind, str], problem: str
) -> None:
    life = order_life(PAYING, DRAFT)
    life.organisation = replace(
        ORGANISATION_WITH_CLEARING,
        lists=ListsToRead(tracking=True, item_codes=frozenset({"TEA", "TEE"})),
        tracking={"Region": frozenset({"North"})},
        items={"TEA": Item("TEA", stock_is_tracked=True)},
    )

    with pytest.raises(Failure, match=f"Correction 1: {stated[0]}.*{problem}"):
        life.correct(*stated)
