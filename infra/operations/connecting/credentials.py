"""Ask for credentials. They are never arguments: those would stay in the shell's history and be seen by `ps`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from operations.command_line.session import UsageProblem

FromStdin = Annotated[bool, typer.Option("--stdin", help="Read the credentials as JSON from standard input.")]


@dataclass(frozen=True)
class Field:
    """One credential.

    name: in the secret.
    question: what the operator is asked.
    is_hidden: whether what is typed is not shown.
    """

    name: str
    question: str
    is_hidden: bool = True


def asked(fields: tuple[Field, ...], stored: Mapping[str, str], *, from_stdin: bool) -> Mapping[str, str]:
    """Return the credentials as a person types them, or as a JSON object on standard input has them.

    stored: what an empty answer leaves as it is.

    Raises UsageProblem where nobody answers or the object is not one.
    """
    if from_stdin:
        return _document(fields, sys.stdin.read())
    try:
        return {field.name: _answer(field, stored.get(field.name, "")) for field in fields}
    except typer.Abort:
        raise UsageProblem("Nothing was stored, because nobody answered. Add --stdin to send JSON instead.") from None


def _answer(field: Field, stored: str) -> str:
    question = f"{field.question} (Enter: as stored)" if stored else field.question
    given = typer.prompt(question, default=stored, show_default=False, hide_input=field.is_hidden, err=True)
    if not str(given).strip():
        raise UsageProblem(f"Nothing was stored, because {field.question} was left empty.")
    return str(given).strip()


def _document(fields: tuple[Field, ...], text: str) -> Mapping[str, str]:
    names = [field.name for field in fields]
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    is_complete = isinstance(document, dict) and sorted(document) == sorted(names)
    if not is_complete or not all(isinstance(each, str) and each.strip() for each in document.values()):
        raise UsageProblem(f"Standard input should be a JSON object with exactly {', '.join(names)}, each a text.")
    return {name: document[name].strip() for name in names}
