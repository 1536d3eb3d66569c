"""Requests to Xero against Xero's own API description, and invoices against a real seller's orders.

Both are in ../shared beside the repository; where it is missing these tests are skipped and say so.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # ships no type information

from amazon_to_xero.domain.amazon.transaction_header import is_refund, transaction_header
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.organisation import Account, Organisation
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules
from amazon_to_xero.domain.planning.document_style import DocumentStyle
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced
from amazon_to_xero.runtime.privacy import storable_order
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.books import ORGANISATION
from fakes.editions import tax_rates_of_edition
from fakes.order_life import OrderLife, desired_documents
from local.settings import CONNECTION_JSON
from sandbox.amazon import OWN_SELLER
from sandbox.xero import organisation_for
from unit.desired_documents import desired_allocation

SHARED = Path(__file__).resolve().parents[3] / "shared"
CONTRACT = SHARED / "contracts" / "xero" / "xero_accounting.json"
REAL_SELLER = SHARED / "data" / "seller-ca"

XERO_ID = "00000000-0000-4000-8000-000000000001"


@cache
def components() -> Any:
    if not CONTRACT.is_file():
        pytest.skip(f"{CONTRACT} is missing, so requests cannot be checked")
    return json.loads(CONTRACT.read_text(encoding="utf-8"))["components"]


def sandbox_organisation() -> Organisation:
    """Return the sandbox's British organisation, with the income accounts of the tests."""
    raw = organisation_for("GB")
    accounts = dict(ORGANISATION.accounts) | {
        each["Code"]: Account(
            each["AccountID"], each["Code"], each["Name"], each["Type"], each.get("CurrencyCode"), True, True
        )
        for each in raw["Accounts"]
        if each["Type"] == "BANK"
    }
    currencies = frozenset(currency["Code"] for currency in raw["Currencies"])
    return replace(ORGANISATION, accounts=accounts, tax_rates=tax_rates_of_edition("GB"), currencies=currencies)


def policy_of_make_run() -> PostingPolicy:
    """Return the policy of the settings of `make run`, with a clearing account for each currency."""
    settings = json.loads(CONNECTION_JSON.read_text(encoding="utf-8"))
    settings["accounts"]["clearing"] = {code: f"CLR-{code}" for code in ("GBP", "USD", "EUR", "CAD", "JPY")}
    return parse(ConnectionSettings, json.dumps(settings), "the settings of make run").policy()


def newest_orders(folder: Path) -> dict[str, Any]:
    """Return each order of a seller folder in its newest version, as it is stored, by order id."""
    lines = (folder / "orders.jsonl").read_text(encoding="utf-8").splitlines()
    return {order["orderId"]: storable_order(order) for order in map(json.loads, filter(None, lines))}


def planned(folder: Path) -> dict[str, list[DesiredDocument] | NotInvoiced | NotPriced]:
    """Return the documents of each order of a seller folder, by order id."""
    policy, organisation = policy_of_make_run(), sandbox_organisation()
    return {key: desired_documents(order, policy, organisation) for key, order in newest_orders(folder).items()}


def documents_after_cancellation(order: dict[str, Any]) -> list[DesiredDocument]:
    """Return what Xero holds of an order that was paid and then cancelled: with its credit note and cash refund."""
    life = OrderLife(policy_of_make_run(), sandbox_organisation())
    life.update(order)
    life.update(order | {"fulfillment": order["fulfillment"] | {"fulfillmentStatus": "CANCELLED"}})
    return list(life.in_xero.values())


def request(desired: DesiredDocument) -> dict[str, Any]:
    """Return the document as it is sent, with Xero's ids in place of its references."""
    body = json.loads(json.dumps(desired.body, default=float))
    for path in desired.references:
        parent, _, field = path.partition(".")
        body[parent] = {field: XERO_ID}
    return {DOCUMENT_TYPES[desired.kind].collection: [body]}


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_request_matches_xeros_api_description(kind: DocumentKind) -> None:
    invoiced = {order_id: outcome for order_id, outcome in planned(OWN_SELLER).items() if isinstance(outcome, list)}
    orders = newest_orders(OWN_SELLER)
    documents = [
        desired
        for order_id, outcome in invoiced.items()
        for desired in (*outcome, *documents_after_cancellation(orders[order_id]), desired_allocation())
        if desired.kind is kind
    ]
    schema = {"$ref": f"#/components/schemas/{DOCUMENT_TYPES[kind].collection}", "components": components()}
    validator = Draft4Validator(schema)

    assert documents
    for desired in documents:
        assert not [error.message for error in validator.iter_errors(request(desired))], desired.key
        # The schema allows unknown names, so a misspelt one would pass: each has to be one that Xero lists.
        known = components()["schemas"][DOCUMENT_TYPES[kind].collection.removesuffix("s")]["properties"]
        assert set(desired.body) <= set(known)


def test_invoice_with_tracking_item_and_branding_theme_matches_xeros_api_description() -> None:
    rule = AccountRule("210", tracking=(("Channel", "FBA"), ("Team", "Kitchen")), item_code="GOODS")
    style = DocumentStyle(line_description="{sku}", due_days=14, branding_theme="Amazon")
    policy = replace(policy_of_make_run(), account_rules=AccountRules((rule,)), style=style)
    organisation = replace(sandbox_organisation(), branding_themes={"Amazon": XERO_ID})
    outcomes = [desired_documents(each, policy, organisation) for each in newest_orders(OWN_SELLER).values()]
    invoices = [outcome[1] for outcome in outcomes if isinstance(outcome, list)]
    schema = {"$ref": "#/components/schemas/Invoices", "components": components()}
    validator = Draft4Validator(schema)
    known = {name: set(components()["schemas"][name]["properties"]) for name in ("LineItem", "LineItemTracking")}

    assert invoices
    for desired in invoices:
        assert not [error.message for error in validator.iter_errors(request(desired))], desired.key
        assert set(desired.body) <= set(components()["schemas"]["Invoice"]["properties"])
        for line in desired.body["LineItems"]:
            assert set(line) <= known["LineItem"]
            assert all(set(each) <= known["LineItemTracking"] for each in line.get("Tracking", ()))


def test_orders_of_a_real_seller_become_35_invoices_of_exactly_their_grand_totals() -> None:
    if not REAL_SELLER.is_dir():
        pytest.skip(f"{REAL_SELLER} is missing, so there is no real seller to check against")
    outcomes = planned(REAL_SELLER)
    orders = [json.loads(line) for line in (REAL_SELLER / "orders.jsonl").read_text(encoding="utf-8").splitlines()]
    totals = {o["orderId"]: Decimal(o["proceeds"]["grandTotal"]["amount"]) for o in orders if "proceeds" in o}

    invoices = {key: outcome[1].total for key, outcome in outcomes.items() if isinstance(outcome, list)}
    assert len(invoices) == 35
    assert invoices == totals
    assert {key: outcome for key, outcome in outcomes.items() if key not in invoices} == {
        "S01-0036312-1371678": NotInvoiced("MULTI_CHANNEL")
    }


def test_refunds_among_a_real_sellers_transactions_are_recognised() -> None:
    if not REAL_SELLER.is_dir():
        pytest.skip(f"{REAL_SELLER} is missing, so there is no real seller to check against")
    lines = (REAL_SELLER / "transactions.jsonl").read_text(encoding="utf-8").splitlines()
    headers = [transaction_header(json.loads(line)) for line in lines if line.strip()]

    refunds = [header for header in headers if is_refund(header.type)]
    assert len(refunds) == 2
    assert all(header.order_id and not header.is_copy for header in refunds)
