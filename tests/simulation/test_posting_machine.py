"""The posting path as a machine that hypothesis drives: plans, faults, crashes and time in any order.

The worlds of this folder find what needs the whole system; this one, when something breaks, shows it in a few lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import urllib3
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.runtime.posting_services import document_poster
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.poster import DocumentPoster
from fakes.state import NOON, ManualClock, MemoryTable, RecordingDeadLetters, RecordingDecisionLog
from sandbox.wire import Fault, Request, SandboxClock
from sandbox.xero import XeroSandbox

ORDERS = ("A", "B")
CONTACT = DesiredDocument(
    DocumentKind.CONTACT, "C-1", {"Name": "Amazon customers", "ContactNumber": "C-1"}, "settings#C-1"
)
FAULTS: Mapping[str, dict[str, Any]] = {
    "none": {},
    "lost": {"kind": "lose"},
    "dropped after the effect": {"kind": "drop"},
    "refused": {"kind": "refuse", "status": 503},
    "failed after the effect": {"kind": "fail", "status": 500},
    "throttled": {
        "kind": "refuse",
        "status": 429,
        "headers": {"x-rate-limit-problem": "minute", "retry-after": "30"},
    },
}


class Died(BaseException):
    """kill -9. Not an Exception: no production code may catch it."""


class _MortalTable(MemoryTable):
    def __init__(self, clock: ManualClock, count_down: Callable[[], None]) -> None:
        super().__init__(clock)
        self._count_down = count_down

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        self._count_down()
        return super().get(sort_keys)

    def put(self, rows: Sequence[Row]) -> list[bool]:
        outcomes = []
        for row in rows:  # each on its own: a worker may die with half of them written
            self._count_down()
            outcomes += super().put([row])
        return outcomes


class _Pool:
    """Takes the place of urllib3's pool manager."""

    def __init__(self, xero: XeroSandbox, count_down: Callable[[], None]) -> None:
        self._xero = xero
        self._count_down = count_down

    def clear(self) -> None:
        """There are no idle connections."""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> Any:
        self._count_down()
        parts = urlsplit(url)
        raw = body.encode() if isinstance(body, str) else body or b""
        answer = self._xero.handle(Request.to(method, f"{parts.path}?{parts.query}", headers=headers, body=raw))
        self._count_down()
        if answer.dropped:
            raise urllib3.exceptions.ProtocolError("connection broken")
        return _Answer(answer.status, urllib3.HTTPHeaderDict(answer.headers), answer.body)


class _Answer:
    def __init__(self, status: int, headers: urllib3.HTTPHeaderDict, data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


class _Tokens:
    def __init__(self, xero: XeroSandbox) -> None:
        self._xero = xero

    def current(self) -> str:
        return self._xero.identity.issue_access_token()

    def renewed(self, stale: str) -> str:
        return self.current()


class PostingMachine(RuleBasedStateMachine):
    """Two orders, one customer; an order is drafted, changed, shipped and paid, or cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.xero = XeroSandbox(SandboxClock(self.clock.now))
        self.operations_left: int | None = None
        self.table = _MortalTable(self.clock, self._count_down)
        self.store = RowStateStore("main", self.table, CODECS)
        self.letters = RecordingDeadLetters()
        self.poster, self.other = self._worker(), self._worker()
        self.version = 0
        self.plans: dict[str, list[tuple[DesiredDocument, ...]]] = {order: [] for order in ORDERS}

    def _worker(self) -> DocumentPoster:
        decisions = RecordingDecisionLog()
        xero = XeroAccounting(_Tokens(self.xero), self.xero.tenant_id, self.clock, redact, api_url="https://xero")
        xero._connection.transport.pool_manager = _Pool(self.xero, self._count_down)
        pauses = Pauses(self.store, self.clock, decisions)
        letters = DeadLetters("main", {SHIPMENTS: self.letters}, decisions)
        # Its customer is the marketplace's: no order is read again for a buyer's details.
        return document_poster(
            "main",
            xero,
            self.store,
            pauses,
            letters,
            BuyerDetails(),
            read_again=lambda _: (),
            plan_again=lambda _: None,
            clock=self.clock,
            decisions=decisions,
        )

    def _count_down(self) -> None:
        if self.operations_left is None:
            return
        if self.operations_left == 0:
            raise Died
        self.operations_left -= 1

    # --- plans ------------------------------------------------------------------------------------------------------

    @rule(order=st.sampled_from(ORDERS), pence=st.integers(100, 500))
    def is_drafted_or_changed(self, order: str, pence: int) -> None:
        if not self._ended(order):
            self._plan(order, (CONTACT, self._invoice(order, pence, "DRAFT")))

    @rule(order=st.sampled_from(ORDERS), pence=st.integers(100, 500))
    def is_shipped(self, order: str, pence: int) -> None:
        if not self._ended(order):
            invoice = self._invoice(order, pence, "AUTHORISED")
            self._plan(order, (CONTACT, invoice, self._payment(invoice)))

    @rule(order=st.sampled_from(ORDERS))
    def is_cancelled(self, order: str) -> None:
        if not self._ended(order):
            self.version += 1
            tombstone = DesiredDocument(
                DocumentKind.INVOICE,
                order,
                {},
                f"order#{order}",
                NOON + timedelta(seconds=self.version),
                capability=SHIPMENTS,
                order_id=order,
                tombstone=True,
            )
            held = self.plans[order]
            if held:
                tombstone = replace(held[-1][1], tombstone=True, source_version=tombstone.source_version)
            self._plan(order, (tombstone,))

    @rule(order=st.sampled_from(ORDERS), which=st.integers(0, 3))
    def requests_of_an_older_version_arrive_again(self, order: str, which: int) -> None:
        if len(self.plans[order]) > which:
            self._request(self.plans[order][which])

    def _ended(self, order: str) -> bool:
        held = self.plans[order]
        return bool(held) and (held[-1][-1].tombstone or held[-1][-1].kind is DocumentKind.PAYMENT)

    def _plan(self, order: str, desired: tuple[DesiredDocument, ...]) -> None:
        self.plans[order].append(desired)
        self._request(desired)

    def _request(self, desired: tuple[DesiredDocument, ...]) -> None:
        now = self.clock.now()
        for wanted in desired:
            known = self.store.load(Document, [wanted.key]).get(wanted.key)
            row = Document(wanted, next_attempt_at=now) if known is None else known.with_desired(wanted, now)
            if row is not None:
                assert self.store.save([row])

    def _invoice(self, order: str, pence: int, status: str) -> DesiredDocument:
        self.version += 1
        total = Decimal(pence) / 100
        line = {"Description": "Tea", "Quantity": 1, "UnitAmount": total, "AccountCode": "200", "TaxType": "OUTPUT2"}
        body = {
            "Type": "ACCREC",
            "InvoiceNumber": order,
            "Reference": f"Amazon {order}",
            "Date": "2026-11-20",
            "DueDate": "2026-11-20",
            "CurrencyCode": "GBP",
            "LineAmountTypes": "Inclusive",
            "Status": status,
            "LineItems": [line],
        }
        version = NOON + timedelta(seconds=self.version)
        return DesiredDocument(
            DocumentKind.INVOICE,
            order,
            body,
            f"order#{order}",
            version,
            total,
            references={"Contact.ContactID": CONTACT.key},
            capability=SHIPMENTS,
            order_id=order,
        )

    def _payment(self, invoice: DesiredDocument) -> DesiredDocument:
        body = {
            "Account": {"Code": "CLR-GBP"},
            "Date": "2026-11-20",
            "Amount": invoice.total,
            "Reference": invoice.body["Reference"],
        }
        return DesiredDocument(
            DocumentKind.PAYMENT,
            invoice.number,
            body,
            invoice.source,
            invoice.source_version,
            references={"Invoice.InvoiceID": invoice.key},
            capability=SHIPMENTS,
            order_id=invoice.order_id,
        )

    # --- what happens -----------------------------------------------------------------------------------------------

    @rule(
        fault=st.sampled_from(sorted(FAULTS)),
        skip=st.integers(0, 2),
        times=st.integers(1, 2),
        operations_left=st.none() | st.integers(0, 30),
        beside=st.booleans(),
    )
    def posts(self, fault: str, skip: int, times: int, operations_left: int | None, beside: bool) -> None:
        """A worker posts; a call may go wrong, the worker may die, another may work between its reads and writes."""
        if FAULTS[fault]:
            self.xero.faults.append(Fault(skip=skip, times=times, **FAULTS[fault]))
        if beside:
            self.table.between.append(lambda: self.other.post_due((), self.clock.now() + timedelta(minutes=1)))
        self.operations_left = operations_left
        try:
            self.poster.post_due((), self.clock.now() + timedelta(minutes=1))
        except Died:
            self.other, self.poster = self._worker(), self._worker()
        finally:
            self.operations_left = None
            self.xero.faults.clear()
            self.table.between.clear()

    @rule(seconds=st.sampled_from((1, 31, 61, 200, 400)))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def nothing_was_written_twice(self) -> None:
        books = self.xero.books
        numbers = Counter(invoice.reference for invoice in books.invoices.values())
        assert all(count == 1 for count in numbers.values()), numbers
        assert len(books.contacts) <= 1
        assert all(len(invoice.payments) <= 1 and invoice.outstanding >= 0 for invoice in books.invoices.values())

    def teardown(self) -> None:
        """Without further faults, the books come to what the newest plan of each order asks for."""
        for _ in range(12):
            self.clock.advance(200)
            self.poster.post_due((), self.clock.now() + timedelta(minutes=1))
        assert not [row.sk for row in self.table.rows.values() if row.next_attempt_at]
        assert self.letters.letters == []
        for order, plans in self.plans.items():
            if not plans:
                continue
            wanted = next(desired for desired in plans[-1] if desired.kind is DocumentKind.INVOICE)
            held = self.xero.books.invoice(order)
            existing = None if held is None or held.status in ("DELETED", "VOIDED") else held
            if wanted.tombstone:
                assert existing is None
                continue
            assert existing is not None
            paid = plans[-1][-1].kind is DocumentKind.PAYMENT
            assert (existing.status, existing.total) == ("PAID" if paid else wanted.body["Status"], wanted.total)


PostingMachine.TestCase.settings = settings(
    max_examples=120, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestPosting = PostingMachine.TestCase
