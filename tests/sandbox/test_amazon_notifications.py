"""Destinations, subscriptions, and the notifications sent when a seller's history is played."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.amazon.stock_statements import MERCHANT_QUANTITY_CHANGE, parse_stock_notification
from sandbox.amazon import OWN_SELLER, Seller, add_arguments, build
from sandbox.amazon.queues import EventSender, QueueSender
from sandbox.testing.amazon import QUEUE, UK, US, AmazonClient, a_stock_level, a_transaction, an_order
from sandbox.wire import Request

OTHER_QUEUE = "arn:aws:sqs:eu-west-1:000000000000:refunds"
DESTINATIONS = "/notifications/v1/destinations"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"


def a_destination(**resource: Any) -> dict[str, Any]:
    return {"name": "orders", "resourceSpecification": resource or {"sqs": {"arn": QUEUE}}}


def received_changes(amazon: AmazonClient) -> list[tuple[str, str, str]]:
    """(order id, change type, status) of the ORDER_CHANGE notifications received."""
    changes = [body["Payload"]["OrderChangeNotification"] for body in amazon.received()]
    return [(each["AmazonOrderId"], each["OrderChangeType"], each["Summary"]["OrderStatus"]) for each in changes]


# ---- destinations


def test_destination_is_created_once_listed_returned_and_deleted() -> None:
    amazon = AmazonClient()
    created = amazon.call("POST", DESTINATIONS, a_destination(), grant="grantless").body["payload"]
    assert (created["name"], created["resource"]) == ("orders", {"sqs": {"arn": QUEUE}, "eventBridge": None})
    duplicate = amazon.call("POST", DESTINATIONS, a_destination(), grant="grantless")
    assert (duplicate.status, duplicate.error) == (409, "Conflict")
    assert amazon.call("GET", DESTINATIONS, grant="grantless").body == {"payload": [created]}
    path = f"{DESTINATIONS}/{created['destinationId']}"
    assert amazon.call("GET", path, grant="grantless").body == {"payload": created}
    assert amazon.call("DELETE", path, grant="grantless").status == 200
    assert amazon.call("GET", path, grant="grantless").status == 404
    assert amazon.call("DELETE", path, grant="grantless").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "resourceSpecification": {"sqs": {"arn": QUEUE}}},
        {"name": "orders", "resourceSpecification": {}},
        a_destination(sqs={"arn": "http://queue"}),
        a_destination(sqs={"arn": f"{QUEUE}.fifo"}),
        a_destination(eventBridge={"region": "eu-west-1"}),
        ["not", "an", "object"],
    ],
)
def test_invalid_destination_is_rejected(body: Any) -> None:
    response = AmazonClient().call("POST", DESTINATIONS, body, grant="grantless")
    assert (response.status, response.error) == (400, "InvalidInput")


# ---- subscriptions


def test_subscription_is_created_once_returned_and_deleted() -> None:
    amazon = AmazonClient()
    directive = {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}
    created = amazon.subscribe("ORDER_CHANGE", directive=directive)
    assert created.status == 200
    assert created.body["payload"]["processingDirective"] == directive
    assert amazon.subscribe("ORDER_CHANGE").status == 409
    assert amazon.call("GET", f"{SUBSCRIPTIONS}/ORDER_CHANGE").body == created.body
    assert amazon.call("GET", f"{SUBSCRIPTIONS}/TRANSACTION_UPDATE").status == 404
    listed = amazon.call("GET", SUBSCRIPTIONS, notificationTypes="ORDER_CHANGE")
    assert listed.body == {"payload": {"subscriptions": [created.body["payload"]]}}
    path = f"{SUBSCRIPTIONS}/ORDER_CHANGE/{created.body['payload']['subscriptionId']}"
    assert amazon.call("GET", path, grant="seller").status == 403
    assert amazon.call("GET", path, grant="grantless").body == created.body
    destination = f"{DESTINATIONS}/{created.body['payload']['destinationId']}"
    assert amazon.call("DELETE", destination, grant="grantless").status == 409
    assert amazon.call("DELETE", path, grant="grantless").status == 200
    assert amazon.call("GET", path, grant="grantless").status == 404
    assert amazon.call("DELETE", destination, grant="grantless").status == 200


@pytest.mark.parametrize("notification_type", ["NotificationType.ORDER_CHANGE", "ORDER_STATUS_CHANGE"])
def test_subscription_to_an_unknown_type_is_rejected(notification_type: str) -> None:
    assert AmazonClient().subscribe(notification_type).error == "InvalidInput"


@pytest.mark.parametrize(
    "directive",
    [
        {"filterExpression": "true"},
        {"eventFilter": {"eventFilterType": "ANY_OFFER_CHANGED"}},
        {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["Everything"]}},
        "all",
    ],
)
def test_unsupported_processing_directive_is_rejected(directive: Any) -> None:
    assert AmazonClient().subscribe("ORDER_CHANGE", directive=directive).status == 400


def test_account_has_one_event_bridge_destination_whatever_its_region() -> None:
    amazon = AmazonClient()
    answers = [
        amazon.call("POST", DESTINATIONS, a_destination(eventBridge=place), grant="grantless").status
        for place in (
            {"region": "eu-west-1", "accountId": "000000000000"},
            {"region": "us-east-1", "accountId": "000000000000"},
            {"region": "us-east-1", "accountId": "111111111111"},
        )
    ]
    assert answers == [200, 409, 200]


def test_each_notification_type_requires_its_delivery_workflow() -> None:
    amazon = AmazonClient()
    bus = a_destination(eventBridge={"region": "eu-west-1", "accountId": "000000000000"})
    created = amazon.call("POST", DESTINATIONS, bus, grant="grantless").body["payload"]
    assert created["resource"]["eventBridge"]["name"].startswith(
        "aws.partner/sellingpartnerapi.amazon.com/000000000000/"
    )
    body = {"destinationId": created["destinationId"], "payloadVersion": "1.0"}
    assert amazon.call("POST", f"{SUBSCRIPTIONS}/ORDER_CHANGE", body).status == 400
    assert amazon.call("POST", f"{SUBSCRIPTIONS}/LISTINGS_ITEM_MFN_QUANTITY_CHANGE", body).status == 200
    assert amazon.call("POST", f"{SUBSCRIPTIONS}/ORDER_CHANGE", {**body, "destinationId": "none"}).status == 400


def triggers(amazon: AmazonClient) -> list[dict[str, Any]]:
    return [body["Payload"]["OrderChangeNotification"]["OrderChangeTrigger"] for body in amazon.received()]


# ---- playing


def test_account_is_empty_until_the_history_is_played() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE")
    assert amazon.search(createdAfter="2026-10-01T00:00:00Z").body["orders"] == []
    assert amazon.order("204-0000001-0000001").status == 404
    assert amazon.transactions(postedAfter="2026-10-01T00:00:00Z").body["payload"]["transactions"] == []
    assert amazon.inventory().body["payload"]["inventorySummaries"] == []
    assert amazon.queue == []


def test_present_applies_the_whole_history_without_notifications() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER), present=True)
    amazon.subscribe("ORDER_CHANGE")
    assert amazon.sandbox.play() == 0
    assert len(amazon.search(createdAfter="2026-10-01T00:00:00Z").body["orders"]) == 32
    current = amazon.order("204-0000016-0000016", includedData="FULFILLMENT").body["order"]
    assert current["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert amazon.queue == []


def test_history_is_played_by_time_up_to_the_time_requested() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE")
    order = "204-0000016-0000016"

    def status() -> str:
        current = amazon.order(order, includedData="FULFILLMENT").body["order"]
        return str(current["fulfillment"]["fulfillmentStatus"])

    amazon.sandbox.play(datetime(2026, 11, 11, 7, 0, tzinfo=UTC))
    assert status() == "PENDING"
    amazon.sandbox.play(datetime(2026, 11, 11, 8, 0, tzinfo=UTC))
    assert status() == "UNSHIPPED"
    amazon.sandbox.play()
    assert status() == "SHIPPED"
    received = [change for change in received_changes(amazon) if change[0] == order]
    assert [each[2] for each in received] == ["Pending", "Unshipped", "Shipped"]
    times = [change["TimeOfOrderChange"] for change in triggers(amazon)]
    assert times == sorted(times)
    assert len(times) == 53


def test_change_of_an_order_that_was_read_is_published_at_the_time_of_playing() -> None:
    """With an earlier time, the notification would describe a change that the client has already read."""
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.play(datetime(2026, 11, 11, 7, 0, tzinfo=UTC))
    amazon.order("204-0000016-0000016")
    amazon.queue.clear()
    amazon.sandbox.play(datetime(2026, 11, 12, 10, 0, tzinfo=UTC))
    published = {
        (change["AmazonOrderId"], body["EventTime"], change["OrderChangeTrigger"]["TimeOfOrderChange"])
        for body in amazon.received()
        for change in [body["Payload"]["OrderChangeNotification"]]
    }
    now = amazon.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert published == {
        ("204-0000016-0000016", now, "2026-11-11T07:40:00Z"),
        ("204-0000016-0000016", now, "2026-11-12T03:00:00Z"),
        ("204-0000017-0000017", "2026-11-12T10:00:00.000Z", "2026-11-12T10:00:00Z"),
    }


def test_large_history_can_be_played_in_parts() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    assert amazon.control("POST", "play", {"at_most": 10}) == (200, {"played": 10, "pending": 104})
    assert amazon.control("POST", "play", {}) == (200, {"played": 104, "pending": 0})
    assert amazon.control("POST", "play") == (200, {"played": 0, "pending": 0})


def test_order_change_describes_the_order() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    created = amazon.subscribe("ORDER_CHANGE").body["payload"]
    amazon.sandbox.play()
    (body,) = [
        body
        for body in amazon.received()
        if body["Payload"]["OrderChangeNotification"]["AmazonOrderId"] == "204-0000020-0000020"
        and body["Payload"]["OrderChangeNotification"]["Summary"]["OrderStatus"] == "PartiallyShipped"
    ]
    at = "2026-11-17T16:00:00"
    assert (body["NotificationVersion"], body["PayloadVersion"], body["EventTime"]) == ("1.0", "1.0", f"{at}.000Z")
    assert body["NotificationMetadata"]["SubscriptionId"] == created["subscriptionId"]
    assert body["NotificationMetadata"]["PublishTime"] == f"{at}.000Z"
    change = body["Payload"]["OrderChangeNotification"]
    assert (change["NotificationLevel"], change["SellerId"]) == ("OrderLevel", "A0SANDBOXSELLER")
    assert change["OrderChangeTrigger"]["TimeOfOrderChange"] == f"{at}Z"
    summary = change["Summary"]
    assert (summary["MarketplaceId"], summary["FulfillmentType"], summary["DestinationPostalCode"]) == (
        UK,
        "MFN",
        "CB7 1AA",
    )
    assert (summary["NumberOfItemsShipped"], summary["NumberOfItemsUnshipped"]) == (3, 2)
    assert [(item["SellerSKU"], item["Quantity"], item["QuantityShipped"]) for item in summary["OrderItems"]] == [
        ("MUG-RED", 3, 2),
        ("TOWEL-GREY", 2, 1),
    ]


def test_order_change_states_its_change_type() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.play()
    received = received_changes(amazon)
    assert [each[1:] for each in received if each[0] == "204-0000018-0000018"] == [
        ("OrderStatusChange", "Unshipped"),
        ("BuyerRequestedChange", "Unshipped"),
        ("OrderStatusChange", "Canceled"),
    ]
    assert [each[1] for each in received if each[0] == "111-0000014-0000014"] == [
        "OrderStatusChange",
        "OrderStatusChange",
        "DeliveryTipChange",
    ]


@pytest.mark.parametrize(
    ("event_filter", "expected"),
    [
        ({"orderChangeTypes": ["DeliveryTipChange"]}, {("111-0000014-0000014", "DeliveryTipChange")}),
        ({"orderChangeTypes": ["DeliveryTipChange"], "marketplaceIds": [UK]}, set()),
        (
            {"marketplaceIds": [US], "orderChangeTypes": ["OrderStatusChange"]},
            {(f"111-{number:07d}-{number:07d}", "OrderStatusChange") for number in (8, 9, 14)},
        ),
    ],
)
def test_event_filter_selects_change_types_and_marketplaces(
    event_filter: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE", directive={"eventFilter": {"eventFilterType": "ORDER_CHANGE", **event_filter}})
    amazon.sandbox.play()
    assert {change[:2] for change in received_changes(amazon)} == expected


def test_cancelled_order_has_no_unshipped_items() -> None:
    amazon = AmazonClient()
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.put_order(an_order(status="CANCELLED"), notify=True)
    (body,) = amazon.received()
    summary = body["Payload"]["OrderChangeNotification"]["Summary"]
    assert (summary["NumberOfItemsShipped"], summary["NumberOfItemsUnshipped"]) == (0, 0)


def test_each_notification_type_is_sent_to_its_subscribed_queue_only() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("TRANSACTION_UPDATE", OTHER_QUEUE)
    amazon.subscribe("FBA_INVENTORY_AVAILABILITY_CHANGES")
    amazon.sandbox.play()
    received = Counter((arn, json.loads(body)["NotificationType"]) for arn, body in amazon.queue)
    # Ten transactions belong to orders. Fees do not, and a change of status is not notified.
    assert received == {(OTHER_QUEUE, "TRANSACTION_UPDATE"): 38, (QUEUE, "FBA_INVENTORY_AVAILABILITY_CHANGES"): 18}


def test_transaction_update_contains_the_order_id_but_no_transaction_id() -> None:
    amazon = AmazonClient()
    amazon.subscribe("TRANSACTION_UPDATE")
    amazon.sandbox.put_transaction(a_transaction(7, transactionType="Refund"), notify=True)
    (body,) = amazon.received()
    update = body["Payload"]["TransactionUpdateNotification"]
    assert update["RelatedIdentifiers"] == [
        {"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": "204-0000007-0000007"}
    ]
    assert update["TransactionType"] == "Refund"
    assert update["TotalAmount"] == {"CurrencyAmount": Decimal("18.10"), "CurrencyCode": "GBP"}
    assert "transaction-7" not in json.dumps(body, default=str)


def test_stock_notification_states_the_fulfillable_quantity_per_marketplace() -> None:
    amazon = AmazonClient()
    amazon.subscribe("FBA_INVENTORY_AVAILABILITY_CHANGES")
    amazon.sandbox.put_inventory(a_stock_level("KETTLE-BLUE", 3), notify=True)
    (body,) = amazon.received()
    assert (body["Payload"]["SKU"], body["Payload"]["FNSKU"]) == ("KETTLE-BLUE", "X0SBX00001")
    (entry,) = body["Payload"]["FulfillmentInventoryByMarketplace"]
    assert (entry["MarketplaceId"], entry["FulfillmentInventory"]["Fulfillable"]) == (UK, 3)


def test_notification_ids_are_unique() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    for notification_type in ("ORDER_CHANGE", "TRANSACTION_UPDATE", "FBA_INVENTORY_AVAILABILITY_CHANGES"):
        amazon.subscribe(notification_type)
    amazon.sandbox.play()
    ids = {body["NotificationMetadata"]["NotificationId"] for body in amazon.received()}
    assert len(ids) == len(amazon.queue) == 109


def test_replay_sends_the_same_bodies_in_a_shuffled_order() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.play()
    original = list(amazon.queue)
    replays = []
    for seed in (1, 1, 2):
        amazon.queue.clear()
        assert amazon.control("POST", "replay", {"seed": seed}) == (200, {"sent": 53})
        replays.append(list(amazon.queue))
    assert sorted(replays[0]) == sorted(original)
    assert replays[0] == replays[1] != replays[2]
    assert replays[0] != original


def test_deleted_subscription_receives_no_notifications() -> None:
    amazon = AmazonClient()
    created = amazon.subscribe("ORDER_CHANGE").body["payload"]
    amazon.call("DELETE", f"{SUBSCRIPTIONS}/ORDER_CHANGE/{created['subscriptionId']}", grant="grantless")
    amazon.sandbox.put_order(an_order(), notify=True)
    assert amazon.queue == []


def test_new_version_is_readable_before_its_notification_is_published() -> None:
    statuses: list[str] = []

    def read_order(arn: str, body: str) -> None:
        order_id = json.loads(body)["Payload"]["OrderChangeNotification"]["AmazonOrderId"]
        current = amazon.order(order_id, includedData="FULFILLMENT").body["order"]
        statuses.append(current["fulfillment"]["fulfillmentStatus"])

    amazon = AmazonClient(publish=read_order)
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.put_order(an_order(), notify=True)
    amazon.sandbox.put_order(an_order(updated="2026-11-21T10:00:00Z", status="SHIPPED"), notify=True)
    assert statuses == ["UNSHIPPED", "SHIPPED"]


def test_order_added_while_playing_is_notified_after_the_version_being_played() -> None:
    # Given a consumer that adds an order when it receives the first notification
    def add_order(arn: str, body: str) -> None:
        received.append(json.loads(body)["Payload"]["OrderChangeNotification"]["AmazonOrderId"])
        if len(received) == 1:
            amazon.sandbox.put_order(an_order(9), notify=True)

    received: list[str] = []
    amazon = AmazonClient(Seller(orders=[an_order(1), an_order(2)]), publish=add_order)
    amazon.subscribe("ORDER_CHANGE")
    assert amazon.sandbox.play() == 2
    assert [order_id[-1] for order_id in received] == ["1", "9", "2"]


# ---- control


def test_orders_can_be_added_through_the_control_interface() -> None:
    amazon = AmazonClient()
    amazon.subscribe("ORDER_CHANGE")
    assert amazon.control("POST", "orders", an_order(1)) == (200, {"put": 1})
    assert amazon.control("POST", "orders", {"elements": [an_order(2), an_order(3)], "notify": True}) == (
        200,
        {"put": 2},
    )
    assert [change[0][-1] for change in received_changes(amazon)] == ["2", "3"]
    assert len(amazon.search(createdAfter="2026-11-01T00:00:00Z").body["orders"]) == 3
    status, body = amazon.control("POST", "orders", {"orderId": "204-1"})
    assert (status, body["error"]) == (400, "POST /_sandbox/orders: createdTime is missing; expected a string")


@pytest.mark.parametrize(
    ("path", "body"), [("play", {"until": "soon"}), ("play", []), ("orders", ["x"]), ("empty-pages", {"times": "x"})]
)
def test_invalid_control_request_is_rejected_with_an_explanation(path: str, body: Any) -> None:
    status, explanation = AmazonClient().control("POST", path, body)
    assert status == 400
    assert explanation["error"].startswith(f"POST /_sandbox/{path}: ")


def test_state_counts_played_and_pending_versions() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    amazon.subscribe("ORDER_CHANGE")
    amazon.control("POST", "play", {"until": "2026-10-25T06:30:00Z"})
    _, state = amazon.control("GET", "state")
    assert {name: state[name] for name in ("played", "pending", "orders", "transactions", "inventory")} == {
        "played": 12,
        "pending": 102,
        "orders": 1,
        "transactions": 1,
        "inventory": 8,
    }
    assert state["next"] == "2026-10-26T05:00:00Z"
    assert [(each["notificationType"], each["queue"]) for each in state["subscriptions"]] == [("ORDER_CHANGE", QUEUE)]
    _, sent = amazon.control("GET", "notifications?limit=2")
    assert sent["total"] == 3
    assert [each["body"] for each in sent["notifications"]] == amazon.received()[1:]


def test_injected_fault_returns_html_as_amazon_sometimes_does() -> None:
    amazon = AmazonClient()
    page = "<html><body>Service Unavailable</body></html>"
    amazon.control("POST", "faults", {"kind": "refuse", "path": "/orders/", "status": 503, "body": page})
    headers = {"x-amz-access-token": amazon.token()}
    request = Request.to("GET", "/orders/2026-01-01/orders?createdAfter=2026-11-01T00:00:00Z", headers=headers)
    rejected = amazon.sandbox.handle(request)
    assert (rejected.status, rejected.body.decode(), rejected.headers["content-type"]) == (
        503,
        page,
        "text/html; charset=utf-8",
    )
    assert amazon.sandbox.handle(request).status == 200


# ---- delivery to SQS


def test_notifications_are_published_in_batches_of_ten() -> None:
    batches: list[int] = []
    amazon = AmazonClient(Seller.load(OWN_SELLER), publish_many=lambda batch: batches.append(len(batch)))
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.play()
    assert batches == [10, 10, 10, 10, 10, 3]
    assert amazon.queue == []


def test_queue_sender_looks_up_each_queue_once_and_splits_batches_by_number_and_size() -> None:
    sqs = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    url = "http://localhost/000000000000/orders"

    def batch(stub: Stubber, *bodies: str) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        accepted = [{"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": "0" * 32} for entry in entries]
        stub.add_response(
            "send_message_batch", {"Successful": accepted, "Failed": []}, {"QueueUrl": url, "Entries": entries}
        )

    large = "x" * 200_000
    with Stubber(sqs) as stub:
        stub.add_response(
            "get_queue_url", {"QueueUrl": url}, {"QueueName": "orders", "QueueOwnerAWSAccountId": "000000000000"}
        )
        batch(stub, *"abcdefghij")
        batch(stub, "k")
        batch(stub, large)
        batch(stub, large)
        sender = QueueSender(sqs)
        sender.send_many([(QUEUE, body) for body in "abcdefghijk"])
        sender.send_many([(QUEUE, large), (QUEUE, large)])
        stub.assert_no_pending_responses()


def test_message_rejected_by_a_queue_raises_an_error() -> None:
    sqs = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(sqs) as stub:
        stub.add_response("get_queue_url", {"QueueUrl": "http://localhost/0/orders"})
        failed = [{"Id": "0", "SenderFault": True, "Code": "InvalidMessageContents"}]
        stub.add_response("send_message_batch", {"Successful": [], "Failed": failed})
        with pytest.raises(RuntimeError, match="rejected 1 of 1 messages: InvalidMessageContents"):
            QueueSender(sqs).send(QUEUE, "body")


def test_sandbox_is_built_from_the_command_line() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = ["--aws-endpoint", "http://127.0.0.1:1", "--present", "--lwa-refresh-token", "Atzr|mine"]
    amazon = build(parser.parse_args(arguments))
    assert amazon.state()["orders"] == 32
    assert amazon.login.credentials.refresh_token == "Atzr|mine"


# ---- own stock


def subscribed_to_own_stock(**options: Any) -> AmazonClient:
    amazon = AmazonClient(**options)
    bus = a_destination(eventBridge={"region": "eu-west-1", "accountId": "000000000000"})
    destination = amazon.call("POST", DESTINATIONS, bus, grant="grantless").body["payload"]["destinationId"]
    body = {"destinationId": destination, "payloadVersion": "1.0"}
    assert amazon.call("POST", f"{SUBSCRIPTIONS}/{MERCHANT_QUANTITY_CHANGE}", body).status == 200
    return amazon


def test_change_of_own_stock_is_an_event_of_the_partner_source_that_the_functions_can_read() -> None:
    events: list[tuple[str, str, str]] = []
    amazon = subscribed_to_own_stock(publish_event=lambda *event: events.append(event))

    change = {"sku": "KID'S MUG, red", "quantity": 17, "at": "2026-11-20T10:00:00Z"}
    assert amazon.control("POST", "own-stock", change) == (200, {"sent": 1})

    ((source, kind, detail),) = events
    assert source == "aws.partner/sellingpartnerapi.amazon.com/000000000000/amzn1.sp.solution.sandbox"
    assert kind == MERCHANT_QUANTITY_CHANGE
    (stated,) = parse_stock_notification(json.dumps({"source": source, "detail": json.loads(detail)})).statements
    assert (stated.channel, stated.place, stated.sku) == (Channel.MERCHANT, "DEFAULT", "KID'S MUG, red")
    assert (stated.quantities.fulfillable, stated.observed_at) == (17, datetime(2026, 11, 20, 10, tzinfo=UTC))


def test_own_stock_that_nobody_subscribed_to_is_not_notified() -> None:
    assert AmazonClient().control("POST", "own-stock", {"sku": "MUG-RED", "quantity": 1}) == (200, {"sent": 0})


def test_change_of_own_stock_that_cannot_be_delivered_or_lacks_a_field_is_refused() -> None:
    amazon = subscribed_to_own_stock()

    status, answer = amazon.control("POST", "own-stock", {"sku": "MUG-RED", "quantity": 1})
    assert (status, "no EventBridge to deliver to" in answer["error"]) == (400, True)
    status, answer = amazon.control("POST", "own-stock", {"sku": "MUG-RED"})
    assert (status, "quantity" in answer["error"]) == (400, True)


@pytest.mark.parametrize("failed", [0, 1])
def test_event_that_eventbridge_rejects_is_an_error(failed: int) -> None:
    client = boto3.client("events", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    entry = {"ErrorCode": "InternalFailure"} if failed else {"EventId": "1"}
    expected = {"Entries": [{"Source": "aws.partner/x", "DetailType": "Kind", "Detail": "{}"}]}
    with Stubber(client) as stubbed:
        stubbed.add_response("put_partner_events", {"FailedEntryCount": failed, "Entries": [entry]}, expected)
        if not failed:
            EventSender(client).send("aws.partner/x", "Kind", "{}")
            return
        with pytest.raises(RuntimeError, match="rejected an event of Kind: InternalFailure"):
            EventSender(client).send("aws.partner/x", "Kind", "{}")
