"""Messages are read as notices: which order they are about, and nothing else of their content."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.notification import (
    ChangeNotice,
    parse_order_change,
    parse_shipment_event,
    parse_transaction_update,
)
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.source import SourceKind

EVENTS = Path(__file__).parents[3] / "events"
CANARY = "Canary Buyer"


def bodies(event: str) -> list[str]:
    return [record["body"] for record in json.loads((EVENTS / event).read_text(encoding="utf-8"))["Records"]]


def order_change() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(bodies("orders_sqs_order_change.json")[0])
    return made


def shipped() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(bodies("shipments_sqs_order_shipped.json")[0])
    return made


def without(*path: str, of: Callable[[], dict[str, Any]] = order_change) -> str:
    document = of()
    part = document
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return json.dumps(document)


def holding(value: Any, *path: str, of: Callable[[], dict[str, Any]] = order_change) -> str:
    document = of()
    part = document
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return json.dumps(document)


def reprocess(source: str) -> str:
    return json.dumps({"reprocess": {"connection": "main", "source": source}})


def failure_of(body: str, parse: Callable[[str], ChangeNotice] = parse_order_change) -> Failure:
    with pytest.raises(Failure) as caught:
        parse(body)
    return caught.value


def with_names(value: Any, case: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {case(name): with_names(part, case) for name, part in value.items()}
    return [with_names(part, case) for part in value] if isinstance(value, list) else value


def test_order_change_is_a_notice_about_its_order() -> None:
    first, second = (parse_order_change(body) for body in bodies("orders_sqs_order_change.json"))

    at = datetime(2026, 11, 23, 11, 59, 53, 109000, tzinfo=UTC)
    assert first == ChangeNotice("026-0000001-0000001", at, seller_id="A1SELLERMADEUP")
    assert second.key == "026-0000002-0000002"


@pytest.mark.parametrize("case", [str.lower, str.upper, lambda name: name[0].lower() + name[1:]])
def test_field_names_are_read_in_any_case(case: Callable[[str], str]) -> None:
    assert parse_order_change(json.dumps(with_names(order_change(), case))) == parse_order_change(
        json.dumps(order_change())
    )


def test_event_time_in_another_time_zone_is_converted_to_utc() -> None:
    body = holding("2026-11-23T12:59:53.109+01:00", "EventTime")

    assert parse_order_change(body) == parse_order_change(json.dumps(order_change()))


@pytest.mark.parametrize("parse", [parse_order_change, parse_shipment_event])
@pytest.mark.parametrize("event", ["orders_sqs_reprocess.json", "shipments_sqs_reprocess.json"])
def test_redriven_dead_letter_asks_to_reprocess_its_order_on_either_queue(
    event: str, parse: Callable[[str], ChangeNotice]
) -> None:
    (body,) = bodies(event)

    order_id = json.loads(body)["reprocess"]["source"].removeprefix("order#")
    assert parse(body) == ChangeNotice(order_id, connection="main", reprocess=True, kind=SourceKind.ORDER)


def test_event_of_the_own_bus_is_a_notice_about_its_order() -> None:
    notices = [
        parse_shipment_event(body)
        for event in ("shipments_sqs_order_shipped.json", "shipments_sqs_order_cancelled.json")
        for body in bodies(event)
    ]

    assert notices == [ChangeNotice(f"026-000000{n}-000000{n}", connection="main") for n in (1, 2, 4)]


def test_event_needs_no_more_than_connection_and_order_id() -> None:
    detail = {"connection": "main", "order_id": "026-0000001-0000001"}

    assert parse_shipment_event(holding(detail, "detail", of=shipped)) == parse_shipment_event(json.dumps(shipped()))


ORDER = ("Payload", "OrderChangeNotification")


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ("", "MALFORMED_MESSAGE", "not JSON"),
        ("{", "MALFORMED_MESSAGE", "not JSON"),
        ("[]", "MALFORMED_MESSAGE", "list"),
        ('"text"', "MALFORMED_MESSAGE", "str"),
        ("null", "MALFORMED_MESSAGE", "NoneType"),
        ("[" * 100_000, "MALFORMED_MESSAGE", "not JSON"),
        ("{}", "MALFORMED_MESSAGE", "NotificationType"),
        (without("NotificationType"), "MALFORMED_MESSAGE", "NotificationType"),
        (without("Payload"), "MALFORMED_MESSAGE", "Payload"),
        (without(*ORDER), "MALFORMED_MESSAGE", "OrderChangeNotification"),
        (without("EventTime"), "MALFORMED_MESSAGE", "EventTime"),
        (holding("yesterday", "EventTime"), "MALFORMED_MESSAGE", "EventTime"),
        (holding("2026-11-23T11:59:53", "EventTime"), "MALFORMED_MESSAGE", "EventTime"),
        (holding("0001-01-01T00:00:00+14:00", "EventTime"), "MALFORMED_MESSAGE", "EventTime"),
        (holding("9999-12-31T23:59:59Z", "EventTime"), "MALFORMED_MESSAGE", "EventTime"),
        (holding(1795435193, "EventTime"), "MALFORMED_MESSAGE", "EventTime"),
        (without(*ORDER, "AmazonOrderId"), "MALFORMED_MESSAGE", "AmazonOrderId"),
        (holding(None, *ORDER, "AmazonOrderId"), "MALFORMED_MESSAGE", "AmazonOrderId"),
        (holding(26, *ORDER, "AmazonOrderId"), "MALFORMED_MESSAGE", "AmazonOrderId"),
        (holding("  ", *ORDER, "AmazonOrderId"), "MALFORMED_MESSAGE", "AmazonOrderId"),
        (holding("0" * 65, *ORDER, "AmazonOrderId"), "MALFORMED_MESSAGE", "AmazonOrderId"),
        (holding("026-\ud800", *ORDER, "AmazonOrderId"), "MALFORMED_MESSAGE", "AmazonOrderId"),
        (without(*ORDER, "SellerId"), "MALFORMED_MESSAGE", "SellerId"),
        (holding([CANARY], "Payload"), "MALFORMED_MESSAGE", "OrderChangeNotification"),
        (holding("TRANSACTION_UPDATE", "NotificationType"), "UNEXPECTED_NOTIFICATION", "TRANSACTION_UPDATE"),
        (holding({"Name": CANARY}, "NotificationType"), "MALFORMED_MESSAGE", "NotificationType"),
        (json.dumps({"reprocess": {"connection": "main"}}), "MALFORMED_MESSAGE", "source"),
        (json.dumps({"reprocess": {"source": "order#026-0000003-0000003"}}), "MALFORMED_MESSAGE", "connection"),
        (json.dumps({"reprocess": "order#026-0000003-0000003"}), "MALFORMED_MESSAGE", "source"),
        (reprocess("026-0000003-0000003"), "MALFORMED_MESSAGE", "source"),
        (reprocess("order#"), "MALFORMED_MESSAGE", "source"),
        (reprocess("settings#AMAZON-A1"), "MALFORMED_MESSAGE", "source"),
    ],
)
def test_unreadable_message_fails_with_its_field_and_a_remedy(body: str, code: str, named: str) -> None:
    failure = failure_of(body)

    assert failure.code == code
    assert named in failure.remedy
    assert "correct the body" in failure.remedy or "subscribe that type to its own queue" in failure.remedy
    assert CANARY not in failure.remedy


def test_failure_does_not_quote_the_body() -> None:
    texts = [CANARY, json.dumps({"buyer": CANARY}), json.dumps([CANARY]), holding({"Name": CANARY}, *ORDER)]

    assert [CANARY in str(failure_of(text)) for text in texts] == [False] * 4


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ("", "MALFORMED_MESSAGE", "not JSON"),
        ("[]", "MALFORMED_MESSAGE", "list"),
        ("[" * 100_000, "MALFORMED_MESSAGE", "not JSON"),
        ("{}", "MALFORMED_MESSAGE", "detail-type"),
        (json.dumps(order_change()), "MALFORMED_MESSAGE", "detail-type"),
        (holding("Order Returned", "detail-type", of=shipped), "UNEXPECTED_NOTIFICATION", "'Order Returned'"),
        (holding("order shipped", "detail-type", of=shipped), "UNEXPECTED_NOTIFICATION", "Order Shipped"),
        (holding(["Order Shipped"], "detail-type", of=shipped), "MALFORMED_MESSAGE", "detail-type"),
        (without("detail", of=shipped), "MALFORMED_MESSAGE", "detail"),
        (holding(CANARY, "detail", of=shipped), "MALFORMED_MESSAGE", "order_id"),
        (without("detail", "order_id", of=shipped), "MALFORMED_MESSAGE", "order_id"),
        (without("detail", "connection", of=shipped), "MALFORMED_MESSAGE", "connection"),
        (holding(None, "detail", "connection", of=shipped), "MALFORMED_MESSAGE", "connection"),
        (holding("0" * 65, "detail", "order_id", of=shipped), "MALFORMED_MESSAGE", "order_id"),
        (holding("026-\ud800", "detail", "order_id", of=shipped), "MALFORMED_MESSAGE", "order_id"),
        (json.dumps({"reprocess": {"connection": "main"}}), "MALFORMED_MESSAGE", "source"),
    ],
)
def test_unreadable_event_fails_with_its_field_and_a_remedy(body: str, code: str, named: str) -> None:
    failure = failure_of(body, parse_shipment_event)

    assert failure.code == code
    assert named in failure.remedy
    assert "correct the body" in failure.remedy or "correct the rule that sends it here" in failure.remedy
    assert CANARY not in failure.remedy


def test_event_on_the_orders_queue_fails() -> None:
    assert failure_of(json.dumps(shipped())).remedy.startswith("NotificationType is missing")


ODD_BODIES = st.text(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)


@pytest.mark.parametrize("parse", [parse_order_change, parse_shipment_event])
@given(body=ODD_BODIES)
def test_odd_message_raises_nothing_but_a_failure(parse: Callable[[str], ChangeNotice], body: str) -> None:
    with pytest.raises(Failure):
        parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = [("detail-type",), ("detail",), ("detail", "order_id"), ("detail", "connection"), ("reprocess",)]


@given(st.sampled_from(PLACES), JSON)
def test_event_with_odd_content_in_any_field_is_read_or_fails(place: tuple[str, ...], value: Any) -> None:
    try:
        notice = parse_shipment_event(holding(value, *place, of=shipped))
    except Failure as failure:
        assert failure.code in ("MALFORMED_MESSAGE", "UNEXPECTED_NOTIFICATION")
        return
    assert notice.key.isascii()
    assert 0 < len(notice.key) <= 64
    assert 0 < len(notice.connection) <= 64


# --- transactions -----------------------------------------------------------------------------------------------------


def transaction_update() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(bodies("refunds_sqs_transaction_update.json")[0])
    return made


UPDATE = ("Payload", "TransactionUpdateNotification")


def test_notice_of_a_transaction_has_its_seller_its_order_and_when_it_was_posted() -> None:
    posted = datetime(2026, 11, 23, 11, 59, 53, 109000, tzinfo=UTC)
    assert parse_transaction_update(json.dumps(transaction_update())) == ChangeNotice(
        "026-0000001-0000001", posted, seller_id="A1SELLERMADEUP"
    )


@pytest.mark.parametrize("kind", ["Shipment", "Refund", "ServiceFee", None, 7])
def test_transaction_of_any_type_is_a_notice(kind: object) -> None:
    body = holding(kind, *UPDATE, "TransactionType", of=transaction_update)
    assert parse_transaction_update(body).key == "026-0000001-0000001"


@pytest.mark.parametrize("name", ["orderid", "ORDERID", "OrderId"])
def test_order_is_named_in_any_case(name: str) -> None:
    related = [
        {"RelatedIdentifierName": "RefundId", "RelatedIdentifierValue": "1"},
        {"relatedIdentifierName": name, "relatedIdentifierValue": "204-0000001-0000001"},
    ]
    body = holding(related, *UPDATE, "RelatedIdentifiers", of=transaction_update)
    assert parse_transaction_update(body).key == "204-0000001-0000001"


@pytest.mark.parametrize("related", [None, [], "none", [None], [{"RelatedIdentifierName": "OrderId"}]])
def test_transaction_without_an_order_is_a_notice(related: object) -> None:
    body = holding(related, *UPDATE, "RelatedIdentifiers", of=transaction_update)
    assert parse_transaction_update(body).key == ""


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(order_change()),
        "not JSON",
        without(*UPDATE, "PostedDate", of=transaction_update),
        holding("yesterday", *UPDATE, "PostedDate", of=transaction_update),
        without(*UPDATE, "SellingPartnerMetadata", of=transaction_update),
        without(*UPDATE, "SellingPartnerMetadata", "SellingPartnerId", of=transaction_update),
        without("Payload", of=transaction_update),
        reprocess("settings#main"),
    ],
)
def test_message_that_is_no_notice_of_a_transaction_is_rejected(body: str) -> None:
    assert failure_of(body, parse_transaction_update).code in ("MALFORMED_MESSAGE", "UNEXPECTED_NOTIFICATION")


def test_redriven_dead_letter_names_the_confirmation_to_compare_again() -> None:
    body = json.dumps({"reprocess": {"connection": "main", "source": "confirmation#026-1"}})

    assert parse_transaction_update(body) == ChangeNotice(
        "026-1", connection="main", reprocess=True, kind=SourceKind.CONFIRMATION
    )


def test_redriven_dead_letter_names_the_transaction_to_plan_again() -> None:
    transaction_id = "t" * 200
    assert parse_transaction_update(reprocess(f"transaction#{transaction_id}")) == ChangeNotice(
        transaction_id, connection="main", reprocess=True, kind=SourceKind.TRANSACTION
    )


def test_order_in_the_refunds_queue_stands_for_its_transactions() -> None:
    notice = parse_transaction_update(reprocess("order#026-0000001-0000001"))

    assert (notice.kind, notice.key, notice.reprocess) == (SourceKind.ORDER, "026-0000001-0000001", True)
