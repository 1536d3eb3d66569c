"""The report as one page without any other file: its columns sort, its rows filter, and it prints on A4."""

from __future__ import annotations

from html import escape
from string import Template

from amazon_to_xero.domain.stock.reconciliation_report import COLUMNS, NUMBERS, ReconciliationReport, ReportLine
from amazon_to_xero.domain.stock.worklist import EntryState

# On screen and on paper; the other columns are in the CSV and the JSON report.
_NOT_SHOWN = frozenset({"skus", "pools", "opened", "word"})
_SHOWN = tuple(name for name in COLUMNS if name not in _NOT_SHOWN)

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Stock of $connection, $at</title>
<style>
:root { color-scheme: light dark; --line: #8884; --open: #b3261e; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
p { margin: .3rem 0; max-width: 60rem; }
form { display: flex; flex-wrap: wrap; gap: .8rem; align-items: end; margin: 1rem 0; }
label { display: grid; gap: .2rem; font-size: .85rem; }
input, select { font: inherit; padding: .3rem .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .75rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .2rem; text-align: left; vertical-align: top; }
th { font-size: .68rem; position: sticky; top: 0; background: Canvas; vertical-align: bottom; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
td.c { min-width: 12rem; }
td.i, td.m { overflow-wrap: anywhere; min-width: 5rem; }
.f { color: var(--open); }
tr.OPEN td.s { color: var(--open); font-weight: 600; }
@media print {
  @page { size: A4 landscape; margin: 10mm; }
  body { margin: 0; font-size: 9pt; }
  form { display: none; }
  table { font-size: 6.2pt; }
  th, td { padding: .6mm .7mm; }
  td.c { min-width: 45mm; }
  td.i, td.m { min-width: 12mm; }
  th { font-size: 1em; position: static; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
</style>
</head>
<body>
<h1>Stock of $connection: Amazon and Xero</h1>
<p>Amazon's stock was read on $at (UTC). $open of $count items are open. Amounts are in $currency.</p>
<p>Gap: the units at Amazon and those of your own stock, where Amazon states it, less Xero's. Pending: units sold and
refunded since the last reconciliation that Xero does not hold yet. Difference: what they do not explain. Nothing was
changed, neither at Amazon nor in Xero.</p>
$findings<form>
<label>Find <input id="find" type="search" placeholder="item, name or text"></label>
<label>State <select id="state"><option value="">all</option>$states</select></label>
<label>Reason <select id="reason"><option value="">all</option>$reasons</select></label>
<output id="shown"></output>
</form>
<table>
<thead><tr>$titles</tr></thead>
<tbody>
$rows
</tbody>
</table>
<script>
const body = document.querySelector("tbody"), rows = [...body.rows];
const find = document.getElementById("find"), state = document.getElementById("state");
const reason = document.getElementById("reason"), shown = document.getElementById("shown");
function filter() {
  const text = find.value.trim().toLowerCase();
  let count = 0;
  for (const row of rows) {
    const fits = (!state.value || row.dataset.state === state.value)
      && (!reason.value || row.dataset.reason === reason.value)
      && (!text || row.textContent.toLowerCase().includes(text));
    row.hidden = !fits;
    count += fits;
  }
  shown.textContent = count + " of " + rows.length + " items";
}
function sort(title, number, isNumber) {
  const falling = title.getAttribute("aria-sort") === "ascending", sign = falling ? -1 : 1;
  const value = row => row.cells[number].textContent;
  const compare = isNumber
    ? (a, b) => (value(a) === "") - (value(b) === "") || sign * (Number(value(a)) - Number(value(b)))
    : (a, b) => sign * value(a).localeCompare(value(b));
  for (const each of document.querySelectorAll("th")) each.removeAttribute("aria-sort");
  title.setAttribute("aria-sort", falling ? "descending" : "ascending");
  body.append(...rows.sort(compare));
}
document.querySelectorAll("th").forEach((title, number) => title.firstElementChild.addEventListener(
  "click", () => sort(title, number, title.classList.contains("n"))));
for (const each of [find, state, reason]) each.addEventListener("input", filter);
document.querySelector("form").addEventListener("submit", event => event.preventDefault());
filter();
</script>
</body>
</html>
""")
_CLASSES = {"item": "i", "name": "m", "state": "s", "reason": "r", "correction": "c"}


def html_report(report: ReconciliationReport) -> bytes:
    """Return the page, UTF-8. Every text in it is escaped."""
    return _PAGE.substitute(
        connection=escape(report.connection),
        at=f"{report.at:%Y-%m-%d %H:%M}",
        currency=escape(report.currency),
        findings="".join(f'<p class="f">{escape(each.remedy)}</p>\n' for each in report.pool_findings),
        open=len(report.open_lines),
        count=len(report.lines),
        states="".join(f"<option>{state}</option>" for state in EntryState),
        reasons="".join(f"<option>{finding}</option>" for finding in report.counts()),
        titles="".join(
            f'<th scope="col" class="{_class(name)}"><button type="button">{COLUMNS[name]}</button></th>'
            for name in _SHOWN
        ),
        rows="\n".join(_row(line) for line in report.lines),
    ).encode()


def _row(line: ReportLine) -> str:
    cells = line.cells()
    state, reason = cells["state"], cells["reason"]
    texts = {name: escape(cells[name]) for name in _SHOWN} | {"reason": reason.replace("_", "_<wbr>")}
    shown = "".join(f'<td class="{_class(name)}">{text}</td>' for name, text in texts.items())
    return f'<tr class="{state}" data-state="{state}" data-reason="{reason}">{shown}</tr>'


def _class(name: str) -> str:
    return "n" if name in NUMBERS else _CLASSES[name]
