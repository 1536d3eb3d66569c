"""The repository that the tests of the documentation tools change."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.documentation.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)
