"""What goes to Xero and what comes from real sellers, against the vendors' own documents and a real seller's orders.

Needs ../shared beside the repository; without it these tests say so and are skipped.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.organisation import Account, Organisation, TaxRate
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced
from amazon_to_xero.runtime.privacy import storable_order
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.booked import Life, asked_for
from fakes.books import ORGANISATION
from local.stack import SETTINGS
from sandbox.amazon import OWN_SELLER
from sandbox.xero import organisation_for

SHARED = Path(__file__).resolve().parents[3] / "shared"
CONTRACT = SHARED / "contracts" / "xero" / "xero_accounting.json"
REAL_SELLER = SHARED / "data" / "seller-ca"

XERO_ID = "00000000-0000-4000-8000-000000000001"


@cache
def components() -> Any:
    if not CONTRACT.is_file():
        pytest.skip(f"{CONTRACT} is not there: nothing to check the requests against")
    return json.loads(CONTRACT.read_text(encoding="utf-8"))["components"]


def sandbox_organisation() -> Organisation:
    rates = organisation_for("GB")["TaxRates"]
    known = {
        r["TaxType"]: TaxRate(
            r["TaxType"], r["Name"], Decimal(r["EffectiveRate"]), r["Status"] == "ACTIVE", r["CanApplyToRevenue"]
        )
        for r in rates
    }
    accounts = dict(ORGANISATION.accounts) | {
        a["Code"]: Account(a["AccountID"], a["Code"], a["Name"], a["Type"], a.get("CurrencyCode"), True, True)
        for a in organisation_for("GB")["Accounts"]
        if a["Type"] == "BANK"
    }
    currencies = frozenset(c["Code"] for c in organisation_for("GB")["Currencies"])
    return Organisation(**{**vars(ORGANISATION), "accounts": accounts, "tax_rates": known, "currencies": currencies})


def policy_of_make_run() -> PostingPolicy:
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    settings["accounts"]["clearing"] = {code: f"CLR-{code}" for code in ("GBP", "USD", "EUR", "CAD", "JPY")}
    return parse(ConnectionSettings, json.dumps(settings), "the settings of make run").policy()


def newest(folder: Path) -> dict[str, Any]:
    """Each order of a seller folder at its newest version, as it is stored."""
    lines = (folder / "orders.jsonl").read_text(encoding="utf-8").splitlines()
    return {order["orderId"]: storable_order(order) for order in map(json.loads, filter(None, lines))}


def booked(folder: Path) -> dict[str, list[DesiredDocument] | NotInvoiced | NotPriced]:
    """What each order of a seller folder becomes, with the settings of `make run`."""
    policy, organisation = policy_of_make_run(), sandbox_organisation()
    return {order_id: asked_for(order, policy, organisation) for order_id, order in newest(folder).items()}


def taken_back(order: dict[str, Any]) -> list[DesiredDocument]:
    """What Xero holds of an order that is cancelled after it was paid: its credit note and its refund, too."""
    life = Life(policy_of_make_run(), sandbox_organisation())
    life.becomes(order)
    life.becomes(order | {"fulfillment": order["fulfillment"] | {"fulfillmentStatus": "CANCELLED"}})
    return list(life.state.values())


def as_sent(desired: DesiredDocument) -> dict[str, Any]:
    body = json.loads(json.dumps(desired.body, default=float))
    for path in desired.references:
        parent, _, field = path.partition(".")
        body[parent] = {field: XERO_ID}
    return {DOCUMENT_TYPES[desired.kind].collection: [body]}


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_every_request_is_one_that_xero_documents(kind: DocumentKind) -> None:
    wanted = {order_id: outcome for order_id, outcome in booked(OWN_SELLER).items() if isinstance(outcome, list)}
    orders = newest(OWN_SELLER)
    documents = [
        desired
        for order_id, outcome in wanted.items()
        for desired in (*outcome, *taken_back(orders[order_id]))
        if desired.kind is kind
    ]
    schema = {"$ref": f"#/components/schemas/{DOCUMENT_TYPES[kind].collection}", "components": components()}
    validator = Draft4Validator(schema)

    assert documents
    for desired in documents:
        assert not [error.message for error in validator.iter_errors(as_sent(desired))], desired.key
        # The schema forbids no unknown names, so a misspelt one would pass: each has to be one that Xero lists.
        known = components()["schemas"][DOCUMENT_TYPES[kind].collection.removesuffix("s")]["properties"]
        assert set(desired.body) <= set(known)


def test_a_real_seller_s_orders_become_35_invoices_of_exactly_their_grand_totals() -> None:
    if not REAL_SELLER.is_dir():
        pytest.skip(f"{REAL_SELLER} is not there: no real seller to check against")
    outcomes = booked(REAL_SELLER)
    orders = [json.loads(line) for line in (REAL_SELLER / "orders.jsonl").read_text(encoding="utf-8").splitlines()]
    totals = {o["orderId"]: Decimal(o["proceeds"]["grandTotal"]["amount"]) for o in orders if "proceeds" in o}

    invoices = {key: outcome[1].total for key, outcome in outcomes.items() if isinstance(outcome, list)}
    assert len(invoices) == 35
    assert invoices == totals
    assert {key: outcome for key, outcome in outcomes.items() if key not in invoices} == {
        "S01-0036312-1371678": NotInvoiced("MULTI_CHANNEL")
    }
