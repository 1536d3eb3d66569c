"""Xero's documents and answers, access tokens, and the three calls that the adapter's tests make."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.ports.xero import Outcome
from unit.adapters.fault_server import Reply

API = "/api.xro/2.0"
INVOICES = f"{API}/Invoices"
CONTACTS = f"{API}/Contacts"
BUYER_NAME = "Margaret Thistlewood"
ACCESS_TOKEN = "ey.the-access-token"
EXPIRED = Reply(401, {"Title": "Unauthorized", "Status": 401, "Detail": f"TokenExpired: token of {BUYER_NAME} expired"})
FORBIDDEN = Reply(403, {"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"})
INVOICE = {"Type": "ACCREC", "InvoiceNumber": "AMZ-1", "Contact": {"ContactID": "c"}, "LineItems": []}


class Tokens:
    """ports.AccessTokens: the current one is ACCESS_TOKEN, each renewal gives another one.

    stale: the tokens that were given back as refused.
    """

    def __init__(self, name: str = ACCESS_TOKEN) -> None:
        self.name = name
        self.stale: list[str] = []

    def current(self) -> str:
        return self.name

    def renewed(self, stale: str) -> str:
        self.stale.append(stale)
        self.name = f"{ACCESS_TOKEN}.renewed-{len(self.stale)}"
        return self.name


def guid(number: int) -> str:
    return f"11111111-2222-3333-4444-{number:012d}"


def stored(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return an invoice as Xero answers with it."""
    return {
        "InvoiceID": guid(number),
        "InvoiceNumber": f"AMZ-{number}",
        "Type": "ACCREC",
        "HasErrors": False,
        "StatusAttributeString": "OK",
        **changes,
    }


def answer(*elements: Any, collection: str = "Invoices", **changes: Any) -> Reply:
    return Reply(200, {"Id": "x", "Status": "OK", collection: list(elements), **changes})


def create(accounting: XeroAccounting, *elements: dict[str, Any]) -> list[Outcome]:
    return accounting.create("Invoices", elements or [INVOICE], "key-1")


def update(accounting: XeroAccounting) -> list[Outcome]:
    return accounting.update("Invoices", [{"InvoiceID": guid(1), "Status": "VOIDED"}], "key-2")


def find(accounting: XeroAccounting) -> list[dict[str, Any]]:
    return accounting.find("Invoices", "InvoiceNumber", ["AMZ-1"])
