"""Countries in the names of tax rates: those of Amazon's marketplaces and of the EU, as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

# ISO code -> names, of which the first is used in messages. A rate is called "Germany 19 %", "German VAT" or "DE VAT".
_NAMES: Mapping[str, tuple[str, ...]] = {
    "AE": ("United Arab Emirates", "UAE", "Emirati"),
    "AT": ("Austria", "Austrian"),
    "AU": ("Australia", "Australian"),
    "BE": ("Belgium", "Belgian"),
    "BG": ("Bulgaria", "Bulgarian"),
    "BR": ("Brazil", "Brazilian"),
    "CA": ("Canada", "Canadian"),
    "CY": ("Cyprus", "Cypriot"),
    "CZ": ("Czechia", "Czech", "Czech Republic"),
    "DE": ("Germany", "German"),
    "DK": ("Denmark", "Danish"),
    "EE": ("Estonia", "Estonian"),
    "EG": ("Egypt", "Egyptian"),
    "ES": ("Spain", "Spanish"),
    "FI": ("Finland", "Finnish"),
    "FR": ("France", "French"),
    "GB": ("United Kingdom", "Great Britain", "UK", "British"),
    "GR": ("Greece", "Greek", "EL"),  # EL is the tax offices' code
    "HR": ("Croatia", "Croatian"),
    "HU": ("Hungary", "Hungarian"),
    "IE": ("Ireland", "Irish"),
    "IN": ("India", "Indian"),
    "IT": ("Italy", "Italian"),
    "JP": ("Japan", "Japanese"),
    "LT": ("Lithuania", "Lithuanian"),
    "LU": ("Luxembourg",),
    "LV": ("Latvia", "Latvian"),
    "MT": ("Malta", "Maltese"),
    "MX": ("Mexico", "Mexican"),
    "NL": ("Netherlands", "Holland", "Dutch"),
    "NZ": ("New Zealand",),
    "PL": ("Poland", "Polish"),
    "PT": ("Portugal", "Portuguese"),
    "RO": ("Romania", "Romanian"),
    "SA": ("Saudi Arabia", "Saudi"),
    "SE": ("Sweden", "Swedish"),
    "SG": ("Singapore",),
    "SI": ("Slovenia", "Slovenian"),
    "SK": ("Slovakia", "Slovak"),
    "TR": ("Turkey", "Türkiye", "Turkish"),
    "US": ("United States", "USA", "American"),
    "ZA": ("South Africa", "South African"),
}
COUNTRIES = frozenset(_NAMES)
# fmt: off
EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})
# fmt: on


def country_name(code: str) -> str:
    """Return the English name of one of COUNTRIES."""
    return _NAMES[code][0]


def countries_named_in(text: str) -> frozenset[str]:
    """Return the ISO codes of the countries that a text names."""
    return frozenset(code for code, pattern in _PATTERNS.items() if pattern.search(text))


def _pattern(code: str, names: tuple[str, ...]) -> re.Pattern[str]:
    # A code counts as a word in capitals only: "at", "be", "in" and "it" occur in many names. Northern Ireland and New
    # Mexico are not the countries whose names they contain.
    words = "|".join(name if name.isupper() else f"(?i:{re.escape(name)})" for name in names)
    return re.compile(rf"(?<!\bNorthern )(?<!\bNew )\b(?:{code}|{words})\b")


_PATTERNS = {code: _pattern(code, names) for code, names in _NAMES.items()}
