"""`operate correct`, `withdraw` and `corrections`: what would change is shown first, and then it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.capabilities import REFUNDS, SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.tax.rules import TaxRule
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from amazon_to_xero.services.stored_categories import compressed, store_categories
from fakes.operator import OperatorSession, operate
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, tea, version
from fakes.refunds import item_refund, refund
from fakes.settings import settings as valid_settings
from operations.command_line import contacts, entering, stated_lines
from operations.command_line import correct as commands
from operations.command_line.show import show
from unit.services.planning.refunding_connection import RefundingConnection

WHY = "books are zero-rated"


class Queues:
    """boto3's `sqs` client: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # boto3's names
        self.sent.append((QueueUrl, MessageBody))


class Caller:
    """boto3's `sts` client."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/maria"}


class CorrectingSession(OperatorSession):
    """A session over a paid order A, whose settings are the connection's."""

    def __init__(self) -> None:
        self.connected = RefundingConnection(version(1, tea()))
        self.connected.post()
        self.messages = Queues()
        super().__init__(self.connected, sqs=self.messages, sts=Caller())

    def deliver(self) -> None:
        """Have the functions take what was sent, plan it and post it."""
        for queue, body in self.messages.sent:
            capability = CAPABILITIES[SHIPMENTS if queue == "ShipmentsQueueUrl" else REFUNDS]
            capability.record(self.connected.connection.services, [capability.parse(body)])
        self.messages.sent.clear()
        self.connected.plan_shipments()
        self.connected.post()
        self.connected.post()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> CorrectingSession:
    made = CorrectingSession()
    stored = parse(ConnectionSettings, json.dumps(valid_settings()), "main")
    monkeypatch.setattr(entering, "parse", lambda *_: stored)
    monkeypatch.setattr(ConnectionSettings, "policy", lambda *_: PAYING)
    return made


def test_documents_that_would_change_are_shown_before_the_question(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = operate(monkeypatch, session, "correct", "A", "--tax-type", "ZERORATEDOUTPUT", "--reason", WHY, answer="no\n")

    shown = " ".join(run.stderr.split())
    assert "1 tax_type ZERORATEDOUTPUT - yes arn:aws:iam::123456789012:user/maria books are zero-rated" in shown
    assert "invoice A-A1" in shown
    assert "10.00 on 200 ZERORATEDOUTPUT" in shown
    assert "credit_note A-A1" in shown
    assert (run.exit_code, run.stdout.strip(), session.messages.sent) == (0, "Nothing was changed.", [])


def test_agreed_correction_is_sent_and_becomes_what_was_shown(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = operate(
        monkeypatch, session, *("correct", "A", "--tax-type", "ZERORATEDOUTPUT", "--reason", WHY, "--yes", "--json")
    )
    changes = json.loads(run.stdout)["changes"]["documents"]
    session.deliver()

    assert {(each["kind"], each["number"]) for each in changes} == {
        ("invoice", "A-A1"),
        ("payment", "A-A1"),
        ("credit_note", "A-A1"),
        ("credit_note_refund", "A-A1"),
    }
    assert session.connected.lines("A-A1") == [("200", "OUTPUT2", "10.00")]
    assert session.connected.document("A-A1").exists_in_xero


def test_preview_stores_nothing(session: CorrectingSession) -> None:
    before = dict(session.connected.store.table.rows)

    commands.correct(session, "A", WHY, skip=True, yes=True)

    assert session.connected.store.table.rows == before


def test_withdrawn_correction_is_listed_with_its_author(session: CorrectingSession) -> None:
    commands.correct(session, "A", WHY, account="206", author="Maria", yes=True)
    session.deliver()
    commands.withdraw(session, "A", 1, "it is a notebook", yes=True)
    session.deliver()

    listed = commands.corrections(session, "A").data["corrections"]

    assert [(each["number"], each["kind"], each["applies"]) for each in listed] == [
        (1, "account", False),
        (2, "withdraw", False),
    ]
    assert show(session, "A").data["corrections"] == listed
    assert (listed[0]["author"], listed[1]["author"]) == ("Maria", "arn:aws:iam::123456789012:user/maria")


def test_correction_that_would_fail_shows_why(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    run = operate(monkeypatch, session, "correct", "A", "--account", "999", "--reason", WHY, answer="no\n")

    assert "CORRECTION_UNUSABLE: Correction 1: account 999 cannot be applied" in run.stderr


def test_correction_that_would_fail_shows_why_although_the_accounts_were_read_days_ago(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.connected.clock.advance(3 * 24 * 3600)

    run = operate(monkeypatch, session, "correct", "A", "--account", "999", "--reason", WHY, answer="no\n")

    assert "CORRECTION_UNUSABLE: Correction 1: account 999 cannot be applied" in run.stderr


def test_documents_of_a_corrected_refund_are_shown_before_the_question(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.connected.update(version(0, tea(), status="UNSHIPPED") | {"orderId": "B"})
    session.connected.refund(refund("T1", item_refund(OurPricePrincipal="-4.00"), order_id="B"))
    command = ("correct", "transaction#T1", "--account", "206", "--reason", WHY, "--yes", "--json")

    waiting = json.loads(operate(monkeypatch, session, *command).stdout)["changes"]
    session.connected.update(version(1, tea()) | {"orderId": "B"})
    session.connected.post()
    sold = json.loads(operate(monkeypatch, session, *command).stdout)["changes"]

    assert waiting == {"problem": "It waits: WAITING_FOR_SALE.", "documents": [], "other_contact": []}
    assert sold["problem"] == ""
    assert [each["number"] for each in sold["documents"]] == ["B-RFT1", "B-RFT1"]
    (note,) = (each for each in sold["documents"] if each["kind"] == "credit_note")
    assert [(line["account"], line["amount"]) for line in note["lines"]] == [("206", "4.00")]


def test_refund_whose_credit_note_is_requested_is_not_corrected(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.connected.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))

    run = operate(monkeypatch, session, "correct", "transaction#T1", "--account", "206", "--reason", WHY, "--yes")

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert "credit note A-RFT1 of transaction#T1 is requested already" in " ".join(run.stderr.split())


def test_refund_is_corrected_by_the_queue_of_refunds(session: CorrectingSession) -> None:
    session.connected.update(version(0, tea(), status="UNSHIPPED") | {"orderId": "B"})
    session.connected.refund(refund("T1", item_refund(OurPricePrincipal="-4.00"), order_id="B"))

    commands.correct(session, "transaction#T1", WHY, skip=True, yes=True)

    ((queue, body),) = session.messages.sent
    notice = CAPABILITIES[REFUNDS].parse(body)
    assert (queue, notice.key) == ("RefundsQueueUrl", "T1")
    assert notice.correction is not None
    assert notice.correction.kind is CorrectionKind.SKIP


FOOD = compressed({"TEA-50": "food"})


@pytest.fixture
def categorised(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> CorrectingSession:
    """The session of a seller whose file has the SKU in a category that has a tax rate of its own."""
    document = valid_settings()
    document["tax"]["category_file"] = {"digest": FOOD.digest, "categories": ["food"]}
    stored = parse(ConnectionSettings, json.dumps(document), "main")

    def policy(_: ConnectionSettings, categories: Mapping[str, str]) -> PostingPolicy:
        rule = TaxRule("ZERORATEDOUTPUT", LineAmountTypes.INCLUSIVE, category="food")
        tax = replace(PAYING.tax, rules=(rule, *PAYING.tax.rules), categories=SkuCategories({}, categories))
        return replace(PAYING, tax=tax)

    monkeypatch.setattr(entering, "parse", lambda *_: stored)
    monkeypatch.setattr(ConnectionSettings, "policy", policy)
    return session


def test_preview_books_an_item_by_its_category_in_the_sellers_file(
    categorised: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_categories(categorised.connected.store, FOOD)

    run = operate(monkeypatch, categorised, "correct", "A", "--account", "206", "--reason", WHY, answer="no\n")

    assert "10.00 on 206 ZERORATEDOUTPUT" in " ".join(run.stderr.split())


def test_file_of_categories_that_is_missing_is_named_and_nothing_is_sent(
    categorised: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = operate(monkeypatch, categorised, "correct", "A", "--account", "206", "--reason", WHY, "--yes")

    assert (run.exit_code, categorised.messages.sent) == (1, [])
    assert "tax.category_file: the table has no categories" in " ".join(run.stderr.split())
    assert "Run make connect again with CATEGORIES." in " ".join(run.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["A", "--reason", WHY],
            "Say what to correct: --tax-type, --account, --tracking, --item-code, --description,",
        ),
        (["A", "--skip", "--line", "1", "--reason", WHY], "--line goes with --tax-type, --account, --tracking,"),
        (["A", "--skip", "--reason", " "], "reason should have 1 to 500 characters"),
        (["A", "--date", "tomorrow", "--reason", WHY], "value should be a day such as 2026-11-04"),
        (["B", "--skip", "--reason", WHY], "No order B is known to the connection main"),
        (["transaction#T9", "--skip", "--reason", WHY], "Amazon has not stated transaction#T9"),
        (["settings#x", "--skip", "--reason", WHY], "settings#x is neither an order nor a refund"),
    ],
)
def test_command_that_cannot_be_answered_says_how_to_call_it(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch, arguments: list[str], problem: str
) -> None:
    run = operate(monkeypatch, session, "correct", *arguments)

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert problem in " ".join(run.stderr.split())


def test_withdrawal_of_nothing_is_not_sent(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    run = operate(monkeypatch, session, "withdraw", "A", "3", "--reason", WHY, "--yes")

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert "order#A has no correction 3 that applies" in " ".join(run.stderr.split())


# --- the contact ------------------------------------------------------------------------------------------------------

CONTACT = "0aa0a4e4-1c7e-4a51-9d3f-0d5c5ff0d7b1"


class ListedContacts:
    """The connection's Xero, for reading: three contacts, one of them archived."""

    def find(self, collection: str, field: str, values: list[str]) -> list[dict[str, str]]:
        assert collection == "Contacts"
        contacts = [
            {"ContactID": CONTACT, "Name": "Maria Rossi", "ContactNumber": "K-17", "ContactStatus": "ACTIVE"},
            {"ContactID": "id-9", "Name": "Bob", "ContactStatus": "ARCHIVED"},
        ]
        return [each for each in contacts if each.get(field) in values]


@pytest.mark.parametrize("stated", [CONTACT, CONTACT.upper(), "K-17", "Maria Rossi"])
def test_contact_is_sent_as_its_id_whatever_a_person_calls_it(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setattr(contacts, "xero_of", lambda _: ListedContacts())

    run = operate(monkeypatch, session, "correct", "A", "--contact", stated, "--reason", WHY, "--yes", "--json")

    ((_, body),) = session.messages.sent
    assert json.loads(body)["correct"]["value"] == CONTACT
    assert "Rossi" not in run.stdout + run.stderr + body


def test_contact_of_ours_is_named_by_its_number(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = session.connected.document("AMAZON-A1F83G8C2ARO7P", DocumentKind.CONTACT)
    session.connected.store.save([replace(ours, xero_id=CONTACT.upper())])

    operate(monkeypatch, session, "correct", "A", "--contact", ours.desired.number, "--reason", WHY, "--yes")

    ((_, body),) = session.messages.sent
    assert json.loads(body)["correct"]["value"] == CONTACT


@pytest.mark.parametrize("stated", ["Bob", "Nobody"])
def test_contact_that_xero_does_not_have_is_not_sent(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setattr(contacts, "xero_of", lambda _: ListedContacts())

    run = operate(monkeypatch, session, "correct", "A", "--contact", stated, "--reason", WHY, "--yes")

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert "Xero has no active contact of that number or name. Copy the ContactID" in " ".join(run.stderr.split())


def test_documents_that_keep_their_contact_are_named_before_the_question(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = operate(monkeypatch, session, "correct", "A", "--contact", CONTACT, "--reason", WHY, answer="no\n")

    shown = " ".join(run.stderr.split())
    assert "No document changes." in shown
    assert "These keep the contact that they have, and so does what corrects or refunds them: invoice#A." in shown


def test_draft_is_shown_with_the_contact_that_it_would_go_to(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.connected.update(version(0, tea(), status="UNSHIPPED") | {"orderId": "B"})
    command = ("correct", "B", "--contact", CONTACT, "--reason", WHY, "--yes", "--json")

    changes = json.loads(operate(monkeypatch, session, *command).stdout)["changes"]

    assert [(each["number"], each["contact"]) for each in changes["documents"]] == [("B", CONTACT)]
    assert changes["other_contact"] == []


# --- more of lines ----------------------------------------------------------------------------------------------------


class ReadOrganisation:
    """The connection's Xero, for reading: one tracking category, and no item."""

    def __init__(self, lists: ListsToRead) -> None:
        self.lists = lists

    def organisation(self) -> Organisation:
        return replace(ORGANISATION_WITH_CLEARING, lists=self.lists, tracking={"Region": frozenset({"North"})})


def test_line_is_shown_as_it_was_stated(session: CorrectingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stated_lines, "xero_of", lambda _, lists: ReadOrganisation(lists))
    session.connected.update(version(0, tea(), status="UNSHIPPED") | {"orderId": "B"})
    stated = ("--tracking", "Region=North", "--description", "Green tea", "--line", "10000000000001")

    run = operate(monkeypatch, session, "correct", "B", *stated, "--reason", WHY, "--yes", "--json")
    session.deliver()

    ((line,),) = [each["lines"] for each in json.loads(run.stdout)["changes"]["documents"]]
    assert (line["tracking"], line["description"], line["amount"]) == ("Region: North", "Green tea", "10.00")
    (document,) = [each for each in show(session, "B").data["documents"] if each["kind"] == "invoice"]
    assert document["lines"][0] | {"books": "10000000000001:ITEM", "tracking": "Region: North"} == document["lines"][0]
    assert document["lines"][0]["description"] == "Green tea"


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        (("--tracking", "Region=South"), "has no active tracking category Region with an active option South"),
        (("--tracking", "North"), "value should be such as 'Region=North; Channel=FBA' and is 'North'"),
        (("--item-code", "TEA"), "the organisation has no item TEA"),
    ],
)
def test_line_that_xero_would_not_report_as_stated_is_not_sent(
    session: CorrectingSession, monkeypatch: pytest.MonkeyPatch, stated: tuple[str, str], problem: str
) -> None:
    monkeypatch.setattr(stated_lines, "xero_of", lambda _, lists: ReadOrganisation(lists))

    run = operate(monkeypatch, session, "correct", "A", *stated, "--reason", WHY, "--yes")

    assert (run.exit_code, session.messages.sent) == (2, [])
    assert problem in " ".join(run.stderr.split())


def test_line_without_tracking_and_item_needs_nothing_of_xero(session: CorrectingSession) -> None:
    commands.correct(session, "A", WHY, tracking=["none"], item_code="none", yes=True)

    assert [json.loads(body)["correct"]["value"] for _, body in session.messages.sent] == ["none", "none"]
