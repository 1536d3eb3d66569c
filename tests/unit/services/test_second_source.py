"""A second kind of source beside orders: it is read, planned, posted, changed and replayed, and neither touches the
other's documents, even where both would take the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Account
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.runtime.connection import Connection, connect
from amazon_to_xero.runtime.profile import ConnectionProfile, Ports
from amazon_to_xero.services.posting.tokens import XeroTokens
from fakes.books import ORGANISATION, POLICY
from fakes.connection import SALT, FakeConnection, NoIdentity
from fakes.orders import item, order
from fakes.state import NOON, MemoryStateStore, RecordingDeadLetters
from fakes.statements import (
    CODECS_WITH_STATEMENTS,
    STATEMENTS,
    Statement,
    StatementRecord,
    parse_statement,
    statement_message,
    with_statements,
)

D = Decimal
ORDER = "026-0000001-0000001"
CLEARING = Account("a-CLR", "CLR-GBP", "Amazon clearing", "BANK", "GBP", active=True, takes_payments=True)


class TwoSources(FakeConnection):
    """A connection whose registry has statements in it; `stated` is what the second vendor states."""

    def __init__(self) -> None:
        self.stated: dict[str, Statement] = {}
        accounts = replace(POLICY.accounts, clearing={"GBP": "CLR-GBP"})
        letters = {name: RecordingDeadLetters() for name in (ORDERS, SHIPMENTS, STATEMENTS)}
        super().__init__(policy=replace(POLICY, accounts=accounts), dead_letters=letters)
        self.xero.settings = replace(ORGANISATION, accounts={**ORGANISATION.accounts, "CLR-GBP": CLEARING})

    def restart(self) -> Connection:
        if not isinstance(self.store, _Store):
            self.store = _Store(self.clock)
        tokens = XeroTokens(NoIdentity(), self.store, self.clock, self.decisions, "sandbox", seed=None)
        ports = Ports(
            self.amazon,
            self.amazon,
            self.xero,
            self.store,
            self.dead_letters,
            self.events,
            self.clock,
            self.decisions,
            "sandbox",
            self.inventory,
            self.inventory_topic,
        )
        profile = ConnectionProfile(self.name, self.seller_id, self.policy, SALT)
        capabilities = with_statements(lambda statement_id: self.stated[statement_id])
        self.connection = connect(profile, ports, tokens, capabilities)
        return self.connection

    def order_becomes(self, price: str, days: int = 0, status: str = "SHIPPED") -> None:
        updated = (NOON + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        placed = (NOON - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        times = {"created": placed, "updated": updated}
        self.amazon.hold(order(item(price), grand_total=price, order_id=ORDER, status=status, **times))
        self.clock.advance(86400)
        self.notice([ORDER])
        self.work()

    def statement_becomes(self, amount: str | None, days: int = 0, statement_id: str = ORDER) -> None:
        version = NOON + timedelta(days=days)
        self.stated[statement_id] = Statement(statement_id, version, None if amount is None else D(amount))
        self.deliver(statement_id)

    def deliver(self, statement_id: str = ORDER) -> None:
        """Deliver a message of the statements queue, and work."""
        notice = parse_statement(statement_message(statement_id))
        with_statements(self.stated.__getitem__)[STATEMENTS].record(self.connection.services, [notice])
        self.work()

    def work(self) -> None:
        self.connection.worker.run("worker", self.clock.now() + timedelta(minutes=10))

    def live(self) -> Mapping[str, Any]:
        """Kind and number -> total of what exists in Xero."""
        rows = [row for row in self.store.table.rows if row.startswith("DOCUMENT#")]
        documents = self.store.load(Document, [row.removeprefix("DOCUMENT#") for row in rows]).values()
        return {
            document.key: document.desired.total
            for document in documents
            if document.exists_in_xero
            and document.xero_status not in ("VOIDED", "DELETED")
            and document.kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
        }

    def statement(self, statement_id: str = ORDER) -> StatementRecord:
        return self.store.load(StatementRecord, [statement_id])[statement_id]


class _Store(MemoryStateStore):
    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self._codecs = CODECS_WITH_STATEMENTS


def test_statement_is_read_planned_and_posted_beside_an_order() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00")
    sources.statement_becomes("3.00", statement_id="S-1")

    assert sources.live() == {f"invoice#{ORDER}": D("10.00"), "credit_note#S-1-A1": D("3.00")}
    assert sources.statement("S-1").documents == ("credit_note#S-1-A1",)
    credit_note = sources.document("S-1-A1", DocumentKind.CREDIT_NOTE)
    assert (credit_note.desired.source, credit_note.desired.source_version) == ("statement#S-1", NOON)
    assert sources.document(ORDER).desired.source == f"order#{ORDER}"


def test_replay_of_both_sources_writes_nothing() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00")
    sources.statement_becomes("3.00")
    written = len(sources.xero.writes())

    sources.clock.advance(60)
    sources.notice([ORDER])
    sources.deliver()

    assert len(sources.xero.writes()) == written


def test_changed_statement_updates_its_own_credit_note_only() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00")
    sources.statement_becomes("3.00")
    order_documents = sources.record(ORDER).documents

    sources.statement_becomes("4.00", days=1)

    assert sources.live() == {f"invoice#{ORDER}": D("10.00"), f"credit_note#{ORDER}-A1": D("4.00")}
    assert sources.record(ORDER).documents == order_documents


def test_order_is_adjusted_beside_a_statement_that_has_the_number_of_its_first_adjustment() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00")
    sources.statement_becomes("3.00")

    sources.order_becomes("8.00", days=2)

    assert sources.live() == {
        f"invoice#{ORDER}": D("10.00"),
        f"credit_note#{ORDER}-A1": D("3.00"),
        f"credit_note#{ORDER}-A2": D("2.00"),
    }
    assert f"credit_note#{ORDER}-A1" not in sources.record(ORDER).documents
    assert sources.document(f"{ORDER}-A1", DocumentKind.CREDIT_NOTE).desired.source == f"statement#{ORDER}"


def test_statement_takes_another_number_where_an_adjustment_has_its_own() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00")
    sources.order_becomes("8.00", days=1)

    sources.statement_becomes("3.00", days=2)

    assert sources.live() == {
        f"invoice#{ORDER}": D("10.00"),
        f"credit_note#{ORDER}-A1": D("2.00"),
        f"credit_note#{ORDER}-A1-R1": D("3.00"),
    }


def test_cancelled_order_removes_none_of_a_statements_documents() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00", status="UNSHIPPED")
    sources.statement_becomes("3.00")

    sources.order_becomes("10.00", days=2, status="CANCELLED")

    assert sources.live() == {f"credit_note#{ORDER}-A1": D("3.00")}


def test_withdrawn_statement_removes_none_of_an_orders_documents() -> None:
    sources = TwoSources()
    sources.order_becomes("10.00")
    sources.order_becomes("8.00", days=1)
    sources.statement_becomes("3.00", days=2)

    sources.statement_becomes(None, days=3)

    assert sources.live() == {f"invoice#{ORDER}": D("10.00"), f"credit_note#{ORDER}-A1": D("2.00")}


def test_older_version_of_a_statement_changes_nothing() -> None:
    sources = TwoSources()
    sources.statement_becomes("4.00", days=2)
    written = len(sources.xero.writes())

    sources.statement_becomes("3.00", days=1)

    assert sources.live() == {f"credit_note#{ORDER}-A1": D("4.00")}
    assert len(sources.xero.writes()) == written


def test_failed_statement_goes_to_its_own_dead_letter_queue_and_names_its_source() -> None:
    sources = TwoSources()
    sources.statement_becomes("-1.00")

    (letter,) = sources.dead_letters[STATEMENTS].letters
    assert f'"source": "statement#{ORDER}"' in letter.body
    assert not sources.dead_letters[ORDERS].letters
    assert not sources.dead_letters[SHIPMENTS].letters


def test_refused_document_of_a_statement_goes_to_its_own_dead_letter_queue() -> None:
    sources = TwoSources()
    sources.xero.refusals[f"{ORDER}-A1"] = ("Account code '200' is not a valid code for this document.",)
    sources.statement_becomes("3.00")

    (letter,) = sources.dead_letters[STATEMENTS].letters
    assert letter.reason == "ACCOUNT_UNKNOWN"
    document = sources.document(f"{ORDER}-A1", DocumentKind.CREDIT_NOTE)
    assert document.state is DocumentState.FAILED
