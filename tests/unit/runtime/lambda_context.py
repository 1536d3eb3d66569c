"""Lambda's context object, as the handlers and Powertools read it."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext


class FakeLambdaContext(LambdaContext):
    """The context of one invocation; `remaining` are the milliseconds that are left of its time."""

    def __init__(self, request_id: str = "request-1", remaining: int = 120_000) -> None:
        self._aws_request_id = request_id
        self._function_name = "orders"
        self._memory_limit_in_mb = 1024
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:orders"
        self._remaining = remaining

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # static in Powertools' class
        return self._remaining
