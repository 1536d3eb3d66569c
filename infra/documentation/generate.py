"""Writes the generated parts of the documentation: those between `<!-- generated: NAME -->` and `<!-- end: NAME -->`.

    python -m documentation.generate            rewrite them
    python -m documentation.generate --check    change nothing; exit with 1 when they are out of date

What is generated is what would otherwise be said twice: failure codes, settings, template parameters, alarms, the shape
of the rows, the accounting cases, and the bookkeeping examples, which the production code computes.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from documentation import case_tables, examples, failure_tables, row_tables, setting_tables, template_tables
from documentation.markdown import Page, pages

ROOT = Path(__file__).resolve().parents[2]

type Part = Callable[[], str]

PARTS: Mapping[str, Part] = {
    **failure_tables.PARTS,
    **setting_tables.PARTS,
    **template_tables.PARTS,
    **row_tables.PARTS,
    **examples.PARTS,
    **case_tables.PARTS,
}

_GENERATED = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<end>^<!-- end: (?P=name) -->$)", re.DOTALL | re.MULTILINE
)


class GenerationFailed(Exception):
    """A page names a part that does not exist, or a part is on no page."""


def rewritten(page: Page, parts: Mapping[str, Part]) -> str:
    """Return the page's text with its generated parts as they should be. Raises GenerationFailed."""

    def part_of(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in parts:
            raise GenerationFailed(f"{page.path}: there is no generated part {name}")
        return f"{found['begin']}{parts[name]()}\n{found['end']}"

    return _GENERATED.sub(part_of, page.text)


def outdated_pages(root: Path, parts: Mapping[str, Part] = PARTS) -> dict[str, str]:
    """Return path -> new text of the pages whose generated parts are out of date. Raises GenerationFailed."""
    documentation = pages(root)
    named = {found["name"] for page in documentation for found in _GENERATED.finditer(page.text)}
    unused = sorted(set(parts) - named)
    if unused:
        raise GenerationFailed(f"no page has the generated parts {', '.join(unused)}")
    new = {page.path: rewritten(page, parts) for page in documentation}
    return {page.path: new[page.path] for page in documentation if new[page.path] != page.text}


def main(arguments: Sequence[str] | None = None, root: Path = ROOT, parts: Mapping[str, Part] = PARTS) -> int:
    parser = argparse.ArgumentParser(prog="documentation.generate", description="Write the generated parts of docs/.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a part is out of date")
    given = parser.parse_args(arguments)
    try:
        outdated = outdated_pages(root, parts)
    except GenerationFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    for path, text in outdated.items():
        if given.check:
            print(f"{path}: out of date; run python -m documentation.generate", file=sys.stderr)
        else:
            (root / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 1 if given.check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
