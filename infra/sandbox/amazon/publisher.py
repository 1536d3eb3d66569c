"""Publish notifications of changes to the subscribed queues."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.amazon.notifications import NOTIFICATION_TYPES, Notification, order_change_type, order_id_of
from sandbox.amazon.queues import MAX_BATCH_MESSAGES
from sandbox.amazon.subscriptions import Subscriptions
from sandbox.amazon.versions import Version, read_json

Publish = Callable[[str, str], None]
PublishMany = Callable[[Sequence[tuple[str, str]]], None]


class NotificationPublisher:
    """Publish one seller's notifications, and keep what was sent.

    publish: delivers one (queue ARN, body).
    publish_many: if given, delivers up to ten at a time instead; call `flush` after the last one.
    """

    def __init__(
        self, seller_id: str, subscriptions: Subscriptions, publish: Publish, publish_many: PublishMany | None
    ) -> None:
        self.sent: list[Notification] = []
        self._seller_id = seller_id
        self._subscriptions = subscriptions
        self._publish = publish
        self._publish_many = publish_many
        self._outbox: list[tuple[str, str]] = []

    def notify(
        self, version: Version, content: Mapping[str, Any], previous: str | None, published_at: datetime | None
    ) -> None:
        """Notify every matching subscription of a new version.

        previous: the JSON of the previous version; None for the first one.
        published_at: None for the version's own time.
        """
        subscriptions = self._subscriptions.to_queues(NOTIFICATION_TYPES[version.kind])
        if not subscriptions:
            return
        change_type, marketplace = "", ""
        match version.kind:
            case "order":
                change_type = order_change_type(read_json(previous) if previous else None, content)
                marketplace = content["salesChannel"].get("marketplaceId") or ""
            case "transaction":
                # Amazon notifies when a transaction of an order is posted, but not when its status changes later.
                if previous is not None or order_id_of(content) is None:
                    return
                marketplace = (content.get("sellingPartnerMetadata") or {}).get("marketplaceId") or ""
            case "inventory":
                marketplace = content["marketplaceId"]
        for subscription in subscriptions:
            if subscription.accepts(change_type, marketplace):
                notification = Notification(
                    len(self.sent) + 1, version, subscription, self._seller_id, change_type, published_at
                )
                self.sent.append(notification)
                self._deliver(notification, notification.body(content))

    def resend_all(self, seed: int) -> int:
        """Deliver every notification sent so far again, in an order that depends on the seed only; return how many."""
        notifications = list(self.sent)
        random.Random(seed).shuffle(notifications)  # noqa: S311 - a repeatable shuffle, not a secret
        for notification in notifications:
            self._deliver(notification, notification.body())
        self.flush()
        return len(notifications)

    def flush(self) -> None:
        """Deliver the messages that are waiting for a full batch."""
        if self._publish_many is not None and self._outbox:
            batch, self._outbox = self._outbox, []
            self._publish_many(batch)

    def _deliver(self, notification: Notification, body: str) -> None:
        if self._publish_many is None:
            self._publish(notification.subscription.queue_arn, body)
            return
        self._outbox.append((notification.subscription.queue_arn, body))
        if len(self._outbox) >= MAX_BATCH_MESSAGES:
            self.flush()
