"""Tables of every code in domain/failures: failures by where a person finds them, waits, reasons for no document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from amazon_to_xero.domain.failures import FAILURES, NOT_BOOKED, NOT_INVOICED, WAITS, Audience
from documentation.markdown import table


def failures(audience: Audience) -> str:
    """Return the table of the failures that a person finds in one place."""
    rows = [(f"`{code}`", info.meaning, info.remedy) for code, info in FAILURES.items() if info.audience is audience]
    return table(("Code", "What it means", "What to do"), rows)


def waits() -> str:
    return table(("Code", "What the work waits for"), [(f"`{code}`", meaning) for code, meaning in WAITS.items()])


def not_invoiced() -> str:
    rows = [(f"`{code}`", meaning) for code, meaning in NOT_INVOICED.items()]
    return table(("Code", "Why the order has no invoice"), rows)


def not_booked() -> str:
    rows = [(f"`{code}`", meaning) for code, meaning in NOT_BOOKED.items()]
    return table(("Code", "Why the transaction has no credit note"), rows)


PARTS: Mapping[str, Callable[[], str]] = {
    **{f"failures-{audience.name.lower()}": partial(failures, audience) for audience in Audience},
    "waits": waits,
    "not-invoiced": not_invoiced,
    "not-booked": not_booked,
}
