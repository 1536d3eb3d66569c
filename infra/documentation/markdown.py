"""Reads Markdown as GitHub shows it: code spans, links, headings and their anchors, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_ANCHOR = re.compile(r"<a id=\"([^\"]+)\">")


@dataclass(frozen=True)
class Violation:
    """Something in a file that is not true or not allowed; path relative to the repository."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


@dataclass(frozen=True)
class Line:
    """One line of a page; `is_code` inside a fenced block."""

    number: int
    text: str
    is_code: bool


@dataclass(frozen=True)
class Page:
    """One Markdown file; path relative to the repository, with slashes."""

    path: str
    text: str

    @cached_property
    def lines(self) -> Sequence[Line]:
        lines: list[Line] = []
        is_code = False
        for number, text in enumerate(self.text.splitlines(), start=1):
            is_fence = bool(_FENCE.match(text))
            lines.append(Line(number, text, is_code or is_fence))
            is_code = is_code != is_fence
        return lines

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Return the anchors of the headings, as GitHub forms them, and those written as `<a id>`."""
        found: dict[str, int] = {}
        anchors: set[str] = set(_ANCHOR.findall(self.text))
        for line in self.lines:
            heading = None if line.is_code else _HEADING.match(line.text)
            if heading:
                slug = slug_of(heading[2])
                anchors.add(f"{slug}-{found[slug]}" if slug in found else slug)
                found[slug] = found.get(slug, 0) + 1
        return frozenset(anchors)

    def links(self) -> Iterator[tuple[int, str]]:
        """Yield line and target of each link outside of code."""
        for line in self.lines:
            if not line.is_code:
                for target in _LINK.findall(_SPAN.sub("", line.text)):
                    yield line.number, target

    def code_spans(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of each code span in running text."""
        for line in self.lines:
            if not line.is_code:
                for text in _SPAN.findall(line.text):
                    yield line.number, text

    def code(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of all code: spans in running text, and the lines of fenced blocks."""
        yield from self.code_spans()
        for line in self.lines:
            if line.is_code:
                yield line.number, line.text

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line and cells of each row of the tables, without their heading rules."""
        for line in self.lines:
            text = line.text.strip()
            if not line.is_code and text.startswith("|") and not re.fullmatch(r"[|:\- ]+", text):
                yield line.number, [cell.strip() for cell in text.strip("|").split("|")]


def slug_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def pages(root: Path) -> list[Page]:
    """Return the documentation: README, CONTRIBUTING and CHANGELOG, and everything under docs."""
    named = (root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))
    files = [*(file for file in named if file.exists()), *sorted((root / "docs").rglob("*.md"))]
    return [Page(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in files]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    written = [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {row} |" for row in written)])
