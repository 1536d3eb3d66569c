"""The proceeds of an order's item: charges, discounts and taxes, checked to add up to the total that Amazon states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, amount, total

_ITEM = "ITEM"  # what a breakdown without details is for


@dataclass(frozen=True)
class Proceeds:
    """The proceeds of one item, in the order's currency, for the whole quantity.

    total: Amazon's proceedsTotal; 0 where Amazon states none.
    charges: Amazon's name of the charge (ITEM, SHIPPING …) -> amount.
    discounts: Amazon's name of the charge that is discounted -> amount, negative whichever sign Amazon used.
    taxes: Amazon's name of what the tax is for (ITEM, SHIPPING, DISCOUNT …) -> tax.
    tax: the sum of the taxes.
    tax_exclusive: the charges exclude the tax; False also where there is no tax.
    tax_stated: Amazon states a tax, be it 0.00.
    tax_detailed: Amazon states what each part of the tax is for.
    """

    total: Decimal
    charges: Mapping[str, Decimal]
    discounts: Mapping[str, Decimal]
    taxes: Mapping[str, Decimal]
    tax: Decimal
    tax_exclusive: bool
    tax_stated: bool
    tax_detailed: bool


def read_proceeds(item_id: str, raw: Mapping[str, Any], currency: str) -> Proceeds:
    """Return the proceeds in Amazon's object. Raises Failure with DETAIL_DIFFERS or ITEM_TOTAL_DIFFERS."""
    breakdowns = raw.get("breakdowns") or ()
    parts = _read_parts(item_id, breakdowns, currency)
    is_detailed = any(each["type"] == "TAX" and each.get("detailedBreakdowns") for each in breakdowns)
    item_total = money_in(raw, "proceedsTotal", "proceeds.proceedsTotal") if raw.get("proceedsTotal") else ZERO
    discounts, tax_exclusive = _resolve_signs(item_id, parts, item_total, currency)
    return Proceeds(
        item_total, parts.charges, discounts, parts.taxes, parts.tax, tax_exclusive, bool(parts.taxes), is_detailed
    )


def stated(raw: Mapping[str, Any], name: str) -> Any:
    """Return a field of Amazon's object. Raises KeyError that names it where it is missing or null."""
    if raw.get(name) is None:
        raise KeyError(name)
    return raw[name]


def money_in(raw: Mapping[str, Any], name: str, field: str) -> Decimal:
    """Return the amount of Amazon's Money in a field. Raises KeyError where it is missing, InvalidAmount for others.

    field: how the message names it.
    """
    money = raw.get(name)
    if money is None or money.get("amount") is None:
        raise KeyError(f"{field}.{name}")
    return amount(money["amount"], field)


def totals_differ(code: FailureCode, finding: str) -> Failure:
    """Return the failure for amounts that do not add up."""
    remedy = "Compare the order in Seller Central, then reprocess the order or enter it in Xero manually."
    return Failure(code, f"{finding} {remedy}")


@dataclass(frozen=True)
class _Parts:
    """The parts of an item's proceeds, by Amazon's names; discounts with the sign that Amazon used."""

    charges: Mapping[str, Decimal]
    discounts: Mapping[str, Decimal]
    taxes: Mapping[str, Decimal]
    tax: Decimal


def _read_parts(item_id: str, breakdowns: Iterable[Mapping[str, Any]], currency: str) -> _Parts:
    charges: dict[str, Decimal] = {}
    discounts: dict[str, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    tax = ZERO
    for breakdown in breakdowns:
        kind = stated(breakdown, "type")
        subtotal = money_in(breakdown, "subtotal", f"proceeds.{kind}")
        details = _read_details(item_id, kind, breakdown, subtotal, currency)
        if kind == "TAX":
            tax += subtotal
            for name, value in details.items():
                taxes[name] = taxes.get(name, ZERO) + value
        elif kind == "DISCOUNT":
            for name, value in details.items():
                discounts[name] = discounts.get(name, ZERO) + value
        else:
            charges[kind] = charges.get(kind, ZERO) + subtotal
    return _Parts(charges, discounts, taxes, tax)


def _read_details(
    item_id: str, kind: str, breakdown: Mapping[str, Any], subtotal: Decimal, currency: str
) -> Mapping[str, Decimal]:
    """Return the detailed amounts of a breakdown by Amazon's names; the subtotal as the item's where there are none."""
    details = {
        stated(part, "subtype"): money_in(part, "value", f"proceeds.{kind}.{part['subtype']}")
        for part in breakdown.get("detailedBreakdowns") or ()
    }
    if not details:
        return {_ITEM: subtotal}
    if kind == "TAX" and total(details.values()) != subtotal and "DISCOUNT" in details:
        # The tax on a discount reduces the tax. Amazon gives it, like the discount itself, with either sign.
        details["DISCOUNT"] = -details["DISCOUNT"]
    if total(details.values()) != subtotal:
        raise totals_differ(
            FailureCode.DETAIL_DIFFERS,
            f"Item {item_id}: the details of {kind} add up to {total(details.values())} {currency}, "
            f"Amazon's subtotal is {subtotal} {currency}.",
        )
    return details


def _resolve_signs(item_id: str, parts: _Parts, stated: Decimal, currency: str) -> tuple[dict[str, Decimal], bool]:
    """Return the discounts as negative amounts, and whether the charges exclude the tax.

    Amazon documents neither the sign of DISCOUNT nor whether the charges include TAX. The reading that adds up to the
    stated total is the right one; an item for which none does is not guessed at.
    """
    charged, discounted = total(parts.charges.values()), total(parts.discounts.values())
    likely_sign = -1 if discounted > 0 else 1
    for sign in (likely_sign, -likely_sign):
        for tax_exclusive in (True, False):
            if charged + sign * discounted + (parts.tax if tax_exclusive else ZERO) == stated:
                signed = {name: sign * value for name, value in parts.discounts.items()}
                return signed, tax_exclusive and parts.tax != ZERO
    raise totals_differ(
        FailureCode.ITEM_TOTAL_DIFFERS,
        f"Item {item_id}: charges of {charged} {currency}, discounts of {discounted} {currency} and tax of {parts.tax} "
        f"{currency} do not add up to Amazon's total of {stated} {currency}.",
    )
