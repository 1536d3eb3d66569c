"""Accounts, tracking categories and item codes by rule: what the lines of an order's documents say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import line_from_xero
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules, Channel, LineType
from amazon_to_xero.domain.planning.policy import PostingPolicy
from fakes.books import POLICY
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, OrderLife, desired_documents, order_life, version
from fakes.orders import CA, UK, breakdown, item, order

FBA = (("Channel", "FBA"),)
BOOK = item(
    "13.50",
    breakdown("ITEM", "12.00"),
    breakdown("SHIPPING", "3.00"),
    breakdown("DISCOUNT", "-1.50"),
    sku="BOOK-1",
    item_id="1",
)
TEA = item("10.00", sku="TEA-50", item_id="2")


def with_rules(*rules: AccountRule, policy: PostingPolicy = PAYING) -> PostingPolicy:
    categories = SkuCategories({"books": ("BOOK-*", "ATLAS")})
    return replace(policy, account_rules=AccountRules(rules), tax=replace(policy.tax, categories=categories))


def lines_of(raw: dict[str, Any], *rules: AccountRule, organisation: Organisation | None = None) -> list[Any]:
    """Return (account, tracking, item code) of each line of the order's invoice."""
    books = organisation or ORGANISATION_WITH_CLEARING
    outcome = desired_documents(raw, policy=with_rules(*rules), organisation=books)
    assert isinstance(outcome, list)
    lines = [line_from_xero(each, "") for each in outcome[1].body["LineItems"]]
    return [(line.account, line.tracking, line.item_code) for line in lines]


def accounts_of(raw: dict[str, Any], *rules: AccountRule) -> list[str]:
    return [account for account, *_ in lines_of(raw, *rules)]


BOTH = order(BOOK, TEA, grand_total="23.50")


@pytest.mark.parametrize(
    ("rule", "accounts"),
    [
        (AccountRule("201"), ["201", "201", "201", "201"]),
        (AccountRule("201", charges=frozenset({LineType.ITEM})), ["201", "205", "210", "201"]),
        (AccountRule("201", charges=frozenset({LineType.SHIPPING})), ["200", "201", "210", "200"]),
        (AccountRule("201", charges=frozenset({LineType.DISCOUNT})), ["200", "205", "201", "200"]),
        (AccountRule("201", skus=("TEA-*",)), ["200", "205", "210", "201"]),
        (AccountRule("201", category="books"), ["201", "201", "201", "200"]),
        (AccountRule("201", category="toys"), ["200", "205", "210", "200"]),
        (AccountRule("201", marketplaces=frozenset({UK})), ["201", "201", "201", "201"]),
        (AccountRule("201", marketplaces=frozenset({CA})), ["200", "205", "210", "200"]),
        (AccountRule("201", ship_to=frozenset({"FR"})), ["200", "205", "210", "200"]),
        (AccountRule("201", regions=frozenset({"region"})), ["201", "201", "201", "201"]),
        (AccountRule("201", channel=Channel.AMAZON), ["201", "201", "201", "201"]),
        (AccountRule("201", channel=Channel.MERCHANT), ["200", "205", "210", "200"]),
        (AccountRule("201", business=False), ["201", "201", "201", "201"]),
        (AccountRule("201", business=True), ["200", "205", "210", "200"]),
    ],
)
def test_line_that_meets_the_conditions_goes_to_the_rules_account(rule: AccountRule, accounts: list[str]) -> None:
    assert accounts_of(BOTH, rule) == accounts


def test_first_rule_that_matches_decides() -> None:
    rules = AccountRule("201", category="books"), AccountRule("202")

    assert accounts_of(BOTH, *rules) == ["201", "201", "201", "202"]
    assert accounts_of(BOTH, *reversed(rules)) == ["202", "202", "202", "202"]


def test_account_tracking_and_item_code_are_decided_each_by_the_first_rule_that_names_one() -> None:
    rules = (
        AccountRule(tracking=FBA, channel=Channel.AMAZON),
        AccountRule("201", category="books"),
        AccountRule("299", tracking=(("Channel", "FBM"),), item_code="GOODS", charges=frozenset({LineType.ITEM})),
    )

    assert lines_of(BOTH, *rules) == [
        ("201", FBA, "GOODS"),
        ("201", FBA, ""),
        ("201", FBA, ""),
        ("299", FBA, "GOODS"),
    ]


def test_tip_belongs_to_the_order_and_to_no_sku() -> None:
    tipped = version(4, BOOK, tip="2.00")

    assert accounts_of(tipped, AccountRule("201", category="books"))[-1] == "208"
    assert accounts_of(tipped, AccountRule("201", skus=("BOOK-*",)))[-1] == "208"
    assert accounts_of(tipped, AccountRule("201", charges=frozenset({LineType.DELIVERY_TIP})))[-1] == "201"


def test_charge_without_an_account_is_booked_by_a_rule() -> None:
    other = order(item("11.00", breakdown("ITEM", "10.00"), breakdown("OTHER", "1.00")), grand_total="11.00")

    with pytest.raises(Failure, match=r"Set accounts\.other .* or add a rule to accounts\.rules"):
        accounts_of(other)
    assert accounts_of(other, AccountRule("209", charges=frozenset({LineType.OTHER}))) == ["200", "209"]


# --- what the organisation does not have ------------------------------------------------------------------------------

READ = replace(
    ORGANISATION_WITH_CLEARING,
    lists=ListsToRead(tracking=True, item_codes=frozenset({"BOOKS", "STOCKED", "GONE"})),
    tracking={"Channel": frozenset({"FBA"})},
    items={"BOOKS": Item("BOOKS", stock_is_tracked=False), "STOCKED": Item("STOCKED", stock_is_tracked=True)},
)


def test_tracking_and_item_that_the_organisation_has_are_named_on_the_line() -> None:
    raw = order(item("10.00"), grand_total="10.00")

    assert lines_of(raw, AccountRule(tracking=FBA, item_code="BOOKS"), organisation=READ) == [("200", FBA, "BOOKS")]


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        (AccountRule(tracking=(("Chanel", "FBA"),)), "TRACKING_UNKNOWN", "category Chanel with an active option FBA"),
        (AccountRule(tracking=(("Channel", "FBN"),)), "TRACKING_UNKNOWN", "category Channel with an active option FBN"),
        (AccountRule(item_code="GONE"), "ITEM_UNUSABLE", "has no item GONE. Add the item in Xero"),
        (AccountRule(item_code="STOCKED"), "ITEM_UNUSABLE", "tracks the stock of item STOCKED"),
    ],
)
def test_order_fails_before_xero_leaves_out_what_it_does_not_have(rule: AccountRule, code: str, words: str) -> None:
    with pytest.raises(Failure) as caught:
        lines_of(order(item("10.00"), grand_total="10.00"), rule, organisation=READ)

    assert caught.value.code == code
    assert words in caught.value.remedy
    assert "accounts.rules" in caught.value.remedy


# --- rules that change ------------------------------------------------------------------------------------------------


def test_changed_rule_updates_a_draft() -> None:
    life = order_life(with_rules(AccountRule("201", FBA)), version(4, BOOK, status="UNSHIPPED"))

    life.policy = with_rules(AccountRule("202"))
    life.update(version(4, BOOK, status="UNSHIPPED"))

    lines = life.in_xero["invoice A"].body["LineItems"]
    assert {line["AccountCode"] for line in lines} == {"202"}
    assert not any("Tracking" in line for line in lines)


def test_changed_rule_leaves_a_paid_invoice_and_corrects_it_where_it_is_booked() -> None:
    life = order_life(with_rules(AccountRule("201", FBA, "BOOKS")), version(4, BOOK))
    cheaper = item("8.00", sku="BOOK-1", item_id="1")

    life.policy = with_rules(AccountRule("202"))
    life.request(version(4, BOOK))
    assert life.pending_changes() == []
    life.update(version(6, cheaper))

    credited = [line_from_xero(each, "") for each in life.in_xero["credit_note A-A1"].body["LineItems"]]
    assert {(line.account, line.tracking, line.item_code) for line in credited} == {("201", FBA, "BOOKS")}


# --- any rules and any order ------------------------------------------------------------------------------------------

SKUS = ("BOOK-1", "BOOK-2", "TEA-50", "ATLAS")
CHARGES = (Charge.ITEM, Charge.SHIPPING, Charge.GIFT_WRAP)
PRICES = st.integers(1, 9999).map(lambda cents: Decimal(cents) / 100)
RULES = st.lists(
    st.builds(
        AccountRule,
        account=st.sampled_from(("", "201", "202", "203")),
        skus=st.sampled_from(((), ("BOOK-*",), ("TEA-50", "ATLAS"))),
        category=st.sampled_from(("", "books")),
        channel=st.sampled_from((None, *Channel)),
        charges=st.frozensets(st.sampled_from(list(LineType)), max_size=2),
    ),
    max_size=4,
)
ITEMS = st.lists(
    st.tuples(st.sampled_from(SKUS), st.dictionaries(st.sampled_from(CHARGES), PRICES, min_size=1)), max_size=4
)


def expected_account(rules: list[AccountRule], sku: str, charge: Charge) -> str:
    """Return the account as a bookkeeper reads the table: from the top, row by row, all orders shipped by Amazon."""
    for rule in rules:
        is_book = sku.startswith("BOOK-") or sku == "ATLAS"
        if rule.skus == ("BOOK-*",) and not sku.startswith("BOOK-"):
            continue
        if rule.skus == ("TEA-50", "ATLAS") and sku not in ("TEA-50", "ATLAS"):
            continue
        if (rule.category and not is_book) or rule.channel is Channel.MERCHANT:
            continue
        if rule.charges and charge.name.lower() not in {each.value for each in rule.charges}:
            continue
        if rule.account:
            return rule.account
    return {"ITEM": "200", "SHIPPING": "205", "GIFT_WRAP": "206"}[charge.name]


@given(RULES, ITEMS.filter(bool), ITEMS.filter(bool))
def test_each_account_holds_what_the_table_says_and_a_replay_writes_nothing(
    rules: list[AccountRule], bought: list[Any], changed: list[Any]
) -> None:
    policy = with_rules(*rules, policy=POLICY)  # without clearing: the invoice follows the order
    life = OrderLife(policy, ORGANISATION_WITH_CLEARING)
    for day, parts in ((4, bought), (6, changed)):
        life.update(version(day, *(_item(place, *part) for place, part in enumerate(parts))))

        expected = Counter[str]()
        for sku, prices in parts:
            for charge, price in prices.items():
                expected[expected_account(rules, sku, charge)] += price
        booked = Counter[str]()
        for document in life.in_xero.values():
            assert document.kind is DocumentKind.INVOICE
            for line in document.body["LineItems"]:
                booked[line["AccountCode"]] += line["Quantity"] * line["UnitAmount"]
        assert booked == expected
        assert life.pending_changes() == []


def _item(place: int, sku: str, prices: dict[Charge, Decimal]) -> dict[str, Any]:
    parts = [breakdown(charge.value, str(price)) for charge, price in prices.items()]
    return item(str(sum(prices.values())), *parts, sku=sku, item_id=str(place))
