"""The sales of an order after a person's corrections: by the same rules as any sale, with what the person stated.

Corrections of tax types and accounts are part of the policy that the lines are made by, so that totals, rounding and
stated taxes are computed as ever. Here nothing is decided about documents that exist; see `corrected_documents`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from amazon_to_xero.domain.amazon.order import Charge, Order
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import (
    OF_LINES,
    Correction,
    CorrectionKind,
    Corrections,
    tax_type_for,
    taxed_as,
    unusable,
)
from amazon_to_xero.domain.failures import Failure, FailureCode, NotInvoicedReason
from amazon_to_xero.domain.planning.account_rules import LineBooking
from amazon_to_xero.domain.planning.corrected_days import check_days, stated_day, was_day_stated
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, nothing_to_invoice, sales
from amazon_to_xero.domain.planning.stated_lines import check_stated_line, stated_lines
from amazon_to_xero.domain.tax.rules import WhenDifferent


def is_skipped(corrections: Corrections) -> bool:
    """Whether a person has said that the source has no documents."""
    return corrections.latest(CorrectionKind.SKIP) is not None


def stated_contact(corrections: Corrections) -> str | None:
    """Return Xero's ContactID of whom the order is invoiced to; empty for its customer, None where nobody ever said."""
    if not corrections.has_ever(CorrectionKind.CONTACT):
        return None
    stated = corrections.latest(CorrectionKind.CONTACT)
    return stated.value if stated is not None else ""


def corrected_sales(
    order: Order,
    shipments: Sequence[Shipment],
    policy: PostingPolicy,
    organisation: Organisation,
    corrections: Corrections,
) -> list[Sale] | NotInvoiced | NotPriced:
    """Return what `sales` returns, with the corrections that apply.

    A rule by which the order has no sale comes first. Raises Failure as `sales` does, and with CORRECTION_UNUSABLE.
    """
    if not corrections.entries:
        return sales(order, shipments, policy, organisation)
    by_rule = nothing_to_invoice(order, policy, shipments)
    if by_rule is not None or is_skipped(corrections):
        return by_rule or NotInvoiced(NotInvoicedReason.SKIPPED)
    _check(order, shipments, policy, organisation, corrections)
    try:
        made = sales(order, shipments, corrected_policy(policy, corrections), organisation)
    except Failure as failure:
        raise _of_correction(failure, corrections) from None
    if not isinstance(made, list):
        return made
    return [_corrected(sale, place, corrections) for place, sale in enumerate(made)]


def corrected_policy(policy: PostingPolicy, corrections: Corrections) -> PostingPolicy:
    """Return the policy of one source: what a person has chosen for its lines comes before rules and accounts."""
    is_accepted = corrections.latest(CorrectionKind.BOOK_AS_IT_IS) is not None
    rebooked = corrections.rebooked
    tax = replace(
        policy.tax,
        chosen=_chosen(
            corrections.by_line(CorrectionKind.TAX_TYPE), {line: each.tax_type for line, each in rebooked.items()}
        ),
        is_unclear_tax_sellers=is_accepted,
        when_different=WhenDifferent.BOOK if is_accepted else policy.tax.when_different,
    )
    accounts = replace(policy.accounts, chosen=corrections.by_line(CorrectionKind.ACCOUNT))
    bookings = {line: LineBooking(each.account, each.tracking, each.item_code) for line, each in rebooked.items()}
    return replace(policy, tax=tax, accounts=accounts, rebooked=bookings, stated_lines=stated_lines(corrections))


def _chosen(stated: Mapping[str, str], rebooked: Mapping[str, str]) -> Mapping[str, str]:
    """Return line -> tax type: what a person has stated of a line, or of all lines, before what it is rebooked at."""
    return dict(stated) | {
        line: tax_type_for(line, stated) or tax_type
        for line, tax_type in rebooked.items()
        if tax_type and line == taxed_as(line)
    }


def _corrected(sale: Sale, place: int, corrections: Corrections) -> Sale:
    origins = [line.origin for line in sale.lines if not line.is_rounding]
    return replace(
        sale,
        booked_on=stated_day(corrections, place) or sale.booked_on,
        is_day_corrected=was_day_stated(corrections, place),
        corrected=frozenset(origin for origin in origins if corrections.has_ever_concerned(origin)),
        rebooked=frozenset(origin for origin in origins if corrections.has_ever_reported(origin)),
        described=frozenset(origin for origin in origins if corrections.has_ever_described(origin)),
    )


# --- corrections that cannot be applied -------------------------------------------------------------------------------


def _check(
    order: Order,
    shipments: Sequence[Shipment],
    policy: PostingPolicy,
    organisation: Organisation,
    corrections: Corrections,
) -> None:
    """Raise Failure for a correction of a line that the order does not have, or with what the organisation lacks."""
    lines = set(_lines_of(order))
    for each in corrections.in_force:
        if each.kind in OF_LINES and each.line and each.line not in lines:
            raise unusable(each, f"the order has no such line; its lines are {', '.join(sorted(lines))}")
        for stated in (each, *_stated_by(each, lines)):
            check_against(organisation, stated)
    check_days(corrections, shipments, policy)


def check_against(organisation: Organisation, correction: Correction) -> None:
    """Raise Failure for a tax type of a discount, or for what the organisation lacks on sales."""
    taxed = taxed_as(correction.line)
    if correction.kind is CorrectionKind.TAX_TYPE and taxed != correction.line:
        raise unusable(correction, f"a discount has the tax type of its charge, which is that of the line {taxed}")
    check_stated_line(organisation, correction)
    if correction.kind is CorrectionKind.ACCOUNT:
        account = organisation.accounts.get(correction.value)
        if account is None or not account.active:
            raise unusable(correction, f"the organisation has no active account {correction.value}")
    if correction.kind is CorrectionKind.TAX_TYPE and correction.value != "NONE":
        rate = organisation.tax_rates.get(correction.value)
        if rate is None or not rate.active or not rate.on_revenue:
            raise unusable(correction, f"the organisation has no active tax rate {correction.value} for sales")


def _stated_by(rebooking: Correction, lines: Collection[str]) -> Iterable[Correction]:
    """Return the terms of a REBOOK as a correction of each account and tax type, for the lines that there still are."""
    for terms in rebooking.terms:
        if terms.line in lines and terms.account:
            yield replace(rebooking, kind=CorrectionKind.ACCOUNT, value=terms.account, line=terms.line, terms=())
        if terms.line in lines and terms.tax_type and terms.line == taxed_as(terms.line):
            yield replace(rebooking, kind=CorrectionKind.TAX_TYPE, value=terms.tax_type, line=terms.line, terms=())


def _lines_of(order: Order) -> Iterable[str]:
    """Return what a correction may call a line of the order."""
    yield Charge.DELIVERY_TIP
    for item in order.items:
        yield item.item_id
        yield from (f"{item.item_id}:{charge}" for charge in (*item.charges, *item.discounts))
        yield from (f"{item.item_id}:DISCOUNT:{charge}" for charge in item.discounts)


def _of_correction(failure: Failure, corrections: Corrections) -> Failure:
    """Return the failure of a tax type that a person has chosen as one of the correction, not of the settings."""
    chosen = corrections.latest(CorrectionKind.TAX_TYPE) or corrections.latest(CorrectionKind.REBOOK)
    if chosen is not None and failure.code is FailureCode.TAX_OWED_BY_MARKETPLACE:
        return unusable(chosen, "the marketplace owes the tax of the line, and the tax type has a rate above zero")
    return failure
