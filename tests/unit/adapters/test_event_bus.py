"""Events to EventBridge: what they contain, and how many of them could not be published."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from amazon_to_xero.adapters.aws.event_bus import EventBridgeBus
from amazon_to_xero.domain.amazon.notification import ORDER_CANCELLED, ORDER_SHIPPED, ChangeNotice, parse_shipment_event
from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.ports.outbound import OrderEvent
from amazon_to_xero.services.inventory.events import alert_event

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutEvents")
ENDPOINT = "https://events.eu-west-1.amazonaws.com"


def shipped(number: int, version: datetime = NOON) -> OrderEvent:
    return OrderEvent(ORDER_SHIPPED, f"026-{number:07}-0000000", version, "A1F83G8C2ARO7P")


def accepted(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer as PutEvents does when it accepted every entry."""
    return {"FailedEntryCount": 0, "Entries": [{"EventId": f"e-{n}"} for n, _ in enumerate(entries)]}


def refusing(*places: int) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """Answer as PutEvents does when the entries at these places met an internal error."""

    def answer(entries: list[dict[str, Any]]) -> dict[str, Any]:
        refused = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
        entries_answered = [refused if n in places else {"EventId": f"e-{n}"} for n, _ in enumerate(entries)]
        return {"FailedEntryCount": len(places), "Entries": entries_answered}

    return answer


class ScriptedBus:
    """A boto3 `events` client that gives the scripted answers, and accepts everything after them."""

    def __init__(self, *script: Any) -> None:
        self._script = list(script)
        self.calls: list[list[dict[str, Any]]] = []

    def put_events(self, **request: Any) -> Any:
        (entries,) = request.values()
        self.calls.append(entries)
        answer = self._script.pop(0) if self._script else accepted
        if isinstance(answer, Exception):
            raise answer
        return answer(entries)


def test_event_contains_order_and_connection_and_no_order_data() -> None:
    bus = ScriptedBus()

    cancelled = OrderEvent(ORDER_CANCELLED, "026-0000001-0000001", NOON, "A1F83G8C2ARO7P")
    assert EventBridgeBus(bus, "stack-events").publish("main", [cancelled]) == 0

    ((entry,),) = bus.calls
    assert json.loads(entry.pop("Detail")) == {
        "connection": "main",
        "order_id": "026-0000001-0000001",
        "updated": "2026-11-23T12:00:00Z",
        "marketplace_id": "A1F83G8C2ARO7P",
    }
    assert entry == {"EventBusName": "stack-events", "Source": "amazon-to-xero", "DetailType": "Order Cancelled"}


def test_version_is_written_in_utc_to_the_microsecond() -> None:
    bus = ScriptedBus()
    elsewhere = datetime(2026, 11, 23, 13, 0, 0, 250, tzinfo=timezone(timedelta(hours=1)))

    EventBridgeBus(bus, "bus").publish("main", [shipped(1, elsewhere)])

    assert json.loads(bus.calls[0][0]["Detail"])["updated"] == "2026-11-23T12:00:00.000250Z"


def test_published_event_is_read_by_the_shipments_function() -> None:
    bus = ScriptedBus()
    EventBridgeBus(bus, "bus").publish("main", [shipped(7)])

    (entry,) = bus.calls[0]
    delivered = {"detail-type": entry["DetailType"], "source": entry["Source"], "detail": json.loads(entry["Detail"])}
    assert parse_shipment_event(json.dumps(delivered)) == ChangeNotice("026-0000007-0000000", connection="main")


@pytest.mark.parametrize(("events", "sizes"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_call_carries_at_most_ten_events(events: int, sizes: list[int]) -> None:
    bus = ScriptedBus()

    assert EventBridgeBus(bus, "bus").publish("main", [shipped(n) for n in range(events)]) == 0

    assert [len(call) for call in bus.calls] == sizes
    published = [json.loads(entry["Detail"])["order_id"] for call in bus.calls for entry in call]
    assert published == [shipped(n).order_id for n in range(events)]


def test_single_refused_entries_are_counted() -> None:
    bus = ScriptedBus(refusing(0, 3), accepted, refusing(1))

    assert EventBridgeBus(bus, "bus").publish("main", [shipped(n) for n in range(23)]) == 3
    assert len(bus.calls) == 3


@pytest.mark.parametrize(
    "problem",
    [THROTTLED, EndpointConnectionError(endpoint_url=ENDPOINT), ReadTimeoutError(endpoint_url=ENDPOINT)],
    ids=lambda problem: type(problem).__name__,
)
def test_unavailable_bus_raises_nothing_and_is_not_called_again(problem: Exception) -> None:
    bus = ScriptedBus(refusing(2), problem)

    assert EventBridgeBus(bus, "bus").publish("main", [shipped(n) for n in range(35)]) == 26
    assert len(bus.calls) == 2


def test_error_that_is_not_of_aws_is_raised() -> None:
    with pytest.raises(KeyError):
        EventBridgeBus(ScriptedBus(KeyError("Entries")), "bus").publish("main", [shipped(1)])


def test_event_of_an_inventory_alert_names_the_connection_and_only_what_amazon_states() -> None:
    bus = ScriptedBus()
    alert = StockAlert(
        AlertKind.LOW, "fba#eu#MUG", Channel.FBA, "eu", "MUG", NOON, StockQuantities(7, inbound_shipped=40)
    )
    event = alert_event(alert, StockPolicy(pools={"A1PA6795UKMFR9": "eu", "A13V1IB3VIYZZH": "eu"}))

    assert EventBridgeBus(bus, "stack-events").publish("main", [event]) == 0

    ((entry,),) = bus.calls
    assert entry["DetailType"] == "Inventory Alert"
    detail = json.loads(entry["Detail"])
    assert detail["connection"] == "main"
    assert detail["alert"] == "LOW"
    assert detail["quantities"] == {"fulfillable": 7, "inbound_shipped": 40}
    assert detail["places"] == ["A1PA6795UKMFR9", "A13V1IB3VIYZZH"]
    assert detail["alert_id"] == "fba#eu#MUG#LOW#2026-11-23T12:00:00+00:00"
