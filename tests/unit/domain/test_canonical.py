"""One text and one hash for one content."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.canonical import canonical_json, content_hash
from fakes.state import NOON

CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), CONTENT, max_size=5))
def test_hash_does_not_depend_on_the_order_of_names(content: dict[str, Any]) -> None:
    assert content_hash(dict(reversed(content.items()))) == content_hash(content)


@given(CONTENT, CONTENT)
def test_contents_have_the_same_text_only_when_they_are_the_same(one: Any, other: Any) -> None:
    assert (canonical_json(one) == canonical_json(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


@given(CONTENT)
def test_canonical_text_is_json_of_the_content(content: Any) -> None:
    assert json.loads(canonical_json(content)) == content


def test_hash_is_the_same_in_every_version_of_the_application() -> None:
    # A change of this number would write every document of every connection again.
    assert content_hash({"Total": Decimal("12.50"), "a": ["é", None, 1]}) == "687e696ba7da6430998b4035674096a3"


def test_amounts_are_text_with_all_their_digits() -> None:
    assert canonical_json({"b": Decimal("1E+2"), "a": Decimal("0.10")}) == '{"a":"0.10","b":"100"}'


def test_text_has_no_spaces_and_keeps_characters_as_they_are() -> None:
    assert canonical_json({"name": ["Zoë", 1, True, None]}) == '{"name":["Zoë",1,true,null]}'


@pytest.mark.parametrize(("value", "named"), [(NOON, "datetime"), ({1, 2}, "set"), (b"x", "bytes")])
def test_content_that_is_not_json_is_refused_by_its_type(value: Any, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        canonical_json({"value": value})
