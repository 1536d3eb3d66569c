"""The doctor's checks of the replay function, whose triggers are off unless the stack replays automatically."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, Outputs
from fakes.operator_aws import StubStack
from operations.doctor.aws import check_dead_letters, check_functions


def checked(aws: StubStack, function: str) -> Any:
    """Return a connection of a stack that has one function."""
    session = OperatorSession(FakeConnection(), **cast(Any, {"lambda": aws, "cloudwatch": aws, "sqs": aws}))
    session.stated_outputs = Outputs({f"{function}FunctionName": f"stack-{function.lower()}"})
    return SimpleNamespace(session=session)


@pytest.mark.parametrize(("function", "findings"), [("Orders", 1), ("Replay", 0)])
def test_trigger_that_is_off_is_found_where_a_function_needs_it(function: str, findings: int) -> None:
    aws = StubStack({}, "{}")
    aws.mapping_state = "Disabled"

    assert len(list(check_functions(checked(aws, function)))) == findings


def test_stopped_letters_are_found() -> None:
    aws = StubStack({}, "{}")
    aws.dead_letters["StoppedLettersUrl"] = 2

    assert [each.what for each in check_dead_letters(checked(aws, "Replay"))] == ["2 dead letters of stopped letters"]
