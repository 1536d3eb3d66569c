"""`operate rebook list`, `preview` and `run`: orders that a corrected rule would book otherwise, and those chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.operator import OperatorSession, operate
from fakes.order_life import PAYING, tea, version
from fakes.refunds import item_refund, refund
from fakes.settings import settings as valid_settings
from operations.command_line import entering
from operations.command_line.correct import withdraw
from unit.operations.test_correct_command import Caller, Queues
from unit.services.planning.refunding_connection import RefundingConnection

WHY = "the rule of tea was missing"
TEA = "10000000000001:ITEM"
CORRECTED = replace(PAYING, account_rules=AccountRules((AccountRule("206"),)))


class RebookingSession(OperatorSession):
    """A session over the paid orders A and B of a seller who corrects the rules of accounts."""

    def __init__(self) -> None:
        self.connected = RefundingConnection(version(1, tea()), version(1, tea()) | {"orderId": "B"})
        self.connected.post()
        self.messages = Queues()
        super().__init__(self.connected, sqs=self.messages, sts=Caller())

    def follow(self, policy: PostingPolicy) -> None:
        """Have commands and functions read these settings."""
        self.connected.change_policy(policy)

    def deliver(self) -> None:
        """Have the functions take what was sent, plan it and post it."""
        for queue, body in self.messages.sent:
            assert queue == "ShipmentsQueueUrl"
            capability = CAPABILITIES[SHIPMENTS]
            capability.record(self.connected.connection.services, [capability.parse(body)])
        self.messages.sent.clear()
        self.bring_to_xero()

    def bring_to_xero(self) -> None:
        self.connected.plan_shipments()
        for _ in range(3):
            self.connected.post()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> RebookingSession:
    made = RebookingSession()
    stored = parse(ConnectionSettings, json.dumps(valid_settings()), "main")
    monkeypatch.setattr(entering, "parse", lambda *_: stored)

    def policy(_: ConnectionSettings, categories: Mapping[str, str]) -> PostingPolicy:
        return made.connected.policy

    monkeypatch.setattr(ConnectionSettings, "policy", policy)
    return made


def answer(monkeypatch: pytest.MonkeyPatch, session: RebookingSession, *arguments: str) -> Any:
    return json.loads(operate(monkeypatch, session, "rebook", *arguments, "--json").stdout)


def differing(monkeypatch: pytest.MonkeyPatch, session: RebookingSession, *arguments: str) -> list[str]:
    return [each["order"] for each in answer(monkeypatch, session, "list", *arguments)["orders"]]


def accounts(session: RebookingSession, number: str) -> list[str]:
    """Return the accounts of what Xero holds as an invoice of that number."""
    return [line["AccountCode"] for line in session.connected.xero.invoice(number)["LineItems"]]


# --- list -------------------------------------------------------------------------------------------------------------


def test_list_names_what_a_corrected_rule_books_otherwise_field_by_field(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert differing(monkeypatch, session) == []

    session.follow(CORRECTED)
    listed = answer(monkeypatch, session, "list")

    assert (listed["compared"], [each["order"] for each in listed["orders"]]) == (2, ["A", "B"])
    change = {"field": "account", "booked": "200", "by_rules": "206"}
    assert listed["orders"][0]["lines"] == [{"line": TEA, "amount": "10.00", "changes": [change]}]


def test_list_stores_and_sends_nothing(session: RebookingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.follow(CORRECTED)
    before = dict(session.connected.store.table.rows)

    run = operate(monkeypatch, session, "rebook", "list")

    assert f"A 2026-11-02 {TEA} 10.00 account 200 206" in " ".join(run.stdout.split())
    assert (run.exit_code, session.connected.store.table.rows, session.messages.sent) == (0, before, [])


@pytest.mark.parametrize(
    ("arguments", "orders"),
    [
        (("--from", "2026-11-02"), ["A", "B"]),
        (("--from", "2026-11-03"), []),
        (("--to", "2026-11-01"), []),
        (("--marketplace", "amazon.co.uk"), ["A", "B"]),
        (("--marketplace", "Amazon.de"), []),
    ],
)
def test_list_is_of_a_period_and_a_marketplace(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], orders: list[str]
) -> None:
    session.follow(CORRECTED)

    assert differing(monkeypatch, session, *arguments) == orders


def test_order_that_the_rules_of_now_cannot_book_is_named_with_why(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(replace(PAYING, tax=replace(PAYING.tax, rules=())))

    run = operate(monkeypatch, session, "rebook", "list")

    assert run.exit_code == 1
    assert "A TAX_UNMAPPED: No tax rule matches" in " ".join(run.stdout.split())


def test_what_refunds_have_credited_on_an_account_of_their_own_is_no_difference(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_refunds = replace(PAYING, accounts=replace(PAYING.accounts, refunds="208"))
    session.follow(on_refunds)
    session.connected.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))

    assert differing(monkeypatch, session) == []

    session.follow(replace(on_refunds, account_rules=CORRECTED.account_rules))
    assert answer(monkeypatch, session, "list")["orders"][0]["lines"][0]["amount"] == "6.00"


# --- preview and run --------------------------------------------------------------------------------------------------


def test_preview_shows_a_credit_at_the_old_and_an_invoice_at_the_new_terms(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(CORRECTED)

    shown = " ".join(operate(monkeypatch, session, "rebook", "preview", "A").stdout.split())

    assert "invoice A-A1" in shown
    assert "10.00 on 206 OUTPUT2" in shown
    assert "credit_note A-A1" in shown
    assert "10.00 on 200 OUTPUT2" in shown
    assert session.messages.sent == []


def test_preview_names_tracking_and_item_where_nothing_else_differs(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = AccountRule(tracking=(("Region", "North"),), item_code="TEA")
    session.follow(replace(PAYING, account_rules=AccountRules((rule,))))
    lists = ListsToRead(tracking=True, item_codes=frozenset({"TEA"}))
    items = {"TEA": Item("TEA", stock_is_tracked=False)}
    change_organisation(session, lists=lists, tracking={"Region": frozenset({"North"})}, items=items)

    shown = " ".join(operate(monkeypatch, session, "rebook", "preview", "A").stdout.split())

    assert "10.00 on 200 OUTPUT2 Region: North TEA" in shown


def test_chosen_order_is_booked_again_and_the_other_one_stays(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(CORRECTED)

    assert answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")["sent"] == ["A"]
    session.deliver()

    assert (accounts(session, "A"), accounts(session, "A-A1")) == (["200"], ["206"])
    assert differing(monkeypatch, session) == ["B"]
    session.connected.update(version(2, tea("12.00")) | {"orderId": "B"}, version(2, tea("12.00")))
    session.bring_to_xero()
    assert (accounts(session, "A-A2"), accounts(session, "B-A1")) == (["206"], ["200"])


def test_who_chose_it_and_why_is_kept_and_it_is_withdrawn_like_any_correction(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(CORRECTED)
    answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")
    session.deliver()

    listed = json.loads(operate(monkeypatch, session, "corrections", "A", "--json").stdout)["corrections"]
    assert [(each["kind"], each["reason"], each["author"]) for each in listed] == [
        ("rebook", WHY, "arn:aws:iam::123456789012:user/maria")
    ]
    assert [(each["line"], each["account"], each["tax_type"]) for each in listed[0]["terms"]] == [
        (TEA, "206", "OUTPUT2")
    ]

    session.follow(PAYING)
    withdraw(session, "A", 1, "the rule was right before", yes=True)
    session.deliver()
    assert accounts(session, "A-A2") == ["200"]


def test_run_again_and_a_replay_write_nothing(session: RebookingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.follow(CORRECTED)
    answer(monkeypatch, session, "run", "A", "B", "--reason", WHY, "--yes")
    session.deliver()
    writes = len(session.connected.xero.writes("Invoices"))

    again = answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")
    session.connected.update(version(1, tea()))
    session.bring_to_xero()

    assert (again["sent"], again["left"]) == ([], [{"order": "A", "why": "It is booked as the rules say."}])
    assert len(session.connected.xero.writes("Invoices")) == writes


def test_order_whose_documents_are_being_written_is_left(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(CORRECTED)
    answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")
    (sent,) = session.messages.sent
    session.connected.connection.services.corrections.record_of_orders([CAPABILITIES[SHIPMENTS].parse(sent[1])])
    session.connected.plan_shipments()

    again = answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")

    assert again["sent"] == []
    assert "is being planned or written" in again["left"][0]["why"]


def test_refund_after_it_credits_what_is_booked_by_now(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(CORRECTED)
    answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")
    session.deliver()

    session.connected.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))

    assert session.connected.lines("A-RFT1") == [("206", "OUTPUT2", "4.00")]


def test_orders_come_from_what_list_has_printed(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    number = "204-0000100-0000100"
    session.connected.update(version(1, tea()) | {"orderId": number})
    session.bring_to_xero()
    session.follow(CORRECTED)
    file = tmp_path / "listed.json"
    file.write_text(operate(monkeypatch, session, "rebook", "list", "--json").stdout)

    assert answer(monkeypatch, session, "run", "--file", str(file), "--reason", WHY, "--yes")["sent"] == [number]


def test_order_whose_day_is_locked_is_named_and_left(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(CORRECTED)
    lock_today(session)

    run = operate(monkeypatch, session, "rebook", "run", "A", "--reason", WHY, "--yes")

    assert (run.exit_code, session.messages.sent) == (1, [])
    assert "A PERIOD_LOCKED" in " ".join(run.stdout.split())


def test_order_whose_day_is_locked_is_booked_again_on_the_first_open_day_where_the_settings_say_so(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.follow(replace(CORRECTED, lock_dates=LockDates.NEXT_OPEN_DAY))
    tomorrow = lock_today(session)

    (planned,) = answer(monkeypatch, session, "run", "A", "--reason", WHY, "--yes")["orders"]

    assert {each["date"] for each in planned["changes"] if each["kind"] == "invoice"} == {tomorrow}


def lock_today(session: RebookingSession) -> str:
    """Lock the period up to today, and have the organisation read; return the first open day."""
    today = session.connected.clock.now().date()
    change_organisation(session, period_lock=today)
    return today.replace(day=today.day + 1).isoformat()


def change_organisation(session: RebookingSession, **changes: Any) -> None:
    """Change the organisation in Xero, and have the functions read it."""
    connected = session.connected
    connected.xero.settings = replace(connected.xero.settings, **changes)
    connected.store.save([replace(connected.store.cursor("organisation"), data={})])
    connected.restart()
    connected.update(version(1, tea()) | {"orderId": "C"})


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["list", "--from", "yesterday"], "yesterday is no day such as 2026-10-01."),
        (["list", "--marketplace", "Mars"], "Mars is no marketplace"),
        (["preview"], "Name orders, or a --file that has their ids."),
        (["run", "Z", "--reason", WHY], "No order Z is known to the connection main"),
        (["run", "A", "--reason", " "], "reason should have 1 to 500 characters"),
    ],
)
def test_command_that_cannot_be_answered_says_how_to_call_it(
    session: RebookingSession, monkeypatch: pytest.MonkeyPatch, arguments: list[str], problem: str
) -> None:
    session.follow(CORRECTED)

    run = operate(monkeypatch, session, "rebook", *arguments)

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert problem in " ".join(run.stderr.split())


def test_nothing_is_sent_before_a_person_agrees(session: RebookingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.follow(CORRECTED)

    run = operate(monkeypatch, session, "rebook", "run", "A", "--reason", WHY, answer="no\n")

    assert "Book 1 orders again?" in run.stderr
    assert (run.stdout.strip(), session.messages.sent) == ("Nothing was changed.", [])
