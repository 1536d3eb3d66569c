"""`rebook list`, `preview` and `run`: book orders again after a rule in the settings was corrected.

What a person chooses becomes a correction of each order, with the terms that were shown: author, reason and time stay
in its list, and rules that change later change nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.rebooking import Rebooking
from operations.command_line.asking import Yes, agreed
from operations.command_line.command import add_command
from operations.command_line.entering import author_of, policy_of, send
from operations.command_line.order_ids import order_ids_in
from operations.command_line.progress import shown
from operations.command_line.rebook_view import listed_orders, listed_plans, orders_table, plans_view
from operations.command_line.result import Result
from operations.command_line.session import Session, UsageProblem
from operations.rebooked_orders import RebookedOrder, rebooked
from operations.rebooking_in_memory import NotComparable, booked_otherwise

Orders = Annotated[list[str] | None, typer.Argument(metavar="[ORDER]...", help="Amazon order ids.")]
OrderFile = Annotated[
    Path | None, typer.Option("--file", help="A text file that names orders, e.g. what rebook list --json printed.")
]


def list_orders(
    session: Session,
    first: Annotated[str, typer.Option("--from", help="Sales booked on this day or later, e.g. 2026-10-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="Sales booked on this day or earlier.")] = "",
    marketplace: Annotated[str, typer.Option("--marketplace", help="Amazon's id, or e.g. Amazon.co.uk.")] = "",
) -> Result:
    """List orders that are booked otherwise than the rules would book them now, field by field. Changes nothing."""
    begin, end = _day(first) or date.min, _day(last) or date.max
    known = sorted(row.key for row in session.rows("ORDER") if row.state == "PLANNED")
    compared = _compared(session, shown(known, "Orders compared", len(known)), _marketplace_id(marketplace))
    found = [(record, each) for record, each in compared if each is not None]
    differing = [(record, each) for record, each in found if each.lines and each.day and begin <= each.day <= end]
    unknown = [(record, each) for record, each in found if each.problem]
    data = {"compared": len(found) - len(unknown), **listed_orders(differing, unknown)}
    return Result(data, orders_table(differing, unknown), has_problem=bool(unknown))


def preview(session: Session, order: Orders = None, file: OrderFile = None) -> Result:
    """Show what booking orders again would write: a credit at the old and an invoice at the new terms, or an update."""
    asked = _asked(session, order, file, "preview", "preview")
    return Result(_data(asked), plans_view(asked), has_problem=any(each.needs_person for each in asked))


def run(
    session: Session,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever reads it later. No data of buyers.")],
    order: Orders = None,
    file: OrderFile = None,
    author: Annotated[str, typer.Option("--author", help="Who states it; by default the ARN of the AWS caller.")] = "",
    yes: Yes = False,
) -> Result:
    """Book orders again by the rules of now. Shows the documents that would change, and asks first."""
    asked = _asked(session, order, file, reason, author_of(session, author))
    chosen = [each for each in asked if each.entry is not None]
    data, is_needed = _data(asked), any(each.needs_person for each in asked)
    if not chosen:
        return Result(data | {"sent": []}, [*plans_view(asked), "", "Nothing was changed."], has_problem=is_needed)
    if not agreed(plans_view(asked), f"Book {len(chosen)} orders again?", yes=yes):
        return Result(data | {"sent": []}, ["Nothing was changed."])
    for each in shown(chosen, "Orders sent", len(chosen)):
        if each.entry is not None:
            send(session, _source(each.order_id), [each.entry])
    left = [each for each in asked if each.entry is None]
    view: list[RenderableType] = [
        f"{len(chosen)} orders were sent. See what came of one: show ORDER.",
        *plans_view(left),
    ]
    return Result(data | {"sent": [each.order_id for each in chosen]}, view, has_problem=is_needed)


rebook = typer.Typer(
    name="rebook", help="Book orders again after a rule in the settings was corrected.", no_args_is_help=True
)
add_command(rebook, list_orders, "list")
add_command(rebook, preview)
add_command(rebook, run)


# --- the orders that a person names -----------------------------------------------------------------------------------


def _asked(
    session: Session, named: Sequence[str] | None, file: Path | None, reason: str, author: str
) -> list[RebookedOrder]:
    """Return what becomes of each order. Raises UsageProblem for none, and for one that is not known."""
    order_ids = list(dict.fromkeys([*(named or ()), *order_ids_in(file)]))
    if not order_ids:
        raise UsageProblem("Name orders, or a --file that has their ids.")
    found = {record.order_id: (record, each) for record, each in _compared(session, order_ids)}
    if unknown := [each for each in order_ids if each not in found]:
        raise UsageProblem(f"No order {unknown[0]} is known to the connection {session.connection}. Check the id.")
    store, policy, asked = session.store(), policy_of(session), shown(order_ids, "Orders planned", len(order_ids))
    try:
        return [rebooked(store, policy, session.clock, *found[each], reason, author) for each in asked]
    except Failure as failure:
        raise UsageProblem(failure.remedy) from None


def _data(asked: Sequence[RebookedOrder]) -> dict[str, Any]:
    left = [{"order": each.order_id, "why": each.why_left} for each in asked if each.entry is None]
    return {"orders": listed_plans(asked), "left": left}


# --- what is compared -------------------------------------------------------------------------------------------------


def _compared(
    session: Session, order_ids: Iterator[str] | Sequence[str], marketplace_id: str = ""
) -> list[tuple[OrderRecord, Rebooking | None]]:
    try:
        return list(booked_otherwise(session.store(), policy_of(session), session.clock, order_ids, marketplace_id))
    except NotComparable as problem:
        raise UsageProblem(str(problem)) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageProblem(f"{text} is no day such as 2026-10-01.") from None


def _marketplace_id(named: str) -> str:
    if not named or named in MARKETPLACES:
        return named
    found = next((key for key, each in MARKETPLACES.items() if each.name.lower() == named.lower()), "")
    if not found:
        raise UsageProblem(f"{named} is no marketplace: give Amazon's id, or its name, such as Amazon.co.uk.")
    return found


def _source(order_id: str) -> str:
    return OrderRecord(order_id).source
