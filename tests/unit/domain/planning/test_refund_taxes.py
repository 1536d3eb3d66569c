"""Whose tax it is that Amazon states once for an item's goods, shipping and discounts."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.planning.refund import RefundPart
from amazon_to_xero.domain.planning.refund_taxes import with_tax_of_each

TWENTY = Decimal(20)
CENT = Decimal("0.01")


def part(kind: AmountKind, net: str, tax: str = "0") -> RefundPart:
    return RefundPart(sku="", kind=kind, net=Decimal(net), tax=Decimal(tax))


def taxes(*parts: RefundPart) -> list[str]:
    return [str(each.tax) for each in with_tax_of_each(parts, [TWENTY] * len(parts), CENT)]


def test_tax_stated_with_the_goods_is_that_of_their_shipping_too() -> None:
    assert taxes(part(AmountKind.ITEM, "10.00", "2.40"), part(AmountKind.SHIPPING, "2.00")) == ["2.00", "0.40"]


def test_tax_of_the_goods_alone_stays_with_them() -> None:
    assert taxes(part(AmountKind.ITEM, "10.00", "2.00"), part(AmountKind.SHIPPING, "2.00")) == ["2.00", "0"]


def test_no_tax_is_computed_where_none_is_stated() -> None:
    price, discount = part(AmountKind.ITEM, "1.44"), part(AmountKind.ITEM_DISCOUNT, "-1.45")
    assert taxes(price, discount) == ["0", "0"]
