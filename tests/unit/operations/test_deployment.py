"""`make deploy` refuses, before anything happens, a stack's name that is too long and a table that does not fit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from deployable.names import physical_names
from deployable.transform import ROOT, parsed, transformed
from operations import deployment
from operations.deployment import problem_of_name, problem_of_table

TABLE = parsed(ROOT / "template.yaml")["Resources"]["Table"]["Properties"]


class ResourceNotFound(Exception):
    """DynamoDB: there is no table of that name."""


class StubDynamoDb:
    """boto3's `dynamodb` client with one table, as the template creates it."""

    exceptions = SimpleNamespace(ResourceNotFoundException=ResourceNotFound)

    def __init__(self) -> None:
        indexes = [dict(index, IndexStatus="ACTIVE") for index in TABLE["GlobalSecondaryIndexes"]]
        self.table: dict[str, Any] = {
            "KeySchema": TABLE["KeySchema"],
            "GlobalSecondaryIndexes": indexes,
            "DeletionProtectionEnabled": True,
        }
        self.recovery = "ENABLED"
        self.problem: Exception | None = None

    def describe_table(self, *, TableName: str) -> dict[str, Any]:  # boto3's name
        if self.problem:
            raise self.problem
        if TableName != "restored":
            raise ResourceNotFound
        return {"Table": self.table}

    def describe_continuous_backups(self, *, TableName: str) -> dict[str, Any]:
        recovery = {"PointInTimeRecoveryStatus": self.recovery}
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> StubDynamoDb:
    stub = StubDynamoDb()
    monkeypatch.setattr("boto3.client", lambda service: stub)
    return stub


# --- the name of the stack --------------------------------------------------------------------------------------------


def longest(*, observability: bool) -> int:
    """Return the length of the longest accepted name."""
    return max(n for n in range(1, 140) if not problem_of_name("x" * n, observability=observability))


def names(*, observability: bool) -> list[Any]:
    found = list(physical_names(transformed()))
    return [*found, *physical_names(parsed(ROOT / "infra" / "observability.yaml"))] if observability else found


@pytest.mark.parametrize("observability", [True, False])
def test_every_name_of_a_stack_with_the_longest_accepted_name_is_allowed_by_aws(observability: bool) -> None:
    stack = "x" * longest(observability=observability)
    lengths = {
        each.logical_id: (len(each.pattern.format(stack=stack)), each.limit)
        for each in names(observability=observability)
    }
    assert len(lengths) > 10
    assert [name for name, (length, limit) in lengths.items() if length > limit] == []
    assert any(length == limit for length, limit in lengths.values())  # one more would be too long


def test_names_that_sam_gives_to_schedules_count() -> None:
    assert {"AWS::Scheduler::Schedule", "AWS::Lambda::Function"} <= {each.kind for each in names(observability=False)}


def test_name_that_is_too_long_is_refused_with_the_limit_and_the_longest_allowed_name() -> None:
    problem = problem_of_name("a" * 60)

    assert f"at most {longest(observability=True)} characters" in problem
    assert f"{'a' * 60}-events" in problem
    assert "AWS allows 48" in problem
    assert f"With ObservabilityStack=false it may have {longest(observability=False)}" in problem


@pytest.mark.parametrize("name", ["", "2nd", "with space", "under_score", "dot.ted"])
def test_name_that_cloudformation_does_not_take_is_refused(name: str) -> None:
    assert "Choose another name" in problem_of_name(name)


def test_default_name_is_accepted() -> None:
    assert problem_of_name("amazon-to-xero") == ""


# --- the table to attach ----------------------------------------------------------------------------------------------


def test_table_with_the_keys_and_indexes_of_the_template_is_accepted(dynamodb: StubDynamoDb) -> None:
    assert problem_of_table("restored") == ""


def test_table_that_does_not_exist_is_refused(dynamodb: StubDynamoDb) -> None:
    assert "there is no table mistyped" in problem_of_table("mistyped")


def test_table_of_another_application_is_refused(dynamodb: StubDynamoDb) -> None:
    dynamodb.table["KeySchema"] = [{"AttributeName": "id", "KeyType": "HASH"}]

    assert "has other keys" in problem_of_table("restored")


def test_table_that_was_restored_without_its_index_is_refused(dynamodb: StubDynamoDb) -> None:
    del dynamodb.table["GlobalSecondaryIndexes"]

    assert "has no index due with the keys due, next_attempt_at" in problem_of_table("restored")


def test_table_whose_index_is_being_created_is_refused(dynamodb: StubDynamoDb) -> None:
    dynamodb.table["GlobalSecondaryIndexes"][0]["IndexStatus"] = "CREATING"

    assert "still being created" in problem_of_table("restored")


# --- the command ------------------------------------------------------------------------------------------------------


def test_deployment_of_a_stack_with_a_usable_name_goes_on(dynamodb: StubDynamoDb) -> None:
    assert deployment.main(["--stack", "amazon-to-xero", "AlarmEmail=me@example.com"]) == 0
    assert deployment.main(["--stack", "amazon-to-xero", "ExistingTableName=restored"]) == 0


def test_restored_table_without_protection_is_attached_with_a_warning(
    dynamodb: StubDynamoDb, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb.table["DeletionProtectionEnabled"] = False
    dynamodb.recovery = "DISABLED"

    assert deployment.main(["--stack", "amazon-to-xero", "ExistingTableName=restored"]) == 0

    printed = capsys.readouterr().out
    assert "warning: the table restored is not protected against deletion" in printed
    assert "warning: the table restored has no point-in-time recovery" in printed


def test_protected_table_is_attached_without_a_warning(
    dynamodb: StubDynamoDb, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.main(["--stack", "amazon-to-xero", "ExistingTableName=restored"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--stack", "a" * 60], "too long"),
        (["--stack", "amazon-to-xero", "ExistingTableName=mistyped"], "there is no table mistyped"),
    ],
)
def test_refused_deployment_ends_with_the_reason(
    dynamodb: StubDynamoDb, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert deployment.main(arguments) == 1
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    "problem",
    [
        NoCredentialsError(),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeTable"),
    ],
)
def test_table_that_cannot_be_described_is_reported_without_a_traceback(
    dynamodb: StubDynamoDb, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    dynamodb.problem = problem

    assert deployment.main(["--stack", "amazon-to-xero", "ExistingTableName=restored"]) == 1
    assert "cannot be described" in capsys.readouterr().err
