"""What the doctor examines: a stack, one of its connections, and the addresses that its functions call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.runtime.settings import (
    ConnectionSecrets,
    ConnectionSettings,
    SettingsError,
    StackSettings,
    parse,
    stack_settings,
)
from operations.command_line.session import Session
from operations.stack_addresses import FUNCTION, environment_of


@dataclass(frozen=True)
class CheckedConnection:
    """A connection of a stack. Everything is read when it is first asked for."""

    session: Session
    name: str

    @cached_property
    def stack(self) -> StackSettings:
        """The environment of the resume function: the addresses that the deployed functions really call."""
        environment = environment_of(self.session.client("lambda"), self.session.output(FUNCTION))
        return stack_settings({**environment, "AWS_REGION": self.session.region}, ())

    @cached_property
    def settings(self) -> ConnectionSettings:
        """The connection's settings. Raises SettingsError where there are none, or where they cannot be used."""
        stored = self.session.settings.get(self.name)
        if stored is None:
            raise SettingsError(f"the stack {self.session.stack} has no settings of {self.name}. Run make connect.")
        return parse(ConnectionSettings, stored, f"the settings of {self.name}")

    @cached_property
    def secrets(self) -> ConnectionSecrets:
        """The connection's secret. Raises SettingsError where it cannot be read or used."""
        manager: Any = self.session.client("secretsmanager")
        name = f"{self.session.output('SecretsPrefix')}/{self.name}"
        try:
            stored = str(manager.get_secret_value(SecretId=name)["SecretString"])
        except manager.exceptions.ResourceNotFoundException:
            raise SettingsError(f"there is no secret {name}. Run connect xero, then connect amazon.") from None
        except manager.exceptions.InvalidRequestException:
            raise SettingsError(
                f"the secret {name} is marked for deletion. Run connect xero, which restores it."
            ) from None
        return parse(ConnectionSecrets, stored, f"the secret {name}")

    @property
    def seller(self) -> AmazonCredentials:
        amazon = self.secrets.amazon
        return AmazonCredentials(amazon.client_id, amazon.client_secret, amazon.refresh_token)
