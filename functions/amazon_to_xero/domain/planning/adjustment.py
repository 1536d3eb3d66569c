"""Adjustments: what is paid is never edited; the difference to the order becomes a document of its own.

More than was booked becomes a supplementary invoice, less a credit note. Where one item costs more and another less by
the same amount, both are made, to the cent. How they are settled: `adjustment_settlements`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, as_one_piece
from amazon_to_xero.domain.books.numbering import adjustment_number, move_number
from amazon_to_xero.domain.money import ZERO, cents, total
from amazon_to_xero.domain.planning.adjustment_series import AdjustmentSeries
from amazon_to_xero.domain.planning.adjustment_settlements import AdjustmentSettlements
from amazon_to_xero.domain.planning.corrected_documents import (
    CorrectedLines,
    corrected_lines,
    left_of_lines,
    with_positive_totals,
)
from amazon_to_xero.domain.planning.open_invoices import OpenInvoices
from amazon_to_xero.domain.planning.order_documents import (
    DocumentHeader,
    OrderDocuments,
    OrderToPlan,
    dated_reference,
)
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps
from amazon_to_xero.domain.planning.proportions import scaled_to, with_amount
from amazon_to_xero.domain.planning.redirected import redirected_origins
from amazon_to_xero.domain.planning.refund_taxes import tax_given_back
from amazon_to_xero.domain.planning.retaxed import (
    lines_by_origin,
    negated,
    retaxed_origins,
    signed_lines,
    tax_taken_over,
)
from amazon_to_xero.domain.planning.reversals import NettedReductions, OrderReversals, credited_by_adjustments
from amazon_to_xero.domain.planning.sale import Sale
from amazon_to_xero.domain.planning.shipment_moves import (
    Move,
    ShipmentMoves,
    StatedShipment,
    moves_of_whole_order,
)
from amazon_to_xero.domain.planning.taxes_by_origin import TaxesByOrigin
from amazon_to_xero.domain.tax.rounding import add_rounding_line, xero_total


def plan_adjustments(
    paid: Sequence[Document],
    sales: Sequence[Sale],
    held: HeldDocuments,
    documents: OrderDocuments[OrderToPlan],
    steps: PlanSteps,
    refunds: OrderReversals,
    open_invoices: OpenInvoices,
    stated: Sequence[StatedShipment] = (),
) -> None:
    """Add to `steps` what makes the paid documents and their adjustments state the sales, less what refunds credited.

    refunds: what was decided about the order's refunds; what they credited of a reduction is added to it.
    open_invoices: those of the documents that are not paid; credit notes are allocated to them, and counted there.
    stated: the shipments whose day a person has ever stated, in their order.
    """
    _Adjustments(paid, sales, held, documents, steps, refunds, open_invoices).plan(stated)


class _Adjustments:
    def __init__(
        self,
        paid: Sequence[Document],
        sales: Sequence[Sale],
        held: HeldDocuments,
        documents: OrderDocuments[OrderToPlan],
        steps: PlanSteps,
        refunds: OrderReversals,
        open_invoices: OpenInvoices,
    ) -> None:
        self._booked = list(paid)  # never edited
        self._sales = sales
        self._held = held
        self._documents = documents
        self._steps = steps
        self._refunds = refunds
        self._settlements = AdjustmentSettlements(held, documents, steps, open_invoices)

    def plan(self, stated: Sequence[StatedShipment]) -> None:
        invoices = [document.desired for document in self._booked]
        moves = [(shipment, self._series(partial(move_number, shipment.number))) for shipment in stated]
        own = self._series(partial(adjustment_number, self._documents.order.invoice_number))
        missing = list(self._missing_documents(own.number))
        own.request(missing)
        if not stated:
            return
        booked = [*(document.desired for document in self._booked), *missing]
        left = left_of_lines(booked, self._refund_notes(), self._amounts, self._documents.organisation)
        shipments = ShipmentMoves(invoices, left, stated)
        moved_with_order = moves_of_whole_order([each.desired for each in own.kept])
        for shipment, series in moves:
            moved = [each.desired for each in series.kept]
            is_first = shipment.number == self._documents.order.invoice_number
            move = shipments.move_of(shipment, [*moved, *moved_with_order] if is_first else moved)
            series.request(self._moved_shipment(series.number, shipment, move) if move is not None else ())

    def _series(self, number_at: Callable[[int], str]) -> AdjustmentSeries:
        """Return a series of adjustments; those that exist count as booked."""
        series = AdjustmentSeries(number_at, self._held, self._documents, self._steps, self._settlements)
        self._booked += series.kept
        return series

    @property
    def _amounts(self) -> LineAmountTypes:
        """Whether amounts include tax: as in the first document, unless that has no tax and a change adds one."""
        booked = [LineAmountTypes(document.desired.body["LineAmountTypes"]) for document in self._booked]
        taxed = next((amounts for amounts in booked if amounts is not LineAmountTypes.NO_TAX), None)
        is_corrected = any(sale.corrected for sale in self._sales)
        return taxed or (self._sales[0].amounts if is_corrected else LineAmountTypes.NO_TAX)

    def _booked_lines(self) -> list[Line]:
        return [line for document in self._booked for line in signed_lines(document.desired)]

    def _missing_documents(self, number: str) -> Iterable[DesiredDocument]:
        """What has to be added to the booked documents so that together they state the sales."""
        retaxed = self._retaxed_origins()
        # Lines whose tax Amazon has changed follow their sale like those that a person has corrected.
        self._sales = [replace(sale, corrected=sale.corrected | retaxed) for sale in self._sales]
        corrected = self._corrected_lines(retaxed)
        changed = corrected.origins
        lines = [line for line in self._missing_lines(self._refunds.decided.netted) if line.origin not in changed]
        missing = self._missing_total()
        self._count_reinstated(number, max(ZERO, missing) if not changed else ZERO, lines)
        if not changed and missing > 0:
            yield self._adjustment(DocumentKind.INVOICE, number, lines, missing, corrected.invoiced_on)
        elif not changed and missing < 0:
            credit, lines = self._without_what_refunds_credited(-missing, lines)
            if credit:
                yield self._adjustment(DocumentKind.CREDIT_NOTE, number, [negated(line) for line in lines], credit)
        else:
            more = [*corrected.more, *(line for line in lines if line.amount > 0)]
            less = [*corrected.less, *(negated(line) for line in lines if line.amount < 0)]
            if missing < 0 and changed <= retaxed and not self._is_of_marketplace(changed):
                # The buyer got tax back: one credit note of it, which a refund of the same tax is compared with.
                lines = [*less, *(negated(line) for line in more)]
                yield self._adjustment(DocumentKind.CREDIT_NOTE, number, lines, -missing)
                return
            yield from self._moved(number, more, less, missing, corrected)

    def _moved(
        self, number: str, more: Sequence[Line], less: Sequence[Line], missing: Decimal, corrected: CorrectedLines
    ) -> Iterable[DesiredDocument]:
        """What invoices some lines and credits others. It may add up to nothing."""
        more, less = with_positive_totals(more, less)
        if more and less:
            # The credit note takes away what the invoice adds too much, to the cent, even where their taxes differ.
            added = xero_total(more, self._amounts, self._documents.organisation)
            invoiced_on, credited_on = corrected.invoiced_on, corrected.credited_on
            yield self._adjustment(DocumentKind.INVOICE, number, more, added, invoiced_on)
            yield self._adjustment(DocumentKind.CREDIT_NOTE, number, less, added - missing, credited_on)

    def _moved_shipment(self, number: str, shipment: StatedShipment, move: Move) -> Iterable[DesiredDocument]:
        """What credits a shipment on one day and invoices it on another. It adds up to nothing."""
        amount = xero_total(move.lines, self._amounts, self._documents.organisation)
        lines, credited_on, invoiced_on = list(move.lines), move.credited_on, move.invoiced_on
        if amount < 0:  # only a discount is left of it
            lines, amount = [negated(line) for line in lines], -amount
            credited_on, invoiced_on = invoiced_on, credited_on
        if amount:
            yield self._adjustment(DocumentKind.INVOICE, number, lines, amount, invoiced_on, shipment.invoice)
            yield self._adjustment(DocumentKind.CREDIT_NOTE, number, lines, amount, credited_on, shipment.invoice)

    def _missing_total(self) -> Decimal:
        booked = total(_signed_total(document.desired) for document in self._booked)
        return total(sale.total for sale in self._sales) - booked + self._refunds.decided.netted.amount

    def _retaxed_origins(self) -> frozenset[str]:
        """Return the origins of the lines whose tax or destination Amazon has changed."""
        if not self._sales:
            return frozenset()
        amounts = self._amounts if self._amounts is not LineAmountTypes.NO_TAX else self._sales[0].amounts
        retaxed = retaxed_origins(self._booked_lines(), self._sales, amounts, self._documents.organisation)
        retaxed |= redirected_origins([document.desired for document in self._booked], self._documents.order)
        # A refund of the tax alone has moved its line already.
        notes = self._refund_notes() if retaxed else ()
        moved = {origin for note in notes for origin in note.line_origins}
        return frozenset(origin for origin in retaxed if tax_given_back(origin) not in moved)

    def _is_of_marketplace(self, origins: Iterable[str]) -> bool:
        """Whether the marketplace owes the tax on a line of these origins by now."""
        collected = frozenset().union(*(sale.collected for sale in self._sales))
        return not collected.isdisjoint(origin.partition(":")[0] for origin in origins)

    def _refund_notes(self) -> list[DesiredDocument]:
        keys = [document_key(DocumentKind.CREDIT_NOTE, number) for number in self._refunds.decided.numbers]
        notes = [note.desired for key in keys if (note := self._held.referred(key)) is not None]
        return [note for note in notes if not note.tombstone]

    def _corrected_lines(self, retaxed: frozenset[str]) -> CorrectedLines:
        """Return what a person's corrections, and taxes that Amazon has changed, change of what is booked."""
        moves_alone = self._documents.policy.invoice_per.is_by_shipment  # see shipment_moves
        if not any(sale.corrected or (sale.is_day_corrected and not moves_alone) for sale in self._sales):
            return CorrectedLines()
        netted = self._refunds.decided.netted
        lines = self._missing_lines(netted)
        taken_over = tax_taken_over(self._booked_lines(), self._sales, retaxed, self._documents.organisation)
        reduction = -self._missing_total() - taken_over
        if reduction > 0:
            # What refunds have credited of a reduction is not credited again with what is corrected at the same time.
            self._without_what_refunds_credited(reduction, lines)
        return corrected_lines(
            [document.desired for document in self._booked],
            self._refund_notes(),
            self._sales,
            self._refunds.decided.netted.lines,
            self._amounts,
            self._documents.organisation,
            moves=not moves_alone,
        )

    def _count_reinstated(self, number: str, more: Decimal, lines: Sequence[Line]) -> None:
        """Count what of a supplementary invoice was credited before: a later refund is not of what came back.

        more: the total of the invoice of that number; 0 where there is none.
        """
        documents = [document.desired for document in self._booked]
        invoices = [each for each in documents if each.kind is DocumentKind.INVOICE]
        notes = [each for each in documents if each.kind is DocumentKind.CREDIT_NOTE]
        taken_off: dict[str, Decimal] = {}
        for note in notes:
            for line in signed_lines(note):
                taken_off[line.origin] = taken_off.get(line.origin, ZERO) - line.amount
        added = total(line.amount for line in lines)
        again = total(min(line.amount, taken_off.get(line.origin, ZERO)) for line in lines if line.amount > 0)
        share = min(Decimal(1), max(ZERO, again) / added) if added > 0 else ZERO
        adjusted = credited_by_adjustments(invoices, notes)
        self._refunds.change(self._refunds.decided.with_reinstated(number, cents(more * share), adjusted))

    def _without_what_refunds_credited(self, reduction: Decimal, lines: list[Line]) -> tuple[Decimal, list[Line]]:
        """Return what is left to credit of a reduction, with its lines; what refunds credited counts as booked."""
        refunds = self._refunds.decided
        netted = refunds.reduction_to_net(reduction)
        if not netted:
            return reduction, lines
        kept = scaled_to(lines, (reduction - netted) / reduction)
        amounts = {line.origin: -line.amount for line in lines}
        for line in kept:
            amounts[line.origin] += line.amount
        self._refunds.change(replace(refunds, netted=refunds.netted.plus(netted, amounts)))
        return reduction - netted, kept

    def _adjustment(
        self,
        kind: DocumentKind,
        number: str,
        lines: Sequence[Line],
        amount: Decimal,
        day: date | None = None,
        invoice: DesiredDocument | None = None,
    ) -> DesiredDocument:
        """Return an adjustment of that day, by default that of the change; of the first invoice or of that one."""
        adjusted, amounts = invoice or self._booked[0].desired, self._amounts
        first = adjusted.body
        organisation, policy = self._documents.organisation, self._documents.policy
        rounded = add_rounding_line(amount, lines, amounts, policy.tax, organisation)
        dated = self._documents.open_date(day or organisation.local_date(self._documents.order.changed_at))
        reference = dated_reference(first["Reference"], dated, day) if day else first["Reference"]
        header = DocumentHeader(dated, reference, first["CurrencyCode"], amounts, ship_to=self._documents.order.ship_to)
        # The adjusted document keeps its customer, and so does its adjustment, whatever the settings say by now.
        return self._documents.document(kind, number, rounded, amount, header, adjusted.references[CONTACT_REFERENCE])

    def _missing_lines(self, netted: NettedReductions) -> list[Line]:
        """By origin, what should be booked less what is, on the account and at the tax type of the booked line.

        netted: what counts as credited because refunds credited it.

        Accounts and tax types in the settings may have changed since; what is booked stays where it was booked, unless
        a person has corrected it.
        """
        wanted: dict[str, Line] = {}
        amounts: dict[str, Decimal] = {}
        stated = TaxesByOrigin(
            self._amounts, self._documents.organisation, states_all=self._documents.policy.tax.state_amounts
        )
        for sale in self._sales:
            for line in sale.lines:
                if not line.is_rounding:
                    wanted.setdefault(line.origin, line)
                    stated.add(line, 1)
                    amounts[line.origin] = amounts.get(line.origin, ZERO) + line.amount
        left = lines_by_origin(self._booked_lines(), self._amounts, self._documents.organisation)
        booked: dict[str, Line] = {}
        for document in self._booked:
            for line in signed_lines(document.desired):
                if not line.is_rounding:
                    booked[line.origin] = left.get(line.origin) or booked.get(line.origin, line)
                    stated.add(line, -1)
                    amounts[line.origin] = amounts.get(line.origin, ZERO) - line.amount
        for origin, amount in netted.lines.items():
            amounts[origin] = amounts.get(origin, ZERO) + amount
            netted_like = booked.get(origin) or wanted.get(origin)  # not booked yet: a discount that is new
            if netted_like is not None and netted_like.amount:
                stated.add(with_amount(netted_like, amount), 1)
        corrected = frozenset().union(*(sale.corrected for sale in self._sales))
        lines = []
        for origin, amount in amounts.items():
            if not amount:
                continue
            is_corrected = origin in corrected and origin in wanted
            like = (wanted if is_corrected else booked).get(origin) or wanted.get(origin)
            line = replace(as_one_piece(like or _line_of_item(origin, booked.values()), amount), origin=origin)
            lines.append(stated.on(line))
        return lines


def _line_of_item(origin: str, booked: Collection[Line]) -> Line:
    """Return the line that something is booked like which is neither booked nor wanted: any of its item.

    A discount that refunds had credited has no line of its own; it comes back when the order no longer states it.
    """
    item_id = origin.partition(":")[0]
    of_item = [line for line in booked if line.origin.partition(":")[0] == item_id]
    return (of_item or list(booked))[0]


def _signed_total(desired: DesiredDocument) -> Decimal:
    amount = desired.total or ZERO
    return -amount if desired.kind is DocumentKind.CREDIT_NOTE else amount
