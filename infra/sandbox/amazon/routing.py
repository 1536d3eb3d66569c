"""Which operation of Amazon's models a request calls."""

from __future__ import annotations

from sandbox.wire import Request

# Operations that need a grantless token; all others need the seller's.
GRANTLESS_OPERATIONS = frozenset(
    (
        "createDestination",
        "getDestinations",
        "getDestination",
        "deleteDestination",
        "getSubscriptionById",
        "deleteSubscriptionById",
    )
)


def route(request: Request) -> tuple[str | None, list[str]]:
    """Return the operation, None for an unknown path, and its path arguments."""
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
        case [method, "notifications", "v1", "destinations", *arguments]:
            return _destination_operation(method, len(arguments)), arguments
        case [method, "notifications", "v1", "subscriptions", *arguments]:
            return _subscription_operation(method, len(arguments)), arguments
    return None, []


def _destination_operation(method: str, argument_count: int) -> str | None:
    match method, argument_count:
        case "POST", 0:
            return "createDestination"
        case "GET", 0:
            return "getDestinations"
        case "GET", 1:
            return "getDestination"
        case "DELETE", 1:
            return "deleteDestination"
    return None


def _subscription_operation(method: str, argument_count: int) -> str | None:
    match method, argument_count:
        case "GET", 0:
            return "getSubscriptions"
        case "GET", 1:
            return "getSubscription"
        case "POST", 1:
            return "createSubscription"
        case "GET", 2:
            return "getSubscriptionById"
        case "DELETE", 2:
            return "deleteSubscriptionById"
    return None
