"""Calls of the replay function: one bounded step after the other, until there is nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from botocore.config import Config

#: The function lives for 60 seconds. boto3 would give up at the same moment and invoke it once more.
CALL_CONFIG = Config(read_timeout=90, retries={"total_max_attempts": 1})


class ReplayRefused(Exception):
    """The function does not take the request. The message names the field and what it should be."""


class ReplayFailed(Exception):
    """The function failed. What it did before is in its evidence; the letters stay where they are."""


class LambdaClient(Protocol):
    """What is used of boto3's Lambda client."""

    def invoke(self, **request: Any) -> Any: ...


def call(client: LambdaClient, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's answer to one event. Raises ReplayRefused and ReplayFailed."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        raise ReplayFailed(
            f"The function {function} failed ({payload.get('errorType', answer['FunctionError'])}). "
            "Its log has the place; run the command again to continue."
        )
    if "refused" in payload:
        raise ReplayRefused(payload["refused"])
    return payload


def steps(
    client: LambdaClient, function: str, request: Mapping[str, Any], limit: int, step: int
) -> Iterator[dict[str, Any]]:
    """Yield the answer to each step of a replay, until there is nothing more or `limit` failures are reached.

    step: at most so many failures in one call.

    Raises ReplayRefused and ReplayFailed.
    """
    cursor, left = "", limit
    while True:
        answer = call(client, function, {"replay": {**request, "limit": min(step, left), "cursor": cursor}})
        yield answer
        is_where_it_was = bool(cursor) and answer["cursor"] == cursor
        if is_where_it_was and not answer["failures"]:
            raise ReplayFailed(f"The function {function} found no time for one failure. Run the command again later.")
        cursor, left = answer["cursor"], left - len(answer["failures"])
        if not cursor or left <= 0:
            return
