"""`failed`: everything that failed and needs a person, with what to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import RenderableType

from operations.command_line.result import Result, print_warning, table
from operations.command_line.session import Session
from operations.watched_rows import FailedRow, failed_rows


def failed(
    session: Session,
    code: Annotated[str, typer.Option("--code", help="Only this failure code, e.g. ITEM_TOTAL_DIFFERS.")] = "",
    capability: Annotated[
        str, typer.Option("--capability", help="Only what this queue reprocesses: orders, shipments or refunds.")
    ] = "",
    older_than: Annotated[
        float, typer.Option("--older-than", help="Only what Amazon stated at least so many days ago.", min=0)
    ] = 0,
) -> Result:
    """List what failed, by code, with what to do about each. It reads the index of failures, never the whole table."""
    if warning := session.accept_disconnected():
        print_warning(warning)
    limit = session.clock.now() - timedelta(days=older_than)
    rows = [
        row
        for row in failed_rows(session.store())
        if code in ("", row.reason)
        and capability in ("", row.capability)
        and (not older_than or (row.stated_at is not None and row.stated_at <= limit))
    ]
    data = {"connection": session.connection, "failed": [asdict(row) for row in rows]}
    return Result(data, _view(rows), has_problem=bool(rows))


def _view(rows: list[FailedRow]) -> list[RenderableType]:
    if not rows:
        return ["Nothing has failed."]
    counted = ", ".join(f"{count} {code}" for code, count in sorted(Counter(row.reason for row in rows).items()))
    columns = ("Code", "what", "order", "stated", "what to do")
    listed = [
        (row.reason, row.key, row.order_id, f"{row.stated_at:%Y-%m-%d}" if row.stated_at else None, row.remedy)
        for row in rows
    ]
    return [table(f"{len(rows)} failed: {counted}", columns, listed), "", "One of them: show ORDER, then logs ORDER."]
