"""The state of the books as one HTML page: no script, nothing from elsewhere, made to be read and printed on A4."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.failures import remedy_of
from operations.books_state import MAX_LISTED, BooksState, Link

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
p { margin: .3rem 0; } .note { color: #555; }
.verdict { font-size: 1.1rem; padding: .7rem 1rem; margin: 1rem 0;
  border-left: 5px solid #2e7d32; background: #f1f8f1; }
.verdict.open { border-color: #b71c1c; background: #fdf1f0; }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #888; }
th, td { padding: .35rem .7rem .35rem 0; vertical-align: top; }
td { border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } td.code, small { font-size: .8em; color: #444; }
td.key { white-space: nowrap; } a { color: #0b57d0; }
@page { size: A4; margin: 15mm; }
@media print {
  body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; } a { color: inherit; }
}
"""


def status_page(books: BooksState) -> str:
    """Return the page. Every text is escaped, and nothing of it is data of a buyer."""
    sections = (
        _refused(books),
        _orders(books),
        _open(
            "What failed",
            "Do what the text says, then reprocess the order: docs/operating.md, Reprocess an order.",
            books,
            "failures",
        ),
        _open(
            "Sales that Amazon's charges do not confirm",
            "Amazon charges a sale within days. One that failed was charged otherwise, or not at all.",
            books,
            "unconfirmed",
        ),
        _stock(books),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Books of {escape(books.connection)}, {books.at:%Y-%m-%d}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>Amazon orders in Xero: {escape(books.connection)}</h1>\n"
        f'<p class="note">As of {books.at:%d %B %Y, %H:%M} UTC. Links to Xero open the organisation used last.</p>\n'
        f"{_verdict(books)}\n{''.join(sections)}</body>\n</html>\n"
    )


def _verdict(books: BooksState) -> str:
    differing, work = sum(item.state == "FAILED" for item in books.unconfirmed), books.open_work
    counts = (
        (len(work.refused), "what is refused"),
        (work.late_hours, "work that is late, in hours"),
        (len(books.failures), "what failed"),
        (differing, "sales that Amazon charged otherwise or not at all"),
        (work.to_approve, "invoices that await your approval in Xero"),
        (work.differences, "differences of stock that make operate DO='stock worklist' lists"),
        (work.changed, "documents changed in Xero that make operate DO='drift list' lists"),
    )
    needs = "; ".join(f"{what} ({count:,})" for count, what in counts if count)
    if needs:
        return f'<p class="verdict open">You are needed for {escape(needs)}.</p>'
    return '<p class="verdict">Nothing needs you. Everything else continues by itself.</p>'


def _refused(books: BooksState) -> str:
    rows = [
        (_cell(service, "key"), _cell(code, "code"), _cell(remedy_of(code)))
        for service, code in sorted(books.open_work.refused.items())
    ]
    note = "What needs it waits until a person acts, and nothing is lost."
    return _section("What is refused", note, ("What", "Reason", "What to do"), rows)


def _orders(books: BooksState) -> str:
    rows = [
        (
            _cell(_plain(each.state), "key"),
            _cell(f"{each.count:,}", "number"),
            _cell(each.reason, "code"),
            _cell(each.meaning),
        )
        for each in books.orders
    ]
    total = sum(each.count for each in books.orders)
    return _section("Orders", f"{total:,} orders are known.", ("State", "Orders", "Reason", "What it means"), rows)


def _open(title: str, note: str, books: BooksState, which: str) -> str:
    items = books.failures if which == "failures" else books.unconfirmed
    rows = [
        (
            _cell(each.what, "key"),
            f"<td>{escape(_plain(each.state))}<br><small>{_code(each.reason)}</small></td>",
            _cell(each.text),
            f"<td>{_links(each.links)}</td>",
        )
        for each in items
    ]
    return _section(title, note, ("Order", "Why", "What to do", "Pages"), rows)


def _stock(books: BooksState) -> str:
    rows = [
        (_cell(_plain(each.state)), _cell(each.sku, "key"), _cell(_place(each.pool)), _cell(each.channel))
        for each in books.stock
    ]
    note = "Stranded: Amazon has units that cannot be sold. Out and low: send more, where you still sell it."
    return _section("Stock to act on", note, ("State", "SKU", "Marketplace or pool", "Channel"), rows)


def _code(reason: str) -> str:
    """Return a code that may be broken after each underscore, in a narrow column."""
    return escape(reason).replace("_", "_<wbr>")


def _plain(state: str) -> str:
    """Return a state in the words of a sentence: Not invoiced."""
    return state.replace("_", " ").capitalize()


def _place(pool: str) -> str:
    """Return the name of a marketplace, or of the pool of several that the settings name."""
    return MARKETPLACES[pool].name if pool in MARKETPLACES else pool


def _section(title: str, note: str, columns: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    """Return a section with a table of cells, or with the word None."""
    heading = f"<h2>{escape(title)}</h2>\n"
    if not rows:
        return f"{heading}<p>None.</p>\n"
    names = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows[:MAX_LISTED])
    more = len(rows) - MAX_LISTED
    rest = f"<p>And {more:,} more, which make operate DO=failed lists.</p>\n" if more > 0 else ""
    table = f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
    return f'{heading}<p class="note">{escape(note)}</p>\n{table}{rest}'


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _links(links: Iterable[Link]) -> str:
    anchors = (f'<a href="{escape(link.address)}" rel="noreferrer">{escape(link.label)}</a>' for link in links)
    return "<br>".join(anchors)
