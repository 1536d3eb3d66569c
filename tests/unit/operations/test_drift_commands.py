"""`operate drift …`: what people changed in Xero is listed field by field, and decided after a question."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.planning.policy import Payments
from fakes.operator import OperatorSession, StubQueues, operate
from fakes.order_life import PAYING, SHIPPED, tea, version
from fakes.watched_books import WatchedBooks

WHY = "the accountant moved it"


class Queue(StubQueues):
    """boto3's `sqs` client over empty queues: keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # boto3's names
        assert QueueUrl == "ShipmentsQueueUrl"
        self.sent.append(MessageBody)


class Caller:
    """boto3's `sts` client."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/maria"}


class Drift:
    """An operator over an order whose invoice somebody moved to account 205."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.books = WatchedBooks(SHIPPED, policy=replace(PAYING, payments=Payments.NONE))
        self.queue = Queue()
        self.session = OperatorSession(self.books, sqs=self.queue, sts=Caller())
        self._monkeypatch = monkeypatch

    def edited(self) -> Drift:
        self.books.edit_line(AccountCode="205")
        self.books.pass_a_day()
        return self

    def run(self, *arguments: str, answer: str | None = None) -> tuple[int, str]:
        run = operate(self._monkeypatch, self.session, "drift", *arguments, answer=answer)
        return run.exit_code, " ".join(run.output.split())

    def deliver(self) -> None:
        for body in self.queue.sent:
            self.books.deliver(body)
        self.queue.sent.clear()


@pytest.fixture
def drift(monkeypatch: pytest.MonkeyPatch) -> Drift:
    return Drift(monkeypatch)


def test_nothing_is_listed_and_the_exit_code_is_0_where_nothing_was_changed(drift: Drift) -> None:
    assert drift.run("list") == (0, "No document was changed in Xero.")


def test_changes_are_listed_field_by_field_with_the_page_in_xero(drift: Drift) -> None:
    code, output = drift.edited().run("list")

    assert code == 1
    assert "invoice#A EDITED 2026-" in output
    assert "LineItems[0].AccountCode 205 200" in output
    assert "AccountsReceivable/View.aspx?InvoiceID=" in output


def test_json_has_each_difference(drift: Drift) -> None:
    run = drift.edited().run("list", "--json")

    (change,) = json.loads(run[1])["open"]
    assert (change["document"], change["change"]) == ("invoice#A", "EDITED")
    assert change["differences"] == [{"field": "LineItems[0].AccountCode", "in_xero": "205", "to_write": "200"}]


def test_acceptance_is_shown_sent_and_carried_out(drift: Drift) -> None:
    code, output = drift.edited().run("accept", "invoice#A", "--reason", WHY, answer="yes\n")

    assert code == 0
    assert "Nothing is written to it any more. What Amazon changes later is entered beside it" in output
    drift.deliver()
    assert drift.run("list") == (0, "No document was changed in Xero.")
    drift.books.update(version(3, tea("7.50")))
    assert drift.books.xero.credit_note("A-A1")["LineItems"][0]["AccountCode"] == "205"


def test_acceptance_is_listed_among_the_corrections_of_the_order(drift: Drift, monkeypatch: pytest.MonkeyPatch) -> None:
    drift.edited().run("accept", "invoice#A", "--reason", WHY, "--yes")
    drift.deliver()

    run = operate(monkeypatch, drift.session, "corrections", "A")

    listed = " ".join(run.output.split())
    assert "as_in_xero invoice#A" in listed
    assert "user/maria" in listed and WHY in listed


def test_restoration_is_shown_sent_and_carried_out(drift: Drift) -> None:
    code, output = drift.edited().run("restore", "invoice#A", answer="yes\n")

    assert (code, "It is written back as it was requested." in output) == (0, True)
    drift.deliver()
    assert drift.books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "200"


def test_nothing_is_sent_without_a_yes(drift: Drift) -> None:
    code, output = drift.edited().run("restore", "invoice#A", answer="no\n")

    assert (code, drift.queue.sent) == (0, [])
    assert "Nothing was changed." in output


def test_voided_invoice_says_that_it_gets_a_new_number(drift: Drift) -> None:
    drift.books.edit(Status="VOIDED")
    drift.books.pass_a_day()

    _, output = drift.run("restore", "invoice#A", answer="no\n")

    assert "Xero brings no voided document back: it is entered again, as A with -R1 added." in output


def test_restoration_warns_of_a_paid_document_and_of_a_locked_period(drift: Drift) -> None:
    settings = drift.books.xero.settings
    locked_until = (drift.books.clock.now() + timedelta(days=9)).date()
    drift.books.xero.settings = replace(settings, period_lock=locked_until)
    drift.books.edit(AmountPaid=Decimal(4))
    drift.books.edit_line(AccountCode="205")
    drift.books.pass_a_day()
    drift.books.update(version(1, tea()))  # plans with the organisation as it is by now

    _, output = drift.run("restore", "invoice#A", answer="no\n")

    assert "4 of it was paid, credited or allocated in Xero, which then refuses changes." in output
    assert f"Xero was locked up to {locked_until}" in output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("accept", "invoice#B", "--reason", WHY), "No change of invoice#B was found"),
        (("accept", "invoice#A", "--reason", " ", "--yes"), "decide.reason should be a text of 1 to 500 characters"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_exit_code_2(
    drift: Drift, arguments: tuple[str, ...], problem: str
) -> None:
    code, output = drift.edited().run(*arguments)

    assert (code, drift.queue.sent) == (2, [])
    assert problem in output


def test_decided_change_cannot_be_decided_again(drift: Drift) -> None:
    drift.edited().run("restore", "invoice#A", "--yes")
    drift.deliver()

    code, output = drift.run("accept", "invoice#A", "--reason", WHY)

    assert (code, "has no open change: it is RESTORED" in output) == (2, True)


def test_status_says_that_documents_were_changed_and_needs_a_person(
    drift: Drift, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = operate(monkeypatch, drift.edited().session, "status")

    assert run.exit_code == 1
    assert "changed in Xero 1 EDITED: drift list" in " ".join(run.output.split())
