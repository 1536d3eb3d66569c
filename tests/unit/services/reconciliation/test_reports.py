"""The three forms of the report: what a spreadsheet, a program and a browser make of it."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from amazon_to_xero.domain.csv_file import without_formula
from amazon_to_xero.domain.stock.amazon_items import amazon_items
from amazon_to_xero.domain.stock.comparison import compare
from amazon_to_xero.domain.stock.correction import correction_of
from amazon_to_xero.domain.stock.reconciliation_report import COLUMNS, ReconciliationReport, ReportLine, in_order
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.services.reconciliation.csv_report import csv_report
from amazon_to_xero.services.reconciliation.html_report import html_report
from amazon_to_xero.services.reconciliation.summary import message_of, subject_of
from fakes.reconciliation import RECONCILED, at_amazon, tracked
from fakes.stock import minute, stated

HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script>'
FOLDER = "main/2026-11-23T120000Z"
SNS_BYTES = 262_144


def line(code: str = "MUG-RED", amazon: int = 98, xero: int = 100) -> ReportLine:
    comparison = compare(at_amazon(amazon, code=code), tracked(code, xero), None, RECONCILED)
    correction = correction_of(comparison, "GBP")
    return ReportLine(comparison, correction, WorklistEntry(code).compared(comparison, correction, minute(0)))


def report(*lines: ReportLine) -> ReconciliationReport:
    return ReconciliationReport("main", minute(0), "GBP", in_order(lines))


def rows(made: ReconciliationReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_report(made).decode("utf-8-sig"))))


class Page(HTMLParser):
    """tags: of the page with their attributes, in order."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        return sum(each == tag for each, _ in self.tags)


def test_csv_has_a_line_for_each_item_and_says_what_is_compared() -> None:
    open_line, fine_line = rows(report(line("LAMP", 4, 4), line("MUG-RED", 98, 100)))

    assert (open_line["item"], open_line["difference"], open_line["value"]) == ("MUG-RED", "-2", "-8.00")
    assert (fine_line["item"], fine_line["state"], fine_line["currency"]) == ("LAMP", "AGREED", "GBP")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_text_that_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    assert without_formula(text) == f"'{text}"
    assert without_formula(f"a{text}") == f"a{text}"


def test_hostile_names_are_no_formula_in_the_csv_and_numbers_stay_numbers() -> None:
    (row,) = rows(report(line(HOSTILE)))

    assert row["item"] == f"'{HOSTILE}"
    assert row["difference"] == "-2"


def test_hostile_names_are_text_in_the_page() -> None:
    page = html_report(report(line(HOSTILE)))

    assert b"<script>alert" not in page
    assert Page(page).count("script") == 1


def test_page_needs_no_other_file_and_may_load_none() -> None:
    page = html_report(report(line()))
    tags = Page(page).tags

    assert not [tag for tag, attributes in tags if {"src", "href"} & attributes.keys()]
    assert "url(" not in page.decode()
    (policy,) = [attributes["content"] for tag, attributes in tags if tag == "meta" and "http-equiv" in attributes]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_page_has_a_row_for_each_item_and_a_button_for_each_column() -> None:
    page = Page(html_report(report(*(line(f"SKU-{number}") for number in range(7)))))

    assert page.count("tr") == 1 + 7
    assert page.count("button") == page.count("th") == len(COLUMNS) - 4


def test_json_states_everything_as_text_and_no_number_as_a_float() -> None:
    made = json.loads(json.dumps(report(line()).as_json()))

    assert made["counts"] == {"FEWER_AT_AMAZON": 1}
    assert set(made["lines"][0]) == set(COLUMNS)
    assert all(isinstance(cell, str) for cell in made["lines"][0].values())
    assert re.fullmatch(r"-?\d+\.\d\d", made["value_of_gaps"])


def test_largest_differences_come_first() -> None:
    made = report(line("A", 99), line("B", 100), line("C", 90), line("D", 103))

    assert [each.entry.code for each in made.lines] == ["C", "D", "A", "B"]


def test_units_that_are_not_known_in_full_are_left_empty() -> None:
    amazon = amazon_items([("uk", stated(None, sku="MUG-RED"))], RECONCILED)["mug-red"]
    comparison = compare(amazon, tracked(), None, RECONCILED)
    correction = correction_of(comparison, "GBP")

    (row,) = rows(report(ReportLine(comparison, correction, WorklistEntry("MUG-RED"))))

    assert (row["amazon"], row["xero"], row["gap"], row["state"]) == ("", "100", "", "")
    opened = WorklistEntry("MUG-RED", state=EntryState.OPEN)
    assert rows(report(ReportLine(comparison, correction, opened)))[0]["state"] == "OPEN"


def test_message_lists_the_largest_differences_and_where_the_rest_is() -> None:
    made = report(*(line(f"SKU-{number:02}", 100 - number) for number in range(30)))

    assert subject_of(made) == "Stock reconciled (main): 29 of 30 items open"
    text = message_of(made, FOLDER)
    assert "SKU-29: FEWER_AT_AMAZON, difference -29." in text
    assert "SKU-01:" not in text
    assert "And 9 further open items." in text
    assert FOLDER in text


def test_message_about_thousands_of_items_that_are_gone_is_one_that_sns_takes() -> None:
    gone = tuple(WorklistEntry(f"ITEM-CODE-{number:06}") for number in range(4000))

    text = message_of(replace(report(line()), gone=gone), FOLDER)

    assert "ITEM-CODE-000019: no longer known" in text
    assert "ITEM-CODE-000020:" not in text
    assert "And 3980 further entries that are done" in text
    assert len(text.encode()) < SNS_BYTES


def test_message_about_codes_of_any_length_is_one_that_sns_takes_and_counts_what_it_leaves_out() -> None:
    made = report(*(line("✓" * 10_000 + str(number), 90) for number in range(20)))

    text = message_of(made, FOLDER)

    assert len(text.encode()) < SNS_BYTES
    assert "further open items." in text
    assert FOLDER in text
