"""The documents that an order asks for when nothing of it stands in the books yet."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.domain.booking import Booked, Held, invoice_number, plan
from amazon_to_xero.domain.documents import Desired
from amazon_to_xero.domain.orders import read_order
from amazon_to_xero.domain.organisation import Organisation
from amazon_to_xero.domain.policy import PostingPolicy
from amazon_to_xero.domain.sales import NotInvoiced, NotYet, customer, sales
from amazon_to_xero.domain.shipments import shipments_of
from made_up.books import ORGANISATION, POLICY


class _Nothing(frozenset[str]):
    """Everything was looked up, and nothing was there."""

    def __contains__(self, key: object) -> bool:
        return True


def asked_for(
    raw: dict[str, Any], policy: PostingPolicy = POLICY, organisation: Organisation = ORGANISATION
) -> list[Desired] | NotInvoiced | NotYet:
    """The customer, the invoice, and its payment where it has one; or why there are none. Raises Refused."""
    order = read_order(raw)
    shipments = shipments_of(order, ())
    wanted = sales(order, shipments, policy, organisation)
    if not isinstance(wanted, list):
        return wanted
    contact = customer(order.marketplace_id, policy)
    booked = Booked(order.order_id, order.updated, contact.number)
    number = invoice_number(order.order_id, policy)
    made = plan(booked, number, wanted, len(shipments), Held({}, _Nothing()), policy, organisation)
    return [contact, *(desired for wave in made.waves for desired in wave)]
