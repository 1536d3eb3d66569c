"""One deployed stack for all tests of a file: the real template, both sandboxes, the invented seller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack, deployed


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stack]:
    folder = getattr(request.module, "SELLER", None)
    directory: Path = tmp_path_factory.mktemp("stack")
    with deployed(directory, folder) if folder else deployed(directory) as running:
        yield running
