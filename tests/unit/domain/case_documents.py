"""Documents of Xero as the cases of accounting_cases write them: one text for the document, one for each line.

What Xero makes of a line, its amount and its tax, is computed here by itself: no code of the product decides whether
the product is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.ports.amazon import Json
from unit.domain.case_statements import ORDER_ID

_AMOUNTS = {"Inclusive": "tax included", "Exclusive": "tax added", "NoTax": "no tax"}
_STATUSES = {"DRAFT": "draft", "SUBMITTED": "awaits approval", "VOIDED": "voided", "DELETED": "deleted"}
_LINE_NAMES = (
    *("Shipping discount", "Gift wrap discount", "Cash-on-delivery fee", "Shipping", "Gift wrap", "Other charge"),
    *("Delivery tip", "Discount", "Goodwill", "Restocking fee", "Return shipping", "Rounding"),
    *("Amount of unknown type", "Refund"),
)


def shown_document(document: Json, organisation: Organisation) -> Iterator[str]:
    is_invoice = "InvoiceNumber" in document
    number = document["InvoiceNumber" if is_invoice else "CreditNoteNumber"]
    suffix = number.removeprefix(ORDER_ID) if re.match(rf"{ORDER_ID}(-|$)", number) else number
    name = " ".join(filter(None, ["invoice" if is_invoice else "credit note", suffix]))
    if document["Status"] in ("VOIDED", "DELETED"):
        yield f"{name} of {document['Date']}: {_STATUSES[document['Status']]}"
        return
    total, amounts = total_in_xero(document, organisation), _AMOUNTS[document["LineAmountTypes"]]
    settled = _settled(document, total)
    yield f"{name} of {document['Date']}: {total:.2f} {document['CurrencyCode']}, {amounts}, {settled}"
    for line in document["LineItems"]:
        yield _shown_line(line, document, organisation)


def _settled(document: Json, total: Decimal) -> str:
    if document["Status"] in _STATUSES:
        return _STATUSES[document["Status"]]
    word = "paid from" if "InvoiceNumber" in document else "refunded from"
    parts = []
    for payment in document.get("Payments", ()):
        amount = "" if payment["Amount"] == total else f"{payment['Amount']:.2f} "
        day = payment["DateString"][:10]
        parts.append(f"{amount}{word} {payment['Account']['Code']}{'' if day == document['Date'] else f' on {day}'}")
    for allocation in document.get("Allocations", ()):
        parts.append(f"{allocation['Amount']:.2f} allocated to the invoice")
    return ", ".join(parts) or "open"


def total_in_xero(document: Json, organisation: Organisation) -> Decimal:
    """Return the total that Xero arrives at: with the tax of each line where that is added."""
    net = sum((_amount(line) for line in document["LineItems"]), Decimal(0))
    if document["LineAmountTypes"] != "Exclusive":
        return net
    return net + sum((tax_in_xero(line, document, organisation) for line in document["LineItems"]), Decimal(0))


def tax_in_xero(line: Json, document: Json, organisation: Organisation) -> Decimal:
    """Return the tax of a line in Xero: as it states it, else by its rate, rounded half up."""
    if "TaxAmount" in line:
        return Decimal(line["TaxAmount"])
    amounts = document["LineAmountTypes"]
    rate = organisation.tax_rates.get(line["TaxType"])
    if rate is None or amounts == "NoTax":
        return Decimal("0.00")
    base = Decimal(100) + (rate.rate if amounts == "Inclusive" else 0)
    return _half_up(_amount(line) * rate.rate / base)


def _shown_line(line: Json, document: Json, organisation: Organisation) -> str:
    tax = tax_in_xero(line, document, organisation) + 0
    quantity = f"{line['Quantity']} × " if line["Quantity"] != 1 else ""
    reported = [f", {each['Name']}: {each['Option']}" for each in line.get("Tracking", ())]
    item = f", item {line['ItemCode']}" if "ItemCode" in line else ""
    return (
        f"{quantity}{_line_name(line['Description'])} {line['AccountCode']} {line['TaxType']} {_amount(line):.2f} "
        f"tax {tax:.2f}{''.join(reported)}{item}"
    )


def _line_name(description: str) -> str:
    text = description.split(" × ", 1)[-1]
    found = next((name for name in _LINE_NAMES if text == name or text.startswith(f"{name}:")), "goods")
    return found.lower() if found != "goods" else found


def _amount(line: Json) -> Decimal:
    return _half_up(Decimal(line["Quantity"]) * line["UnitAmount"])


def _half_up(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
