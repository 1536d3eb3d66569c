"""Worlds with one invoice per day: what Xero holds of a day is what the entries of its orders and refunds add up to.

What a day states of one order is read from the entries that it has claimed, so that an order is checked as if it had
documents of its own. Days are closed every few minutes, in the middle of all that changes and fails.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from amazon_to_xero.adapters.dynamodb.rows import Row
from amazon_to_xero.domain.planning import entries
from amazon_to_xero.services.planning import day_closings
from simulation.booked import GONE, Booked, by_account
from simulation.lock_dates import LOCKED
from simulation.scheduler import START

if TYPE_CHECKING:
    from simulation.world import World

_SHARE = 0.1  # of the worlds
_SIGNS = {"invoice": 1, "credit_note": -1}
_CENT = Decimal("0.01")


class DrawnDays:
    """Whether a world has one invoice per day.

    are_used: whether it has.
    constants: how often its days are closed, and how many entries are closed at once.
    """

    def __init__(self, world: World, are_used: bool | None) -> None:
        """`are_used`: instead of a draw."""
        self._world = world
        rng = world._stream("days")
        drawn = rng.random() < _SHARE
        self.are_used = drawn if are_used is None else are_used
        self.constants: Mapping[tuple[Any, str], Any] = {}
        if self.are_used:
            self.constants = {
                (entries, "next_closing"): _closing_every(timedelta(minutes=rng.choice((2, 10, 30)))),
                (day_closings, "MAX_ENTRIES"): rng.choice((2000, 2)),
            }

    def booked(self, of_days: Sequence[Booked]) -> dict[str, list[Booked]]:
        """Return by order id what days state of it.

        of_days: the documents of days that Xero holds.
        """
        settled = {(each.sign, _first_number(each.number)): each.payments for each in of_days}
        held: dict[str, list[Booked]] = defaultdict(list)
        for sign, day, data in self._entries():
            payments = [{**each, "Amount": Decimal(data["total"])} for each in settled.get((sign, day), ())]
            held[data["order_id"]].append(_booked(sign, data, payments if Decimal(data["total"]) else []))
        return held

    def check(self, books: Mapping[str, Any], of_days: Sequence[Booked], violated: Callable[[str], None]) -> set[str]:
        """Check that each day has one invoice and one credit note at most, of just its entries, with their list.

        Return the orders of the days that need a person, because Xero was locked.
        """
        locked = self._locked_days()
        stated: dict[tuple[int, str], list[Booked]] = defaultdict(list)
        orders: dict[tuple[int, str], set[str]] = defaultdict(set)
        for sign, day, data in self._entries():
            stated[sign, day].append(_booked(sign, data, []))
            orders[sign, day].add(data["order_id"])
        live: dict[tuple[int, str], list[Booked]] = defaultdict(list)
        for each in of_days:
            if each.status not in GONE:
                live[each.sign, _first_number(each.number)].append(each)
        for key in sorted({*stated, *live}):
            if key[1] not in locked:
                self._documents(key, stated[key], live[key], violated)
                lists = [each["Content"] for each in books["Attachments"] if each["DocumentID"] in map(_id, live[key])]
                if len(lists) != 1 or not all(order_id in lists[0] for order_id in orders[key]):
                    violated(f"day {key}: {len(lists)} lists of its orders are attached, or not all are in it")
        for row in _rows(self._world.table.rows, "DAY#"):
            is_finished = row.state in ("PLANNED", "EMPTY") and not row.next_attempt_at
            if not is_finished and row.sk.removeprefix("DAY#") not in locked:
                violated(f"{row.sk} rests as {row.state} {row.reason}")
        return {order_id for key in orders if key[1] in locked for order_id in orders[key]}

    def _documents(
        self, key: tuple[int, str], entered: Sequence[Booked], held: Sequence[Booked], violated: Callable[[str], None]
    ) -> None:
        if len(held) != 1 or not entered:
            violated(f"day {key}: {len(entered)} entries have {len(held)} documents")
            return
        total = sum((each.total for each in entered), Decimal(0))
        lines = by_account(line for each in entered for line in each.lines)
        if held[0].total != total or by_account(held[0].lines) != lines:
            violated(f"day {key}: its entries come to {total}, Xero holds {held[0].total}")

    def _locked_days(self) -> set[str]:
        """Return the days that failed because Xero was locked, where the settings have such documents held."""
        dates = self._world.lock_dates
        if not dates.are_drawn or dates.moves_dates:
            return set()
        rows = self._world.table.rows
        failed = [row for sk, row in rows.items() if row.state == "FAILED" and row.reason == LOCKED]
        sources = {json.loads(row.data).get("source", "") for row in failed}
        days = {row.sk.removeprefix("DAY#") for row in failed if row.sk.startswith("DAY#")}
        return days | {source.removeprefix("day#") for source in sources if source.startswith("day#")}

    def _entries(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Return sign, day and data of each entry that a day has claimed."""
        stored = [
            (_SIGNS[kind], json.loads(row.data))
            for kind in _SIGNS
            for row in _rows(self._world.table.rows, f"DOCUMENT#{kind}#")
        ]
        return [(sign, data["closed_in"], data) for sign, data in stored if data["closed_in"]]


def _rows(rows: Mapping[str, Row], prefix: str) -> list[Row]:
    return [row for sk, row in rows.items() if sk.startswith(prefix)]


def _closing_every(pause: timedelta) -> Callable[..., datetime]:
    def next_closing(_day: object, now: datetime, *_: object) -> datetime:
        return START + pause * -(-(now - START) // pause)

    return next_closing


def _booked(sign: int, data: Mapping[str, Any], payments: Sequence[Mapping[str, Any]]) -> Booked:
    body = data["body"]
    lines = [{**line, "LineAmount": _amount(line)} for line in body["LineItems"]]
    document = {
        "InvoiceID": data["number"],
        "Status": "PAID" if payments else "AUTHORISED",
        "Total": Decimal(data["total"]),
        "DateString": body["Date"],
        "CurrencyCode": body["CurrencyCode"],
        "LineItems": lines,
        "Contact": {"ContactID": data["references"]["Contact.ContactID"]},
        "AmountDue": Decimal(0),
        "RemainingCredit": Decimal(0),
    }
    return Booked(data["number"], sign, document, payments)


def _amount(line: Mapping[str, Any]) -> Decimal:
    amount = Decimal(line["UnitAmount"]) * int(line["Quantity"])
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _first_number(number: str) -> str:
    """Return the number of a day, of a document that may be entered again under another (`-R1`)."""
    return number.partition("-R")[0]


def _id(each: Booked) -> str:
    return str(each.document["InvoiceID" if each.sign > 0 else "CreditNoteID"])
