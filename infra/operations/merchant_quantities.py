"""The seller's own stock: Amazon states its changes on EventBridge only, by a partner event source of our account.

Amazon has one such source for each application and AWS account. `make connect` has Amazon create it; a stack takes its
events once it is deployed with the source's name in the parameter PartnerEventSource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.domain.amazon.stock_statements import MERCHANT_QUANTITY_CHANGE
from amazon_to_xero.ports.amazon import AmazonUnavailable
from amazon_to_xero.runtime.settings import SettingsError
from operations.subscription import begin_subscription, end_subscription

OUTPUT = "PartnerEventSource"  # of the stack; a stack that was deployed without the parameter has none
_DESTINATION = "amazon-to-xero"  # a name for people: no other command finds it by this


@dataclass(frozen=True)
class EventDestination:
    """An EventBridge destination at Amazon.

    destination_id: Amazon's.
    source: name of the partner event source, aws.partner/sellingpartnerapi.amazon.com/<account>/<application>.
    region: the AWS region of the source.
    """

    destination_id: str
    source: str
    region: str


def subscribe_merchant_quantities(notifications: AmazonNotifications, queue_arn: str) -> EventDestination:
    """Have Amazon send the changes of the seller's own stock to the account and region of a queue of the stack.

    An existing destination or subscription is kept. Raises AmazonError, and SettingsError if Amazon sends elsewhere.
    """
    region, account = _region_and_account(queue_arn)
    destination = event_destination(notifications, queue_arn)
    if destination is None:
        notifications.create_destination(_DESTINATION, event_bridge_account=account, event_bridge_region=region)
        destination = event_destination(notifications, queue_arn)
    if destination is None:
        raise AmazonUnavailable("getDestinations", 200, f"answer lacks the destination of the account {account}")
    if destination.region != region:
        raise SettingsError(
            f"Amazon has one EventBridge destination for each AWS account, and that of {account} is in "
            f"{destination.region}, not in {region}. Delete the destination {destination.destination_id} at Amazon "
            f"first, or use a stack in {destination.region}."
        )
    begin_subscription(notifications, MERCHANT_QUANTITY_CHANGE, destination.destination_id)
    return destination


def end_merchant_quantities(
    notifications: AmazonNotifications, outputs: Mapping[str, str], queue_arn: str
) -> list[str]:
    """End the subscription; return what was done, nothing where Amazon has no destination of this account and region.

    Amazon deletes the partner event source with its destination. The bus of a deleted source receives nothing any more,
    also after the next connect, so that a stack that has one is to be deployed without it.
    """
    destination = event_destination(notifications, queue_arn)
    if destination is None or destination.region != _region_and_account(queue_arn)[0]:
        return []
    done = end_subscription(notifications, MERCHANT_QUANTITY_CHANGE, [destination.destination_id])
    if outputs.get(OUTPUT) == destination.source and event_destination(notifications, queue_arn) is None:
        done.append(f"the partner event source {destination.source} has ended. Deploy the stack with {OUTPUT} empty")
    return done


def event_destination(notifications: AmazonNotifications, queue_arn: str) -> EventDestination | None:
    """Return the EventBridge destination of the AWS account that a queue belongs to; None where there is none."""
    _, account = _region_and_account(queue_arn)
    for each in notifications.get_destinations():
        bus = each["resource"].get("eventBridge") or {}
        if bus.get("accountId") == account:
            return EventDestination(each["destinationId"], str(bus["name"]), str(bus["region"]))
    return None


def deployment_of(stack: str, source: str) -> str:
    """Return the command that has a stack take the events of a partner event source."""
    return f'make deploy STACK={stack} PARAMETERS="{OUTPUT}={source}"'


def _region_and_account(arn: str) -> tuple[str, str]:
    _, _, _, region, account, *_ = arn.split(":")
    return region, account
