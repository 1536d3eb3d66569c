"""Transactions from Amazon through the real python-amazon-sp-api, against a server that misbehaves as Amazon does."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonThrottled, AmazonUnavailable, TransactionPage
from unit.adapters.amazon_login import TOKEN_PATH, token_reply
from unit.adapters.fault_server import FaultServer, Reply

TRANSACTIONS = "/finances/2024-06-19/transactions"
SINCE = datetime(2026, 11, 20, 9, 30, 15, 123999, tzinfo=UTC)
UNTIL = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def api(server: FaultServer, credentials: AmazonCredentials) -> AmazonFinancesApi:
    server.on(TOKEN_PATH, token_reply())
    return AmazonFinancesApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)


def a_page(*transactions: object, next_token: object = None) -> Reply:
    return Reply(200, {"payload": {"nextToken": next_token, "transactions": list(transactions)}})


def read(api: AmazonFinancesApi) -> TransactionPage:
    return api.list_transactions(posted_after=SINCE)


def test_transactions_of_all_marketplaces_are_requested(api: AmazonFinancesApi, server: FaultServer) -> None:
    server.on(TRANSACTIONS, a_page())
    api.list_transactions(posted_after=SINCE, posted_before=UNTIL, page_token="two")
    assert server.to(TRANSACTIONS)[0].query == {
        "postedAfter": ["2026-11-20T09:30:15.123Z"],
        "postedBefore": ["2026-11-23T00:00:00.000Z"],
        "nextToken": ["two"],
    }


def test_transactions_of_one_order_are_requested(api: AmazonFinancesApi, server: FaultServer) -> None:
    server.on(TRANSACTIONS, a_page())
    api.list_transactions(order_id="204-0000001-0000001")
    assert server.to(TRANSACTIONS)[0].query == {
        "relatedIdentifierName": ["ORDER_ID"],
        "relatedIdentifierValue": ["204-0000001-0000001"],
    }


def test_request_that_amazon_would_refuse_is_not_sent(api: AmazonFinancesApi, server: FaultServer) -> None:
    with pytest.raises(ValueError, match="posted_after and order_id"):
        api.list_transactions()
    with pytest.raises(ValueError, match="posted_before has no time zone"):
        api.list_transactions(posted_after=SINCE, posted_before=UNTIL.replace(tzinfo=None))
    assert server.received == []


def test_page_has_its_transactions_with_exact_money_and_its_next_token(
    api: AmazonFinancesApi, server: FaultServer
) -> None:
    body = '{"payload": {"nextToken": "two", "transactions": [{"totalAmount": {"currencyAmount": -6.10}}]}}'
    server.on(TRANSACTIONS, Reply(200, body), a_page())
    first = read(api)
    assert str(first.transactions[0]["totalAmount"]["currencyAmount"]) == "-6.10"
    assert isinstance(first.transactions[0]["totalAmount"]["currencyAmount"], Decimal)
    assert first.next_token == "two"
    assert read(api) == TransactionPage([], None)


def test_empty_page_may_have_a_next_one(api: AmazonFinancesApi, server: FaultServer) -> None:
    server.on(TRANSACTIONS, a_page(next_token="two"))
    assert read(api) == TransactionPage([], "two")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, "<html>Service Unavailable</html>"),
        Reply(200, "<html>Please wait</html>"),
        Reply(200, ""),
        Reply(200, {}),
        Reply(200, {"payload": None}),
        Reply(200, {"payload": {}}),
        Reply(200, {"payload": {"transactions": None}}),
        Reply(200, {"payload": {"transactions": ["text"]}}),
        Reply(200, {"payload": {"transactions": [], "nextToken": 7}}),
        Reply(200, {"transactions": []}),
        Reply(200, {"errors": [{"code": "InternalFailure"}], "payload": {"transactions": []}}),
        Reply(400, {"errors": [{"code": "InvalidInput", "message": "no"}]}),
        Reply(fault="drop"),
    ],
)
def test_error_is_never_an_empty_page(api: AmazonFinancesApi, server: FaultServer, reply: Reply) -> None:
    server.on(TRANSACTIONS, reply)
    with pytest.raises(AmazonUnavailable) as caught:
        read(api)
    assert caught.value.operation == "listTransactions"


def test_throttling_and_a_missing_role_are_told_apart(api: AmazonFinancesApi, server: FaultServer) -> None:
    server.on(TRANSACTIONS, Reply(429, {"errors": [{"code": "QuotaExceeded"}]}))
    with pytest.raises(AmazonThrottled):
        read(api)
    denied = Reply(403, {"errors": [{"code": "Unauthorized", "message": "Access is denied."}]})
    server.on(TRANSACTIONS, denied, denied)
    with pytest.raises(AmazonForbidden):
        read(api)
