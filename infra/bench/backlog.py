"""Measure how fast a backlog of 100,000 orders drains within Xero's limits of calls per minute and per day.

The real poster, call budget and Xero adapter work over the sandbox Xero in this process and in virtual time. The
resume function's schedule is simulated: one run per minute that waits for limits, unless the previous run has not
ended. Nothing is read from Amazon: the documents are already due, as after a long outage.
"""

from __future__ import annotations

import argparse
import sys
import time
from bisect import bisect_right, insort
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import urllib3

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import document_poster
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.budget import BudgetedXero
from sandbox.wire import Request, SandboxClock
from sandbox.xero import Limits as SandboxLimits
from sandbox.xero import XeroSandbox, organisation_for

START = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
CALL_TAKES = 0.4  # seconds of virtual time
RUN_FOR = timedelta(seconds=60)  # the resume function's time-out less its reserve
TARGET = 0.9  # of the 60 calls a minute that Xero allows


class VirtualClock:
    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class BacklogTable:
    """rows.Table in memory, with a sorted due index."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._index: list[tuple[str, str]] = []

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        return [self._rows[sk] for sk in sort_keys if sk in self._rows]

    def put(self, rows: Sequence[Row]) -> list[bool]:
        return [self._put(row) for row in rows]

    def due(self, due: str, until: str, limit: int) -> list[str]:
        end = bisect_right(self._index, (until, "\uffff"))
        return [sk for _, sk in self._index[:end] if self._rows[sk].due == due][:limit]

    def first_due(self, due: str) -> str:
        return next((at for at, sk in self._index if self._rows[sk].due == due), "")

    def watched(self, watched: str, limit: int, after: tuple[str, str] | None) -> list[tuple[str, str]]:
        found = sorted((row.reason, sk) for sk, row in self._rows.items() if row.watched == watched)
        return [(sk, reason) for reason, sk in found if after is None or (reason, sk) > after[::-1]][:limit]

    def waiting(self) -> int:
        return len(self._index)

    def _put(self, row: Row) -> bool:
        held = self._rows.get(row.sk)
        if (held.generation if held else 0) != row.generation - 1:
            return False
        if held and held.next_attempt_at:
            del self._index[bisect_right(self._index, (held.next_attempt_at, held.sk)) - 1]
        if row.next_attempt_at:
            insort(self._index, (row.next_attempt_at, row.sk))
        self._rows[row.sk] = row
        return True


class InProcessPool:
    """Replaces urllib3's pool manager in the adapter's transport; each call takes virtual time."""

    def __init__(self, sandbox: XeroSandbox, clock: VirtualClock) -> None:
        self._sandbox = sandbox
        self._clock = clock

    def clear(self) -> None:
        """Do nothing: there are no connections to close."""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> Any:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        raw = body.encode() if isinstance(body, str) else body or b""
        answer = self._sandbox.handle(Request.to(method, target, headers=headers, body=raw))
        self._clock.sleep(CALL_TAKES)
        return urllib3.HTTPResponse(answer.body, answer.headers, answer.status, preload_content=True)


class _Token:
    def __init__(self, sandbox: XeroSandbox) -> None:
        self._sandbox = sandbox

    def current(self) -> str:
        return self._sandbox.identity.issue_access_token()

    def renewed(self, stale: str) -> str:
        return self.current()


class _NoOutput:
    """ports.DecisionLog that discards, and ports.DeadLetterQueue that must not be used."""

    def record(self, decision: str, **fields: object) -> None: ...

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        raise AssertionError(f"{order_id} failed: {reason} {remedy}")


def documents(orders: int) -> list[Document]:
    """Return the marketplace's customer, and an invoice and its payment for each order."""
    contact = DesiredDocument(
        DocumentKind.CONTACT,
        "AMAZON-UK",
        {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"},
        "settings#AMAZON-UK",
    )
    made = [Document(contact, next_attempt_at=START)]
    for number in range(orders):
        order_id = f"206-{number:07}-0000000"
        total = Decimal(f"{10 + number % 90}.{number % 100:02}")
        reference = f"Amazon.co.uk {order_id}"
        line = {"Description": "Mug", "Quantity": 1, "UnitAmount": total, "AccountCode": "200", "TaxType": "OUTPUT2"}
        common = {"Date": "2026-11-01", "Reference": reference}
        body = common | {
            **{"Type": "ACCREC", "InvoiceNumber": order_id, "DueDate": "2026-11-01", "CurrencyCode": "GBP"},
            **{"LineAmountTypes": "Inclusive", "Status": "AUTHORISED", "LineItems": [line]},
        }
        requested = partial(
            DesiredDocument,
            source=f"order#{order_id}",
            source_version=START,
            capability=SHIPMENTS,
            order_id=order_id,
        )
        invoice = requested(
            DocumentKind.INVOICE, order_id, body, total=total, references={"Contact.ContactID": contact.key}
        )
        paid = common | {"Account": {"Code": "CLR-GBP"}, "Amount": total}
        payment = requested(DocumentKind.PAYMENT, order_id, paid, references={"Invoice.InvoiceID": invoice.key})
        made += [
            Document(invoice, next_attempt_at=START),
            Document(payment, next_attempt_at=START + timedelta(seconds=1)),
        ]
    return made


def drain(orders: int, per_day: int) -> int:
    clock = VirtualClock()
    sandbox = XeroSandbox(SandboxClock(clock.now), organisation_for("GB"), SandboxLimits(60, per_day, 10_000, 5))
    table = BacklogTable()
    store = RowStateStore("main", table, CODECS)
    accounting = XeroAccounting(_Token(sandbox), sandbox.tenant_id, clock, redact)
    accounting._connection.transport.pool_manager = InProcessPool(sandbox, clock)
    no_output = _NoOutput()
    pauses = Pauses(store, clock, no_output)
    xero = BudgetedXero(accounting, store, clock, Limits(per_day=per_day), "bench")
    letters = DeadLetters("main", dict.fromkeys(CAPABILITIES, no_output), no_output)
    poster = document_poster("main", xero, store, pauses, letters, BuyerDetails(), list, list, clock, no_output)
    store.save(documents(orders))

    days: dict[int, tuple[int, datetime, datetime]] = {}
    while table.waiting():
        deadline, called = clock.now() + RUN_FOR, len(sandbox.calls)
        while clock.now() < deadline:
            before = len(sandbox.calls)
            report = poster.post_due((), deadline)
            if len(sandbox.calls) > before:
                day = (clock.now() - START).days
                calls, first, _ = days.get(day, (0, clock.now(), clock.now()))
                days[day] = (calls + len(sandbox.calls) - before, first, clock.now())
            until = pauses.until("xero")
            if until is not None and until < deadline:
                clock.sleep((until - clock.now()).total_seconds())
            elif report.stopped or not report.applied:
                break
        # The next run of the schedule: immediately if this one used its whole time, else at the full minute.
        to_the_minute = -(clock.now() - START).total_seconds() % 60
        clock.sleep(to_the_minute or (0 if len(sandbox.calls) > called else 60))

    refused = sum(call.status == 429 for call in sandbox.calls)
    invoices = sum(call.elements for call in sandbox.calls if call.operation == "createInvoices")
    payments = sum(call.elements for call in sandbox.calls if call.operation == "createPayments")
    print(f"backlog of {orders} orders, {per_day} calls a day: {invoices} invoices, {payments} payments posted")
    print(f"  {refused} calls refused by Xero")
    worst = 1.0
    for day, (calls, first, last) in sorted(days.items()):
        minutes = max(1.0, (last - first).total_seconds() / 60)
        if minutes > 2:
            worst = min(worst, calls / minutes / 60)
        print(f"  day {day}: {calls} calls in {minutes:.0f} minutes, {calls / minutes / 60:.0%} of 60 a minute")
    return 0 if refused == 0 and worst >= TARGET and (invoices, payments) == (orders, orders) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="backlog", description="Measure how fast a backlog drains.")
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--per-day", type=int, default=2_500, help="below Xero's 5,000, so that it is reached")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    result = drain(given.orders, given.per_day)
    print(f"  ({time.monotonic() - started:.0f} s of real time)")
    return result


if __name__ == "__main__":
    sys.exit(main())
