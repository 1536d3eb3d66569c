"""Buyers' details are kept in memory: for each contact the version that was requested, and not for ever."""

from __future__ import annotations

from amazon_to_xero.domain.books.contact import Customer
from amazon_to_xero.services.intake.buyer_details import BuyerDetails


def buyer(number: str = "B-1", digest: str = "d1") -> Customer:
    return Customer(number, details={"Name": f"{number} {digest}"}, digest=digest)


def test_details_are_found_by_contact_number_and_digest() -> None:
    details = BuyerDetails()
    details.remember(buyer())
    details.remember(buyer(digest="d2"))
    details.remember(Customer("AMAZON-UK", "Amazon.co.uk customers"))

    assert details.details("B-1", "d1") == {"Name": "B-1 d1"}
    assert details.details("B-1", "d2") == {"Name": "B-1 d2"}
    assert details.details("B-2", "d1") is None
    assert details.details("AMAZON-UK", "") is None


def test_details_used_longest_ago_are_dropped_first() -> None:
    details = BuyerDetails(capacity=2)
    for number in ("B-1", "B-2", "B-1", "B-3"):
        details.remember(buyer(number))

    assert [bool(details.details(number, "d1")) for number in ("B-1", "B-2", "B-3")] == [True, False, True]
