"""The settings reference, from the models in runtime/settings: field, values, default and description.

A field's description is the one of its model; a field without one fails the generation, so that none goes unexplained.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings
from documentation.markdown import table

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "infra" / "local" / "connection.json"

type Schema = Mapping[str, Any]


def settings() -> str:
    return "\n\n".join(sections_of(ConnectionSettings))


def secrets() -> str:
    schema = ConnectionSecrets.model_json_schema()
    return table(("Field", "Values", "Default", "Meaning"), _rows(schema, schema, "", is_flat=True))


def example() -> str:
    return f"```json\n{EXAMPLE.read_text(encoding='utf-8').rstrip()}\n```"


def sections_of(model: type[BaseModel]) -> list[str]:
    """Return one section for each part of the document, and before them the fields that belong to none.

    Raises ValueError for a field without a description.
    """
    schema: Schema = model.model_json_schema()
    alone: list[list[str]] = []
    sections: list[str] = []
    for name, field in schema["properties"].items():
        part = _resolved(field, schema)
        if "properties" in part:
            sections.append(_section(name, part, schema))
        else:
            alone.append(_row(name, field, schema, schema))
    return [_table(alone), *sections]


def _section(name: str, part: Schema, schema: Schema) -> str:
    text = f"### `{name}`\n\n{_table(_rows(part, schema, f'{name}.'))}"
    for field_name, field in part["properties"].items():
        inner = _resolved(field.get("items", {}), schema)
        if "properties" in inner:
            text += f"\n\n### Each entry of `{name}.{field_name}`\n\n{_table(_rows(inner, schema, ''))}"
    return text


def _table(rows: list[list[str]]) -> str:
    return table(("Field", "Values", "Default", "Meaning"), rows)


def _rows(part: Schema, schema: Schema, prefix: str, is_flat: bool = False) -> list[list[str]]:
    rows: list[list[str]] = []
    for name, field in part["properties"].items():
        inner = _resolved(field, schema)
        if is_flat and "properties" in inner:
            rows += _rows(inner, schema, f"{prefix}{name}.")
        else:
            rows.append(_row(f"{prefix}{name}", field, part, schema))
    return rows


def _row(name: str, field: Schema, part: Schema, schema: Schema) -> list[str]:
    key = name.rpartition(".")[2]
    if not field.get("description"):
        raise ValueError(f"{part.get('title')}.{key} has no description; add Field(description=…) to its model")
    is_required = key in part.get("required", ())
    return [f"`{name}`", _values(field, schema), _default(field, is_required), field["description"]]


def _default(field: Schema, is_required: bool) -> str:
    if is_required:
        return "required"
    value = field.get("default")
    if value in (None, [], {}, ""):
        return "none"
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def _values(field: Schema, schema: Schema) -> str:
    """Return what the field accepts, in words."""
    given = _resolved(field, schema)
    if "anyOf" in given:
        kinds = [each for each in given["anyOf"] if each.get("type") != "null"]
        return _numeric(kinds) or " or ".join(dict.fromkeys(_values(each, schema) for each in kinds))
    if "enum" in given:
        return ", ".join(f"`{value}`" for value in given["enum"])
    kind = given.get("type")
    if kind == "array" and "properties" in _resolved(given["items"], schema):
        return "list of objects, see below"
    if kind == "array":
        return f"list of {_values(given['items'], schema)}"
    if "properties" in given:
        return f"object with {', '.join(f'`{name}`' for name in given['properties'])}"
    if kind == "object":
        patterns = [*given.get("patternProperties", {}).values(), given.get("additionalProperties")]
        return f"object of {_values(next(filter(None, patterns)), schema)}"
    if kind == "boolean":
        return "`true`, `false`"
    if kind in ("integer", "number"):
        return _bounded(given)
    if given.get("format") == "date-time":
        return "time with zone"
    return _text(given)


def _numeric(kinds: list[Schema]) -> str:
    """Pydantic describes a decimal as a number or a text; the number has the bounds."""
    numbers = [each for each in kinds if each.get("type") == "number"]
    return _bounded(numbers[0]) if numbers else ""


def _bounded(given: Schema) -> str:
    noun = "whole number" if given.get("type") == "integer" else "amount"
    if "minimum" in given and "maximum" in given:
        low, high = given["minimum"], given["maximum"]
        return f"{noun}, {low:g} to {high:g}" if noun == "amount" else f"{noun}, {low} to {high}"
    return noun


def _text(given: Schema) -> str:
    longest, shortest = given.get("maxLength"), given.get("minLength", 0)
    if longest:
        return f"text, at most {longest} characters"
    return f"text, at least {shortest} characters" if shortest > 1 else "text"


def _resolved(field: Schema, schema: Schema) -> Schema:
    """Return the schema that a field refers to, with the field's own description and default."""
    for reference in (field.get("$ref"), *(each.get("$ref") for each in field.get("allOf", ()))):
        if reference:
            target: Schema = schema["$defs"][reference.rpartition("/")[2]]
            # The target's description explains the type, not the field.
            own = {name: value for name, value in field.items() if name in ("description", "default")}
            return {**_resolved(target, schema), "description": "", **own}
    return field


PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "secrets": secrets,
    "settings-example": example,
}
