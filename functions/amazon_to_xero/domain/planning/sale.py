"""The sales that the books should show for an Amazon order: its lines, amounts and dates.

A sale shows what the buyer paid the seller: item, shipping, gift wrap, fees and tip, less discounts. Tax that the
marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from amazon_to_xero.domain.amazon.business_buyer import REFERENCE_NAMES
from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import NOT_YET_PRICED, Charge, Fulfilment, Order, OrderItem
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, goods_line, single_line
from amazon_to_xero.domain.books.matching import REFERENCE_LIMIT, REFERENCE_MARK
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.texts import cleaned, xero_text
from amazon_to_xero.domain.corrections import value_for
from amazon_to_xero.domain.failures import Failure, FailureCode, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.account_rules import LineBooking
from amazon_to_xero.domain.planning.below_zero import check_not_below_zero
from amazon_to_xero.domain.planning.cut_over import is_before_start, is_shipped_before_start
from amazon_to_xero.domain.planning.policy import Approval, PostingPolicy
from amazon_to_xero.domain.planning.shares import share_of, tracking_of
from amazon_to_xero.domain.tax.liability import responsible_party, seller_total, tax_in_prices
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rounding import add_rounding_line
from amazon_to_xero.domain.tax.rules import TaxTreatment, WhenDifferent, tax_treatment
from amazon_to_xero.domain.tax.stated_tax import state_taxes
from amazon_to_xero.domain.tax.variance import TaxVariance, tax_variances

# How a line's description names the charge; an item's line is named by its product alone.
CHARGE_NAMES: Mapping[Charge, str] = {
    Charge.ITEM: "",
    Charge.SHIPPING: "Shipping",
    Charge.GIFT_WRAP: "Gift wrap",
    Charge.COD_FEE: "Cash-on-delivery fee",
    Charge.OTHER: "Other charge",
    Charge.DELIVERY_TIP: "Delivery tip",
}


@dataclass(frozen=True)
class Sale:
    """What the books should show for an order, or for one of its shipments.

    lines: with a rounding line where Xero's total would differ; amounts in the order's currency.
    amounts: whether the line amounts include tax.
    total: the document total that Xero must arrive at, in the order's currency.
    booked_on: date of the document in the organisation's time zone: of the shipment, of the order while not shipped.
    currency: ISO code.
    reference: the document's Reference in Xero: marketplace, order id and tracking numbers.
    approved: the order has shipped; until then the sale is a draft. A draft is also what a person has to check first.
    awaits_review: the order has shipped, and a person approves its invoice.
    tax_variances: items whose tax Xero computes otherwise than Amazon did.
    collected: order item ids of the items on which the marketplace owes the tax.
    taxed_as_stated: order item ids of the items whose tax Amazon states and the tax types of their lines explain; none
        where the settings book other taxes than Amazon states.
    corrected: origins of the lines of which a person has corrected how they are booked, be it withdrawn since: they
        follow what is stated here after they are paid, too.
    described: origins of the lines whose text a person has corrected, be it withdrawn since.
    rebooked: of these, the lines that follow the tracking and item code that is stated here, too.
    is_day_corrected: a person has stated the day of the whole sale, be it withdrawn since.
    """

    lines: tuple[Line, ...]
    amounts: LineAmountTypes
    total: Decimal
    booked_on: date
    currency: str
    reference: str
    approved: bool
    tax_variances: tuple[TaxVariance, ...] = ()
    collected: frozenset[str] = frozenset()
    taxed_as_stated: frozenset[str] = frozenset()
    awaits_review: bool = False
    corrected: frozenset[str] = frozenset()
    rebooked: frozenset[str] = frozenset()
    described: frozenset[str] = frozenset()
    is_day_corrected: bool = False


@dataclass(frozen=True)
class NotInvoiced:
    """An accounting rule says that the order has no sale.

    reason: a NotInvoicedReason.
    """

    reason: str


@dataclass(frozen=True)
class NotPriced:
    """Amazon has not stated the order's amounts yet; the order has to be read again.

    reason: a WaitReason.
    """

    reason: str


def sales(
    order: Order, shipments: Sequence[Shipment], policy: PostingPolicy, organisation: Organisation
) -> list[Sale] | NotInvoiced | NotPriced:
    """Return one sale for the order, or one for each shipment where the policy says so, or why there is none.

    `shipments` are those recorded so far; the first of them dates the sale of a whole order, whatever packages follow.
    Raises Failure for an order that needs a person: unknown marketplace, unmapped tax, amounts that do not add up, or
    that are below zero.
    """
    not_invoiced = nothing_to_invoice(order, policy, shipments)
    if not_invoiced is not None:
        return not_invoiced
    check_marketplace(order, policy)
    if order.grand_total is None or order.currency is None:
        return NotPriced(WaitReason.PROCEEDS_MISSING)
    if order.grand_total == 0:
        return NotInvoiced(NotInvoicedReason.ZERO_VALUE)
    organisation.require_currency(order.currency)
    if shipments and policy.invoice_per.is_by_shipment:
        return [_sale_of_shipment(order, shipments, place, policy, organisation) for place in range(len(shipments))]
    first = shipments[0] if shipments else None
    sale = _sale(order, first, tracking_of(order), policy, organisation, whole=order)
    check_not_below_zero(sale.total, order, order)
    return [sale]


def _sale_of_shipment(
    order: Order, shipments: Sequence[Shipment], place: int, policy: PostingPolicy, organisation: Organisation
) -> Sale:
    """Return the sale of one shipment.

    One of free goods, or one that belongs to the books before `start`, keeps its place in the list although it needs no
    invoice: numbers go by the place.
    """
    shipment = shipments[place]
    part = share_of(order, shipments, place)
    sale = _sale(part, shipment, tracking_of(order, shipment), policy, organisation, whole=order)
    if is_shipped_before_start(order, shipment, policy):
        return replace(sale, lines=(), total=ZERO, tax_variances=())
    check_not_below_zero(sale.total, part, order)
    return sale


def unshipped_total(order: Order, of_shipments: Sequence[Sale], policy: PostingPolicy) -> Decimal:
    """Return what of an order the sales of its shipments do not state yet; 0 where one sale states all of it."""
    if not policy.invoice_per.is_by_shipment or not any(sale.approved for sale in of_shipments):
        return ZERO
    liabilities = policy.tax.liabilities
    collected = [item for item in order.items if responsible_party(order, item, liabilities) is Party.MARKETPLACE]
    return max(ZERO, seller_total(order, collected) - total(sale.total for sale in of_shipments))


def is_booked(marketplace_id: str, policy: PostingPolicy) -> bool:
    """Whether orders of that marketplace are booked: it is in the settings, and one of Amazon's."""
    return marketplace_id in policy.marketplaces and marketplace_id in MARKETPLACES


def check_marketplace(order: Order, policy: PostingPolicy) -> None:
    """Raise Failure with UNKNOWN_MARKETPLACE where orders of the order's marketplace are not booked."""
    if not is_booked(order.marketplace_id, policy):
        raise Failure(
            FailureCode.UNKNOWN_MARKETPLACE,
            f"Marketplace {order.marketplace_id or '(none)'} is not in amazon.marketplaces. "
            "Add it to the connection's settings with its accounts and tax rules, then reprocess the order; or add it "
            "to amazon.ignored_marketplaces.",
        )


def nothing_to_invoice(order: Order, policy: PostingPolicy, shipments: Sequence[Shipment] = ()) -> NotInvoiced | None:
    """Return the rule by which an order has no sale, of the rules that do not depend on its amounts; None for none.

    shipments: those recorded so far, of orders that were placed before `start`.
    """
    if is_before_start(order, shipments, policy):
        return NotInvoiced(NotInvoicedReason.BEFORE_START)
    if not order.sold_on_amazon:
        return NotInvoiced(NotInvoicedReason.MULTI_CHANNEL)
    if order.marketplace_id in policy.ignored_marketplaces and order.status is not Fulfilment.CANCELLED:
        return NotInvoiced(NotInvoicedReason.IGNORED_MARKETPLACE)
    if order.status in NOT_YET_PRICED:
        return NotInvoiced(NotInvoicedReason.ORDER_PENDING)
    if order.status is Fulfilment.CANCELLED:
        return NotInvoiced(NotInvoicedReason.ORDER_CANCELLED)
    if order.status is Fulfilment.UNFULFILLABLE:
        return NotInvoiced(NotInvoicedReason.UNFULFILLABLE)
    if order.replaces and not order.grand_total:
        return NotInvoiced(NotInvoicedReason.REPLACEMENT)
    return None


def _sale(
    order: Order,
    shipment: Shipment | None,
    tracking: str,
    policy: PostingPolicy,
    organisation: Organisation,
    *,
    whole: Order,
) -> Sale:
    """Return the sale of an order, or of the share of a shipment in the `whole` order."""
    taxes = tax_treatment(_taxed_like(order, whole), policy.tax, organisation)
    collected = [item for item in order.items if item.item_id in taxes.collected]
    variances = tax_variances(order, taxes, organisation, is_share=order.items != whole.items)
    lines = sale_lines(order, _taxed_like(order, whole), taxes, variances, policy, organisation)
    expected = seller_total(order, collected)
    is_reviewed = policy.approval is Approval.REVIEW
    is_draft = bool(variances) and policy.tax.when_different is WhenDifferent.DRAFT
    return Sale(
        lines=tuple(add_rounding_line(expected, lines, taxes.amounts, policy.tax, organisation)),
        amounts=taxes.amounts,
        total=expected,
        booked_on=organisation.local_date(shipment.shipped_at if shipment else order.created),
        currency=order.currency or "",
        reference=sale_reference(order, tracking),
        approved=shipment is not None and not is_draft and not is_reviewed,
        tax_variances=variances,
        collected=taxes.collected,
        taxed_as_stated=_taxed_as_stated(order, taxes, variances, policy),
        awaits_review=shipment is not None and is_reviewed,
    )


def _taxed_as_stated(
    order: Order, taxes: TaxTreatment, variances: Iterable[TaxVariance], policy: PostingPolicy
) -> frozenset[str]:
    if policy.tax.when_different is not WhenDifferent.HOLD:
        return frozenset()
    stated = {item.item_id for item in order.items if item.tax_stated and not item.is_free}
    return frozenset(stated - taxes.collected - {variance.item_id for variance in variances})


def sale_lines(
    order: Order,
    taxed: Order,
    taxes: TaxTreatment,
    variances: Iterable[TaxVariance],
    policy: PostingPolicy,
    organisation: Organisation,
) -> list[Line]:
    """Return the lines of an order or share, without rounding; `taxed` is what the taxes are of, see `_taxed_like`."""
    differing = {variance.item_id for variance in variances}
    lines: list[Line] = []
    for item in order.items:
        made = list(item_lines(order, item, taxes, policy))
        is_sellers = item.tax_stated and item.item_id not in taxes.collected
        if policy.tax.state_amounts and is_sellers and item.item_id not in differing:
            made = state_taxes(made, item, taxes.amounts, organisation, order)
        lines += made
    if order.tip:
        lines.append(_tip_line(order, _first_tax_type(taxed, taxes), taxes.amounts, policy))
    return lines


def sale_reference(order: Order, tracking: str = "") -> str:
    """Return the Reference of an order's documents: its marketplace and id, the buyer's references, tracking numbers.

    What exceeds Xero's limit is cut at the end: of many tracking numbers the last ones.
    """
    identity = f"{MARKETPLACES[order.marketplace_id].name} {order.order_id}"
    references = [f"{REFERENCE_NAMES[name]} {text}" for name, text in order.buyer_references.items()]
    more = ", ".join(filter(None, (cleaned(text) for text in (*references, tracking))))
    return xero_text(f"{identity}{REFERENCE_MARK}{more}" if more else identity, REFERENCE_LIMIT)


def item_lines(order: Order, item: OrderItem, taxes: TaxTreatment, policy: PostingPolicy) -> Iterable[Line]:
    """Return a line for each charge, then one for each discount with the tax type of what it discounts."""
    collected = tax_in_prices(order, item) if item.item_id in taxes.collected else {}
    name = policy.style.item_name(order, item)
    for charge, value in item.charges.items():
        net = value - collected.get(charge.value, ZERO)
        if net:
            origin, tax_type = f"{item.item_id}:{charge}", taxes.tax_type(item, charge)
            booking = _charge_booking(order, item.sku, charge, policy, origin)
            if charge is Charge.ITEM:
                line = goods_line(name, item.quantity, net, booking.account, tax_type)
            else:
                line = single_line(f"{CHARGE_NAMES[charge]}: {name}", net, booking.account, tax_type)
            yield _reported(line, booking, policy, origin)
    for charge, value in item.discounts.items():
        # Amazon states one tax for all discounts of an item; the first of them takes it.
        is_first = charge is next(iter(item.discounts))
        net = value - (collected.get("DISCOUNT", ZERO) if is_first else ZERO)
        if net:
            what = "Discount" if charge is Charge.ITEM else f"{CHARGE_NAMES[charge]} discount"
            origin = f"{item.item_id}:DISCOUNT:{charge}"
            booking = _as_chosen(policy.discount_booking(order, item.sku), policy, origin)
            line = single_line(f"{what}: {name}", net, booking.account, taxes.tax_type(item, charge))
            yield _reported(line, booking, policy, origin)


def _tip_line(order: Order, tax_type: str, amounts: LineAmountTypes, policy: PostingPolicy) -> Line:
    """Return the line of the tip, which belongs to no item: `tax_type` is that of the first item with a price.

    Where the amounts exclude tax, Amazon adds none to the tip, so the line has none.
    """
    if amounts is LineAmountTypes.EXCLUSIVE:
        tax_type = policy.tax.rounding_tax_type
    tax_type = value_for(Charge.DELIVERY_TIP, policy.tax.chosen) or tax_type
    booking = _charge_booking(order, "", Charge.DELIVERY_TIP, policy, Charge.DELIVERY_TIP)
    line = single_line(CHARGE_NAMES[Charge.DELIVERY_TIP], order.tip, booking.account, tax_type)
    return _reported(line, booking, policy, Charge.DELIVERY_TIP)


def _taxed_like(share: Order, whole: Order) -> Order:
    """Return what says how a share is taxed: the whole order for a tip beside nothing that costs anything.

    All that a shipment sent may have been cancelled since, and the tip stays with it.
    """
    return whole if share.tip and all(item.is_free for item in share.items) else share


def _first_tax_type(order: Order, taxes: TaxTreatment) -> str:
    # An item that was discounted to nothing has a price, one that was cancelled has none.
    by_price = sorted(order.items, key=lambda item: (item.is_free, not any(item.charges.values())))
    return taxes.tax_types[by_price[0].item_id]


def _as_chosen(booking: LineBooking, policy: PostingPolicy, origin: str) -> LineBooking:
    """Return the booking of the line of that origin; what a person has chosen for it comes before all rules."""
    chosen = policy.rebooked.get(origin, booking)
    return replace(chosen, account=value_for(origin, policy.accounts.chosen) or chosen.account or booking.account)


def _charge_booking(order: Order, sku: str, charge: Charge, policy: PostingPolicy, origin: str) -> LineBooking:
    booking = _as_chosen(policy.charge_booking(order, sku, charge), policy, origin)
    if not booking.account:
        raise Failure(
            FailureCode.ACCOUNT_UNMAPPED,
            f"No account is set for {charge.value}. Set accounts.{charge.value.lower()} in the connection's settings, "
            "or add a rule to accounts.rules, then reprocess the order.",
        )
    return booking


def _reported(line: Line, booking: LineBooking, policy: PostingPolicy, origin: str) -> Line:
    by_rules = replace(line, origin=origin, tracking=booking.tracking, item_code=booking.item_code)
    return policy.stated_lines.of(by_rules)
