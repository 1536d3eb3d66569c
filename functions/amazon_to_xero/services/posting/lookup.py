"""Looks up what Xero holds, by the values of one field."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_to_xero.domain.books.archived_contacts import INACTIVE
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroApi


def find(xero: XeroApi, collection: str, field: str, values: Sequence[str]) -> dict[str, Json]:
    """Return what Xero holds, by the folded value; of contacts of one name the active one."""
    groups = xero.lookup_groups(collection, field, values)
    found = [element for group in groups for element in xero.find(collection, field, group)]
    found.sort(key=lambda element: element.get("ContactStatus") not in INACTIVE)
    return {folded(element.get(field)): element for element in found}
