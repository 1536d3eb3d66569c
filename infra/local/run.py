"""`make run`: a seller's history on the really deployed system, and the books it leaves.

    python -m local.run [--seller FOLDER] [--keep]

Leaves .run/books.json (everything the sandbox Xero holds, as Xero's own objects) and .run/calls.json (every request to
Amazon and Xero). Exits with 1 when the system did not come to rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.order_facts import OrderFact
from local.cloud import ROOT, StepFailed
from local.stack import OWN_SELLER, Stack, deployed, seller_folder
from sandbox.wire import dumps

RUN = ROOT / ".run"
WAIT = 150  # seconds for everything to come to rest


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description="Sync a seller on the local cloud.")
    parser.add_argument("--seller", type=seller_folder, default=OWN_SELLER, help="a seller folder")
    parser.add_argument("--keep", action="store_true", help="leave everything running to look at, until Ctrl-C")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    say(f"Building and deploying template.yaml to the local cloud (logs in {RUN.relative_to(ROOT)}/)")
    try:
        with deployed(RUN, given.seller) as stack:
            say(f"Deployed after {time.monotonic() - started:.0f} s. Amazon plays the history of {given.seller}")
            stack.amazon.ask("POST", "play", {})
            unfinished = stack.wait_until_quiet(WAIT)
            leave(stack)
            show(stack)
            say(f"{'Not at rest: ' + unfinished if unfinished else 'At rest'} after {time.monotonic() - started:.0f} s")
            if given.keep:
                say(f"Xero's books to look at: {stack.xero.url}/  (Ctrl-C ends it)")
                while True:
                    time.sleep(3600)
    except StepFailed as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 0
    return 1 if unfinished else 0


def leave(stack: Stack) -> None:
    """The files for inspection."""
    (RUN / "books.json").write_text(dumps(stack.xero.ask("GET", "books"), indent=1), encoding="utf-8")
    (RUN / "calls.json").write_text(dumps(stack.calls(), indent=1), encoding="utf-8")


def show(stack: Stack) -> None:
    books = stack.xero.ask("GET", "books")
    invoices = {invoice["Reference"].rpartition(" ")[2]: invoice for invoice in books["Invoices"]}
    ids = stack.order_ids
    facts = stack.store.orders(ids)
    say("")
    say(f"{'Amazon order':<20} {'status':<18} {'invoice':<26} {'total':>10}     {'Xero status':<12} why")
    for order_id in ids:
        say(order_line(order_id, facts.get(order_id), invoices.get(order_id)))
    totals: Counter[str] = Counter()
    for invoice in books["Invoices"]:
        if invoice["Status"] not in ("DELETED", "VOIDED"):
            totals[invoice["CurrencyCode"]] += invoice["Total"]
    say("")
    sums = ", ".join(f"{total:.2f} {code}" for code, total in sorted(totals.items()))
    say(f"{len(books['Invoices'])} invoices: {sums}")
    show_calls(stack.calls())
    for line in dead_letters(stack):
        say(line)


def order_line(order_id: str, fact: OrderFact | None, invoice: dict[str, Any] | None) -> str:
    if fact is None:
        return f"{order_id:<20} not read"
    why = f"{fact.reason}{': ' + fact.hint if fact.hint else ''}"
    if invoice is None:
        return f"{order_id:<20} {fact.status:<18} {'-':<26} {'':>10}     {fact.standing.value:<12} {why}"
    total: Decimal = invoice["Total"]
    return (
        f"{order_id:<20} {fact.status:<18} {invoice['InvoiceNumber']:<26} {total:>10.2f} {invoice['CurrencyCode']} "
        f"{invoice['Status']:<12} {why}"
    )


def show_calls(calls: Sequence[dict[str, Any]]) -> None:
    counted = Counter((call["service"], call["operation"]) for call in calls)
    carried = Counter[tuple[str, str]]()
    for call in calls:
        carried[call["service"], call["operation"]] += call["elements"]
    for service in ("amazon", "xero"):
        made = {operation: count for (of, operation), count in sorted(counted.items()) if of == service}
        parts = []
        for operation, count in made.items():
            documents = carried[service, operation]
            parts.append(f"{count} {operation}" + (f" ({documents} documents)" if documents else ""))
        say(f"{sum(made.values())} calls to {service}: {', '.join(parts)}")


def dead_letters(stack: Stack) -> list[str]:
    """The messages that wait for a person, with their reasons. Looked at, not taken."""
    sqs = stack.cloud.client("sqs")
    answer = sqs.receive_message(
        QueueUrl=stack.outputs["OrdersDlqUrl"],
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
    )
    return [
        "dead letter: " + "; ".join(f"{name}: {text['StringValue']}" for name, text in sorted(attributes.items()))
        for attributes in (message.get("MessageAttributes", {}) for message in answer.get("Messages", []))
    ]


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
