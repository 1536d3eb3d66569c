"""The categories of SKUs that a seller keeps in a file, stored in the table.

A parameter holds 8 KB and a secret 64 KB (AWS: quotas of Parameter Store and Secrets Manager); 20,000 SKUs that no
pattern describes are about 200 KB, compressed. A row holds 400 KB and is read like any other. Its name is a digest of
its content, which the settings name: whoever reads the settings reads the categories that belong to them, also while
both are being replaced.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from amazon_to_xero.ports.state import Cursor, RecordStore

MAX_BYTES = 350_000  # of the row, whose other attributes need little of DynamoDB's 400 KB

_CONTENT = "gzip"


class CategoriesTooLarge(Exception):
    """More categories than a row can hold. The text says how much there is and how much may be."""


class CategoriesMissing(Exception):
    """The row that the settings name does not exist."""


@dataclass(frozen=True)
class CompressedCategories:
    """The category of each SKU, as it is stored; digest: of the content, by which the settings name it."""

    digest: str
    content: str


def compressed(categories: Mapping[str, str]) -> CompressedCategories:
    """Return SKU -> category as it is stored. Raises CategoriesTooLarge."""
    text = json.dumps(dict(sorted(categories.items())), ensure_ascii=False, separators=(",", ":"))
    content = base64.b85encode(gzip.compress(text.encode(), mtime=0)).decode()
    if len(content) > MAX_BYTES:
        raise CategoriesTooLarge(
            f"{len(categories):,} SKUs with their categories are {len(content):,} bytes compressed, and at most "
            f"{MAX_BYTES:,} can be stored"
        )
    return CompressedCategories(hashlib.sha256(text.encode()).hexdigest()[:16], content)


def store_categories(store: RecordStore, categories: CompressedCategories) -> None:
    """Store the categories, unless they are stored already."""
    name = _name(categories.digest)
    if not store.cursor(name).data:
        store.save([Cursor(name, {_CONTENT: categories.content})])  # another connect that wins stores the same


def stored_categories(store: RecordStore, digest: str) -> Mapping[str, str]:
    """Return SKU -> category of the file with that digest. Raises CategoriesMissing."""
    content = store.cursor(_name(digest)).data.get(_CONTENT)
    if content is None:
        raise CategoriesMissing(f"the table has no categories {digest}")
    categories: dict[str, str] = json.loads(gzip.decompress(base64.b85decode(content)))
    return categories


def _name(digest: str) -> str:
    return f"sku-categories-{digest}"
