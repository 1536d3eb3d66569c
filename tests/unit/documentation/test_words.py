"""The lint finds words that the glossary rejects."""

from __future__ import annotations

import pytest

from documentation import words
from unit.documentation.repository import Repository

RULES_FILE = "functions/amazon_to_xero/domain/rules.py"


@pytest.mark.parametrize(
    "text",
    [
        "# a hint",
        "order_hint = 1",
        "class OrderHint: ...",
        '"""Hint: none."""',
        "look_at = 1",
        "# Look at it",
        "DRIFT = 1",
        "TAX_DRIFT = 1",
    ],
)
def test_rejected_word_in_code_is_found(repository: Repository, text: str) -> None:
    repository.write(RULES_FILE, text)

    assert [(each.path, each.line) for each in words.rejected_words(repository.root)] == [(RULES_FILE, 1)]


@pytest.mark.parametrize(
    "path", ["README.md", "CONTRIBUTING.md", "docs/decisions/01.md", "template.yaml", "infra/observability.yaml"]
)
def test_rejected_word_in_documentation_or_template_is_found(repository: Repository, path: str) -> None:
    repository.write(path, "first line\nA hint.\n")

    found = list(words.rejected_words(repository.root))
    assert [str(each) for each in found] == [f"{path}:2: 'hint': say notice (see docs/glossary.md)"]


@pytest.mark.parametrize(
    "text", ["# whinting, chint", "message = 1", "# it may drift", "# looking at", "# the glossary itself"]
)
def test_other_word_or_other_sense_passes(repository: Repository, text: str) -> None:
    repository.write(RULES_FILE, text)

    assert list(words.rejected_words(repository.root)) == []


def test_glossary_itself_and_changelog_may_name_rejected_words(repository: Repository) -> None:
    repository.write("CHANGELOG.md", "hint is called remedy")

    assert list(words.rejected_words(repository.root)) == []


def test_allowed_place_passes(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write(RULES_FILE, "# a hint")
    monkeypatch.setattr(words, "ALLOWED", {(RULES_FILE, "hint"): "Python's own term: type hint"})

    assert list(words.rejected_words(repository.root)) == []
