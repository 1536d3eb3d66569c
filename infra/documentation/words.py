"""Words that docs/glossary.md rejects do not occur in code, documentation, templates and their messages.

The list is the glossary's last column. An entry in italics is wrong in one sense only, which a machine cannot tell, so
it is not searched for; one in capitals is searched for in capitals. Identifiers are searched, too: `OrderHint` and
`order_hint` contain a rejected word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from documentation.markdown import Page, Violation

GLOSSARY = "docs/glossary.md"
SEARCHED = (
    "functions/**/*.py",
    "docs/**/*.md",
    "README.md",
    "CONTRIBUTING.md",
    "template.yaml",
    "infra/*.yaml",
)
# Places where a rejected word is the right one: (path, word) -> why.
ALLOWED: Mapping[tuple[str, str], str] = {}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COLUMNS = 3


def rejected_words(root: Path) -> Iterator[Violation]:
    """Yield each rejected word with the term to use."""
    glossary = root / GLOSSARY
    rejected = rejections(Page(GLOSSARY, glossary.read_text(encoding="utf-8"))) if glossary.exists() else {}
    patterns = {word: _pattern(word) for word in rejected}
    for pattern in SEARCHED:
        for file in sorted(root.glob(pattern)):
            path = file.relative_to(root).as_posix()
            if path == GLOSSARY:
                continue
            for number, line in enumerate(_lines(file), start=1):
                for word, found in patterns.items():
                    if found.search(line) and (path, word) not in ALLOWED:
                        yield Violation(path, number, f"'{word}': say {rejected[word]} (see {GLOSSARY})")


def rejections(page: Page) -> Mapping[str, str]:
    """Return rejected word -> term to use, from the rows of the glossary."""
    found: dict[str, str] = {}
    for _, cells in page.rows():
        if len(cells) == _COLUMNS and cells[0] != "Say":
            for entry in _entries(cells[-1]):
                found[entry] = cells[0].replace("`", "")
    return found


def _entries(cell: str) -> Sequence[str]:
    """Return the entries of a cell that are searched for: not those in italics."""
    entries = (entry.strip() for entry in cell.split(","))
    return [entry.strip("`") for entry in entries if entry and not entry.startswith("*")]


def _lines(file: Path) -> Sequence[str]:
    """Return the lines with the words of identifiers apart: OrderHint becomes Order Hint."""
    return [_CAMEL.sub(" ", line) for line in file.read_text(encoding="utf-8").splitlines()]


def _pattern(word: str) -> re.Pattern[str]:
    """Return what finds a word by itself or within an identifier: `look at` also as look_at and look-at."""
    case = re.NOFLAG if word.isupper() else re.IGNORECASE
    parts = [re.escape(part) for part in re.split(r"[ _-]+", _CAMEL.sub(" ", word))]
    return re.compile(rf"(?<![A-Za-z]){r'[ _-]'.join(parts)}(?![A-Za-z])", case)
