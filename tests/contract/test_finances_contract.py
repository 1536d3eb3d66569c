"""Requests to Amazon's Finances API, and what the sandbox answers, against Amazon's own API description.

It is in ../shared beside the repository; where it is missing these tests are skipped and say so.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # ships no type information
from sp_api.auth.access_token_client import cache as seller_tokens

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.domain.amazon.notification import parse_transaction_update
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.ports.amazon import AmazonUnavailable
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.order_life import tea, version
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from sandbox.amazon import OWN_SELLER, AmazonSandbox, Credentials, Seller
from sandbox.wire import SandboxClock
from unit.adapters.amazon_login import TOKEN_PATH, token_reply
from unit.adapters.fault_server import FaultServer, Reply
from unit.adapters.live_sandboxes import listening
from unit.services.planning.refunding_connection import RefundingConnection

AMAZON = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "amazon"
CONTRACT = AMAZON / "finances_2024-06-19.json"
TRANSACTIONS = "/finances/2024-06-19/transactions"
DAY = timedelta(days=1)
CREDENTIALS = AmazonCredentials("client", "secret", "refresh")


@cache
def contract() -> Any:
    if not CONTRACT.is_file():
        pytest.skip(f"{CONTRACT} is missing, so requests to Amazon's Finances API cannot be checked")
    return json.loads(CONTRACT.read_text(encoding="utf-8"))


def parameters() -> set[str]:
    return {each["name"] for each in contract()["paths"][TRANSACTIONS]["get"]["parameters"]}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    seller_tokens.clear()
    started = FaultServer()
    started.on(TOKEN_PATH, token_reply())
    yield started
    started.close()


@pytest.fixture
def api(server: FaultServer) -> AmazonFinancesApi:
    return AmazonFinancesApi(CREDENTIALS, "eu", api_url=server.url, lwa_url=server.url + TOKEN_PATH)


def a_page(*transactions: Any, next_token: str | None = None) -> Reply:
    return Reply(200, {"payload": {"nextToken": next_token, "transactions": list(transactions)}})


# --- what is requested ------------------------------------------------------------------------------------------------


def requests_of_a_long_history(server: FaultServer, api: AmazonFinancesApi) -> list[tuple[datetime, dict[str, str]]]:
    """Sweep 400 days with a second page in the first part, then read for a notice; return when each page was asked."""
    connection = FakeConnection(policy=replace(POLICY, start=NOON - 400 * DAY))
    connection.amazon.list_transactions = api.list_transactions  # type: ignore[method-assign]
    server.on(TRANSACTIONS, a_page(next_token="two"), a_page())
    connection.sweep_transactions()
    connection.notice_transactions(NOON - timedelta(hours=1))
    connection.clock.advance(130)
    connection.read_transactions()
    asked = [{name: value for name, (value,) in each.query.items()} for each in server.to(TRANSACTIONS)]
    return [(connection.clock.now(), each) for each in asked]


def test_requests_are_those_that_amazon_documents(server: FaultServer, api: AmazonFinancesApi) -> None:
    documented = parameters()

    requests = requests_of_a_long_history(server, api)

    assert len(requests) >= 4
    for now, query in requests:
        assert set(query) <= documented
        after = datetime.fromisoformat(query["postedAfter"])
        before = datetime.fromisoformat(query["postedBefore"]) if "postedBefore" in query else now
        # Amazon: both more than two minutes ago; an answer is empty where they are more than 180 days apart
        assert after < before
        assert after < now - timedelta(minutes=2)
        assert "postedBefore" not in query or before < now - timedelta(minutes=2)
        assert before - after <= 180 * DAY


def test_next_page_is_requested_with_the_arguments_of_the_first(server: FaultServer, api: AmazonFinancesApi) -> None:
    contract()

    (_, first), (_, second), *_ = requests_of_a_long_history(server, api)

    assert second == first | {"nextToken": "two"}


def test_transactions_of_an_order_are_requested_by_both_related_identifiers(
    server: FaultServer, api: AmazonFinancesApi
) -> None:
    documented = parameters()
    server.on(TRANSACTIONS, a_page())

    api.list_transactions(order_id="204-0000001-0000001")

    (query,) = (each.query for each in server.to(TRANSACTIONS))
    assert set(query) == {"relatedIdentifierName", "relatedIdentifierValue"} <= documented
    assert query["relatedIdentifierName"] == ["ORDER_ID"]


# --- what the sandbox answers -----------------------------------------------------------------------------------------


def test_answers_of_the_sandbox_have_amazons_shape() -> None:
    schema = {"$ref": "#/definitions/ListTransactionsResponse", "definitions": contract()["definitions"]}
    sandbox = AmazonSandbox(
        SandboxClock(lambda: NOON), Seller.load(OWN_SELLER), lambda arn, body: None, credentials=Credentials()
    )
    sandbox.play()
    known = sandbox.login.credentials
    credentials = AmazonCredentials(known.client_id, known.client_secret, known.refresh_token)
    seller_tokens.clear()
    with listening(sandbox) as url:
        finances = AmazonFinancesApi(credentials, "eu", api_url=url, lwa_url=f"{url}/auth/o2/token")
        page = finances.list_transactions(posted_after=NOON - 90 * DAY)

    # Amazon sends null for what its description calls optional.
    answer = without_nulls({"payload": {"transactions": page.transactions}})
    assert page.transactions
    assert [error.message for error in Draft4Validator(schema).iter_errors(answer)] == []
    for transaction in answer["payload"]["transactions"]:
        assert list(undocumented(transaction, "Transaction")) == []


def without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def undocumented(value: Any, definition: str) -> Iterator[str]:
    """Yield the names that Amazon does not document: its description would let them pass."""
    if isinstance(value, list):
        for each in value:
            yield from undocumented(each, definition)
        return
    schema = contract()["definitions"][definition]
    properties = schema.get("properties")
    if properties is None or not isinstance(value, Mapping) or "discriminator" in schema:
        return  # a context has the fields of its type
    for name, part in value.items():
        if name not in properties:
            yield f"{definition}.{name}"
        elif inner := item_definition(properties[name]):
            yield from undocumented(part, inner)


def item_definition(schema: Mapping[str, Any]) -> str:
    """Return what a field, or each entry of it, is; empty for texts and numbers."""
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref") or ""
    name = str(reference).rpartition("/")[2]
    inner = contract()["definitions"].get(name, {})
    return item_definition(inner) if inner.get("type") == "array" else name


# --- Amazon's own examples --------------------------------------------------------------------------------------------


def example(name: str) -> Any:
    path = AMAZON / name
    if not path.is_file():
        pytest.skip(f"{path} is missing, so Amazon's example cannot be read")
    return json.loads(path.read_text(encoding="utf-8"))


def test_answer_that_amazon_publishes_is_read_and_what_it_lacks_is_shown_to_a_person(
    server: FaultServer, api: AmazonFinancesApi
) -> None:
    (published,) = example("sandbox/finances_2024-06-19.listTransactions.200.json")
    server.on(TRANSACTIONS, Reply(200, published["response"]))

    page = api.list_transactions(posted_after=NOON - DAY)

    assert page.next_token == "Next token value"
    (charge,) = page.transactions
    connection = RefundingConnection()
    connection.transact({"transactionId": None, **charge})
    (record,) = connection.transactions.values()
    assert (record.state, record.reason) == (TransactionState.FAILED, "TRANSACTION_MALFORMED")
    assert "transactionId" in record.remedy


def test_refusal_that_amazon_publishes_is_an_error_with_its_code(server: FaultServer, api: AmazonFinancesApi) -> None:
    (published,) = example("sandbox/finances_2024-06-19.listTransactions.400.json")
    server.on(TRANSACTIONS, Reply(400, published["response"]))

    with pytest.raises(AmazonUnavailable) as caught:
        api.list_transactions(posted_after=NOON - DAY)

    assert caught.value.code == "InvalidInput"


def test_notification_that_amazon_publishes_is_a_notice_of_its_seller_and_day() -> None:
    published = example("notifications/examples/TransactionUpdateNotification.0.json")

    notice = parse_transaction_update(json.dumps(published))

    update = published["Payload"]["TransactionUpdateNotification"]
    assert notice.seller_id == update["SellingPartnerMetadata"]["SellingPartnerId"]
    assert notice.at == datetime.fromisoformat(update["PostedDate"])


# --- what may be missing ----------------------------------------------------------------------------------------------

REFUND = refund("T1", item_refund(OurPricePrincipal="-4.00", Commission="0.60")) | {
    "sellingPartnerMetadata": {"sellingPartnerId": "A", "accountType": "PAYABLE", "marketplaceId": "A1F83G8C2ARO7P"},
    "marketplaceDetails": {"marketplaceId": "A1F83G8C2ARO7P", "marketplaceName": "Amazon.co.uk"},
    "description": "Refund Order",
    "contexts": [{"contextType": "DeferredContext", "deferralReason": "B2B", "maturityDate": "2026-12-01T00:00:00Z"}],
}


def fields(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of each field in the transaction. Amazon's description requires none of them."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if isinstance(value, dict):
            yield (*place, name)
        yield from fields(part, (*place, name))


@pytest.mark.parametrize("is_null", [True, False], ids=["null", "missing"])
def test_refund_with_any_field_missing_is_entered_or_shown_to_a_person(
    server: FaultServer, api: AmazonFinancesApi, is_null: bool
) -> None:
    definitions = contract()["definitions"]
    assert not any("required" in definitions[name] for name in ("Transaction", "Item", "Breakdown", "Currency"))
    variants = {place: without_field(REFUND, place, is_null=is_null) for place in fields(REFUND)}
    server.on(TRANSACTIONS, a_page(*(in_json(each) for each in variants.values())))

    page = api.list_transactions(posted_after=NOON - DAY)

    assert len(page.transactions) == len(variants) > 40
    for place, transaction in zip(variants, page.transactions, strict=True):
        record = outcome(transaction)
        named = ".".join(map(str, place))
        assert record.state in (TransactionState.PLANNED, TransactionState.FAILED), named
        assert record.reason not in ("TRANSACTION_UNREADABLE", "UNFORESEEN"), named
        assert record.state is TransactionState.PLANNED or record.remedy, named


def outcome(transaction: Any) -> TransactionRecord:
    """Return what becomes of the one transaction of a connection that knows its order."""
    connection = RefundingConnection(version(1, tea()))
    connection.transact({"transactionId": None, **transaction})
    for key in connection.transactions:
        connection.plan_refund(key)
    (record,) = connection.transactions.values()
    return record


def without_field(transaction: dict[str, Any], place: tuple[str | int, ...], *, is_null: bool) -> dict[str, Any]:
    changed = copy.deepcopy(transaction)
    part: Any = changed
    for name in place[:-1]:
        part = part[name]
    if is_null:
        part[place[-1]] = None
    else:
        del part[place[-1]]
    return changed


def in_json(transaction: dict[str, Any]) -> Any:
    return json.loads(json.dumps(transaction, default=float))
