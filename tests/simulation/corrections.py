"""What the accountant of a world corrects: drawn with its orders, sent late, twice and in any order like any message.

Which correction is the last one is what the system has recorded: messages overtake each other. What the books should
hold of a corrected order is worked out here from what the order itself asks of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from amazon_to_xero.domain.amazon.correction_message import correction_message
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, LineTerms
from simulation.application import CONNECTION
from simulation.history import Expected, OrderHistory
from simulation.scheduler import START

if TYPE_CHECKING:
    from simulation.invariants import Booked
    from simulation.world import World

_REGIONS = frozenset({"Amazon.co.uk"})  # prices there include the tax: another tax type leaves the total as it is
_SHARE = 0.5  # of the worlds
_TAX_TYPES = ("ZERORATEDOUTPUT", "OUTPUT2")
_DAYS = tuple((START + timedelta(days=days)).date().isoformat() for days in (-3, -1, 2))
_GOODS, _REBOOKED_ON = "200", "215"  # account of the settings; that on which goods are booked again
_KINDS = (
    CorrectionKind.TAX_TYPE,
    CorrectionKind.DATE,
    CorrectionKind.SKIP,
    CorrectionKind.REBOOK,
    CorrectionKind.WITHDRAW,
)


class DrawnCorrections:
    """The corrections of one world.

    sent: (seconds since the world began, body of the message).
    """

    def __init__(self, rng: random.Random, orders: Sequence[OrderHistory], length: float, per_shipment: bool) -> None:
        """`orders` are those that may be corrected."""
        self.sent: list[tuple[float, str]] = []
        corrected = [one for one in orders if one.region.named in _REGIONS]
        if rng.random() >= _SHARE or not corrected:
            return
        for one in rng.sample(corrected, k=min(len(corrected), rng.choice((1, 2)))):
            for count in range(rng.choice((1, 2, 3, 4))):
                kind = rng.choice([each for each in _KINDS if not (per_shipment and each is CorrectionKind.DATE)])
                at = one.versions[0].at + rng.random() * length
                made = Correction(
                    f"{one.order_id}-{count}",
                    kind,
                    _value(rng, kind),
                    "accountant",
                    "drawn",
                    START + timedelta(seconds=at),
                    terms=_terms(one) if kind is CorrectionKind.REBOOK else (),
                )
                self.sent.append((at, correction_message(CONNECTION, f"order#{one.order_id}", made)))


def _value(rng: random.Random, kind: CorrectionKind) -> str:
    values = {CorrectionKind.TAX_TYPE: _TAX_TYPES, CorrectionKind.DATE: _DAYS, CorrectionKind.WITHDRAW: ("1", "2")}
    return rng.choice(values.get(kind, ("",)))


def _terms(one: OrderHistory) -> tuple[LineTerms, ...]:
    """Return terms of the goods of all items that the order ever has: another account, at the tax type of the rules."""
    items = dict.fromkeys(item["orderItemId"] for version in one.versions for item in version.order["orderItems"])
    return tuple(LineTerms(f"{item_id}:ITEM", _REBOOKED_ON) for item_id in items)


def corrected_expectation(world: World, one: OrderHistory) -> Expected:
    """Return what the newest version of the order asks of the books, with the corrections that apply."""
    expected = one.versions[-1].expected
    applying = _applying(world, one.order_id)
    if "skip" in applying:
        return Expected(None, expected.currency)
    lines = expected.lines
    if "tax_type" in applying:
        lines = tuple((account, applying["tax_type"], amount) for account, _, amount in lines)
    if "rebook" in applying:
        lines = tuple(
            (_REBOOKED_ON if account == _GOODS else account, tax_type, amount) for account, tax_type, amount in lines
        )
    return replace(expected, lines=lines, date=applying.get("date", expected.date) if lines else expected.date)


def check_corrections(world: World, one: OrderHistory, live: Sequence[Booked], violated: Callable[[str], None]) -> None:
    """Check that a corrected order is booked on the day that the accountant has stated, and counts every entry."""
    entries = _entries(world, one.order_id)
    row = world.table.rows[f"ORDER#{one.order_id}"]
    if json.loads(row.data)["corrections"] != len(entries):
        violated(f"order {one.order_id} rests without all of its {len(entries)} corrections")
    day = _applying(world, one.order_id).get("date")
    days = {each.document["DateString"][:10] for each in live if each.sign > 0}
    if day is not None and corrected_expectation(world, one).total and not days & world.lock_dates.days_of(day):
        violated(f"order {one.order_id} should be booked on {day} and is on {sorted(days)}")


def _entries(world: World, order_id: str) -> list[Mapping[str, Any]]:
    row = world.table.rows.get(f"CORRECTION#order#{order_id}")
    entries: list[Mapping[str, Any]] = json.loads(row.data)["entries"] if row else []
    return entries


def _applying(world: World, order_id: str) -> dict[str, str]:
    """Return kind -> value of the corrections that apply: of each kind the last one that is not withdrawn."""
    entries = list(enumerate(_entries(world, order_id), 1))
    withdrawn = {entry["value"] for _, entry in entries if entry["kind"] == "withdraw"}
    return {
        entry["kind"]: entry["value"]
        for number, entry in entries
        if entry["kind"] != "withdraw" and str(number) not in withdrawn
    }
