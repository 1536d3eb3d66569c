"""The sandbox Amazon: one seller account behind the Selling Partner API, whose history is played on request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.amazon.charges import SELLER_ID, released
from sandbox.amazon.control import control_response
from sandbox.amazon.errors import ApiError, not_found, quota_exceeded, unauthorized
from sandbox.amazon.finances import Transactions
from sandbox.amazon.inventory import Inventory
from sandbox.amazon.login import Credentials, Grant, Login
from sandbox.amazon.marketplaces import participation
from sandbox.amazon.notifications import Notification
from sandbox.amazon.orders import Orders
from sandbox.amazon.own_stock import OwnStock, PublishEvent
from sandbox.amazon.publisher import NotificationPublisher, Publish, PublishMany
from sandbox.amazon.refusals import Refusals
from sandbox.amazon.routing import GRANTLESS_OPERATIONS, route
from sandbox.amazon.seller import Seller
from sandbox.amazon.stock_faults import StockFaults
from sandbox.amazon.subscriptions import Subscriptions
from sandbox.amazon.times import format_time
from sandbox.amazon.transaction_faults import TransactionFaults
from sandbox.amazon.usage_plan import USAGE_PLANS, TokenBucket, UsagePlan
from sandbox.amazon.versions import Version, inventory_version, order_version, read_json, transaction_version
from sandbox.wire import Request, Response, SandboxClock, SandboxService, dumps


class AmazonSandbox(SandboxService):
    """One seller account behind the Selling Partner API.

    The account is empty until `play` applies the versions of the seller's history.

    publish: delivers one notification to (queue ARN, body).
    publish_many: if given, delivers up to ten notifications at a time instead.
    present: apply the whole history at once, without notifications, as if it had happened before any subscription.
    usage_plans: replaces the documented rates and bursts. An operation without a plan is not limited.
    two_year_limit: hide orders created more than two years ago (Orders API v2026-01-01: not in JP, AU and SG).
    """

    name = "amazon"

    def __init__(
        self,
        clock: SandboxClock,
        seller: Seller,
        publish: Publish,
        *,
        publish_many: PublishMany | None = None,
        publish_event: PublishEvent | None = None,
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
        self.refusals = Refusals()
        self.transaction_faults = TransactionFaults()
        self.stock_faults = StockFaults()
        self._publisher = NotificationPublisher(
            seller.seller_id or SELLER_ID, self.subscriptions, publish, publish_many
        )
        self.own_stock = OwnStock(seller.seller_id or SELLER_ID, self.subscriptions, publish_event)
        self._home_marketplace = seller.home_marketplace
        self._marketplaces = set(seller.marketplaces())
        self._usage_plans = usage_plans
        self._buckets = {operation: TokenBucket(plan) for operation, plan in usage_plans.items()}
        self._request_count = 0
        # Newest first, so that the next version to play is popped off the end.
        self._pending = seller.history()[::-1]
        self._played_count = 0
        if present:
            while self._pending:
                version = self._pending.pop()
                self._store(version, version.read())

    # -- history -------------------------------------------------------------------------------------------------

    def play(self, until: datetime | None = None, at_most: int | None = None) -> int:
        """Apply the versions of the history up to and including `until`, at most `at_most`; return how many.

        Each version becomes what the API returns and is notified to the subscriptions of that moment. The server does
        not respond while it plays, so play a large history in parts.
        """
        played = 0
        while self._pending and played != at_most and (until is None or self._pending[-1].at <= until):
            version = self._pending.pop()
            self._apply(version, version.read(), notify=True)
            played += 1
        self._publisher.flush()
        return played

    def put_order(self, order: Mapping[str, Any], *, notify: bool = False, go_back: bool = False) -> None:
        """Apply a version of an order that is not in the history.

        go_back: replace a newer version with it, as if Amazon's lastUpdatedTime went back.
        Raise SellerDataError for an invalid field, and ValueError for a version older than the stored one.
        """
        version = order_version(order)
        if go_back:
            self.orders.forget(version.key)
        if marketplace := order["salesChannel"].get("marketplaceId"):
            self._marketplaces.add(marketplace)
            self._home_marketplace = self._home_marketplace or marketplace
        self._apply(version, order, notify)
        self._publisher.flush()

    def put_transaction(self, transaction: Mapping[str, Any], *, notify: bool = False) -> None:
        """Apply a version of a transaction that is not in the history."""
        self._apply(transaction_version(transaction), transaction, notify)
        self._publisher.flush()

    def release_transaction(self, transaction_id: str, *, notify: bool = False) -> None:
        """Release a deferred transaction now: it changes its status, and a copy of it is posted.

        Raise ValueError if there is none of that id.
        """
        for version in released(self.transactions.transaction(transaction_id), self.clock.now()):
            self.put_transaction(version, notify=notify)

    def put_inventory(self, summary: Mapping[str, Any], *, notify: bool = False) -> None:
        """Apply a stock level that is not in the history."""
        version = inventory_version(summary, self._home_marketplace)
        self._apply(version, version.read(), notify)
        self._publisher.flush()

    def replay(self, seed: int = 0) -> int:
        """Deliver every notification sent so far again, with its id, in an order that depends on the seed only."""
        return self._publisher.resend_all(seed)

    @property
    def sent(self) -> list[Notification]:
        """The notifications sent, oldest first."""
        return self._publisher.sent

    @property
    def pending_count(self) -> int:
        """The number of versions that have not been played."""
        return len(self._pending)

    def state(self) -> dict[str, Any]:
        """Return a summary of the sandbox for a person."""
        return {
            "now": format_time(self.clock.now()),
            "played": self._played_count,
            "pending": self.pending_count,
            "next": format_time(self._pending[-1].at) if self._pending else None,
            "orders": len(self.orders),
            "transactions": len(self.transactions),
            "inventory": len(self.inventory),
            "notifications": len(self.sent),
            "requests": self._request_count,
            "authorised": self.login.is_authorised,
            "subscriptions": [
                {
                    "notificationType": subscription.notification_type,
                    "queue": subscription.queue_arn,
                    **subscription.as_json(),
                }
                for subscription in self.subscriptions.all()
            ],
        }

    def _apply(self, version: Version, content: Mapping[str, Any], notify: bool) -> None:
        previous = self._store(version, content)
        if notify:
            was_read = version.kind == "order" and version.key in self.orders.read_order_ids
            published_at = max(version.at, self.clock.now()) if was_read else None
            self._publisher.notify(version, content, previous, published_at)

    def _store(self, version: Version, content: Mapping[str, Any]) -> str | None:
        """Make a version the current one and return the JSON of the previous one."""
        self._played_count += 1
        match version.kind:
            case "order":
                return self.orders.put(version, content)
            case "transaction":
                return self.transactions.put(version, content)
            case "inventory":
                return self.inventory.put(version, content)

    # -- requests ------------------------------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        now = self.clock.now()
        self._request_count += 1
        operation, arguments = route(request)
        if operation == "lwaToken":
            return self.login.token(request, now).with_headers({"x-amzn-requestid": self._request_id()})
        try:
            response = self._call(operation, arguments, request, now)
        except ApiError as error:
            response = error.response()
        headers = {"x-amzn-RequestId": self._request_id()}
        # The models declare the rate limit header for these statuses only; a 429 does not carry it.
        plan = self._usage_plans.get(operation or "")
        if plan is not None and (response.status < 300 or response.status in (400, 404)):
            headers["x-amzn-RateLimit-Limit"] = str(plan.rate)
        return response.with_headers(headers)

    def operation(self, request: Request) -> str:
        return route(request)[0] or "unknown"

    def control(self, request: Request) -> Response:
        response = control_response(self, request)
        return super().control(request) if response is None else response

    def _call(self, operation: str | None, arguments: list[str], request: Request, now: datetime) -> Response:
        """Check the token and the usage plan, then process the operation."""
        if operation is None:
            raise not_found(f"The sandbox has no {request.method} {request.path}.")
        required: Grant = "grantless" if operation in GRANTLESS_OPERATIONS else "seller"
        if self.login.grant(request.headers.get("x-amz-access-token"), now) != required:
            raise unauthorized()
        self.refusals.check(operation, arguments)
        if operation == "searchOrders":
            searched = request.list_parameter("marketplaceIds") or self._marketplaces
            self.refusals.check_search(searched, request.parameter("paginationToken"))
        if operation in self._buckets and not self._buckets[operation].take(now):
            raise quota_exceeded()
        match operation:
            case "searchOrders":
                return self._without_left_out(self.orders.search_orders(request, now))
            case "getOrder":
                return self._without_left_out(self.orders.get_order(request, arguments[0], now))
            case "listTransactions":
                delay = self.transaction_faults.delay
                return self._with_transaction_faults(self.transactions.list_transactions(request, now, delay))
            case "getInventorySummaries":
                self.stock_faults.check(request.list_parameter("marketplaceIds"))
                if self.stock_faults.constant_token:
                    request = request.without_parameter("nextToken")
                answer = self.inventory.get_inventory_summaries(request, now)
                return _with_json(answer, self.stock_faults.applied_to(read_json(answer.body)))
            case "getMarketplaceParticipations":
                return Response.of_json({"payload": [participation(each) for each in sorted(self._marketplaces)]})
        return self.subscriptions.perform(operation, arguments, request)

    def _without_left_out(self, response: Response) -> Response:
        if not self.refusals.left_out:
            return response
        return _with_json(response, self.refusals.without_left_out(read_json(response.body)))

    def _with_transaction_faults(self, response: Response) -> Response:
        if not self.transaction_faults.change_answers:
            return response
        return _with_json(response, self.transaction_faults.applied_to(read_json(response.body)))

    def _request_id(self) -> str:
        return f"5a4d0000-0000-4000-8000-{self._request_count:012d}"


def _with_json(response: Response, answer: dict[str, Any]) -> Response:
    return Response(response.status, dumps(answer).encode(), response.headers)
