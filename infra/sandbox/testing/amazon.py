"""An in-process client of the sandbox Amazon with a queue that can be inspected, and sample data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.wire import Request, Response, SandboxClock

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUEUE = "arn:aws:sqs:eu-west-1:000000000000:orders"
UK = "A1F83G8C2ARO7P"
US = "ATVPDKIKX0DER"


class AmazonClient:
    """A sandbox whose clock only moves when a test advances it, and whose queue is a list of (queue ARN, body)."""

    def __init__(self, seller: Seller | None = None, **options: Any) -> None:
        self.queue: list[tuple[str, str]] = []
        self.clock = SandboxClock(lambda: NOW)
        options.setdefault("usage_plans", {})
        publish = options.pop("publish", lambda arn, body: self.queue.append((arn, body)))
        self.sandbox = AmazonSandbox(self.clock, seller or Seller(), publish, **options)
        self._tokens: dict[str, str] = {}

    def login(self, grant: str = "seller", **changes: str) -> ParsedResponse:
        credentials = Credentials()
        form = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        if grant == "seller":
            form |= {"grant_type": "refresh_token", "refresh_token": credentials.refresh_token}
        else:
            form |= {"grant_type": "client_credentials", "scope": "sellingpartnerapi::notifications"}
        body = urlencode(form | changes).encode()
        return ParsedResponse.of(self.sandbox.handle(Request.to("POST", "/auth/o2/token", body=body)))

    def token(self, grant: str = "seller") -> str:
        if grant not in self._tokens:
            self._tokens[grant] = self.login(grant).body["access_token"]
        return self._tokens[grant]

    def call(
        self, method: str, path: str, body: Any = None, *, grant: str = "seller", token: str | None = None, **query: Any
    ) -> ParsedResponse:
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        headers = {"x-amz-access-token": token if token is not None else self.token(grant)}
        content = b"" if body is None else json.dumps(body).encode()
        return ParsedResponse.of(self.sandbox.handle(Request.to(method, target, headers=headers, body=content)))

    def search(self, **query: Any) -> ParsedResponse:
        return self.call("GET", "/orders/2026-01-01/orders", **query)

    def order(self, order_id: str, **query: Any) -> ParsedResponse:
        return self.call("GET", f"/orders/2026-01-01/orders/{order_id}", **query)

    def transactions(self, **query: Any) -> ParsedResponse:
        return self.call("GET", "/finances/2024-06-19/transactions", **query)

    def inventory(self, marketplace: str = UK, **query: Any) -> ParsedResponse:
        scope = {"granularityType": "Marketplace", "granularityId": marketplace, "marketplaceIds": marketplace}
        return self.call("GET", "/fba/inventory/v1/summaries", **(scope | query))

    def subscribe(self, notification_type: str, queue: str = QUEUE, directive: Any = None) -> ParsedResponse:
        """Subscribe a queue to a notification type; create the destination if there is none for the queue."""
        destinations = self.call("GET", "/notifications/v1/destinations", grant="grantless").body["payload"]
        ids = [each["destinationId"] for each in destinations if each["resource"]["sqs"]["arn"] == queue]
        if not ids:
            destination = {"name": "queue", "resourceSpecification": {"sqs": {"arn": queue}}}
            created = self.call("POST", "/notifications/v1/destinations", destination, grant="grantless")
            ids = [created.body["payload"]["destinationId"]]
        body = {"destinationId": ids[0], "payloadVersion": "1.0"}
        if directive is not None:
            body["processingDirective"] = directive
        return self.call("POST", f"/notifications/v1/subscriptions/{notification_type}", body)

    def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        response = self.sandbox.control(Request.to(method, f"/_sandbox/{path}", body=content))
        return response.status, json.loads(response.body, parse_float=Decimal) if response.body else None

    def received(self) -> list[dict[str, Any]]:
        """Return the bodies of the notifications in the queue."""
        return [json.loads(body, parse_float=Decimal) for _, body in self.queue]


@dataclass
class ParsedResponse:
    """A parsed response."""

    status: int
    body: Any
    headers: dict[str, str]

    @classmethod
    def of(cls, response: Response) -> ParsedResponse:
        return cls(response.status, json.loads(response.body, parse_float=Decimal), dict(response.headers))

    @property
    def error(self) -> str:
        """The code of the first error."""
        return str(self.body["errors"][0]["code"])


def an_order(number: int = 1, *, updated: str = "2026-11-20T10:00:00Z", **changes: Any) -> dict[str, Any]:
    """Return a confirmed order of one kettle at GBP 24.00."""

    def money() -> dict[str, str]:
        return {"amount": "24.00", "currencyCode": "GBP"}

    return {
        "orderId": f"204-{number:07d}-{number:07d}",
        "createdTime": changes.pop("created", "2026-11-20T09:00:00Z"),
        "lastUpdatedTime": updated,
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": changes.pop("marketplace", UK)},
        "buyer": {"buyerName": "Ada Invented"},
        "recipient": {"deliveryAddress": {"postalCode": "LS1 1AA", "countryCode": "GB"}},
        "proceeds": {"grandTotal": money(), "breakdowns": [{"type": "ITEM", "subtotal": money()}]},
        "fulfillment": {
            "fulfillmentStatus": changes.pop("status", "UNSHIPPED"),
            "fulfilledBy": changes.pop("by", "AMAZON"),
        },
        "orderItems": [
            {
                "orderItemId": f"99{number:08d}",
                "quantityOrdered": 1,
                "product": {"sellerSku": "KETTLE-BLUE"},
                "proceeds": {"proceedsTotal": money(), "breakdowns": [{"type": "ITEM", "subtotal": money()}]},
                "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 1},
            }
        ],
        **changes,
    }


def a_transaction(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a sale posted in the United Kingdom."""
    order_id = changes.pop("order_id", f"204-{number:07d}-{number:07d}")
    related = [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_id}] if order_id else []
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": "A0SELLER",
            "accountType": "Standard Orders",
            "marketplaceId": changes.pop("marketplace", UK),
        },
        "transactionId": f"transaction-{number}",
        "transactionType": "Shipment",
        "transactionStatus": "RELEASED",
        "postedDate": "2026-11-20T10:00:00Z",
        "totalAmount": {"currencyAmount": Decimal("18.10"), "currencyCode": "GBP"},
        "relatedIdentifiers": related,
        "items": [],
        "breakdowns": [],
        **changes,
    }


def a_stock_level(sku: str = "KETTLE-BLUE", fulfillable: int = 7, **changes: Any) -> dict[str, Any]:
    """Return the FBA stock of one SKU in the United Kingdom."""
    return {
        "asin": "B0SBX00001",
        "fnSku": "X0SBX00001",
        "sellerSku": sku,
        "productName": "Blue kettle",
        "totalQuantity": fulfillable,
        "inventoryDetails": {"fulfillableQuantity": fulfillable},
        "lastUpdatedTime": "2026-11-20T10:00:00Z",
        "marketplaceId": UK,
        **changes,
    }
