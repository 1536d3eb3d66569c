"""The settings that `make run` connects with: those of connection.json, with parts replaced by a file of the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError

CONNECTION_JSON = Path(__file__).resolve().parent / "connection.json"


def read_parts(file: Path) -> dict[str, Any]:
    """Return the parts of the settings in a JSON file. Raises SettingsError with the file and what is wrong in it."""
    try:
        parts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as problem:
        raise SettingsError(f"the settings {file} cannot be read: {problem}") from None
    except ValueError as problem:
        raise SettingsError(f"the settings {file} are not JSON: {problem}") from None
    if not isinstance(parts, dict):
        raise SettingsError(f"the settings {file} are a JSON {type(parts).__name__}; they should be an object")
    unknown = sorted(parts.keys() - ConnectionSettings.model_fields.keys())
    if unknown:
        raise SettingsError(
            f"the settings {file} have unknown parts: {', '.join(unknown)}. "
            f"The parts are {', '.join(ConnectionSettings.model_fields)}."
        )
    return parts


def merged(default: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default settings with parts replaced.

    Of an object, such as `accounts`, only the given fields are replaced, each as a whole: `tax.rules`, for example,
    replaces all rules. Anything else is replaced as a whole.
    """
    return {**default, **{name: _merged_part(default.get(name), part) for name, part in parts.items()}}


def _merged_part(default: Any, part: Any) -> Any:
    return {**default, **part} if isinstance(default, dict) and isinstance(part, dict) else part
