"""Changes of the seller's own stock: LISTINGS_ITEM_MFN_QUANTITY_CHANGE, which Amazon sends to EventBridge only.

No operation of the sandbox states these quantities: a change is notified, and that is all that Amazon says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.amazon.subscriptions import Subscriptions, metadata
from sandbox.amazon.times import parse_time
from sandbox.wire import dumps

KIND = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"

#: Delivers one event to the bus of a partner event source: name of the source, detail-type, detail as JSON.
type PublishEvent = Callable[[str, str, str], None]


class OwnStock:
    """Notifies of one seller's own stock. Without `publish` there is no EventBridge to deliver to."""

    def __init__(self, seller_id: str, subscriptions: Subscriptions, publish: PublishEvent | None) -> None:
        self._seller_id = seller_id
        self._subscriptions = subscriptions
        self._publish = publish
        self._sent = 0

    def change(self, sku: str, quantity: int, now: datetime, at: str = "") -> int:
        """Notify each subscription that `quantity` units of a SKU can be sold; return how many there were.

        at: when it changed, as Amazon writes times; by default, now.
        """
        sources = self._subscriptions.to_buses(KIND)
        if sources and self._publish is None:
            raise ValueError("there is no EventBridge to deliver to: give the sandbox publish_event")
        changed_at = (parse_time(at) if at else now).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for source, subscription in sources:
            self._sent += 1
            notification_id = f"5a4d0004-0000-4000-8000-{self._sent:012d}"
            notification = {
                "NotificationVersion": "1.0",
                "NotificationType": KIND,
                "PayloadVersion": subscription.payload_version,
                "EventTime": changed_at,
                "Payload": self._payload(sku, quantity),
                "NotificationMetadata": metadata(subscription, changed_at, notification_id),
            }
            if self._publish is not None:
                self._publish(source, KIND, dumps(notification))
        return len(sources)

    def _payload(self, sku: str, quantity: int) -> Mapping[str, Any]:
        return {"SellerId": self._seller_id, "FulfillmentChannelCode": "DEFAULT", "Sku": sku, "Quantity": quantity}
