"""The elements (documents, contacts, payments) in the body of a write request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.wire import Request

from .errors import NoDataProcessed, UnreadableValue
from .routing import collection_of
from .values import read_objects

# What XML 1.0 cannot contain, which Xero turns every body into.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class RequestBodies:
    """Read request bodies. The last one is kept, because the request log counts its elements again."""

    def __init__(self) -> None:
        self._last: tuple[Request | None, Any] = (None, None)

    def elements(self, request: Request) -> list[dict[str, Any]]:
        """Return the elements of a body that is `{"Invoices": […]}`, a bare list or one bare object.

        Raise UnreadableValue or NoDataProcessed.
        """
        body = self._parse(request)
        if any(_UNREADABLE.search(text) for text in _texts(body)):
            raise UnreadableValue("Xml for post data was invalid")
        collection = collection_of(request.path)
        if isinstance(body, dict):
            body = body.get(collection, body)
        if not isinstance(body, dict | list):
            raise UnreadableValue("JSON for post data was invalid")
        elements = read_objects(body if isinstance(body, list) else [body], collection)
        if not elements or elements == [{}]:
            raise NoDataProcessed(
                "No data has been processed for this endpoint. "
                f"This endpoint is expecting {collection.removesuffix('s')} data to be specified in the request body."
            )
        return elements

    def _parse(self, request: Request) -> Any:
        if self._last[0] is not request:
            try:
                self._last = (request, request.json())
            except (ValueError, RecursionError):
                self._last = (request, None)
        return self._last[1]


def _texts(value: Any) -> Iterator[str]:
    """Return every text in a body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
