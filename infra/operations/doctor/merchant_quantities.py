"""The seller's own stock: whether Amazon states its changes, and whether the stack takes them."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_to_xero.domain.amazon.stock_statements import MERCHANT_QUANTITY_CHANGE
from operations.connect import STOCK_NOTIFICATION, SUBSCRIPTIONS, notifications_of
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.finding import DoctorFinding, Severity, Side
from operations.merchant_quantities import OUTPUT, deployment_of, event_destination


def check_merchant_quantities(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find changes of the seller's own stock that do not reach the stack. Without the setting nothing is asked."""
    if not checked.settings.inventory.merchant_quantities:
        return
    stack, session = checked.stack, checked.session
    notifications = notifications_of(
        checked.settings, checked.secrets, stack.amazon_api_url or None, stack.lwa_url or None
    )
    destination = event_destination(notifications, session.output(SUBSCRIPTIONS[STOCK_NOTIFICATION]))
    subscription = notifications.get_subscription(MERCHANT_QUANTITY_CHANGE)
    if subscription is None or destination is None:
        what = f"Amazon sends no {MERCHANT_QUANTITY_CHANGE}: changes of your own stock are not seen"
        yield DoctorFinding(Severity.AT_RISK, Side.AMAZON, what, "Run make connect, which subscribes.")
    elif subscription.get("destinationId") != destination.destination_id:
        yield DoctorFinding(
            Severity.AT_RISK,
            Side.AMAZON,
            f"Amazon sends {MERCHANT_QUANTITY_CHANGE} to another destination, {subscription.get('destinationId')}",
            "Delete that subscription at Amazon, then run make connect.",
        )
    elif session.outputs.get(OUTPUT) != destination.source:
        yield DoctorFinding(
            Severity.AT_RISK,
            Side.AWS,
            f"the stack does not take the events of Amazon's partner event source {destination.source}",
            f"Run {deployment_of(session.stack, destination.source)}.",
        )
