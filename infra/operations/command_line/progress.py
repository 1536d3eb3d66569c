"""A progress bar for long work, on standard error, so that it never mixes with `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.progress import track

from operations.command_line.result import console


def shown[Item](items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items, and show how many have been done. Nothing is shown where no terminal is."""
    screen = console(stderr=True)
    yield from track(items, what, total, console=screen, transient=True, disable=not screen.is_terminal)
