"""What must hold in every world, however it went."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simulation.history import Expected, OrderHistory
from simulation.wires import Seen

if TYPE_CHECKING:
    from simulation.world import World

_GONE = ("DELETED", "VOIDED")
# What Xero says no to once an invoice that should change has been paid.
_TOO_LATE = frozenset({"HAS_PAYMENTS", "NOT_CHANGEABLE", "ALREADY_PAID", "NOT_MODIFIABLE", "REFERENCE_FAILED"})


class Invariants:
    def __init__(self, world: World) -> None:
        self._world = world

    def at_rest(self) -> None:
        books = self._world.xero.holdings()
        invoices = defaultdict(list)
        for invoice in books["Invoices"]:
            invoices[invoice.get("Reference", "").rpartition(" ")[2]].append(invoice)
        self._once(books, invoices)
        explained = {one.order_id for one in self._world.histories if not self._order(one, invoices[one.order_id])}
        self._money(books["Invoices"], explained)
        self._nothing_waits()
        self._limits()
        self._tokens()
        self._no_buyers()

    def replayed(self, before: list[Seen]) -> None:
        """Everything said once more writes nothing."""
        after = [seen for seen in self._world.xero_wire.seen if seen.writes]
        for seen in after[len(before) :]:
            self._violated(f"a replay of everything wrote to Xero: {seen.operation} by {seen.by}")

    # --- one by one -------------------------------------------------------------------------------------------------

    def _once(self, books: dict[str, list[dict[str, Any]]], invoices: dict[str, list[dict[str, Any]]]) -> None:
        for order_id, of_order in invoices.items():
            if len(of_order) > 1:
                states = [invoice["Status"] for invoice in of_order]
                self._violated(f"order {order_id}: {len(of_order)} invoices were created, now {states}")
        for name in ("Name", "ContactNumber"):
            for value, count in Counter(contact.get(name) for contact in books["Contacts"]).items():
                if count > 1:
                    self._violated(f"{count} contacts were created with {name} {value}")
        payments: Counter[str] = Counter()
        for payment in books["Payments"]:
            if payment["Status"] != "DELETED":
                payments[payment["Invoice"]["InvoiceID"]] += 1
        for of_order in invoices.values():
            for invoice in of_order:
                if payments[invoice["InvoiceID"]] > 1:
                    self._violated(f"invoice {invoice['InvoiceNumber']} has {payments[invoice['InvoiceID']]} payments")
                if invoice["AmountDue"] < 0:
                    self._violated(f"invoice {invoice['InvoiceNumber']} is paid beyond its total")

    def _order(self, one: OrderHistory, invoices: list[dict[str, Any]]) -> bool:
        """Whether the books hold what the newest version asks; False when a person is needed and was told."""
        expected = one.versions[-1].expected
        row = self._world.table.rows.get(f"ORDER#{one.order_id}")
        if row is None:
            self._violated(f"order {one.order_id} was never recorded")
            return True
        failed = [(row.state, row.reason)] if row.state == "FAILED" else []
        for key in json.loads(row.data)["documents"]:
            document = self._world.table.rows.get(f"DOCUMENT#{key}")
            if document is None:
                self._violated(f"order {one.order_id}: document {key} is missing")
            elif document.state == "FAILED":
                failed.append((key, document.reason))
            elif document.state != "APPLIED":
                self._violated(f"order {one.order_id}: {key} rests as {document.state} {document.reason}")
        if failed:
            return self._explained(one, expected, failed)
        if expected.refusals:
            self._violated(f"order {one.order_id} should need a person ({sorted(expected.refusals)}) and rests as done")
            return True
        if json.loads(row.data)["updated"][:19] != one.versions[-1].order["lastUpdatedTime"][:19]:
            self._violated(f"order {one.order_id} rests at an older version than Amazon's")
        self._as_expected(one, expected, [invoice for invoice in invoices if invoice["Status"] not in _GONE])
        return True

    def _explained(self, one: OrderHistory, expected: Expected, failed: list[tuple[str, str]]) -> bool:
        allowed = expected.refusals | (_TOO_LATE if self._too_late(one) else frozenset())
        for what, reason in failed:
            if reason not in allowed:
                self._violated(f"order {one.order_id}: {what} failed for no good reason: {reason}")
        letters = [letter.attributes for letter in self._world.dead_letters.messages.values()]
        reasons = {letter.get("reason") for letter in letters if letter.get("order_id") == one.order_id}
        if not reasons & {reason for _, reason in failed}:
            self._violated(f"order {one.order_id} failed ({failed}) and no dead letter says so (there are {reasons})")
        return False

    def _too_late(self, one: OrderHistory) -> bool:
        return self._world.pays and any(version.expected.too_late_if_paid for version in one.versions)

    def _as_expected(self, one: OrderHistory, expected: Expected, live: list[dict[str, Any]]) -> None:
        if expected.status is None or not live:
            if live or expected.status is not None:
                states = [invoice["Status"] for invoice in live]
                self._violated(f"order {one.order_id}: Xero has {states}, Amazon asks for {expected.status}")
            return
        invoice = live[0]
        status = "PAID" if expected.status == "AUTHORISED" and self._world.pays else expected.status
        lines = sorted(
            (line["AccountCode"], line["TaxType"], line["LineAmount"])
            for line in invoice["LineItems"]
            if line["AccountCode"] != "498"
        )
        asked = {
            "Status": (status, invoice["Status"]),
            "CurrencyCode": (expected.currency, invoice["CurrencyCode"]),
            "Total": (expected.total, invoice["Total"]),
            "Lines": (sorted(expected.lines), lines),
            "Date": (expected.date or invoice["DateString"][:10], invoice["DateString"][:10]),
        }
        for name, (wanted, found) in asked.items():
            if wanted != found:
                self._violated(f"order {one.order_id}: {name} should be {wanted} and is {found}")

    def _money(self, invoices: list[dict[str, Any]], explained: set[str]) -> None:
        """Per currency, what Amazon sold is what Xero holds, but for the orders a person was told of."""
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        held: dict[str, Decimal] = defaultdict(Decimal)
        for one in self._world.histories:
            expected = one.versions[-1].expected
            if one.order_id not in explained and expected.status:
                wanted[expected.currency] += expected.total
        for invoice in invoices:
            if invoice["Status"] not in _GONE and invoice["Reference"].rpartition(" ")[2] not in explained:
                held[invoice["CurrencyCode"]] += invoice["Total"]
        for currency in sorted({*wanted, *held}):
            if wanted[currency] != held[currency]:
                self._violated(f"{currency}: Amazon sold {wanted[currency]}, Xero holds {held[currency]}")

    def _nothing_waits(self) -> None:
        for row in self._world.table.rows.values():
            if row.sk.startswith("DOCUMENT#") and row.state not in ("APPLIED", "FAILED"):
                self._violated(f"{row.sk} rests as {row.state}")

    def _limits(self) -> None:
        for service in (self._world.xero_wire, self._world.amazon_wire):
            for seen in service.own_refusals:
                self._violated(f"{service.name} refused {seen.operation} of {seen.by}: a limit was exceeded")

    def _tokens(self) -> None:
        """The authorisation still stands, unless somebody withdrew it."""
        if self._world.disconnected:
            return
        refused = [line for line in self._world.trace if "XERO_GRANT_REFUSED" in line]
        if refused and not any("authorisation is withdrawn" in line for line in self._world.trace):
            self._violated(f"Xero refused a grant that nobody had withdrawn: {refused[0]}")

    def _no_buyers(self) -> None:
        for row in self._world.table.rows.values():
            self._world.spotted(f"row {row.sk}", f"{row.data} {row.reason} {row.hint}")

    def _violated(self, what: str) -> None:
        self._world.violated(what)
