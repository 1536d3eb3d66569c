"""Tables of what template.yaml and infra/observability.yaml declare: parameters, roles, alarms, saved queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deployable.transform import parsed
from documentation.markdown import table

ROOT = Path(__file__).resolve().parents[2]


def parameters() -> str:
    declared = parsed(ROOT / "template.yaml")["Parameters"]
    rows = [(f"`{name}`", _default(each["Default"]), each["Description"]) for name, each in declared.items()]
    return table(("Parameter", "Default", "Meaning"), rows)


def permissions() -> str:
    """Return which function's role may do what on which resource."""
    resources = parsed(ROOT / "template.yaml")["Resources"]
    roles = {
        name: resources[each["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"]
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    functions_allowed: dict[tuple[str, str], set[str]] = {}
    for function, policies in roles.items():
        for permission in _permissions(policies):
            functions_allowed.setdefault(permission, set()).add(function)
    actions: dict[tuple[str, frozenset[str]], list[str]] = {}
    for (action, resource), functions in functions_allowed.items():
        actions.setdefault((resource, frozenset(functions)), []).append(f"`{action}`")
    rows = [
        [f"`{resource}`", ", ".join(named), *("yes" if function in functions else "no" for function in roles)]
        for (resource, functions), named in actions.items()
    ]
    return table(("On", "May", *(f"`{name}`" for name in roles)), rows)


def alarms() -> str:
    rows = []
    for each in _resources("CloudWatch::Alarm"):
        text, _, anchor = _named(each["AlarmDescription"]).strip().partition(" Runbook: ${Runbook}")
        rows.append((f"`{_named(each['AlarmName'])}`", text, f"[{anchor.removeprefix('#')}]({anchor})"))
    return table(("Alarm", "What it says", "What to do"), rows)


def saved_queries() -> str:
    rows = [(_named(each["Name"]).partition("/")[2], _first_comment(each)) for each in _queries()]
    return table(("Saved query", "Note"), rows)


def _resources(kind: str) -> list[dict[str, Any]]:
    resources = parsed(ROOT / "infra" / "observability.yaml")["Resources"]
    return [each["Properties"] for each in resources.values() if each["Type"] == f"AWS::{kind}"]


def _permissions(policies: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each action with the resource that it is allowed on."""
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield action, _resource_name(resource)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource_name(resource: Mapping[str, Any] | str) -> str:
    """Return a resource's name in the template, or the end of its ARN."""
    if isinstance(resource, str):
        return resource
    if "Fn::If" in resource:  # the template's own resource comes first, one that it may be given after it
        return _resource_name(resource["Fn::If"][1])
    if "Ref" in resource:
        return str(resource["Ref"])
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    name = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", resource["Fn::Sub"]).replace("${AWS::StackName}", "<stack>")
    return name.rpartition(":")[2]


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
    "permissions": permissions,
    "alarms": alarms,
    "saved-queries": saved_queries,
}
