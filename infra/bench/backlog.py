"""Measure how fast a backlog drains within Xero's limits of calls per minute and per day.

The real poster, call budget and Xero adapter work over the sandbox Xero in this process and in virtual time. The
resume function's schedule is simulated: one run per minute that waits for limits, unless the previous run has not
ended. Nothing is read from Amazon: the documents are already due, as after a long outage. By default the backlog takes
more calls than a day allows, so that it continues on the next one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import RowStateStore
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.posting_services import document_poster
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.budget import BudgetedXero
from bench.counted_table import CountedTable
from bench.in_process import RUN_FOR, START, NoOutput, VirtualClock, xero_accounting
from sandbox.wire import SandboxClock
from sandbox.xero import Limits as SandboxLimits
from sandbox.xero import XeroSandbox, organisation_for

TARGET = 0.9  # of the 60 calls a minute that Xero allows


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
    table = CountedTable()
    store = RowStateStore("main", table, CODECS)
    accounting = xero_accounting(sandbox, clock)
    no_output = NoOutput()
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
            # While payments wait for their share of the day, too little else may be due to fill a minute.
            if len(sandbox.calls) > before and pauses.until("xero#payment") is None:
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
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--per-day", type=int, default=500, help="below Xero's 5,000, so that it is reached")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    result = drain(given.orders, given.per_day)
    print(f"  ({time.monotonic() - started:.0f} s of real time)")
    return result


if __name__ == "__main__":
    sys.exit(main())
