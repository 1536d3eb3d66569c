"""Xero's collections: what the SDK calls their operations, and how their documents are named and found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PAGE_SIZE = 1000  # Xero: the largest page


NO_ID = "00000000-0000-0000-0000-000000000000"


GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Collection:
    """What the SDK calls the operations of one of Xero's collections, and how its documents are named and found."""

    id_field: str
    number_field: str
    create: str
    update: str
    read: str
    write_options: Mapping[str, Any]
    read_options: Mapping[str, Any]
    lists: Mapping[str, str]  # field -> the SDK's parameter that takes a list of its values
    texts: frozenset[str]  # fields that a `where` may compare
    sales_type: str = ""  # the Type of our side of the poster: a supplier's bill may carry one of our numbers


_SUMMED_UP_NOT = {"summarize_errors": "false"}  # Xero's own default fails a whole batch for one bad element


_FOUR_DECIMALS = {"unitdp": 4}


_ONE_PAGE = {"page": 1, "page_size": PAGE_SIZE}  # paged lists hold line items and payments, others do not


COLLECTIONS: Mapping[str, Collection] = {
    "Contacts": Collection(
        "ContactID",
        "ContactNumber",
        "create_contacts",
        "update_or_create_contacts",
        "get_contacts",
        write_options=_SUMMED_UP_NOT,
        read_options={**_ONE_PAGE, "include_archived": "true"},
        lists={"ContactID": "i_ds"},
        texts=frozenset({"ContactNumber", "Name"}),
    ),
    "Invoices": Collection(
        "InvoiceID",
        "InvoiceNumber",
        "create_invoices",
        "update_or_create_invoices",
        "get_invoices",
        write_options={**_SUMMED_UP_NOT, **_FOUR_DECIMALS},
        read_options={**_ONE_PAGE, **_FOUR_DECIMALS},
        lists={"InvoiceID": "i_ds", "InvoiceNumber": "invoice_numbers"},
        texts=frozenset(),
        sales_type="ACCREC",
    ),
    "CreditNotes": Collection(
        "CreditNoteID",
        "CreditNoteNumber",
        "create_credit_notes",
        "update_or_create_credit_notes",
        "get_credit_notes",
        write_options={**_SUMMED_UP_NOT, **_FOUR_DECIMALS},
        read_options={**_ONE_PAGE, **_FOUR_DECIMALS},
        lists={},
        texts=frozenset({"CreditNoteNumber"}),
        sales_type="ACCRECCREDIT",
    ),
    "Payments": Collection(
        "PaymentID",
        "",  # payments have no number of their own
        "create_payments",
        "delete_payment",
        "get_payments",
        write_options=_SUMMED_UP_NOT,
        read_options=_ONE_PAGE,
        lists={},
        texts=frozenset({"Reference"}),
    ),
}


def collection_of(name: str) -> Collection:
    if name not in COLLECTIONS:
        raise ValueError(f"collection {name!r} is not one of {', '.join(COLLECTIONS)}")
    return COLLECTIONS[name]


def filter_parameters(kind: Collection, field: str, values: Sequence[str]) -> dict[str, Any]:
    """The SDK's parameters for "`field` is one of these". Errors name the field, never the value: it may be a name."""
    if field not in {kind.id_field, kind.number_field, *kind.texts} - {""}:
        raise ValueError(f"{field} is no field to find documents by")
    if any(not isinstance(value, str) or not value for value in values):
        raise ValueError(f"a value of {field} is empty or no text")
    if field == kind.id_field and not all(GUID.fullmatch(value) for value in values):
        raise ValueError(f"a value of {field} is no Xero id such as {NO_ID}")
    if field in kind.lists:
        if any("," in value for value in values):
            raise ValueError(f"a value of {field} holds a comma; Xero's list filter would cut it in two")
        return {kind.lists[field]: list(values)}
    if field == kind.id_field:
        return {"where": " OR ".join(f'{field}==Guid("{value}")' for value in values)}
    if any('"' in value or "\\" in value for value in values):
        raise ValueError(f"a value of {field} holds a quotation mark or backslash; Xero's filter cannot take it")
    return {"where": " OR ".join(f'{field}=="{value}"' for value in values)}


def folded(value: Any) -> str:
    return str(value).strip().casefold()
