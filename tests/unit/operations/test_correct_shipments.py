"""`operate correct --date --shipment`: a person names the shipment as `show` lists it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.operator import operate
from fakes.order_life import PER_SHIPMENT, tea, version
from fakes.settings import settings as valid_settings
from operations.command_line import entering
from operations.command_line.show import show
from unit.operations.test_correct_command import WHY, CorrectingSession


def half_shipped(left: int, day: int, status: str = "SHIPPED") -> dict[str, object]:
    fulfilment = {"quantityFulfilled": left, "quantityUnfulfilled": 2 - left}
    return version(day, tea("10.00", quantity=2) | {"fulfillment": fulfilment}, status=status) | {"orderId": "B"}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> CorrectingSession:
    """The session of a seller with an invoice for each shipment, whose order B was sent in two."""
    made = CorrectingSession()
    made.connected.change_policy(PER_SHIPMENT)
    made.connected.update(half_shipped(1, 1, "PARTIALLY_SHIPPED"))
    made.connected.update(half_shipped(2, 2))
    made.connected.post()
    stored = parse(ConnectionSettings, json.dumps(valid_settings()), "main")
    monkeypatch.setattr(entering, "parse", lambda *_: stored)
    monkeypatch.setattr(ConnectionSettings, "policy", lambda *_: made.connected.policy)
    return made


def test_show_lists_the_shipments_with_their_numbers(session: CorrectingSession) -> None:
    data = show(session, "B").data["shipments"]

    assert [(each["number"], each["invoice"]) for each in data] == [(1, "B"), (2, "B-S2")]
    assert [f"{each['shipped_at']:%Y-%m-%d}" for each in data] == ["2026-11-02", "2026-11-03"]
    assert data[1]["quantities"] == {"10000000000001": 1}


def test_named_shipment_moves_to_its_day_as_it_was_shown(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("correct", "B", "--date", "2026-11-07", "--shipment", "2", "--reason", WHY, "--yes", "--json")

    changes = json.loads(operate(monkeypatch, session, *command).stdout)["changes"]["documents"]
    session.deliver()

    shown = {(each["kind"], each["number"], each["date"]) for each in changes}
    assert {("credit_note", "B-S2-D1", "2026-11-03"), ("invoice", "B-S2-D1", "2026-11-07")} <= shown
    assert {each["number"] for each in changes} == {"B-S2-D1"}
    assert session.connected.xero.invoice("B-S2-D1")["Date"] == "2026-11-07"


def test_all_shipments_get_an_entry_each(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("correct", "B", "--date", "2026-11-07", "--shipment", "all", "--reason", WHY, "--yes", "--json")

    listed = json.loads(operate(monkeypatch, session, *command).stdout)["corrections"]
    session.deliver()

    assert [(each["number"], each["kind"], each["line"]) for each in listed] == [
        (1, "date", "shipment 1"),
        (2, "date", "shipment 2"),
    ]
    days = {session.connected.xero.invoice(number)["Date"] for number in ("B-D1", "B-S2-D1")}
    assert days == {"2026-11-07"}


def test_only_shipment_is_named_although_nobody_did(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.connected.update(version(1, tea()) | {"orderId": "C"})

    run = operate(monkeypatch, session, "correct", "C", "--date", "2026-11-07", "--reason", WHY, "--yes", "--json")

    assert [each["line"] for each in json.loads(run.stdout)["corrections"]] == ["shipment 1"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["B", "--date", "2026-11-07"], "The order has 2 shipments, and each has an invoice and a day of its own"),
        (["B", "--date", "2026-11-07", "--shipment", "3"], "The order has no shipment 3; show lists 1, 2."),
        (["B", "--skip", "--shipment", "1"], "--shipment goes with --date."),
    ],
)
def test_shipment_that_is_not_clear_is_asked_for(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch, arguments: list[str], problem: str
) -> None:
    run = operate(monkeypatch, session, "correct", *arguments, "--reason", WHY)

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert problem in " ".join(run.stderr.split())


def test_order_with_one_invoice_has_one_day(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.connected.change_policy(replace(PER_SHIPMENT, invoice_per=InvoicePer.ORDER))

    run = operate(
        monkeypatch, session, "correct", "A", "--date", "2026-11-07", "--shipment", "1", "--reason", WHY, "--yes"
    )

    assert run.exit_code == 2
    assert "This one has one invoice." in " ".join(run.stderr.split())
