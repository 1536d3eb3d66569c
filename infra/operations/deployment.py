"""Check a deployment before it begins: the stack's name, and the table that is to be attached.

    python -m operations.deployment --stack NAME [Parameter=value ...]

CloudFormation would find the same after minutes, and roll everything back. The exit status is 1 if there is a problem.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployable.names import PhysicalName, physical_names
from deployable.transform import ROOT, parsed, transformed
from operations.problems import explain_aws

_STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_LONGEST = 128  # CloudFormation: of a stack's name


def problem_of_name(stack: str, *, observability: bool = True) -> str:
    """Return why a stack cannot have this name, with the longest one that is possible; empty if it can."""
    if not _STACK_NAME.fullmatch(stack):
        return (
            f"STACK={stack} cannot be the name of a stack: it begins with a letter and has only letters, digits and "
            "hyphens. Choose another name."
        )
    first = min(_names(observability=observability), key=lambda name: name.longest_stack_name)
    if len(stack) <= first.longest_stack_name:
        return ""
    name = first.pattern.format(stack=stack)
    problem = (
        f"STACK={stack} is too long: {first.logical_id} ({first.kind}) would be named {name}, which has {len(name)} "
        f"characters, and AWS allows {first.limit}. Choose a name of at most {first.longest_stack_name} characters."
    )
    without = min(each.longest_stack_name for each in _names(observability=False))
    if observability and without > first.longest_stack_name:
        problem += f" With ObservabilityStack=false it may have {without}."
    return problem


def problem_of_table(table: str) -> str:
    """Return why a table cannot be attached, empty if it can. Raises BotoCoreError and ClientError."""
    dynamodb: Any = boto3.client("dynamodb")
    try:
        found = dynamodb.describe_table(TableName=table)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return f"there is no table {table} in this account and region. Correct ExistingTableName."
    expected = parsed(ROOT / "template.yaml")["Resources"]["Table"]["Properties"]
    if _keys(found) != _keys(expected):
        return f"the table {table} has other keys than {_keys(expected)}. Name a table of this application."
    indexes = {each["IndexName"]: each for each in found.get("GlobalSecondaryIndexes", [])}
    for index in expected["GlobalSecondaryIndexes"]:
        name = index["IndexName"]
        if name not in indexes or _keys(indexes[name]) != _keys(index):
            keys = ", ".join(_keys(index))
            return (
                f"the table {table} has no index {name} with the keys {keys}. Create it, or restore the table again "
                "with its indexes."
            )
        if indexes[name].get("IndexStatus", "ACTIVE") != "ACTIVE":
            return f"the index {name} of the table {table} is still being created. Deploy again once it is active."
    return ""


def missing_protection(table: str) -> list[str]:
    """Return what a table lacks that the template gives a new one. Raises BotoCoreError and ClientError."""
    dynamodb: Any = boto3.client("dynamodb")
    missing = []
    if not dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
        missing.append(f"the table {table} is not protected against deletion")
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        missing.append(f"the table {table} has no point-in-time recovery")
    return missing


@cache
def _names(*, observability: bool) -> tuple[PhysicalName, ...]:
    stack = PhysicalName("the stack", "AWS::CloudFormation::Stack", "{stack}", _LONGEST)
    nested = physical_names(parsed(ROOT / "infra" / "observability.yaml")) if observability else ()
    return (stack, *physical_names(transformed()), *nested)


def _keys(described: Mapping[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in described["KeySchema"]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="deployment", description="Check a deployment before it begins.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("parameters", nargs="*", metavar="Parameter=value", help="parameters of the template")
    given = parser.parse_args(arguments)
    parameters = dict(each.split("=", 1) for each in given.parameters if "=" in each)
    try:
        observability = parameters.get("ObservabilityStack", "true") == "true"
        problem = problem_of_name(given.stack, observability=observability)
        if not problem and (table := parameters.get("ExistingTableName")):
            problem = problem_of_table(table)
            for missing in () if problem else missing_protection(table):
                print(f"warning: {missing}; docs/deploy.md says how to switch it on")
    except (BotoCoreError, ClientError) as error:
        problem = f"the table {table} cannot be described: {explain_aws(error)}"
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
