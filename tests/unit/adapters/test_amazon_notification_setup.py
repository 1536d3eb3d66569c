"""Destinations and subscriptions of Amazon's notifications, for the operator's set-up."""

from __future__ import annotations

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.ports.amazon import AmazonError, AmazonUnavailable
from unit.adapters.amazon_login import TOKEN_PATH, token_reply
from unit.adapters.fault_server import FaultServer, Reply

DESTINATIONS = "/notifications/v1/destinations"
SUBSCRIPTION = "/notifications/v1/subscriptions/ORDER_CHANGE"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:orders"


@pytest.fixture
def notifications(server: FaultServer, credentials: AmazonCredentials) -> AmazonNotifications:
    server.on(TOKEN_PATH, token_reply("Atza|granted"))
    return AmazonNotifications(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)


def test_queue_destination_is_created_with_a_grantless_token(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    server.on(DESTINATIONS, Reply(200, {"payload": {"destinationId": "dest-1", "name": "orders", "resource": {}}}))
    assert notifications.create_destination("orders", queue_arn=QUEUE) == "dest-1"
    form = server.to(TOKEN_PATH)[0].form()
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "sellingpartnerapi::notifications")
    # The library would add marketplaceIds and MarketplaceIds to the body
    assert server.to(DESTINATIONS)[0].json() == {
        "name": "orders",
        "resourceSpecification": {"sqs": {"arn": QUEUE}},
    }


def test_event_bridge_destination_has_the_account_and_the_region_of_the_stack(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    server.on(DESTINATIONS, Reply(200, {"payload": {"destinationId": "dest-2"}}))
    assert (
        notifications.create_destination(
            "stock", event_bridge_account="111122223333", event_bridge_region="eu-central-1"
        )
        == "dest-2"
    )
    assert server.to(DESTINATIONS)[0].json()["resourceSpecification"] == {
        "eventBridge": {"accountId": "111122223333", "region": "eu-central-1"}
    }
    with pytest.raises(ValueError, match="queue_arn, or event_bridge_account"):
        notifications.create_destination("neither")


def test_destinations_are_listed(notifications: AmazonNotifications, server: FaultServer) -> None:
    known = {"destinationId": "dest-1", "name": "orders", "resource": {"sqs": {"arn": QUEUE}}}
    server.on(DESTINATIONS, Reply(200, {"payload": [known]}), Reply(200, {"payload": []}), Reply(200, {}))
    assert notifications.get_destinations() == [known]
    assert notifications.get_destinations() == []
    assert list(server.to(DESTINATIONS)[0].query) == []
    with pytest.raises(AmazonUnavailable):
        notifications.get_destinations()


def test_order_change_subscription_uses_the_sellers_token_and_an_event_filter(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    server.on(SUBSCRIPTION, Reply(200, {"payload": {"subscriptionId": "sub-1"}}))
    assert notifications.create_subscription("ORDER_CHANGE", "dest-1") == "sub-1"
    assert server.to(TOKEN_PATH)[0].form()["grant_type"] == "refresh_token"
    assert server.to(SUBSCRIPTION)[0].json() == {
        "destinationId": "dest-1",
        "payloadVersion": "1.0",
        "processingDirective": {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}},
    }


def test_other_subscriptions_have_no_directive(notifications: AmazonNotifications, server: FaultServer) -> None:
    path = "/notifications/v1/subscriptions/TRANSACTION_UPDATE"
    server.on(path, Reply(200, {"payload": {"subscriptionId": "sub-2"}}))
    notifications.create_subscription("TRANSACTION_UPDATE", "dest-1")
    assert server.to(path)[0].json() == {"destinationId": "dest-1", "payloadVersion": "1.0"}


def test_subscription_is_none_where_amazon_has_none(notifications: AmazonNotifications, server: FaultServer) -> None:
    known = {"subscriptionId": "sub-1", "destinationId": "dest-1", "payloadVersion": "1.0"}
    server.on(SUBSCRIPTION, Reply(200, {"payload": known}), Reply(404, {"errors": [{"code": "NotFound"}]}))
    assert notifications.get_subscription("ORDER_CHANGE") == known
    assert notifications.get_subscription("ORDER_CHANGE") is None
    assert list(server.to(SUBSCRIPTION)[0].query) == []


def test_refused_destination_raises_amazons_own_message(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    refused = {"errors": [{"code": "Conflict", "message": "A destination with this ARN exists"}]}
    server.on(DESTINATIONS, Reply(409, refused))
    with pytest.raises(AmazonError, match="Conflict A destination with this ARN exists") as caught:
        notifications.create_destination("orders", queue_arn=QUEUE)
    assert caught.value.status == 409
