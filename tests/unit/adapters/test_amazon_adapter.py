"""The Amazon adapter over the real python-amazon-sp-api, against a server that misbehaves as Amazon has done."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from fault_server import FaultServer, Reply, everything_said, refusing_url

from amazon_to_xero.adapters.amazon import client as amazon
from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.adapters.amazon.orders import BUYER, INCLUDED_DATA, AmazonSellerApi
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
)

ORDER_ID = "026-1520163-6049104"
ORDERS = "/orders/2026-01-01/orders"
ORDER = f"{ORDERS}/{ORDER_ID}"
TOKEN = "/auth/o2/token"
NAME = "Margaret Thistlewood"
SINCE = datetime(2026, 11, 23, 9, 30, 15, 123999, tzinfo=UTC)
QUOTA = {"errors": [{"code": "QuotaExceeded", "message": f"You exceeded your quota, {NAME}.", "details": ""}]}
DENIED = {"errors": [{"code": "Unauthorized", "message": f"Access to {NAME} is denied."}]}


def token(text: str = "Atza|first") -> Reply:
    return Reply(200, {"access_token": text, "token_type": "bearer", "expires_in": 3600})


def an_order(**changes: object) -> dict[str, object]:
    return {"orderId": ORDER_ID, "lastUpdatedTime": "2026-11-23T09:31:00Z", "orderItems": [], **changes}


def a_page(*orders: dict[str, object], **changes: object) -> Reply:
    return Reply(200, {"orders": list(orders), "lastUpdatedBefore": "2026-11-23T11:58:00Z", **changes})


@pytest.fixture(autouse=True)
def _no_tokens_of_earlier_tests() -> None:
    amazon.seller_tokens.clear()
    amazon.grantless_tokens.clear()


@pytest.fixture
def credentials() -> AmazonCredentials:
    return AmazonCredentials("amzn1.client", "amzn1.very-secret", "Atzr|refresh-me")


@pytest.fixture
def api(server: FaultServer, credentials: AmazonCredentials) -> AmazonSellerApi:
    server.on(TOKEN, token())
    return AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN)


def search(api: AmazonSellerApi, page_token: str | None = None) -> object:
    return api.search_orders(updated_after=SINCE, page_token=page_token)


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_a_search_asks_exactly_for_what_the_books_need(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDERS, a_page(an_order()))
    api.search_orders(updated_after=SINCE, page_token="page=2")
    assert server.to(ORDERS)[0].query == {
        "lastUpdatedAfter": ["2026-11-23T09:30:15.123Z"],  # cut off, not rounded up past an order
        "includedData": ["PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,RECIPIENT"],
        "maxResultsPerPage": ["100"],
        "paginationToken": ["page=2"],
    }


def test_no_marketplace_parameters_are_added_to_a_single_order(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order()}))
    assert api.get_order(ORDER_ID)["orderId"] == ORDER_ID
    assert list(server.to(ORDER)[0].query) == ["includedData"]


def test_the_buyer_is_asked_for_only_on_request(server: FaultServer, credentials: AmazonCredentials) -> None:
    server.on(TOKEN, token())
    server.on(ORDER, Reply(200, {"order": an_order()}))
    asking = AmazonSellerApi(
        credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN, included_data=(*INCLUDED_DATA, BUYER)
    )
    asking.get_order(ORDER_ID)
    assert BUYER in server.to(ORDER)[0].query["includedData"][0].split(",")


def test_the_host_header_names_the_host_also_over_http(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order()}))
    api.get_order(ORDER_ID)
    assert [request.headers["host"] for request in server.received] == [server.host, server.host]


def test_proxy_and_marketplace_variables_do_not_decide_where_tokens_go(
    server: FaultServer, credentials: AmazonCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, refusing_url())
    monkeypatch.setenv("SP_API_DEFAULT_MARKETPLACE", "JP")
    server.on(TOKEN, token())
    server.on(ORDER, Reply(200, {"order": an_order()}))
    api = AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN)
    assert api.get_order(ORDER_ID)["orderId"] == ORDER_ID
    assert AmazonSellerApi(credentials, "eu")._client.endpoint == "https://sellingpartnerapi-eu.amazon.com"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"region": "uk"}, "region"),
        ({"region": "eu", "api_url": "127.0.0.1:8000"}, "api_url"),
        ({"region": "eu", "lwa_url": "ftp://127.0.0.1/token"}, "lwa_url"),
        ({"region": "eu", "included_data": ()}, "included_data"),
    ],
)
def test_a_wrong_setting_is_named(credentials: AmazonCredentials, arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        AmazonSellerApi(credentials, **arguments)  # type: ignore[arg-type]


def test_missing_credentials_are_named_and_present_ones_not_shown(credentials: AmazonCredentials) -> None:
    with pytest.raises(ValueError, match="refresh_token"):
        AmazonCredentials("id", "secret", " ")
    assert "very-secret" not in repr(credentials)
    assert "refresh-me" not in repr(credentials)


def test_a_search_without_a_time_zone_or_an_order_without_id_is_not_sent(
    api: AmazonSellerApi, server: FaultServer
) -> None:
    with pytest.raises(ValueError, match="updated_after"):
        api.search_orders(updated_after=SINCE.replace(tzinfo=None))
    with pytest.raises(ValueError, match="order_id"):
        api.get_order("")
    assert server.received == []


# --- what is answered -------------------------------------------------------------------------------------------------


def test_a_page_has_its_orders_its_next_token_and_the_limit_amazon_applied(
    api: AmazonSellerApi, server: FaultServer
) -> None:
    server.on(ORDERS, a_page(an_order(), pagination={"nextToken": "two"}), a_page(pagination=None))
    first = search(api)
    assert [order["orderId"] for order in first.orders] == [ORDER_ID]
    assert (first.next_token, first.updated_before) == ("two", datetime(2026, 11, 23, 11, 58, tzinfo=UTC))
    last = search(api, "two")
    assert (list(last.orders), last.next_token) == ([], None)


def test_numbers_arrive_with_all_their_digits(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, f'{{"order": {{"orderId": "{ORDER_ID}", "weight": 0.10, "fee": 1234567.895}}}}'))
    order = api.get_order(ORDER_ID)
    assert (order["weight"], order["fee"]) == (Decimal("0.10"), Decimal("1234567.895"))
    assert str(order["weight"]) == "0.10"


EMPTY_SUCCESSES = {
    "503 HTML": Reply(503, "<html>Service Unavailable</html>"),
    "502 empty": Reply(502, ""),
    "500 with a message only": Reply(500, {"message": "Internal server error"}),
    "400 HTML": Reply(400, "<html>Bad Request</html>"),
    "400 InvalidInput of a good query": Reply(400, {"errors": [{"code": "InvalidInput", "message": "no"}]}),
    "404 HTML": Reply(404, "<html>Not Found</html>"),
    "200 HTML": Reply(200, "<html>Please wait</html>"),
    "200 empty": Reply(200, ""),
    "200 list": Reply(200, "[]"),
    "200 null": Reply(200, "null"),
    "200 empty object": Reply(200, "{}"),
    "200 with errors": Reply(200, {"errors": [{"code": "InternalFailure"}], "orders": [], "order": an_order()}),
    "302 elsewhere": Reply(302, "", {"location": "/"}),
    "422 JSON": Reply(422, {"errors": [{"code": "Unprocessable"}]}),
    "dropped connection": Reply(fault="drop"),
    "half an answer": Reply(200, '{"orders": [], "order": {}}', fault="cut"),
}


@pytest.mark.parametrize("reply", EMPTY_SUCCESSES.values(), ids=EMPTY_SUCCESSES.keys())
def test_an_error_is_never_an_empty_success(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(ORDERS, reply)
    server.on(ORDER, reply)
    for read in (lambda: search(api), lambda: api.get_order(ORDER_ID)):
        with pytest.raises(AmazonUnavailable) as caught:
            read()
        assert caught.value.status in (None, reply.status)
    assert len(server.to(ORDERS)) == len(server.to(ORDER)) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html></html>", "not JSON"),
        ("[]", "JSON, but no object"),
        ('{"message": "Forbidden"}', "an object without what is documented"),
    ],
)
def test_an_undocumented_answer_says_what_it_is(
    api: AmazonSellerApi, server: FaultServer, body: str, said: str
) -> None:
    server.on(ORDER, Reply(500, body))
    with pytest.raises(AmazonUnavailable, match=said):
        api.get_order(ORDER_ID)


@pytest.mark.parametrize(
    "body",
    [
        {"orders": [], "lastUpdatedBefore": None},
        {"orders": []},
        {"orders": [], "lastUpdatedBefore": "yesterday"},
        {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00"},
        {"orders": None, "lastUpdatedBefore": "2026-11-23T11:58:00Z"},
        {"orders": [{"buyer": {}}], "lastUpdatedBefore": "2026-11-23T11:58:00Z"},
        {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00Z", "pagination": {"nextToken": 7}},
        {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00Z", "pagination": "next"},
    ],
)
def test_a_page_that_lacks_what_is_documented_moves_no_watermark(
    api: AmazonSellerApi, server: FaultServer, body: dict[str, object]
) -> None:
    server.on(ORDERS, Reply(200, body))
    with pytest.raises(AmazonUnavailable):
        search(api)


def test_another_order_than_the_one_asked_for_is_refused(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order(orderId="026-0000000-0000000")}))
    with pytest.raises(AmazonUnavailable):
        api.get_order(ORDER_ID)


@pytest.mark.parametrize("reply", [Reply(429, QUOTA), Reply(429, "<html>Too many</html>"), Reply(429, "")])
def test_throttling_is_told_from_everything_else_whatever_the_body(
    api: AmazonSellerApi, server: FaultServer, reply: Reply
) -> None:
    server.on(ORDERS, reply)
    with pytest.raises(AmazonThrottled):
        search(api)
    assert len(server.to(ORDERS)) == 1


def test_an_unknown_order_is_not_found(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(404, {"errors": [{"code": "NotFound", "message": "No such order"}]}))
    with pytest.raises(AmazonNotFound) as caught:
        api.get_order(ORDER_ID)
    assert (caught.value.operation, caught.value.status, caught.value.code) == ("getOrder", 404, "NotFound")


def test_an_answer_that_never_comes_is_given_up(
    server: FaultServer, credentials: AmazonCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amazon, "TIMEOUT", httpx.Timeout(0.2))
    api = AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN)
    server.on(TOKEN, token())
    server.on(ORDER, Reply(200, {"order": an_order()}, fault="hang"))
    with pytest.raises(AmazonUnavailable, match="ReadTimeout"):
        api.get_order(ORDER_ID)


def test_a_token_that_never_comes_is_given_up(
    server: FaultServer, credentials: AmazonCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amazon, "TIMEOUT", httpx.Timeout(0.2))
    api = AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN)
    server.on(TOKEN, Reply(200, {"access_token": "late"}, fault="hang"))
    with pytest.raises(AmazonUnavailable, match="ReadTimeout"):
        api.get_order(ORDER_ID)
    assert server.to(ORDER) == []


def test_the_time_limits_are_ours_and_not_the_librarys(credentials: AmazonCredentials) -> None:
    client = AmazonSellerApi(credentials, "eu")._client
    for transport in (client._transport, client._auth._transport):
        assert (transport._client.timeout.connect, transport._client.timeout.read) == (3.0, 20.0)


def test_nobody_listening_is_unavailable(credentials: AmazonCredentials) -> None:
    api = AmazonSellerApi(credentials, "eu", api_url=refusing_url(), lwa_url=refusing_url() + TOKEN)
    with pytest.raises(AmazonUnavailable, match="ConnectError"):
        search(api)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_one_token_serves_many_calls(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order()}))
    api.get_order(ORDER_ID)
    api.get_order(ORDER_ID)
    assert len(server.to(TOKEN)) == 1
    assert server.to(TOKEN)[0].form() == {
        "grant_type": "refresh_token",
        "client_id": "amzn1.client",
        "client_secret": "amzn1.very-secret",
        "refresh_token": "Atzr|refresh-me",
    }
    assert [call.headers["x-amz-access-token"] for call in server.to(ORDER)] == ["Atza|first", "Atza|first"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_cached_token_is_replaced_once(api: AmazonSellerApi, server: FaultServer, status: int) -> None:
    # Given a token that worked, and that Amazon has revoked since
    server.on(TOKEN, token("Atza|first"), token("Atza|second"))
    server.on(ORDER, Reply(200, {"order": an_order()}), Reply(status, DENIED), Reply(200, {"order": an_order()}))
    api.get_order(ORDER_ID)
    # When the order is read again, then with a new token
    assert api.get_order(ORDER_ID)["orderId"] == ORDER_ID
    assert [call.headers["x-amz-access-token"] for call in server.to(ORDER)] == [
        "Atza|first",
        "Atza|first",
        "Atza|second",
    ]


def test_a_withdrawn_authorisation_is_told_after_one_new_token(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(403, DENIED))
    with pytest.raises(AmazonNotAuthorised) as caught:
        api.get_order(ORDER_ID)
    assert (caught.value.status, caught.value.code) == (403, "Unauthorized")
    assert (len(server.to(ORDER)), len(server.to(TOKEN))) == (2, 2)


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "unauthorized_client"])
def test_a_refused_refresh_token_needs_a_person(api: AmazonSellerApi, server: FaultServer, code: str) -> None:
    server.on(TOKEN, Reply(400, {"error": code, "error_description": f"{NAME} withdrew it"}))
    with pytest.raises(AmazonNotAuthorised, match=code):
        search(api)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {"error": "server_error"}),
        Reply(503, "<html></html>"),
        Reply(200, "<html></html>"),
        Reply(200, {"token_type": "bearer"}),
        Reply(200, {"access_token": ""}),
        Reply(200, "null"),
        Reply(fault="drop"),
    ],
)
def test_a_token_service_in_trouble_is_unavailable(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(TOKEN, reply)
    with pytest.raises(AmazonUnavailable):
        search(api)
    assert server.to(ORDERS) == []


def test_two_applications_never_share_an_access_token(server: FaultServer, credentials: AmazonCredentials) -> None:
    server.on(TOKEN, token("Atza|of one"), token("Atza|of two"))
    server.on(ORDER, Reply(200, {"order": an_order()}))
    for client_id in ("amzn1.one", "amzn1.two"):
        own = AmazonCredentials(client_id, "secret", credentials.refresh_token)
        AmazonSellerApi(own, "eu", api_url=server.url, lwa_url=server.url + TOKEN).get_order(ORDER_ID)
    assert [call.headers["x-amz-access-token"] for call in server.to(ORDER)] == ["Atza|of one", "Atza|of two"]


# --- what is never said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, QUOTA),
        Reply(403, DENIED),
        Reply(500, {"errors": [{"code": f"Oops {NAME}", "message": NAME}]}),
        Reply(400, f"<html>{NAME}</html>"),
        Reply(200, f"no JSON of {NAME}"),
        Reply(200, {"order": {"orderId": "other", "buyer": {"buyerName": NAME}}}),
        Reply(200, NAME, fault="cut"),
        Reply(fault="drop"),
    ],
)
def test_errors_hold_neither_buyers_nor_secrets(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(ORDER, reply)
    with pytest.raises(AmazonError) as caught:
        api.get_order(ORDER_ID)
    said = everything_said(caught.value)
    for secret in (NAME, "Thistlewood", "Atza|first", "Atzr|refresh-me", "very-secret", "httpx"):
        assert secret not in said


def test_nothing_is_logged_even_when_everything_may_be(
    api: AmazonSellerApi, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(ORDER, Reply(200, {"order": an_order(buyer={"buyerName": NAME})}))
    api.get_order(ORDER_ID)
    assert caplog.text == ""


def test_importing_the_adapter_keeps_the_librarys_loggers_quiet() -> None:
    script = (
        "import logging; logging.getLogger('sp_api.base.client').setLevel(logging.DEBUG);"
        "import amazon_to_xero.adapters.amazon;"
        "print([logging.getLogger(n).level for n in ('httpx', 'httpcore', 'sp_api', 'sp_api.base.client')])"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[30, 30, 30, 30]"


# --- notifications ----------------------------------------------------------------------------------------------------

DESTINATIONS = "/notifications/v1/destinations"
SUBSCRIPTION = "/notifications/v1/subscriptions/ORDER_CHANGE"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:orders"


@pytest.fixture
def notifications(server: FaultServer, credentials: AmazonCredentials) -> AmazonNotifications:
    server.on(TOKEN, token("Atza|granted"))
    return AmazonNotifications(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN)


def test_a_queue_becomes_a_destination_with_a_grantless_token(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    server.on(DESTINATIONS, Reply(200, {"payload": {"destinationId": "dest-1", "name": "orders", "resource": {}}}))
    assert notifications.create_destination("orders", queue_arn=QUEUE) == "dest-1"
    form = server.to(TOKEN)[0].form()
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "sellingpartnerapi::notifications")
    # the library would add marketplaceIds and MarketplaceIds to the body
    assert server.to(DESTINATIONS)[0].json() == {
        "name": "orders",
        "resourceSpecification": {"sqs": {"arn": QUEUE}},
    }


def test_an_event_bridge_destination_names_the_account_and_the_sellers_region(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    server.on(DESTINATIONS, Reply(200, {"payload": {"destinationId": "dest-2"}}))
    assert notifications.create_destination("stock", event_bridge_account="111122223333") == "dest-2"
    assert server.to(DESTINATIONS)[0].json()["resourceSpecification"] == {
        "eventBridge": {"accountId": "111122223333", "region": "eu-west-1"}
    }
    with pytest.raises(ValueError, match="queue_arn or event_bridge_account"):
        notifications.create_destination("neither")


def test_destinations_are_listed(notifications: AmazonNotifications, server: FaultServer) -> None:
    known = {"destinationId": "dest-1", "name": "orders", "resource": {"sqs": {"arn": QUEUE}}}
    server.on(DESTINATIONS, Reply(200, {"payload": [known]}), Reply(200, {"payload": []}), Reply(200, {}))
    assert notifications.get_destinations() == [known]
    assert notifications.get_destinations() == []
    assert list(server.to(DESTINATIONS)[0].query) == []
    with pytest.raises(AmazonUnavailable):
        notifications.get_destinations()


def test_an_order_change_subscription_is_the_sellers_and_filtered(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    server.on(SUBSCRIPTION, Reply(200, {"payload": {"subscriptionId": "sub-1"}}))
    assert notifications.create_subscription("ORDER_CHANGE", "dest-1") == "sub-1"
    assert server.to(TOKEN)[0].form()["grant_type"] == "refresh_token"
    assert server.to(SUBSCRIPTION)[0].json() == {
        "destinationId": "dest-1",
        "payloadVersion": "1.0",
        "processingDirective": {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}},
    }


def test_other_subscriptions_have_no_directive(notifications: AmazonNotifications, server: FaultServer) -> None:
    path = "/notifications/v1/subscriptions/TRANSACTION_UPDATE"
    server.on(path, Reply(200, {"payload": {"subscriptionId": "sub-2"}}))
    notifications.create_subscription("TRANSACTION_UPDATE", "dest-1")
    assert server.to(path)[0].json() == {"destinationId": "dest-1", "payloadVersion": "1.0"}


def test_a_subscription_is_looked_up_or_there_is_none(notifications: AmazonNotifications, server: FaultServer) -> None:
    known = {"subscriptionId": "sub-1", "destinationId": "dest-1", "payloadVersion": "1.0"}
    server.on(SUBSCRIPTION, Reply(200, {"payload": known}), Reply(404, {"errors": [{"code": "NotFound"}]}))
    assert notifications.get_subscription("ORDER_CHANGE") == known
    assert notifications.get_subscription("ORDER_CHANGE") is None
    assert list(server.to(SUBSCRIPTION)[0].query) == []


def test_the_operator_is_told_why_a_destination_was_refused(
    notifications: AmazonNotifications, server: FaultServer
) -> None:
    refused = {"errors": [{"code": "Conflict", "message": "A destination with this ARN exists"}]}
    server.on(DESTINATIONS, Reply(409, refused))
    with pytest.raises(AmazonError, match="Conflict A destination with this ARN exists") as caught:
        notifications.create_destination("orders", queue_arn=QUEUE)
    assert caught.value.status == 409
