"""The local cloud that `make run KEEP=1` keeps running, as other commands find it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from local.cloud import ROOT
from local.endpoint import CloudEndpoint
from local.stack import Stack
from operations.logs import functions_of

STATE_FILE = ROOT / ".run" / "running.json"


@dataclass(frozen=True)
class RunningStack:
    """What another command needs to use a running stack: the cloud's endpoint, the stack's outputs, the seller."""

    endpoint: str
    outputs: dict[str, str]
    seller_id: str

    @property
    def cloud(self) -> CloudEndpoint:
        return CloudEndpoint(self.endpoint)

    @property
    def functions(self) -> dict[str, str]:
        """Short name -> name of each deployed function."""
        return functions_of(self.outputs)


def as_running(stack: Stack) -> RunningStack:
    return RunningStack(stack.cloud.endpoint, stack.outputs, stack.seller_id)


@contextlib.contextmanager
def announced(stack: Stack, file: Path = STATE_FILE) -> Iterator[None]:
    """Let other commands find the stack during the `with` block."""
    file.write_text(json.dumps(asdict(as_running(stack)), indent=1), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def find_running(file: Path = STATE_FILE) -> RunningStack | None:
    """Return the running stack; None if there is none, or if its process ended without removing the file."""
    try:
        found = RunningStack(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.cloud.is_running else None
