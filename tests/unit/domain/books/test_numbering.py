"""Every number that is given in Xero."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.books.numbering import (
    adjustment_number,
    buyer_contact_number,
    distinguishing_suffix,
    invoice_number,
    marketplace_contact_number,
    reissued_number,
    shipment_invoice_number,
)

ORDER_ID = "026-1234567-1234567"


def test_invoice_number_is_the_prefix_and_the_whole_order_id() -> None:
    assert invoice_number(ORDER_ID, "AMZ-") == f"AMZ-{ORDER_ID}"
    assert invoice_number(ORDER_ID, "") == ORDER_ID


@pytest.mark.parametrize(("place", "number"), [(0, "A"), (1, "A-S2"), (9, "A-S10")])
def test_later_shipments_have_their_place_in_the_number(place: int, number: str) -> None:
    assert shipment_invoice_number("A", place) == number


@pytest.mark.parametrize(("times", "number"), [(0, "A-S2"), (1, "A-S2-R1"), (2, "A-S2-R2")])
def test_reissued_number_counts_how_often_the_document_was_voided(times: int, number: str) -> None:
    assert reissued_number("A-S2", times) == number


def test_adjustments_are_counted_from_one() -> None:
    assert [adjustment_number("A", place) for place in (1, 2)] == ["A-A1", "A-A2"]


def test_marketplaces_and_buyers_have_different_contact_numbers() -> None:
    assert marketplace_contact_number("A1F83G8C2ARO7P") == "AMAZON-A1F83G8C2ARO7P"
    assert buyer_contact_number("0123456789abcdef") == "AMAZON-B-0123456789abcdef"


def test_namesake_suffix_is_the_end_of_the_contact_number() -> None:
    assert distinguishing_suffix("AMAZON-B-0123456789abcdef") == " (abcdef)"
