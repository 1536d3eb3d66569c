"""Stock from the sandbox Amazon on a real socket, through to the messages that people receive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.inventory import AmazonInventoryApi
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from fakes.connection import FakeConnection
from fakes.state import ManualClock
from fakes.stock import DE, FR, UK, US
from sandbox.amazon import OWN_SELLER, AmazonSandbox, Credentials, Seller
from sandbox.amazon.stock_faults import StockFaults
from sandbox.amazon.usage_plan import USAGE_PLANS
from sandbox.testing.amazon import a_stock_level
from sandbox.wire import Request, SandboxClock
from unit.adapters.live_sandboxes import listening

POLICY = StockPolicy(marketplaces=(UK, US), pools={DE: "eu", FR: "eu"}, low=Thresholds(10), digest_from=1000)
QUEUE = "arn:aws:sqs:eu-west-1:000000000000:inventory-alerts"


class Watched:
    """A connection whose stock the sandbox Amazon states. notifications: bodies that it has sent."""

    def __init__(self, sandbox: AmazonSandbox, url: str, clock: ManualClock, sent: list[str]) -> None:
        self.sandbox = sandbox
        self.notifications = sent
        self.connection = FakeConnection(stock_policy=POLICY, clock=clock)
        known = sandbox.login.credentials
        credentials = AmazonCredentials(known.client_id, known.client_secret, known.refresh_token)
        api = AmazonInventoryApi(credentials, "eu", api_url=url, lwa_url=f"{url}/auth/o2/token")
        self.connection.inventory = api  # type: ignore[assignment]  # it was asked for by its port
        self.connection.restart()

    def subjects(self) -> list[str]:
        """Conclude everything; return the subjects of all messages."""
        self.connection.clock.advance(POLICY.collect.total_seconds())
        self.connection.send_alerts()
        return [subject for subject, _ in self.connection.inventory_topic.messages]

    def levels(self) -> int:
        return sum(sk.startswith("STOCK#") for sk in self.connection.store.table.rows)


@pytest.fixture
def watched(credentials: AmazonCredentials) -> Iterator[Watched]:
    clock, sent = ManualClock(), list[str]()
    sandbox = AmazonSandbox(
        SandboxClock(clock.now),
        Seller.load(OWN_SELLER),
        lambda _, body: sent.append(body),
        usage_plans=USAGE_PLANS,
        credentials=Credentials(),
    )
    with listening(sandbox) as url:
        yield Watched(sandbox, url, clock, sent)


def subscribe(sandbox: AmazonSandbox) -> None:
    def call(path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = Request("POST", f"/notifications/v1/{path}", body=json.dumps(body).encode())
        create = sandbox.subscriptions.create_destination if path == "destinations" else None
        answer = create(request) if create else sandbox.subscriptions.create_subscription(request, path.split("/")[1])
        payload: dict[str, Any] = json.loads(answer.body)["payload"]
        return payload

    destination = call("destinations", {"name": "stock", "resourceSpecification": {"sqs": {"arn": QUEUE}}})
    kind = "FBA_INVENTORY_AVAILABILITY_CHANGES"
    call(f"subscriptions/{kind}", {"payloadVersion": "1.0", "destinationId": destination["destinationId"]})


def test_history_of_the_seller_makes_the_alerts_of_its_readme(watched: Watched) -> None:
    subscribe(watched.sandbox)
    watched.sandbox.play()

    watched.connection.notice_stock(*(json.loads(body) for body in reversed(watched.notifications)))

    assert sorted(watched.subjects()) == [
        "In stock again: MUG-RED, Amazon.co.uk (main)",
        "Low stock: BOOK-TEA, Amazon.co.uk (main)",
        "Low stock: KETTLE-BLUE, Amazon.co.uk (main)",
        "Low stock: KETTLE-BLUE, Amazon.com (main)",
        "Low stock: LAMP-DESK, Amazon.de, Amazon.fr (pool eu) (main)",
        "More unfulfillable units: TOWEL-GREY, Amazon.co.uk (main)",
        "Out of stock: MUG-RED, Amazon.co.uk (main)",
    ]


def test_sweep_after_the_notifications_makes_no_further_alert(watched: Watched) -> None:
    subscribe(watched.sandbox)
    watched.sandbox.play()
    watched.connection.notice_stock(*(json.loads(body) for body in watched.notifications))
    before = watched.subjects()

    assert watched.connection.sweep_stock().stopped == ""

    assert watched.subjects() == before


def test_pages_are_read_at_the_pace_that_amazon_allows(watched: Watched) -> None:
    for number in range(420):
        watched.sandbox.put_inventory(a_stock_level(f"SKU-{number}", 30))

    report = watched.connection.sweep_stock()

    assert (report.records, report.stopped) == (420, "")
    assert watched.connection.decisions.of("AMAZON_THROTTLED") == []
    assert watched.levels() == 420


def test_seller_without_goods_at_amazon_has_no_outage(watched: Watched) -> None:
    watched.sandbox.stock_faults = StockFaults(without_goods=[UK, US])

    assert watched.connection.sweep_stock().stopped == ""
    assert [each["marketplace"] for each in watched.connection.decisions.of("NO_STOCK_AT_AMAZON")] == [UK, US]


def test_token_that_never_changes_ends_the_sweep_with_a_word(watched: Watched) -> None:
    for number in range(60):
        watched.sandbox.put_inventory(a_stock_level(f"SKU-{number}", 30))
    watched.sandbox.stock_faults = StockFaults(constant_token=True)

    assert watched.connection.sweep_stock().stopped == ""

    assert watched.levels() == 50
    assert len(watched.connection.decisions.of(FailureCode.STOCK_SWEEP_INCOMPLETE)) == 2


def test_sku_that_amazon_leaves_out_of_its_answer_keeps_its_level(watched: Watched) -> None:
    watched.sandbox.put_inventory(a_stock_level("KID'S MUG", 30))
    watched.connection.sweep_stock()
    watched.subjects()
    watched.sandbox.stock_faults = StockFaults(left_out=["KID'S MUG"])
    watched.connection.clock.advance(24 * 3600)

    watched.connection.sweep_stock()

    assert watched.subjects() == []
    latest = watched.connection.stock(f"fba#{UK}#KID'S MUG").latest
    assert latest is not None
    assert latest.quantities.fulfillable == 30


def test_refused_operation_stops_the_sweep_and_names_the_role(watched: Watched) -> None:
    watched.sandbox.refusals.operations = ["getInventorySummaries"]

    assert watched.connection.sweep_stock().stopped == FailureCode.AMAZON_OPERATION_REFUSED
    assert watched.connection.sweep_stock().stopped == WaitReason.AMAZON_PAUSED
    assert "for stock Amazon Fulfillment" in str(watched.connection.decisions.of("PAUSED"))


def test_pan_european_stock_is_proposed_as_a_pool(watched: Watched) -> None:
    for number in range(60):
        for marketplace in (DE, FR):
            watched.sandbox.put_inventory(a_stock_level(f"SKU-{number}", 30 + number, marketplaceId=marketplace))
    watched.connection.stock_policy = StockPolicy(marketplaces=(UK, DE, FR))
    watched.connection.restart()

    assert watched.connection.sweep_stock().stopped == ""

    (proposed,) = watched.connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED)
    assert f'Write "eu": ["{FR}", "{DE}"] under inventory.pools' in str(proposed["remedy"])
