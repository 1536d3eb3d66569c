"""Settings: good ones become a policy; a wrong one is refused with its field and the remedy, and never repeated."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.planning.account_rules import AccountRule, Channel, LineType
from amazon_to_xero.domain.planning.policy import Approval, InvoicePer, Payments, RefundsWithoutSale
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule
from amazon_to_xero.runtime.settings import (
    ConnectionSecrets,
    ConnectionSettings,
    SettingsError,
    parse,
    stack_settings,
)
from fakes.orders import UK, US
from fakes.settings import secrets, settings

MISSING = object()


def changed(document: dict[str, Any], path: str, value: Any) -> str:
    """Return the document as JSON text, with another value at that path, or without it."""
    *parents, last = path.split(".")
    part = document
    for name in parents:
        part = part[int(name)] if isinstance(part, list) else part.setdefault(name, {})
    if value is MISSING:
        del part[last]
    else:
        part[last] = value
    return json.dumps(document)


def refusal(model: Any, text: Any) -> str:
    """Return the message with which a document is refused."""
    with pytest.raises(SettingsError) as caught:
        parse(model, text, "the settings of connection main")
    return str(caught.value)


def test_good_settings_become_a_policy() -> None:
    document = settings()
    document["accounts"] |= {
        "clearing": {"GBP": "CLR-GBP"},
        "delivery_tip": "208",
        "refunds_goodwill": "211",
        "refunds_restocking": "212",
        "suspense": "850",
    }
    document["tax"]["rules"].append(
        {"tax_type": "X", "amounts": "exclusive", "ship_to": ["FR"], "amazon_tax": "charged", "responsible": "seller"}
    )

    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()

    assert policy.marketplaces == {UK, US}
    assert policy.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert policy.accounts.charges == {
        Charge.ITEM: "200",
        Charge.SHIPPING: "205",
        Charge.GIFT_WRAP: "206",
        Charge.DELIVERY_TIP: "208",
    }
    assert (policy.accounts.discounts, policy.accounts.clearing) == ("210", {"GBP": "CLR-GBP"})
    assert (policy.accounts.goodwill, policy.accounts.restocking, policy.accounts.suspense) == ("211", "212", "850")
    assert (policy.tax.rounding_limit, policy.tax.rounding_tax_type) == (Decimal("0.05"), "NONE")
    uk, us, other = policy.tax.rules
    assert (uk.tax_type, uk.amounts, uk.marketplaces, uk.responsible) == (
        "OUTPUT2",
        LineAmountTypes.INCLUSIVE,
        frozenset({UK}),
        None,
    )
    assert (us.amounts, us.responsible) == (LineAmountTypes.NO_TAX, Party.MARKETPLACE)
    assert (other.ship_to, other.amazon_tax, other.responsible) == (
        frozenset({"FR"}),
        AmazonTax.CHARGED,
        Party.SELLER,
    )


def test_buyers_have_no_contacts_of_their_own_by_default() -> None:
    policy = parse(ConnectionSettings, json.dumps(settings()), "x").policy()

    assert policy.contacts == ContactPolicy(ContactScope.MARKETPLACE, {})


def test_refunds_of_orders_before_start_need_a_person_by_default() -> None:
    document = settings()
    assert _refunds_before_start(document) is RefundsWithoutSale.PERSON

    document["refunds"] = {"before_start": "standalone"}
    assert _refunds_before_start(document) is RefundsWithoutSale.STANDALONE


def _refunds_before_start(document: dict[str, Any]) -> RefundsWithoutSale:
    return parse(ConnectionSettings, json.dumps(document), "settings").policy().refunds_before_start


@pytest.mark.parametrize(("invoices", "per"), [({}, InvoicePer.SHIPMENT), ({"per": "order"}, InvoicePer.ORDER)])
def test_each_shipment_has_an_invoice_of_its_own_unless_the_settings_say_otherwise(
    invoices: dict[str, str], per: InvoicePer
) -> None:
    raw = settings() | {"invoices": invoices}

    assert parse(ConnectionSettings, json.dumps(raw), "main").policy().invoice_per is per


def test_one_marketplace_may_be_paid_otherwise_than_the_others() -> None:
    raw = settings()
    raw["invoices"] = {"marketplaces": {UK: {"payments": "none"}}}

    policy = parse(ConnectionSettings, json.dumps(raw), "main").policy()

    assert policy.payments is Payments.FROM_CLEARING
    assert policy.for_marketplace(UK).payments is Payments.NONE
    assert policy.for_marketplace(US).payments is Payments.FROM_CLEARING


def test_misspelt_marketplace_of_invoices_is_named() -> None:
    raw = settings()
    raw["invoices"] = {"marketplaces": {"A1NOWHERE": {"payments": "none"}}}

    with pytest.raises(SettingsError, match=r"invoices\.marketplaces name marketplaces A1NOWHERE .* add them there"):
        parse(ConnectionSettings, json.dumps(raw), "main")


def test_ignored_marketplaces_reach_the_policy_and_there_are_none_by_default() -> None:
    document = settings()
    assert parse(ConnectionSettings, json.dumps(document), "x").policy().ignored_marketplaces == frozenset()

    document["amazon"]["ignored_marketplaces"] = ["A13V1IB3VIYZZH"]

    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()
    assert policy.ignored_marketplaces == {"A13V1IB3VIYZZH"}


@pytest.mark.parametrize(
    ("name", "scope"), [("business_buyers", ContactScope.BUSINESS_BUYERS), ("buyers", ContactScope.BUYERS)]
)
def test_contact_settings_reach_the_policy(name: str, scope: ContactScope) -> None:
    document = settings()
    document["contacts"] = {"policy": name, "names": {UK: "Amazon UK"}}

    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()

    assert policy.contacts == ContactPolicy(scope, {UK: "Amazon UK"})


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("amazon", MISSING, "Field required"),
        ("amazon.seller_id", "", "at least 1 character"),
        ("amazon.region", "europe", "'na', 'eu' or 'fe'"),
        ("amazon.marketplaces", [], "at least 1 item"),
        ("amazon", {"seller_id": "A", "region": "eu", "marketplaces": ["A1UNKNOWN"]}, "take them from Amazon's list"),
        (
            "amazon",
            {"seller_id": "A", "region": "eu", "marketplaces": [UK], "ignored_marketplaces": [UK]},
            f"marketplaces and ignored_marketplaces both list {UK}; remove each from one of them",
        ),
        ("xero.tenant_id", MISSING, "Field required"),
        ("xero.calls_per_day", 49, "greater than or equal to 50"),
        ("xero.calls_per_day", 5001, "less than or equal to 5000"),
        ("xero.calls_per_day", "many", "valid integer"),
        ("accounts.item", MISSING, "Field required"),
        ("accounts.item", "", "at least 1 character"),
        ("accounts.item", "x" * 11, "at most 10 characters"),
        ("accounts.discounts", 210, "valid string"),
        ("accounts.postage", "200", "Extra inputs are not permitted"),
        ("accounts.clearing.gbp", "CLR", "match pattern"),
        ("accounts.marketplace_clearing", {UK: {"gbp": "CLR"}}, "match pattern"),
        ("accounts.marketplace_clearing", {UK: {}}, "at least 1 item"),
        ("accounts.rules", [{"marketplaces": [UK]}], "give it an account, tracking or an item_code"),
        ("accounts.rules", [{"account": "201", "tracking": {"A": "1", "B": "2", "C": "3"}}], "at most 2 items"),
        ("accounts.rules", [{"item_code": "A", "charges": ["refund"]}], "those of the sale; give it an account"),
        ("accounts.rules", [{"item_code": "x" * 31}], "at most 30 characters"),
        ("accounts.rules", [{"account": "201", "channel": "fba"}], "'amazon' or 'merchant'"),
        ("accounts.rules", [{"account": "201", "charges": ["postage"]}], "'gift_wrap'"),
        ("tax.rules", [], "at least 1 item, unless tax.mode is matching"),
        ("tax.mode", "guess", "'rules' or 'matching'"),
        ("tax.liabilities", {"XX_VOEC": "amazon"}, "'seller' or 'marketplace'"),
        ("tax.rules.1.business", "perhaps", "valid boolean"),
        ("tax.rules.1.regions", "ON", "valid array"),
        ("tax.rules.1.category", "", "at least 1 character"),
        ("tax.categories.books", [], "at least 1 item"),
        ("invoices.lock_dates", "ignore", "'hold' or 'next_open_day'"),
        ("tax.rules.0.amounts", "gross", "'inclusive', 'exclusive' or 'none'"),
        ("tax.rules.0.tax_type", MISSING, "Field required"),
        ("tax.rules.1.responsible", "amazon", "'seller' or 'marketplace'"),
        ("tax.rules.1.amazon_tax", "some", "'zero', 'stated_zero' or 'charged'"),
        ("tax.rules.1.when", "always", "Extra inputs are not permitted"),
        ("tax.rounding_limit", "0.11", "less than or equal to 0.1"),
        ("tax.rounding_limit", "-0.01", "greater than or equal to 0"),
        ("invoices.due_days", -1, "greater than or equal to 0"),
        ("invoices.due_days", 366, "less than or equal to 365"),
        ("invoices.branding_theme", "", "at least 1 character"),
        ("invoices.line_description", "x" * 501, "at most 500 characters"),
        ("invoices", {"line_description": "{asin} {title}"}, "line_description has {asin}, which is no field"),
        ("invoices", {"line_description": "{title"}, "line_description has {, which"),
        ("invoices", {"line_description": "{}"}, "write {title}, {sku}, {item_id}, {order_id}, {marketplace}"),
        ("invoices.buyer_references", ["e-mail"], "'purchase_order' or 'vat_number'"),
        ("invoices.number_prefix", "x" * 51, "at most 50 characters"),
        ("invoices.number_prefix", "A,B", "match pattern"),
        ("refunds.before_start", "ignore", "'person' or 'standalone'"),
        ("contacts.policy", "everybody", "'marketplace', 'business_buyers' or 'buyers'"),
        ("contacts.names.A1F83G8C2ARO7P", 'The "Amazon" customers', "match pattern"),
        ("start", MISSING, "Field required"),
        ("start", "2026-01-01T00:00:00", "timezone"),
        ("start", "last year", "valid datetime"),
    ],
)
def test_wrong_field_is_named_with_what_is_expected(path: str, value: Any, expected: str) -> None:
    message = refusal(ConnectionSettings, changed(settings(), path, value))

    assert message.startswith("the settings of connection main cannot be used.")
    assert expected in message
    assert path in message
    assert message.endswith("Correct it and run connect again.")


def test_every_condition_of_a_tax_rule_reaches_the_policy() -> None:
    document = settings()
    document["invoices"] = {"lock_dates": "next_open_day"}
    document["tax"] |= {
        "mode": "matching",
        "categories": {"books": ["BOOK-*", "SKU-17"]},
        "rules": [
            {
                "tax_type": "X",
                "amounts": "inclusive",
                "regions": ["ON", "Ontario"],
                "scheme": "UOSS",
                "business": False,
                "category": "books",
            }
        ],
    }
    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()

    (rule,) = policy.tax.rules
    assert rule == TaxRule(
        "X",
        LineAmountTypes.INCLUSIVE,
        regions=frozenset({"ON", "Ontario"}),
        scheme="UOSS",
        business=False,
        category="books",
    )
    assert (policy.tax.mode, policy.tax.categories) == (
        TaxMode.MATCHING,
        SkuCategories({"books": ("BOOK-*", "SKU-17")}),
    )
    assert policy.lock_dates is LockDates.NEXT_OPEN_DAY


def test_every_condition_of_an_account_rule_reaches_the_policy() -> None:
    document = settings()
    document["tax"]["categories"] = {"books": ["BOOK-*"]}
    document["accounts"]["rules"] = [
        {
            "account": "201",
            "tracking": {"Channel": "FBA", "Region": "North"},
            "item_code": "BOOKS",
            "marketplaces": [UK],
            "ship_to": ["GB"],
            "regions": ["Wales"],
            "skus": ["BOOK-*"],
            "category": "books",
            "channel": "amazon",
            "business": True,
            "charges": ["item", "discount"],
        }
    ]

    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()

    (rule,) = policy.account_rules.rules
    assert rule == AccountRule(
        account="201",
        tracking=(("Channel", "FBA"), ("Region", "North")),
        item_code="BOOKS",
        marketplaces=frozenset({UK}),
        ship_to=frozenset({"GB"}),
        regions=frozenset({"Wales"}),
        skus=("BOOK-*",),
        category="books",
        channel=Channel.AMAZON,
        business=True,
        charges=frozenset({LineType.ITEM, LineType.DISCOUNT}),
    )
    assert policy.lists_to_read == ListsToRead(tracking=True, item_codes=frozenset({"BOOKS"}))


def test_vat_number_of_a_buyer_with_a_contact_has_its_place_there() -> None:
    document = settings()
    document["contacts"] = {"policy": "business_buyers"}
    document["invoices"] = {"buyer_references": ["purchase_order", "vat_number"]}

    message = refusal(ConnectionSettings, json.dumps(document))

    assert "with contacts.policy business_buyers it is on the contact; remove it from" in message


def test_marketplace_with_a_clearing_account_has_to_be_one_of_the_connection() -> None:
    document = settings()
    document["accounts"]["marketplace_clearing"] = {"A1PA6795UKMFR9": {"EUR": "CLR-DE"}}

    message = refusal(ConnectionSettings, json.dumps(document))

    assert "accounts.marketplace_clearing name marketplaces A1PA6795UKMFR9 that amazon.marketplaces does not" in message


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"category": "boks"}, "accounts.rules name categories boks that tax.categories does not have"),
        ({"marketplaces": ["A1PA6795UKMFR9"]}, "accounts.rules name marketplaces A1PA6795UKMFR9"),
        ({"ship_to": ["UK"]}, "accounts.rules have ship_to UK, which is no ISO country code; write GB"),
    ],
)
def test_condition_of_an_account_rule_that_nothing_can_meet_is_refused(condition: dict[str, Any], words: str) -> None:
    document = settings()
    document["accounts"]["rules"] = [{"account": "201", **condition}]

    assert words in refusal(ConnectionSettings, json.dumps(document))


def test_matching_needs_no_rules_and_locked_periods_are_held_by_default() -> None:
    document = settings()
    document["tax"] = {"mode": "matching"}
    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()

    assert policy.tax == TaxPolicy((), TaxMode.MATCHING)
    assert policy.lock_dates is LockDates.HOLD


def test_rule_with_an_unknown_category_is_refused() -> None:
    document = settings()
    document["tax"]["categories"] = {"books": ["BOOK-*"]}
    document["tax"]["rules"][0]["category"] = "boks"

    assert "categories boks that tax.categories does not have" in refusal(ConnectionSettings, json.dumps(document))


def test_every_wrong_field_is_named() -> None:
    document = settings()
    del document["start"], document["accounts"]["item"]
    document["tax"]["rules"][1]["amounts"] = "gross"

    message = refusal(ConnectionSettings, json.dumps(document))

    assert [field in message for field in ("start", "accounts.item", "tax.rules.1.amounts")] == [True] * 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"S3CRET"', '{"amazon": S3CRET}'])
def test_document_of_another_shape_is_refused(text: str) -> None:
    message = refusal(ConnectionSecrets, text)

    assert "document: " in message or "amazon" in message
    assert "S3CRET" not in message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("amazon.client_secret", MISSING),
        ("amazon.client_secret", ["S3CRET"]),
        ("amazon.refresh_token", ""),
        ("amazon.refresh_token", {"value": "S3CRET"}),
        ("xero.client_secret", 12),
        ("xero.refreshtoken", "S3CRET"),
        ("xero", "S3CRET"),
        ("buyer_salt", MISSING),
        ("buyer_salt", "S3CRET too short"),
    ],
)
def test_secret_is_never_repeated(path: str, value: Any) -> None:
    message = refusal(ConnectionSecrets, changed(secrets(), path, value))

    assert path in message
    assert "S3CRET" not in message


def test_custom_connection_has_no_refresh_token() -> None:
    document = secrets()
    del document["xero"]["refresh_token"]

    assert parse(ConnectionSecrets, json.dumps(document), "x").xero.refresh_token is None


QUEUES = ("ORDERS_DLQ_URL", "SHIPMENTS_DLQ_URL")
ENVIRONMENT = {
    "STACK_NAME": "stack",
    "TABLE_NAME": "t",
    "TOKEN_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "SETTINGS_PATH": "/stack/connections",
    "SECRETS_PREFIX": "stack/connections",
    "ORDERS_DLQ_URL": "https://sqs.example/orders-dlq",
    "SHIPMENTS_DLQ_URL": "https://sqs.example/shipments-dlq",
    "EVENT_BUS_NAME": "amazon-to-xero-events",
    "INVENTORY_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:stack-inventory-alerts",
    "AWS_REGION": "eu-west-1",
    "XERO_API_URL": "https://api.xero.com",
    "XERO_TOKEN_URL": "https://identity.xero.com/connect/token",
}


def test_function_s_environment_is_read_and_its_other_variables_are_ignored() -> None:
    stack = stack_settings({**ENVIRONMENT, "PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x"}, QUEUES)

    assert (stack.table, stack.region, stack.aws_endpoint, stack.amazon_api_url) == ("t", "eu-west-1", None, "")
    assert stack.dead_letter_queues == {queue: ENVIRONMENT[queue] for queue in QUEUES}


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_missing_variable_of_the_environment_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"the function's environment cannot be used. {name}: Field required"):
        stack_settings({key: value for key, value in ENVIRONMENT.items() if key != name}, QUEUES)


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_empty_variable_of_the_environment_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        stack_settings({**ENVIRONMENT, name: ""}, QUEUES)


# --- inventory --------------------------------------------------------------------------------------------------------


def inventory(**given: Any) -> dict[str, Any]:
    return settings() | {"inventory": given}


def parsed(document: dict[str, Any]) -> ConnectionSettings:
    return parse(ConnectionSettings, json.dumps(document), "the settings")


def test_stock_is_not_watched_unless_the_settings_ask_for_it() -> None:
    assert parsed(settings()).stock_policy() is None
    assert parsed(inventory(low=10)).stock_policy() is None


def test_inventory_settings_become_the_policy_of_alerts() -> None:
    document = inventory(
        alerts=True,
        low=10,
        low_by_place={"eu": 30, "DEFAULT": 5},
        low_by_sku={"MUG, red": 40},
        low_days=7,
        pools={"eu": ["A1PA6795UKMFR9", "A13V1IB3VIYZZH"]},
        collect_seconds=0,
    )

    policy = parsed(document).stock_policy()

    assert policy is not None
    assert policy.marketplaces == tuple(document["amazon"]["marketplaces"])
    assert policy.pools == {"A1PA6795UKMFR9": "eu", "A13V1IB3VIYZZH": "eu"}
    levels = (("X", "eu"), ("X", "A1"), ("MUG, red", "eu"))
    assert [policy.low_units(*level, None) for level in levels] == [30, 10, 40]
    assert policy.low_units("X", "A1", Decimal(3)) == 21
    assert policy.collect.total_seconds() == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"pools": {"eu": ["A1"]}}, "pools name A1, which are not Amazon's marketplace ids"),
        ({"pools": {"eu": ["A1PA6795UKMFR9"], "de": ["A1PA6795UKMFR9"]}}, "pools list A1PA6795UKMFR9 twice"),
        ({"pools": {"Europe": ["A1PA6795UKMFR9"]}}, "inventory.pools.Europe"),
        ({"low_by_place": {"europe": 3}}, "low_by_place or low_days_by_place name europe; write a marketplace id"),
        ({"low_by_sku": {"MUG": -1}}, "inventory.low_by_sku.MUG"),
        ({"digest_from": 1}, "inventory.digest_from"),
        ({"treshold": 1}, "inventory.treshold"),
    ],
)
def test_wrong_inventory_setting_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(named)):
        parsed(inventory(alerts=True, **given))


def test_own_stock_is_watched_only_with_alerts() -> None:
    assert parsed(inventory(alerts=True, merchant_quantities=True)).inventory.merchant_quantities

    with pytest.raises(SettingsError, match="merchant_quantities is set without alerts; set alerts to true"):
        parsed(inventory(merchant_quantities=True))


def test_a_person_approves_the_invoices_of_one_marketplace_and_nobody_those_of_the_others() -> None:
    raw = settings()
    assert not parse(ConnectionSettings, json.dumps(raw), "main").policy().has_review
    raw["invoices"] = {"marketplaces": {UK: {"approval": "review"}}}

    policy = parse(ConnectionSettings, json.dumps(raw), "main").policy()

    assert policy.has_review
    assert [policy.for_marketplace(each).approval for each in (UK, US)] == [Approval.REVIEW, Approval.AT_SHIPMENT]
