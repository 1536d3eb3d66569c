"""What pages refer to exists: linked files and their anchors, make targets, paths, resources of the templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from documentation.markdown import Page, Violation, pages

_EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:")
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
# Places that a path in the documentation may be relative to, and where the files are that it may name.
_BASES = ("", "functions", "functions/amazon_to_xero", "infra", "tests")
_SOURCES = ("functions", "infra", "tests", "docs")
_SUFFIXES = (".py", ".md", ".yaml", ".toml", ".json", ".jsonl", ".txt")
# A name without a directory is a file of the repository if it ends like this; `secrets.json` is the reader's own.
_BARE_SUFFIXES = (".py", ".md", ".yaml", ".toml")
_NOT_A_PATH = re.compile(r"[<>*{}$…=(\s]")
# A resource is named after the stack in the templates; a page writes `<stack>-orders`.
_DECLARED = re.compile(r"\$\{(?:AWS::StackName|ParentStack)\}-([a-z][a-z-]*)")
_RESOURCE = re.compile(r"<stack>-([a-z][a-z-]*)")
_DECLARED_QUERY = re.compile(r"\$\{ParentStack\}/([^\"]+)\"")
_QUERY = re.compile(r"query \*([^*]+)\*")
_BUILT = (".run/", ".venv/", ".tools/", ".aws-sam/", ".build/")  # made by make; not in the repository


def broken_links(root: Path) -> Iterator[Violation]:
    """Yield each relative link whose file or anchor does not exist."""
    documentation = {page.path: page for page in pages(root)}
    for page in documentation.values():
        for line, target in page.links():
            if _EXTERNAL.match(target):
                continue
            path, _, anchor = target.partition("#")
            linked = _relative(page.path, path) if path else page.path
            if not (root / linked).exists():
                yield Violation(page.path, line, f"link to {target}: there is no {linked}")
            elif anchor and anchor not in _page(documentation, root, linked).anchors:
                yield Violation(page.path, line, f"link to {target}: {linked} has no heading {anchor}")


def unknown_make_targets(root: Path) -> Iterator[Violation]:
    """Yield each `make <target>` in code that the Makefile does not have."""
    targets = frozenset(_TARGET.findall((root / "Makefile").read_text(encoding="utf-8")))
    for page in pages(root):
        for line, text in page.code():
            for target in _MAKE.findall(text):
                if target not in targets:
                    yield Violation(page.path, line, f"make {target}: the Makefile has no such target")


def missing_paths(root: Path) -> Iterator[Violation]:
    """Yield each code span that looks like a path of the repository and is none."""
    tops = frozenset(entry.name for entry in root.iterdir() if entry.is_dir())
    known = frozenset(file.name for top in ("", *_SOURCES) for file in _files(root / top, recursive=bool(top)))
    for page in pages(root):
        for line, text in page.code_spans():
            if _looks_like_path(text, tops) and not _exists(root, page.path, text, known):
                yield Violation(page.path, line, f"{text}: there is no such file or directory")


def unknown_resources(root: Path) -> Iterator[Violation]:
    """Yield each `<stack>-name` and each saved query that the templates do not declare."""
    templates = [root / "template.yaml", *sorted((root / "infra").glob("*.yaml"))]
    declared = "\n".join(file.read_text(encoding="utf-8") for file in templates if file.exists())
    names, queries = frozenset(_DECLARED.findall(declared)), frozenset(_DECLARED_QUERY.findall(declared))
    for page in pages(root):
        for line in page.lines:
            for name in _RESOURCE.findall(line.text):
                if name not in names:
                    yield Violation(page.path, line.number, f"<stack>-{name}: no template has a resource of that name")
            for name in _QUERY.findall(line.text):
                if name not in queries:
                    yield Violation(page.path, line.number, f"query {name}: no template has a saved query of that name")


def _looks_like_path(text: str, tops: frozenset[str]) -> bool:
    if _NOT_A_PATH.search(text) or _EXTERNAL.match(text) or text.startswith(("/", "-", *_BUILT)):
        return False
    if "/" not in text:
        return text.endswith(_BARE_SUFFIXES)
    return text.split("/", maxsplit=1)[0] in tops or text.endswith(("/", *_SUFFIXES))


def _exists(root: Path, page: str, text: str, known: frozenset[str]) -> bool:
    if "/" not in text:
        return text in known
    bases = (*_BASES, PurePosixPath(page).parent.as_posix())
    return any((root / base / text).exists() for base in bases)


def _files(directory: Path, *, recursive: bool) -> Sequence[Path]:
    return [entry for entry in directory.glob("**/*" if recursive else "*") if entry.is_file()]


def _relative(page: str, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / target).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _page(documentation: dict[str, Page], root: Path, path: str) -> Page:
    if path not in documentation and path.endswith(".md"):
        return Page(path, (root / path).read_text(encoding="utf-8"))
    return documentation.get(path, Page(path, ""))
