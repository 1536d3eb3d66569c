"""Ask the operator before something is changed. A command shows what it will do first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from operations.command_line.result import console, show
from operations.command_line.session import UsageProblem

#: The option of a command that changes something.
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: the answer is yes.")]


def agreed(preview: Sequence[RenderableType], question: str, *, yes: bool) -> bool:
    """Show a preview and the question on standard error, and return whether the operator answered yes.

    yes: the operator has said so on the command line; nothing is shown then.

    Raises UsageProblem where nobody can answer.
    """
    if yes:
        return True
    show(preview, stderr=True)
    try:
        return console(stderr=True).input(f"{question} Type yes: ", markup=False).strip() == "yes"
    except EOFError:
        raise UsageProblem(
            "Nothing was changed, because nobody answered. Add --yes to go on without a question."
        ) from None
