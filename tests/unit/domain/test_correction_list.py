"""The list of a person's corrections of one order or refund."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.correction_checks import checked
from amazon_to_xero.domain.corrections import (
    MAX_ENTRIES,
    MAX_TERMS,
    Correction,
    CorrectionKind,
    Corrections,
    LineTerms,
    unusable,
    value_for,
)
from amazon_to_xero.domain.failures import Failure, FailureCode
from fakes.order_life import correction

K = CorrectionKind
MINUTE = timedelta(minutes=1)
NONE = Corrections("order#A")


def corrections(*entries: Correction) -> Corrections:
    held = NONE
    for number, entry in enumerate(entries, 1):
        held = held.with_entry(replace(entry, correction_id=f"c{number}")) or held
    return held


# --- what applies -----------------------------------------------------------------------------------------------------


def test_later_correction_takes_the_place_of_an_earlier_one() -> None:
    held = corrections(correction(K.DATE, "2026-11-03"), correction(K.DATE, "2026-11-04"))

    applies = held.latest(K.DATE)
    assert applies is not None
    assert (applies.number, applies.value) == (2, "2026-11-04")


def test_earlier_correction_applies_again_once_the_later_one_is_withdrawn() -> None:
    held = corrections(
        correction(K.TAX_TYPE, "OUTPUT2"), correction(K.TAX_TYPE, "ZERORATEDOUTPUT"), correction(K.WITHDRAW, "2")
    )

    assert held.by_line(K.TAX_TYPE) == {"": "OUTPUT2"}
    assert [entry.number for entry in held.in_force] == [1]
    assert len(held.entries) == 3  # nothing is removed


def test_most_specific_correction_decides_a_line() -> None:
    by_line = {"": "200", "1": "201", "1:SHIPPING": "202"}

    assert [value_for(origin, by_line) for origin in ("2:ITEM", "1:ITEM", "1:SHIPPING")] == ["200", "201", "202"]


def test_same_correction_is_recorded_once_however_often_it_arrives() -> None:
    held = corrections(correction(K.SKIP))

    assert held.with_entry(correction(K.SKIP, correction_id="c1")) is None


def rebooked(*lines: str, correction_id: str = "r1") -> Correction:
    return replace(correction(K.REBOOK), correction_id=correction_id, terms=tuple(LineTerms(line) for line in lines))


def test_lines_are_booked_again_as_the_last_entry_says_of_each() -> None:
    first = replace(rebooked("1:ITEM", "2:ITEM"), terms=(LineTerms("1:ITEM", "200"), LineTerms("2:ITEM", "201")))
    held = corrections(first, replace(rebooked("1:ITEM"), terms=(LineTerms("1:ITEM", "206"),)))

    assert {line: terms.account for line, terms in held.rebooked.items()} == {"1:ITEM": "206", "2:ITEM": "201"}
    assert held.has_ever_concerned("1:ITEM")
    assert not held.has_ever_concerned("1:SHIPPING")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (rebooked(), "terms should state the lines"),
        (replace(correction(K.SKIP), terms=(LineTerms("1:ITEM"),)), "terms should state the lines"),
        (rebooked("1:ITEM", "1:ITEM"), "terms should name each line once"),
        (replace(rebooked("1"), terms=(LineTerms("1:ITEM", "12345678901"),)), "Xero's account with 1 to 10 characters"),
    ],
)
def test_rebooking_that_states_no_lines_or_what_cannot_be_is_refused(entry: Correction, problem: str) -> None:
    with pytest.raises(Failure, match=problem):
        checked(entry)


def test_row_of_a_source_keeps_no_more_lines_than_fit() -> None:
    held = corrections(rebooked(*(f"{number}:ITEM" for number in range(MAX_TERMS))))

    with pytest.raises(Failure, match="on more than 500 lines"):
        held.with_entry(rebooked("1:SHIPPING", correction_id="r2"))


@pytest.mark.parametrize("number", ["2", "0", "99"])
def test_withdrawal_of_what_does_not_apply_names_what_applies(number: str) -> None:
    held = corrections(correction(K.SKIP))

    with pytest.raises(Failure, match=rf"no correction {number} that applies; those that apply: 1\.") as caught:
        held.with_entry(correction(K.WITHDRAW, number, correction_id="c2"))

    assert caught.value.code is FailureCode.CORRECTION_REFUSED


def test_correction_is_withdrawn_once() -> None:
    held = corrections(correction(K.SKIP), correction(K.WITHDRAW, "1"))

    with pytest.raises(Failure, match="those that apply: none"):
        held.with_entry(correction(K.WITHDRAW, "1", correction_id="c3"))


def test_withdrawal_that_arrives_late_does_not_withdraw_what_its_author_never_saw() -> None:
    early = correction(K.WITHDRAW, "2", correction_id="late")
    held = corrections(correction(K.SKIP), replace(correction(K.ACCOUNT, "200"), made_at=early.made_at + MINUTE))

    with pytest.raises(Failure, match="made before the correction that it withdraws, 2: account 200"):
        held.with_entry(early)


def test_correction_that_arrives_late_does_not_replace_a_later_one_of_the_same_line() -> None:
    early = correction(K.ACCOUNT, "205", line="1:ITEM", correction_id="late")
    held = corrections(replace(correction(K.ACCOUNT, "200", line="1:ITEM"), made_at=early.made_at + MINUTE))

    with pytest.raises(Failure, match="made before the correction that it would replace, 1: account 200 for line 1:IT"):
        held.with_entry(early)
    after = held.with_entry(replace(early, line="2:ITEM"))
    assert after is not None
    assert after.by_line(K.ACCOUNT) == {"1:ITEM": "200", "2:ITEM": "205"}


def test_correction_that_arrives_late_does_not_take_the_place_of_a_later_one_that_was_withdrawn() -> None:
    early = correction(K.ACCOUNT, "205", correction_id="late")
    later = replace(correction(K.ACCOUNT, "200"), made_at=early.made_at + MINUTE)
    withdrawal = replace(correction(K.WITHDRAW, "1", correction_id="w"), made_at=early.made_at + 2 * MINUTE)
    held = corrections(later, withdrawal)

    for made_at in (early.made_at, later.made_at):
        with pytest.raises(Failure, match="before another of its kind and line was withdrawn, 1: account 200"):
            held.with_entry(replace(early, made_at=made_at))
    after = held.with_entry(replace(early, made_at=withdrawal.made_at))
    assert after is not None
    assert after.by_line(K.ACCOUNT) == {"": "205"}
    assert held.with_entry(replace(early, kind=K.TAX_TYPE)) is not None


def test_list_has_a_limit() -> None:
    held = corrections(*[correction(K.SKIP)] * MAX_ENTRIES)

    with pytest.raises(Failure, match=f"has {MAX_ENTRIES} corrections"):
        held.with_entry(correction(K.SKIP, correction_id="one more"))


# --- what cannot be recorded ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (correction(K.DATE, "4 November"), "value should be a day such as 2026-11-04 and is '4 November'"),
        (correction(K.DATE, "1926-11-04"), "value should be a day from 2000-01-01 to 2099-12-31"),
        (correction(K.TAX_TYPE, ""), "value should be Xero's tax_type with 1 to 50 characters and is ''"),
        (correction(K.ACCOUNT, "12345678901"), "value should be Xero's account with 1 to 10 characters"),
        (correction(K.SKIP, "yes"), "a correction of kind skip has no value, and this one has 'yes'"),
        (correction(K.WITHDRAW, "the first"), "value should be the number of the withdrawn correction"),
        (correction(K.DATE, "2026-11-04", line="1"), "line should be empty or a shipment such as 'shipment 2'"),
        (correction(K.TRACKING, "North"), "value should be such as 'Region=North; Channel=FBA' and is 'North'"),
        (correction(K.TRACKING, "A=1; B=2; C=3"), "a line has at most 2 categories, each with one option"),
        (correction(K.TRACKING, "A=1; A=2"), "a line has at most 2 categories, each with one option"),
        (correction(K.ITEM_CODE, "T" * 31), "value should be Xero's item_code with 1 to 30 characters"),
        (correction(K.DESCRIPTION, " "), "value should be Xero's description with 1 to 500 characters"),
        (correction(K.DESCRIPTION, "x" * 501), "value should be Xero's description with 1 to 500 characters. Enter"),
        (correction(K.CONTACT, "Maria Rossi"), "value should be Xero's ContactID, in small letters"),
        (correction(K.SKIP, line="shipment 1"), "a correction of kind skip concerns all lines"),
        (replace(correction(K.SKIP), reason=" "), "reason should have 1 to 500 characters"),
        (replace(correction(K.SKIP), author=""), "author is missing"),
    ],
    ids=lambda value: value.text if isinstance(value, Correction) else "",
)
def test_correction_that_states_nothing_is_refused_with_its_field(entry: Correction, problem: str) -> None:
    with pytest.raises(Failure) as caught:
        checked(entry)

    assert caught.value.code is FailureCode.CORRECTION_REFUSED
    assert problem in caught.value.remedy


def test_correction_is_named_in_one_line() -> None:
    held = corrections(correction(K.TAX_TYPE, "ZERORATEDOUTPUT", line="1:ITEM"))

    assert held.entries[0].text == "1: tax_type ZERORATEDOUTPUT for line 1:ITEM"


def test_text_of_a_line_is_in_no_log_line_and_no_message() -> None:
    stated = corrections(correction(K.DESCRIPTION, "Mug for Maria Rossi", line="1:ITEM")).entries[0]

    assert stated.text == "1: description for line 1:ITEM"
    assert "Maria" not in unusable(stated, "the order has no such line").remedy
