"""Links for a person to a document in Xero and to an order in Seller Central.

Xero opens the organisation that the person used last: the links have no short code of an organisation, which its API
states and nothing here stores (Xero: Deep link to Xero).
"""

from __future__ import annotations

from collections.abc import Mapping

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind

_XERO = "https://go.xero.com"
_PAGES: Mapping[DocumentKind, str] = {
    DocumentKind.CONTACT: "/Contacts/View/{id}",
    DocumentKind.INVOICE: "/AccountsReceivable/View.aspx?InvoiceID={id}",
    DocumentKind.CREDIT_NOTE: "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}",
}


def xero_link(document: Document) -> str:
    """Return the address of a document's page; empty where Xero has none for its kind, or no such document yet."""
    page = _PAGES.get(document.kind, "")
    return f"{_XERO}{page.format(id=document.xero_id)}" if page and document.xero_id else ""


def seller_central_link(order_id: str, marketplace_id: str) -> str:
    """Return the address of an order in Seller Central; empty for a marketplace that is not known."""
    marketplace = MARKETPLACES.get(marketplace_id)
    return f"https://sellercentral.{marketplace.name.lower()}/orders-v3/order/{order_id}" if marketplace else ""
