"""Settings that cannot be used are refused with the field and the cure, and never with what was written there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.planning.policy import ContactPolicy
from amazon_to_xero.domain.tax.liability import AmazonTax, Party
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, StackSettings, parse
from fakes.orders import UK, US
from fakes.settings import secrets, settings

MISSING = object()


def changed(document: dict[str, Any], path: str, value: Any) -> str:
    *parents, last = path.split(".")
    part = document
    for name in parents:
        part = part[int(name)] if isinstance(part, list) else part.setdefault(name, {})
    if value is MISSING:
        del part[last]
    else:
        part[last] = value
    return json.dumps(document)


def refused(model: Any, text: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(model, text, "the settings of connection main")
    return str(caught.value)


def test_good_settings_are_a_policy() -> None:
    document = settings()
    document["accounts"] |= {"clearing": {"GBP": "CLR-GBP"}, "delivery_tip": "208"}
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


def test_buyers_have_no_contacts_of_their_own_unless_the_settings_say_so() -> None:
    assert parse(ConnectionSettings, json.dumps(settings()), "x").policy().contacts is ContactPolicy.MARKETPLACE
    for name, policy in (("business_buyers", ContactPolicy.BUSINESS_BUYERS), ("buyers", ContactPolicy.BUYERS)):
        text = changed(settings(), "contacts.policy", name)
        assert parse(ConnectionSettings, text, "x").policy().contacts is policy


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("amazon", MISSING, "Field required"),
        ("amazon.seller_id", "", "at least 1 character"),
        ("amazon.region", "europe", "'na', 'eu' or 'fe'"),
        ("amazon.marketplaces", [], "at least 1 item"),
        ("amazon", {"seller_id": "A", "region": "eu", "marketplaces": ["A1UNKNOWN"]}, "take them from Amazon's list"),
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
        ("tax.rules", [], "at least 1 item, unless tax.mode is matching"),
        ("tax.mode", "guess", "'rules' or 'matching'"),
        ("tax.rules.1.scheme", "OSS", "'UOSS' or 'IOSS'"),
        ("tax.rules.1.business", "perhaps", "valid boolean"),
        ("tax.rules.1.regions", "ON", "valid array"),
        ("tax.rules.1.category", "", "at least 1 character"),
        ("tax.categories.books", [], "at least 1 item"),
        ("invoices.lock_dates", "ignore", "'hold' or 'next_open_day'"),
        ("tax.rules.0.amounts", "gross", "'inclusive', 'exclusive' or 'none'"),
        ("tax.rules.0.tax_type", MISSING, "Field required"),
        ("tax.rules.1.responsible", "amazon", "'seller' or 'marketplace'"),
        ("tax.rules.1.amazon_tax", "some", "'zero' or 'charged'"),
        ("tax.rules.1.when", "always", "Extra inputs are not permitted"),
        ("tax.rounding_limit", "0.11", "less than or equal to 0.1"),
        ("tax.rounding_limit", "-0.01", "greater than or equal to 0"),
        ("invoices.number_prefix", "x" * 51, "at most 50 characters"),
        ("invoices.number_prefix", "A,B", "match pattern"),
        ("contacts.policy", "everybody", "'marketplace', 'business_buyers' or 'buyers'"),
        ("contacts.names.A1F83G8C2ARO7P", 'The "Amazon" customers', "match pattern"),
        ("start", MISSING, "Field required"),
        ("start", "2026-01-01T00:00:00", "timezone"),
        ("start", "last year", "valid datetime"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_expected_there(path: str, value: Any, says: str) -> None:
    said = refused(ConnectionSettings, changed(settings(), path, value))

    assert said.startswith("the settings of connection main cannot be used.")
    assert says in said
    assert path in said
    assert said.endswith("Correct it and run connect again.")


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
    assert (policy.tax.mode, policy.tax.categories) == (TaxMode.MATCHING, {"books": ("BOOK-*", "SKU-17")})
    assert policy.lock_dates is LockDates.NEXT_OPEN_DAY


def test_matching_needs_no_rules_and_no_lock_date_is_passed_unless_it_is_said() -> None:
    document = settings()
    document["tax"] = {"mode": "matching"}
    policy = parse(ConnectionSettings, json.dumps(document), "x").policy()

    assert policy.tax == TaxPolicy((), TaxMode.MATCHING)
    assert policy.lock_dates is LockDates.HOLD


def test_a_category_without_skus_would_match_nothing_and_is_refused() -> None:
    document = settings()
    document["tax"]["categories"] = {"books": ["BOOK-*"]}
    document["tax"]["rules"][0]["category"] = "boks"

    assert "categories boks that tax.categories does not have" in refused(ConnectionSettings, json.dumps(document))


def test_all_wrong_fields_are_named_at_once() -> None:
    document = settings()
    del document["start"], document["accounts"]["item"]
    document["tax"]["rules"][1]["amounts"] = "gross"

    said = refused(ConnectionSettings, json.dumps(document))

    assert [field in said for field in ("start", "accounts.item", "tax.rules.1.amounts")] == [True] * 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"S3CRET"', '{"amazon": S3CRET}'])
def test_a_document_that_is_no_settings_at_all_is_refused(text: str) -> None:
    said = refused(ConnectionSecrets, text)

    assert "document: " in said or "amazon" in said
    assert "S3CRET" not in said


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
    ],
)
def test_a_secret_is_never_repeated(path: str, value: Any) -> None:
    said = refused(ConnectionSecrets, changed(secrets(), path, value))

    assert path in said
    assert "S3CRET" not in said


def test_a_custom_connection_has_no_refresh_token() -> None:
    document = secrets()
    del document["xero"]["refresh_token"]

    assert parse(ConnectionSecrets, json.dumps(document), "x").xero.refresh_token is None


ENVIRONMENT = {
    "TABLE_NAME": "t",
    "SETTINGS_PATH": "/stack/connections",
    "SECRETS_PREFIX": "stack/connections",
    "ORDERS_DLQ_URL": "https://sqs.example/orders-dlq",
    "SHIPMENTS_DLQ_URL": "https://sqs.example/shipments-dlq",
    "EVENT_BUS_NAME": "amazon-to-xero-events",
    "AWS_REGION": "eu-west-1",
    "XERO_API_URL": "https://api.xero.com",
    "XERO_TOKEN_URL": "https://identity.xero.com/connect/token",
}


def test_the_function_s_environment_is_read_and_whatever_else_is_in_it_ignored() -> None:
    stack = parse(StackSettings, {**ENVIRONMENT, "PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x"}, "the environment")

    assert (stack.table, stack.region, stack.aws_endpoint, stack.amazon_api_url) == ("t", "eu-west-1", None, "")


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_an_environment_that_lacks_something_says_what(name: str) -> None:
    with pytest.raises(SettingsError, match=f"the function's environment cannot be used. {name}: Field required"):
        parse(StackSettings, {k: v for k, v in ENVIRONMENT.items() if k != name}, "the function's environment")
