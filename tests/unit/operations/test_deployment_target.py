"""`make deploy` says where it goes before it builds, and asks about a stack that it would create."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from operations import deployment_target
from operations.failed_resources import failed_resources

STACK = "amazon-to-xero"


class StubAccount:
    """boto3's `cloudformation` and `sts` of an account in which the stack has a status, or does not exist.

    events: of the stack, newest first; nested: those of stacks within it, by ARN.
    """

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self) -> None:
        self.status = ""
        self.problem: Exception | None = None
        self.events: list[dict[str, str]] = []
        self.nested: dict[str, list[dict[str, str]]] = {}

    def get_caller_identity(self) -> dict[str, str]:
        if self.problem:
            raise self.problem
        return {"Account": "123456789012"}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # boto3's name
        if not self.status:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status}]}

    def get_paginator(self, name: str) -> StubAccount:
        assert name == "describe_stack_events"
        return self

    def paginate(self, *, StackName: str) -> list[dict[str, Any]]:
        return [{"StackEvents": [event]} for event in self.nested.get(StackName, self.events)]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> StubAccount:
    stub = StubAccount()
    monkeypatch.setattr("boto3.client", lambda service: stub)
    return stub


class Deploying:
    """A person who deploys, and what they answer; nobody where `answers` is None."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "build" / "answers"
        self.asked: list[str] = []

    def run(self, *parameters: str, answers: list[str] | None = None) -> int:
        left = list(answers or [])

        def ask(question: str) -> str:
            self.asked.append(question)
            return left.pop(0)

        arguments = ["--stack", STACK, "--answers", str(self.file), *parameters]
        return deployment_target.main(arguments, ask, lambda: answers is not None)


@pytest.fixture
def deploying(tmp_path: Path) -> Deploying:
    return Deploying(tmp_path)


def test_new_stack_is_created_after_its_recipients_were_asked_for(account: StubAccount, deploying: Deploying) -> None:
    assert deploying.run(answers=["me@example.com", "", "yes"]) == 0

    assert deploying.file.read_text(encoding="utf-8") == "AlarmEmail=me@example.com"
    assert "Create amazon-to-xero in the account 123456789012 in eu-west-1: a new stack?" in deploying.asked[-1]


def test_what_the_command_states_is_not_asked_for(account: StubAccount, deploying: Deploying) -> None:
    assert deploying.run("AlarmEmail=me@example.com", "InventoryAlertEmail=", answers=["yes"]) == 0

    assert len(deploying.asked) == 1
    assert deploying.file.read_text(encoding="utf-8") == ""


def test_nothing_is_deployed_without_a_yes(
    account: StubAccount, deploying: Deploying, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploying.run(answers=["", "", "no"]) == 1

    assert "nothing was deployed" in capsys.readouterr().err
    assert not deploying.file.exists()


@pytest.mark.parametrize(("status", "answers"), [("UPDATE_COMPLETE", []), ("", None)], ids=["update", "a program"])
def test_update_and_program_are_asked_nothing_and_the_target_is_printed(
    account: StubAccount,
    deploying: Deploying,
    capsys: pytest.CaptureFixture[str],
    status: str,
    answers: list[str] | None,
) -> None:
    account.status = status

    assert deploying.run(answers=answers) == 0

    assert not deploying.asked
    assert "Deploying amazon-to-xero in the account 123456789012 in eu-west-1: a" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("problem", "text"),
    [(NoCredentialsError(), "there are no usable AWS credentials"), (NoRegionError(), "no AWS region is set")],
)
def test_missing_credentials_or_region_are_named_before_the_build(
    account: StubAccount, deploying: Deploying, capsys: pytest.CaptureFixture[str], problem: Exception, text: str
) -> None:
    account.problem = problem

    assert deploying.run() == 1
    assert f"nothing was deployed: {text}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("ROLLBACK_COMPLETE", "delete-stack --stack-name amazon-to-xero --region eu-west-1, then deploy again"),
        ("UPDATE_IN_PROGRESS", "Deploy again once that has ended"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "continue-update-rollback --stack-name amazon-to-xero --region eu-west-1, wait until that has ended",
        ),
    ],
)
def test_stack_that_cannot_be_changed_is_named_with_what_to_do(
    account: StubAccount, deploying: Deploying, capsys: pytest.CaptureFixture[str], status: str, remedy: str
) -> None:
    account.status = status

    assert deploying.run() == 1

    error = capsys.readouterr().err
    assert status in error
    assert remedy in error


def event(resource: str, status: str, reason: str = "", **more: str) -> dict[str, str]:
    physical = "arn:stack" if resource == STACK else resource
    named = {"LogicalResourceId": resource, "PhysicalResourceId": physical, "StackId": "arn:stack"}
    stated = {"ResourceType": "AWS::SQS::Queue", "ResourceStatus": status, "ResourceStatusReason": reason}
    return named | stated | more


def test_failed_resources_are_those_of_the_last_deployment_and_not_what_followed(account: StubAccount) -> None:
    account.events = [
        event("Later", "UPDATE_FAILED", "Resource update cancelled"),
        event("Queue", "UPDATE_FAILED", "the name is taken"),
        event(STACK, "UPDATE_IN_PROGRESS"),
        event("Earlier", "CREATE_FAILED", "of another day"),
    ]

    assert failed_resources(account, STACK) == ["Queue (AWS::SQS::Queue): the name is taken"]


def test_resource_of_a_nested_stack_is_named_with_its_own_reason(account: StubAccount) -> None:
    nested = {"ResourceType": "AWS::CloudFormation::Stack", "PhysicalResourceId": "arn:nested"}
    account.events = [
        event("Observability", "CREATE_FAILED", "Embedded stack arn:nested was not successfully created", **nested),
        event(STACK, "CREATE_IN_PROGRESS"),
    ]
    account.nested["arn:nested"] = [
        event("Alarm", "CREATE_FAILED", "the name is too long", StackId="arn:nested"),
        event("Observability", "CREATE_IN_PROGRESS", **nested, StackId="arn:nested"),
    ]

    assert failed_resources(account, STACK) == ["Alarm (AWS::SQS::Queue): the name is too long"]
