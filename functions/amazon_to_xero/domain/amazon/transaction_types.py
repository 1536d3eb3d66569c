"""Which of Amazon's transactions are no refunds and are known: they belong to settlements, and nothing is entered here.

Amazon documents no list of types. These were seen at sellers. Every other type is recorded, so that a person sees one
that moves a buyer's money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amazon_to_xero.domain.amazon.charge_types import letters

_OF_SETTLEMENTS = frozenset(
    {
        "adjustment",
        "couponpayment",
        "debtrecovery",
        "faileddisbursement",
        "fbainventoryreimbursement",
        "ftbalancededuction",
        "loanservicing",
        "miscellaneousledgeradjustment",
        "paywithamazon",
        "productadspayment",
        "removalshipment",
        "removalshipmentadjustment",
        "safetreimbursement",
        "sellerdealpayment",
        "servicefee",
        "shipment",
        "subscriptionfee",
        "transfer",
        # reimbursements, which name an order and give a buyer nothing
        "compensatedclawback",
        "freereplacementrefunditems",
        "missingfrominbound",
        "missingfrominboundclawback",
        "removalorderlost",
        "reversalreimbursement",
        "warehousedamage",
        "warehouselost",
    }
)
# They change what a refund gave, or correct tax: neither a credit note nor a fee. A type, or a part of an adjustment.
_ABOUT_REFUNDS = frozenset(
    {
        "atozguaranteerecovery",
        "buyerrecharge",
        "guaranteeclaim",
        "orderretrocharge",
        "refundreimbursal",
        "refundretrocharge",
        "refundreversal",
        "retrocharge",
    }
)


def belongs_to_settlements(raw: Mapping[str, Any]) -> bool:
    """Return whether a transaction is of a type that is known and concerns no refund."""
    kind = raw.get("transactionType")
    if not isinstance(kind, str) or letters(kind) not in _OF_SETTLEMENTS:
        return False
    return not any(is_about_a_refund(name) for name in _breakdown_types(raw))


def is_about_a_refund(name: str) -> bool:
    """Return whether a transaction of that type, or with such a part, concerns a refund and is none itself."""
    return letters(name) in _ABOUT_REFUNDS


def _breakdown_types(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all breakdowns; what has another shape is left out."""
    for name in ("breakdowns", "items"):
        inner = part.get(name)
        for each in inner if isinstance(inner, list) else ():
            if isinstance(each, Mapping):
                stated = each.get("breakdownType")
                if isinstance(stated, str):
                    yield stated
                yield from _breakdown_types(each)
