"""States and provinces as people spell them: by code, by name, with and without accents and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

# Country -> code -> names, besides the code itself.
_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AU": {
        "ACT": ("Australian Capital Territory",), "NSW": ("New South Wales",), "NT": ("Northern Territory",),
        "QLD": ("Queensland",), "SA": ("South Australia",), "TAS": ("Tasmania",), "VIC": ("Victoria",),
        "WA": ("Western Australia",),
    },
    "CA": {
        "AB": ("Alberta", "Alta"), "BC": ("British Columbia", "Colombie-Britannique"), "MB": ("Manitoba", "Man"),
        "NB": ("New Brunswick", "Nouveau-Brunswick"), "NS": ("Nova Scotia", "Nouvelle-Écosse"),
        "NL": ("Newfoundland and Labrador", "Newfoundland & Labrador", "Newfoundland", "NFLD", "NF"),
        "NT": ("Northwest Territories", "Territoires du Nord-Ouest", "NWT"), "NU": ("Nunavut",),
        "ON": ("Ontario", "Ont"), "PE": ("Prince Edward Island", "PEI", "Île-du-Prince-Édouard"),
        "QC": ("Québec", "PQ", "Que"), "SK": ("Saskatchewan", "Sask"), "YT": ("Yukon", "Yukon Territory", "YK"),
    },
    "US": {
        "AL": ("Alabama",), "AK": ("Alaska",), "AZ": ("Arizona",), "AR": ("Arkansas",), "CA": ("California",),
        "CO": ("Colorado",), "CT": ("Connecticut",), "DE": ("Delaware",), "FL": ("Florida",), "GA": ("Georgia",),
        "DC": ("District of Columbia", "Washington DC"), "HI": ("Hawaii",), "ID": ("Idaho",), "IL": ("Illinois",),
        "IN": ("Indiana",), "IA": ("Iowa",), "KS": ("Kansas",), "KY": ("Kentucky",), "LA": ("Louisiana",),
        "ME": ("Maine",), "MD": ("Maryland",), "MA": ("Massachusetts",), "MI": ("Michigan",), "MN": ("Minnesota",),
        "MS": ("Mississippi",), "MO": ("Missouri",), "MT": ("Montana",), "NE": ("Nebraska",), "NV": ("Nevada",),
        "NH": ("New Hampshire",), "NJ": ("New Jersey",), "NM": ("New Mexico",), "NY": ("New York",),
        "NC": ("North Carolina",), "ND": ("North Dakota",), "OH": ("Ohio",), "OK": ("Oklahoma",), "OR": ("Oregon",),
        "PA": ("Pennsylvania",), "PR": ("Puerto Rico",), "RI": ("Rhode Island",), "SC": ("South Carolina",),
        "SD": ("South Dakota",), "TN": ("Tennessee",), "TX": ("Texas",), "UT": ("Utah",), "VT": ("Vermont",),
        "VA": ("Virginia",), "WA": ("Washington", "Washington State"), "WV": ("West Virginia",), "WI": ("Wisconsin",),
        "WY": ("Wyoming",),
    },
}  # fmt: skip


def compared_region(text: str, country: str) -> str:
    """Return what two spellings of a region in a country (ISO code) have in common; the text folded where unknown."""
    folded = _folded(text)
    return _CODES.get(country, {}).get(folded, folded)


def _folded(text: str) -> str:
    """Return letters and digits only, without case and accents: `Québec` and `QUEBEC`, `B.C.` and `BC` are the same."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


_CODES = {
    country: {
        _folded(name): _folded(code) for code, names in regions.items() for name in (code, f"{country}-{code}", *names)
    }
    for country, regions in _NAMES.items()
}
