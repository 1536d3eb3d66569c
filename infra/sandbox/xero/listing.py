"""List requests: filter, order and page records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.wire import Request

from .books import Books
from .errors import UnreadableQuery
from .fields import Fields
from .values import read_instant
from .where import parse_where


def select(request: Request, records: Iterable[Any], fields: Fields, books: Books) -> list[Any]:
    """Return the records that match where and If-Modified-Since, in the order requested."""
    since = read_instant(request.headers.get("if-modified-since", ""))
    selected = select_settings(request, records, fields, books)
    return selected if since is None else [record for record in selected if record.updated >= since]


def select_settings(request: Request, records: Iterable[Any], fields: Fields, books: Books) -> list[Any]:
    """Return the records that match where, in the order requested. Settings carry no time of their last change."""
    condition = parse_where(request.parameter("where"), fields)
    selected = list(records)
    if condition is not None:
        selected = [record for record in selected if condition.matches(record, fields, books)]
    return _ordered(selected, request.parameter("order"), fields, books)


def is_paged(request: Request) -> bool:
    """Xero returns the whole list unless page or pageSize is sent."""
    return bool(request.parameter("page") or request.parameter("pageSize"))


def page_of(records: list[Any], request: Request) -> tuple[list[Any], dict[str, int]]:
    """Return one page (the first is 1; 100 records by default, at most 1000) and Xero's `pagination` object."""
    try:
        number, size = int(request.parameter("page") or 1), int(request.parameter("pageSize") or 100)
    except ValueError:
        raise UnreadableQuery("page and pageSize must be whole numbers") from None
    if number < 1:
        raise UnreadableQuery("page must be greater than 0")
    if not 1 <= size <= 1000:
        raise UnreadableQuery("pageSize must be between 1 and 1000")
    start = (number - 1) * size
    page_count = -(-len(records) // size)
    return records[start : start + size], {
        "page": number,
        "pageSize": size,
        "pageCount": page_count,
        "itemCount": len(records),
    }


def _ordered(records: list[Any], order: str | None, fields: Fields, books: Books) -> list[Any]:
    """Order by `Field`, `Field DESC` or several separated by commas; equal records keep the order of creation."""
    for part in reversed([part for part in (order or "").split(",") if part.strip()]):
        name, _, direction = part.strip().partition(" ")
        if name.lower() not in fields.getters or direction.strip().upper() not in {"", "ASC", "DESC"}:
            raise UnreadableQuery(f"No property or field '{part.strip()}' exists")

        def sort_key(record: Any, field: str = name.lower()) -> tuple[bool, Any]:
            value = fields.comparable_value(field, record, books)
            return (value is not None, value if value is not None else 0)

        records = sorted(records, key=sort_key, reverse=direction.strip().upper() == "DESC")
    return records
