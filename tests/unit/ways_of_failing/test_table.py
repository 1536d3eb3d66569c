"""The table of ways of failing has every failure code, and what it names exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.domain.failures import FAILURES
from local.cloud import ROOT
from unit.ways_of_failing.registered import WAYS

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("ways_of_failing.toml").read_text(encoding="utf-8"))
CODES: dict[str, dict[str, str]] = TABLE["codes"]
FIELDS = {"cure", "provoked", "person", "shown_by"}


def test_each_failure_code_has_a_row_and_each_row_a_code() -> None:
    assert sorted(CODES) == sorted(map(str, FAILURES))


@pytest.mark.parametrize("code", CODES)
def test_row_is_complete_and_names_a_test_that_exists(code: str) -> None:
    row = CODES[code]

    assert row.keys() - {"not_on_the_sandboxes"} == FIELDS
    assert row["cure"] in TABLE["kinds"]
    assert all(len(text) > 3 for text in row.values())
    file, _, name = row["shown_by"].partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), row["shown_by"]


def test_each_way_that_is_walked_is_that_of_its_code() -> None:
    walked = {way.steps.__name__: str(way.code) for way in WAYS}
    named = {code: row["shown_by"].rpartition("::")[2] for code, row in CODES.items()}
    of_ways = {code: name for code, name in named.items() if name in walked}

    assert {code: walked[name] for code, name in of_ways.items()} == {code: code for code in of_ways}
    assert set(of_ways) == {str(way.code) for way in WAYS}


def test_each_kind_of_cure_is_one_of_some_code() -> None:
    assert {row["cure"] for row in CODES.values()} == set(TABLE["kinds"])
