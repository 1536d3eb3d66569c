"""Xero's collections: the SDK's names of their operations, and how their documents are identified and found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from amazon_to_xero.ports.xero import MAX_VALUES

PAGE_SIZE = 1000  # Xero: the largest page
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_ID = "00000000-0000-0000-0000-000000000000"

# Xero answers a URL of more than about 2,048 characters with 404. The rest is for the address and the other parameters.
MAX_FILTER_LENGTH = 1_700

_EACH_ELEMENT = {"summarize_errors": "false"}  # by default Xero refuses a whole batch for one bad element
_FOUR_DECIMALS = {"unitdp": 4}
_ONE_PAGE = {"page": 1, "page_size": PAGE_SIZE}  # only paged answers hold line items and payments


@dataclass(frozen=True)
class Collection:
    """One of Xero's collections.

    name: Xero's name, also of the list in requests and answers.
    id_field, number_field: fields of an element with Xero's id and with our number; "" where it has no number.
    create, update, read: names of the SDK's methods; "" for what Xero does not offer or we never do.
    write_options, read_options: the SDK's parameters of every write and of every read.
    list_filters: field -> the SDK's parameter that takes a list of its values.
    where_fields: fields that a `where` filter can compare with a text.
    sales_type: the Type of sales documents; bills and supplier credits are left out, whatever number they have.
    owner_path: where an element names the document that it is a part of; that one's id is sent in the URL.
    attach, attachments: names of the SDK's methods that attach a file to an element, and read those that it has.
    """

    name: str
    id_field: str
    number_field: str
    create: str
    update: str
    read: str
    write_options: Mapping[str, Any]
    read_options: Mapping[str, Any]
    list_filters: Mapping[str, str]
    where_fields: frozenset[str]
    sales_type: str = ""
    owner_path: tuple[str, str] | None = None
    attach: str = ""
    attachments: str = ""


_ALL = (
    Collection(
        "Contacts",
        "ContactID",
        "ContactNumber",
        "create_contacts",
        "update_or_create_contacts",
        "get_contacts",
        write_options=_EACH_ELEMENT,
        read_options={**_ONE_PAGE, "include_archived": "true"},
        list_filters={"ContactID": "i_ds"},
        where_fields=frozenset({"ContactNumber", "Name"}),
    ),
    Collection(
        "Invoices",
        "InvoiceID",
        "InvoiceNumber",
        "create_invoices",
        "update_or_create_invoices",
        "get_invoices",
        write_options={**_EACH_ELEMENT, **_FOUR_DECIMALS},
        read_options={**_ONE_PAGE, **_FOUR_DECIMALS},
        list_filters={"InvoiceID": "i_ds", "InvoiceNumber": "invoice_numbers"},
        where_fields=frozenset(),
        sales_type="ACCREC",
        attach="create_invoice_attachment_by_file_name",
        attachments="get_invoice_attachments",
    ),
    Collection(
        "CreditNotes",
        "CreditNoteID",
        "CreditNoteNumber",
        "create_credit_notes",
        "update_or_create_credit_notes",
        "get_credit_notes",
        write_options={**_EACH_ELEMENT, **_FOUR_DECIMALS},
        read_options={**_ONE_PAGE, **_FOUR_DECIMALS},
        list_filters={},
        where_fields=frozenset({"CreditNoteNumber"}),
        sales_type="ACCRECCREDIT",
        attach="create_credit_note_attachment_by_file_name",
        attachments="get_credit_note_attachments",
    ),
    Collection(
        "Payments",
        "PaymentID",
        "",
        "create_payments",
        "delete_payment",
        "get_payments",
        write_options=_EACH_ELEMENT,
        read_options=_ONE_PAGE,
        list_filters={},
        where_fields=frozenset({"Reference"}),
    ),
    Collection(
        "Allocations",
        "AllocationID",
        "",
        "create_credit_note_allocation",
        "",
        "",
        write_options=_EACH_ELEMENT,
        read_options={},
        list_filters={},
        where_fields=frozenset(),
        owner_path=("CreditNote", "CreditNoteID"),
    ),
)

COLLECTIONS: Mapping[str, Collection] = {collection.name: collection for collection in _ALL}


def collection_of(name: str) -> Collection:
    """Return the collection of that name. Raises ValueError for any other name."""
    if name not in COLLECTIONS:
        raise ValueError(f"collection {name!r} is not one of {', '.join(COLLECTIONS)}")
    return COLLECTIONS[name]


def filter_parameters(kind: Collection, field: str, values: Sequence[str]) -> dict[str, Any]:
    """Return the SDK's parameters for "`field` is one of these values".

    Raises ValueError that names the field, never the value, which may be a buyer's name.
    """
    if field not in {kind.id_field, kind.number_field, *kind.where_fields} - {""}:
        raise ValueError(f"{field} is no field that {kind.name} can be found by")
    if any(not isinstance(value, str) or not value for value in values):
        raise ValueError(f"a value of {field} is empty or no text")
    if field == kind.id_field and not all(GUID.fullmatch(value) for value in values):
        raise ValueError(f"a value of {field} is no Xero id such as {NO_ID}")
    if field in kind.list_filters:
        if any("," in value for value in values):
            raise ValueError(f"a value of {field} holds a comma, at which Xero's list filter would split it")
        return {kind.list_filters[field]: list(values)}
    if field == kind.id_field:
        return {"where": " OR ".join(f'{field}==Guid("{value}")' for value in values)}
    if any('"' in value or "\\" in value for value in values):
        raise ValueError(f"a value of {field} holds a quotation mark or backslash, which Xero's filter cannot take")
    return {"where": " OR ".join(f'{field}=="{value}"' for value in values)}


def lookup_groups(kind: Collection, field: str, values: Sequence[str]) -> list[list[str]]:
    """Return the values in groups that one request can carry: by number, and by their length in the URL."""
    groups: list[list[str]] = []
    length = 0
    for value in dict.fromkeys(values):
        # As long as the value makes the query: the value or its comparison, and what joins it to the one before it.
        added = len(quote_plus(value if field in kind.list_filters else f'{field}==Guid("{value}")')) + len("+OR+")
        if not groups or len(groups[-1]) == MAX_VALUES or length + added > MAX_FILTER_LENGTH:
            groups.append([])
            length = 0
        groups[-1].append(value)
        length += added
    return groups
