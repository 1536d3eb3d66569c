"""The file of SKUs and their categories that `make connect` and `make preflight` take beside the settings.

    SKU,category
    BOOK-1,books

It is what a spreadsheet saves: with commas, semicolons or tabs, further columns and a byte-order mark.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amazon_to_xero.runtime.settings import SettingsError
from amazon_to_xero.services.stored_categories import CategoriesTooLarge, CompressedCategories, compressed

_COLUMNS = ("sku", "category")
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class CategoryFile:
    """The file, read and compressed.

    settings: the settings document that names it.
    """

    settings: str
    compressed: CompressedCategories


def category_file(text: str, name: str, settings: str) -> CategoryFile:
    """Return the file for these settings. Raises SettingsError that names the file and what is wrong with it."""
    categories = read_categories(text, name)
    try:
        content = compressed(categories)
    except CategoriesTooLarge as problem:
        raise SettingsError(
            f"{name}: {problem}. Remove SKUs that are not sold, or describe groups of SKUs by patterns in "
            "tax.categories."
        ) from None
    return CategoryFile(with_category_file(settings, content.digest, categories), content)


def read_categories(text: str, name: str) -> Mapping[str, str]:
    """Return SKU -> category. Raises SettingsError that names the file, the line and what is wrong with it."""
    lines = text.removeprefix("\ufeff").splitlines()
    header = lines[0] if lines else ""
    delimiter = max(_DELIMITERS, key=header.count)
    columns = [cell.strip().casefold() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    if any(columns.count(column) != 1 for column in _COLUMNS):
        raise SettingsError(f"{name}, line 1: the columns SKU and category are expected. Give them these names.")
    places = [columns.index(column) for column in _COLUMNS]
    categories: dict[str, str] = {}
    rows = csv.reader(lines[1:], delimiter=delimiter)
    for cells in rows:
        if any(cell.strip() for cell in cells):
            sku, category = _cells(cells, places, f"{name}, line {rows.line_num + 1}")
            if categories.setdefault(sku, category) != category:
                raise SettingsError(
                    f"{name}, line {rows.line_num + 1}: SKU {sku} has the category {category}, and {categories[sku]} "
                    "in an earlier line. Keep one of the two lines."
                )
    return categories


def _cells(cells: Sequence[str], places: Sequence[int], line: str) -> list[str]:
    """Return SKU and category of a line, without spaces around them."""
    if len(cells) <= max(places):
        raise SettingsError(f"{line}: there is no category. Add one, or remove the line.")
    found = [cells[place].strip() for place in places]
    for name, cell in zip(("SKU", "category"), found, strict=True):
        if not cell:
            raise SettingsError(f"{line}: {name} is empty. Fill it in, or remove the line.")
    return found


def with_category_file(settings: str, digest: str, categories: Mapping[str, str]) -> str:
    """Return the settings document that names the file. What is no settings document is returned as it is."""
    file = {"digest": digest, "categories": sorted(set(categories.values()))}
    try:
        document = json.loads(settings)
        document["tax"] = {**document["tax"], "category_file": file}
    except (ValueError, KeyError, TypeError):
        return settings
    return json.dumps(document, ensure_ascii=False)
