"""What the words mean by which Amazon says who owes a tax: collection models, responsible parties, reporting schemes.

Amazon documents few of them and adds others without notice. They are compared without regard to case, spaces and
punctuation; a word that is not known is never taken for the seller's liability.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import TaxCollection


class Party(StrEnum):
    """Who owes the tax to the state."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"
    UNCLEAR = "unclear"


# The two collection models by which the Finances API names who was paid a tax (v0: TaxCollectionModel).
MARKETPLACE_FACILITATOR = "MarketplaceFacilitator"
STANDARD = "Standard"
_MODELS: Mapping[str, Party] = {
    "marketplacefacilitator": Party.MARKETPLACE,
    "deemedreseller": Party.MARKETPLACE,
    "deemedsupplier": Party.MARKETPLACE,
    "lowvaluegoods": Party.MARKETPLACE,  # Australia: Amazon owes the GST on low-value goods from abroad
    "standard": Party.SELLER,  # Finances API: paid to the seller
}
_SELLERS = frozenset({"seller", "merchant", "sellingpartner"})
_MARKETPLACES = re.compile(r"(?<![^\W_])(amazon|marketplace)(?![^\W_])")  # as a word of the party's name
# Schemes in which a seller reports by itself: they say nothing against a collection by the marketplace.
_SCHEMES_OF_SELLERS = frozenset({"uoss", "unionoss", "regular", "standard"})
# One-stop shop for imports: on a marketplace the marketplace owes the tax (Directive 2006/112/EC, article 14a). VOEC
# and MPF: a country's scheme for marketplaces, such as GB_VOEC, UK_VOEC-IMPORT, NO_VOEC, AU_VOEC, CA_MPF.
_SCHEMES_OF_MARKETPLACES = re.compile(r"(eu|deemedreseller)?ioss|deemedreseller|[a-z]{2}(voec|mpf)(domestic|import)?")


def folded_word(word: str) -> str:
    """Return the word as it is compared: its letters and digits only, without regard to case."""
    return "".join(character for character in word.casefold() if character.isalnum())


def party_of_collection(collection: TaxCollection, liabilities: Mapping[str, Party]) -> Party:
    """Return who owes a tax that is collected so: UNCLEAR for unknown words, for none, and for a contradiction."""
    word = folded_word(collection.model)
    party = _responsible(collection.responsible_party, liabilities)
    if not word:
        return party or Party.UNCLEAR
    model = liabilities.get(word) or _MODELS.get(word) or Party.UNCLEAR
    return model if party in (None, model) else Party.UNCLEAR


def party_of_scheme(scheme: str, liabilities: Mapping[str, Party]) -> Party | None:
    """Return who owes a tax that is reported so; None where the scheme does not say."""
    word = folded_word(scheme)
    if word in liabilities:
        return liabilities[word]
    if word in _SCHEMES_OF_SELLERS:
        return None
    return Party.MARKETPLACE if _SCHEMES_OF_MARKETPLACES.fullmatch(word) else Party.UNCLEAR


def unknown_words(
    collections: Iterable[TaxCollection], schemes: Iterable[str], liabilities: Mapping[str, Party]
) -> list[str]:
    """Return the words that a person may explain in the settings: those by which nobody can say who owes the tax."""
    models = {each.model for each in collections if each.model}
    parties = {each.responsible_party for each in collections if each.responsible_party and not each.model}
    return sorted(
        [word for word in models if folded_word(word) not in {*_MODELS, *liabilities}]
        + [word for word in parties if _responsible(word, liabilities) is None]
        + [word for word in schemes if party_of_scheme(word, liabilities) is Party.UNCLEAR]
    )


def _responsible(party: str, liabilities: Mapping[str, Party]) -> Party | None:
    word = folded_word(party)
    if word in liabilities:
        return liabilities[word]
    if word in _SELLERS:
        return Party.SELLER
    return Party.MARKETPLACE if _MARKETPLACES.search(party.casefold()) else None
