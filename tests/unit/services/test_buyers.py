"""Buyers' details are kept in memory, of each contact the version that was asked for, and not for ever."""

from __future__ import annotations

from amazon_to_xero.domain.books.contact import Customer
from amazon_to_xero.services.intake.buyer_details import BuyerDetails


def a_buyer(number: str = "B-1", digest: str = "d1") -> Customer:
    return Customer(number, details={"Name": f"{number} {digest}"}, digest=digest)


def test_details_are_found_by_number_and_digest() -> None:
    buyers = BuyerDetails()
    buyers.remember(a_buyer())
    buyers.remember(a_buyer(digest="d2"))
    buyers.remember(Customer("AMAZON-UK", "Amazon.co.uk customers"))

    assert buyers.details("B-1", "d1") == {"Name": "B-1 d1"}
    assert buyers.details("B-1", "d2") == {"Name": "B-1 d2"}
    assert buyers.details("B-2", "d1") is None
    assert buyers.details("AMAZON-UK", "") is None


def test_what_was_not_spoken_of_for_longest_is_forgotten_first() -> None:
    buyers = BuyerDetails(most=2)
    for number in ("B-1", "B-2", "B-1", "B-3"):
        buyers.remember(a_buyer(number))

    assert [bool(buyers.details(number, "d1")) for number in ("B-1", "B-2", "B-3")] == [True, False, True]
