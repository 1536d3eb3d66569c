"""`status-page`: the state of the books as one HTML page, for the bookkeeper."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from operations.books_state import books_state
from operations.command_line.progress import shown
from operations.command_line.result import Result
from operations.command_line.session import Session, UsageProblem
from operations.open_work import open_work
from operations.status_page import status_page as rendered


def status_page(
    session: Session,
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path(".run/status.html"),
) -> Result:
    """Write one HTML page of the books' state for the bookkeeper: orders, failures, unconfirmed charges, stock."""
    name = session.connection
    orders, confirmations, levels = (
        shown(session.rows(prefix), f"Reading {what}")
        for prefix, what in (("ORDER", "orders"), ("CONFIRMATION", "charges"), ("STOCK", "stock"))
    )
    books = books_state(name, session.clock.now(), session.store(), orders, confirmations, levels, open_work(session))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(rendered(books), encoding="utf-8")
    except OSError as problem:
        raise UsageProblem(f"{out} cannot be written: {problem}. Name another file with --out.") from None
    return Result({"file": str(out.resolve()), **asdict(books)}, [f"Wrote {out.resolve()}. Open it in a browser."])
