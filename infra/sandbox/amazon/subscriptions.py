"""Notifications API v1: the destinations and subscriptions of one application for one seller."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.amazon.errors import conflict, invalid_input, not_found
from sandbox.wire import Request, Response

# The delivery workflow of each type (developer documentation: notification type values).
SQS_TYPES = frozenset(
    (
        "ACCOUNT_STATUS_CHANGED",
        "ANY_OFFER_CHANGED",
        "B2B_ANY_OFFER_CHANGED",
        "DATA_KIOSK_QUERY_PROCESSING_FINISHED",
        "DETAIL_PAGE_TRAFFIC_EVENT",
        "FBA_INVENTORY_AVAILABILITY_CHANGES",
        "FBA_OUTBOUND_SHIPMENT_STATUS",
        "FEE_PROMOTION",
        "FEED_PROCESSING_FINISHED",
        "FULFILLMENT_ORDER_STATUS",
        "ITEM_INVENTORY_EVENT_CHANGE",
        "ITEM_SALES_EVENT_CHANGE",
        "ORDER_CHANGE",
        "PRICING_HEALTH",
        "REPORT_PROCESSING_FINISHED",
        "TRANSACTION_UPDATE",
    )
)
EVENTBRIDGE_TYPES = frozenset(
    (
        "BRANDED_ITEM_CONTENT_CHANGE",
        "ITEM_PRODUCT_TYPE_CHANGE",
        "LISTINGS_ITEM_ISSUES_CHANGE",
        "LISTINGS_ITEM_MFN_QUANTITY_CHANGE",
        "LISTINGS_ITEM_STATUS_CHANGE",
        "PRODUCT_TYPE_DEFINITIONS_CHANGE",
    )
)
ORDER_CHANGE_TYPES = frozenset(("BuyerRequestedChange", "DeliveryTipChange", "OrderStatusChange"))
_QUEUE_ARN = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?")
_APPLICATION = "amzn1.sp.solution.sandbox"


@dataclass(frozen=True)
class Subscription:
    """One notification type delivered to one destination.

    queue_arn: empty for an EventBridge destination.
    """

    subscription_id: str
    notification_type: str
    payload_version: str
    destination_id: str
    queue_arn: str
    processing_directive: dict[str, Any] = field(default_factory=dict)

    def accepts(self, change_type: str, marketplace: str) -> bool:
        """Whether the event filter passes a notification. An absent or empty list passes every value."""
        event_filter = self.processing_directive.get("eventFilter") or {}
        change_types = event_filter.get("orderChangeTypes")
        marketplaces = event_filter.get("marketplaceIds")
        return (not change_types or not change_type or change_type in change_types) and (
            not marketplaces or marketplace in marketplaces
        )

    def as_json(self) -> dict[str, Any]:
        directive = {"processingDirective": self.processing_directive} if self.processing_directive else {}
        return {
            "subscriptionId": self.subscription_id,
            "payloadVersion": self.payload_version,
            "destinationId": self.destination_id,
            **directive,
        }


class Subscriptions:
    """The destinations and subscriptions. Their ids are numbered, so that every run repeats exactly."""

    def __init__(self) -> None:
        self._destinations: dict[str, dict[str, Any]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._issued_ids = 0

    def to_queues(self, notification_type: str) -> list[Subscription]:
        """Return the subscriptions to a type whose destination is a queue."""
        return [
            subscription
            for subscription in self._subscriptions.values()
            if subscription.notification_type == notification_type and subscription.queue_arn
        ]

    def to_buses(self, notification_type: str) -> list[tuple[str, Subscription]]:
        """Return the subscriptions to a type whose destination is EventBridge, with the names of its event sources."""
        return [
            (str(self._destinations[subscription.destination_id]["resource"]["eventBridge"]["name"]), subscription)
            for subscription in self._subscriptions.values()
            if subscription.notification_type == notification_type and not subscription.queue_arn
        ]

    def all(self) -> list[Subscription]:
        return list(self._subscriptions.values())

    def perform(self, operation: str, arguments: list[str], request: Request) -> Response:
        """Process an operation of the Notifications API, by its name in Amazon's model."""
        match operation:
            case "createDestination":
                return self.create_destination(request)
            case "getDestinations":
                return Response.of_json({"payload": list(self._destinations.values())})
            case "getDestination":
                return Response.of_json({"payload": self._destination(*arguments)})
            case "deleteDestination":
                return self.delete_destination(*arguments)
            case "createSubscription":
                return self.create_subscription(request, *arguments)
            case "getSubscriptions":
                return self.get_subscriptions(request)
            case "getSubscription":
                return self.get_subscription(request, *arguments)
            case "getSubscriptionById":
                return Response.of_json({"payload": self._subscription(*arguments).as_json()})
            case "deleteSubscriptionById":
                del self._subscriptions[self._subscription(*arguments).subscription_id]
                return Response.of_json({})
        raise AssertionError(f"{operation} is routed but not implemented")

    def create_destination(self, request: Request) -> Response:
        body = _body(request)
        name, specification = body.get("name"), body.get("resourceSpecification")
        if not isinstance(name, str) or not name:
            raise invalid_input("name is required.")
        if not isinstance(specification, dict) or ("sqs" in specification) == ("eventBridge" in specification):
            raise invalid_input("resourceSpecification must have exactly one of sqs and eventBridge.")
        resource = (
            _queue_resource(specification["sqs"])
            if "sqs" in specification
            else _event_bus_resource(specification["eventBridge"])
        )
        if any(_are_the_same(destination["resource"], resource) for destination in self._destinations.values()):
            raise conflict("A destination with the same resource already exists.")
        destination_id = self._next_id(1)
        destination = {"destinationId": destination_id, "name": name, "resource": resource}
        self._destinations[destination_id] = destination
        return Response.of_json({"payload": destination})

    def delete_destination(self, destination_id: str) -> Response:
        self._destination(destination_id)
        if any(subscription.destination_id == destination_id for subscription in self._subscriptions.values()):
            raise conflict("The destination is used by a subscription.")
        del self._destinations[destination_id]
        return Response.of_json({})

    def create_subscription(self, request: Request, notification_type: str) -> Response:
        _check_type(notification_type)
        body = _body(request)
        destination_id, payload_version = body.get("destinationId"), body.get("payloadVersion")
        if not isinstance(destination_id, str) or not isinstance(payload_version, str) or not payload_version:
            raise invalid_input("destinationId and payloadVersion are required.")
        if destination_id not in self._destinations:
            raise invalid_input(f"The destination {destination_id} does not exist.")
        resource = self._destinations[destination_id]["resource"]
        if (resource["sqs"] is not None) != (notification_type in SQS_TYPES):
            workflow = "Amazon SQS" if notification_type in SQS_TYPES else "Amazon EventBridge"
            raise invalid_input(f"{notification_type} is delivered by {workflow} only.")
        directive = body.get("processingDirective") or {}
        _check_directive(notification_type, directive)
        if self._find(notification_type, payload_version) is not None:
            raise conflict(f"A subscription to {notification_type} {payload_version} already exists.")
        subscription = Subscription(
            self._next_id(2),
            notification_type,
            payload_version,
            destination_id,
            (resource["sqs"] or {}).get("arn", ""),
            directive,
        )
        self._subscriptions[subscription.subscription_id] = subscription
        return Response.of_json({"payload": subscription.as_json()})

    def get_subscription(self, request: Request, notification_type: str) -> Response:
        _check_type(notification_type)
        subscription = self._find(notification_type, request.parameter("payloadVersion"))
        if subscription is None:
            raise not_found(f"There is no subscription to {notification_type}.")
        return Response.of_json({"payload": subscription.as_json()})

    def get_subscriptions(self, request: Request) -> Response:
        types = request.list_parameter("notificationTypes")
        if len(types) != 1:
            raise invalid_input("notificationTypes must have exactly one value.")
        _check_type(types[0])
        version = request.parameter("payloadVersion")
        found = [
            subscription.as_json()
            for subscription in self._subscriptions.values()
            if subscription.notification_type == types[0] and version in (None, subscription.payload_version)
        ]
        return Response.of_json({"payload": {"subscriptions": found}})

    def _destination(self, destination_id: str) -> dict[str, Any]:
        if destination_id not in self._destinations:
            raise not_found(f"The destination {destination_id} does not exist.")
        return self._destinations[destination_id]

    def _subscription(self, notification_type: str, subscription_id: str) -> Subscription:
        subscription = self._subscriptions.get(subscription_id)
        if subscription is None or subscription.notification_type != notification_type:
            raise not_found(f"The subscription {subscription_id} to {notification_type} does not exist.")
        return subscription

    def _find(self, notification_type: str, payload_version: str | None) -> Subscription | None:
        """Return the subscription to a type and payload version; without a version, to the latest one."""
        candidates = [
            subscription
            for subscription in self._subscriptions.values()
            if subscription.notification_type == notification_type
            and payload_version in (None, subscription.payload_version)
        ]
        return max(candidates, key=lambda candidate: candidate.payload_version, default=None)

    def _next_id(self, kind: int) -> str:
        self._issued_ids += 1
        return f"5a4d{kind:04d}-0000-4000-8000-{self._issued_ids:012d}"


def metadata(subscription: Subscription, published_at: str, notification_id: str) -> dict[str, str]:
    """Return the NotificationMetadata of an envelope."""
    return {
        "ApplicationId": _APPLICATION,
        "SubscriptionId": subscription.subscription_id,
        "PublishTime": published_at,
        "NotificationId": notification_id,
    }


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        raise invalid_input("The request body is not JSON.") from None
    if not isinstance(body, dict):
        raise invalid_input("The request body is not a JSON object.")
    return body


def _queue_resource(sqs: Any) -> dict[str, Any]:
    arn = sqs.get("arn") if isinstance(sqs, dict) else None
    if not isinstance(arn, str) or not _QUEUE_ARN.fullmatch(arn):
        raise invalid_input("resourceSpecification.sqs.arn is not the ARN of an Amazon SQS queue.")
    if arn.endswith(".fifo"):
        raise invalid_input("FIFO queues are not supported.")
    return {"sqs": {"arn": arn}, "eventBridge": None}  # Amazon states a null for the other one


def _event_bus_resource(event_bridge: Any) -> dict[str, Any]:
    account = event_bridge.get("accountId") if isinstance(event_bridge, dict) else None
    region = event_bridge.get("region") if isinstance(event_bridge, dict) else None
    if not isinstance(account, str) or not isinstance(region, str) or not account or not region:
        raise invalid_input("resourceSpecification.eventBridge needs accountId and region.")
    name = f"aws.partner/sellingpartnerapi.amazon.com/{account}/{_APPLICATION}"
    return {"sqs": None, "eventBridge": {"name": name, "accountId": account, "region": region}}


def _are_the_same(resource: dict[str, Any], other: dict[str, Any]) -> bool:
    """Amazon allows one EventBridge destination for each AWS account, whatever its region."""
    account, others = ((each["eventBridge"] or {}).get("accountId") for each in (resource, other))
    return resource == other or (account is not None and account == others)


def _check_type(notification_type: str) -> None:
    if notification_type not in SQS_TYPES | EVENTBRIDGE_TYPES:
        raise invalid_input(f"{notification_type} is not a notification type.")


def _check_directive(notification_type: str, directive: Any) -> None:
    if not isinstance(directive, dict):
        raise invalid_input("processingDirective must be an object.")
    if "filterExpression" in directive:
        # Ignoring the filter would deliver notifications that Amazon suppresses.
        raise invalid_input("processingDirective.filterExpression is not available in the sandbox.")
    event_filter = directive.get("eventFilter")
    if event_filter is None:
        return
    if not isinstance(event_filter, dict) or event_filter.get("eventFilterType") != notification_type:
        raise invalid_input(f"processingDirective.eventFilter.eventFilterType must be {notification_type}.")
    if not set(event_filter.get("orderChangeTypes") or ()) <= ORDER_CHANGE_TYPES:
        raise invalid_input(f"orderChangeTypes must be among {', '.join(sorted(ORDER_CHANGE_TYPES))}.")
