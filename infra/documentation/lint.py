"""Checks that the documentation is true to the repository, and that code and documentation use the agreed words.

    python -m documentation.lint

Prints one line per violation and exits with 1 when there is one. It checks form and names, not meaning: whether a
sentence is right is for its reader to judge.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from documentation import codes, links, names, words
from documentation.markdown import Violation

ROOT = Path(__file__).resolve().parents[2]

CHECKS: tuple[Callable[[Path], Iterable[Violation]], ...] = (
    links.broken_links,
    links.unknown_make_targets,
    links.missing_paths,
    links.unknown_resources,
    names.unknown_names,
    codes.unused_codes,
    codes.undocumented_codes,
    codes.repeated_codes,
    codes.undocumented_messages,
    words.rejected_words,
)


def violations(root: Path) -> list[Violation]:
    found = [violation for check in CHECKS for violation in check(root)]
    return sorted(found, key=lambda each: (each.path, each.line, each.problem))


def main(root: Path = ROOT) -> int:
    found = violations(root)
    for violation in found:
        print(violation, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
