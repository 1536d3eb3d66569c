"""Buyers' contact details between the reading of their orders and the posting of their contacts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from amazon_to_xero.domain.books.contact import Customer

CAPACITY = 5_000  # some 1 KB each


class BuyerDetails:
    """The details of buyers' contacts, in the memory of one execution environment and nowhere else.

    The table must not contain buyer data: a contact's row holds a digest, and the details are kept here. They are gone
    with it; then the order is read from Amazon again.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._details: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()

    def remember(self, customer: Customer) -> None:
        """Keep a buyer's details and drop the ones used longest ago. The customer of a marketplace has none."""
        if customer.details is None:
            return
        key = (customer.number, customer.digest)
        self._details[key] = customer.details
        self._details.move_to_end(key)
        while len(self._details) > self._capacity:
            self._details.popitem(last=False)

    def details(self, contact_number: str, digest: str) -> Mapping[str, Any] | None:
        """Return the contact that a digest stands for, in Xero's field names; None when it is not in memory."""
        return self._details.get((contact_number, digest))
