"""The accounting cases as they are written: the files of tests/unit/domain/accounting_cases, one for each theme."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "unit" / "domain" / "accounting_cases"
_SETTINGS = "settings.toml"  # explains the form of the cases, and has the settings that they name

type Case = Mapping[str, Any]


def themes(folder: Path = FOLDER) -> Sequence[Mapping[str, Any]]:
    """Return each theme in the order of the files: its `title`, what it is `about`, and its cases under `case`."""
    return [_read(file) for file in sorted(folder.glob("*.toml")) if file.name != _SETTINGS]


def books(folder: Path = FOLDER) -> Mapping[str, Mapping[str, Any]]:
    """Return the settings and the organisation that cases name, by name."""
    return _read(folder / _SETTINGS)


def _read(file: Path) -> Mapping[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
