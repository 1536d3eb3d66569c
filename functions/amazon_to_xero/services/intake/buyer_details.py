"""Who the buyers are, between the reading of their orders and the posting of their contacts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from amazon_to_xero.domain.books.contact import Customer

MOST = 5_000  # some 1 KB each


class Buyers:
    """The details of buyers' contacts, in the memory of one warm sandbox and nowhere else.

    The table must not say who bought: a contact's row holds a digest, and what it stands for is kept here. It is gone
    with the sandbox; then the order is read from Amazon again.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._details: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()

    def remember(self, customer: Customer) -> None:
        """Keeps a buyer's details, at the cost of those not spoken of for longest. A marketplace's has none."""
        if customer.details is None:
            return
        key = (customer.number, customer.digest)
        self._details[key] = customer.details
        self._details.move_to_end(key)
        while len(self._details) > self._most:
            self._details.popitem(last=False)

    def details(self, number: str, digest: str) -> Mapping[str, Any] | None:
        """The contact that a digest stands for, in Xero's own names; None when it is not at hand."""
        return self._details.get((number, digest))
