"""Tables of what template.yaml and infra/observability.yaml declare: parameters, alarms, saved queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deployable.transform import parsed
from documentation.markdown import table

ROOT = Path(__file__).resolve().parents[2]


def parameters() -> str:
    declared = parsed(ROOT / "template.yaml")["Parameters"]
    rows = [(f"`{name}`", _default(each["Default"]), each["Description"]) for name, each in declared.items()]
    return table(("Parameter", "Default", "Meaning"), rows)


def alarms() -> str:
    rows = [
        (f"`{_named(each['AlarmName'])}`", each["AlarmDescription"].strip()) for each in _resources("CloudWatch::Alarm")
    ]
    return table(("Alarm", "What it says"), rows)


def saved_queries() -> str:
    rows = [(_named(each["Name"]).partition("/")[2], _first_comment(each)) for each in _queries()]
    return table(("Saved query", "Before you run it"), rows)


def _resources(kind: str) -> list[dict[str, Any]]:
    resources = parsed(ROOT / "infra" / "observability.yaml")["Resources"]
    return [each["Properties"] for each in resources.values() if each["Type"] == f"AWS::{kind}"]


def _queries() -> list[dict[str, Any]]:
    return _resources("Logs::QueryDefinition")


def _first_comment(query: Mapping[str, Any]) -> str:
    lines = [line.strip() for line in query["QueryString"].splitlines()]
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))


def _default(value: object) -> str:
    return f"`{value}`" if value != "" else "empty"


def _named(value: Any) -> str:
    """Return a name with the stack's place in it, whether it is written as text or as Fn::Sub."""
    text = value["Fn::Sub"] if isinstance(value, Mapping) else value
    return str(text).replace("${ParentStack}", "<stack>")


PARTS: Mapping[str, Callable[[], str]] = {
    "parameters": parameters,
    "alarms": alarms,
    "saved-queries": saved_queries,
}
