"""A second kind of source, plugged in beside orders: statements of a fake vendor, each asking for one credit note.

It exists to show that reading, planning and posting know nothing of orders. A statement that is withdrawn asks for the
removal of its credit note. Its numbers are those that an order's adjustments take, so that the two meet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import Row, RowCodec, timestamp
from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.numbering import adjustment_number, reissued_number
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.order_documents import is_number_used_up
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.state import FAILED_SOURCES
from amazon_to_xero.runtime.capabilities import CAPABILITIES, Capability, Services
from amazon_to_xero.services.planning.planner import RETRY_PLAN, PlannedRecord, SourcePlanner
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.work_report import StepReport
from amazon_to_xero.services.worker import CapabilityWork

STATEMENTS = "statements"
CONTACT = DesiredDocument(
    DocumentKind.CONTACT,
    "STATEMENTS",
    {"Name": "Statement customers", "ContactNumber": "STATEMENTS"},
    "settings#STATEMENTS",
)
_KINDS = (DocumentKind.INVOICE, DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE, DocumentKind.CREDIT_NOTE_REFUND)


@dataclass(frozen=True)
class Statement:
    """What the fake vendor states: an amount in GBP, or None once the statement is withdrawn."""

    statement_id: str
    version: datetime
    amount: Decimal | None


@dataclass(frozen=True)
class StatementRecord:
    """A SourceRecord that is no order."""

    key: str
    generation: int = 0
    next_step: NextStep = NextStep.READ
    next_attempt_at: datetime | None = None
    version: datetime | None = None
    amount: Decimal | None = None
    number: str = ""
    state: str = "NOTICED"
    reason: str = ""
    remedy: str = ""
    documents: tuple[str, ...] = ()
    capability: str = STATEMENTS

    @property
    def source(self) -> str:
        return f"statement#{self.key}"

    def is_due(self, step: NextStep, now: datetime) -> bool:
        return self.next_step is step and self.next_attempt_at is not None and self.next_attempt_at <= now

    def plan_at(self, at: datetime, reason: str = "") -> StatementRecord:
        return replace(self, next_step=NextStep.PLAN, next_attempt_at=at, state="RECORDED", reason=reason)

    def failed(self, code: FailureCode, remedy: str) -> StatementRecord:
        return replace(self, next_attempt_at=None, state="FAILED", reason=code, remedy=remedy)

    def unreadable(self) -> StatementRecord:
        return replace(self, amount=None)

    def log_fields(self) -> dict[str, str]:
        return {"statement_id": self.key}


class StatementCodec:
    """StatementRecord as a row."""

    prefix = "STATEMENT"
    schema = 1

    def encode(self, record: StatementRecord) -> Row:
        data = {
            "next_step": record.next_step,
            "version": record.version and timestamp(record.version),
            "amount": record.amount,
            "number": record.number,
            "documents": list(record.documents),
        }
        due_from = timestamp(record.next_attempt_at) if record.next_attempt_at else ""
        return Row(
            f"{self.prefix}#{record.key}",
            record.generation,
            canonical_json(data),
            record.state,
            record.reason,
            record.remedy,
            STATEMENTS,
            due_from,
            watched=FAILED_SOURCES if record.state == "FAILED" else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> StatementRecord:
        return StatementRecord(
            key,
            row.generation,
            NextStep(data["next_step"]),
            datetime.fromisoformat(row.next_attempt_at) if row.next_attempt_at else None,
            datetime.fromisoformat(data["version"]) if data["version"] else None,
            None if data["amount"] is None else Decimal(data["amount"]),
            data["number"],
            row.state,
            row.reason,
            row.remedy,
            tuple(data["documents"]),
        )


CODECS_WITH_STATEMENTS: Mapping[type[Any], RowCodec[Any]] = {**CODECS, StatementRecord: StatementCodec()}


class StatementPlans:
    """PlannedSource of statements."""

    record_type = StatementRecord

    def __init__(self, services: Services) -> None:
        self._clock = services.clock

    def document_keys(self, record: StatementRecord) -> set[str]:
        number = record.number or _first_number(record)
        return {document_key(DocumentKind.CREDIT_NOTE, number), CONTACT.key, *record.documents}

    def plan(self, record: StatementRecord, held: HeldDocuments) -> PlannedRecord[StatementRecord]:
        if record.amount is not None and record.amount < 0:
            raise Failure(FailureCode.TOO_MANY_DECIMALS, "Correct the statement: its amount is negative.")
        version = record.version
        assert version is not None
        if any(document.has_newer_version_than(version) for document in held.own_documents()):
            return PlannedRecord(record.plan_at(self._clock.now() + RETRY_PLAN))
        number, credit_note = _usable_number(record, held)
        wanted = _credit_note(record, number)
        steps = PlanSteps(second=[CONTACT] if record.amount is not None else [], third=[wanted])
        if credit_note is not None and credit_note.outcome_unknown and credit_note.desired.tombstone:
            return PlannedRecord(record.plan_at(self._clock.now() + RETRY_PLAN))
        plan = steps.plan(held)
        planned = replace(
            record,
            state="PLANNED",
            next_attempt_at=None,
            reason="",
            remedy="",
            number=number,
            documents=(wanted.key,),
        )
        return PlannedRecord(planned, plan.steps)


def statements_capability(vendor: Callable[[str], Statement]) -> Capability:
    """Return the registry's entry: all that a new capability takes besides its handler and resources."""

    def record(services: Services, notices: Sequence[ChangeNotice]) -> list[str]:
        def noticed(stored: Mapping[str, StatementRecord | None]) -> Iterable[StatementRecord]:
            now = services.clock.now()
            for key, known in stored.items():
                yield replace(known or StatementRecord(key), next_step=NextStep.READ, next_attempt_at=now)

        return list(update_records(services.store, StatementRecord, [each.key for each in notices], noticed))

    def read(services: Services, named: Sequence[str], _deadline: datetime) -> StepReport:
        now = services.clock.now()
        keys = dict.fromkeys([*named, *services.store.due(STATEMENTS, now, 100)])
        known = services.store.load(StatementRecord, keys)
        due = {key: each for key, each in known.items() if each.is_due(NextStep.READ, now)}
        stated = {key: vendor(key) for key in due}

        def recorded(stored: Mapping[str, StatementRecord | None]) -> Iterable[StatementRecord]:
            for key, current in stored.items():
                assert current is not None
                if current.generation != due[key].generation:
                    continue  # noticed again since the vendor was asked: it stays due and is read again
                statement = stated[key]
                if current.version is not None and current.version > statement.version:
                    yield current.plan_at(now)
                else:
                    yield replace(current, version=statement.version, amount=statement.amount).plan_at(now)

        saved = update_records(services.store, StatementRecord, due, recorded)
        return StepReport(len(saved), tuple(saved))

    def work(services: Services) -> CapabilityWork:
        planner = SourcePlanner(
            StatementPlans(services), services.store, services.organisation, services.failed_sources, services.clock
        )
        return CapabilityWork(read=partial(read, services), plan=partial(planner.plan_due, STATEMENTS))

    return Capability(STATEMENTS, parse_statement, record, "STATEMENTS_DLQ_URL", work)


def with_statements(vendor: Callable[[str], Statement]) -> Mapping[str, Capability]:
    """Return the registry with statements in it."""
    return {**CAPABILITIES, STATEMENTS: statements_capability(vendor)}


def parse_statement(body: str) -> ChangeNotice:
    """Return the notice in a message of the statements queue, or of its redriven dead letter."""
    document = json.loads(body)
    if "reprocess" in document:
        source = str(document["reprocess"]["source"])
        return ChangeNotice(source.removeprefix("statement#"), connection=document["reprocess"]["connection"])
    return ChangeNotice(document["statement_id"], connection=document["connection"])


def statement_message(statement_id: str, connection: str = "main") -> str:
    return json.dumps({"statement_id": statement_id, "connection": connection})


def _first_number(record: StatementRecord) -> str:
    """A statement named after an order takes the number of that order's first adjustment."""
    return adjustment_number(record.key, 1)


def _usable_number(record: StatementRecord, held: HeldDocuments) -> tuple[str, Document | None]:
    times = 0
    while True:
        number = reissued_number(_first_number(record), times)
        own = held.own(DocumentKind.CREDIT_NOTE, number)
        is_taken = own is None and held.is_taken(number, _KINDS)
        if not is_taken and (own is None or not is_number_used_up(own)):
            return number, own
        times += 1


def _credit_note(record: StatementRecord, number: str) -> DesiredDocument:
    amount = record.amount or Decimal(0)
    line = Line("Statement", 1, amount, "200", "OUTPUT2", origin="statement")
    body = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": number,
        "Reference": f"Statement {record.key}",
        "Date": "2026-11-20",
        "CurrencyCode": "GBP",
        "LineAmountTypes": LineAmountTypes.INCLUSIVE.value,
        "Status": "AUTHORISED",
        "LineItems": [line.in_xero()],
    }
    return DesiredDocument(
        DocumentKind.CREDIT_NOTE,
        number,
        body if record.amount is not None else {},
        record.source,
        source_version=record.version,
        total=amount,
        references={"Contact.ContactID": CONTACT.key},
        capability=STATEMENTS,
        tombstone=record.amount is None,
        line_origins=("statement",),
    )
