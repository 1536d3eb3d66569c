"""Failure codes, wait reasons and log messages: each is used, documented, and written down once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from documentation.markdown import Violation, pages

FAILURES = "functions/amazon_to_xero/domain/failures.py"
ENUMS = ("FailureCode", "WaitReason", "NotInvoicedReason", "NotBookedReason")
OPERATING = "docs/operating.md"
EXPLAINED_IN = (OPERATING, "docs/bookkeeping.md")
# Words that mean something else where they are written: (file, literal) -> why it is no code of ours.
NOT_OUR_CODE: Mapping[tuple[str, str], str] = {
    ("functions/amazon_to_xero/domain/amazon/order.py", "UNFULFILLABLE"): "Amazon's own fulfilment status",
}


@dataclass(frozen=True)
class Code:
    """A member of one of the enumerations of failures.py."""

    enum: str
    name: str
    line: int


def unused_codes(root: Path) -> Iterator[Violation]:
    """Yield each code that nothing in functions/ refers to as Enum.NAME."""
    used = {
        (_enum_of(node.value, aliases), node.attr)
        for _, tree in _modules(root)
        for aliases in [_aliases(tree)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    for code in _codes(root):
        if (code.enum, code.name) not in used:
            yield Violation(FAILURES, code.line, f"{code.enum}.{code.name} is never used")


def undocumented_codes(root: Path) -> Iterator[Violation]:
    """Yield each code that no table of the pages for it explains."""
    explained = {cells[0] for page in pages(root) if page.path in EXPLAINED_IN for _, cells in page.rows()}
    for code in _codes(root):
        if f"`{code.name}`" not in explained:
            yield Violation(
                FAILURES, code.line, f"{code.enum}.{code.name} is in no table of {' or '.join(EXPLAINED_IN)}"
            )


def repeated_codes(root: Path) -> Iterator[Violation]:
    """Yield each string literal in functions/ that repeats a code instead of naming its enumeration."""
    names = {code.name: code.enum for code in _codes(root)}
    for path, tree in _modules(root):
        for node in ast.walk(tree):
            literal = node.value if isinstance(node, ast.Constant) else None
            if isinstance(literal, str) and literal in names and (path, literal) not in NOT_OUR_CODE:
                yield Violation(path, node.lineno, f'"{literal}": say {names[literal]}.{literal}')  # type: ignore[attr-defined]  # a Constant has it


def undocumented_messages(root: Path) -> Iterator[Violation]:
    """Yield each literal log message in functions/ that docs/operating.md does not explain."""
    explained = {text for page in pages(root) if page.path == OPERATING for _, text in page.code_spans()}
    for path, tree in _modules(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (message := _message(node)) and message not in explained:
                yield Violation(path, node.lineno, f"the log message {message} is not in {OPERATING}")


def _codes(root: Path) -> list[Code]:
    tree = ast.parse((root / FAILURES).read_text(encoding="utf-8"))
    return [
        Code(definition.name, target.id, statement.lineno)
        for definition in tree.body
        if isinstance(definition, ast.ClassDef) and definition.name in ENUMS
        for statement in definition.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]


def _modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield path and tree of every module in functions/ but failures.py."""
    for file in sorted((root / "functions").rglob("*.py")):
        path = file.relative_to(root).as_posix()
        if path != FAILURES:
            yield path, ast.parse(file.read_text(encoding="utf-8"))


def _aliases(tree: ast.Module) -> Mapping[str, str]:
    """Return the module's short names of the enumerations, such as `_C = FailureCode`."""
    aliases = {name: name for name in ENUMS}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=short)], value=ast.Name(id=enum)) if enum in ENUMS:
                aliases[short] = enum
    return aliases


def _enum_of(value: ast.expr, aliases: Mapping[str, str]) -> str:
    return aliases.get(value.id, "") if isinstance(value, ast.Name) else ""


def _message(call: ast.Call) -> str:
    """Return the message of a call that logs one, such as `decisions.record("PAUSED", …)`; empty for any other call."""
    logs = isinstance(call.func, ast.Attribute) and call.func.attr in ("record", "info", "warning", "error")
    first = call.args[0] if logs and call.args else None
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return str(first.value) if is_text and isinstance(first, ast.Constant) else ""
