"""`stock worklist`, `stock reconcile` and `stock close`: stock at Amazon against the tracked items in Xero."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from botocore.config import Config
from rich.console import RenderableType

from amazon_to_xero.domain.stock.correction import plain
from amazon_to_xero.domain.stock.worklist import WorklistEntry
from amazon_to_xero.services.reconciliation.reconciler import COMPLETED_AT, CURSOR, FOLDER, LEASE_HELD
from amazon_to_xero.services.reconciliation.worklist import open_entries
from operations.command_line.result import Result, table
from operations.command_line.session import Session

#: A reconciliation takes minutes; without this, boto3 would give up, and invoke the function once more.
PATIENT = Config(read_timeout=900, retries={"max_attempts": 0})


def worklist(session: Session) -> Result:
    """List the items whose units at Amazon and in Xero differ, largest difference first, with what to do."""
    store = session.store()
    entries = open_entries(store)
    done = store.cursor(CURSOR).data
    data = {
        "connection": session.connection,
        "reconciled_at": done.get(COMPLETED_AT),
        "reports": _reports(session, done),
        "open": [asdict(each) for each in entries],
    }
    return Result(data, _view(entries, data), has_problem=bool(entries))


def reconcile(session: Session) -> Result:
    """Reconcile stock now, and list the worklist. It reads Amazon and Xero, and changes neither. It takes minutes."""
    answer = _invoke(session, {"reconcile": "now", "connection": session.connection})
    if problem := answer.get("problem"):
        return _refused(problem)
    stopped = answer.get("stopped", {}).get(session.connection, "")
    if stopped == LEASE_HELD:
        return _refused("Stock is being reconciled by another run. List the worklist in some minutes.")
    if stopped:
        return _refused('Stock was not reconciled. Why: make operate DO="logs --function inventory_reconciliation".')
    return worklist(session)


def close(
    session: Session,
    item: Annotated[str, typer.Argument(help="Code of the item in Xero, or the SKU, as the worklist has it.")],
    word: Annotated[str, typer.Option("--word", help="Why the difference may stay: one sentence.")],
) -> Result:
    """Close an entry of the worklist. The same difference does not open it again; another one does."""
    answer = _invoke(session, {"close": {"connection": session.connection, "item": item, "word": word}})
    if problem := answer.get("problem"):
        return _refused(problem)
    return Result(answer, [f"{answer['item']} is closed ({answer['reason']}): {answer['word']}"])


def _invoke(session: Session, event: Mapping[str, Any]) -> dict[str, Any]:
    """Invoke the function that reconciles, wait for it, and return its answer."""
    client = session.client("lambda", PATIENT)
    function = session.output("InventoryReconciliationFunctionName")
    answered = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    answer = json.loads(answered["Payload"].read() or "{}")
    if "FunctionError" in answered:
        return {"problem": f"The function failed ({answer.get('errorType', 'no type')}). Report it as a defect."}
    return dict(answer)


def _reports(session: Session, done: Mapping[str, str]) -> str:
    """Return where the reports of the last reconciliation are; empty where there was none."""
    return f"s3://{session.output('ReportBucketName')}/{done[FOLDER]}/" if FOLDER in done else ""


def _refused(problem: str) -> Result:
    return Result({"error": problem}, [problem], has_problem=True)


def _view(entries: list[WorklistEntry], data: Mapping[str, Any]) -> list[RenderableType]:
    if not data["reconciled_at"]:
        return ["Stock was never reconciled. Set inventory.reconcile in the settings, then: stock reconcile."]
    place = [f"Reconciled at {data['reconciled_at']}. The whole list: {data['reports']}stock.html"]
    if not entries:
        return ["No item needs a person.", *place]
    columns = (
        "Item",
        "reason",
        "Amazon",
        "own stock",
        "Xero",
        "sold",
        "refunded",
        "difference",
        "open since",
        "what to do",
    )
    listed = [
        (
            each.code,
            each.finding,
            each.amazon,
            each.own,
            None if each.xero is None else plain(each.xero),
            each.sold,
            each.refunded,
            plain(each.difference),
            f"{each.opened_at:%Y-%m-%d}" if each.opened_at else None,
            each.correction,
        )
        for each in entries
    ]
    return [table(f"{len(entries)} open", columns, listed), "", *place, "If one may stay: stock close ITEM --word WHY."]
