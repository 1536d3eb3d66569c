"""The sandbox Amazon: login, orders, finances, stock, notifications, usage plans and faults of one seller account."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.amazon.errors import ApiError, not_found, quota_exceeded, unauthorized
from sandbox.amazon.finances import Transactions
from sandbox.amazon.inventory import Inventory
from sandbox.amazon.login import Credentials, Grant, Login
from sandbox.amazon.marketplaces import participation
from sandbox.amazon.notifications import NOTIFICATION_TYPES, Notification, order_change_type, order_id_of
from sandbox.amazon.orders import Orders
from sandbox.amazon.paging import stamp
from sandbox.amazon.seller import (
    Seller,
    Version,
    inventory_version,
    moment,
    order_version,
    read_json,
    transaction_version,
)
from sandbox.amazon.subscriptions import Subscriptions
from sandbox.amazon.usage_plan import USAGE_PLANS, TokenBucket, UsagePlan
from sandbox.wire import Request, Response, SandboxClock, SandboxService

Publish = Callable[[str, str], None]
PublishMany = Callable[[Sequence[tuple[str, str]]], None]
BATCH = 10  # an SQS SendMessageBatch takes as many

# Operations that need a grantless token; all others need the seller's.
GRANTLESS = frozenset(
    (
        "createDestination",
        "getDestinations",
        "getDestination",
        "deleteDestination",
        "getSubscriptionById",
        "deleteSubscriptionById",
    )
)


class AmazonSandbox(SandboxService):
    """One seller account behind the Selling Partner API, driven by requests and by `play`.

    `publish(queue_arn, body)` delivers one notification; `publish_many`, when given, is used instead for up to ten
    at a time. At first nothing has happened yet: `play` lets the seller's history happen. With `present=True` all of
    it has happened before anybody subscribed: the newest versions are there and no notification is ever sent for them.

    `usage_plans` replaces the documented rates and bursts; an operation without one is not limited.
    `two_year_limit` hides orders created more than two years ago (Orders API v2026-01-01: not JP, AU and SG).
    """

    name = "amazon"

    def __init__(
        self,
        clock: SandboxClock,
        seller: Seller,
        publish: Publish,
        *,
        publish_many: PublishMany | None = None,
        present: bool = False,
        credentials: Credentials | None = None,
        usage_plans: Mapping[str, UsagePlan] = USAGE_PLANS,
        two_year_limit: bool = False,
        transactions_per_page: int = 500,
    ) -> None:
        super().__init__(clock)
        self.login = Login(credentials or Credentials())
        self.orders = Orders(two_year_limit)
        self.transactions = Transactions(transactions_per_page)
        self.inventory = Inventory()
        self.subscriptions = Subscriptions()
        self.seller_id = seller.seller_id or "A1SELLER"
        self.sent: list[Notification] = []
        self._home_marketplace = seller.home_marketplace
        self._marketplaces = set(seller.marketplaces())
        self._publish = publish
        self._publish_many = publish_many
        self._outbox: list[tuple[str, str]] = []
        self._plans = usage_plans
        self._buckets = {operation: TokenBucket(plan) for operation, plan in usage_plans.items()}
        self._requests = 0
        # Newest first, so that the next to be played is taken off the end.
        self._pending = seller.history()[::-1]
        self._played = 0
        if present:
            while self._pending:
                version = self._pending.pop()
                self._become_true(version, version.read())

    # ---- the seller's life

    def play(self, until: datetime | None = None, at_most: int | None = None) -> int:
        """Lets the seller's history happen up to and including `until`, or `at_most` so many versions of it.

        Each version becomes what the API shows, and is notified to the subscriptions there are at that moment.
        Returns how many versions were played. A large history is better played in parts: while it plays, a sandbox
        behind the server answers nobody.
        """
        played = 0
        while self._pending and played != at_most and (until is None or self._pending[-1].at <= until):
            version = self._pending.pop()
            self._happen(version, version.read(), notify=True)
            played += 1
        self._flush()
        return played

    def put_order(self, order: Mapping[str, Any], *, notify: bool = False) -> None:
        """Adds an order or its next version; it is the truth at once, and notified when asked for.

        Raises SellerDataError naming the field, and ValueError for a version older than the one known.
        """
        version = order_version(order)
        if marketplace := order["salesChannel"].get("marketplaceId"):
            self._marketplaces.add(marketplace)
            self._home_marketplace = self._home_marketplace or marketplace
        self._happen(version, order, notify)
        self._flush()

    def put_transaction(self, transaction: Mapping[str, Any], *, notify: bool = False) -> None:
        """Adds a transaction or its next version, like `put_order`."""
        self._happen(transaction_version(transaction), transaction, notify)
        self._flush()

    def put_inventory(self, summary: Mapping[str, Any], *, notify: bool = False) -> None:
        """Sets a SKU's stock level, like `put_order`."""
        version = inventory_version(summary, self._home_marketplace)
        self._happen(version, version.read(), notify)
        self._flush()

    def replay(self, seed: int = 0) -> int:
        """Delivers every notification sent so far once more, with its id, in an order that depends on the seed only."""
        again = list(self.sent)
        random.Random(seed).shuffle(again)  # noqa: S311 - a shuffle that can be repeated, not a secret
        for notification in again:
            self._deliver(notification, notification.body())
        self._flush()
        return len(again)

    def _happen(self, version: Version, content: Mapping[str, Any], notify: bool) -> None:
        before = self._become_true(version, content)
        if notify:
            self._notify(version, content, before)

    def _become_true(self, version: Version, content: Mapping[str, Any]) -> str | None:
        self._played += 1
        match version.kind:
            case "order":
                return self.orders.put(version, content)
            case "transaction":
                return self.transactions.put(version, content)
            case "inventory":
                return self.inventory.put(version, content)

    def _notify(self, version: Version, content: Mapping[str, Any], before: str | None) -> None:
        subscriptions = self.subscriptions.to(NOTIFICATION_TYPES[version.kind])
        if not subscriptions:
            return
        change_type, marketplace, spoken = "", "", None
        match version.kind:
            case "order":
                if version.key in self.orders.shown:
                    spoken = max(version.at, self.clock.now())
                change_type = order_change_type(read_json(before) if before else None, content)
                marketplace = content["salesChannel"].get("marketplaceId") or ""
            case "transaction":
                # Notified when a transaction posts: not for those of no order, nor when a known one changes status.
                if before is not None or order_id_of(content) is None:
                    return
                marketplace = (content.get("sellingPartnerMetadata") or {}).get("marketplaceId") or ""
            case "inventory":
                marketplace = content["marketplaceId"]
        for subscription in subscriptions:
            if subscription.wants(change_type, marketplace):
                notification = Notification(
                    len(self.sent) + 1, version, subscription, self.seller_id, change_type, spoken
                )
                self.sent.append(notification)
                self._deliver(notification, notification.body(content))

    def _deliver(self, notification: Notification, body: str) -> None:
        if self._publish_many is None:
            self._publish(notification.subscription.queue_arn, body)
            return
        self._outbox.append((notification.subscription.queue_arn, body))
        if len(self._outbox) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._publish_many is not None and self._outbox:
            batch, self._outbox = self._outbox, []
            self._publish_many(batch)

    # ---- requests

    def respond(self, request: Request) -> Response:
        now = self.clock.now()
        self._requests += 1
        operation, arguments = _route(request)
        if operation == "lwaToken":
            return self.login.token(request, now).with_headers({"x-amzn-requestid": self._request_id()})
        try:
            if operation == "":
                raise not_found(f"The sandbox has no {request.method} {request.path}.")
            needed: Grant = "grantless" if operation in GRANTLESS else "seller"
            if self.login.grant(request.headers.get("x-amz-access-token"), now) != needed:
                raise unauthorized()
            if operation in self._buckets and not self._buckets[operation].take(now):
                raise quota_exceeded()
            response = self._perform(operation, arguments, request, now)
        except ApiError as error:
            response = error.response()
        headers = {"x-amzn-RequestId": self._request_id()}
        # The models declare the rate limit header for these statuses only: a 429 does not carry it.
        if operation in self._plans and (response.status < 300 or response.status in (400, 404)):
            headers["x-amzn-RateLimit-Limit"] = str(self._plans[operation].rate)
        return response.with_headers(headers)

    def operation(self, request: Request) -> str:
        return _route(request)[0] or "unknown"

    def _perform(self, operation: str, arguments: list[str], request: Request, now: datetime) -> Response:
        match operation:
            case "searchOrders":
                return self.orders.search_orders(request, now)
            case "getOrder":
                return self.orders.get_order(request, arguments[0], now)
            case "listTransactions":
                return self.transactions.list_transactions(request, now)
            case "getInventorySummaries":
                return self.inventory.get_inventory_summaries(request, now)
            case "getMarketplaceParticipations":
                return Response.of_json({"payload": [participation(each) for each in sorted(self._marketplaces)]})
        return self.subscriptions.perform(operation, arguments, request)

    def _request_id(self) -> str:
        return f"5a4d0000-0000-4000-8000-{self._requests:012d}"

    # ---- control

    def control(self, request: Request) -> Response:
        """The base's controls, and:

        - `GET state`: counts of what is played, pending and shown, the subscriptions, the time
        - `POST play` `{"until": "2026-11-01T00:00:00Z", "at_most": 500}` (all without them)
        - `POST replay` `{"seed": 1}`
        - `POST orders`, `POST transactions`, `POST inventory`: one object or a list of them, or
          `{"elements": [...], "notify": true}`
        - `POST revoke` (access tokens; with `{"authorisation": true}` the seller's authorisation), `POST authorise`
        - `POST empty-pages` `{"times": 2}`: so many of the next listTransactions answers are empty, with a token
        - `GET notifications?limit=100`: the newest sent ones, oldest first
        """
        path = request.path.removeprefix("/_sandbox/").rstrip("/")
        try:
            match request.method, path:
                case "GET", "state":
                    return Response.of_json(self.state())
                case "GET", "notifications":
                    return self._sent_notifications(int(request.parameter("limit") or 100))
                case "POST", "play":
                    wanted = _control_body(request)
                    until, at_most = wanted.get("until"), wanted.get("at_most")
                    played = self.play(moment(until) if until else None, None if at_most is None else int(at_most))
                    return Response.of_json({"played": played, "pending": len(self._pending)})
                case "POST", "replay":
                    return Response.of_json({"sent": self.replay(int(_control_body(request).get("seed", 0)))})
                case "POST", "orders" | "transactions" | "inventory":
                    return self._put(path, read_json(request.body))
                case "POST", "revoke":
                    self.login.revoke_access_tokens()
                    if _control_body(request).get("authorisation"):
                        self.login.revoke_authorisation()
                    return Response(204)
                case "POST", "authorise":
                    self.login.authorise()
                    return Response(204)
                case "POST", "empty-pages":
                    self.transactions.empty_pages = int(_control_body(request).get("times", 1))
                    return Response(204)
        except (ValueError, TypeError) as problem:
            return Response.of_json({"error": f"{request.method} {request.path}: {problem}"}, 400)
        return super().control(request)

    def state(self) -> dict[str, Any]:
        """What a person wants to know about the sandbox at a glance."""
        return {
            "now": stamp(self.clock.now()),
            "played": self._played,
            "pending": len(self._pending),
            "next": stamp(self._pending[-1].at) if self._pending else None,
            "orders": len(self.orders),
            "transactions": len(self.transactions),
            "inventory": len(self.inventory),
            "notifications": len(self.sent),
            "requests": self._requests,
            "authorised": self.login.authorised,
            "subscriptions": [
                {
                    "notificationType": subscription.notification_type,
                    "queue": subscription.queue_arn,
                    **subscription.shown(),
                }
                for subscription in self.subscriptions.all()
            ],
        }

    def _put(self, path: str, given: Any) -> Response:
        notify = False
        if isinstance(given, dict) and "elements" in given:
            notify, given = bool(given.get("notify")), given["elements"]
        put = {"orders": self.put_order, "transactions": self.put_transaction, "inventory": self.put_inventory}[path]
        elements = given if isinstance(given, list) else [given]
        for element in elements:
            if not isinstance(element, dict):
                raise ValueError('expected an object, a list of objects, or {"elements": [...], "notify": true}')
            put(element, notify=notify)
        return Response.of_json({"put": len(elements)})

    def _sent_notifications(self, limit: int) -> Response:
        newest = self.sent[-limit:] if limit > 0 else []
        return Response.of_json(
            {
                "total": len(self.sent),
                "notifications": [
                    {"queue": notification.subscription.queue_arn, "body": read_json(notification.body())}
                    for notification in newest
                ],
            }
        )


def _control_body(request: Request) -> dict[str, Any]:
    body = json.loads(request.body) if request.body.strip() else {}
    if not isinstance(body, dict):
        raise ValueError("expected a JSON object")
    return body


def _route(request: Request) -> tuple[str, list[str]]:
    """The operation's name in Amazon's models and its path arguments; "" for a path the sandbox does not serve."""
    match [request.method, *request.path.strip("/").split("/")]:
        case ["POST", "auth", "o2", "token"]:
            return "lwaToken", []
        case ["GET", "orders", "2026-01-01", "orders"]:
            return "searchOrders", []
        case ["GET", "orders", "2026-01-01", "orders", order_id]:
            return "getOrder", [order_id]
        case ["GET", "finances", "2024-06-19", "transactions"]:
            return "listTransactions", []
        case ["GET", "fba", "inventory", "v1", "summaries"]:
            return "getInventorySummaries", []
        case ["GET", "sellers", "v1", "marketplaceParticipations"]:
            return "getMarketplaceParticipations", []
        case [method, "notifications", "v1", "destinations", *rest]:
            return _destinations(method, rest)
        case [method, "notifications", "v1", "subscriptions", *rest]:
            return _subscriptions(method, rest)
    return "", []


def _destinations(method: str, rest: list[str]) -> tuple[str, list[str]]:
    match method, len(rest):
        case "POST", 0:
            return "createDestination", rest
        case "GET", 0:
            return "getDestinations", rest
        case "GET", 1:
            return "getDestination", rest
        case "DELETE", 1:
            return "deleteDestination", rest
    return "", []


def _subscriptions(method: str, rest: list[str]) -> tuple[str, list[str]]:
    match method, len(rest):
        case "GET", 0:
            return "getSubscriptions", rest
        case "GET", 1:
            return "getSubscription", rest
        case "POST", 1:
            return "createSubscription", rest
        case "GET", 2:
            return "getSubscriptionById", rest
        case "DELETE", 2:
            return "deleteSubscriptionById", rest
    return "", []
