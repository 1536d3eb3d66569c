"""Where a command works: a deployed stack in AWS, or the local cloud of `make run KEEP=1`, by the same AWS calls."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.observability import SystemClock
from amazon_to_xero.runtime.settings import SettingsError
from local.cloud import aws_settings
from local.running import find_running
from local.stack import STACK as LOCAL_STACK
from operations.connect import stack_outputs
from operations.stated_rows import StatedRow, stated_rows
from operations.stored_settings import stored_settings


class UsageProblem(Exception):
    """The command was called in a way that it cannot answer. The message says how to call it."""


class Session:
    """A stack and the connection that a command is about. AWS is called when something is first asked for.

    stack: name of the CloudFormation stack.
    clock: what the command takes for now.
    """

    def __init__(self, stack: str, named_connection: str = "", clock: Clock | None = None) -> None:
        self.stack = stack
        self.clock = clock or SystemClock()
        self._named_connection = named_connection
        self._is_disconnected_accepted = False

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs by name. Raises SettingsError where there is no such stack."""
        return stack_outputs(self.stack)

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The settings document of each stored connection, JSON text by the connection's name."""
        return stored_settings(self.client("ssm"), self.output("SettingsPath"))

    @property
    def connection(self) -> str:
        """The connection's name: the one of `--connection`, else the only one that is stored."""
        names = self.connections
        if len(names) > 1:
            raise UsageProblem(f"Name one of the connections {', '.join(names)} with --connection.")
        return names[0]

    @property
    def connections(self) -> list[str]:
        """The name of `--connection`, else of every stored connection. Raises SettingsError where there is none.

        Raises UsageProblem for a name that has no settings: nothing has failed of a connection that does not exist.
        """
        named = self._named_connection
        if named and named not in self.settings and not self._is_disconnected_accepted:
            raise self._unknown(named)
        names = [named] if named else sorted(self.settings)
        if not names:
            raise SettingsError(f"the stack {self.stack} has no connection. Run connect xero, then connect amazon.")
        return names

    @property
    def named_connection(self) -> str:
        """The name of `--connection`, empty without it. Raises what `connections` raises."""
        names = self.connections
        return names[0] if self._named_connection else ""

    @property
    def new_connection(self) -> str:
        """The connection's name, which needs no settings yet: that of `--connection`, else the only one, else main."""
        return self._named_connection or (self.connection if self.settings else "main")

    def accept_disconnected(self) -> str:
        """Let the command read the rows of a connection that was disconnected; return a warning if it was, else "".

        Raises UsageProblem for a name of which there are no rows either.
        """
        named = self._named_connection
        if not named or named in self.settings:
            return ""
        self._is_disconnected_accepted = True
        if next(self.rows("CURSOR"), None) is None:
            raise self._unknown(named)
        return f"The connection {named} is disconnected: these are its rows as they were left."

    def _unknown(self, name: str) -> UsageProblem:
        names = ", ".join(sorted(self.settings)) or "none"
        return UsageProblem(
            f"The stack {self.stack} has no connection {name}; it has: {names}. "
            "Correct --connection, or run make connect."
        )

    @property
    def region(self) -> str:
        return str(self.client("ssm").meta.region_name)

    def output(self, name: str) -> str:
        """Return an output of the stack. Raises SettingsError where a stack of an earlier version lacks it."""
        if name not in self.outputs:
            raise SettingsError(f"the stack {self.stack} has no output {name}. Run make deploy first.")
        return self.outputs[name]

    def client(self, service: str, config: Config | None = None) -> Any:
        """Return a boto3 client of the account and region that the environment names."""
        return boto3.client(service) if config is None else boto3.client(service, config=config)

    def store(self, connection: str = "") -> StateStore:
        """Return the rows of that connection, by default of the command's own."""
        name, endpoint = connection or self.connection, os.environ.get("AWS_ENDPOINT_URL")
        return DynamoStateStore(self.output("TableName"), name, self.region, endpoint)

    def rows(self, prefix: str, containing: str = "") -> Iterator[StatedRow]:
        """Yield the rows of the command's connection of one type of record, e.g. ORDER, without their data.

        containing: only rows whose data, as JSON text, has this text somewhere.
        """
        return stated_rows(self.client("dynamodb"), self.output("TableName"), self.connection, prefix, containing)


@contextlib.contextmanager
def opened(stack: str, connection: str) -> Iterator[Session]:
    """Open the session of a deployed stack, or of the running local cloud where `stack` is empty.

    Raises UsageProblem where no stack is named and no local cloud is running.
    """
    if stack:
        yield Session(stack, connection)
        return
    running = find_running()
    if running is None:
        raise UsageProblem(
            "No local cloud is running. Name a deployed stack with --stack, or start a local one with make run KEEP=1."
        )
    with aws_settings(running.endpoint):
        yield Session(LOCAL_STACK, connection)
