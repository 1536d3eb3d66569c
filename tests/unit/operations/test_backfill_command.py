"""`operate backfill`: what a person sees before they agree, and how far a backfill is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest

from amazon_to_xero.domain.backfill.period import BackfillRefused
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonForbidden
from amazon_to_xero.runtime.backfill_answer import backfill_answer
from amazon_to_xero.runtime.replay_request import BackfillEvent, RequestRefused, parse_event
from amazon_to_xero.services.backfill.rows import load_backfills
from fakes.operator import OperatorSession, operate
from fakes.orders import CA
from unit.services.backfill.moving_over import ADA, MovingOver, moved_over, sold

PERIOD = ("--from", "2026-01-01", "--to", "2026-03-31")
WHY = ("--reason", "we moved over")


class ReplayFunction:
    """boto3's `lambda` client of a stack whose replay function works for one connection, and `sts`."""

    def __init__(self, connection: MovingOver) -> None:
        self._connection = connection
        self.actions: list[str] = []

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": ADA}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # boto3's names
        assert FunctionName == "ReplayFunctionName"
        event = json.loads(Payload)
        self.actions.append(event["backfill"]["action"])
        try:
            asked = parse_event(event)
            assert isinstance(asked, BackfillEvent)
            answer = backfill_answer(self._connection.connection.backfills, asked)
        except (RequestRefused, BackfillRefused) as problem:
            answer = {"refused": str(problem)}
        return {"Payload": BytesIO(json.dumps(answer).encode())}


def session(books: MovingOver) -> OperatorSession:
    function = ReplayFunction(books)
    clients: dict[str, Any] = {"lambda": function, "sts": function}
    return OperatorSession(books, **clients)


def actions(of: OperatorSession) -> list[str]:
    return list(of.clients["lambda"].actions)


def plain(text: str) -> str:
    return " ".join(text.split())


def test_forecast_is_shown_before_the_question_and_nothing_begins_without_a_yes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operator = session(moved_over(sold("A"), sold("B", day=40)))

    answer = operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, answer="no\n")

    assert "orders in the period 2" in plain(answer.stderr)
    assert "calls to Xero 2 to 9" in plain(answer.stderr)
    assert "Nothing was changed." in answer.stdout
    assert (actions(operator), load_backfills(operator.fake.store).latest) == (["forecast"], None)


def test_backfill_begins_with_a_yes_and_its_author_and_reason_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = session(moved_over(sold("A")))

    answer = operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--share", "30", answer="yes\n")

    begun = load_backfills(operator.fake.store).latest
    assert begun is not None
    assert (answer.exit_code, begun.author, begun.reason, begun.share.percent) == (0, ADA, "we moved over", 30)


def test_status_shows_the_progress_and_what_became_of_the_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    books = moved_over(sold("A"), sold("B", day=40, marketplace="A00000000000000"))
    operator = session(books)
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")
    books.quarters(8)

    answer = operate(monkeypatch, operator, "backfill", "status")

    text = plain(answer.stdout)
    assert "Backfill 1 of 2026-01-01 to 2026-03-31: DONE. we moved over" in text
    assert "90 of 90 days read" in text
    assert "orders read unchanged not invoiced under way planned in Xero failed 2 0 0 0 2 1 1" in text


def test_done_backfill_names_its_failed_orders_and_leaves_it_to_failed_whether_a_person_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    books = moved_over(sold("A"), sold("B", day=40, marketplace="A00000000000000"))
    operator = session(books)
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")
    books.quarters(8)

    answer = operate(monkeypatch, operator, "backfill", "status")

    assert "1 order had failed when counted. What is still open, with what to do: failed." in plain(answer.stdout)
    assert answer.exit_code == 0
    assert operate(monkeypatch, operator, "failed").exit_code == 1


def test_backfill_that_amazon_refuses_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    books = moved_over(sold("A"))
    operator = session(books)
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")
    books.amazon.faults = [None, AmazonForbidden("listTransactions", 403, "Unauthorized")]
    books.quarters(1)

    answer = operate(monkeypatch, operator, "backfill", "status")

    assert "AMAZON_OPERATION_REFUSED: Amazon refuses one operation" in plain(answer.stdout)
    assert answer.exit_code == 1


def test_backfill_without_a_marketplace_needs_a_person_until_it_was_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    operator = session(books)
    books.amazon.refused_marketplaces = {CA}
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")
    books.quarters(12)
    first = operate(monkeypatch, operator, "backfill", "status")
    books.amazon.refused_marketplaces = set()

    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")
    books.quarters(12)

    assert (first.exit_code, operate(monkeypatch, operator, "backfill", "status").exit_code) == (1, 0)


def test_status_says_what_a_backfill_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    books = moved_over(sold("A"))
    operator = session(books)
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes", "--calls", "5")
    books.quarters(1)

    answer = operate(monkeypatch, operator, "backfill", "status")

    assert f"{WaitReason.BACKFILL_SHARE_USED}: A backfill waits until fewer" in plain(answer.stdout)
    assert "0 of 90 days read" in answer.stdout


def test_status_as_json_lists_earlier_backfills_too(monkeypatch: pytest.MonkeyPatch) -> None:
    books = moved_over(sold("A"))
    operator = session(books)
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")
    operate(monkeypatch, operator, "backfill", "cancel", "--yes")
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")

    answer = operate(monkeypatch, operator, "backfill", "status", "--json")

    assert [each["state"] for each in json.loads(answer.stdout)["backfills"]] == ["CANCELLED", "RUNNING"]


def test_pause_and_resume_ask_nothing_and_cancel_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = session(moved_over(sold("A")))
    operate(monkeypatch, operator, "backfill", *PERIOD, *WHY, "--yes")

    paused = operate(monkeypatch, operator, "backfill", "pause")
    resumed = operate(monkeypatch, operator, "backfill", "resume")
    kept = operate(monkeypatch, operator, "backfill", "cancel", answer="no\n")

    assert ("is PAUSED" in paused.stdout, "is RUNNING" in resumed.stdout) == (True, True)
    assert "What is entered stays. The rest is not read." in kept.stderr
    assert actions(operator) == ["start", "pause", "resume"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--to", "2026-03-31"), "Name a day with --from"),
        (("--from", "January", "--to", "2026-03-31"), "Name a day with --from"),
        (("--from", "2026-02-30", "--to", "2026-03-31", *WHY, "--yes"), "backfill.from"),
        (PERIOD, "Say why with --reason"),
        (("--from", "2025-12-01", "--to", "2026-03-31", *WHY), "set start to 2025-12-01T00:00:00Z"),
        (("pause",), "There is no backfill"),
    ],
)
def test_call_that_cannot_be_answered_says_how_to_call_it(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    answer = operate(monkeypatch, session(moved_over()), "backfill", *arguments)

    assert answer.exit_code == 2
    assert problem in plain(answer.stderr)


def test_forecast_names_the_orders_of_a_locked_period(monkeypatch: pytest.MonkeyPatch) -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    books.xero.settings = replace(books.xero.settings, period_lock=date(2026, 1, 31))
    books.clock.advance(timedelta(hours=13).total_seconds())

    answer = operate(monkeypatch, session(books), "backfill", "forecast", *PERIOD)

    text = plain(answer.stdout)
    assert "Xero is locked until 2026-01-31: sales until then fail with PERIOD_LOCKED" in text
    assert "Of the orders counted: A." in text


def test_status_without_a_backfill_says_how_to_begin_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, session(moved_over()), "backfill", "status")

    assert (answer.exit_code, "backfill --from DAY --to DAY" in answer.stdout) == (0, True)
