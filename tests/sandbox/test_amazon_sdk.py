"""The unmodified python-amazon-sp-api, and the project's own server, against the sandbox Amazon."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sp_api.api import FinancesV20240619, Inventories, Notifications, OrdersV20260101, Sellers
from sp_api.auth import AccessTokenClient
from sp_api.auth.exceptions import AuthorizationError
from sp_api.base import Marketplaces
from sp_api.base.exceptions import (
    SellingApiBadRequestException,
    SellingApiForbiddenException,
    SellingApiNotFoundException,
    SellingApiRequestThrottledException,
    SellingApiStateConflictException,
)

from sandbox.amazon import OWN_SELLER, AmazonSandbox, Credentials, Seller
from sandbox.server import SandboxServer
from sandbox.testing.amazon import QUEUE, UK
from sandbox.wire import SandboxClock

EARLY = "2026-10-01T00:00:00Z"
INFRA = Path(__file__).resolve().parents[2] / "infra"
_runs = count(1)


class LiveAmazon:
    """A sandbox on a loopback port, and the library's clients for it."""

    def __init__(self, sandbox: AmazonSandbox, url: str) -> None:
        self.sandbox = sandbox
        self.url = url
        self.queue: list[tuple[str, str]] = []

    def client(self, api: type[Any], **changes: str) -> Any:
        login = type("Login", (AccessTokenClient,), {"scheme": "http://", "host": self.url.removeprefix("http://")})
        application = self.sandbox.login.credentials
        credentials = {
            "refresh_token": application.refresh_token,
            "lwa_app_id": application.client_id,
            "lwa_client_secret": application.client_secret,
        }
        client = api(Marketplaces.GB, credentials=credentials | changes, auth_token_client_class=login)
        client.endpoint = self.url
        return client

    def control(self, path: str, body: Any = None) -> Any:
        response = httpx.post(f"{self.url}/_sandbox/{path}", json=body or {})
        response.raise_for_status()
        return response.json() if response.content else None


@pytest.fixture
def amazon_live() -> Iterator[LiveAmazon]:
    # The library caches tokens by refresh token for the whole process.
    credentials = Credentials(refresh_token=f"Atzr|run-{next(_runs)}")
    clock = SandboxClock(lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    sandbox = AmazonSandbox(
        clock, Seller.load(OWN_SELLER), lambda arn, body: live.queue.append((arn, body)), credentials=credentials
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, url = asyncio.run_coroutine_threadsafe(SandboxServer(sandbox).start("127.0.0.1", 0), loop).result(10)
    live = LiveAmazon(sandbox, url)
    yield live
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_library_searches_and_gets_orders(amazon_live: LiveAmazon) -> None:
    amazon_live.control("play")
    orders = amazon_live.client(OrdersV20260101)
    # By default the library requests its own marketplace: 24 of the 32 orders are British.
    query = {"lastUpdatedAfter": EARLY, "maxResultsPerPage": 15, "includedData": ["PROCEEDS", "TAX"]}
    first = orders.search_orders(**query)
    second = orders.search_orders(**query, paginationToken=first.next_token)
    assert (len(first.payload["orders"]), len(second.payload["orders"]), second.next_token) == (15, 9, None)
    assert first.rate_limit == "0.0056"
    order = orders.get_order("111-0000008-0000008", includedData=["PROCEEDS", "TAX"]).payload["order"]
    assert order["proceeds"]["grandTotal"] == {"amount": "49.50", "currencyCode": "USD"}
    assert order["orderItems"][0]["tax"]["taxCollections"][0]["model"] == "MARKETPLACE_FACILITATOR"


def test_errors_become_the_librarys_exceptions(amazon_live: LiveAmazon) -> None:
    orders = amazon_live.client(OrdersV20260101)
    with pytest.raises(SellingApiNotFoundException):
        orders.get_order("204-9999999-9999999")
    with pytest.raises(SellingApiBadRequestException, match="Exactly one of"):
        orders.search_orders()
    with pytest.raises(SellingApiRequestThrottledException, match="QuotaExceeded"):
        for _ in range(31):
            orders.search_orders(createdAfter=EARLY)
    amazon_live.control("revoke")
    with pytest.raises(SellingApiForbiddenException, match="Access to requested resource is denied"):
        orders.get_order("204-0000001-0000001")
    with pytest.raises(AuthorizationError, match="invalid grant parameter"):
        amazon_live.client(OrdersV20260101, refresh_token="Atzr|somebody-else").search_orders(createdAfter=EARLY)


def test_library_takes_an_html_error_for_an_empty_success(amazon_live: LiveAmazon) -> None:
    """The project's adapter guards against this: the library reads a 503 page as a response without orders."""
    amazon_live.control("faults", {"kind": "refuse", "path": "/orders/", "status": 503, "body": "<html>503</html>"})
    assert amazon_live.client(OrdersV20260101).search_orders(createdAfter=EARLY).payload == {}


def test_library_reads_finances_stock_and_marketplaces(amazon_live: LiveAmazon) -> None:
    amazon_live.control("play")
    finances = amazon_live.client(FinancesV20240619)
    found = finances.list_transactions(relatedIdentifierName="ORDER_ID", relatedIdentifierValue="204-0000001-0000001")
    assert [each["transactionType"] for each in found.payload["transactions"]] == ["Shipment", "Refund"]
    stock = amazon_live.client(Inventories).get_inventory_summary_marketplace(details=True, sellerSkus=["BOOK-TEA"])
    (book,) = stock.payload["inventorySummaries"]
    assert book["inventoryDetails"]["fulfillableQuantity"] == 2
    sellers = amazon_live.client(Sellers).get_marketplace_participation()
    assert UK in [each["marketplace"]["id"] for each in sellers.payload]


def test_library_subscribes_to_order_notifications(amazon_live: LiveAmazon) -> None:
    notifications = amazon_live.client(Notifications)
    created = notifications.create_destination("orders", arn=QUEUE).payload
    with pytest.raises(SellingApiStateConflictException):
        notifications.create_destination("orders", arn=QUEUE)
    assert [each["resource"]["sqs"]["arn"] for each in notifications.get_destinations().payload] == [QUEUE]
    assert notifications.get_destination(created["destinationId"]).payload == created
    directive = {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}
    subscribed = notifications.create_subscription(
        "ORDER_CHANGE", destination_id=created["destinationId"], processingDirective=directive
    ).payload
    assert notifications.get_subscription("ORDER_CHANGE").payload == subscribed
    amazon_live.control("play", {"until": "2026-10-25T06:30:00Z"})
    assert [arn for arn, _ in amazon_live.queue] == [QUEUE] * 3


def test_command_line_serves_a_seller_folder() -> None:
    environment = {**os.environ, "PYTHONPATH": str(INFRA)}
    command = [sys.executable, "-m", "sandbox.server", "--service", "amazon", "--seller", str(OWN_SELLER), "--present"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            url = server.stdout.readline().removeprefix("listening ").strip()
            state = httpx.get(f"{url}/_sandbox/state").json()
            assert (state["orders"], state["pending"]) == (32, 0)
            rejected = httpx.get(f"{url}/orders/2026-01-01/orders", params={"createdAfter": EARLY})
            assert rejected.status_code == 403
        finally:
            server.terminate()
