"""Connections' settings in Parameter Store and secrets in Secrets Manager, through Powertools' cached providers.

While AWS does not answer, a warm function uses what it read before, for up to an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog

MAX_AGE_SECONDS = 300  # changed settings take effect within this time
KEPT_FOR = timedelta(hours=1)  # what was read before, while AWS does not answer
_RETRY = timedelta(minutes=1)  # a call that times out takes half a minute of a function's two
# AWS answered: what was read before is no longer valid.
_REFUSALS = {
    "AccessDeniedException",
    "DecryptionFailure",
    "InvalidRequestException",
    "ParameterNotFound",
    "ResourceNotFoundException",
}


class SettingsUnavailable(Exception):
    """Parameter Store does not answer, and no settings were read within the last hour. Retry later."""


class SecretUnavailable(Exception):
    """Secrets Manager does not answer, and the secret was not read within the last hour. Retry later."""


class SecretUnreadable(Exception):
    """A connection's secret cannot be read. The text is the AWS error, never the secret."""


@dataclass(frozen=True)
class _Read[Document]:
    """What was read last.

    retry_at: until when AWS is not asked again, because it did not answer.
    """

    document: Document
    at: datetime
    retry_at: datetime


class ConnectionDocuments:
    """The settings document and the secret of each connection, by the connection's name."""

    def __init__(
        self,
        ssm: Any,
        secrets_manager: Any,
        settings_path: str,
        secrets_prefix: str,
        clock: Clock,
        decisions: Callable[[str], DecisionLog],
    ) -> None:
        """`decisions` is the log of each connection, by its name."""
        self._parameters = SSMProvider(boto3_client=ssm)
        self._secrets = SecretsProvider(boto3_client=secrets_manager)
        self._settings_path = settings_path.rstrip("/")
        self._secrets_prefix = secrets_prefix.rstrip("/")
        self._clock = clock
        self._decisions = decisions
        self._settings_read: dict[str, _Read[dict[str, str]]] = {}
        self._secrets_read: dict[str, _Read[str]] = {}

    def settings(self) -> dict[str, str]:
        """Return the settings documents of all connections. Raises SettingsUnavailable."""

        def read() -> dict[str, str]:
            stored = self._parameters.get_multiple(self._settings_path, max_age=MAX_AGE_SECONDS, decrypt=True)
            return {name: str(text) for name, text in stored.items()}

        try:
            return self._newest(self._settings_read, "", read)
        except GetParameterError as problem:
            raise SettingsUnavailable(f"the connections' settings cannot be read: {problem}") from None

    def secret(self, connection: str) -> str:
        """Return a connection's secret as JSON text. Raises SecretUnreadable or SecretUnavailable."""
        name = f"{self._secrets_prefix}/{connection}"
        try:
            return self._newest(
                self._secrets_read, connection, lambda: str(self._secrets.get(name, max_age=MAX_AGE_SECONDS))
            )
        except GetParameterError as problem:
            raised = SecretUnreadable if _code(problem) in _REFUSALS else SecretUnavailable
            raise raised(str(problem)) from None

    def _newest[Document](
        self, held: dict[str, _Read[Document]], connection: str, read: Callable[[], Document]
    ) -> Document:
        """Return what `read` returns, or what it returned within the last hour while AWS does not answer."""
        now, last = self._clock.now(), held.get(connection)
        if last is not None and now < last.retry_at:
            return last.document
        try:
            document = read()
        except GetParameterError as problem:
            code = _code(problem)
            if last is None or code in _REFUSALS or now - last.at > KEPT_FOR:
                held.pop(connection, None)
                raise
            held[connection] = replace(last, retry_at=now + _RETRY)
            self._decisions(connection).record(WaitReason.SETTINGS_UNAVAILABLE, problem=code, read_at=str(last.at))
            return last.document
        held[connection] = _Read(document, now, now)
        return document


def _code(problem: GetParameterError) -> str:
    """Return AWS's error code, or the type of the error that kept it from answering."""
    cause = problem.__context__
    return str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else type(cause).__name__
