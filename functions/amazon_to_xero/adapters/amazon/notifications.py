"""Destinations and subscriptions of Amazon's notifications, for the operator's commands. No function uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sp_api.api.notifications.notifications import Notifications

from amazon_to_xero.adapters.amazon.answers import call_with_message
from amazon_to_xero.adapters.amazon.client import AmazonCredentials, HardenedClient, connected_client
from amazon_to_xero.ports.amazon import AmazonNotFound, AmazonUnavailable, Json

# Amazon refuses an ORDER_CHANGE subscription without its event filter for some sellers (Amazon: models issue 621).
ORDER_CHANGE_DIRECTIVE: Mapping[str, Any] = {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}


class AmazonNotifications:
    """Amazon's Notifications API.

    Its answers hold no buyer data, so errors carry Amazon's message, which says what is wrong with a queue's policy.
    Creating a destination or subscription that already exists raises AmazonError with status 409.
    """

    def __init__(
        self,
        credentials: AmazonCredentials,
        region: str,
        *,
        api_url: str | None = None,
        lwa_url: str | None = None,
    ) -> None:
        """Connect to a region: na, eu or fe. `api_url` and `lwa_url` (the whole token URL) replace Amazon's own."""
        self._client = connected_client(_Notifications, credentials, region, api_url, lwa_url)

    def create_destination(
        self,
        name: str,
        *,
        queue_arn: str | None = None,
        event_bridge_account: str | None = None,
        event_bridge_region: str | None = None,
    ) -> str:
        """Create a destination and return its id.

        It is either an SQS queue or a partner event source, which Amazon names, in an account and a region of AWS.
        """
        if (queue_arn is None) == (event_bridge_account is None or event_bridge_region is None):
            raise ValueError("create_destination takes either queue_arn, or event_bridge_account and its region")
        answer = call_with_message(
            "createDestination",
            self._client.create_destination,
            name,
            arn=queue_arn,
            account_id=event_bridge_account,
            region=event_bridge_region,
        )
        return _payload_text(answer, "createDestination", "destinationId")

    def get_destinations(self) -> list[Json]:
        """Return Amazon's own objects: destinationId, name, resource.sqs.arn or resource.eventBridge."""
        destinations = call_with_message("getDestinations", self._client.get_destinations).get("payload")
        if not isinstance(destinations, list) or not all(isinstance(each, dict) for each in destinations):
            raise AmazonUnavailable("getDestinations", 200, "answer has no list of destinations")
        return destinations

    def create_subscription(self, notification_type: str, destination_id: str, payload_version: str = "1.0") -> str:
        """Subscribe to a type of notification, such as ORDER_CHANGE, and return the subscription's id."""
        directive = {"processingDirective": ORDER_CHANGE_DIRECTIVE} if notification_type == "ORDER_CHANGE" else {}
        answer = call_with_message(
            "createSubscription",
            self._client.create_subscription,
            notification_type,
            destination_id,
            payload_version=payload_version,
            **directive,
        )
        return _payload_text(answer, "createSubscription", "subscriptionId")

    def get_subscription(self, notification_type: str) -> Json | None:
        """Return Amazon's own object (subscriptionId, destinationId, payloadVersion), None where there is none."""
        try:
            answer = call_with_message("getSubscription", self._client.get_subscription, notification_type)
        except AmazonNotFound:
            return None
        _payload_text(answer, "getSubscription", "subscriptionId")
        subscription: Json = answer["payload"]
        return subscription

    def delete_subscription(self, notification_type: str, subscription_id: str) -> None:
        """End a subscription. Raises AmazonError with status 404 where there is none of that id."""
        self._delete("deleteSubscriptionById", f"subscriptions/{notification_type}/{subscription_id}")

    def delete_destination(self, destination_id: str) -> None:
        """Delete a destination. Raises AmazonError with status 409 while a subscription uses it."""
        self._delete("deleteDestination", f"destinations/{destination_id}")

    def _delete(self, operation: str, path: str) -> None:
        # Amazon: both are grantless. The library asks for the seller's token to end a subscription.
        send = self._client._request_grantless_operation
        call_with_message(operation, send, f"/notifications/v1/{path}", params={"method": "DELETE"})


class _Notifications(HardenedClient, Notifications):  # type: ignore[misc]  # sp_api ships no types
    pass


def _payload_text(answer: Json, operation: str, name: str) -> str:
    payload = answer.get("payload")
    value = payload.get(name) if isinstance(payload, dict) else None
    if not isinstance(value, str) or not value:
        raise AmazonUnavailable(operation, 200, f"answer has no payload.{name}")
    return value
