"""Orders that are booked otherwise than the rules say by now, as a person and `--json` are shown them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.planning.rebooking import Rebooking
from operations.command_line.corrections_view import changed_documents, changes_table
from operations.command_line.result import table
from operations.rebooked_orders import RebookedOrder

type Found = Sequence[tuple[OrderRecord, Rebooking]]


def listed_orders(differing: Found, unknown: Found) -> dict[str, Any]:
    return {
        "orders": [_listed(record.order_id, each) for record, each in differing],
        "not_compared": [{"order": record.order_id, "why": each.problem} for record, each in unknown],
    }


def listed_plans(asked: Iterable[RebookedOrder]) -> list[dict[str, Any]]:
    chosen = (each for each in asked if each.entry is not None)
    return [
        _listed(each.order_id, each.rebooking) | {"changes": changed_documents(each.planned)["documents"]}
        for each in chosen
    ]


def orders_table(differing: Found, unknown: Found) -> list[RenderableType]:
    rows = [row for record, each in differing for row in _rows(record.order_id, each)]
    shown: list[RenderableType] = [
        _changes(rows) if rows else "Every order that was compared is booked as the rules say."
    ]
    if unknown:
        problems = [[record.order_id, each.problem] for record, each in unknown]
        shown += ["", table("Not compared", ("Order", "why"), problems)]
    return shown


def plans_view(asked: Sequence[RebookedOrder]) -> list[RenderableType]:
    """Return, order by order, how it is booked otherwise and what would be written; then those that are left."""
    shown: list[RenderableType] = []
    for each in asked:
        if each.entry is not None:
            shown += [_changes(_rows(each.order_id, each.rebooking)), *changes_table(each.planned), ""]
    left = [[each.order_id, each.why_left] for each in asked if each.entry is None]
    return [*shown, table("Left as they are", ("Order", "why"), left)] if left else shown


def _listed(order_id: str, found: Rebooking) -> dict[str, Any]:
    return {"order": order_id, "day": found.day, "lines": [asdict(line) for line in found.lines]}


def _rows(order_id: str, found: Rebooking) -> list[list[object]]:
    return [
        [order_id, str(found.day or ""), line.line, str(line.amount), change.field, change.booked, change.by_rules]
        for line in found.lines
        for change in line.changes
    ]


def _changes(rows: Sequence[Sequence[object]]) -> RenderableType:
    return table("", ("Order", "day", "line", "amount", "field", "booked", "by the rules of now"), rows)
