"""One deployed stack for all tests of a file: the real template, both sandboxes, a connected seller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack, deployed
from sandbox.amazon import OWN_SELLER


@pytest.fixture(scope="module")
def seller() -> Path:
    return OWN_SELLER


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, seller: Path) -> Iterator[Stack]:
    with deployed(tmp_path_factory.mktemp("stack"), seller) as running:
        yield running
