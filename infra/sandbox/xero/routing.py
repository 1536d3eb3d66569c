"""Which operation of Xero's OpenAPI document a request calls."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

API = "/api.xro/2.0/"

# (method, resource, what follows the resource) -> operation
_OPERATIONS = {
    ("GET", "organisation", ""): "getOrganisations",
    ("GET", "accounts", ""): "getAccounts",
    ("PUT", "accounts", ""): "createAccount",
    ("GET", "taxrates", ""): "getTaxRates",
    ("GET", "currencies", ""): "getCurrencies",
    ("PUT", "currencies", ""): "createCurrency",
    ("GET", "contacts", ""): "getContacts",
    ("PUT", "contacts", ""): "createContacts",
    ("POST", "contacts", ""): "updateOrCreateContacts",
    ("GET", "contacts", "/id"): "getContact",
    ("POST", "contacts", "/id"): "updateContact",
    ("GET", "invoices", ""): "getInvoices",
    ("PUT", "invoices", ""): "createInvoices",
    ("POST", "invoices", ""): "updateOrCreateInvoices",
    ("GET", "invoices", "/id"): "getInvoice",
    ("POST", "invoices", "/id"): "updateInvoice",
    ("GET", "invoices", "/id/history"): "getInvoiceHistory",
    ("PUT", "invoices", "/id/history"): "createInvoiceHistory",
    ("GET", "creditnotes", ""): "getCreditNotes",
    ("PUT", "creditnotes", ""): "createCreditNotes",
    ("POST", "creditnotes", ""): "updateOrCreateCreditNotes",
    ("GET", "creditnotes", "/id"): "getCreditNote",
    ("POST", "creditnotes", "/id"): "updateCreditNote",
    ("PUT", "creditnotes", "/id/allocations"): "createCreditNoteAllocation",
    ("DELETE", "creditnotes", "/id/allocations/id"): "deleteCreditNoteAllocations",
    ("GET", "invoices", "/id/attachments"): "getInvoiceAttachments",
    ("PUT", "invoices", "/id/attachments/id"): "createInvoiceAttachmentByFileName",
    ("POST", "invoices", "/id/attachments/id"): "updateInvoiceAttachmentByFileName",
    ("GET", "creditnotes", "/id/attachments"): "getCreditNoteAttachments",
    ("PUT", "creditnotes", "/id/attachments/id"): "createCreditNoteAttachmentByFileName",
    ("POST", "creditnotes", "/id/attachments/id"): "updateCreditNoteAttachmentByFileName",
    ("GET", "payments", ""): "getPayments",
    ("PUT", "payments", ""): "createPayments",
    ("POST", "payments", ""): "createPayment",
    ("GET", "payments", "/id"): "getPayment",
    ("POST", "payments", "/id"): "deletePayment",
    ("GET", "trackingcategories", ""): "getTrackingCategories",
    ("GET", "brandingthemes", ""): "getBrandingThemes",
    ("GET", "items", ""): "getItems",
    ("PUT", "items", ""): "createItems",
    ("POST", "items", ""): "updateOrCreateItems",
    ("GET", "items", "/id"): "getItem",
    ("POST", "items", "/id"): "updateItem",
}
_COLLECTIONS = {
    "accounts": "Accounts",
    "currencies": "Currencies",
    "contacts": "Contacts",
    "invoices": "Invoices",
    "creditnotes": "CreditNotes",
    "payments": "Payments",
    "items": "Items",
    "brandingthemes": "BrandingThemes",
    "trackingcategories": "TrackingCategories",
}
_NESTED_COLLECTIONS = {"history": "HistoryRecords", "allocations": "Allocations", "attachments": "Attachments"}


@lru_cache(maxsize=4096)
def route(method: str, path: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the operation, None for an unknown path, and the references (ids or numbers) in the path."""
    if not path.lower().startswith(API):
        return None, ()
    parts = [unquote(part) for part in path[len(API) :].strip("/").split("/")]
    following = [part if index % 2 else "id" for index, part in enumerate(parts[1:])]
    suffix = "".join(f"/{part.lower()}" for part in following)
    return _OPERATIONS.get((method, parts[0].lower(), suffix)), tuple(parts[1::2])


def collection_of(path: str) -> str:
    """Return the key under which requests and responses hold their documents; empty for an unknown path."""
    parts = path[len(API) :].strip("/").lower().split("/")
    if len(parts) > 2 and parts[2] in _NESTED_COLLECTIONS:
        return _NESTED_COLLECTIONS[parts[2]]
    return _COLLECTIONS.get(parts[0], "")


def identity_operation(method: str, path: str) -> str | None:
    """Return the operation of the identity service; None for an unknown path."""
    match method, path.lower().rstrip("/"):
        case "GET", "/identity/connect/authorize":
            return "connectAuthorize"
        case "POST", "/connect/token":
            return "connectToken"
        case "POST", "/connect/revocation":
            return "connectRevocation"
        case "GET", "/connections":
            return "getConnections"
        case "DELETE", connection if connection.startswith("/connections/"):
            return "deleteConnection"
    return None
