"""The books of a case of accounting_cases, entered as in production.

Amazon's statements go through reading, planning and posting of a connection over fakes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import Outcome
from fakes.connection import FakeConnection
from fakes.state import ManualClock
from fakes.vendors import ScriptedXero
from unit.domain.case_documents import shown_document, total_in_xero
from unit.domain.case_settings import MARKETPLACE_BY_NAME, changed_organisation, organisation_of, policy_of
from unit.domain.case_statements import ORDER_ID, SHIPPED, Case, Place, moment, order_version, transaction

_MINUTE = timedelta(minutes=1)


class ComputingXero(ScriptedXero):
    """Adds tax to totals as Xero does, line by line, and refuses days in locked periods."""

    def _one(self, collection: str, element: Json) -> Outcome:
        locked, day = self.settings.locked_until, str(element.get("Date", ""))
        if locked is not None and element.get("Status") == "AUTHORISED" and day <= locked.isoformat():
            message = f"The document date cannot be before the period lock date, currently set at {locked:%d %b %Y}"
            return Outcome(element, (message,))
        return super()._one(collection, element)

    def total_of(self, document: Json) -> Decimal:
        return total_in_xero(document, self.settings)


class CaseBooks(FakeConnection):
    """A connection with the settings and the organisation of a case; `enter` has Amazon make all its statements."""

    def __init__(self, case: Case, of_books: Mapping[str, Any]) -> None:
        self.case = case
        self._of_books = of_books
        first = moment(case.get("shipped", SHIPPED)) - timedelta(minutes=30)
        super().__init__(policy=policy_of(case, of_books), clock=ManualClock(first))
        self.xero = ComputingXero(clock=self.clock)
        self.xero.settings = organisation_of(case, of_books)
        self.restart()
        self._transactions: Counter[str] = Counter()

    def enter(self) -> None:
        """Have Amazon state what the case says, time after time, and work after each statement."""
        first = {"at": self.case.get("shipped", SHIPPED), "items": self.case["items"]}
        charged = [{"at": first["at"], "charged": self.case["charged"]}] if "charged" in self.case else []
        for statement in (first, *charged, *self.case.get("later", ())):
            self._advance_to(moment(statement["at"]))
            self._state(statement)
        if "waits" not in self.case:
            self._wait_for_what_is_open()

    def _advance_to(self, at: datetime) -> None:
        """Move to that time; orders are swept until shortly before, as every 15 minutes in production."""
        for minutes in (-5, 2):
            self.clock.advance(max(0.0, (at + minutes * _MINUTE - self.clock.now()).total_seconds()))
            if minutes < 0 and not self.case.get("read_late"):
                self.sweep()

    def _state(self, statement: Mapping[str, Any]) -> None:
        for kind, name in (("Refund", "refund"), ("Shipment", "charged")):
            if name in statement:
                self._transact(kind, name, statement)
        self._change_xero_and_settings(statement)
        if "correct" in statement:
            kind, value, line = (*statement["correct"], "", "")[:3]
            self.correct(CorrectionKind(kind), value, f"order#{ORDER_ID}", line)
        named: list[str] = []
        if statement.keys() & {"items", "status", "order", "packages"}:
            self.amazon.hold(order_version(self.case, statement, self._place(statement), moment(statement["at"])))
            named = self.notice([ORDER_ID])
        self.work(named)

    def _transact(self, kind: str, name: str, statement: Mapping[str, Any]) -> None:
        """Have Amazon state a refund or a charge, of the type that the statement names, and sweep it."""
        self._transactions[name] += 1
        number, currency = self._transactions[name], statement.get("currency", self._place({}).currency)
        type_, at = statement.get("type", kind), moment(statement["at"])
        self.amazon.transactions.append(transaction(type_, number, statement[name], currency, at))
        self.clock.advance(180)
        self.connection.worker.sweep(REFUNDS, "case", self.clock.now() + _MINUTE)

    def _change_xero_and_settings(self, statement: Mapping[str, Any]) -> None:
        if "settings" in statement:
            changed = {**self.case.get("settings", {}), **statement["settings"]}
            self.policy = policy_of({"settings": changed}, self._of_books)
            self.restart()
        if "organisation" in statement:
            self.xero.settings = changed_organisation(self.xero.settings, statement["organisation"])
            self.clock.advance(7200)
        if "approve" in statement:
            self._approve()

    def work(self, named: list[str] | None = None) -> None:
        self.connection.worker.run("case", self.clock.now() + _MINUTE, named or [])

    def _approve(self) -> None:
        """Approve in Xero what awaits approval, as a person does; the connector asks Xero about it once an hour."""
        for invoice in self.xero.books["Invoices"].values():
            if invoice["Status"] == "SUBMITTED":
                invoice["Status"] = "AUTHORISED"
        self.clock.advance(3700)

    def _wait_for_what_is_open(self) -> None:
        """Work on for as long as the order or a refund of it waits, or its charge is to be compared; a week at most."""
        for _ in range(14):
            if not self._is_anything_open():
                return
            self.clock.advance(12 * 3600)
            self.connection.worker.sweep(REFUNDS, "case", self.clock.now() + _MINUTE)
            self.work()

    def _is_anything_open(self) -> bool:
        refunds = any(each.state is TransactionState.RECORDED for each in self.transactions)
        is_compared = "confirmation" in self.case and self.case["confirmation"] != "AWAITED"
        is_order_open = self.order.state not in (OrderState.PLANNED, OrderState.NOT_INVOICED, OrderState.FAILED)
        return refunds or is_order_open or (is_compared and self.confirmation != self.case["confirmation"])

    # --- what became of it ------------------------------------------------------------------------------------------

    @property
    def order(self) -> OrderRecord:
        return self.record(ORDER_ID)

    @property
    def transactions(self) -> list[TransactionRecord]:
        keys = [row.removeprefix("TRANSACTION#") for row in self.store.table.rows if row.startswith("TRANSACTION#")]
        held = self.store.load(TransactionRecord, keys)
        return [held[key] for key in sorted(keys)]

    @property
    def confirmation(self) -> str:
        """CONFIRMED, AWAITED, or the code by which the comparison with Amazon's charges failed."""
        row = self.store.load(SaleConfirmation, [ORDER_ID]).get(ORDER_ID)
        if row is None:
            return ""
        return row.reason if row.state == "FAILED" else str(row.state)

    @property
    def failed_documents(self) -> list[Document]:
        keys = [row.removeprefix("DOCUMENT#") for row in self.store.table.rows if row.startswith("DOCUMENT#")]
        held = self.store.load(Document, keys).values()
        return [each for each in held if each.state is DocumentState.FAILED]

    @property
    def writes(self) -> int:
        return len(self.xero.writes())

    def in_xero(self) -> list[str]:
        """Return what Xero holds as text; see `case_documents`."""
        documents = [*self.xero.books["Invoices"].values(), *self.xero.books["CreditNotes"].values()]
        return [text for each in sorted(documents, key=_id_number) for text in shown_document(each, self.xero.settings)]

    def first_invoice(self) -> Json:
        return next(iter(self.xero.books["Invoices"].values()))

    def customer(self) -> str:
        """Return the name of the contact of the first invoice."""
        contact = self.xero.books["Contacts"][self.first_invoice()["Contact"]["ContactID"]]
        return str(contact["Name"])

    def _place(self, statement: Mapping[str, Any]) -> Place:
        """Return where the order is sold, in "Amazon.ca CA British Columbia"; country and region may be missing."""
        marketplace, *destination = statement.get("on", self.case["on"]).split(" ", 2)
        known = MARKETPLACE_BY_NAME[marketplace]
        country, region = (*destination, "", "")[:2]
        return Place(known.marketplace_id, known.currency, country, region)


def _id_number(document: Json) -> int:
    return int(str(document.get("InvoiceID") or document.get("CreditNoteID")).rpartition("-")[2])
