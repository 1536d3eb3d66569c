"""Names of modules, classes and functions in docs/internals.md exist in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from documentation.markdown import Violation, pages

PAGES = ("docs/internals.md",)
_DOTTED = re.compile(r"[a-z_]+(\.[A-Za-z_]+)+")


def unknown_names(root: Path) -> Iterator[Violation]:
    """Yield each `module.name` of the pages that the code does not have.

    A name counts as one of the code if it begins with a package or module of functions/. The module may be named with
    as many of its packages as are needed: `planner.SourcePlanner.plan_due`, `services.planning.planner`.
    """
    modules = _modules(root / "functions")
    firsts = {part for name in modules for part in name.split(".")}
    for page in pages(root):
        if page.path in PAGES:
            for line, text in page.code_spans():
                is_name = _DOTTED.fullmatch(text) and text.split(".")[0] in firsts
                if is_name and not _exists(text.split("."), modules):
                    yield Violation(page.path, line, f"{text}: no such module, class or function in functions/")


def _modules(functions: Path) -> Mapping[str, Path]:
    """Return dotted name -> file of every module and package."""
    found: dict[str, Path] = {}
    for file in sorted(functions.rglob("*.py")):
        parts = file.relative_to(functions).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def _exists(parts: Sequence[str], modules: Mapping[str, Path]) -> bool:
    """Whether some module is named by the first parts, and has the rest."""
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for module, file in modules.items():
            is_named = module == name or module.endswith(f".{name}")
            if is_named and _has(ast.parse(file.read_text(encoding="utf-8")).body, parts[length:]):
                return True
    return False


def _has(body: Sequence[ast.stmt], path: Sequence[str]) -> bool:
    """Whether a body defines the first name of the path, and that definition the next one."""
    if not path:
        return True
    for statement in body:
        match statement:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) if name == path[0]:
                return _has(statement.body, path[1:])
            case ast.AnnAssign(target=ast.Name(id=name)) if name == path[0]:
                return len(path) == 1
            case ast.Assign(targets=[ast.Name(id=name)]) if name == path[0]:
                return len(path) == 1
    return False
