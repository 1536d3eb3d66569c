"""What Amazon refuses or leaves out, served by the sandbox and read through the real library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.orders import AmazonSellerApi
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.services.intake.sweep_cursor import CURSOR
from fakes.connection import FakeConnection
from fakes.orders import UK, US
from fakes.state import NOON
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.amazon.refusals import Refusals
from sandbox.wire import Fault, SandboxClock
from unit.adapters.live_sandboxes import listening
from unit.services.amazon_orders import HOUR, MINUTE, amazon_order


class LiveConnection:
    """A connection whose Amazon is the sandbox, behind the real library."""

    def __init__(self, sandbox: AmazonSandbox, connection: FakeConnection, url: str) -> None:
        self.sandbox = sandbox
        self.connection = connection
        known = sandbox.login.credentials
        credentials = AmazonCredentials(known.client_id, known.client_secret, known.refresh_token)
        connection.amazon = AmazonSellerApi(  # type: ignore[assignment]  # the real adapter for the fake
            credentials, "eu", api_url=url, lwa_url=f"{url}/auth/o2/token"
        )
        connection.restart()

    def hold(self, *orders: Any) -> None:
        for order in orders:
            self.sandbox.put_order(order)

    def refuse(self, **refusals: Any) -> None:
        self.sandbox.refusals = Refusals(**refusals)

    def recorded(self, *order_ids: str) -> set[str]:
        return set(self.connection.store.load(OrderRecord, order_ids))

    def calls(self, operation: str) -> int:
        """Return how many calls were answered; a token that has expired meanwhile costs another."""
        return sum(call.operation == operation and call.status == 200 for call in self.sandbox.calls)


@pytest.fixture
def live() -> Iterator[LiveConnection]:
    connection = FakeConnection()
    sandbox = AmazonSandbox(
        SandboxClock(connection.clock.now), Seller(), lambda arn, body: None, credentials=Credentials()
    )
    with listening(sandbox) as url:
        yield LiveConnection(sandbox, connection, url)


def test_search_that_is_refused_for_one_marketplace_while_get_order_works_holds_back_no_other(
    live: LiveConnection,
) -> None:
    live.hold(amazon_order("026-1"), amazon_order("111-1", marketplace=US))
    live.refuse(marketplaces=[US])

    assert live.connection.sweep().stopped == ""

    assert live.recorded("026-1", "111-1") == {"026-1"}
    assert live.connection.read(live.connection.notice(["111-1"])).records == 1
    (paused,) = live.connection.decisions.of("PAUSED")
    assert (paused["service"], paused["reason"]) == (f"amazon#searchOrders#{US}", "AMAZON_OPERATION_REFUSED")
    assert "Amazon refuses searchOrders for Amazon.com" in str(paused["remedy"])
    assert "role Inventory and Order Tracking" in str(paused["remedy"])
    assert "uthorise it again" in str(paused["remedy"])


def test_orders_of_the_refused_marketplace_are_swept_when_amazon_answers_for_it_again(live: LiveConnection) -> None:
    live.hold(amazon_order("026-1"), amazon_order("111-1", marketplace=US))
    live.refuse(marketplaces=[US])
    live.connection.sweep()
    live.refuse()
    live.connection.clock.advance(HOUR.total_seconds())

    assert live.connection.sweep().stopped == ""

    assert live.recorded("026-1", "111-1") == {"026-1", "111-1"}


def test_search_that_is_refused_altogether_pauses_alone_and_names_role_and_operation(live: LiveConnection) -> None:
    live.hold(amazon_order("026-1"))
    live.refuse(operations=["searchOrders"])

    assert live.connection.sweep().stopped == "AMAZON_OPERATION_REFUSED"

    (paused,) = live.connection.decisions.of("PAUSED")
    assert paused["service"] == "amazon#searchOrders"
    assert "Amazon refuses searchOrders (Unauthorized)" in str(paused["remedy"])
    assert live.connection.read(live.connection.notice(["026-1"])).records == 1


def test_order_that_is_refused_for_good_fails_and_the_others_go_on(live: LiveConnection) -> None:
    connection = live.connection
    live.hold(amazon_order("026-1"), amazon_order("026-2"), amazon_order("026-3"))
    live.refuse(orders=["026-1"])
    connection.notice(["026-1"], NOON - MINUTE)

    assert connection.read(connection.notice(["026-2"])).records == 1
    for _ in range(24):
        connection.clock.advance(HOUR.total_seconds())
        connection.read()

    assert (connection.record("026-1").state, connection.record("026-1").reason) == (OrderState.FAILED, "ORDER_REFUSED")
    assert connection.dead_letters[ORDERS].reasons == [("026-1", "ORDER_REFUSED")]
    assert connection.decisions.of("PAUSED") == []
    assert connection.read(connection.notice(["026-3"])).records == 1


def test_html_403_of_amazons_network_pauses_nothing_and_costs_no_new_token(live: LiveConnection) -> None:
    live.hold(amazon_order("026-1"))
    live.sandbox.faults.append(Fault("refuse", path="/orders/", status=403, body="<html>Request blocked</html>"))

    assert live.connection.read(live.connection.notice(["026-1"])).records == 0
    live.connection.clock.advance(300)

    assert live.connection.decisions.of("PAUSED") == []
    assert live.connection.read().records == 1
    assert [call.operation for call in live.sandbox.calls].count("lwaToken") == 1


def test_page_token_that_is_refused_from_now_on_starts_the_sweep_again(live: LiveConnection) -> None:
    connection = live.connection
    live.hold(*(amazon_order(f"026-{n:03}", updated=NOON - HOUR + n * MINUTE / 10) for n in range(150)))
    live.refuse(page_tokens=True)

    stops = [connection.sweep().stopped]
    for _ in range(3):
        connection.clock.advance(900)
        stops.append(connection.sweep().stopped)

    assert set(stops) == {"AMAZON_UNAVAILABLE"}
    assert len(connection.decisions.of("SWEEP_RESTARTED")) == 1
    live.refuse()
    for _ in range(3):
        connection.clock.advance(900)
        connection.sweep()
    assert len(live.recorded(*(f"026-{n:03}" for n in range(150)))) == 150
    assert "page_token" not in connection.store.cursor(CURSOR).data


@pytest.mark.parametrize("left_out", [["lastUpdatedBefore", "pagination"], ["buyer", "programs", "packages"]])
def test_pages_and_orders_without_optional_fields_are_entered(live: LiveConnection, left_out: list[str]) -> None:
    live.hold(amazon_order("026-1"), amazon_order("026-2"))
    live.refuse(left_out=left_out)

    report = live.connection.sweep()
    live.connection.plan_drafts(*report.due)

    assert {live.connection.record(each).state for each in ("026-1", "026-2")} == {OrderState.PLANNED}
    assert "watermark" in live.connection.store.cursor(CURSOR).data


def test_order_without_its_fulfilment_fails_and_names_the_field(live: LiveConnection) -> None:
    live.hold(amazon_order("026-1"))
    live.refuse(left_out=["fulfillment"])

    live.connection.read(live.connection.notice(["026-1"]))

    record = live.connection.record("026-1")
    assert (record.state, record.reason) == (OrderState.FAILED, "ORDER_MALFORMED")
    assert "'fulfillment' is missing" in record.remedy
    assert record.version is not None
    assert UK in str(record.content)


def test_version_that_goes_back_for_good_is_recorded_after_an_hour(live: LiveConnection) -> None:
    connection = live.connection
    live.hold(amazon_order("026-1", "12.00", NOON - 5 * MINUTE))
    connection.plan_drafts(*connection.read(connection.notice(["026-1"])).due)
    live.sandbox.put_order(amazon_order("026-1", "10.00", NOON - 9 * MINUTE), go_back=True)
    connection.clock.advance(60)
    connection.notice(["026-1"])

    totals = []
    for _ in range(65):
        connection.plan_drafts(*connection.read().due)
        totals.append(str(connection.document("026-1").desired.total))
        connection.clock.advance(60)

    assert totals.count("12.00") == 60
    assert totals[-1] == "10.00"
    assert live.calls("getOrder") == 8
    assert len(connection.decisions.of("VERSION_WENT_BACK")) == 1
