"""Orders and refunds of a seller whose accounts, tracking categories and items are decided by rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules, LineType
from amazon_to_xero.domain.planning.policy import PostingPolicy
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, SHIPPED
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

ON_CHANNEL = AccountRule(tracking=(("Channel", "FBA"),))
TEA = AccountRule("206", item_code="TEA", skus=("TEA-*",), charges=frozenset({LineType.ITEM}))
BOOKED_BY_RULES = ("206", [{"Name": "Channel", "Option": "FBA"}], "TEA")


def organisation(*options: str) -> Organisation:
    """Return an organisation with these options of its tracking category Channel, and the item TEA."""
    return replace(
        ORGANISATION_WITH_CLEARING,
        lists=ListsToRead(tracking=True, item_codes=frozenset({"TEA"})),
        tracking={"Channel": frozenset(options)},
        items={"TEA": Item("TEA", stock_is_tracked=False)},
    )


def by_rules(*rules: AccountRule) -> PostingPolicy:
    return replace(PAYING, account_rules=AccountRules(rules))


def connected(*options: str) -> RefundingConnection:
    connection = RefundingConnection(policy=by_rules(ON_CHANNEL, TEA))
    connection.xero.settings = organisation(*options)
    return connection


def booking_of(line: dict[str, Any]) -> tuple[Any, Any, Any]:
    return line["AccountCode"], line.get("Tracking"), line.get("ItemCode")


def test_refund_takes_account_tracking_and_item_of_the_sale_although_the_rules_have_changed() -> None:
    connection = connected("FBA")
    connection.update(SHIPPED)
    assert [booking_of(line) for line in connection.xero.invoice("A")["LineItems"]] == [BOOKED_BY_RULES]

    connection.change_policy(by_rules(AccountRule("208")))
    connection.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))

    assert [booking_of(line) for line in connection.xero.credit_note("A-RFT1")["LineItems"]] == [BOOKED_BY_RULES]


def test_goodwill_is_reported_like_its_item_and_is_no_item_that_comes_back() -> None:
    connection = connected("FBA")
    connection.update(SHIPPED)

    connection.refund(refund("T1", item_refund(OurPricePrincipal="-10.00", GoodwillPrincipal="-1.00")))

    taken_back, goodwill = connection.xero.credit_note("A-RFT1")["LineItems"]
    assert booking_of(taken_back) == BOOKED_BY_RULES
    assert booking_of(goodwill) == ("206", [{"Name": "Channel", "Option": "FBA"}], None)


def test_paid_invoice_is_not_written_again_when_the_rules_change() -> None:
    connection = connected("FBA")
    connection.update(SHIPPED)
    writes = len(connection.xero.writes("Invoices"))

    connection.change_policy(by_rules(AccountRule("208")))
    connection.update({**SHIPPED, "lastUpdatedTime": "2026-11-20T10:00:00Z"})

    assert connection.record().state is OrderState.PLANNED
    assert len(connection.xero.writes("Invoices")) == writes


def test_order_waits_for_a_person_who_adds_the_missing_option_in_xero() -> None:
    connection = connected("FBM")
    connection.update(SHIPPED)
    record = connection.record()
    assert (record.state, record.reason) == (OrderState.FAILED, "TRACKING_UNKNOWN")
    assert "no active tracking category Channel with an active option FBA" in record.remedy
    assert connection.dead_letters[SHIPMENTS].reasons == [("A", "TRACKING_UNKNOWN")]
    assert connection.xero.writes("Invoices") == []

    connection.xero.settings = organisation("FBM", "FBA")
    connection.clock.advance(300)
    connection.update(SHIPPED)

    assert [booking_of(line) for line in connection.xero.invoice("A")["LineItems"]] == [BOOKED_BY_RULES]
