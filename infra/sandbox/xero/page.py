"""A read-only HTML page that shows the sandbox's books to a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from .records import Document

if TYPE_CHECKING:
    from .service import XeroSandbox

_MAX_ROWS = 200
_STYLE = """
body { font: 15px/1.45 system-ui, "Helvetica Neue", Arial, sans-serif; color: #1c2733; background: #f5f6f8;
       margin: 0 auto; max-width: 1180px; padding: 24px; }
h1 { font-size: 24px; margin: 0 0 2px; }
h2 { font-size: 17px; margin: 32px 0 8px; }
p { margin: 0 0 6px; color: #51606f; }
nav a { margin-right: 14px; color: #0b62a4; }
table { border-collapse: collapse; width: 100%; background: #fff; border: 1px solid #d9dee4; }
th, td { padding: 6px 10px; text-align: left; border-bottom: 1px solid #e8ebef; vertical-align: top; }
th { background: #eef1f4; font-weight: 600; white-space: nowrap; }
td.amount, th.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
.AUTHORISED { color: #0b62a4; } .PAID { color: #14732f; } .VOIDED, .DELETED, .ARCHIVED { color: #8a95a1; }
.unbroken { white-space: nowrap; }
summary { cursor: pointer; } details table { margin-top: 6px; font-size: 13px; }
.error { color: #b3261e; }
.none { background: #fff; border: 1px solid #d9dee4; padding: 10px; }
"""
_AMOUNT_COLUMNS = {"Tax", "Total", "Due", "Paid", "Credited", "Remaining", "Amount", "Documents"}

_UNBROKEN_COLUMNS = {"Date", "When"}


@dataclass(frozen=True)
class _Markup:
    """A cell that already is HTML, with all text escaped."""

    text: str


def render(sandbox: XeroSandbox) -> str:
    """Return the page. All text from the books is escaped."""
    books = sandbox.books
    organisation = books.organisation
    lock_dates = [
        f"{label} {day:%d %B %Y}"
        for label, day in (("period locked up to", books.period_lock), ("year locked up to", books.year_lock))
        if day
    ]
    header = [
        f"{organisation.get('CountryCode', '')} {organisation.get('Version', '')}",
        f"base currency {books.base_currency}",
        str(organisation.get("Timezone", "")),
        f"today is {books.today():%d %B %Y}",
        *lock_dates,
    ]
    sections = [
        ("Invoices", _documents(sandbox, books.invoices.values(), "Due")),
        ("Credit notes", _documents(sandbox, books.credit_notes.values(), "Remaining")),
        ("Payments", _payments(sandbox)),
        ("Allocations", _allocations(sandbox)),
        ("Contacts", _contacts(sandbox)),
        ("Recent calls", _calls(sandbox)),
        ("Accounts", _accounts(sandbox)),
    ]
    links = "".join(f'<a href="#{_anchor(title)}">{escape(title)}</a>' for title, _ in sections)
    body = "".join(f'<h2 id="{_anchor(title)}">{escape(title)}</h2>{table}' for title, table in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox Xero</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(str(organisation.get('Name', '')))}</h1>"
        f"<p>Sandbox Xero, not real books · {escape(' · '.join(header))}</p>"
        f"<nav>{links}</nav>{body}</body></html>"
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _table(columns: Sequence[str], rows: list[Sequence[Any]], empty: str) -> str:
    if not rows:
        return f'<p class="none">{escape(empty)}</p>'

    def cell(tag: str, column: str, value: Any) -> str:
        if isinstance(value, _Markup):
            return f"<{tag}>{value.text}</{tag}>"
        text = str(value)
        classes = []
        if column in _AMOUNT_COLUMNS:
            classes.append("amount")
        if column in _UNBROKEN_COLUMNS:
            classes.append("unbroken")
        if tag == "td" and column == "Status":
            classes.append("error" if text.isdigit() and int(text) >= 400 else text)
        attribute = f' class="{escape(" ".join(classes))}"' if classes else ""
        return f"<{tag}{attribute}>{escape(text)}</{tag}>"

    head = "".join(cell("th", column, column) for column in columns)
    newest = rows[-_MAX_ROWS:][::-1]
    lines = "".join(
        f"<tr>{''.join(cell('td', column, value) for column, value in zip(columns, row, strict=True))}</tr>"
        for row in newest
    )
    note = f"<p>The newest {_MAX_ROWS} of {len(rows)}.</p>" if len(rows) > _MAX_ROWS else ""
    return f"{note}<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _documents(sandbox: XeroSandbox, documents: Iterable[Document], outstanding_column: str) -> str:
    contacts = sandbox.books.contacts
    rows: list[Sequence[Any]] = [
        (
            _Markup(_number_with_lines(document)),
            contacts[document.contact_id].name,
            document.date.isoformat(),
            document.status,
            document.reference or "",
            document.currency,
            f"{document.total_tax:,.2f}",
            f"{document.total:,.2f}",
            f"{document.outstanding:,.2f}",
        )
        for document in documents
    ]
    columns = ("Number", "Contact", "Date", "Status", "Reference", "Currency", "Tax", "Total", outstanding_column)
    return _table(columns, rows, "None yet.")


def _number_with_lines(document: Document) -> str:
    """Return the number as an element that expands to the document's lines."""
    lines = "".join(
        f"<tr><td>{escape(line.description or '')}</td><td>{escape(line.account_code or '')}</td>"
        f'<td>{escape(line.tax_type or "")}</td><td class="amount">{line.tax_amount:,.2f}</td>'
        f'<td class="amount">{line.line_amount:,.2f}</td></tr>'
        for line in document.lines
    )
    head = (
        "<tr><th>Line</th><th>Account</th><th>Tax type</th>"
        f'<th class="amount">Tax</th><th class="amount">{escape(document.line_amount_types)}</th></tr>'
    )
    number = escape(document.number or "—")
    return f"<details><summary>{number}</summary><table>{head}{lines}</table></details>"


def _payments(sandbox: XeroSandbox) -> str:
    books = sandbox.books
    rows: list[Sequence[Any]] = []
    for payment in books.payments.values():
        document, account = books.document(payment.document_id), books.accounts[payment.account_id]
        kind = "Refund of" if document.is_credit_note else "Payment of"
        rows.append(
            (
                payment.date.isoformat(),
                f"{kind} {document.number}",
                f"{account.get('Code', '')} {account['Name']}",
                payment.reference or "",
                payment.status,
                document.currency,
                f"{payment.amount:,.2f}",
            )
        )
    return _table(("Date", "What", "Account", "Reference", "Status", "Currency", "Amount"), rows, "None yet.")


def _allocations(sandbox: XeroSandbox) -> str:
    books = sandbox.books
    rows: list[Sequence[Any]] = [
        (
            allocation.date.isoformat(),
            books.credit_notes[allocation.credit_note_id].number,
            books.invoices[allocation.invoice_id].number,
            books.invoices[allocation.invoice_id].currency,
            f"{allocation.amount:,.2f}",
        )
        for allocation in books.allocations.values()
    ]
    return _table(("Date", "Credit note", "To invoice", "Currency", "Amount"), rows, "None yet.")


def _contacts(sandbox: XeroSandbox) -> str:
    books = sandbox.books
    documents = Counter(document.contact_id for document in (*books.invoices.values(), *books.credit_notes.values()))
    rows: list[Sequence[Any]] = [
        (
            contact.name,
            contact.number or "",
            contact.fields.get("EmailAddress", ""),
            contact.status,
            documents[contact.id],
        )
        for contact in books.contacts.values()
    ]
    return _table(("Name", "Contact number", "E-mail", "Status", "Documents"), rows, "None yet.")


def _accounts(sandbox: XeroSandbox) -> str:
    books = sandbox.books
    paid: dict[str, Any] = {}
    for payment in books.payments.values():
        if payment.status == "AUTHORISED":
            document = books.document(payment.document_id)
            is_outgoing = document.type in {"ACCPAY", "ACCRECCREDIT"}
            paid[payment.account_id] = paid.get(payment.account_id, 0) + (
                -payment.amount if is_outgoing else payment.amount
            )
    rows: list[Sequence[Any]] = [
        (
            account.get("Code", ""),
            account["Name"],
            account["Type"],
            account["Status"],
            account.get("CurrencyCode", books.base_currency),
            f"{paid[account_id]:,.2f}" if account_id in paid else "",
        )
        for account_id, account in reversed(books.accounts.items())
    ]
    return "<p>Paid: payments received into the account less payments and refunds made from it.</p>" + _table(
        ("Code", "Name", "Type", "Status", "Currency", "Paid"), rows, "None."
    )


def _calls(sandbox: XeroSandbox) -> str:
    rows: list[Sequence[Any]] = [
        (
            call.at,
            call.operation,
            f"{call.method} {call.path}",
            call.status or "no answer",
            call.elements or "",
            call.fault or "",
        )
        for call in sandbox.calls[-_MAX_ROWS:]
    ]
    return _table(("When", "Operation", "Request", "Status", "Documents", "Fault"), rows, "None yet.")
