"""The sandbox's own seller with one invoice per day, and with one per shipment: the same books, fewer documents."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.connection import FakeConnection
from fakes.state import ManualClock
from local.settings import CONNECTION_JSON
from sandbox.amazon import OWN_SELLER
from sandbox.amazon.charges import charges_of, orders_by_id
from sandbox.wire import SandboxClock
from sandbox.xero import XeroSandbox
from unit.adapters.live_sandboxes import LiveXero, listening
from unit.services.planning.test_confirmed_seller import confirmations_of

D = Decimal
BEGIN = datetime(2026, 10, 24, tzinfo=UTC)


def lines_of(file: str) -> list[Json]:
    return [json.loads(line, parse_float=D) for line in (OWN_SELLER / file).read_text(encoding="utf-8").splitlines()]


class SellerConnection(FakeConnection):
    """The seller's connection with the settings of `make run`; each version of an order is read when it is stated."""

    def __init__(self, live: LiveXero, clock: ManualClock, per: InvoicePer) -> None:
        settings = parse(ConnectionSettings, Path(CONNECTION_JSON).read_text(encoding="utf-8"), "the settings")
        policy = replace(settings.policy(), invoice_per=per, start=BEGIN)
        super().__init__(policy=policy, clock=clock)
        self.sandbox = live.sandbox
        self.xero = live.api  # type: ignore[assignment]  # in place of the scripted Xero
        self.restart()

    def play(self) -> None:
        orders = sorted(lines_of("orders.jsonl"), key=lambda each: str(each["lastUpdatedTime"]))
        refunds = [each for each in lines_of("transactions.jsonl") if each["transactionType"] != "Shipment"]
        charges = [each for versions in orders_by_id(orders).values() for each in charges_of(versions, "A1SELLER")]
        self.amazon.transactions = [*charges, *refunds]
        for order in orders:
            self._wait_until(parse_timestamp(order["lastUpdatedTime"], "lastUpdatedTime"))
            self.amazon.hold(order)
            self.clock.advance(1)
            self.notice([order["orderId"]])
            self._work()
        for _ in range(8):
            self._wait_until(self.clock.now() + timedelta(days=1))
            self.connection.worker.sweep(REFUNDS, "worker", self.clock.now() + timedelta(minutes=5))
            self._work()

    def _wait_until(self, at: datetime) -> None:
        while at - self.clock.now() > timedelta(hours=12):
            self.clock.advance(timedelta(hours=12).total_seconds())
            self._work()
        self.clock.advance(max(0.0, (at - self.clock.now()).total_seconds()))

    def _work(self) -> None:
        for _ in range(2):
            self.clock.advance(61)
            self.connection.worker.run("resume", self.clock.now() + timedelta(minutes=5))

    # --- the books ---------------------------------------------------------------------------------------------------

    def sums(self) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
        """Return amount and tax in Xero by customer, account and tax type; credit notes count negative."""
        sums: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (D(0), D(0)))
        books = self.sandbox.books
        for sign, documents in ((1, books.invoices), (-1, books.credit_notes)):
            for document in documents.values():
                for line in document.lines if document.is_approved else ():
                    key = books.contacts[document.contact_id].name, str(line.account_code), str(line.tax_type)
                    amount, tax = sums[key]
                    sums[key] = amount + sign * line.line_amount, tax + sign * line.tax_amount
        return {key: value for key, value in sums.items() if any(value)}

    def cleared(self) -> dict[str, Decimal]:
        """Return what was paid less what was refunded, by clearing account."""
        cleared: dict[str, Decimal] = defaultdict(D)
        for payment in self.sandbox.books.payments.values():
            sign = 1 if payment.type == "ACCRECPAYMENT" else -1
            cleared[payment.account_id] += sign * payment.amount
        return {account: amount for account, amount in cleared.items() if amount}

    def documents(self) -> list[Document]:
        keys = [sk.removeprefix("DOCUMENT#") for sk in self.store.table.rows if sk.startswith("DOCUMENT#")]
        return list(self.store.load(Document, keys).values())


@contextmanager
def played(per: InvoicePer) -> Iterator[SellerConnection]:
    clock = ManualClock(BEGIN)
    sandbox = XeroSandbox(SandboxClock(clock.now))
    with listening(sandbox) as url:
        connection = SellerConnection(LiveXero(sandbox, url, clock), clock, per)
        connection.play()
        yield connection


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[SellerConnection, SellerConnection]]:
    with played(InvoicePer.SHIPMENT) as by_shipment, played(InvoicePer.DAY) as by_day:
        yield by_shipment, by_day


def test_books_state_the_same_by_account_and_tax_type(both: tuple[SellerConnection, SellerConnection]) -> None:
    by_shipment, by_day = both

    assert by_day.sums() == by_shipment.sums()
    assert by_day.cleared() == by_shipment.cleared()


def test_every_entry_is_closed_and_every_document_in_xero(both: tuple[SellerConnection, SellerConnection]) -> None:
    _, by_day = both
    documents = by_day.documents()

    assert {each.state for each in documents} == {DocumentState.APPLIED}
    assert all(each.closed_in for each in documents if each.desired.is_entry)


def test_same_orders_are_confirmed_by_their_charges(both: tuple[SellerConnection, SellerConnection]) -> None:
    by_shipment, by_day = ({key: row.state for key, row in confirmations_of(each).items()} for each in both)

    assert by_day == by_shipment
    assert sum(state is ConfirmationState.CONFIRMED for state in by_day.values()) >= 20


def test_documents_of_days_are_fewer_and_have_their_lists(both: tuple[SellerConnection, SellerConnection]) -> None:
    by_shipment, by_day = (each.sandbox.books for each in both)

    assert len(by_day.invoices) < len(by_shipment.invoices)
    assert len(by_day.attachments) == len(by_day.invoices) + len(by_day.credit_notes)
