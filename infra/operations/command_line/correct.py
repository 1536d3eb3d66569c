"""`correct`, `withdraw` and `corrections`: what a person states about one order or refund, against Amazon or the rules.

A correction is sent to the queue of the function that plans its source, which is the only writer of its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import uuid4

import typer

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.correction_checks import checked
from amazon_to_xero.domain.corrections import OF_LINES, Correction, CorrectionKind, Corrections
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.source import SourceKind, identity_of, source_key
from amazon_to_xero.services.intake.corrections import check_of_refund
from operations.command_line import correction_options as options
from operations.command_line.asking import Yes, agreed
from operations.command_line.contacts import contact_id_of
from operations.command_line.corrections_view import (
    changed_documents,
    changes_table,
    corrections_table,
    listed_corrections,
)
from operations.command_line.entering import author_of, policy_of, send, stored_corrections, with_entries
from operations.command_line.result import Result
from operations.command_line.session import Session, UsageProblem
from operations.command_line.shipments import days_of
from operations.command_line.stated_lines import check_in_xero
from operations.planned_in_memory import PlannedDocuments, plan_with

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Amazon's id of an order, or transaction#ID for a refund.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads it later. No data of buyers.")]
Author = Annotated[str, typer.Option("--author", help="Who states it; by default the ARN of the AWS caller.")]


def correct(
    session: Session,
    source: Source,
    reason: Reason,
    tax_type: options.TaxType = "",
    account: options.Account = "",
    tracking: options.Tracking = None,
    item_code: options.ItemCode = "",
    description: options.Description = "",
    line: options.Line = "",
    date: options.Date = "",
    shipment: options.Shipment = "",
    contact: options.Contact = "",
    skip: options.Skip = False,
    as_it_is: options.AsItIs = False,
    author: Author = "",
    yes: Yes = False,
) -> Result:
    """Correct one order or refund. Shows the documents that would change and asks first."""
    named = {
        CorrectionKind.TAX_TYPE: tax_type,
        CorrectionKind.ACCOUNT: account,
        CorrectionKind.TRACKING: "; ".join(tracking or ()),
        CorrectionKind.ITEM_CODE: item_code,
        CorrectionKind.DESCRIPTION: description,
        CorrectionKind.DATE: date,
        CorrectionKind.CONTACT: contact,
        CorrectionKind.SKIP: skip,
        CorrectionKind.BOOK_AS_IT_IS: as_it_is,
    }
    stated = {kind: value if isinstance(value, str) else "" for kind, value in named.items() if value}
    options.check(stated, line, shipment)
    key = _key(source)
    made = [
        _made(session, kind, _value_of(session, kind, key, value), reason, author, each)
        for kind, value in stated.items()
        for each in _lines_of(session, kind, key, line, shipment)
    ]
    check_in_xero(session, made)
    return _enter(session, key, made, yes=yes)


def withdraw(
    session: Session,
    source: Source,
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the correction, as corrections lists it.")],
    reason: Reason,
    author: Author = "",
    yes: Yes = False,
) -> Result:
    """Withdraw a correction. It stays in the list, and the documents go back. Shows them and asks first."""
    made = _made(session, CorrectionKind.WITHDRAW, str(number), reason, author)
    return _enter(session, _key(source), [made], yes=yes)


def corrections(session: Session, source: Source) -> Result:
    """List the corrections of an order or refund, withdrawn ones included."""
    row = _stored(session, _key(source))
    return Result({"source": row.source, "corrections": listed_corrections(row)}, [corrections_table(row)])


# --- entering ---------------------------------------------------------------------------------------------------------


def _value_of(session: Session, kind: CorrectionKind, source: str, stated: str) -> str:
    """Return the value of a correction: as it is stated, and of a contact its id."""
    if kind is not CorrectionKind.CONTACT:
        return stated
    _record(session, source)  # nothing is looked up in Xero for an order that is not known
    return contact_id_of(session, stated)


def _lines_of(session: Session, kind: CorrectionKind, source: str, line: str, shipment: str) -> Sequence[str]:
    """Return the lines that a correction of that kind is entered for, one by one; an empty one stands for all."""
    if kind in OF_LINES:
        return [line]
    if kind is not CorrectionKind.DATE:
        return [""]
    record = _record(session, source)
    if isinstance(record, OrderRecord):
        return days_of(record, shipment, policy_of(session), session.store())
    if shipment:
        raise UsageProblem("--shipment is for orders. A refund has one day.")
    return [""]


def _enter(session: Session, source: str, made: Sequence[Correction], *, yes: bool) -> Result:
    row, record = with_entries(_stored(session, source), made), _record(session, source)
    if isinstance(record, TransactionRecord):
        _check_refund(record, made)
    planned = _plan(session, record, row)
    data = {
        "source": source,
        "corrections": listed_corrections(row),
        "changes": changed_documents(planned),
        "is_sent": False,
    }
    if not agreed([corrections_table(row), "", *changes_table(planned)], f"Correct {source}?", yes=yes):
        return Result(data, ["Nothing was changed."])
    send(session, source, made)
    return Result(data | {"is_sent": True}, ["Sent. It is recorded and planned within a minute: show ORDER."])


def _record(session: Session, source: str) -> OrderRecord | TransactionRecord:
    """Return what is corrected. Raises UsageProblem for an order or transaction that is not known."""
    _check_key(source)
    order_id = identity_of(source, SourceKind.ORDER)
    if order_id is not None:
        order = session.store().load(OrderRecord, [order_id]).get(order_id)
        if order is None:
            raise UsageProblem(f"No order {order_id} is known to the connection {session.connection}. Check the id.")
        return order
    transaction_id = str(identity_of(source, SourceKind.TRANSACTION))
    transaction = session.store().load(TransactionRecord, [transaction_id]).get(transaction_id)
    if transaction is None:
        raise UsageProblem(f"Amazon has not stated {source} to the connection {session.connection}.")
    return transaction


def _check_refund(record: TransactionRecord, made: Sequence[Correction]) -> None:
    try:
        for each in made:
            check_of_refund(record, each)
    except Failure as failure:
        raise UsageProblem(failure.remedy) from None


def _plan(session: Session, record: OrderRecord | TransactionRecord, row: Corrections) -> PlannedDocuments:
    return plan_with(session.store(), policy_of(session), session.clock, record, row)


def _made(session: Session, kind: CorrectionKind, value: str, reason: str, author: str, line: str = "") -> Correction:
    """Return the correction. Raises UsageProblem for one that would be refused."""
    by = author_of(session, author)
    try:
        return checked(Correction(str(uuid4()), kind, value, by, reason, session.clock.now(), line))
    except Failure as failure:
        raise UsageProblem(failure.remedy) from None


def _key(source: str) -> str:
    return source if "#" in source else source_key(SourceKind.ORDER, source)


def _stored(session: Session, source: str) -> Corrections:
    _check_key(source)
    return stored_corrections(session, source)


def _check_key(source: str) -> None:
    if not any(identity_of(source, kind) for kind in (SourceKind.ORDER, SourceKind.TRANSACTION)):
        raise UsageProblem(f"{source} is neither an order nor a refund: give an order id, or transaction#ID.")
