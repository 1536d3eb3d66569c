"""The options of `correct`: what a person may state, and which options belong together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from amazon_to_xero.domain.corrections import OF_LINES, CorrectionKind
from operations.command_line.session import UsageProblem

TaxType = Annotated[str, typer.Option("--tax-type", help="Xero's TaxType of the line, or of all lines.")]
Account = Annotated[str, typer.Option("--account", help="Account code of the line, or of all lines.")]
Tracking = Annotated[
    list[str] | None,
    typer.Option("--tracking", help="Category=Option of the line, or of all lines; at most two, or none."),
]
ItemCode = Annotated[
    str, typer.Option("--item-code", help="Code of an item in Xero for the line, or for all lines; or none.")
]
Description = Annotated[
    str, typer.Option("--description", help="Text of the line, or of all lines. No data of buyers.")
]
Line = Annotated[
    str, typer.Option("--line", help="Only this line: an order item id, or item id and charge, e.g. 123:SHIPPING.")
]
Date = Annotated[str, typer.Option("--date", help="Day of the sale or refund, e.g. 2026-11-04.")]
Shipment = Annotated[str, typer.Option("--shipment", help="Whose day --date is: a number that show lists, or all.")]
Contact = Annotated[
    str, typer.Option("--contact", help="Whom the order is invoiced to: ContactID, number or name in Xero.")
]
Skip = Annotated[bool, typer.Option("--skip", help="It has no documents, e.g. because you entered it.")]
AsItIs = Annotated[
    bool, typer.Option("--as-it-is", help="Book Amazon's amounts although its tax is unclear or varies.")
]


def check(stated: Collection[CorrectionKind], line: str, shipment: str) -> None:
    """Raise UsageProblem where nothing is stated, or where --line or --shipment stand alone."""
    if not stated:
        raise UsageProblem(
            "Say what to correct: --tax-type, --account, --tracking, --item-code, --description, --date, --contact, "
            "--skip or --as-it-is."
        )
    if line and OF_LINES.isdisjoint(stated):
        raise UsageProblem("--line goes with --tax-type, --account, --tracking, --item-code or --description.")
    if shipment and CorrectionKind.DATE not in stated:
        raise UsageProblem("--shipment goes with --date.")
