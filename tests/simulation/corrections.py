"""What the accountant of a world corrects: drawn with its orders, sent late, twice and in any order like any message.

Which correction is the last one is what the system has recorded: messages overtake each other. What the books should
hold of a corrected order is worked out here from what the order itself asks of them.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from amazon_to_xero.domain.amazon.correction_message import correction_message
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, LineTerms
from simulation.application import CONNECTION
from simulation.booked import ROUNDING, Booked
from simulation.culprits import MENDED_TOO_EARLY
from simulation.history import Expected, OrderHistory
from simulation.scheduler import START

if TYPE_CHECKING:
    from simulation.world import World

_REGIONS = frozenset({"Amazon.co.uk"})  # prices there include the tax: another tax type leaves the total as it is
_SHARE = 0.5  # of the worlds
_TAX_TYPES = ("ZERORATEDOUTPUT", "OUTPUT2")
_DAYS = tuple((START + timedelta(days=days)).date().isoformat() for days in (-3, -1, 2))
_SHIPMENTS = ("shipment 1", "shipment 2")
_TRACKING, _TEXT = ("Region", "North"), "Text of the accountant"
_GOODS, _REBOOKED_ON = "200", "215"  # account of the settings; that on which goods are booked again
_KINDS = (
    CorrectionKind.TAX_TYPE,
    CorrectionKind.DATE,
    CorrectionKind.SKIP,
    CorrectionKind.REBOOK,
    CorrectionKind.TRACKING,
    CorrectionKind.DESCRIPTION,
    CorrectionKind.CONTACT,
    CorrectionKind.WITHDRAW,
)


class DrawnCorrections:
    """The corrections of one world.

    sent: (seconds since the world began, body of the message).
    """

    def __init__(
        self,
        rng: random.Random,
        orders: Sequence[OrderHistory],
        length: float,
        per_shipment: bool,
        contact_id: Callable[[], str],
    ) -> None:
        """`orders` are those that may be corrected; `contact_id` returns the id of a contact of the accountant's."""
        self.sent: list[tuple[float, str]] = []
        corrected = [one for one in orders if one.region.named in _REGIONS]
        if rng.random() >= _SHARE or not corrected:
            return
        for one in rng.sample(corrected, k=min(len(corrected), rng.choice((1, 2)))):
            for count in range(rng.choice((1, 2, 3, 4))):
                kind = rng.choice(_KINDS)
                at = one.versions[0].at + rng.random() * length
                made = Correction(
                    f"{one.order_id}-{count}",
                    kind,
                    contact_id() if kind is CorrectionKind.CONTACT else _value(rng, kind),
                    "accountant",
                    "drawn",
                    START + timedelta(seconds=at),
                    line=rng.choice(_SHIPMENTS) if per_shipment and kind is CorrectionKind.DATE else "",
                    terms=_terms(one) if kind is CorrectionKind.REBOOK else (),
                )
                self.sent.append((at, correction_message(CONNECTION, f"order#{one.order_id}", made)))


def _value(rng: random.Random, kind: CorrectionKind) -> str:
    values = {
        CorrectionKind.TAX_TYPE: _TAX_TYPES,
        CorrectionKind.DATE: _DAYS,
        CorrectionKind.TRACKING: ("=".join(_TRACKING), "none"),
        CorrectionKind.DESCRIPTION: (_TEXT,),
        CorrectionKind.WITHDRAW: ("1", "2"),
    }
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
    if world.days.are_used and expected.status == "DRAFT":
        return Expected(None, expected.currency, refusals=expected.refusals)
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
    applying = _applying(world, one.order_id)
    _check_shipments(world, one, live, applying, violated)
    _check_lines(world, one, live, applying, violated)
    _check_contact(world, one, live, applying, violated)
    day = applying.get("date")
    days = {each.document["DateString"][:10] for each in live if each.sign > 0}
    if day is not None and corrected_expectation(world, one).total and not days & world.lock_dates.days_of(day):
        violated(f"order {one.order_id} should be booked on {day} and is on {sorted(days)}")


def fails_with_correction(world: World, one: OrderHistory) -> frozenset[str]:
    """Return how the order fails while a correction states the day of a shipment that it does not have.

    What its documents have failed with, such as a look-up that was lost for an hour or a lock date that its plan does
    not see, stays until it is withdrawn.
    """
    known = len(json.loads(world.table.rows[f"ORDER#{one.order_id}"].data)["shipments"])
    stated = [name for name in _applying(world, one.order_id) if name.startswith("date shipment")]
    is_held = any(int(name.split()[-1]) > known for name in stated)
    held_back = {"CORRECTION_UNUSABLE", "OUTCOME_UNRESOLVED", "PERIOD_LOCKED"}
    return MENDED_TOO_EARLY | held_back if is_held else frozenset()


def has_stated_contact(world: World, one: OrderHistory) -> bool:
    """Whether the accountant has ever stated the contact of the order."""
    return any(entry["kind"] == "contact" for entry in _entries(world, one.order_id))


def _check_shipments(
    world: World,
    one: OrderHistory,
    live: Sequence[Booked],
    applying: Mapping[str, str],
    violated: Callable[[str], None],
) -> None:
    """Check that each shipment is booked on its stated day, of orders of which nothing was taken off.

    Where an adjustment has moved an amount from one line to another, it stays on the day of the adjustment.
    """
    is_adjusted = any(each.sign < 0 and re.search(r"-A\d+", each.number) for each in live)
    if is_adjusted or corrected_expectation(world, one).total != sum(_invoiced(each) for each in live):
        return
    for place, name in enumerate(_SHIPMENTS, 1):
        day = applying.get(f"date {name}")
        number = one.order_id if place == 1 else f"{one.order_id}-S{place}"
        of_shipment = [each for each in live if _is_of(each.number, number)]
        invoiced = sum(_invoiced(each) for each in of_shipment)
        days = world.lock_dates.days_of(day)
        booked = sum(each.total for each in of_shipment if each.document["DateString"][:10] in days)
        if day is not None and booked != invoiced:
            violated(f"order {one.order_id}: {booked} of {invoiced} of {name} is booked on {day}")


def _is_of(number: str, invoice: str) -> bool:
    """Whether a document is the invoice of a shipment, perhaps entered again, or one of its moves to another day."""
    return re.fullmatch(rf".*{re.escape(invoice)}(-R\d+|-D\d+)*", number) is not None


def _invoiced(each: Booked) -> Decimal:
    """Return what an invoice of a shipment or order states; 0 for a document that adjusts or moves one."""
    is_first = each.sign > 0 and re.search(r"-[AD]\d+(-R\d+)?$", each.number) is None
    return each.total if is_first else Decimal(0)


def _check_lines(
    world: World,
    one: OrderHistory,
    live: Sequence[Booked],
    applying: Mapping[str, str],
    violated: Callable[[str], None],
) -> None:
    """Check that all that is booked is reported as stated, and that unpaid lines have the stated text."""
    lines = [(each, line) for each in live for line in each.document["LineItems"] if line["AccountCode"] != ROUNDING]
    tracked = [(each, line) for each, line in lines if line.get("Tracking")]
    amount = sum((each.sign * line["LineAmount"] for each, line in tracked), Decimal(0))
    is_stated = applying.get("tracking") == "=".join(_TRACKING)
    wanted = sum((line[2] for line in corrected_expectation(world, one).lines), Decimal(0)) if is_stated else Decimal(0)
    if amount != wanted:
        violated(f"order {one.order_id}: {amount} is reported under {_TRACKING}, and {wanted} should be")
    if "description" in applying and _is_untouched(world, live):
        texts = {line["Description"] for _, line in lines}
        if texts - {_TEXT}:
            violated(f"order {one.order_id}: its lines should be described as {_TEXT} and are as {sorted(texts)}")


def _check_contact(
    world: World,
    one: OrderHistory,
    live: Sequence[Booked],
    applying: Mapping[str, str],
    violated: Callable[[str], None],
) -> None:
    """Check that what could follow the stated contact does."""
    contacts = {each.document["Contact"]["ContactID"] for each in live}
    stated = applying.get("contact")
    if stated and _is_untouched(world, live) and contacts - {stated}:
        violated(f"order {one.order_id}: its documents should go to the stated contact and go to {sorted(contacts)}")
    if not stated and has_stated_contact(world, one) and _is_untouched(world, live) and contacts & world.own_contacts:
        violated(f"order {one.order_id}: its documents still go to the contact that is withdrawn")


def _is_untouched(world: World, live: Sequence[Booked]) -> bool:
    """Whether nothing of an order was ever paid, adjusted or locked: all of it can be changed."""
    is_stated = world.lock_dates.are_drawn or world.days.are_used
    return not is_stated and all(each.sign > 0 and not each.payments for each in live)


def _entries(world: World, order_id: str) -> list[Mapping[str, Any]]:
    row = world.table.rows.get(f"CORRECTION#order#{order_id}")
    entries: list[Mapping[str, Any]] = json.loads(row.data)["entries"] if row else []
    return entries


def _applying(world: World, order_id: str) -> dict[str, str]:
    """Return kind -> value of the corrections that apply: of each kind the last one that is not withdrawn.

    The day of a shipment has its name after the kind.
    """
    entries = list(enumerate(_entries(world, order_id), 1))
    withdrawn = {entry["value"] for _, entry in entries if entry["kind"] == "withdraw"}
    return {
        " ".join(filter(None, (entry["kind"], entry["line"]))): entry["value"]
        for number, entry in entries
        if entry["kind"] != "withdraw" and str(number) not in withdrawn
    }
