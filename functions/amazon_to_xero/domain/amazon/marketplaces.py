"""Amazon's marketplaces (Amazon: SP-API marketplace ids)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

type Region = Literal["na", "eu", "fe"]


@dataclass(frozen=True)
class Marketplace:
    """One of Amazon's marketplaces.

    marketplace_id: Amazon's id, e.g. A1F83G8C2ARO7P.
    name: as buyers know it, e.g. Amazon.co.uk.
    country, currency: ISO codes.
    region: the SP-API region that serves it.
    prices_exclude_tax: prices never contain tax; Amazon adds it to them.
    """

    marketplace_id: str
    name: str
    country: str
    currency: str
    region: Region
    prices_exclude_tax: bool = False


_ALL = (
    Marketplace("ATVPDKIKX0DER", "Amazon.com", "US", "USD", "na", prices_exclude_tax=True),
    Marketplace("A2EUQ1WTGCTBG2", "Amazon.ca", "CA", "CAD", "na", prices_exclude_tax=True),
    Marketplace("A1AM78C64UM0Y8", "Amazon.com.mx", "MX", "MXN", "na"),
    Marketplace("A2Q3Y263D00KWC", "Amazon.com.br", "BR", "BRL", "na"),
    Marketplace("A1F83G8C2ARO7P", "Amazon.co.uk", "GB", "GBP", "eu"),
    Marketplace("A1PA6795UKMFR9", "Amazon.de", "DE", "EUR", "eu"),
    Marketplace("A13V1IB3VIYZZH", "Amazon.fr", "FR", "EUR", "eu"),
    Marketplace("APJ6JRA9NG5V4", "Amazon.it", "IT", "EUR", "eu"),
    Marketplace("A1RKKUPIHCS9HS", "Amazon.es", "ES", "EUR", "eu"),
    Marketplace("A1805IZSGTT6HS", "Amazon.nl", "NL", "EUR", "eu"),
    Marketplace("AMEN7PMS3EDWL", "Amazon.com.be", "BE", "EUR", "eu"),
    Marketplace("A28R8C7NBKEWEA", "Amazon.ie", "IE", "EUR", "eu"),
    Marketplace("A2NODRKZP88ZB9", "Amazon.se", "SE", "SEK", "eu"),
    Marketplace("A1C3SOZRARQ6R3", "Amazon.pl", "PL", "PLN", "eu"),
    Marketplace("A33AVAJ2PDY3EV", "Amazon.com.tr", "TR", "TRY", "eu"),
    Marketplace("A2VIGQ35RCS4UG", "Amazon.ae", "AE", "AED", "eu"),
    Marketplace("A17E79C6D8DWNP", "Amazon.sa", "SA", "SAR", "eu"),
    Marketplace("ARBP9OOSHTCHU", "Amazon.eg", "EG", "EGP", "eu"),
    Marketplace("AE08WJ6YKNBMC", "Amazon.co.za", "ZA", "ZAR", "eu"),
    Marketplace("A21TJRUUN4KGV", "Amazon.in", "IN", "INR", "eu"),
    Marketplace("A1VC38T7YXB528", "Amazon.co.jp", "JP", "JPY", "fe"),
    Marketplace("A39IBJ37TRP1C6", "Amazon.com.au", "AU", "AUD", "fe"),
    Marketplace("A19VAU5U5O7RUS", "Amazon.sg", "SG", "SGD", "fe"),
)

MARKETPLACES: Mapping[str, Marketplace] = {marketplace.marketplace_id: marketplace for marketplace in _ALL}


def prices_exclude_tax(marketplace_id: str) -> bool:
    """Whether prices on that marketplace never contain tax; False for one that is not known."""
    return marketplace_id in MARKETPLACES and MARKETPLACES[marketplace_id].prices_exclude_tax
