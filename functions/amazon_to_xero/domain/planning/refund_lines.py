"""The lines of a refund's credit note: on the accounts and at the tax rates of the lines that they take back.

Positive lines reduce income. A line that reduces the refund, such as a discount or a restocking fee, is negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, single_line
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, Finding
from amazon_to_xero.domain.money import CENT, ZERO, cents, total
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.proportions import scaled_to, shared, with_amount
from amazon_to_xero.domain.planning.refund import Refund, RefundPart
from amazon_to_xero.domain.planning.refund_taxes import tax_given_back, with_tax_of_each
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale, SoldLine
from amazon_to_xero.domain.tax.rounding import add_rounding_line, line_tax, percentage, tax_of, xero_total
from amazon_to_xero.domain.tax.stated_tax import with_tax

# The lines of a sale that a part of a refund takes back, by the end of their origin; see SoldLine.charge.
_TAKES_BACK = {
    AmountKind.ITEM: "ITEM",
    AmountKind.SHIPPING: "SHIPPING",
    AmountKind.GIFT_WRAP: "GIFT_WRAP",
    AmountKind.COD_FEE: "COD_FEE",
    AmountKind.TIP: "DELIVERY_TIP",
    AmountKind.ITEM_DISCOUNT: "DISCOUNT:ITEM",
    AmountKind.SHIPPING_DISCOUNT: "DISCOUNT:SHIPPING",
    AmountKind.GIFT_WRAP_DISCOUNT: "DISCOUNT:GIFT_WRAP",
}
# How a line is named that takes back no line of the sale.
_NAMES = {
    AmountKind.ITEM: "Refund",
    AmountKind.SHIPPING: "Shipping",
    AmountKind.GIFT_WRAP: "Gift wrap",
    AmountKind.COD_FEE: "Cash-on-delivery fee",
    AmountKind.TIP: "Delivery tip",
    AmountKind.ITEM_DISCOUNT: "Discount",
    AmountKind.SHIPPING_DISCOUNT: "Shipping discount",
    AmountKind.GIFT_WRAP_DISCOUNT: "Gift wrap discount",
    AmountKind.GOODWILL: "Goodwill",
    AmountKind.RESTOCKING: "Restocking fee",
    AmountKind.RETURN_SHIPPING: "Return shipping",
    AmountKind.UNKNOWN: "Amount of unknown type",
}
_DISCOUNTS = frozenset({AmountKind.ITEM_DISCOUNT, AmountKind.SHIPPING_DISCOUNT, AmountKind.GIFT_WRAP_DISCOUNT})
# What buyers get, or sellers keep, beyond what was sold.
_NOT_TAKEN_BACK = frozenset({AmountKind.GOODWILL, AmountKind.RESTOCKING, AmountKind.RETURN_SHIPPING})
_CHARGES = {
    AmountKind.SHIPPING: Charge.SHIPPING,
    AmountKind.GIFT_WRAP: Charge.GIFT_WRAP,
    AmountKind.COD_FEE: Charge.COD_FEE,
    AmountKind.TIP: Charge.DELIVERY_TIP,
}


@dataclass(frozen=True)
class _Share:
    """An amount that is credited like a line of the sale.

    like: the line whose account and tax rate it takes; for what the sale has no line for, a line of its item.
    is_of_line: it takes back that line.
    """

    like: SoldLine
    net: Decimal
    tax: Decimal
    is_of_line: bool


def credit_lines(
    refund: Refund, to_credit: Decimal, sale: RefundedSale, policy: PostingPolicy, organisation: Organisation
) -> list[Line]:
    """Return the lines of the credit note, with a rounding line where Xero would compute another total.

    to_credit: what the note states: the refund's value, or less where adjustments have credited some of it.
    Raises Failure with REFUND_ITEM_UNKNOWN, or as `add_rounding_line` does.
    """
    lines = _RefundLines(sale, policy, organisation).lines(refund)
    if to_credit < refund.value:
        lines = _reduced(lines, refund.value, to_credit, sale, organisation)
    return add_rounding_line(to_credit, lines, sale.amounts, policy.tax, organisation)


def tax_findings(
    refund: Refund, sale: RefundedSale, policy: PostingPolicy, organisation: Organisation
) -> tuple[Finding, ...]:
    """Return what Xero computes another tax for than Amazon gave back, by more than a cent a line.

    With tax-inclusive amounts the totals agree whatever the rate is, so nothing else shows it.
    """
    return tuple(_RefundLines(sale, policy, organisation).tax_findings(refund))


def taken_back(
    refund: Refund, sale: RefundedSale, policy: PostingPolicy, organisation: Organisation
) -> Iterator[tuple[RefundPart, SoldLine]]:
    """Yield each part of a refund with each line of the sale that it is credited like.

    Raises Failure with REFUND_ITEM_UNKNOWN.
    """
    return _RefundLines(sale, policy, organisation).taken_back(refund)


class _RefundLines:
    def __init__(self, sale: RefundedSale, policy: PostingPolicy, organisation: Organisation) -> None:
        self._sale = sale
        self._policy = policy
        self._organisation = organisation

    def lines(self, refund: Refund) -> list[Line]:
        """Return one line for each charge of each item."""
        made: dict[tuple[str, str, str], Line] = {}
        for part in self._parts(refund):
            for line in self._lines_of_part(part):
                if line.amount:
                    key = (line.origin, line.account, line.tax_type)
                    held = made.get(key)
                    made[key] = line if held is None else self._together(held, line)
        return [line for line in made.values() if line.amount]

    def _parts(self, refund: Refund) -> list[RefundPart]:
        """Return the parts of the refund, each with its own tax."""
        by_sku: dict[str, list[RefundPart]] = {}
        for part in refund.parts:
            by_sku.setdefault(part.sku, []).append(part)
        return [
            part
            for parts in by_sku.values()
            for part in with_tax_of_each(parts, [self._rate(part) for part in parts], self._sale.unit)
        ]

    def _rate(self, part: RefundPart) -> Decimal | None:
        """Return the percentage of the line that a part is credited like; None for what is no part of the sale.

        A charge that the sale has no line for, as the order was read before it had one, is taxed like its item.
        """
        if part.kind in _NOT_TAKEN_BACK or part.kind is AmountKind.UNKNOWN:
            return None
        share = next(iter(self._shares(part)), None)
        return percentage(share.like.line.tax_type, self._organisation) if share else None

    def _together(self, first: Line, second: Line) -> Line:
        line = with_amount(first, first.amount + second.amount)
        taxes = [tax_of(each, self._sale.amounts, self._organisation) for each in (first, second)]
        is_stated = line.amount and (first.tax is not None or second.tax is not None)
        return with_tax(line, total(taxes)) if is_stated else line

    def _lines_of_part(self, part: RefundPart) -> Iterator[Line]:
        if part.kind is AmountKind.UNKNOWN:
            text = f"{_NAMES[part.kind]}: {part.sku}" if part.sku else _NAMES[part.kind]
            tax_type = self._policy.tax.rounding_tax_type
            yield replace(single_line(text, part.gross, self._policy.accounts.suspense, tax_type), origin="UNKNOWN")
            return
        for share in self._shares(part):
            yield from self._lines_of_share(part.kind, share)

    def _lines_of_share(self, kind: AmountKind, share: _Share) -> Iterator[Line]:
        like = share.like.line
        account = self._account(kind, share)
        description = like.description if share.is_of_line else f"{_NAMES[kind]}: {like.description}"
        origin = like.origin if share.is_of_line else f"{share.like.item_id}:REFUND:{kind}"
        reported = _reported_as(share)
        is_exclusive = self._sale.amounts is LineAmountTypes.EXCLUSIVE
        rate = percentage(like.tax_type, self._organisation)
        if share.net or not rate or self._sale.amounts is LineAmountTypes.NO_TAX:
            amount = share.net if is_exclusive else share.net + share.tax
            # Goodwill and what is like it: where Amazon states no tax with it, Xero must not add any. A discount states
            # none because its item's tax is already less.
            is_untaxed = is_exclusive and not share.is_of_line and not share.tax and kind not in _DISCOUNTS
            tax_type = self._policy.tax.rounding_tax_type if is_untaxed else like.tax_type
            line = replace(single_line(description, amount, account, tax_type), origin=origin, **reported)
            yield self._with_amazons_tax(line, share)
            return
        # Only tax is given back: what was taxed no longer is. The net amount moves to a line without tax.
        net = cents(share.tax * 100 / rate)
        taxed = net if is_exclusive else net + share.tax
        # Neither takes back the line itself: what is left of it stays.
        taxed_line = single_line(description, taxed, account, like.tax_type)
        yield replace(taxed_line, origin=tax_given_back(origin), **reported)
        untaxed = single_line(description, -net, account, self._policy.tax.rounding_tax_type)
        yield replace(untaxed, origin=f"{origin}:UNTAXED", **reported)

    def _with_amazons_tax(self, line: Line, share: _Share) -> Line:
        """Return the line with the tax that Amazon gave back, where Xero would round it otherwise."""
        computed = tax_of(line, self._sale.amounts, self._organisation)
        states = self._policy.tax.state_amounts and share.tax != computed
        return with_tax(line, share.tax) if states and self._is_rounding(share, line, computed) else line

    def _is_rounding(self, share: _Share, line: Line, computed: Decimal) -> bool:
        """Whether rounding explains Amazon's tax: that of this line, or that which the line of the sale states."""
        sold = share.like.line
        as_sold = computed if sold.tax is None else sold.tax * line.amount / sold.amount
        return bool(computed) and min(abs(share.tax - computed), abs(share.tax - as_sold)) <= self._sale.unit

    def _account(self, kind: AmountKind, share: _Share) -> str:
        accounts, like = self._policy.accounts, share.like
        if kind not in _NOT_TAKEN_BACK and (own := self._policy.refund_account(self._sale.order, like.sku)):
            return own
        if share.is_of_line:
            return like.line.account
        if kind in _DISCOUNTS:
            return accounts.discounts
        if kind in _CHARGES:
            return accounts.charges.get(_CHARGES[kind]) or like.line.account
        if kind is AmountKind.GOODWILL:
            return accounts.goodwill or like.line.account
        if kind in (AmountKind.RESTOCKING, AmountKind.RETURN_SHIPPING):
            return accounts.restocking or like.line.account
        return like.line.account

    def tax_findings(self, refund: Refund) -> Iterator[Finding]:
        parts = [each for each in self._parts(refund) if each.net and each.tax and each.kind is not AmountKind.UNKNOWN]
        for part in parts:
            for share in self._shares(part):
                tax_type = share.like.line.tax_type
                amount = share.net if self._sale.amounts is LineAmountTypes.EXCLUSIVE else share.net + share.tax
                in_xero = line_tax(amount, percentage(tax_type, self._organisation), self._sale.amounts)
                line = single_line("", amount, share.like.line.account, tax_type)
                if abs(in_xero - share.tax) > CENT and not self._is_rounding(share, line, in_xero):
                    yield Finding(
                        FailureCode.TAX_VARIANCE,
                        f"Check the credit note's line {share.like.line.description}: Amazon gave back {share.tax} "
                        f"{self._sale.currency} tax, Xero computes {in_xero} {self._sale.currency} with {tax_type}.",
                    )

    # --- which lines of the sale a part belongs to -------------------------------------------------------------------

    def taken_back(self, refund: Refund) -> Iterator[tuple[RefundPart, SoldLine]]:
        for part in refund.parts:
            if part.kind is not AmountKind.UNKNOWN:
                yield from ((part, share.like) for share in self._shares(part))

    def _shares(self, part: RefundPart) -> list[_Share]:
        of_item = [line for line in self._sale.lines if not part.sku or line.is_of(part.sku)]
        if not of_item:
            numbers = ", ".join(invoice.desired.number for invoice in self._sale.invoices)
            raise Failure(
                FailureCode.REFUND_ITEM_UNKNOWN,
                f"The refund is of SKU {part.sku}, for which invoice {numbers} has no line. "
                "Enter the credit note in Xero manually.",
            )
        lines = [line for line in of_item if line.charge == _TAKES_BACK.get(part.kind)]
        if not lines:
            items = [line for line in of_item if line.charge == "ITEM"] or of_item
            likes = items if not part.sku else items[:1]
            return self._in_proportion(part, likes, is_of_line=False)
        if part.sku:
            return self._first_with_enough_left(part, lines)
        return self._in_proportion(part, lines, is_of_line=True)

    def _amount(self, part: RefundPart) -> Decimal:
        """The part as the sale's lines state amounts: with or without tax."""
        return part.net if self._sale.amounts is LineAmountTypes.EXCLUSIVE else part.gross

    def _in_proportion(self, part: RefundPart, lines: Sequence[SoldLine], *, is_of_line: bool) -> list[_Share]:
        """Share a part by what is left of each line; by the lines' amounts where nothing is left of any."""
        amount = self._amount(part)
        left = [abs(_left_for(line, amount)) for line in lines]
        weights = left if any(left) else [abs(line.line.amount) or Decimal(1) for line in lines]
        return self._in_shares(part, lines, weights, is_of_line=is_of_line)

    def _first_with_enough_left(self, part: RefundPart, lines: Sequence[SoldLine]) -> list[_Share]:
        """Take the first line that has enough left; else use up one after the other, and the rest from the first."""
        amount = self._amount(part)
        enough = next((line for line in lines if abs(_left_for(line, amount)) >= abs(amount)), None)
        if enough is not None or len(lines) == 1 or not amount:
            return [_Share(enough or lines[0], part.net, part.tax, is_of_line=True)]
        taken: list[Decimal] = []
        for line in lines:
            taken.append(min(abs(_left_for(line, amount)), abs(amount) - total(taken)))
        taken[0] += abs(amount) - total(taken)
        return self._in_shares(part, lines, taken, is_of_line=True)

    def _in_shares(
        self, part: RefundPart, lines: Sequence[SoldLine], weights: Sequence[Decimal], *, is_of_line: bool
    ) -> list[_Share]:
        nets, taxes = shared(part.net, weights, self._sale.unit), shared(part.tax, weights, self._sale.unit)
        shares = zip(lines, nets, taxes, strict=True)
        return [_Share(line, net, tax, is_of_line) for line, net, tax in shares if net or tax]


def _reported_as(share: _Share) -> dict[str, Any]:
    """Return tracking and item code of a line that is credited like a line of the sale.

    What takes back no line of the sale, such as goodwill, is not of its item: no goods come back.
    """
    like = share.like.line
    return {"tracking": like.tracking, "item_code": like.item_code if share.is_of_line else ""}


def _left_for(line: SoldLine, amount: Decimal) -> Decimal:
    """What is left of a line in the direction of the amount; ZERO where more than the line was taken back."""
    return line.left if line.left * (amount or line.line.amount) > 0 else ZERO


# --- a note of less than the refund -----------------------------------------------------------------------------------


def _reduced(
    lines: Sequence[Line], value: Decimal, to_credit: Decimal, sale: RefundedSale, organisation: Organisation
) -> list[Line]:
    """Return the lines of a refund of which adjustments have credited some.

    First what exceeds what is left of a line goes: that is what an adjustment took back. The rest goes in proportion,
    so that with the tax that Xero adds they state what is still to be credited.
    """
    whole = total(line.amount for line in lines)
    to_go = whole - cents(whole * to_credit / value)
    left = {each.line.origin: each.left for each in sale.lines}
    kept: list[Line] = []
    for line in lines:
        excess = min(to_go, max(ZERO, line.amount - max(ZERO, left.get(line.origin, line.amount))))
        to_go -= excess
        if line.amount - excess:
            kept.append(with_amount(line, line.amount - excess) if excess else line)
    stated = xero_total(kept, sale.amounts, organisation)
    return scaled_to(kept, to_credit / stated, sale.unit) if stated != to_credit else kept
