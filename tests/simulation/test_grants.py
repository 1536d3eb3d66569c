"""The oracle of refused refresh tokens: only Xero's own rule excuses one."""

from __future__ import annotations

import pytest

from simulation.grants import is_refused, unexplained_refusals

REFUSED = "refunds-3: logs XERO_GRANT_REFUSED   XERO_NOT_AUTHORISED Authorise the app in Xero again: run connect xero."


def at(seconds: float, what: str) -> str:
    return f"{seconds:10.3f} {what}"


def executed_each_minute(times: int) -> list[str]:
    return [at(60.0 * n, "xero connectToken: executed 200 for resume-1") for n in range(times)]


def test_refusal_after_half_an_hour_of_lost_answers_is_explained() -> None:
    trace = [*executed_each_minute(31), at(1861, REFUSED)]

    assert not unexplained_refusals(trace)
    assert is_refused(trace)


@pytest.mark.parametrize(
    "before",
    [
        [],
        executed_each_minute(29),
        executed_each_minute(5),
        [*executed_each_minute(31), at(1830, "xero connectToken: answered 200")],
    ],
    ids=["no request", "within the 30 minutes", "hardly tried", "an answer arrived"],
)
def test_any_other_refusal_is_not(before: list[str]) -> None:
    seconds = 1700 if len(before) == 29 else 1861
    trace = [*before, at(seconds, REFUSED)]

    assert unexplained_refusals(trace) == [trace[-1]]


def test_authorisation_is_good_again_once_xero_has_answered() -> None:
    assert not is_refused([at(1861, REFUSED), at(1900, "xero connectToken: answered 200")])
