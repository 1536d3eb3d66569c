"""Connections' settings in Parameter Store and secrets in Secrets Manager, through Powertools' cached providers."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

MAX_AGE_SECONDS = 300  # changed settings take effect within this time


class SecretUnreadable(Exception):
    """A connection's secret cannot be read. The text is the AWS error, never the secret."""


class ConnectionDocuments:
    """The settings document and the secret of each connection, by the connection's name."""

    def __init__(self, ssm: Any, secrets_manager: Any, settings_path: str, secrets_prefix: str) -> None:
        self._parameters = SSMProvider(boto3_client=ssm)
        self._secrets = SecretsProvider(boto3_client=secrets_manager)
        self._settings_path = settings_path.rstrip("/")
        self._secrets_prefix = secrets_prefix.rstrip("/")

    def settings(self) -> dict[str, str]:
        """Return the settings documents of all connections. Raises Powertools' GetParameterError."""
        stored = self._parameters.get_multiple(self._settings_path, max_age=MAX_AGE_SECONDS, decrypt=True)
        return {name: str(text) for name, text in stored.items()}

    def secret(self, connection: str) -> str:
        """Return a connection's secret as JSON text. Raises SecretUnreadable."""
        try:
            return str(self._secrets.get(f"{self._secrets_prefix}/{connection}", max_age=MAX_AGE_SECONDS))
        except GetParameterError as problem:
            raise SecretUnreadable(str(problem)) from None
