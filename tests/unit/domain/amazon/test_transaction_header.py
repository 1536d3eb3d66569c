"""What identifies a transaction, whatever else is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_header import TransactionHeader, is_refund, transaction_header
from amazon_to_xero.domain.failures import Failure, FailureCode


def a_transaction(**changes: Any) -> dict[str, Any]:
    return {
        "transactionId": "R1",
        "transactionType": "Refund",
        "transactionStatus": "Released",
        "postedDate": "2026-11-20T10:00:00Z",
        "relatedIdentifiers": [
            {"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": "1"},
            {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "204-0000001-0000001"},
        ],
        **changes,
    }


def test_header_of_a_refund() -> None:
    posted_at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert transaction_header(a_transaction()) == TransactionHeader(
        "R1", "Refund", "RELEASED", posted_at, "204-0000001-0000001", is_copy=False
    )


def test_copy_of_a_deferred_transaction_is_recognised() -> None:
    related = [{"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": "R0"}]
    assert transaction_header(a_transaction(relatedIdentifiers=related)).is_copy


@pytest.mark.parametrize("related", [None, [], "none", ["ORDER_ID"], [{}], [{"relatedIdentifierName": "ORDER_ID"}]])
def test_transaction_may_belong_to_no_order(related: object) -> None:
    header = transaction_header(a_transaction(relatedIdentifiers=related, transactionStatus=None))
    assert (header.order_id, header.status, header.is_copy) == ("", "", False)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"transactionId": None}, "transactionId"),
        ({"transactionId": " "}, "transactionId"),
        ({"transactionId": "x" * 201}, "transactionId"),
        ({"transactionId": "\ud800"}, "transactionId"),
        ({"postedDate": None}, "R1: postedDate"),
        ({"postedDate": "2026-11-20"}, "R1: postedDate"),
    ],
)
def test_transaction_without_a_usable_id_or_date_needs_a_person(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(Failure, match=named) as caught:
        transaction_header(a_transaction(**changes))
    assert caught.value.code is FailureCode.TRANSACTION_MALFORMED


@pytest.mark.parametrize("kind", ["Refund", "refund", "Chargeback Refund", "A-to-z Guarantee Refund"])
def test_refund_types(kind: str) -> None:
    assert is_refund(kind)


@pytest.mark.parametrize("kind", ["Shipment", "ServiceFee", "FBA Inventory Reimbursement", ""])
def test_other_types(kind: str) -> None:
    assert not is_refund(kind)
