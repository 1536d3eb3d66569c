"""Generated parts are written, checked, and complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from amazon_to_xero.domain.failures import FAILURES, NOT_BOOKED, NOT_INVOICED, WAITS, Audience
from documentation import examples, failure_tables, row_tables, setting_tables, template_tables
from documentation.generate import ROOT, GenerationFailed, main, outdated_pages
from documentation.markdown import table
from unit.documentation.repository import Repository

PARTS: dict[str, Callable[[], str]] = {"codes": lambda: "| `A` |"}
PAGE = "# Page\n\n<!-- generated: codes -->\nold\n<!-- end: codes -->\n\nafter\n"
NEW_PAGE = "# Page\n\n<!-- generated: codes -->\n| `A` |\n<!-- end: codes -->\n\nafter\n"


def text_of(repository: Repository) -> str:
    return (repository.root / "docs/page.md").read_text(encoding="utf-8")


def test_generated_part_is_rewritten_and_the_rest_is_kept(repository: Repository) -> None:
    repository.write("docs/page.md", PAGE)

    assert main([], repository.root, PARTS) == 0
    assert text_of(repository) == NEW_PAGE


def test_check_fails_for_an_outdated_part_and_changes_nothing(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write("docs/page.md", PAGE)

    assert main(["--check"], repository.root, PARTS) == 1
    assert capsys.readouterr().err == "docs/page.md: out of date; run python -m documentation.generate\n"
    assert text_of(repository) == PAGE


def test_check_passes_for_a_current_part(repository: Repository) -> None:
    repository.write("docs/page.md", NEW_PAGE)

    assert main(["--check"], repository.root, PARTS) == 0


def test_unknown_part_on_a_page_fails(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.write("docs/page.md", PAGE.replace("codes", "gone"))

    assert main([], repository.root, {}) == 1
    assert "there is no generated part gone" in capsys.readouterr().err


def test_part_on_no_page_fails(repository: Repository) -> None:
    with pytest.raises(GenerationFailed, match="no page has the generated parts codes"):
        outdated_pages(repository.root, PARTS)


def test_part_whose_end_is_missing_counts_as_on_no_page(repository: Repository) -> None:
    repository.write("docs/page.md", PAGE.replace("<!-- end: codes -->", ""))

    with pytest.raises(GenerationFailed):
        outdated_pages(repository.root, PARTS)


def test_bar_in_a_cell_is_escaped() -> None:
    assert table(("A", "B"), [("a|b", "c")]) == "| A | B |\n|---|---|\n| a\\|b | c |"


def test_failure_tables_contain_every_code_once() -> None:
    text = "\n".join(part() for part in failure_tables.PARTS.values())

    for code in {*FAILURES, *WAITS, *NOT_INVOICED, *NOT_BOOKED}:
        tables = (code in FAILURES) + (code in WAITS) + (code in NOT_INVOICED) + (code in NOT_BOOKED)
        assert text.count(f"| `{code}` |") == tables, code
    assert len(failure_tables.PARTS) == len(Audience) + 3


class Inner(BaseModel):
    size: int = Field(ge=1, le=5, description="How many.")
    kind: str | None = Field(default=None, max_length=9, description="Which.")


class Outer(BaseModel):
    inner: Inner = Field(description="Part.")
    rows: tuple[Inner, ...] = Field(default=(), description="Rows.")
    on: bool = Field(default=True, description="Whether.")


class Unexplained(BaseModel):
    size: int


def test_setting_is_listed_with_its_values_default_and_description() -> None:
    text = "\n".join(setting_tables.sections_of(Outer))

    assert "| `on` | `true`, `false` | `true` | Whether. |" in text
    assert "### `inner`" in text
    assert "| `inner.size` | whole number, 1 to 5 | required | How many. |" in text
    assert "| `inner.kind` | text, at most 9 characters | none | Which. |" in text


def test_setting_without_a_description_fails() -> None:
    with pytest.raises(ValueError, match=r"Unexplained\.size has no description"):
        setting_tables.sections_of(Unexplained)


def test_template_tables_name_every_function_and_every_alarm() -> None:
    permissions, alarms = template_tables.permissions(), template_tables.alarms()

    assert "| `OrdersFunction` | `ShipmentsFunction` | `RefundsFunction` | `InventoryAlertsFunction` |" in permissions
    assert "| `Table/index/due` | `dynamodb:Query` | yes | yes | yes | yes | no | yes | no |" in permissions
    assert "| `Table/index/watched` | `dynamodb:Query` | no | no | yes | no | yes | yes | yes |" in permissions
    declared = (ROOT / "infra" / "observability.yaml").read_text(encoding="utf-8").count("AlarmName:")
    assert alarms.count("| `<stack>-") == declared


def test_every_type_of_row_is_listed() -> None:
    assert [line.split("|")[1].strip() for line in row_tables.schemas().splitlines()[2:]] == [
        "`ORDER#…`",
        "`TRANSACTION#…`",
        "`CONFIRMATION#…`",
        "`STOCK#…`",
        "`MOVEMENTS#…`",
        "`WORKLIST#…`",
        "`CORRECTION#…`",
        "`DOCUMENT#…`",
        "`CHANGED#…`",
        "`DAY#…`",
        "`REPLAY#…`",
        "`BACKFILL#…`",
        "`CURSOR#…`",
    ]


@pytest.mark.parametrize(
    ("example", "states"),
    [
        ("example-sale", ["| **Total** |  |  |  | **25.99** |", "25.99 GBP from `CLR-GBP` on 2026-11-04"]),
        ("example-partial-per-order", ["24.00 GBP from `CLR-GBP`", "Nothing changes in Xero."]),
        ("example-partial-per-shipment", ["16.00 GBP from", "8.00 GBP from", "0000100-S2`"]),
        ("example-price-before-payment", ["**24.00**", "**18.00**"]),
        ("example-price-after-payment", ["6.00 GBP out of `CLR-GBP` on 2026-11-06", "2.00 GBP from", "-A2`"]),
        ("example-cancellation-before-payment", ["`: deleted."]),
        ("example-cancellation-after-payment", ["Cash refund of credit note", "24.00 GBP out of `CLR-GBP`"]),
        ("example-refund", ["RF34358aee`", "| -2.00 |", "**19.00**", "19.00 GBP out of `CLR-GBP` on 2026-11-12"]),
        ("example-refund-after-price-change", ["**6.00**", "**4.00**", "4.00 GBP out of"]),
        ("example-marketplace-collected", ["| ZERORATEDOUTPUT | 15.00 |"]),
        ("example-us-sales-tax", ["45.00 USD from `CLR-USD`"]),
        ("example-canada", ["| Tax, as Xero computes it |  |  |  | 2.00 |", "42.00 CAD from"]),
        ("example-rounding", ["| Tax, as the lines state it |  |  |  | 1.01 |", "**21.21**"]),
        (
            "example-account-rules",
            ["| 201, Team: Kitchen | OUTPUT2 | 24.00 |", "| 205, Team: Kitchen |"],
        ),
        ("example-lock-dates", ["`PERIOD_LOCKED`", "dated 2026-11-01", "of 2026-10-30"]),
        ("example-buyer-contact", ["| `Name` | Ada Example |", "AMAZON-B-"]),
    ],
)
def test_bookkeeping_example_states_what_its_page_explains(example: str, states: list[str]) -> None:
    text = examples.PARTS[example]()

    for expected in states:
        assert expected in text


def test_every_example_has_its_expectation() -> None:
    marks = getattr(test_bookkeeping_example_states_what_its_page_explains, "pytestmark")  # noqa: B009  # pytest's own
    assert {case[0] for case in marks[0].args[1]} == set(examples.PARTS)


def test_root_is_the_repository() -> None:
    assert (Path(ROOT) / "template.yaml").exists()
