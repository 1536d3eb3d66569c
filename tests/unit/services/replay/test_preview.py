"""A preview: what a replay would come to, compared with Xero, while nothing is written anywhere."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroUnavailable
from amazon_to_xero.services.replay.document_previews import document_previews
from amazon_to_xero.services.replay.preview import SourcePreview
from unit.services.amazon_orders import amazon_order, shipped_order
from unit.services.planning.paying_connection import PAYING
from unit.services.replay.replayed_stack import MINUTE, ReplayedStack

OTHER_ACCOUNT = replace(PAYING, accounts=replace(PAYING.accounts, charges={Charge.ITEM: "205"}))


def preview(stack: ReplayedStack, source: str = "order#A") -> SourcePreview:
    return stack.main.connection.preview.of([source], stack.clock.now() + MINUTE)[source]


def written(shown: SourcePreview) -> dict[str, str]:
    """Return what would be done, by document."""
    return {each.document: each.action for each in shown.documents}


def test_corrected_order_is_shown_with_the_documents_that_would_be_created() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()

    shown = preview(stack)

    assert (shown.state, shown.reason) == ("PLANNED", "")
    assert written(shown)["invoice#A"] == "create"
    assert written(shown)["payment#A"] == "create"
    (invoice,) = (each for each in shown.documents if each.document == "invoice#A")
    fields = {each.field: (each.in_xero, each.to_write) for each in invoice.differences}
    assert fields["Total"] == ("", "10.00")
    assert fields["LineItems[0].AccountCode"] == ("", "200")


def test_order_that_would_fail_again_is_shown_with_its_code_and_remedy() -> None:
    shown = preview(ReplayedStack(shipped_order()))

    assert (shown.state, shown.reason, shown.documents) == ("FAILED", "ACCOUNT_UNMAPPED", ())
    assert "account" in shown.remedy


def test_changed_settings_are_shown_as_the_difference_to_the_draft_in_xero() -> None:
    stack = ReplayedStack(amazon_order(), policy=PAYING)
    stack.correct(OTHER_ACCOUNT)

    (invoice,) = preview(stack).documents

    assert (invoice.document, invoice.action) == ("invoice#A", "update")
    assert [(each.field, each.in_xero, each.to_write) for each in invoice.differences] == [
        ("LineItems[0].AccountCode", "200", "205")
    ]


def test_corrections_by_a_person_are_part_of_what_is_shown() -> None:
    stack = ReplayedStack(amazon_order(), policy=PAYING)
    stack.main.correct(CorrectionKind.TAX_TYPE, "ZERORATEDOUTPUT")

    (invoice,) = preview(stack).documents

    assert [(each.field, each.in_xero, each.to_write) for each in invoice.differences] == [
        ("LineItems[0].TaxType", "OUTPUT2", "ZERORATEDOUTPUT")
    ]


def test_order_that_stands_in_xero_as_requested_has_nothing_to_write() -> None:
    stack = ReplayedStack(shipped_order(), policy=PAYING)

    shown = preview(stack)

    assert (shown.state, shown.documents) == ("PLANNED", ())


def test_invoice_that_somebody_has_entered_under_the_number_is_shown_as_a_failure() -> None:
    stack = ReplayedStack(shipped_order())
    stack.main.xero.hold("Invoices", {"InvoiceNumber": "A", "Type": "ACCREC", "Reference": "mine", "Status": "DRAFT"})
    stack.correct()

    assert written(preview(stack))["invoice#A"] == "fail: its number is another document's in Xero"


def test_payment_that_should_not_exist_is_shown_as_a_failure_while_xero_holds_it() -> None:
    stack = ReplayedStack(shipped_order(), policy=PAYING)
    payment = stack.main.store.load(Document, ["payment#A"])["payment#A"]
    removed = replace(payment, desired=replace(payment.desired, tombstone=True))

    held = document_previews([removed], stack.main.store, stack.main.xero)["payment#A"]
    (invoice,) = stack.main.xero.books["Invoices"].values()
    invoice["Payments"] = []
    gone = document_previews([removed], stack.main.store, stack.main.xero)["payment#A"]

    assert held.action == "fail: a payment or allocation is never deleted automatically"
    assert (gone.action, gone.differences) == ("nothing", ())


def test_nothing_is_written_logged_or_dead_lettered() -> None:
    stack = ReplayedStack(shipped_order("A"), shipped_order("B"))
    stack.correct()
    rows, notes, calls = stack.main.store.writes(), len(stack.main.decisions.notes), len(stack.main.xero.writes())
    letters = stack.letters()

    stack.main.connection.preview.of(["order#A", "order#B"], stack.clock.now() + MINUTE)

    budget = stack.main.store.writes("CURSOR#xero-budget")
    assert stack.main.store.writes() - rows <= budget  # calls are counted, and nothing else
    assert {row.sk for row in stack.main.store.table.written[rows:]} <= {"CURSOR#xero-budget", "CURSOR#xero-tenant"}
    assert len(stack.main.decisions.notes) == notes
    assert len(stack.main.xero.writes()) == calls
    assert stack.letters() == letters


def test_preview_of_many_orders_takes_few_calls_to_xero() -> None:
    order_ids = [f"A{number}" for number in range(20)]
    stack = ReplayedStack(*(shipped_order(order_id) for order_id in order_ids))
    stack.correct()
    calls = len(stack.main.xero.calls)

    sources = [f"order#{order_id}" for order_id in order_ids]
    shown = stack.main.connection.preview.of(sources, stack.clock.now() + MINUTE)

    assert {each.state for each in shown.values()} == {"PLANNED"}
    assert len(stack.main.xero.calls) - calls <= 4


def test_outage_of_xero_is_noted_and_the_plan_is_shown() -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()
    stack.main.xero.before = [XeroUnavailable("get Invoices", 503, "unavailable")]

    shown = preview(stack)

    assert shown.note == "Xero was not read: get Invoices, status 503."
    assert written(shown)["invoice#A"] == "not known"


def test_source_that_there_is_no_time_for_is_said_to_be_not_previewed() -> None:
    stack = ReplayedStack(shipped_order())
    calls = len(stack.main.xero.calls)

    shown = stack.main.connection.preview.of(["order#A"], stack.clock.now())["order#A"]

    assert (shown.state, shown.note[:25]) == ("", "It was not previewed: the")
    assert len(stack.main.xero.calls) == calls


def test_preview_calls_xero_no_more_once_its_time_is_over_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = ReplayedStack(shipped_order())
    stack.correct()

    def slow(*_: object) -> list[Json]:
        stack.clock.advance(61)
        return []

    monkeypatch.setattr(stack.main.xero, "find", slow)

    shown = preview(stack)

    assert shown.note.startswith("Not all documents were looked up in Xero")
    assert written(shown)["payment#A"] == "not known"


def test_order_that_was_never_read_is_said_to_be_read_first() -> None:
    assert preview(ReplayedStack(), "order#Z").note.startswith("It is read from Amazon first")


def test_confirmation_is_said_to_be_compared() -> None:
    assert preview(ReplayedStack(), "confirmation#A").note.startswith("Its charges are compared")


def test_preview_has_no_buyer_data() -> None:
    buyers = replace(PAYING, contacts=ContactPolicy(ContactScope.BUYERS), accounts=replace(PAYING.accounts, charges={}))
    stack = ReplayedStack(shipped_order(), policy=buyers)
    stack.correct(replace(buyers, accounts=PAYING.accounts))

    text = json.dumps(asdict(preview(stack))).lower()

    assert "invoice#a" in text
    assert "canary" not in text
