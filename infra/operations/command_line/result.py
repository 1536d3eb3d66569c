"""What a command answers, and how it is printed: text and tables for a person, or JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

FINE, PROBLEM, USAGE = 0, 1, 2  # exit codes
_PIPE_WIDTH = 160  # characters a line, where no terminal states its own


@dataclass(frozen=True)
class Result:
    """The answer of a command.

    data: what `--json` prints. Amounts are Decimals and times are datetimes, both printed as text.
    view: what a person reads, one part below the other.
    has_problem: whether a person is needed; the exit code is then 1.
    """

    data: Mapping[str, Any]
    view: Sequence[RenderableType] = ()
    has_problem: bool = False

    @property
    def exit_code(self) -> int:
        return PROBLEM if self.has_problem else FINE


def print_result(result: Result, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.data, indent=1, ensure_ascii=False, default=str))
        return
    show(result.view)


def show(parts: Sequence[RenderableType], *, stderr: bool = False) -> None:
    """Print parts one below the other. A text is printed as it is: brackets in it are no markup."""
    screen = console(stderr=stderr)
    for part in parts:
        screen.print(Text(part) if isinstance(part, str) else part)


def print_problem(message: str, *, as_json: bool) -> None:
    """Print why a command could not answer: on standard error, or as `{"error": ...}` where a program reads."""
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))
    else:
        console(stderr=True).print(Text(message, style="red"))


def print_warning(message: str) -> None:
    """Print on standard error what a person has to know of an answer."""
    console(stderr=True).print(Text(message, style="yellow"))


def console(*, stderr: bool = False) -> Console:
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=_PIPE_WIDTH)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of plain texts. What is None is printed as `-`; a number is aligned to the right."""
    listed = [list(row) for row in rows]
    built = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for position, name in enumerate(columns):
        is_number = bool(listed) and all(isinstance(row[position], int | None) for row in listed)
        built.add_column(name, header_style="dim", justify="right" if is_number else "left", overflow="fold")
    for row in listed:
        built.add_row(*(Text("-" if cell is None or cell == "" else str(cell)) for cell in row))
    return built
