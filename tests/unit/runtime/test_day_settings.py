"""`invoices.per: day`: what it works with, and what it refuses with a remedy."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from fakes.orders import UK
from fakes.settings import settings


def parsed(**parts: dict[str, Any]) -> ConnectionSettings:
    document = settings()
    for name, part in parts.items():
        document[name] = {**document.get(name, {}), **part}
    return parse(ConnectionSettings, json.dumps(document), "the settings")


def test_day_reaches_the_policy_and_is_closed_six_hours_after_midnight() -> None:
    policy = parsed(invoices={"per": "day"}).policy()

    assert (policy.invoice_per, policy.day_closes_after) == (InvoicePer.DAY, timedelta(hours=6))
    later = parsed(invoices={"per": "day", "day_closes_after_hours": 12}).policy()
    assert later.day_closes_after == timedelta(hours=12)


@pytest.mark.parametrize(
    ("parts", "remedy"),
    [
        pytest.param(parts, remedy, id=remedy)
        for parts, remedy in (
            ({"invoices": {"approval": "review"}}, "invoices.approval review; set at_shipment"),
            ({"invoices": {"marketplaces": {UK: {"approval": "review"}}}}, "also in invoices.marketplaces"),
            ({"invoices": {"buyer_references": ["purchase_order"]}}, "invoices.buyer_references; remove them"),
            ({"contacts": {"policy": "buyers"}}, "contacts.policy buyers; set marketplace"),
            ({"contacts": {"policy": "business_buyers"}}, "contacts.policy business_buyers; set marketplace"),
            ({"tax": {"when_different": "draft"}}, "tax.when_different draft; set hold or book"),
            ({"tax": {"state_amounts": False}}, "tax.state_amounts false; set true"),
        )
    ],
)
def test_what_a_day_cannot_state_together_is_refused(parts: dict[str, Any], remedy: str) -> None:
    by_day = {**parts, "invoices": {**parts.get("invoices", {}), "per": "day"}}
    with pytest.raises(SettingsError) as refused:
        parsed(**by_day)

    assert f"invoices.per day does not work with {remedy}" in str(refused.value) or remedy in str(refused.value)
    parsed(**parts)  # each is accepted without days


def test_other_choices_of_a_marketplace_work_with_days() -> None:
    choices = {"per": "day", "payments": "none", "marketplaces": {UK: {"payments": "from_clearing"}}}

    assert parsed(invoices=choices).policy().invoice_per is InvoicePer.DAY


@pytest.mark.parametrize("hours", [0, 21])
def test_day_is_closed_on_the_day_after_it(hours: int) -> None:
    with pytest.raises(SettingsError, match="day_closes_after_hours"):
        parsed(invoices={"per": "day", "day_closes_after_hours": hours})
