"""Stock from Amazon through the real python-amazon-sp-api, against a server that misbehaves as Amazon does."""

from __future__ import annotations

import pytest

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.inventory import AmazonInventoryApi
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonThrottled, AmazonUnavailable, SummaryPage
from fakes.stock import UK, summary
from unit.adapters.amazon_login import TOKEN_PATH, token_reply
from unit.adapters.fault_server import FaultServer, Reply

SUMMARIES = "/fba/inventory/v1/summaries"


@pytest.fixture
def api(server: FaultServer, credentials: AmazonCredentials) -> AmazonInventoryApi:
    server.on(TOKEN_PATH, token_reply())
    return AmazonInventoryApi(credentials, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)


def a_page(*summaries: object, next_token: object = None) -> Reply:
    pagination = {} if next_token is None else {"pagination": {"nextToken": next_token}}
    return Reply(200, {"payload": {"inventorySummaries": list(summaries)}, **pagination})


def test_every_kind_of_unit_of_one_marketplace_is_requested(api: AmazonInventoryApi, server: FaultServer) -> None:
    server.on(SUMMARIES, a_page())
    api.inventory_summaries(UK, page_token="two")
    assert server.to(SUMMARIES)[0].query == {
        "details": ["true"],
        "granularityType": ["Marketplace"],
        "granularityId": [UK],
        "marketplaceIds": [UK],
        "nextToken": ["two"],
    }


@pytest.mark.parametrize("sku", ["MUG, RED", "KID'S MUG", "MUG+RED & 1/2", "TASSE-GRÜN"])
def test_single_sku_is_asked_for_as_it_is(api: AmazonInventoryApi, server: FaultServer, sku: str) -> None:
    server.on(SUMMARIES, a_page(summary(sku)))
    page = api.inventory_summaries(UK, sku=sku)
    assert server.to(SUMMARIES)[0].query["sellerSku"] == [sku]
    assert "sellerSkus" not in server.to(SUMMARIES)[0].query
    assert [each["sellerSku"] for each in page.summaries] == [sku]


def test_page_has_its_summaries_and_its_next_token(api: AmazonInventoryApi, server: FaultServer) -> None:
    server.on(SUMMARIES, a_page(summary(), next_token="two"), a_page(), a_page(next_token=""))
    first = api.inventory_summaries(UK)
    assert first == SummaryPage([summary()], "two")
    assert api.inventory_summaries(UK) == api.inventory_summaries(UK) == SummaryPage([], None)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, "<html>Service Unavailable</html>"),
        Reply(200, ""),
        Reply(200, {}),
        Reply(200, {"payload": None}),
        Reply(200, {"payload": {}}),
        Reply(200, {"payload": {"inventorySummaries": None}}),
        Reply(200, {"payload": {"inventorySummaries": []}, "pagination": {"nextToken": 7}}),
        Reply(200, {"errors": [{"code": "InternalFailure"}], "payload": {"inventorySummaries": []}}),
        Reply(400, {"errors": [{"code": "InvalidInput", "message": "no"}]}),
        Reply(fault="drop"),
    ],
)
def test_error_is_never_an_empty_stock(api: AmazonInventoryApi, server: FaultServer, reply: Reply) -> None:
    server.on(SUMMARIES, reply)
    with pytest.raises(AmazonUnavailable) as caught:
        api.inventory_summaries(UK)
    assert caught.value.operation == "getInventorySummaries"


def test_throttling_and_a_missing_role_are_told_apart(api: AmazonInventoryApi, server: FaultServer) -> None:
    server.on(SUMMARIES, Reply(429, {"errors": [{"code": "QuotaExceeded"}]}))
    with pytest.raises(AmazonThrottled):
        api.inventory_summaries(UK)
    denied = Reply(403, {"errors": [{"code": "Unauthorized", "message": "Access is denied."}]})
    server.on(SUMMARIES, denied, denied)
    with pytest.raises(AmazonForbidden):
        api.inventory_summaries(UK)
