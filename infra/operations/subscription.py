"""Begin and end one subscription of a seller to a type of Amazon's notifications, whatever its destination is.

The destination is a queue (connect) or a partner event source (merchant_quantities).
"""

from __future__ import annotations

from collections.abc import Collection

from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.runtime.settings import SettingsError

_CONFLICT = 409


def begin_subscription(notifications: AmazonNotifications, notification_type: str, destination: str) -> str:
    """Have Amazon send a type to the destination of this id, and return the subscription's id.

    An existing subscription to it is kept. Raises SettingsError if Amazon already sends the notifications elsewhere.
    """
    existing = notifications.get_subscription(notification_type)
    if existing is None:
        return notifications.create_subscription(notification_type, destination)
    if existing.get("destinationId") != destination:
        raise SettingsError(
            f"Amazon already sends {notification_type} of this seller to another destination, "
            f"{existing.get('destinationId')}. Delete that subscription first."
        )
    return str(existing["subscriptionId"])


def end_subscription(notifications: AmazonNotifications, notification_type: str, ours: Collection[str]) -> list[str]:
    """End the seller's subscription to one of our destinations, and delete those that no other seller uses.

    ours: ids of our destinations. Return what was done, a line each.
    """
    subscription = notifications.get_subscription(notification_type)
    done = []
    if subscription is None:
        done.append(f"Amazon has no subscription of this seller to {notification_type}")
    elif subscription.get("destinationId") not in ours:
        done.append(f"Amazon sends {notification_type} of this seller to another destination, which was left as it is")
    else:
        notifications.delete_subscription(notification_type, str(subscription["subscriptionId"]))
        done.append(f"ended the subscription to {notification_type} at Amazon")
    return done + [_deleted(notifications, destination) for destination in sorted(ours)]


def _deleted(notifications: AmazonNotifications, destination: str) -> str:
    try:
        notifications.delete_destination(destination)
    except AmazonError as problem:
        if problem.status != _CONFLICT:
            raise
        return f"the destination {destination} at Amazon was left: another seller's subscription uses it"
    return f"deleted the destination {destination} at Amazon"
