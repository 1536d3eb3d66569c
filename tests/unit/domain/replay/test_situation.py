"""In which situation a replay finds the source of a failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.domain.replay.decision import Situation
from amazon_to_xero.domain.replay.situation import reason_of, situation_of
from amazon_to_xero.domain.source import SourceRecord
from fakes.state import NOON

INVOICE = Document(DesiredDocument(DocumentKind.INVOICE, "A", {}, "order#A"), DocumentState.APPLIED)
PAYMENT = Document(DesiredDocument(DocumentKind.PAYMENT, "A", {}, "order#A"), DocumentState.APPLIED)
PLANNED = OrderRecord("A", state=OrderState.PLANNED)
FAILED = OrderRecord("A", state=OrderState.FAILED, reason="TAX_UNMAPPED", remedy="Add a rule.")
REFUSED = replace(PAYMENT, state=DocumentState.FAILED, reason="ALREADY_PAID", remedy="Check the payments.")


@pytest.mark.parametrize(
    ("record", "documents", "situation"),
    [
        pytest.param(None, (), Situation.NOT_STORED, id="nothing is stored"),
        pytest.param(FAILED, (), Situation.FAILED, id="the order failed"),
        pytest.param(PLANNED, (INVOICE, REFUSED), Situation.FAILED, id="a document failed"),
        pytest.param(PLANNED, (INVOICE, PAYMENT), Situation.DONE, id="all documents are in Xero"),
        pytest.param(
            OrderRecord("A", state=OrderState.NOT_INVOICED), (), Situation.DONE, id="it has no documents by rule"
        ),
        pytest.param(replace(FAILED, next_attempt_at=NOON), (), Situation.UNDER_WAY, id="it is to be read again"),
        pytest.param(
            PLANNED, (replace(INVOICE, state=DocumentState.DEFERRED),), Situation.UNDER_WAY, id="a document waits"
        ),
        pytest.param(SaleConfirmation("A"), (), Situation.UNDER_WAY, id="the charge is awaited"),
        pytest.param(
            SaleConfirmation("A", state=ConfirmationState.CONFIRMED), (), Situation.DONE, id="the sale is confirmed"
        ),
        pytest.param(SaleConfirmation("A", state=ConfirmationState.FAILED), (), Situation.FAILED, id="it differs"),
    ],
)
def test_situation(record: SourceRecord | None, documents: tuple[Document, ...], situation: Situation) -> None:
    assert situation_of(record, documents) is situation


def test_reason_is_that_of_the_order_or_of_its_failed_document() -> None:
    assert reason_of(FAILED, (INVOICE,)) == ("TAX_UNMAPPED", "Add a rule.")
    assert reason_of(PLANNED, (INVOICE, REFUSED)) == ("ALREADY_PAID", "Check the payments.")
