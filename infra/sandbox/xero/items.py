"""Price list items: how they are created and updated, and the rules they must satisfy.

An item whose inventory asset account and cost account are set is tracked: Xero counts its units and what they cost. No
request changes these; only documents and adjustments by hand do, for which `count` stands.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from .books import Books
from .errors import NotFound, ValidationError
from .records import Item
from .values import read_number, read_object, read_text

_DETAILS_FIELDS = ("SalesDetails", "PurchaseDetails")
_COUNTED = ("QuantityOnHand", "TotalCostPool")
_MAX_LENGTHS = {"Name": 50, "Description": 4000, "PurchaseDescription": 4000}


class Items:
    """Create and update the items of one organisation."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def find(self, reference: str) -> Item | None:
        """Return the item with that id or code."""
        books = self.books
        return books.items.get(reference.lower()) or books.items.get(books.item_by_code.get(reference.casefold(), ""))

    def create(self, element: dict[str, Any]) -> Item:
        code = read_text(element.get("Code"))
        if code and code.casefold() in self.books.item_by_code:
            raise ValidationError(_code_exists(code))
        return self._store(None, element)

    def update_or_create(self, element: dict[str, Any], item_id: str | None = None) -> Item:
        existing = self.find(item_id or read_text(element.get("ItemID")) or read_text(element.get("Code")) or "")
        if item_id and existing is None:
            raise NotFound
        return self._store(existing, element)

    def count(self, element: dict[str, Any]) -> Item:
        """Create or update a tracked item and set what is on hand of it: QuantityOnHand and TotalCostPool.

        Raise ValueError for an item that is not tracked, or that lacks one of the two.
        """
        item = self.update_or_create(element)
        if not item.fields.get("IsTrackedAsInventory"):
            raise ValueError(f"{item.code}: send InventoryAssetAccountCode and PurchaseDetails.COGSAccountCode, too")
        numbers = {key: read_number(element.get(key), key) for key in _COUNTED}
        if missing := [key for key, number in numbers.items() if number is None]:
            raise ValueError(f"{item.code}: send {' and '.join(missing)}")
        item = replace(item, fields={**item.fields, **numbers})
        self.books.put(self.books.items, item.id, item)
        return item

    def _store(self, existing: Item | None, element: dict[str, Any]) -> Item:
        books = self.books
        code = read_text(element.get("Code")) or (existing.code if existing else None)
        if code is None:
            raise ValidationError("Price List Item Code must be supplied")
        record_id = existing.id if existing else None
        problems = []
        if len(code) > 30:
            problems.append("The Code must not be longer than 30 characters.")
        if books.item_by_code.get(code.casefold(), record_id) != record_id:
            problems.append(_code_exists(code))
        fields = self._read_fields(element, problems)
        if problems:
            raise ValidationError(*problems, record_id=record_id)
        if existing is None:
            item = Item(books.new_id(), code, books.now(), _tracked(fields))
        else:
            if existing.code.casefold() != code.casefold():
                books.remove(books.item_by_code, existing.code.casefold())
            item = replace(existing, code=code, updated=books.now(), fields=_tracked({**existing.fields, **fields}))
        books.put(books.items, item.id, item)
        books.put(books.item_by_code, code.casefold(), item.id)
        return item

    def _read_fields(self, element: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        sent = {key: value for key, value in element.items() if value is not None}
        fields: dict[str, Any] = {key: read_text(sent[key]) or "" for key in _MAX_LENGTHS if key in sent}
        problems += [
            f"The {key} must not be longer than {max_length} characters."
            for key, max_length in _MAX_LENGTHS.items()
            if len(fields.get(key, "")) > max_length
        ]
        fields |= {
            key: self._read_details(read_object(sent[key], key), problems) for key in _DETAILS_FIELDS if key in sent
        }
        if asset := read_text(sent.get("InventoryAssetAccountCode")):
            account = self.books.account(asset)
            if account is None or account["Type"] != "INVENTORY":
                problems.append(f"Account code '{asset}' is not a valid code for this document.")
            fields["InventoryAssetAccountCode"] = asset
        return fields | {key: bool(sent[key]) for key in ("IsSold", "IsPurchased") if key in sent}

    def _read_details(self, sent: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if (price := read_number(sent.get("UnitPrice"), "UnitPrice")) is not None:
            details["UnitPrice"] = price
        for key in ("AccountCode", "COGSAccountCode", "TaxType"):
            if text := read_text(sent.get(key)):
                details[key] = text
        code = details.get("AccountCode")
        if code and self.books.account(code) is None:
            problems.append(f"Account code '{code}' is not a valid code for this document.")
        return details


def _tracked(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an item that is tracked, if both accounts of a tracked item are set."""
    if not (fields.get("InventoryAssetAccountCode") and fields.get("PurchaseDetails", {}).get("COGSAccountCode")):
        return fields
    return {**dict.fromkeys(_COUNTED, Decimal(0)), **fields, "IsTrackedAsInventory": True}


def _code_exists(code: str) -> str:
    return f"Price List Item with Code '{code}' already exists"
