"""The settings a client may add to an organisation: accounts and currencies."""

from __future__ import annotations

from typing import Any

from .books import Books
from .chart import ACCOUNT_CLASSES, CURRENCY_NAMES
from .errors import ValidationError
from .values import read_choice, read_text, wire_instant


def create_account(books: Books, element: dict[str, Any]) -> dict[str, Any]:
    """PUT /Accounts: create one account."""
    code, name = read_text(element.get("Code")), read_text(element.get("Name"))
    account_type = read_choice(element.get("Type"), tuple(ACCOUNT_CLASSES), "Type")
    problems = []
    if not code or len(code) > 10:
        problems.append("Please enter a Code of at most 10 characters.")
    elif code.upper() in books.account_by_code:
        problems.append("Please enter a unique Code.")
    if not name or len(name) > 150:
        problems.append("Please enter a Name of at most 150 characters.")
    elif any(account["Name"].casefold() == name.casefold() for account in books.accounts.values()):
        problems.append("Please enter a unique Name.")
    if account_type is None:
        problems.append("The Type field is mandatory")
    currency = read_text(element.get("CurrencyCode")) or books.base_currency
    if account_type == "BANK":
        if not read_text(element.get("BankAccountNumber")):
            problems.append("A bank account must have a BankAccountNumber")
        if currency not in books.currencies:
            problems.append(f"Organisation is not subscribed to currency {currency}")
    tax_type = read_text(element.get("TaxType")) or "NONE"
    if tax_type not in books.tax_rates:
        problems.append(f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction.")
    if problems or account_type is None:
        raise ValidationError(*problems)
    account = {
        "AccountID": books.new_id(),
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": account_type,
        "TaxType": tax_type,
        "Description": read_text(element.get("Description")) or "",
        "Class": ACCOUNT_CLASSES[account_type],
        "EnablePaymentsToAccount": bool(element.get("EnablePaymentsToAccount", False)),
        "ShowInExpenseClaims": bool(element.get("ShowInExpenseClaims", False)),
        "UpdatedDateUTC": wire_instant(books.now()),
        "AddToWatchlist": False,
    }
    if account_type == "BANK":
        account |= {
            "BankAccountNumber": read_text(element.get("BankAccountNumber")),
            "BankAccountType": "BANK",
            "CurrencyCode": currency,
        }
    books.save_account(account)
    return account


def create_currency(books: Books, element: dict[str, Any]) -> dict[str, Any]:
    """PUT /Currencies: subscribe the organisation to a currency."""
    code = (read_text(element.get("Code")) or "").upper()
    if len(code) != 3 or not code.isalpha() or not code.isascii():
        raise ValidationError(f"'{code}' is not a valid currency code")
    currency = {"Code": code, "Description": CURRENCY_NAMES.get(code, code)}
    if code not in books.currencies:
        books.put(books.currencies, code, currency)
    return books.currencies[code]
