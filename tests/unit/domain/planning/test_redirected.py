"""Paid lines follow a new destination only where the rules say something else for it than for the old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.planning.order_documents import OrderToPlan
from amazon_to_xero.domain.planning.redirected import redirected_origins
from fakes.state import NOON

GOODS, SHIPPING = "1:ITEM", "1:SHIPPING"
TERMS = {
    "DE": {GOODS: ("200", "OUTPUT"), SHIPPING: ("205", "OUTPUT")},
    "CY": {GOODS: ("200", "TAX022"), SHIPPING: ("205", "OUTPUT")},
    "AT": {GOODS: ("200", "OUTPUT"), SHIPPING: ("205", "OUTPUT")},
}


def going_to(ship_to: str, terms: Mapping[str, Mapping[str, tuple[str, str]]] = TERMS) -> OrderToPlan:
    return OrderToPlan("A", NOON, "C", "A", 1, ship_to=ship_to, terms_to=lambda to: terms.get(to, {}))


def booked_for(*destinations: str) -> list[DesiredDocument]:
    return [
        DesiredDocument(DocumentKind.INVOICE, f"A-{place}", {}, "order#A", ship_to=to)
        for place, to in enumerate(destinations)
    ]


def test_only_lines_with_other_terms_follow_the_new_destination() -> None:
    assert redirected_origins(booked_for("DE"), going_to("CY")) == {GOODS}


@pytest.mark.parametrize(("booked", "now"), [("DE", "DE"), ("DE", "AT"), ("", "CY"), ("DE", "")])
def test_nothing_moves_without_a_new_destination_that_makes_a_difference(booked: str, now: str) -> None:
    assert redirected_origins(booked_for(booked), going_to(now)) == frozenset()


def test_destination_is_that_of_the_last_document() -> None:
    assert redirected_origins(booked_for("DE", "CY"), going_to("CY")) == frozenset()
    assert redirected_origins(booked_for("DE", "CY"), going_to("DE")) == {GOODS}


def test_rules_that_do_not_know_the_old_destination_any_more_hold_nothing_back() -> None:
    only_cyprus = {"CY": TERMS["CY"]}

    assert redirected_origins(booked_for("DE"), going_to("CY", only_cyprus)) == {GOODS, SHIPPING}


def test_order_of_which_nobody_can_say_the_terms_stays_as_it_is() -> None:
    assert redirected_origins(booked_for("DE"), replace(going_to("CY"), terms_to=None)) == frozenset()
