"""Accounts, currencies and price list items a client may create."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .books import Books, Item, NotFound, Refused
from .chart import ACCOUNT_CLASSES, CURRENCY_NAMES
from .values import read_choice, read_number, read_object, read_text, wire_instant

_DETAILS = ("SalesDetails", "PurchaseDetails")
_TEXTS = {"Name": 50, "Description": 4000, "PurchaseDescription": 4000}


class Items:
    def __init__(self, books: Books) -> None:
        self.books = books

    def find(self, reference: str) -> Item | None:
        """By id or code."""
        books = self.books
        return books.items.get(reference.lower()) or books.items.get(books.item_by_code.get(reference.casefold(), ""))

    def create(self, element: dict[str, Any]) -> Item:
        code = read_text(element.get("Code"))
        if code and code.casefold() in self.books.item_by_code:
            raise Refused(f"Price List Item with Code '{code}' already exists")
        return self._store(None, element)

    def update_or_create(self, element: dict[str, Any], item_id: str | None = None) -> Item:
        known = self.find(item_id or read_text(element.get("ItemID")) or read_text(element.get("Code")) or "")
        if item_id and known is None:
            raise NotFound
        return self._store(known, element)

    def _store(self, known: Item | None, element: dict[str, Any]) -> Item:
        books = self.books
        code = read_text(element.get("Code")) or (known.code if known else None)
        if code is None:
            raise Refused("Price List Item Code must be supplied")
        record_id = known.id if known else None
        problems = []
        if len(code) > 30:
            problems.append("The Code must not be longer than 30 characters.")
        if books.item_by_code.get(code.casefold(), record_id) != record_id:
            problems.append(f"Price List Item with Code '{code}' already exists")
        fields = self._fields(element, problems)
        if problems:
            raise Refused(*problems, record_id=record_id)
        if known is None:
            item = Item(books.new_id(), code, books.now(), fields)
        else:
            if known.code.casefold() != code.casefold():
                books.remove(books.item_by_code, known.code.casefold())
            item = replace(known, code=code, updated=books.now(), fields={**known.fields, **fields})
        books.put(books.items, item.id, item)
        books.put(books.item_by_code, code.casefold(), item.id)
        return item

    def _fields(self, element: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        sent = {key: value for key, value in element.items() if value is not None}
        fields: dict[str, Any] = {key: read_text(sent[key]) or "" for key in _TEXTS if key in sent}
        problems += [
            f"The {key} must not be longer than {longest} characters."
            for key, longest in _TEXTS.items()
            if len(fields.get(key, "")) > longest
        ]
        fields |= {key: self._details(read_object(sent[key], key), problems) for key in _DETAILS if key in sent}
        return fields | {key: bool(sent[key]) for key in ("IsSold", "IsPurchased") if key in sent}

    def _details(self, sent: dict[str, Any], problems: list[str]) -> dict[str, Any]:
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


def create_account(books: Books, element: dict[str, Any]) -> dict[str, Any]:
    """PUT /Accounts takes one account a call."""
    code, name = read_text(element.get("Code")), read_text(element.get("Name"))
    kind = read_choice(element.get("Type"), tuple(ACCOUNT_CLASSES), "Type")
    problems = []
    if not code or len(code) > 10:
        problems.append("Please enter a Code of at most 10 characters.")
    elif code.upper() in books.account_by_code:
        problems.append("Please enter a unique Code.")
    if not name or len(name) > 150:
        problems.append("Please enter a Name of at most 150 characters.")
    elif any(account["Name"].casefold() == name.casefold() for account in books.accounts.values()):
        problems.append("Please enter a unique Name.")
    if kind is None:
        problems.append("The Type field is mandatory")
    currency = read_text(element.get("CurrencyCode")) or books.base_currency
    if kind == "BANK":
        if not read_text(element.get("BankAccountNumber")):
            problems.append("A bank account must have a BankAccountNumber")
        if currency not in books.currencies:
            problems.append(f"Organisation is not subscribed to currency {currency}")
    tax_type = read_text(element.get("TaxType")) or "NONE"
    if tax_type not in books.tax_rates:
        problems.append(f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction.")
    if problems or kind is None:
        raise Refused(*problems)
    account = {
        "AccountID": books.new_id(),
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": kind,
        "TaxType": tax_type,
        "Description": read_text(element.get("Description")) or "",
        "Class": ACCOUNT_CLASSES[kind],
        "EnablePaymentsToAccount": bool(element.get("EnablePaymentsToAccount", False)),
        "ShowInExpenseClaims": bool(element.get("ShowInExpenseClaims", False)),
        "UpdatedDateUTC": wire_instant(books.now()),
        "AddToWatchlist": False,
    }
    if kind == "BANK":
        account |= {
            "BankAccountNumber": read_text(element.get("BankAccountNumber")),
            "BankAccountType": "BANK",
            "CurrencyCode": currency,
        }
    books.save_account(account)
    return account


def create_currency(books: Books, element: dict[str, Any]) -> dict[str, Any]:
    code = (read_text(element.get("Code")) or "").upper()
    if len(code) != 3 or not code.isalpha() or not code.isascii():
        raise Refused(f"'{code}' is not a valid currency code")
    currency = {"Code": code, "Description": CURRENCY_NAMES.get(code, code)}
    if code not in books.currencies:
        books.put(books.currencies, code, currency)
    return books.currencies[code]
