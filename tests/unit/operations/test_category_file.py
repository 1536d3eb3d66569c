"""The file of SKUs and categories: how it is read, stored and found again, and what is said about a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from amazon_to_xero.services import stored_categories as stored
from amazon_to_xero.services.stored_categories import CategoriesMissing, compressed, store_categories, stored_categories
from fakes.settings import settings
from fakes.state import ManualClock, MemoryStateStore
from operations import connect
from operations.category_file import category_file, read_categories
from unit.operations.aws_account import StubAws, documents, install

FILE = "SKU,category\nBOOK-1,books\nMUG-BLUE,kitchen\n"
BY_SKU = {"BOOK-1": "books", "MUG-BLUE": "kitchen"}


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        FILE.replace(",", ";"),
        FILE.replace(",", "\t"),
        "\ufeff" + FILE.replace("\n", "\r\n"),
        "title,Category, sku \nA book,books,BOOK-1\n\nA mug,kitchen, MUG-BLUE \n",
        FILE + "BOOK-1,books\n",
    ],
)
def test_file_is_read_as_spreadsheets_save_it(text: str) -> None:
    assert read_categories(text, "skus.csv") == BY_SKU


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "skus.csv, line 1: the columns SKU and category are expected"),
        ("BOOK-1,books\n", "line 1: the columns SKU and category are expected"),
        ("SKU,category\nBOOK-1\n", "skus.csv, line 2: there is no category"),
        ("SKU,category\nA,b\n,books\n", "skus.csv, line 3: SKU is empty"),
        ("SKU,category\nBOOK-1,\n", "line 2: category is empty"),
        (FILE + "BOOK-1,toys\n", "line 4: SKU BOOK-1 has the category toys, and books in an earlier line"),
    ],
)
def test_wrong_line_is_named_with_what_to_do(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_categories(text, "skus.csv")


def test_file_that_no_row_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MAX_BYTES", 50)

    with pytest.raises(SettingsError, match=r"skus\.csv: 2 SKUs .* at most 50 can be stored\. .* patterns"):
        category_file(FILE, "skus.csv", json.dumps(settings()))


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1)))
def test_categories_are_found_as_they_were_stored(categories: dict[str, str]) -> None:
    store = MemoryStateStore(ManualClock())
    content = compressed(categories)

    store_categories(store, content)
    store_categories(store, content)

    assert stored_categories(store, content.digest) == categories
    with pytest.raises(CategoriesMissing):
        stored_categories(store, "0123456789abcdef")


def test_rules_of_tax_rates_and_accounts_find_the_categories_of_the_file_and_of_the_patterns() -> None:
    document = settings()
    document["tax"]["categories"] = {"books": ["ATLAS-*"], "toys": ["TOY-*"]}
    document["tax"]["rules"][0]["category"] = "kitchen"
    document["accounts"]["rules"] = [{"account": "201", "category": "books"}]
    named = category_file(FILE, "skus.csv", json.dumps(document)).settings

    categories = parse(ConnectionSettings, named, "x").policy(BY_SKU).tax.categories

    assert categories == SkuCategories({"books": ("ATLAS-*",), "toys": ("TOY-*",)}, BY_SKU)
    assert [categories.has("books", sku) for sku in ("BOOK-1", "ATLAS-3", "MUG-BLUE", "BOOK-2")] == [
        True,
        True,
        False,
        False,
    ]


def test_rule_with_a_category_of_a_file_that_is_not_given_is_refused() -> None:
    document = settings()
    document["accounts"]["rules"] = [{"account": "201", "category": "books"}]

    with pytest.raises(SettingsError, match=r"categories books .* name the file that has them with CATEGORIES"):
        parse(ConnectionSettings, json.dumps(document), "x")


def test_connect_stores_the_file_before_the_settings_that_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, store = install(monkeypatch, StubAws()), MemoryStateStore(ManualClock())
    monkeypatch.setattr(connect, "state_store", lambda outputs, connection: store)
    monkeypatch.setattr(connect, "subscribe_all", lambda *_: ())
    document = settings()
    document["accounts"]["rules"] = [{"account": "201", "category": "books"}]
    (tmp_path / "skus.csv").write_text(FILE, encoding="utf-8")
    files = documents(tmp_path, settings=json.dumps(document))

    assert connect.main(["--stack", "stack", *files, "--categories", str(tmp_path / "skus.csv")]) == 0

    (text,) = aws.parameters.values()
    file = parse(ConnectionSettings, text, "x").tax.category_file
    assert file is not None
    assert (stored_categories(store, file.digest), file.categories) == (BY_SKU, ("books", "kitchen"))


def test_connect_with_a_wrong_file_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = install(monkeypatch, StubAws())
    (tmp_path / "skus.csv").write_text("BOOK-1,books\n", encoding="utf-8")

    arguments = ["--stack", "stack", *documents(tmp_path), "--categories", str(tmp_path / "skus.csv")]

    assert connect.main(arguments) == 1
    assert "skus.csv, line 1" in capsys.readouterr().err
    assert not aws.writes
