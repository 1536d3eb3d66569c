"""python-amazon-sp-api as it comes, and the project's own server, against the sandbox Amazon."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest
from amazon_driver import OWN_SELLER, QUEUE, ROOT, UK
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

from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.server import SandboxServer
from sandbox.wire import SandboxClock

EARLY = "2026-10-01T00:00:00Z"
_runs = count(1)


class Live:
    """A sandbox on a loopback port, and the library's clients for it."""

    def __init__(self, sandbox: AmazonSandbox, url: str) -> None:
        self.sandbox = sandbox
        self.url = url
        self.queue: list[tuple[str, str]] = []

    def client(self, api: type[Any], **changes: str) -> Any:
        login = type("Login", (AccessTokenClient,), {"scheme": "http://", "host": self.url.removeprefix("http://")})
        known = self.sandbox.login.credentials
        credentials = {
            "refresh_token": known.refresh_token,
            "lwa_app_id": known.client_id,
            "lwa_client_secret": known.client_secret,
        }
        client = api(Marketplaces.GB, credentials=credentials | changes, auth_token_client_class=login)
        client.endpoint = self.url
        return client

    def control(self, path: str, body: Any = None) -> Any:
        answer = httpx.post(f"{self.url}/_sandbox/{path}", json=body or {})
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture
def amazon_live() -> Iterator[Live]:
    # The library keeps tokens per refresh token for the whole process.
    credentials = Credentials(refresh_token=f"Atzr|run-{next(_runs)}")
    clock = SandboxClock(lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    sandbox = AmazonSandbox(
        clock, Seller.load(OWN_SELLER), lambda arn, body: live.queue.append((arn, body)), credentials=credentials
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, url = asyncio.run_coroutine_threadsafe(SandboxServer(sandbox).start("127.0.0.1", 0), loop).result(10)
    live = Live(sandbox, url)
    yield live
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_orders_are_searched_page_by_page_and_got_one_by_one(amazon_live: Live) -> None:
    amazon_live.control("play")
    orders = amazon_live.client(OrdersV20260101)
    # The library asks for its own marketplace when none is named: 24 of the 32 orders are British.
    query = {"lastUpdatedAfter": EARLY, "maxResultsPerPage": 15, "includedData": ["PROCEEDS", "TAX"]}
    first = orders.search_orders(**query)
    second = orders.search_orders(**query, paginationToken=first.next_token)
    assert (len(first.payload["orders"]), len(second.payload["orders"]), second.next_token) == (15, 9, None)
    assert first.rate_limit == "0.0056"
    got = orders.get_order("111-0000008-0000008", includedData=["PROCEEDS", "TAX"]).payload["order"]
    assert got["proceeds"]["grandTotal"] == {"amount": "49.50", "currencyCode": "USD"}
    assert got["orderItems"][0]["tax"]["taxCollections"][0]["model"] == "MARKETPLACE_FACILITATOR"


def test_errors_arrive_as_the_librarys_exceptions(amazon_live: Live) -> None:
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


def test_an_html_error_is_the_librarys_empty_success_here_too(amazon_live: Live) -> None:
    """The trap the project's adapter exists for: the library takes a 503 page for no orders at all."""
    amazon_live.control("faults", {"kind": "refuse", "path": "/orders/", "status": 503, "body": "<html>503</html>"})
    assert amazon_live.client(OrdersV20260101).search_orders(createdAfter=EARLY).payload == {}


def test_finances_stock_and_marketplaces_are_read(amazon_live: Live) -> None:
    amazon_live.control("play")
    finances = amazon_live.client(FinancesV20240619)
    found = finances.list_transactions(relatedIdentifierName="ORDER_ID", relatedIdentifierValue="204-0000001-0000001")
    assert [each["transactionType"] for each in found.payload["transactions"]] == ["Shipment", "Refund"]
    stock = amazon_live.client(Inventories).get_inventory_summary_marketplace(details=True, sellerSkus=["BOOK-TEA"])
    (book,) = stock.payload["inventorySummaries"]
    assert book["inventoryDetails"]["fulfillableQuantity"] == 2
    sellers = amazon_live.client(Sellers).get_marketplace_participation()
    assert UK in [each["marketplace"]["id"] for each in sellers.payload]


def test_subscribing_and_hearing_of_orders(amazon_live: Live) -> None:
    notifications = amazon_live.client(Notifications)
    made = notifications.create_destination("orders", arn=QUEUE).payload
    with pytest.raises(SellingApiStateConflictException):
        notifications.create_destination("orders", arn=QUEUE)
    assert [each["resource"]["sqs"]["arn"] for each in notifications.get_destinations().payload] == [QUEUE]
    assert notifications.get_destination(made["destinationId"]).payload == made
    directive = {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}
    subscribed = notifications.create_subscription(
        "ORDER_CHANGE", destination_id=made["destinationId"], processingDirective=directive
    ).payload
    assert notifications.get_subscription("ORDER_CHANGE").payload == subscribed
    amazon_live.control("play", {"until": "2026-10-25T06:30:00Z"})
    assert [arn for arn, _ in amazon_live.queue] == [QUEUE] * 3


def test_the_command_line_serves_a_seller_folder() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "infra")}
    command = [sys.executable, "-m", "sandbox.server", "--service", "amazon", "--seller", str(OWN_SELLER), "--present"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            url = server.stdout.readline().removeprefix("listening ").strip()
            state = httpx.get(f"{url}/_sandbox/state").json()
            assert (state["orders"], state["pending"]) == (32, 0)
            refused = httpx.get(f"{url}/orders/2026-01-01/orders", params={"createdAfter": EARLY})
            assert refused.status_code == 403
        finally:
            server.terminate()
