"""Orders from Amazon through the real python-amazon-sp-api, against a server that misbehaves as Amazon has done."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from amazon_to_xero.adapters.amazon import client as client_module
from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.orders import BUYER, INCLUDED_DATA, AmazonSellerApi
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    AmazonUnavailable,
    OrderPage,
)
from amazon_to_xero.runtime.privacy import silence_libraries
from unit.adapters.amazon_login import TOKEN_PATH, token_reply
from unit.adapters.fault_server import FaultServer, Reply, all_text_of, refusing_url

ORDER_ID = "026-1520163-6049104"
ORDERS = "/orders/2026-01-01/orders"
ORDER = f"{ORDERS}/{ORDER_ID}"
BUYER_NAME = "Margaret Thistlewood"
SINCE = datetime(2026, 11, 23, 9, 30, 15, 123999, tzinfo=UTC)
QUOTA = {"errors": [{"code": "QuotaExceeded", "message": f"You exceeded your quota, {BUYER_NAME}.", "details": ""}]}
DENIED = {"errors": [{"code": "Unauthorized", "message": f"Access to {BUYER_NAME} is denied."}]}


def an_order(**changes: object) -> dict[str, object]:
    return {"orderId": ORDER_ID, "lastUpdatedTime": "2026-11-23T09:31:00Z", "orderItems": [], **changes}


def a_page(*orders: dict[str, object], **changes: object) -> Reply:
    return Reply(200, {"orders": list(orders), "lastUpdatedBefore": "2026-11-23T11:58:00Z", **changes})


@pytest.fixture
def api(server: FaultServer, credentials: AmazonCredentials) -> AmazonSellerApi:
    server.on(TOKEN_PATH, token_reply())
    return AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)


def search(api: AmazonSellerApi, page_token: str | None = None) -> OrderPage:
    return api.search_orders(updated_after=SINCE, page_token=page_token)


# --- requests ---------------------------------------------------------------------------------------------------------


def test_search_requests_exactly_the_data_that_bookkeeping_needs(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDERS, a_page(an_order()))
    api.search_orders(updated_after=SINCE, page_token="page=2")
    assert server.to(ORDERS)[0].query == {
        "lastUpdatedAfter": ["2026-11-23T09:30:15.123Z"],  # cut off, not rounded up past an order
        "includedData": ["PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,RECIPIENT"],
        "maxResultsPerPage": ["100"],
        "paginationToken": ["page=2"],
    }


def test_orders_of_a_period_are_searched_by_the_time_at_which_they_were_placed(
    api: AmazonSellerApi, server: FaultServer
) -> None:
    server.on(ORDERS, a_page(an_order(), lastUpdatedBefore=None, createdBefore="2026-11-23T10:30:15Z"))

    page = api.search_placed(placed_after=SINCE, placed_before=SINCE + timedelta(hours=1), marketplaces=["A1"])

    query = server.to(ORDERS)[0].query
    assert (query["createdAfter"], query["createdBefore"]) == (
        ["2026-11-23T09:30:15.123Z"],
        ["2026-11-23T10:30:15.123Z"],
    )
    assert query["marketplaceIds"] == ["A1"]
    assert "lastUpdatedAfter" not in query
    assert ([each["orderId"] for each in page.orders], page.updated_before) == ([ORDER_ID], None)


def test_period_without_a_time_zone_is_refused(api: AmazonSellerApi) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        api.search_placed(placed_after=SINCE, placed_before=SINCE.replace(tzinfo=None))


def test_get_order_sends_no_marketplace_parameters(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order()}))
    assert api.get_order(ORDER_ID)["orderId"] == ORDER_ID
    assert list(server.to(ORDER)[0].query) == ["includedData"]


def test_buyer_data_is_requested_where_it_is_configured(server: FaultServer, credentials: AmazonCredentials) -> None:
    server.on(TOKEN_PATH, token_reply())
    server.on(ORDER, Reply(200, {"order": an_order()}))
    with_buyer = AmazonSellerApi(
        credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH, included_data=(*INCLUDED_DATA, BUYER)
    )
    with_buyer.get_order(ORDER_ID)
    assert BUYER in server.to(ORDER)[0].query["includedData"][0].split(",")


def test_host_header_is_right_over_http_too(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order()}))
    api.get_order(ORDER_ID)
    assert [request.headers["host"] for request in server.received] == [server.host, server.host]


def test_proxy_and_marketplace_variables_do_not_change_where_tokens_are_sent(
    server: FaultServer, credentials: AmazonCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, refusing_url())
    monkeypatch.setenv("SP_API_DEFAULT_MARKETPLACE", "JP")
    server.on(TOKEN_PATH, token_reply())
    server.on(ORDER, Reply(200, {"order": an_order()}))
    api = AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)
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
def test_unusable_argument_is_named(credentials: AmazonCredentials, arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        AmazonSellerApi(credentials, **arguments)  # type: ignore[arg-type]  # one of them is wrong on purpose


def test_empty_credential_is_named_and_credentials_are_not_in_their_repr(credentials: AmazonCredentials) -> None:
    with pytest.raises(ValueError, match="refresh_token"):
        AmazonCredentials("id", "secret", " ")
    assert "very-secret" not in repr(credentials)
    assert "refresh-me" not in repr(credentials)


def test_search_without_time_zone_and_order_without_id_are_not_sent(api: AmazonSellerApi, server: FaultServer) -> None:
    with pytest.raises(ValueError, match="updated_after"):
        api.search_orders(updated_after=SINCE.replace(tzinfo=None))
    with pytest.raises(ValueError, match="order_id"):
        api.get_order("")
    assert server.received == []


# --- answers ----------------------------------------------------------------------------------------------------------


def test_page_has_its_orders_its_next_token_and_the_limit_that_amazon_applied(
    api: AmazonSellerApi, server: FaultServer
) -> None:
    server.on(ORDERS, a_page(an_order(), pagination={"nextToken": "two"}), a_page(pagination=None))
    first = search(api)
    assert [order["orderId"] for order in first.orders] == [ORDER_ID]
    assert (first.next_token, first.updated_before) == ("two", datetime(2026, 11, 23, 11, 58, tzinfo=UTC))
    last = search(api, "two")
    assert (list(last.orders), last.next_token) == ([], None)


def test_numbers_keep_all_their_digits(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, f'{{"order": {{"orderId": "{ORDER_ID}", "weight": 0.10, "fee": 1234567.895}}}}'))
    order = api.get_order(ORDER_ID)
    assert (order["weight"], order["fee"]) == (Decimal("0.10"), Decimal("1234567.895"))
    assert str(order["weight"]) == "0.10"


ERRORS = {
    "503 HTML": Reply(503, "<html>Service Unavailable</html>"),
    "502 empty": Reply(502, ""),
    "500 with a message only": Reply(500, {"message": "Internal server error"}),
    "400 HTML": Reply(400, "<html>Bad Request</html>"),
    "400 InvalidInput of a good query": Reply(400, {"errors": [{"code": "InvalidInput", "message": "no"}]}),
    "401 HTML": Reply(401, "<html>Unauthorized</html>"),
    "403 HTML": Reply(403, "<html>Request blocked</html>"),
    "403 empty": Reply(403, ""),
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


@pytest.mark.parametrize("reply", ERRORS.values(), ids=ERRORS.keys())
def test_error_is_never_an_empty_success(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(ORDERS, reply)
    server.on(ORDER, reply)
    for read in (lambda: search(api), lambda: api.get_order(ORDER_ID)):
        with pytest.raises(AmazonUnavailable) as caught:
            read()
        assert caught.value.status in (None, reply.status)
    assert len(server.to(ORDERS)) == len(server.to(ORDER)) == 1


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ("<html></html>", "not JSON"),
        ("[]", "JSON, but no object"),
        ('{"message": "Forbidden"}', "an object without what is documented"),
    ],
)
def test_error_describes_an_undocumented_answer(
    api: AmazonSellerApi, server: FaultServer, body: str, description: str
) -> None:
    server.on(ORDER, Reply(500, body))
    with pytest.raises(AmazonUnavailable, match=description):
        api.get_order(ORDER_ID)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lastUpdatedBefore": "2026-11-23T11:58:00Z"},
        {"orders": [], "lastUpdatedBefore": "yesterday"},
        {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00"},
        {"orders": None, "lastUpdatedBefore": "2026-11-23T11:58:00Z"},
        {"orders": [{"buyer": {}}], "lastUpdatedBefore": "2026-11-23T11:58:00Z"},
        {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00Z", "pagination": {"nextToken": 7}},
        {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00Z", "pagination": "next"},
    ],
)
def test_page_without_the_documented_fields_is_an_error(
    api: AmazonSellerApi, server: FaultServer, body: dict[str, object]
) -> None:
    server.on(ORDERS, Reply(200, body))
    with pytest.raises(AmazonUnavailable):
        search(api)


@pytest.mark.parametrize("body", [{"orders": []}, {"orders": [], "lastUpdatedBefore": None, "pagination": {}}])
def test_page_without_optional_fields_is_the_last_one_and_has_no_limit(
    api: AmazonSellerApi, server: FaultServer, body: dict[str, object]
) -> None:
    server.on(ORDERS, Reply(200, body))

    page = search(api)

    assert (list(page.orders), page.next_token, page.updated_before) == ([], None, None)


def test_answer_with_another_order_is_an_error(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order(orderId="026-0000000-0000000")}))
    with pytest.raises(AmazonUnavailable):
        api.get_order(ORDER_ID)


@pytest.mark.parametrize("reply", [Reply(429, QUOTA), Reply(429, "<html>Too many</html>"), Reply(429, "")])
def test_throttling_is_recognised_whatever_the_body(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(ORDERS, reply)
    with pytest.raises(AmazonThrottled):
        search(api)
    assert len(server.to(ORDERS)) == 1


def test_unknown_order_is_not_found(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(404, {"errors": [{"code": "NotFound", "message": "No such order"}]}))
    with pytest.raises(AmazonNotFound) as caught:
        api.get_order(ORDER_ID)
    assert (caught.value.operation, caught.value.status, caught.value.code) == ("getOrder", 404, "NotFound")


def test_read_times_out(server: FaultServer, credentials: AmazonCredentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", httpx.Timeout(0.2))
    api = AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)
    server.on(TOKEN_PATH, token_reply())
    server.on(ORDER, Reply(200, {"order": an_order()}, fault="hang"))
    with pytest.raises(AmazonUnavailable, match="ReadTimeout"):
        api.get_order(ORDER_ID)


def test_token_request_times_out(
    server: FaultServer, credentials: AmazonCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", httpx.Timeout(0.2))
    api = AmazonSellerApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)
    server.on(TOKEN_PATH, Reply(200, {"access_token": "late"}, fault="hang"))
    with pytest.raises(AmazonUnavailable, match="ReadTimeout"):
        api.get_order(ORDER_ID)
    assert server.to(ORDER) == []


def test_time_limits_of_the_adapter_replace_those_of_the_library(credentials: AmazonCredentials) -> None:
    client = AmazonSellerApi(credentials, "eu")._client
    for transport in (client._transport, client._auth._transport):
        assert (transport._client.timeout.connect, transport._client.timeout.read) == (3.0, 20.0)


def test_refused_connection_is_unavailable(credentials: AmazonCredentials) -> None:
    api = AmazonSellerApi(credentials, "eu", api_url=refusing_url(), lwa_url=refusing_url() + TOKEN_PATH)
    with pytest.raises(AmazonUnavailable, match="ConnectError"):
        search(api)


# --- access tokens ----------------------------------------------------------------------------------------------------


def test_access_token_is_used_for_many_calls(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(200, {"order": an_order()}))
    api.get_order(ORDER_ID)
    api.get_order(ORDER_ID)
    assert len(server.to(TOKEN_PATH)) == 1
    assert server.to(TOKEN_PATH)[0].form() == {
        "grant_type": "refresh_token",
        "client_id": "amzn1.client",
        "client_secret": "amzn1.very-secret",
        "refresh_token": "Atzr|refresh-me",
    }
    assert [call.headers["x-amz-access-token"] for call in server.to(ORDER)] == ["Atza|first", "Atza|first"]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_cached_token_is_replaced_once(api: AmazonSellerApi, server: FaultServer, status: int) -> None:
    # Given a token that worked and that Amazon has revoked since
    server.on(TOKEN_PATH, token_reply("Atza|first"), token_reply("Atza|second"))
    server.on(ORDER, Reply(200, {"order": an_order()}), Reply(status, DENIED), Reply(200, {"order": an_order()}))
    api.get_order(ORDER_ID)
    # When the order is read again, then it is read with a new token
    assert api.get_order(ORDER_ID)["orderId"] == ORDER_ID
    assert [call.headers["x-amz-access-token"] for call in server.to(ORDER)] == [
        "Atza|first",
        "Atza|first",
        "Atza|second",
    ]


def test_withdrawn_authorisation_raises_after_one_new_token(api: AmazonSellerApi, server: FaultServer) -> None:
    server.on(ORDER, Reply(403, DENIED))
    with pytest.raises(AmazonNotAuthorised) as caught:
        api.get_order(ORDER_ID)
    assert (caught.value.status, caught.value.code) == (403, "Unauthorized")
    assert (len(server.to(ORDER)), len(server.to(TOKEN_PATH))) == (2, 2)


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "unauthorized_client"])
def test_refused_refresh_token_raises_not_authorised(api: AmazonSellerApi, server: FaultServer, code: str) -> None:
    server.on(TOKEN_PATH, Reply(400, {"error": code, "error_description": f"{BUYER_NAME} withdrew it"}))
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
def test_failing_token_service_is_unavailable(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(TOKEN_PATH, reply)
    with pytest.raises(AmazonUnavailable):
        search(api)
    assert server.to(ORDERS) == []


def test_two_applications_never_share_an_access_token(server: FaultServer, credentials: AmazonCredentials) -> None:
    server.on(TOKEN_PATH, token_reply("Atza|of one"), token_reply("Atza|of two"))
    server.on(ORDER, Reply(200, {"order": an_order()}))
    for client_id in ("amzn1.one", "amzn1.two"):
        own = AmazonCredentials(client_id, "secret", credentials.refresh_token)
        AmazonSellerApi(own, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH).get_order(ORDER_ID)
    assert [call.headers["x-amz-access-token"] for call in server.to(ORDER)] == ["Atza|of one", "Atza|of two"]


# --- privacy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, QUOTA),
        Reply(403, DENIED),
        Reply(500, {"errors": [{"code": f"Oops {BUYER_NAME}", "message": BUYER_NAME}]}),
        Reply(400, f"<html>{BUYER_NAME}</html>"),
        Reply(200, f"no JSON of {BUYER_NAME}"),
        Reply(200, {"order": {"orderId": "other", "buyer": {"buyerName": BUYER_NAME}}}),
        Reply(200, BUYER_NAME, fault="cut"),
        Reply(fault="drop"),
    ],
)
def test_errors_contain_neither_buyers_nor_secrets(api: AmazonSellerApi, server: FaultServer, reply: Reply) -> None:
    server.on(ORDER, reply)
    with pytest.raises(AmazonError) as caught:
        api.get_order(ORDER_ID)
    text = all_text_of(caught.value)
    for secret in (BUYER_NAME, "Thistlewood", "Atza|first", "Atzr|refresh-me", "very-secret", "httpx"):
        assert secret not in text


def test_silenced_libraries_log_nothing_even_at_debug_level(
    api: AmazonSellerApi, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    silence_libraries()
    caplog.set_level(logging.DEBUG)
    server.on(ORDER, Reply(200, {"order": an_order(buyer={"buyerName": BUYER_NAME})}))
    api.get_order(ORDER_ID)
    assert caplog.text == ""
