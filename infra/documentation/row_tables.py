"""The table of the rows that the state table holds: key and schema version of each type of record."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from documentation.markdown import table


def schemas() -> str:
    rows = [(f"`{codec.prefix}#…`", f"`{kind.__name__}`", str(codec.schema)) for kind, codec in CODECS.items()]
    return table(("Sort key", "Record", "Schema version written"), rows)


PARTS: Mapping[str, Callable[[], str]] = {"row-schemas": schemas}
