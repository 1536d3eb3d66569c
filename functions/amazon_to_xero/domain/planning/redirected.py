"""Paid lines of an order whose destination Amazon has changed: credited at the old terms and invoiced at the new ones.

The rate may be the same, and the return is not: German and French VAT of one seller are declared in two places. So each
document keeps where its order was going when it was planned. A line follows the new destination where the rules of now
say something else for the two destinations, its tax type or its account. A change of the settings alone moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.order_documents import OrderToPlan
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import sale_lines
from amazon_to_xero.domain.tax.regions import compared_region
from amazon_to_xero.domain.tax.rules import tax_treatment


def ship_to_text(order: Order) -> str:
    """Return the destination as it is compared and stored: `FR`, `CA bc`; empty where Amazon gives no country."""
    region = compared_region(order.ship_to_region, order.ship_to_country)
    return f"{order.ship_to_country} {region}".strip() if order.ship_to_country else ""


def terms_if_shipped_to(
    ship_to: str, order: Order, policy: PostingPolicy, organisation: Organisation
) -> Mapping[str, tuple[str, str]]:
    """Return line origin -> account and tax type by the rules of now, for that destination; none where no rule fits.

    ship_to: as `ship_to_text` returns it.
    """
    country, _, region = ship_to.partition(" ")
    elsewhere = replace(order, ship_to_country=country, ship_to_region=region)
    with suppress(Failure):
        taxes = tax_treatment(elsewhere, policy.tax, organisation)
        lines = sale_lines(elsewhere, elsewhere, taxes, (), policy, organisation)
        return {line.origin: (line.account, line.tax_type) for line in lines}
    return {}


def redirected_origins(booked: Sequence[DesiredDocument], order: OrderToPlan) -> frozenset[str]:
    """Return the origins of the lines for which the new destination makes a difference; none where it is the old one.

    booked: documents that are never edited, in the order in which they were requested. Those from before destinations
        were kept state none.
    """
    before = next((each.ship_to for each in reversed(booked) if each.ship_to), "")
    if not before or not order.ship_to or before == order.ship_to or order.terms_to is None:
        return frozenset()
    old, new = order.terms_to(before), order.terms_to(order.ship_to)
    return frozenset(origin for origin, terms in new.items() if terms != old.get(origin))
