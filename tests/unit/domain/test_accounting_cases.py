"""The cases of accounting_cases.toml, from Amazon's order to the documents in Xero."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES, Marketplace
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.books import ORGANISATION
from fakes.editions import tax_rates_of_edition
from fakes.order_life import CLEARING_ACCOUNTS, OrderLife
from fakes.orders import breakdown, item, order
from fakes.settings import settings
from fakes.state import NOON

Case = dict[str, Any]
TABLE = tomllib.loads((Path(__file__).parent / "accounting_cases.toml").read_text(encoding="utf-8"))
MARKETPLACE_BY_NAME = {each.name: each for each in MARKETPLACES.values()}
_ITEM = re.compile(
    r"(?P<sku>\S+) (?P<quantity>\d+)(?: \((?P<fulfilled>\d+) fulfilled, (?P<open>\d+) open\))?"
    r"(?: (?P<parts>.+) = (?P<total>\S+))?(?: \[(?P<said>.*)\])?"
)


def organisation_of(case: Case) -> Organisation:
    rates = tax_rates_of_edition(TABLE["rules"][case["books"]]["country"])
    accounts = {**ORGANISATION.accounts, **CLEARING_ACCOUNTS}
    currencies = frozenset({"GBP", "EUR", "USD", "CAD", "AUD", "JPY"})
    return replace(ORGANISATION, accounts=accounts, tax_rates=rates, currencies=currencies)


def policy_of(case: Case) -> PostingPolicy:
    """Return the policy of a connection with the case's rules, read from settings as an operator writes them."""
    books = TABLE["rules"][case["books"]]
    raw = settings()
    raw["amazon"]["marketplaces"] = list(MARKETPLACES)
    raw["accounts"]["clearing"] = {account[4:]: account for account in CLEARING_ACCOUNTS}
    raw["accounts"]["rules"] = books.get("account_rules", [])
    rules = [
        rule | {"marketplaces": [MARKETPLACE_BY_NAME[name].marketplace_id for name in rule.get("marketplaces", ())]}
        for rule in books["rules"]
    ]
    more = {name: case[name] for name in ("liabilities", "when_different") if name in case}
    raw["tax"] = {"mode": books.get("mode", "rules"), "rules": rules, **books.get("tax", {}), **more}
    return parse(ConnectionSettings, json.dumps(raw), "the settings of the case").policy()


def item_of(text: str, item_id: str, currency: str) -> dict[str, Any]:
    """Return Amazon's item in "TEA 2 ITEM 24.00, TAX 4.00 (ITEM 4.00) = 24.00 [model M, party P, scheme S]"."""
    found = _ITEM.fullmatch(text)
    assert found is not None, text
    breakdowns = [_breakdown(part, currency) for part in (found["parts"] or "").split(", ") if part]
    made = item(found["total"] or "0", *breakdowns, currency=currency, item_id=item_id)
    made |= {"quantityOrdered": int(found["quantity"]), "product": {"sellerSku": found["sku"], "title": found["sku"]}}
    if not found["parts"]:
        made["proceeds"] = {}
    if found["open"]:
        made["fulfillment"] = {"quantityFulfilled": int(found["fulfilled"]), "quantityUnfulfilled": int(found["open"])}
    tax: dict[str, Any] = {}
    for said in (found["said"] or "").split(", "):
        word, _, value = said.partition(" ")
        collections = tax.setdefault("taxCollections", []) if word in ("model", "party") else []
        if word == "model" or (word == "party" and not collections):
            collections.append({})
        if word in ("model", "party") and value:
            collections[-1]["model" if word == "model" else "responsibleParty"] = value
        if word == "scheme":
            tax.setdefault("taxCalculationBreakdowns", []).append({"reportingScheme": value})
    return made | ({"tax": tax} if tax else {})


def _breakdown(text: str, currency: str) -> dict[str, Any]:
    head, _, detail = text.partition(" (")
    kind, amount = head.split()
    words = detail.rstrip(")").split()
    return breakdown(kind, amount, currency, **dict(zip(words[::2], words[1::2], strict=True)))


def version(case: Case, items: list[str], day: int) -> dict[str, Any]:
    """Return the order as Amazon states it on that day of November 2026."""
    marketplace, ship_to, *region = case["on"].split(" ", 2)
    place: Marketplace = MARKETPLACE_BY_NAME[marketplace]
    made = [item_of(text, str(number), place.currency) for number, text in enumerate(items, 1)]
    grand_total = sum(
        (Decimal(each["proceeds"].get("proceedsTotal", {}).get("amount", 0)) for each in made), Decimal(0)
    )
    raw = order(
        *made,
        grand_total=str(grand_total),
        marketplace=place.marketplace_id,
        currency=place.currency,
        ship_to=ship_to,
        created="2026-11-03T10:00:00Z",
        updated=f"2026-11-{day:02}T10:00:00Z",
        **case.get("order", {}),
    )
    raw["recipient"]["deliveryAddress"]["stateOrRegion"] = region[0] if region else ""
    return raw


def charge_of(text: str, currency: str) -> ShipmentCharge:
    """Return what Amazon charged in "ITEM 25.00, ITEM tax 5.00, withheld 5.00"."""
    amounts = {}
    for part in text.split(", "):
        name, amount = part.rsplit(" ", 1)
        if name == "withheld":
            amounts[AmountType(AmountKind.MARKETPLACE_TAX, is_tax=True)] = -Decimal(amount)
        else:
            amounts[AmountType(AmountKind(name.removesuffix(" tax")), name.endswith(" tax"))] = Decimal(amount)
    return ShipmentCharge("C1", NOON, currency, amounts)


def half_up(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def lines_in_xero(desired: DesiredDocument, rates: dict[str, Decimal]) -> Iterator[str]:
    """Return each line as Xero will hold it: account, tax type, amount and tax."""
    sign = "credit " if desired.kind is DocumentKind.CREDIT_NOTE else ""
    for line in desired.body["LineItems"]:
        amount = half_up(line["Quantity"] * line["UnitAmount"])
        rate = rates.get(line["TaxType"], Decimal(0))
        base = Decimal(100) + (rate if desired.body["LineAmountTypes"] == "Inclusive" else 0)
        tax = line["TaxAmount"] if "TaxAmount" in line else half_up(amount * rate / base)
        yield f"{sign}{line['AccountCode']} {line['TaxType']} {amount} tax {tax + 0:.2f}"


def life_of(case: Case) -> OrderLife:
    life = OrderLife(policy_of(case), organisation_of(case))
    if "charged" in case:
        place = MARKETPLACE_BY_NAME[case["on"].split(" ")[0]]
        life.charges = (charge_of(case["charged"], place.currency),)
    life.update(version(case, case["items"], 4))
    if "changed" in case:
        life.update(version(case, case["changed"], 6))
    return life


def documents_of(life: OrderLife) -> list[DesiredDocument]:
    return [each for each in life.in_xero.values() if each.kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)]


@pytest.mark.parametrize("case", TABLE["case"], ids=lambda case: case["name"])
def test_books_hold_what_an_accountant_expects(case: Case) -> None:
    if "fails" in case:
        with pytest.raises(Failure) as caught:
            life_of(case)
        assert caught.value.code == case["fails"]
        for text in case.get("says", ()):
            assert text in caught.value.remedy
        return

    life = life_of(case)

    rates = {code: rate.rate for code, rate in life.organisation.tax_rates.items()}
    documents = documents_of(life)
    assert life.pending_changes() == []
    assert [line for each in documents for line in lines_in_xero(each, rates)] == case["lines"]
    assert life.invoiced_total == Decimal(case["total"])
    if "quantities" in case:
        assert [line["Quantity"] for each in documents for line in each.body["LineItems"]] == case["quantities"]
    assert documents[0].body["Status"] == case.get("status", "AUTHORISED")
    if "dated" in case:
        assert documents[0].body["Date"] == case["dated"]
