"""The accounting cases as tables of docs/cases.md. What they expect is not computed here: the unit tests prove it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from documentation.case_files import Case, books, themes
from documentation.markdown import slug_of, table

_BREAK = "<br>"
_OUTCOMES = {
    "fails": "With a person: `{}`",
    "waits": "Waits: `{}`",
    "not_invoiced": "No invoice: `{}`",
    "refund_fails": "Refund with a person: `{}`",
    "refund_not_booked": "No credit note: `{}`",
    "document_fails": "Document with a person: `{}`",
    "confirmation": "Comparison with the charge: `{}`",
}
# What happens to an order after it was first stated, by its name in the case.
_EVENTS = {
    "on": "sold on {}",
    "status": "{}",
    "items": "{}",
    "packages": "packages {}",
    "order": "order: {}",
    "charged": "Amazon charges {}",
    "refund": "refund of {}",
    "type": "as {}",
    "currency": "in {}",
    "organisation": "in Xero: {}",
    "settings": "settings: {}",
    "approve": "a person approves the invoice in Xero",
}
_CORRECTIONS = {
    "tax_type": "a person corrects the tax type to {}",
    "account": "a person corrects the account to {}",
    "date": "a person corrects the day to {}",
    "skip": "a person skips it",
    "book_as_it_is": "a person accepts it as it is",
}


def all_cases() -> str:
    """Return every theme with its cases, under a contents list."""
    contents = [f"- [{each['title']}](#{slug_of(each['title'])}), {len(each['case'])} cases" for each in themes()]
    sections = [f"## {each['title']}\n\n{each['about']}\n\n{_cases_of(each['case'])}" for each in themes()]
    return "\n\n".join(["\n".join(contents), *sections])


def all_books() -> str:
    """Return the sellers whose settings the cases name."""
    return table(("Books", "Seller"), [(f"*{name}*", each["about"]) for name, each in books().items()])


def _cases_of(cases: Sequence[Case]) -> str:
    heads = ("Case", "Amazon states", "Xero holds")
    return table(heads, [(f"**{case['name']}.** {case['why']}", stated(case), held(case)) for case in cases])


def stated(case: Case) -> str:
    """Return what Amazon states in a case, and the settings that differ from its books, as one cell."""
    lines = [f"{case['on']} · *{case['books']}*"]
    lines += [f"`{name}`: {_text(value)}" for name, value in case.get("settings", {}).items()]
    lines += [f"{_word(name)}: {_text(value)}" for name, value in case.get("organisation", {}).items()]
    lines += [f"{name} {case[name]} UTC" for name in ("placed", "shipped") if name in case]
    if case.get("read_late"):
        lines.append("read weeks after it shipped")
    if "status" in case:
        lines.append(case["status"])
    lines += [f"{_word(name)}: {_text(value)}" for name, value in case.get("order", {}).items()]
    lines += [f"`{text}`" for text in (*case["items"], *case.get("packages", ()))]
    if "charged" in case:
        lines.append(f"charged: `{case['charged']}`")
    lines += [f"{event['at']}: {', '.join(_happened(event))}" for event in case.get("later", ())]
    return _BREAK.join(lines)


def held(case: Case) -> str:
    """Return what Xero holds in a case, and what else became of it, as one cell."""
    lines = [
        f"&nbsp;&nbsp;{line.strip()}" if line.startswith(" ") else line
        for line in case.get("xero", "").strip().splitlines()
    ]
    lines += [f"{name}: {_text(value)}" for name, value in case.get("document", {}).items()]
    lines += [text.format(case[name]) for name, text in _OUTCOMES.items() if name in case]
    lines += [f"“… {text} …”" for text in case.get("says", ())]
    lines += [f"Logged: `{code}`" for code in case.get("logged", ())]
    return _BREAK.join(lines)


def _happened(event: Mapping[str, Any]) -> Iterator[str]:
    for name, value in event.items():
        if name in ("items", "packages"):
            yield _EVENTS[name].format(", ".join(f"`{text}`" for text in value))
        elif name == "correct":
            yield _CORRECTIONS[value[0]].format(*value[1:])
        elif name in ("order", "organisation", "settings"):
            yield _EVENTS[name].format(", ".join(f"{_word(key)} {_text(each)}" for key, each in value.items()))
        elif name in ("charged", "refund"):
            yield _EVENTS[name].format(f"`{value}`")
        elif name != "at":
            yield _EVENTS[name].format(value)


def _text(value: Any) -> str:
    """Return a value as text: a list or table of the settings in the form in which an operator writes it."""
    return f"`{json.dumps(value, ensure_ascii=False)}`" if isinstance(value, list | dict | bool) else str(value)


def _word(name: str) -> str:
    return name.replace("_", " ")


PARTS: Mapping[str, Callable[[], str]] = {"accounting-cases": all_cases, "accounting-case-books": all_books}
