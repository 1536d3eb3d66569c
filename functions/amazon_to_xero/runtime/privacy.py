"""Where buyer data is kept out of everything but Xero: the one place that decides it.

    the table                     storable_order: what of Amazon's order may be stored
    contact numbers and digests   BuyerPseudonyms: salted, with a salt from the connection's secret
    Xero's messages               redact: what a message may repeat of a buyer is replaced before anybody sees it
    the libraries' own logs       silence_libraries: they would log URLs, tokens and answers
    exceptions                    services/unforeseen: the type and place of an exception, never its text

Buyers' details live only in the memory of one execution environment, between reading and posting
(intake/buyer_details).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amazon_to_xero.domain.amazon.business_buyer import REFERENCE_NAMES, STORED_AS, BuyerReference, buyer_references
from amazon_to_xero.domain.books.matching import REFERENCE_MARK
from amazon_to_xero.domain.canonical import canonical_json

# The parts of Amazon's Order that bookkeeping needs. A list of what is stored, not of what is dropped: a field that
# Amazon adds tomorrow is not stored before somebody has checked whether it identifies the buyer.
STORED_FIELDS: Mapping[str, Any] = {
    "orderId": True,
    "createdTime": True,
    "lastUpdatedTime": True,
    "programs": True,
    "associatedOrders": True,
    "salesChannel": True,
    "proceeds": True,
    "recipient": {"deliveryAddress": {"countryCode": True, "stateOrRegion": True}},
    "fulfillment": {"fulfillmentStatus": True, "fulfilledBy": True},
    "packages": {
        "packageReferenceId": True,
        "packageStatus": True,
        "carrier": True,
        "trackingNumber": True,
        "shipTime": True,
        "packageItems": {"orderItemId": True, "quantity": True},
    },
    "orderItems": {
        "orderItemId": True,
        "quantityOrdered": True,
        "product": {"asin": True, "sellerSku": True, "title": True, "price": True},
        "proceeds": True,
        "cancellation": {"cancellationExecution": True},
        "fulfillment": {"quantityFulfilled": True, "quantityUnfulfilled": True},
        "tax": {
            "taxCollections": {"model": True, "responsibleParty": True},
            "taxCalculationBreakdowns": {"reportingScheme": True},
        },
    },
}

NO_REFERENCES: frozenset[BuyerReference] = frozenset()

# Fields of a Xero document that identify the buyer; Xero's messages may repeat their values. See also _of_reference.
REDACTED_FIELDS = frozenset(
    (
        *("Name", "FirstName", "LastName", "AttentionTo", "EmailAddress", "PhoneNumber", "TaxNumber", "CompanyNumber"),
        *("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode"),
    )
)

# httpx logs whole URLs at INFO, urllib3 each request line at DEBUG with contact numbers in it. sp_api logs access
# tokens and answers at DEBUG and raises its client's level to INFO when it is imported. botocore logs every request and
# answer at DEBUG: the connections' secrets, and the rows with Xero's tokens.
SILENCED_LOGGERS = (
    *("httpx", "httpcore", "urllib3", "sp_api", "sp_api.base.client", "xero_python"),
    *("botocore", "boto3", "s3transfer", "pynamodb", "aws_lambda_powertools"),
)

_CONTACT_NAME = re.compile(r"(?<=contact name ).+(?= is already assigned)", re.DOTALL | re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>'\"]+@[^\s@<>'\"]+")
_REDACTED = "…"


def storable_order(order: Mapping[str, Any], references: frozenset[BuyerReference] = NO_REFERENCES) -> dict[str, Any]:
    """Return what of an order may be stored: ids, amounts, states, destination country and region.

    references: those of a business buyer that the settings ask for, because documents state them.
    """
    stored: dict[str, Any] = _stored_part(order, STORED_FIELDS)
    stated = {name: text for name, text in buyer_references(order).items() if name in references}
    return stored | ({STORED_AS: stated} if stated else {})


class BuyerPseudonyms:
    """Salted hashes that stand for buyers in contact numbers and in the table.

    Without the salt nobody can test an address book against them. It is random, and kept in the connection's secret: a
    new salt would make new contacts of all buyers.
    """

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def pseudonym(self, *parts: str) -> str:
        """Return 20 hexadecimal digits of the salted SHA-256 of the texts."""
        return hashlib.sha256(canonical_json((self._salt, *parts)).encode()).hexdigest()[:20]


def redact(message: str, documents: Iterable[Any]) -> str:
    """Return Xero's message with everything in it replaced that the documents' buyer fields contain."""
    message = _EMAIL.sub(_REDACTED, _CONTACT_NAME.sub(_REDACTED, message))
    known = {value for document in documents for value in _buyer_values(document) if _may_identify(value)}
    for value in sorted(known, key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _REDACTED, message)
    return message


def silence_libraries() -> None:
    """Raise the level of loggers that would log URLs, tokens or answers. Call it after the libraries are imported."""
    for name in SILENCED_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _stored_part(value: Any, wanted: Any) -> Any:
    if wanted is True:
        return value
    if isinstance(value, list):
        return [_stored_part(element, wanted) for element in value]
    if isinstance(value, Mapping):
        return {name: _stored_part(value[name], inner) for name, inner in wanted.items() if name in value}
    return None


def _may_identify(value: str) -> bool:
    """Two letters of English are a word of Xero's message as often as a name; two Chinese ones are a whole name."""
    return len(value) > 2 or (value != "" and not value.isascii())


def _buyer_values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in REDACTED_FIELDS and isinstance(each, str):
                yield each.strip()
            elif name == "Reference" and isinstance(each, str):
                yield from _of_reference(each)
            else:
                yield from _buyer_values(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _buyer_values(each)


def _of_reference(reference: str) -> Iterator[str]:
    """Yield what a Reference states besides what identifies the document: a buyer's purchase order or VAT number.

    Both as a whole and part by part, with and without the name in front: a message may repeat any of them.
    """
    rest = reference.partition(REFERENCE_MARK)[2]
    for part in (rest, *rest.split(", ")):
        yield part.strip()
        name, _, text = part.partition(" ")
        if name in REFERENCE_NAMES.values():
            yield text.strip()
