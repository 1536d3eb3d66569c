"""What must hold in every world, however it went."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore
from fakes.state import page_of_watched
from fakes.statements import CODECS_WITH_STATEMENTS, StatementRecord
from sandbox.xero.values import read_date
from simulation.booked import GONE, Booked, by_account
from simulation.charge_invariants import ChargeInvariants
from simulation.corrections import (
    check_corrections,
    corrected_expectation,
    fails_with_correction,
    has_stated_contact,
)
from simulation.culprits import REFUSED_BY_AMAZON, Culprit, check_bounds
from simulation.grants import unexplained_refusals
from simulation.history import Expected, OrderHistory, buyer_email
from simulation.refund_invariants import RefundInvariants, is_refund_note
from simulation.statements import check_statements
from simulation.wires import Seen

if TYPE_CHECKING:
    from simulation.world import World

_OF_DAYS = "days"  # instead of a reference: what states all orders of a day
# What Xero says no to once a document that should change is paid, and what our own rules say of it.
_TOO_LATE = frozenset({"HAS_PAYMENTS", "NOT_CHANGEABLE", "ALREADY_PAID"})


class Invariants:
    def __init__(self, world: World) -> None:
        self._world = world
        self._refunds = RefundInvariants(world, self._violated)
        self._charges = ChargeInvariants(world, self._violated)

    def at_rest(self) -> None:
        books = self._world.xero.holdings()
        held = self._by_reference(books)
        self._once(books, held)
        locked: set[str] = set()
        if self._world.days.are_used:
            of_days = held.pop(_OF_DAYS)
            locked = self._world.days.check(books, of_days, self._violated)
            for each in of_days:
                self._settled(each, Decimal(0))
            of_orders = self._world.days.booked(of_days)
            held = {one.reference: of_orders.get(one.order_id, []) for one in self._world.histories}
        failed = self._failed_documents()
        explained = locked | {
            one.order_id
            for one in self._world.histories
            if one.order_id not in locked
            and not self._order(one, held.get(one.reference, []), failed.get(one.order_id, {}))
        }
        self._refunds.outcomes(explained)
        live = {
            one.order_id: [each for each in held.get(one.reference, ()) if each.status not in GONE]
            for one in self._world.histories
        }
        self._charges.at_rest(live, explained)
        self._money(held, explained)
        if not self._world.contacts_were_tidied and not self._world.days.are_used:
            self._customers(books["Contacts"], held, explained)
        self._statements(books)
        self._culprits()
        self._nothing_waits()
        self._nothing_paid_was_touched()
        self._limits()
        self._tokens()
        self._no_buyers()
        self._world.other_organisation.check(self._violated)

    def replayed(self, before: list[Seen], failed_contacts: int, failed_orders: set[str]) -> None:
        """Everything said once more writes nothing; but a sweep may know the buyer of a contact that failed for it.

        It may also return an order that Amazon had refused to read alone, and whose sale is entered then.

        failed_contacts: how many contacts had failed before.
        failed_orders: the rows of orders that had.
        """
        rows = self._world.table.rows
        if any(rows[sk].state != "FAILED" and self._is_refused(sk) for sk in failed_orders):
            return
        after = [seen for seen in self._world.xero_wire.seen if seen.writes]
        for seen in after[len(before) :]:
            if seen.operation == "updateOrCreateContacts" and seen.elements <= failed_contacts:
                continue
            self._violated(f"a replay of everything wrote to Xero: {seen.operation} by {seen.by}")

    def _is_refused(self, sk: str) -> bool:
        return self._world.culprits.of(sk.removeprefix("ORDER#")) in REFUSED_BY_AMAZON

    # --- one by one -------------------------------------------------------------------------------------------------

    def _by_reference(self, books: dict[str, list[dict[str, Any]]]) -> dict[str, list[Booked]]:
        """What Xero holds of each order, the marketplace and order id in front of a reference's mark."""
        payments = defaultdict(list)
        for payment in books["Payments"]:
            if payment["Status"] != "DELETED":
                payments[payment["Invoice"]["InvoiceID"]].append(payment)
        held: dict[str, list[Booked]] = {one.reference: [] for one in self._world.histories}
        held[_OF_DAYS] = []
        for collection, noun, sign in (("Invoices", "Invoice", 1), ("CreditNotes", "CreditNote", -1)):
            for document in books[collection]:
                reference = document["Reference"].partition(" \u00b7 ")[0]
                number = document[f"{noun}Number"]
                if reference.startswith("Statement "):
                    continue
                if self._world.days.are_used:
                    reference = _OF_DAYS
                elif reference not in held:
                    self._violated(f"{number} names no order: {reference}")
                    continue
                held[reference].append(Booked(number, sign, document, payments[document[f"{noun}ID"]]))
        return held

    def _once(self, books: dict[str, list[dict[str, Any]]], held: Mapping[str, Sequence[Booked]]) -> None:
        numbers = Counter((each.number, each.sign) for of_order in held.values() for each in of_order)
        for (number, _), count in numbers.items():
            if count > 1:
                self._violated(f"{count} documents were created with the number {number}")
        for name in ("Name", "ContactNumber"):
            for value, count in Counter(contact.get(name) for contact in books["Contacts"]).items():
                if count > 1:
                    self._violated(f"{count} contacts were created with {name} {value}")
        for number in sorted(self._world.merged_contacts):
            ours = [each["ContactNumber"] for each in books["Contacts"] if number in each.get("ContactNumber", "")]
            if len(ours) > 1:
                self._violated(f"contact {number} was merged into another one, and created again: {ours}")
        for of_order in held.values():
            for each in of_order:
                if len(each.payments) > 1:
                    self._violated(f"{each.number} has {len(each.payments)} payments")

    def _customers(
        self, contacts: Sequence[Mapping[str, Any]], held: Mapping[str, Sequence[Booked]], explained: set[str]
    ) -> None:
        """Whom documents are addressed to, and where the buyers live by the newest of their orders."""
        by_id = {contact["ContactID"]: contact for contact in contacts}
        moved: dict[str, tuple[str, set[str]]] = {}
        for one in self._world.histories:
            if has_stated_contact(self._world, one):
                continue
            versions = [(version.order, version.expected) for version in one.versions]
            newest, expected = versions[-1]
            business = "AMAZON_BUSINESS" in newest["programs"]
            own = self._world.contacts == "buyers" or (self._world.contacts == "business_buyers" and business)
            for each in held[one.reference]:
                number = by_id[each.document["Contact"]["ContactID"]]["ContactNumber"]
                if one.order_id not in explained and each.status not in GONE and number.startswith("AMAZON-B-") != own:
                    self._violated(f"{each.number} is addressed to {number}, the policy is {self._world.contacts}")
            if own and expected.status is not None and one.order_id not in explained:
                (contact,) = {each.document["Contact"]["ContactID"] for each in held[one.reference]} or {None}
                email = buyer_email(one.order_id)
                if newest["lastUpdatedTime"] > moved.get(email, ("", set()))[0]:
                    moved[email] = newest["lastUpdatedTime"], {contact} - {None}
        for email, (since, ids) in moved.items():
            streets = {
                version.order["recipient"]["deliveryAddress"]["addressLine1"]
                for one in self._world.histories
                for version in one.versions
                if buyer_email(one.order_id) == email and version.order["lastUpdatedTime"] >= since
            }
            for contact_id in ids:
                row = self._world.table.rows[f"DOCUMENT#contact#{by_id[contact_id]['ContactNumber']}"]
                if row.state == "FAILED":  # a person was told that Xero may not have the address
                    continue
                found = by_id[contact_id]["Addresses"]
                if not any(address.get("AddressLine1") in streets for address in found):
                    self._violated(f"a buyer lives in {streets} since {since}, Xero has {found}")

    def _failed_documents(self) -> dict[str, dict[str, str]]:
        """Order id -> document key -> reason.

        A contact that Xero holds already keeps no document of an order back, nor does one that no document needs: its
        failure is on the list of failures. What needs a contact that a person has chosen fails with it, and is there.
        """
        failed: dict[str, dict[str, str]] = defaultdict(dict)
        rows = [row for row in self._world.table.rows.values() if row.sk.startswith("DOCUMENT#")]
        for row in (each for each in rows if each.state == "FAILED"):
            data = json.loads(row.data)
            is_contact = row.sk.startswith("DOCUMENT#contact#")
            naming = (each.data for each in rows if each is not row and row.sk.partition("#")[2] in each.data)
            is_named = any(not json.loads(other)["tombstone"] for other in naming)
            if is_contact and (data["xero_id"] or not is_named):
                if not row.watched and "ContactID" not in data["body"]:
                    self._violated(f"{row.sk} failed and is not on the list of failures")
            else:
                failed[data["order_id"]][row.sk] = row.reason
        return failed

    def _order(self, one: OrderHistory, held: Sequence[Booked], failed: Mapping[str, str]) -> bool:
        """Whether the books hold what the newest version asks; False when a person is needed and was told."""
        expected = corrected_expectation(self._world, one)
        row = self._world.table.rows.get(f"ORDER#{one.order_id}")
        if row is None and self._world.culprits.of(one.order_id) is Culprit.AMAZON_HIDES:
            return False  # its notification was lost, and Amazon says nothing else of it
        if row is None:
            self._violated(f"order {one.order_id} was never recorded")
            return True
        data = json.loads(row.data)
        for key in data["documents"]:
            if f"DOCUMENT#{key}" not in self._world.table.rows:
                self._violated(f"order {one.order_id}: document {key} is missing")
        reasons = {**failed, **({row.sk: row.reason} if row.state == "FAILED" else {})}
        if reasons:
            return self._explained(one, expected, reasons)
        if expected.refusals:
            self._violated(f"order {one.order_id} should need a person ({sorted(expected.refusals)}) and rests as done")
            return True
        if data["version"][:19] != one.versions[-1].order["lastUpdatedTime"][:19]:
            self._violated(f"order {one.order_id} rests at an older version than Amazon's")
        live = [each for each in held if each.status not in GONE]
        self._as_expected(one, expected, live)
        check_corrections(self._world, one, live, self._violated)
        for each in live:
            self._settled(each, _allocated(each, live))
        # An open invoice that a refund was credited of is adjusted as if it were paid.
        # So is one whose period was locked.
        # What a day states counts as paid.
        is_as_paid = self._world.days.are_used or any(each.payments or is_refund_note(each.number) for each in held)
        if not is_as_paid and not self._world.lock_dates.are_drawn:
            self._as_if_never_paid(one, expected, live)
        return True

    def _explained(self, one: OrderHistory, expected: Expected, failed: Mapping[str, str]) -> bool:
        allowed = self._world.culprits.fails_with(one.order_id)
        if self._world.contacts_were_tidied and self._world.culprits.of(one.order_id) is Culprit.XERO_ANSWERS_LOST:
            allowed |= {
                "XERO_ERROR",
                "REFERENCE_FAILED",
            }  # Xero's refusal of the archived contact is lost like every other answer
        allowed |= self._refunds.fails_with(one) | self._world.lock_dates.fails_with(one)
        allowed |= fails_with_correction(self._world, one)
        for what, reason in failed.items():
            if reason not in expected.refusals | allowed:
                self._violated(f"order {one.order_id}: {what} failed for no good reason: {reason}")
        letters = [letter for queue in self._world.dead_letters.values() for letter in queue.messages.values()]
        told = {
            letter.attributes.get("reason")
            for letter in letters
            if one.order_id in letter.body or letter.attributes.get("order_id") == one.order_id
        }
        if not told & set(failed.values()):
            self._violated(f"order {one.order_id} failed ({failed}) and no dead letter says so (there are {told})")
        return False

    def _as_expected(self, one: OrderHistory, expected: Expected, live: Sequence[Booked]) -> None:
        """All documents of an order together say what was sold, whatever came before."""
        if self._refunds.concern(one):
            self._refunds.order(one, expected, live)
        else:
            self._same(one, "total", expected.total, sum((each.total for each in live), Decimal(0)))
            lines = by_account(line for each in live for line in each.lines)
            self._same(one, "lines", by_account(expected.lines), lines)
        for each in live:
            self._same(one, f"currency of {each.number}", one.region.currency, each.document["CurrencyCode"])
            if each.status == "DRAFT" and expected.status != "DRAFT":
                self._violated(f"order {one.order_id}: {each.number} is a draft, Amazon asks for {expected.status}")
        if expected.status == "DRAFT":
            self._same(one, "drafts", [(1, "DRAFT")], [(each.sign, each.status) for each in live])

    def _settled(self, each: Booked, allocated: Decimal) -> None:
        """Approved documents are paid in full and once, from the currency's clearing account, on their own day.

        Credit notes are allocated to invoices that are open; only the rest of either is paid.
        """
        document = each.document
        rest = document["Total"] - allocated
        clearing = self._world.clearing.get(document["CurrencyCode"])
        asked = []
        if clearing and each.status != "DRAFT" and rest:
            asked = [(clearing, rest)]
        paid = [(one["Account"]["Code"], one["Amount"]) for one in each.payments]
        days = self._world.lock_dates.days_of(document["DateString"][:10])
        if paid != asked or any(_day(one["Date"]) not in days for one in each.payments):
            self._violated(f"{each.number} should be settled by {asked} and is by {paid}")

    def _as_if_never_paid(self, one: OrderHistory, expected: Expected, live: Sequence[Booked]) -> None:
        """Where no payment stood in the way there is just the invoice, as if nothing had ever been otherwise."""
        if any(each.sign < 0 for each in live):
            self._violated(f"order {one.order_id}: was never paid and has a credit note")
        if self._world.per_shipment and expected.status != "DRAFT":
            return
        self._same(one, "number of invoices", 0 if expected.status is None else 1, len(live))
        for each in live:
            self._same(one, "exact lines", sorted(expected.lines), sorted(each.lines))
            day = each.document["DateString"][:10]
            if expected.date and day not in self._world.lock_dates.days_of(expected.date):
                self._same(one, "day", expected.date, day)

    def _same(self, one: OrderHistory, what: str, wanted: Any, found: Any) -> None:
        if wanted != found:
            self._violated(f"order {one.order_id}: {what} should be {wanted} and is {found}")

    def _money(self, held: Mapping[str, Sequence[Booked]], explained: set[str]) -> None:
        """Per currency, what Amazon sold is what Xero holds, and what its clearing account shows.

        Orders that a person was told of are left out.
        """
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        booked: dict[str, Decimal] = defaultdict(Decimal)
        owed: dict[str, Decimal] = defaultdict(Decimal)
        cleared: dict[str, Decimal] = defaultdict(Decimal)
        for one in self._world.histories:
            expected = corrected_expectation(self._world, one)
            if one.order_id in explained:
                continue
            currency, total = one.region.currency, expected.total
            if self._refunds.concern(one):
                total = sum((each.total for each in held[one.reference] if each.status not in GONE), Decimal(0))
            wanted[currency] += total
            if expected.status != "DRAFT" and currency in self._world.clearing:
                owed[currency] += total
            for each in held[one.reference]:
                currency = each.document["CurrencyCode"]
                if each.status not in GONE:
                    booked[currency] += each.total
                cleared[currency] += sum(each.sign * payment["Amount"] for payment in each.payments)
        for currency in sorted({*wanted, *booked}):
            if wanted[currency] != booked[currency]:
                self._violated(f"{currency}: Amazon sold {wanted[currency]}, Xero holds {booked[currency]}")
            if owed[currency] != cleared[currency]:
                self._violated(f"{currency}: Amazon owes {owed[currency]}, clearing shows {cleared[currency]}")

    def _statements(self, books: dict[str, list[dict[str, Any]]]) -> None:
        """The second kind of source has its own documents, whatever became of the orders."""
        histories = self._world.statements.histories
        store = RowStateStore("main", _Rows(self._world.table.rows), CODECS_WITH_STATEMENTS)
        records = store.load(StatementRecord, histories)
        check_statements(histories, records, books["CreditNotes"], self._violated)

    def _culprits(self) -> None:
        """Each culprit costs a bounded number of calls, and a person is told once each time it is asked for.

        It is asked for by each version, and by each dead letter that is redriven: they may be delivered one by one.
        """
        world = self._world
        asked = {
            one.order_id: len(one.versions)
            + (world.redrives + 1) * (1 + self._refunds.count(one))
            + world.redriven[one.order_id]
            for one in world.histories
        }
        letters = {
            order_id: sum(letter.attributes.get("order_id") == order_id for letter in letters)
            for letters in [[letter for queue in world.dead_letters.values() for letter in queue.ever]]
            for order_id in asked
        }
        check_bounds(world.culprits, asked, letters, self._violated)

    def _nothing_paid_was_touched(self) -> None:
        """Nobody was ever asked to correct what our own payments stood in the way of."""
        allocated = {one.order_id for one in self._world.histories if self._refunds.fails_with(one)}
        for queue in self._world.dead_letters.values():
            for letter in queue.ever:
                reason = letter.attributes.get("reason")
                is_allocated = reason == "HAS_PAYMENTS" and letter.attributes.get("order_id") in allocated
                if reason in _TOO_LATE and not is_allocated:
                    self._violated(f"a dead letter says {letter.attributes['reason']} of {letter.body}")

    def _nothing_waits(self) -> None:
        for row in self._world.table.rows.values():
            if row.sk.startswith("DOCUMENT#") and row.state not in ("APPLIED", "FAILED"):
                self._violated(f"{row.sk} rests as {row.state}")

    def _limits(self) -> None:
        for service in (self._world.xero_wire, self._world.amazon_wire):
            for seen in service.own_refusals:
                self._violated(f"{service.name} refused {seen.operation} of {seen.by}: a limit was exceeded")

    def _tokens(self) -> None:
        """The authorisation still stands, unless somebody withdrew it or Xero's answers were lost for too long."""
        if self._world.disconnected:
            return
        refused = unexplained_refusals(self._world.trace)
        if refused and not any("authorisation is withdrawn" in line for line in self._world.trace):
            self._violated(f"Xero refused a grant that nobody had withdrawn: {refused[0]}")

    def _no_buyers(self) -> None:
        for row in self._world.table.rows.values():
            self._world.watch.check_for_buyer_data(f"row {row.sk}", f"{row.data} {row.reason} {row.remedy}")

    def _violated(self, what: str) -> None:
        self._world.watch.violated(what)


def _day(of_xero: Any) -> str:
    return str(read_date(of_xero, "Date"))


def _allocated(each: Booked, live: Sequence[Booked]) -> Decimal:
    """Return what of a document is allocated: of a credit note its own allocations, of an invoice those to it."""
    notes = [each] if each.sign < 0 else [other for other in live if other.sign < 0]
    return sum(
        (
            allocation["Amount"]
            for note in notes
            for allocation in note.document.get("Allocations") or ()
            if each.sign < 0 or allocation["Invoice"]["InvoiceID"] == each.document["InvoiceID"]
        ),
        Decimal(0),
    )


class _Rows:
    """rows.Table of a world at rest."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = rows

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        return [self._rows[sk] for sk in sort_keys if sk in self._rows]

    def put(self, rows: Sequence[Row]) -> list[bool]:
        raise AssertionError("nothing is written to a world at rest")

    def due(self, due: str, until: str, limit: int) -> list[str]:
        raise AssertionError("nothing is due in a world at rest")

    def first_due(self, due: str) -> str:
        raise AssertionError("nothing is due in a world at rest")

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        return page_of_watched(self._rows.values(), watched, limit, after, reason)
