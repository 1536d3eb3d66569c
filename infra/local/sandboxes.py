"""The two loopback servers that replace Amazon and Xero, running for the time of a `with` block."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simplejson  # type: ignore[import-untyped]  # ships no type information

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sandbox:
    """One running server. `url` is the base URL for its clients."""

    url: str

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request to the control interface (`/_sandbox/<path>`); return the answer's JSON, numbers as Decimal.

        Raises ValueError with the sandbox's message when it refuses.
        """
        request = urllib.request.Request(  # noqa: S310 - always http on loopback
            f"{self.url}/_sandbox/{path}",
            method=method,
            data=None if body is None else simplejson.dumps(body, use_decimal=True).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                text = answer.read()
        except urllib.error.HTTPError as refused:
            raise ValueError(f"{method} {path}: {refused.read().decode()}") from None
        return simplejson.loads(text, use_decimal=True) if text else None


@contextlib.contextmanager
def sandbox(service: str, *arguments: str, log: Path) -> Iterator[Sandbox]:
    """Start `sandbox.server` for `service` on a free port. Raises RuntimeError with its output if it does not start."""
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-m", "sandbox.server", "--service", service, *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "infra")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line.startswith("listening "):
            server.wait()
            raise RuntimeError(f"the sandbox {service} did not start:\n{log.read_text(encoding='utf-8')}")
        yield Sandbox(line.removeprefix("listening ").strip())
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
