"""The message of a person's decision about a change in Xero: what is written is read again, and bad input is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision, decision_message
from amazon_to_xero.domain.amazon.notification import parse_shipment_event
from amazon_to_xero.domain.failures import Failure, FailureCode
from fakes.state import NOON

MADE = ChangeDecision("d1", "invoice#A", Decision.ACCEPT, "arn:aws:iam::1:user/maria", "so ist es richtig: 5 €", NOON)


def test_decision_is_read_as_it_was_written() -> None:
    notice = parse_shipment_event(decision_message("main", MADE))

    assert (notice.decision, notice.connection, notice.key) == (MADE, "main", "invoice#A")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("decision", "forget", "decide.decision is 'forget'; it should be one of accept, restore"),
        ("document", None, "document is missing"),
        ("author", "", "author should be a short ASCII text"),
        ("reason", " ", "decide.reason should be a text of 1 to 500 characters"),
        ("reason", "x" * 501, "decide.reason should be a text of 1 to 500 characters"),
        ("made_at", "yesterday", "made_at"),
        ("connection", None, "connection is missing"),
    ],
)
def test_message_that_cannot_be_read_names_the_field(field: str, value: Any, problem: str) -> None:
    message = json.loads(decision_message("main", MADE))
    message["decide"][field] = value

    with pytest.raises(Failure) as caught:
        parse_shipment_event(json.dumps(message))

    assert caught.value.code is FailureCode.MALFORMED_MESSAGE
    assert problem in caught.value.remedy
