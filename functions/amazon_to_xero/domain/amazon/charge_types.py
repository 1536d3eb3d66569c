"""What each amount of a finance transaction is: Amazon's breakdown types that have no parts of their own.

Amazon documents no list of them. Most names are made of what the amount is for and of which part of it, for example
ShippingTax. A name that is not known is a fee where Amazon lists it among its fees, and UNKNOWN anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class AmountKind(StrEnum):
    """What an amount is for. All but FEE are between the buyer and the seller, or the tax on it."""

    ITEM = "ITEM"
    SHIPPING = "SHIPPING"
    GIFT_WRAP = "GIFT_WRAP"
    COD_FEE = "COD_FEE"
    TIP = "TIP"
    ITEM_DISCOUNT = "ITEM_DISCOUNT"
    SHIPPING_DISCOUNT = "SHIPPING_DISCOUNT"
    GIFT_WRAP_DISCOUNT = "GIFT_WRAP_DISCOUNT"
    GOODWILL = "GOODWILL"  # given to the buyer beyond what they had paid
    RESTOCKING = "RESTOCKING"  # kept by the seller for a returned item; reduces what the buyer gets back
    RETURN_SHIPPING = "RETURN_SHIPPING"  # kept by the seller for the way back; reduces what the buyer gets back
    MARKETPLACE_TAX = "MARKETPLACE_TAX"  # the tax that the marketplace withholds; the counterpart of the buyer's tax
    FEE = "FEE"  # between the seller and Amazon; no part of a sale or of a refund
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class AmountType:
    """What an amount is for, and whether it is the tax on that."""

    kind: AmountKind
    is_tax: bool = False


UNKNOWN_TYPE = AmountType(AmountKind.UNKNOWN)
_K = AmountKind
# What the amount is for (its discount beside it) …
_SUBJECTS: Mapping[str, tuple[AmountKind, AmountKind | None]] = {
    "ourprice": (_K.ITEM, _K.ITEM_DISCOUNT),
    "shipping": (_K.SHIPPING, _K.SHIPPING_DISCOUNT),
    "giftwrap": (_K.GIFT_WRAP, _K.GIFT_WRAP_DISCOUNT),
    "codfee": (_K.COD_FEE, None),
    "cashondelivery": (_K.COD_FEE, None),
    "tip": (_K.TIP, None),
    "deliverytip": (_K.TIP, None),
    "goodwill": (_K.GOODWILL, None),
    "restockingdeduction": (_K.RESTOCKING, None),
    "returnshippingdeduction": (_K.RETURN_SHIPPING, None),
}


def _made_of(subject: str, kind: AmountKind, discount: AmountKind | None) -> Mapping[str, AmountType]:
    """… and which part of it: OurPricePrincipal, OurPriceTax, OurPriceDiscount, OurPriceTaxDiscount."""
    parts = {f"{subject}principal": AmountType(kind), f"{subject}tax": AmountType(kind, is_tax=True)}
    if discount is None:
        return parts
    taxes = {f"{subject}{part}": AmountType(discount, is_tax=True) for part in ("taxdiscount", "discounttax")}
    return {**parts, **taxes, f"{subject}discount": AmountType(discount)}


_TYPES: Mapping[str, AmountType] = {
    name: amount_type
    for subject, (kind, discount) in _SUBJECTS.items()
    for name, amount_type in _made_of(subject, kind, discount).items()
}
_FEES = frozenset(
    {
        "commission",
        "refundcommission",
        "shippingchargeback",
        "giftwrapchargeback",
        "digitalservicesfee",
        "fixedclosingfee",
        "variableclosingfee",
    }
)
_FEES_BEGIN_WITH = ("fba",)
_MARKETPLACE_TAXES_BEGIN_WITH = ("marketplacefacilitatortax", "marketplacefacilitatorvat", "lowvaluegoodstax")
_FEE_PARENTS = frozenset({"amazonfees", "expenses", "refundedexpenses"})


def amount_type(leaf: str, parents: Iterable[str]) -> AmountType:
    """Return what an amount is, by its own name; only where that is not known, by the names of its parents."""
    name = letters(leaf)
    if name in _TYPES:
        return _TYPES[name]
    if name.startswith(_MARKETPLACE_TAXES_BEGIN_WITH):
        return AmountType(AmountKind.MARKETPLACE_TAX, is_tax=True)
    is_fee = name in _FEES or name.startswith(_FEES_BEGIN_WITH)
    if is_fee or any(letters(parent) in _FEE_PARENTS for parent in parents):
        return AmountType(AmountKind.FEE)
    return UNKNOWN_TYPE


@lru_cache(maxsize=1024)  # Amazon writes the same few hundred names in every transaction
def letters(text: str) -> str:
    """Return the letters and digits in lower case: Amazon writes Giftwrap and GiftWrap, with and without hyphens."""
    return "".join(character for character in text.casefold() if character.isalnum())
