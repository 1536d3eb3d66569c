"""What a run leaves, for people: the printed table of orders and documents, totals, calls and dead letters."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from deployable.names import logical_name
from local.stack import Stack

#: Collection, field of the number, sign of the amounts for the seller; in the order in which they are listed.
DOCUMENTS = (("Invoices", "InvoiceNumber", 1), ("CreditNotes", "CreditNoteNumber", -1))
_NUMBER = 30  # characters of a document's number: Amazon's order id, and -RF with eight more
#: Amazon's order ids. Those of orders that Amazon only fulfilled begin with S01.
ORDER_ID = re.compile(r"(?:S01|\d{3})-\d{7}-\d{7}")


@dataclass(frozen=True)
class Entry:
    """One document of the books. The amounts of a credit note are negative.

    settled: what was paid from or refunded to the clearing account.
    """

    number: str
    order_id: str
    status: str
    currency: str
    total: Decimal
    settled: Decimal

    @property
    def is_effective(self) -> bool:
        """Whether it counts in the books: neither deleted nor voided."""
        return self.status not in ("DELETED", "VOIDED")

    def __str__(self) -> str:
        settled = f"{self.settled:.2f}" if self.settled else "-"
        return f"{self.number:<{_NUMBER}} {self.status:<11} {self.total:>10.2f} {self.currency} {settled:>10}"


def entries(books: Mapping[str, Any]) -> list[Entry]:
    """Return the invoices by their numbers, then the credit notes, each as Xero holds it now."""
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
    return sorted(found, key=lambda entry: (entry.total < 0, entry.number))


def summary(
    stack: Stack,
    orders: Mapping[str, OrderRecord],
    books: Mapping[str, Any],
    confirmations: Mapping[str, SaleConfirmation],
) -> list[str]:
    """Return the lines to print: each order with its documents, then totals, confirmations, calls and dead letters."""
    held = entries(books)
    by_order: dict[str, list[Entry]] = defaultdict(list)
    for entry in held:
        by_order[entry.order_id].append(entry)
    lines = [
        "",
        f"{'Amazon order':<20} {'status':<18} "
        f"{'in Xero':<{_NUMBER}} {'status':<11} {'total':>10}     {'paid':>10} reason",
    ]
    for order_id in stack.order_ids:
        lines += order_lines(order_id, orders.get(order_id), by_order[order_id])
    lines += ["", *totals([entry for entry in held if entry.is_effective])]
    return [*lines, *confirmed(confirmations), *call_counts(stack.calls()), *dead_letters(stack)]


def order_lines(order_id: str, order: OrderRecord | None, documents: Sequence[Entry]) -> list[str]:
    """Return the lines of one order: its first document beside it, further ones below, and the net if there are two."""
    if order is None:
        return [f"{order_id:<20} not read"]
    reason = f"{order.reason}{': ' + order.remedy if order.remedy else ''}"
    first, *others = [str(entry) for entry in documents] or [f"{'-':<{_NUMBER}} {order.state.value:<36}"]
    lines = [f"{order_id:<20} {order.status:<18} {first} {reason}".rstrip()]
    lines += [f"{'':<39} {other}" for other in others]
    effective = [entry for entry in documents if entry.is_effective]
    if len(effective) > 1:
        net = sum((entry.total for entry in effective), Decimal(0))
        lines.append(f"{'':<39} {'net':<{_NUMBER + 12}} {net:>10.2f} {effective[0].currency}")
    return lines


def totals(effective: Sequence[Entry]) -> list[str]:
    """Return the totals of the books per currency. The clearing balance is what Amazon owes the seller."""
    lines = []
    for currency in sorted({entry.currency for entry in effective}):
        own = [entry for entry in effective if entry.currency == currency]
        invoices, notes = [e.total for e in own if e.total >= 0], [e.total for e in own if e.total < 0]
        net, clearing = sum(invoices + notes, Decimal(0)), sum((e.settled for e in own), Decimal(0))
        lines.append(
            f"{currency}: {_counted(len(invoices), 'invoice')} {sum(invoices, Decimal(0)):.2f}, "
            f"{_counted(len(notes), 'credit note')} {sum(notes, Decimal(0)):.2f}, "
            f"net {net:.2f}; in clearing {clearing:.2f}"
        )
    return lines


def confirmed(confirmations: Mapping[str, SaleConfirmation]) -> list[str]:
    """Return how many sales Amazon's charges confirm, and why each of the others is not."""
    sales = {order_id: row for order_id, row in confirmations.items() if row.sale is not None}
    others = {key: row for key, row in confirmations.items() if row.state is not ConfirmationState.CONFIRMED}
    lines = [f"{len(sales.keys() - others.keys())} of {len(sales)} sales confirmed by what Amazon charged"]
    lines += [f"{order_id:<20} {row.state}: {row.reason} {row.remedy}".rstrip() for order_id, row in others.items()]
    return lines


def call_counts(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line per service: how often each operation was called, and how many documents it carried."""
    counts = Counter((call["service"], call["operation"]) for call in calls)
    elements = Counter[tuple[str, str]]()
    for call in calls:
        elements[call["service"], call["operation"]] += call["elements"]
    lines = []
    for service in ("amazon", "xero"):
        of_service = {operation: count for (of, operation), count in sorted(counts.items()) if of == service}
        parts = []
        for operation, count in of_service.items():
            documents = elements[service, operation]
            parts.append(f"{count} {operation}" + (f" ({documents} documents)" if documents else ""))
        lines.append(f"{sum(of_service.values())} calls to {service}: {', '.join(parts)}")
    return lines


def dead_letters(stack: Stack) -> list[str]:
    """Return one line per dead letter, with its reason and remedy. The messages stay in their queues."""
    sqs, lines = stack.cloud.client("sqs"), []
    for capability in CAPABILITIES:
        answer = sqs.receive_message(
            QueueUrl=stack.outputs[f"{logical_name(capability)}DlqUrl"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            texts = {name: text["StringValue"] for name, text in message.get("MessageAttributes", {}).items()}
            known = [texts[name] for name in ("order_id", "reason", "remedy") if name in texts]
            lines.append(f"dead letter of {capability}: {': '.join(known) or message['Body']}")
    return lines


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
