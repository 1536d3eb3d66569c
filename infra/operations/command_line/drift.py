"""`drift list`, `drift accept` and `drift restore`: what people changed in Xero of documents that were written here.

A decision is sent to the shipments queue, whose function carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import RenderableType

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision, decision_in, decision_message
from amazon_to_xero.domain.amazon.message import read_document
from amazon_to_xero.domain.books.change_decisions import is_taken_over, warnings, why_not
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.services.changes_in_xero.decisions import ChangedSource, changed_source
from amazon_to_xero.services.posting.organisation_cache import stored_organisation
from operations.command_line.asking import Yes, agreed
from operations.command_line.command import add_command
from operations.command_line.correct import Author, Reason
from operations.command_line.entering import author_of
from operations.command_line.result import Result, table
from operations.command_line.session import Session, UsageProblem
from operations.links import xero_link
from operations.xero_changes import open_changes

drift = typer.Typer(name="drift", help="What people changed in Xero of documents written here.", no_args_is_help=True)

Key = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="As drift list names it, e.g. invoice#204-0000100-0000100.")
]


def listed(session: Session) -> Result:
    """List what was changed in Xero and nobody has decided about: what, when it was found, and field by field."""
    store = session.store()
    changes = open_changes(store)
    documents = store.load(Document, [each.document for each in changes])
    listed_changes = [_change(each, documents.get(each.document)) for each in changes]
    data = {"connection": session.connection, "open": listed_changes}
    if not changes:
        return Result(data, ["No document was changed in Xero."])
    pages = [[each["document"], each["link"]] for each in listed_changes if each["link"]]
    view: list[RenderableType] = [
        _differences(f"{len(changes)} changed in Xero", changes),
        "",
        table("", ("Document", "page in Xero"), pages),
        "",
        "Right as it is in Xero: drift accept DOCUMENT --reason WHY. To be written back: drift restore DOCUMENT.",
    ]
    return Result(data, view, has_problem=True)


def accept(session: Session, document: Key, reason: Reason, author: Author = "", yes: Yes = False) -> Result:
    """Accept a change: what Xero holds is right. It becomes a correction with author and reason. Asks first."""
    return _decide(session, document, Decision.ACCEPT, reason, author, yes=yes)


def restore(
    session: Session,
    document: Key,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever reads it later.")] = "restored",
    author: Author = "",
    yes: Yes = False,
) -> Result:
    """Restore a document: it is written back as it was; a voided one gets a new number. Shows it and asks first."""
    return _decide(session, document, Decision.RESTORE, reason, author, yes=yes)


add_command(drift, listed, "list")
add_command(drift, accept)
add_command(drift, restore)


# --- deciding ---------------------------------------------------------------------------------------------------------


def _decide(session: Session, key: str, decision: Decision, reason: str, author: str, *, yes: bool) -> Result:
    found = changed_source(session.store(), key)
    if found is None:
        raise UsageProblem(f"No change of {key} was found. List the open ones with drift list.")
    if problem := why_not(decision, found.change, found.document, found.others, found.corrections):
        raise UsageProblem(problem)
    outcome = _outcome(session, decision, found)
    data = _change(found.change, found.document) | {"decision": decision, "outcome": outcome, "is_sent": False}
    preview = [_differences("", [found.change]), "", *outcome]
    if not agreed(preview, f"{decision.capitalize()} {key}?", yes=yes):
        return Result(data, ["Nothing was changed."])
    _send(session, _made(session, key, decision, reason, author))
    return Result(data | {"is_sent": True}, ["Sent. It is carried out within a minute: show ORDER."])


def _made(session: Session, key: str, decision: Decision, reason: str, author: str) -> ChangeDecision:
    return ChangeDecision(str(uuid4()), key, decision, author_of(session, author), reason, session.clock.now())


def _send(session: Session, made: ChangeDecision) -> None:
    """Send a decision. Raises UsageProblem for one that the queue would not take."""
    body = decision_message(session.connection, made)
    try:
        decision_in(read_document(body))
    except Failure as failure:
        raise UsageProblem(failure.remedy) from None
    session.client("sqs").send_message(QueueUrl=session.output("ShipmentsQueueUrl"), MessageBody=body)


def _outcome(session: Session, decision: Decision, found: ChangedSource) -> list[str]:
    """Return what will become of the document, in sentences."""
    change, document = found.change, found.document
    if decision is Decision.RESTORE:
        organisation = stored_organisation(session.store())
        locked = organisation.locked_until if organisation else None
        return [_restored(change, document), *warnings(change, document, locked)]
    return [_accepted(change, document)]


def _restored(change: XeroChange, document: Document) -> str:
    if change.kind is ChangeKind.REMOVED:
        return f"Xero brings no voided document back: it is entered again, as {document.desired.number} with -R1 added."
    if change.kind is ChangeKind.UNSETTLED:
        body = document.desired.body
        return f"It is made again: {body.get('Amount')} on {body.get('Date', 'the day of Xero')}."
    return "It is written back as it was requested."


def _accepted(change: XeroChange, document: Document) -> str:
    if change.kind is ChangeKind.REMOVED and document.kind is DocumentKind.INVOICE:
        return "The order is skipped: it has no documents here, whatever Amazon states later."
    if change.kind in (ChangeKind.ARCHIVED, ChangeKind.MERGED):
        return "Later documents go to the contact that it was merged into, or to a new one."
    if change.kind is not ChangeKind.EDITED:
        return "It stays removed, and nothing takes its place."
    if is_taken_over(document.desired, change.held):
        return "Nothing is written to it any more. What Amazon changes later is entered beside it, at its new terms."
    return (
        "Nothing is written to it any more. Its lines or amounts are others than Amazon's: what Amazon changes later "
        "is entered beside it, as the difference to what Amazon stated before."
    )


# --- showing ----------------------------------------------------------------------------------------------------------


def _change(change: XeroChange, document: Document | None) -> dict[str, Any]:
    return {
        "document": change.document,
        "order_id": change.order_id,
        "change": change.kind.value,
        "found_at": change.found_at,
        "differences": [vars(each) for each in change.differences],
        "link": xero_link(document) if document else "",
    }


def _differences(title: str, changes: Iterable[XeroChange]) -> RenderableType:
    columns = ("Document", "change", "found (UTC)", "field", "in Xero", "requested")
    rows = [
        [
            change.document,
            change.kind.value,
            f"{change.found_at:%Y-%m-%d %H:%M}" if change.found_at else None,
            each.field,
            each.in_xero,
            each.to_write,
        ]
        for change in changes
        for each in change.differences
    ]
    return table(title, columns, rows)
