"""Orders and refunds of a seller whose accounts, tracking categories and items are decided by rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind, LineTerms
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules, LineType
from amazon_to_xero.domain.planning.policy import PostingPolicy
from fakes.order_life import CANADIAN, ORGANISATION_WITH_CLEARING, PAYING, SHIPPED, version
from fakes.orders import CA, UK, breakdown, item
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


def test_refund_takes_the_tracking_under_which_its_order_was_booked_again() -> None:
    connection = connected("FBA", "FBM")
    connection.update(SHIPPED)

    merchant = (("Channel", "FBM"),)
    connection.correct(
        CorrectionKind.REBOOK, terms=(LineTerms("10000000000001:ITEM", "206", "OUTPUT2", merchant, "TEA"),)
    )
    connection.plan_shipments()
    connection.post()
    connection.post()
    connection.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))

    (line,) = connection.xero.credit_note("A-RFT1")["LineItems"]
    assert booking_of(line) == ("206", [{"Name": "Channel", "Option": "FBM"}], "TEA")


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


# --- refunds and marketplaces on accounts of their own ----------------------------------------------------------------

DISCOUNTED = version(1, item("9.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-1.00"), item_id="1"))
BACK = refund("T1", item_refund(OurPricePrincipal="-10.00", OurPriceDiscount="1.00", GoodwillPrincipal="-2.00"))


def accounts_of_refund(policy: PostingPolicy) -> list[str]:
    """Return the account of each line of a refund of the whole order, with goodwill on top."""
    connection = RefundingConnection(DISCOUNTED, policy=policy)
    connection.refund(BACK)
    return [line["AccountCode"] for line in connection.xero.credit_note("A-RFT1")["LineItems"]]


def test_refund_goes_to_the_account_of_refunds_and_goodwill_to_its_own() -> None:
    assert accounts_of_refund(PAYING) == ["200", "210", "200"]

    accounts = replace(PAYING.accounts, refunds="207", goodwill="208")

    assert accounts_of_refund(replace(PAYING, accounts=accounts)) == ["207", "207", "208"]


def test_rule_that_names_refunds_decides_where_they_go_by_marketplace_and_sku() -> None:
    named = frozenset({LineType.REFUND})
    elsewhere = AccountRule("206", marketplaces=frozenset({CA}), charges=named)
    here = AccountRule("208", marketplaces=frozenset({UK}), skus=("TEA-*",), charges=named)

    assert accounts_of_refund(by_rules(elsewhere, here)) == ["208", "208", "200"]
    assert accounts_of_refund(by_rules(elsewhere)) == ["200", "210", "200"]


def test_sale_and_refund_of_a_marketplace_are_settled_through_its_own_clearing_account() -> None:
    accounts = replace(PAYING.accounts, marketplace_clearing={UK: {"GBP": "CLR-UK"}})
    own = replace(ORGANISATION_WITH_CLEARING.accounts["CLR-GBP"], code="CLR-UK")
    connection = RefundingConnection(policy=replace(PAYING, accounts=accounts))
    connection.xero.settings = replace(
        ORGANISATION_WITH_CLEARING, accounts={**ORGANISATION_WITH_CLEARING.accounts, "CLR-UK": own}
    )
    canadian = version(1, item("20.00", currency="CAD"), **CANADIAN) | {"orderId": "B"}
    connection.update(DISCOUNTED, canadian)

    connection.refund(BACK)

    codes = [payment["Account"]["Code"] for payment in connection.xero.books["Payments"].values()]
    assert codes == ["CLR-UK", "CLR-CAD", "CLR-UK"]


def test_account_that_a_person_has_chosen_comes_before_the_rules_and_stays_reported_like_its_line() -> None:
    connection = connected("FBA")
    connection.update(SHIPPED)

    connection.plan_shipments(*connection.correct(CorrectionKind.ACCOUNT, "208"))
    connection.post()

    assert [booking_of(line) for line in connection.xero.invoice("A-A1")["LineItems"]] == [
        ("208", *BOOKED_BY_RULES[1:])
    ]
    assert [booking_of(line) for line in connection.xero.credit_note("A-A1")["LineItems"]] == [BOOKED_BY_RULES]
