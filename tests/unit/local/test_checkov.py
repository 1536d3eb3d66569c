"""`make checkov`: its exit status, also for a template that it could not read."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from local import tools

COUNTS = "cloudformation scan results:\n\nPassed checks: {}, Failed checks: {}, Skipped checks: 0"


@pytest.mark.parametrize(
    ("printed", "ended_with", "status"),
    [
        (COUNTS.format(148, 0), 0, 0),
        (COUNTS.format(147, 1), 1, 1),
        (f"{COUNTS.format(0, 0)}, Parsing errors: 1", 0, 1),
    ],
    ids=["every check passed", "a check failed", "a template could not be read"],
)
def test_check_ends_with_1_unless_every_template_was_read_and_passed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], printed: str, ended_with: int, status: int
) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, ended_with, printed)

    monkeypatch.setattr(subprocess, "run", run)

    assert tools.check_templates("--quiet") == status

    assert printed in capsys.readouterr().out
