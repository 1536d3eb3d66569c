"""An operator's command line over one connection in memory: no AWS is called."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from io import StringIO
from typing import Any

import pytest
from botocore.config import Config
from rich.console import Console
from typer.testing import CliRunner, Result

from amazon_to_xero.ports.state import StateStore
from fakes.connection import FakeConnection
from fakes.settings import settings as valid_settings
from operations.command_line import command
from operations.command_line import result as results
from operations.command_line.app import app
from operations.command_line.session import Session
from operations.stated_rows import StatedRow


class StubQueues:
    """boto3's `sqs` client over queues that are empty but for those in `messages`, by URL."""

    def __init__(self) -> None:
        self.messages: dict[str, int] = {}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # boto3's names
        assert AttributeNames == ["All"]
        counts = {"ApproximateNumberOfMessages": str(self.messages.get(QueueUrl, 0))}
        return {"Attributes": counts | {"ApproximateNumberOfMessagesNotVisible": "0"}}


class Outputs(dict[str, str]):
    """The outputs of a stack that has every output: each is its own name."""

    def __missing__(self, name: str) -> str:
        return name

    def __contains__(self, name: object) -> bool:
        return True


class OperatorSession(Session):
    """A Session whose stack has one connection, `main`, with the rows of a FakeConnection."""

    def __init__(self, connection: FakeConnection, **clients: Any) -> None:
        super().__init__("stack", "", connection.clock)
        self.fake = connection
        self.queues = StubQueues()
        self.clients: dict[str, Any] = {"sqs": self.queues} | clients
        self.stored = {connection.name: json.dumps(valid_settings())}
        self.stated_outputs = Outputs()
        self.configs: dict[str, Config | None] = {}  # what the last client of each service was made with

    def naming(self, connection: str) -> OperatorSession:
        """Return the session as with that `--connection`."""
        self._named_connection = connection
        return self

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.stated_outputs

    @property
    def settings(self) -> Mapping[str, str]:
        return self.stored

    @property
    def region(self) -> str:
        return "eu-west-1"

    def client(self, service: str, config: Config | None = None) -> Any:
        self.configs[service] = config
        return self.clients[service]

    def store(self, connection: str = "") -> StateStore:
        return self.fake.store

    def rows(self, prefix: str, containing: str = "") -> Iterator[StatedRow]:
        for sk, row in sorted(self.fake.store.table.rows.items()):
            if sk.startswith(f"{prefix}#") and containing in row.data:
                yield StatedRow(sk.removeprefix(f"{prefix}#"), row.state, row.reason, row.remedy)


def operate(monkeypatch: pytest.MonkeyPatch, session: Session, *arguments: str, answer: str | None = None) -> Result:
    """Run a command as the operator types it; `answer` is what they type when they are asked."""
    monkeypatch.setattr(command, "opened", lambda stack, connection: nullcontext(session))
    return CliRunner().invoke(app, list(arguments), input=answer)


def as_text(result: results.Result) -> str:
    """Return what a person reads, with each run of spaces as one."""
    screen = Console(file=StringIO(), width=200)
    for part in result.view:
        screen.print(part, markup=False)
    assert isinstance(screen.file, StringIO)
    return "\n".join(" ".join(line.split()) for line in screen.file.getvalue().splitlines())
