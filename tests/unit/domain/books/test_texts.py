"""Texts as Xero accepts them, whatever Amazon or the settings contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.texts import cleaned, cut, folded, xero_text


@pytest.mark.parametrize(
    ("given_text", "sent"),
    [
        ("Tea\x0b50\x00bags", "Tea 50 bags"),
        (" Tea \r\n 50\tbags\x85", "Tea 50 bags"),
        ("Te\u200ba\ud83d \ufffe\uffffbags\u202e", "Tea bags"),
        ("Thé “vert” < 50 °C 𝔸🍵", "Thé “vert” < 50 °C 𝔸🍵"),
        ("\x01", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_control_and_invisible_characters_are_removed(given_text: object, sent: str) -> None:
    assert cleaned(given_text) == sent


def test_text_is_cut_at_xeros_limit_without_splitting_a_character() -> None:
    assert cut("🍵" * 2001, 4000) == "🍵" * 2000
    assert cut("a" + "🍵" * 2000, 4000) == "a" + "🍵" * 1999
    assert cut("ab cd", 3) == "ab"


def test_texts_that_differ_in_case_and_spaces_only_are_equal_in_xero() -> None:
    assert folded(" AMAZON.co.uk \u00a0 Customers") == folded("Amazon.co.uk customers")
    assert folded("Amazon.co.ukcustomers") != folded("Amazon.co.uk customers")


@given(st.text(st.characters(), max_size=60), st.integers(0, 50))
def test_text_that_is_sent_is_sent_the_same_again_and_never_too_long(text: str, limit: int) -> None:
    sent = xero_text(text, limit)

    assert xero_text(sent, limit) == sent
    assert len(sent.encode("utf-16-le")) <= 2 * limit
