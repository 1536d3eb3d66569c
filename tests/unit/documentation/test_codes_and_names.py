"""The lint finds codes, log messages and names that code and documentation do not share."""

from __future__ import annotations

import pytest

from documentation import codes, names
from unit.documentation.repository import FAILURES, RULES, Repository

RULES_FILE = "functions/amazon_to_xero/domain/rules.py"


def test_code_that_nothing_uses_is_found(repository: Repository) -> None:
    repository.write(RULES_FILE, RULES.replace("FailureCode.TAX_UNMAPPED, ", "").replace(", _N.ZERO_VALUE", ""))

    assert [each.problem for each in codes.unused_codes(repository.root)] == [
        "FailureCode.TAX_UNMAPPED is never used",
        "NotInvoicedReason.ZERO_VALUE is never used",
    ]


def test_code_of_the_same_name_in_another_enumeration_does_not_count_as_used(repository: Repository) -> None:
    repository.write(codes.FAILURES, FAILURES.replace("OUT_OF_TIME", "TAX_UNMAPPED"))

    assert "WaitReason.TAX_UNMAPPED is never used" in [each.problem for each in codes.unused_codes(repository.root)]


def test_use_inside_failures_itself_does_not_count(repository: Repository) -> None:
    repository.write(RULES_FILE, "")
    repository.append(codes.FAILURES, "\nMEANINGS = {FailureCode.TAX_UNMAPPED: 'No rule.'}\n")

    assert len(list(codes.unused_codes(repository.root))) == 3


def test_code_in_no_table_is_found(repository: Repository) -> None:
    repository.write(
        "docs/operating.md", "| Code |\n|---|\n| `OUT_OF_TIME` |\n| `ZERO_VALUE` |\n\n`TAX_UNMAPPED`, `PAUSED`\n"
    )

    assert [each.problem for each in codes.undocumented_codes(repository.root)] == [
        "FailureCode.TAX_UNMAPPED is in no table of docs/operating.md or docs/bookkeeping.md"
    ]


def test_code_that_is_repeated_as_text_is_found(repository: Repository) -> None:
    repository.append(RULES_FILE, '\nREASON = "ZERO_VALUE"\n')

    found = list(codes.repeated_codes(repository.root))
    assert [(each.path, each.problem) for each in found] == [
        (RULES_FILE, '"ZERO_VALUE": say NotInvoicedReason.ZERO_VALUE')
    ]


def test_text_that_only_contains_a_code_is_no_repetition(repository: Repository) -> None:
    repository.append(RULES_FILE, '\nTEXT = "an order with ZERO_VALUE"  # "ZERO_VALUE"\n')

    assert list(codes.repeated_codes(repository.root)) == []


@pytest.mark.parametrize(
    "call", ['decisions.record("GONE")', 'logger.warning("GONE", extra={})', 'logger.error("GONE")']
)
def test_log_message_that_is_not_documented_is_found(repository: Repository, call: str) -> None:
    repository.append(RULES_FILE, f"\n{call}\n")

    assert [each.problem for each in codes.undocumented_messages(repository.root)] == [
        "the log message GONE is not in docs/operating.md"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "rules.Gone",
        "rules.Rules.gone",
        "domain.gone",
        "amazon_to_xero.domain.rules.Rules.match.gone",
    ],
)
def test_name_that_the_code_does_not_have_is_found(repository: Repository, name: str) -> None:
    repository.write("docs/internals.md", f"`{name}`")
    is_of_the_code = name.split(".", maxsplit=1)[0] != "gone"

    found = [each.problem for each in names.unknown_names(repository.root)]
    assert found == ([f"{name}: no such module, class or function in functions/"] if is_of_the_code else [])


@pytest.mark.parametrize(
    "name",
    ["rules.Rules", "domain.rules.Rules.match", "rules.REASONS", "rules.Rules.limit", "domain.rules", "accounts.item"],
)
def test_name_of_the_code_or_of_something_else_passes(repository: Repository, name: str) -> None:
    repository.write("docs/internals.md", f"`{name}`")

    assert list(names.unknown_names(repository.root)) == []
