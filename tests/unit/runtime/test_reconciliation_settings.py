"""What the part `inventory` of a connection's settings says about reconciling stock."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.stock.items import ItemPart
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from fakes.settings import settings
from fakes.stock import DE, FR, UK, US


def policy(**inventory: Any) -> ReconciliationPolicy | None:
    document = settings()
    document["amazon"]["marketplaces"] = [UK, DE, FR, US]
    document["inventory"] = inventory
    return parse(ConnectionSettings, json.dumps(document), "the settings").reconciliation_policy()


def test_stock_is_reconciled_only_if_the_settings_ask_for_it() -> None:
    assert policy() is None
    assert policy(alerts=True) is None


def test_marketplaces_of_a_pool_are_one_and_each_other_one_is_a_pool_of_its_own() -> None:
    found = policy(reconcile=True, pools={"eu": [DE, FR, "A1RKKUPIHCS9HS"]})

    assert found is not None
    assert found.pools == {"eu": (DE, FR), UK: (UK,), US: (US,)}
    assert found.every == timedelta(days=7)


def test_long_skus_and_bundles_are_units_of_items() -> None:
    found = policy(reconcile=True, items={"MUG-SET": {"MUG-RED": 2, "GIFT-BOX": 1}})

    assert found is not None
    assert found.parts_of("MUG-SET") == (ItemPart("MUG-RED", 2), ItemPart("GIFT-BOX"))
    assert found.parts_of("MUG-RED") == (ItemPart("MUG-RED"),)


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ({"MUG-SET": {"X" * 31: 1}}, "inventory.items.MUG-SET"),
        ({"MUG-SET": {"MUG-RED": 0}}, "inventory.items.MUG-SET.MUG-RED"),
        ({"MUG-SET": {}}, "inventory.items.MUG-SET"),
    ],
)
def test_mapping_that_xero_cannot_hold_is_refused_and_named(items: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        policy(reconcile=True, items=items)
