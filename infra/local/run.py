"""`make run`: a seller's history on the really deployed system, and the books it leaves.

    python -m local.run [--seller FOLDER] [--keep]

Leaves .run/books.json (everything the sandbox Xero holds, as Xero's own objects) and .run/calls.json (every request to
Amazon and Xero). Exits with 1 when the system did not come to rest.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from local.cloud import ROOT, StepFailed
from local.stack import OWN_SELLER, Stack, deployed, seller_folder
from sandbox.wire import dumps

RUN = ROOT / ".run"
WAIT = 150  # seconds for everything to come to rest, at each stop of the history


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
            unfinished = stack.play(WAIT)
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


#: In the order in which an accountant reads them, and with the sign that they have for the seller.
DOCUMENTS = (("Invoices", "InvoiceNumber", 1), ("CreditNotes", "CreditNoteNumber", -1))
#: Amazon's order ids; what was only delivered by Amazon begins with S01.
ORDER_ID = re.compile(r"(?:S01|\d{3})-\d{7}-\d{7}")


@dataclass(frozen=True)
class Entry:
    """One document of the books; `settled` is what went by the clearing account. A credit note's sums are negative."""

    number: str
    order_id: str
    status: str
    currency: str
    total: Decimal
    settled: Decimal

    @property
    def stands(self) -> bool:
        return self.status not in ("DELETED", "VOIDED")

    def __str__(self) -> str:
        settled = f"{self.settled:.2f}" if self.settled else "-"
        return f"{self.number:<24} {self.status:<11} {self.total:>10.2f} {self.currency} {settled:>10}"


def entries(books: dict[str, Any]) -> list[Entry]:
    """Invoices first, then credit notes, each as Xero holds them now."""
    found = []
    for collection, number, sign in DOCUMENTS:
        for document in books[collection]:
            settled = sum((payment["Amount"] for payment in document["Payments"]), Decimal(0))
            order = ORDER_ID.search(f"{document[number]} {document['Reference']}")
            found.append(
                Entry(
                    document[number],
                    order.group() if order else "",
                    document["Status"],
                    document["CurrencyCode"],
                    sign * document["Total"],
                    sign * settled,
                )
            )
    return found


def show(stack: Stack) -> None:
    """Each order with its invoice, and beneath it what came of that: credit notes and further invoices."""
    held = entries(stack.xero.ask("GET", "books"))
    by_order: dict[str, list[Entry]] = defaultdict(list)
    for entry in held:
        by_order[entry.order_id].append(entry)
    facts = stack.store.load(OrderRecord, stack.order_ids)
    say("")
    say(f"{'Amazon order':<20} {'status':<18} {'in Xero':<24} {'status':<11} {'total':>10}     {'paid':>10} why")
    for order_id in stack.order_ids:
        for line in order_lines(order_id, facts.get(order_id), by_order.pop(order_id, [])):
            say(line)
    say("")
    for line in sums([entry for entry in held if entry.stands]):
        say(line)
    show_calls(stack.calls())
    for line in dead_letters(stack):
        say(line)


def order_lines(order_id: str, fact: OrderRecord | None, held: Sequence[Entry]) -> list[str]:
    if fact is None:
        return [f"{order_id:<20} not read"]
    why = f"{fact.reason}{': ' + fact.remedy if fact.remedy else ''}"
    first, *others = [str(entry) for entry in held] or [f"{'-':<24} {fact.state.value:<36}"]
    lines = [f"{order_id:<20} {fact.status:<18} {first} {why}".rstrip()]
    lines += [f"{'':<39} {other}" for other in others]
    standing = [entry for entry in held if entry.stands]
    if len(standing) > 1:
        net = sum((entry.total for entry in standing), Decimal(0))
        lines.append(f"{'':<39} {'net':<36} {net:>10.2f} {standing[0].currency}")
    return lines


def sums(standing: Sequence[Entry]) -> list[str]:
    """What the books come to, per currency. What went by clearing is what Amazon owes the seller."""
    lines = []
    for currency in sorted({entry.currency for entry in standing}):
        own = [entry for entry in standing if entry.currency == currency]
        invoices, notes = [e.total for e in own if e.total >= 0], [e.total for e in own if e.total < 0]
        net, clearing = sum(invoices + notes, Decimal(0)), sum((e.settled for e in own), Decimal(0))
        lines.append(
            f"{currency}: {len(invoices)} invoices {sum(invoices, Decimal(0)):.2f}, "
            f"{len(notes)} credit notes {sum(notes, Decimal(0)):.2f}, net {net:.2f}; in clearing {clearing:.2f}"
        )
    return lines


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
    sqs, lines = stack.cloud.client("sqs"), []
    for function in ("Orders", "Shipments"):
        answer = sqs.receive_message(
            QueueUrl=stack.outputs[f"{function}DlqUrl"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            attributes = message.get("MessageAttributes", {})
            told = "; ".join(f"{name}: {text['StringValue']}" for name, text in sorted(attributes.items()))
            lines.append(f"dead letter of {function.lower()}: {told}")
    return lines


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
