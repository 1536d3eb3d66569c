"""The lint finds links, make targets, paths and resources that do not exist."""

from __future__ import annotations

import pytest

from documentation import links
from documentation.lint import main, violations
from documentation.markdown import slug_of
from unit.documentation.repository import Repository


def problems(repository: Repository) -> list[str]:
    return [str(violation) for violation in violations(repository.root)]


def test_repository_without_violations_passes(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(repository.root) == 0
    assert capsys.readouterr().err == ""


def test_violation_is_printed_with_file_and_line_and_fails(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.append("README.md", "\n[gone](docs/gone.md)\n")

    assert main(repository.root) == 1
    assert capsys.readouterr().err == "README.md:5: link to docs/gone.md: there is no docs/gone.md\n"


@pytest.mark.parametrize(
    ("page", "text", "problem"),
    [
        ("README.md", "[a](docs/gone.md)", "link to docs/gone.md: there is no docs/gone.md"),
        (
            "README.md",
            "[a](docs/operating.md#gone)",
            "link to docs/operating.md#gone: docs/operating.md has no heading gone",
        ),
        ("README.md", "[a](#gone)", "link to #gone: README.md has no heading gone"),
        ("docs/operating.md", "[a](../GONE.md)", "link to ../GONE.md: there is no GONE.md"),
        ("docs/operating.md", "![a](picture.svg)", "link to picture.svg: there is no docs/picture.svg"),
        ("CONTRIBUTING.md", "[a](gone)", "link to gone: there is no gone"),
    ],
)
def test_broken_link_is_found(repository: Repository, page: str, text: str, problem: str) -> None:
    repository.write(page, text)

    assert [each.problem for each in links.broken_links(repository.root) if each.path == page] == [problem]


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://example.com/gone) [b](mailto:you@example.com)",
        "`[a](gone.md)`",
        "```\n[a](gone.md)\n```",
        "[a](docs/operating.md#codes) [b](docs/) [c](#read-on)\n\n## Read on",
        '[a](docs/operating.md "Operating")',
    ],
)
def test_link_that_exists_or_is_external_or_is_code_passes(repository: Repository, text: str) -> None:
    repository.write("README.md", text)

    assert list(links.broken_links(repository.root)) == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("What is not invoiced", "what-is-not-invoiced"),
        ("Tax: Canada, and `tax.rules`", "tax-canada-and-taxrules"),
        ("1. Amazon: an *application*", "1-amazon-an-application"),
        ("Read [this](that.md)", "read-this"),
        ("Dead-letter queues", "dead-letter-queues"),
    ],
)
def test_anchor_is_the_one_that_github_gives(heading: str, anchor: str) -> None:
    assert slug_of(heading) == anchor


def test_second_heading_of_the_same_text_has_a_numbered_anchor(repository: Repository) -> None:
    repository.write("README.md", "# A\n\n## A\n\n[a](#a) [b](#a-1) [c](#a-2)\n")

    assert [each.problem for each in links.broken_links(repository.root)] == [
        "link to #a-2: README.md has no heading a-2"
    ]


@pytest.mark.parametrize("text", ["`make gone`", "    make gone STACK=a\n\n```\nmake gone\n```"])
def test_unknown_make_target_is_found(repository: Repository, text: str) -> None:
    repository.write("README.md", text)

    found = {each.problem for each in links.unknown_make_targets(repository.root)}
    assert found == {"make gone: the Makefile has no such target"}


def test_the_word_make_in_running_text_is_no_target(repository: Repository) -> None:
    repository.write("README.md", "Rules that make sense. Run `make lint` and `make test PYTEST=-q`.")

    assert list(links.unknown_make_targets(repository.root)) == []


@pytest.mark.parametrize(
    "path",
    ["functions/gone.py", "infra/gone/", "domain/gone.py", "gone.yaml", "docs/gone", "runtime/gone.md"],
)
def test_missing_path_is_found(repository: Repository, path: str) -> None:
    repository.write("README.md", f"See `{path}`.")

    assert [each.problem for each in links.missing_paths(repository.root)] == [
        f"{path}: there is no such file or directory"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "domain/rules.py",
        "functions/amazon_to_xero/",
        "rules.py",
        "template.yaml",
        "observability.yaml",
        "connection.json",
        ".run/books.json",
        "/aws/lambda/orders",
        "functions/<name>/handler.py",
        "settlements/*.txt",
        "and/or",
        "tax.rules",
    ],
)
def test_existing_path_or_what_is_no_path_passes(repository: Repository, text: str) -> None:
    repository.write("README.md", f"See `{text}`.")

    assert list(links.missing_paths(repository.root)) == []


def test_resource_that_no_template_declares_is_found(repository: Repository) -> None:
    repository.write("README.md", "`<stack>-orders`, `<stack>-gone`; the query *Failures*, the query *Gone*.")

    assert [each.problem for each in links.unknown_resources(repository.root)] == [
        "<stack>-gone: no template has a resource of that name",
        "query Gone: no template has a saved query of that name",
    ]
