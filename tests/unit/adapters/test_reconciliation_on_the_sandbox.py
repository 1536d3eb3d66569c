"""Stock of the sandbox Amazon against items of the sandbox Xero, on real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.inventory import AmazonInventoryApi
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.xero import XeroUnavailable
from fakes.connection import FakeConnection
from fakes.reconciliation import RECONCILED
from fakes.state import ManualClock
from sandbox.amazon import OWN_SELLER, AmazonSandbox, Credentials, Seller
from sandbox.testing.amazon import a_stock_level
from sandbox.wire import Request, SandboxClock
from sandbox.xero import XeroSandbox
from unit.adapters.live_sandboxes import LiveXero, listening


def count(xero: XeroSandbox, *items: dict[str, Any]) -> None:
    body = json.dumps({"Items": items}).encode()
    assert xero.control(Request.to("POST", "/_sandbox/stock", headers={}, body=body)).status == 200


def tracked(code: str, quantity: float, cost_pool: float) -> dict[str, Any]:
    return {
        "Code": code,
        "Name": code.title(),
        "InventoryAssetAccountCode": "630",
        "PurchaseDetails": {"COGSAccountCode": "310"},
        "QuantityOnHand": quantity,
        "TotalCostPool": cost_pool,
    }


def test_items_are_read_with_exact_quantities_in_one_call(xero: LiveXero) -> None:
    count(xero.sandbox, tracked("MUG-RED", 12.5, 51.1))
    xero.api.organisation()

    (item,) = xero.api.items()

    assert item == XeroItem("MUG-RED", "Mug-Red", True, Decimal("12.5"), Decimal("51.1"), "630", "310")


def test_tracked_item_without_a_quantity_is_never_taken_for_none_on_hand(xero: LiveXero) -> None:
    count(xero.sandbox, tracked("MUG-RED", 1, 1))
    (stored,) = xero.sandbox.books.items.values()
    del stored.fields["QuantityOnHand"]

    with pytest.raises(XeroUnavailable, match=r"Items\.QuantityOnHand should be a number"):
        xero.api.items()


@pytest.fixture
def connection(xero: LiveXero, wall: ManualClock, credentials: AmazonCredentials) -> Iterator[FakeConnection]:
    amazon = AmazonSandbox(
        SandboxClock(wall.now), Seller.load(OWN_SELLER), lambda queue, body: None, credentials=Credentials()
    )
    for number in range(60):  # more than a page of Amazon's
        amazon.put_inventory(a_stock_level(f"SKU-{number:03}", 10))
    count(xero.sandbox, *(tracked(f"SKU-{number:03}", 10 + number % 2, 50) for number in range(60)))
    connection = FakeConnection(clock=wall, reconciliation_policy=RECONCILED)
    known = amazon.login.credentials
    seller = AmazonCredentials(known.client_id, known.client_secret, known.refresh_token)
    with listening(amazon) as url:
        inventory = AmazonInventoryApi(seller, "eu", api_url=url, lwa_url=f"{url}/auth/o2/token")
        connection.inventory = inventory  # type: ignore[assignment]  # it was asked for by its port
        connection.xero = xero.api  # type: ignore[assignment]
        connection.restart()
        yield connection


def test_both_sandboxes_reconcile_page_by_page(connection: FakeConnection) -> None:
    connection.reconcile_stock()

    report = json.loads(connection.reports.named("stock.json"))
    assert report["counts"] == {"FEWER_AT_AMAZON": 30, "AGREES": 30}
    assert report["value_of_gaps"] == "-136.50"  # 30 units at 50.00 / 11
    assert report["currency"] == "GBP"
