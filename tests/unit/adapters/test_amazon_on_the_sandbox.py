"""The Amazon adapters against the sandbox Amazon on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.adapters.amazon.orders import AmazonSellerApi
from amazon_to_xero.domain.amazon.transaction_header import is_refund, transaction_header
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
)
from fakes.state import NOON
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.wire import Fault, SandboxClock
from unit.adapters.live_sandboxes import listening

SELLER = Path(__file__).parents[3] / "infra/sandbox/seller"
QUEUE = "arn:aws:sqs:eu-west-1:000000000000:orders"


class LiveAmazon:
    """The sandbox Amazon and the adapters that are connected to it."""

    def __init__(self, sandbox: AmazonSandbox, url: str) -> None:
        self.sandbox = sandbox
        known = sandbox.login.credentials
        credentials = AmazonCredentials(known.client_id, known.client_secret, known.refresh_token)
        at: dict[str, Any] = {"api_url": url, "lwa_url": f"{url}/auth/o2/token"}
        self.api = AmazonSellerApi(credentials, "eu", **at)
        self.finances = AmazonFinancesApi(credentials, "eu", **at)
        self.notifications = AmazonNotifications(credentials, "eu", **at)

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.faults.append(Fault(kind, path="/orders/", **more))


@pytest.fixture
def amazon() -> Iterator[LiveAmazon]:
    sandbox = AmazonSandbox(
        SandboxClock(lambda: NOON), Seller.load(SELLER), lambda arn, body: None, credentials=Credentials()
    )
    sandbox.play()
    with listening(sandbox) as url:
        yield LiveAmazon(sandbox, url)


def test_every_order_of_the_seller_is_read(amazon: LiveAmazon) -> None:
    page = amazon.api.search_orders(updated_after=NOON - timedelta(days=90))
    assert len(page.orders) == 32
    assert page.next_token is None
    assert page.updated_before is not None
    assert NOON - timedelta(minutes=5) <= page.updated_before < NOON
    marketplaces = {order["salesChannel"].get("marketplaceId") for order in page.orders}
    assert len(marketplaces) > 1
    listed = page.orders[0]
    assert amazon.api.get_order(listed["orderId"]) == listed
    assert "buyer" not in listed


def test_orders_of_a_period_are_those_that_were_placed_in_it(amazon: LiveAmazon) -> None:
    everything = amazon.api.search_orders(updated_after=NOON - timedelta(days=90)).orders
    after, before = NOON - timedelta(days=12), NOON - timedelta(days=5)

    page = amazon.api.search_placed(placed_after=after, placed_before=before)

    placed = [each["orderId"] for each in everything if after <= NOON.fromisoformat(each["createdTime"]) <= before]
    assert 0 < len(placed) < len(everything)
    assert sorted(each["orderId"] for each in page.orders) == sorted(placed)


def test_every_transaction_of_the_seller_is_read(amazon: LiveAmazon) -> None:
    page = amazon.finances.list_transactions(posted_after=NOON - timedelta(days=90))
    assert len(page.transactions) == 41  # one of the 42 versions replaces another
    assert page.next_token is None
    refunds = [each for each in page.transactions if is_refund(transaction_header(each).type)]
    assert len(refunds) == 12  # one of them repeats a deferred one
    of_order = amazon.finances.list_transactions(order_id=transaction_header(refunds[0]).order_id)
    assert refunds[0] in of_order.transactions


def test_pages_of_transactions_may_be_empty_and_go_on(amazon: LiveAmazon) -> None:
    since = NOON - timedelta(days=90)
    amazon.sandbox.transactions.empty_pages = 1
    first = amazon.finances.list_transactions(posted_after=since)
    assert (list(first.transactions), first.next_token is None) == ([], False)
    second = amazon.finances.list_transactions(posted_after=since, page_token=first.next_token)
    assert len(second.transactions) == 41


def test_each_kind_of_refusal_has_its_own_error(amazon: LiveAmazon) -> None:
    with pytest.raises(AmazonNotFound):
        amazon.api.get_order("204-9999999-9999999")
    amazon.fault("refuse", status=503, body="<html>Service Unavailable</html>")
    with pytest.raises(AmazonUnavailable):
        amazon.api.search_orders(updated_after=NOON - timedelta(days=1))
    amazon.fault("drop")
    with pytest.raises(AmazonUnavailable):
        amazon.api.search_orders(updated_after=NOON - timedelta(days=1))
    with pytest.raises(AmazonThrottled):
        for _ in range(21):
            amazon.api.search_orders(updated_after=NOON - timedelta(days=1))


def test_revoked_token_is_replaced_and_revoked_authorisation_raises_not_authorised(amazon: LiveAmazon) -> None:
    some_order = amazon.api.search_orders(updated_after=NOON - timedelta(days=90)).orders[0]["orderId"]
    amazon.sandbox.login.revoke_access_tokens()
    assert amazon.api.get_order(some_order)["orderId"] == some_order
    amazon.sandbox.login.revoke_access_tokens()
    amazon.sandbox.login.revoke_authorisation()
    with pytest.raises(AmazonNotAuthorised):
        amazon.api.get_order(some_order)


def test_destination_and_subscription_are_created_once(amazon: LiveAmazon) -> None:
    assert amazon.notifications.get_subscription("ORDER_CHANGE") is None
    destination = amazon.notifications.create_destination("orders", queue_arn=QUEUE)
    with pytest.raises(AmazonError) as caught:
        amazon.notifications.create_destination("orders", queue_arn=QUEUE)
    assert caught.value.status == 409
    assert [each["destinationId"] for each in amazon.notifications.get_destinations()] == [destination]
    subscription = amazon.notifications.create_subscription("ORDER_CHANGE", destination)
    known = amazon.notifications.get_subscription("ORDER_CHANGE")
    assert known is not None
    assert (known["subscriptionId"], known["destinationId"]) == (subscription, destination)
