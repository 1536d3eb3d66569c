"""Corrections, and the documents that they change, as a person and `--json` are shown them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE
from amazon_to_xero.domain.books.line import Line, line_from_xero, tracking_text
from amazon_to_xero.domain.corrections import Corrections
from operations.command_line.result import table
from operations.planned_in_memory import PlannedDocuments


def listed_corrections(row: Corrections) -> list[dict[str, Any]]:
    applying = {entry.number for entry in row.in_force}
    return [
        {
            "number": entry.number,
            "kind": entry.kind.value,
            "value": entry.value,
            "line": entry.line,
            "terms": [asdict(terms) for terms in entry.terms],
            "author": entry.author,
            "reason": entry.reason,
            "made_at": entry.made_at,
            "applies": entry.number in applying,
        }
        for entry in row.entries
    ]


def corrections_table(row: Corrections) -> RenderableType:
    columns = ("N", "kind", "value", "line", "applies", "author", "reason", "made (UTC)")
    listed = [
        [
            each["number"],
            each["kind"],
            each["value"],
            each["line"] or ", ".join(terms["line"] for terms in each["terms"]),
            "yes" if each["applies"] else "no",
            each["author"],
            each["reason"],
            f"{each['made_at']:%Y-%m-%d %H:%M}",
        ]
        for each in listed_corrections(row)
    ]
    return table(f"Corrections of {row.source}", columns, listed) if listed else f"{row.source} has no corrections."


def changed_documents(planned: PlannedDocuments) -> Mapping[str, Any]:
    return {
        "problem": planned.problem,
        "documents": [_document(each) for each in planned.documents],
        "other_contact": list(planned.other_contact),
    }


def _document(desired: DesiredDocument) -> dict[str, Any]:
    body = desired.body
    return {
        "kind": desired.kind.value,
        "number": desired.number,
        "is_removed": desired.tombstone,
        "amount": desired.total if desired.total is not None else body.get("Amount"),
        "date": body.get("Date", ""),
        "contact": desired.references.get(CONTACT_REFERENCE, "").partition("#")[2],
        "lines": [
            _line(line_from_xero(line, origin))
            for line, origin in zip(body.get("LineItems", ()), desired.line_origins, strict=True)
        ],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "books": line.origin,
        "description": line.description,
        "account": line.account,
        "tax_type": line.tax_type,
        "amount": line.amount,
        "tracking": tracking_text(line.tracking),
        "item_code": line.item_code,
    }


def _line_text(line: Mapping[str, Any]) -> str:
    terms = (line[name] for name in ("account", "tax_type", "tracking", "item_code") if line[name])
    return f"{line['amount']} on {' '.join(terms)}: {line['description']}"


def changes_table(planned: PlannedDocuments) -> list[RenderableType]:
    if planned.problem:
        return [planned.problem]
    return [_documents_table(planned), *_kept_contacts(planned)]


def _kept_contacts(planned: PlannedDocuments) -> list[RenderableType]:
    if not planned.other_contact:
        return []
    kept = ", ".join(planned.other_contact)
    return [
        f"These keep the contact that they have, and so does what corrects or refunds them: {kept}. They are paid, "
        "credited, of a locked period or approved by a person. To move them, change the contact in Xero and accept the "
        "change with drift accept."
    ]


def _documents_table(planned: PlannedDocuments) -> RenderableType:
    documents = [_document(each) for each in planned.documents]
    if not documents:
        return "No document changes."
    rows = [
        [
            f"{'remove ' if each['is_removed'] else ''}{each['kind']}",
            each["number"],
            each["date"],
            each["amount"],
            each["contact"],
            "; ".join(_line_text(line) for line in each["lines"]),
        ]
        for each in documents
    ]
    columns = ("Document", "number", "date", "amount", "contact", "lines")
    return table("Documents that would change", columns, rows)
