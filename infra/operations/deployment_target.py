"""Say where a deployment goes before it begins, and guide the first one: account, region, recipients of messages.

    python -m operations.deployment_target --stack NAME --answers FILE [Parameter=value ...]

SAM CLI would say only after minutes of building that credentials or a region are missing, or that CloudFormation cannot
change the stack as it is. A new stack is created after questions, if somebody is there to answer; FILE then has the
answers as parameters of the template. The exit status is 1 if the deployment should not begin.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.problems import explain_aws

# Parameters of the template that nobody receives a message without, and what they are asked for.
_RECIPIENTS = {
    "AlarmEmail": "Email address for alarms and daily reminders",
    "InventoryAlertEmail": "Email address for inventory alerts",
}
# CloudFormation: states of a stack whose creation or deletion failed, and that it changes no more.
_TO_DELETE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_TO_ROLL_BACK = "UPDATE_ROLLBACK_FAILED"  # CloudFormation: changes the stack no more until its rollback has ended


@dataclass(frozen=True)
class Target:
    """Where a deployment goes.

    status: of the stack, as CloudFormation names it; empty where there is none, or only one that was never created.
    """

    stack: str
    account: str
    region: str
    status: str

    @property
    def is_new(self) -> bool:
        return not self.status

    @property
    def sentence(self) -> str:
        what = "a new stack" if self.is_new else "an update"
        return f"{self.stack} in the account {self.account} in {self.region}: {what}."

    @property
    def problem(self) -> str:
        """Why CloudFormation would refuse the deployment, with what to do; empty if it would not."""
        if self.status in _TO_DELETE:
            return (
                f"the stack {self.stack} was not created or deleted completely ({self.status}), and AWS does not "
                f"update it. Run aws cloudformation delete-stack --stack-name {self.stack} --region {self.region}, "
                "then deploy again."
            )
        if self.status == _TO_ROLL_BACK:
            return (
                f"an update of the stack {self.stack} failed and was not taken back completely ({self.status}). Run "
                f"aws cloudformation continue-update-rollback --stack-name {self.stack} --region {self.region}, wait "
                "until that has ended, then deploy again."
            )
        if self.status.endswith("_IN_PROGRESS"):
            return f"the stack {self.stack} is being changed ({self.status}). Deploy again once that has ended."
        return ""


def target_of(stack: str) -> Target:
    """Return where a deployment of the stack goes. Raises BotoCoreError and ClientError."""
    cloudformation: Any = boto3.client("cloudformation")
    account = str(boto3.client("sts").get_caller_identity()["Account"])
    return Target(stack, account, str(cloudformation.meta.region_name), _status(cloudformation, stack))


def _status(cloudformation: Any, stack: str) -> str:
    try:
        status = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError as problem:
        if "does not exist" not in problem.response["Error"].get("Message", ""):
            raise
        return ""
    return "" if status in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE") else status


def asked(target: Target, parameters: Mapping[str, str], ask: Callable[[str], str]) -> Mapping[str, str] | None:
    """Return what a person answers about a new stack, as parameters; None where they do not agree to create it."""
    answers = {
        name: _one_word(f"{question} (Enter: nobody): ", ask)
        for name, question in _RECIPIENTS.items()
        if name not in parameters
    }
    if ask(f"Create {target.sentence.removesuffix('.')}? Type yes: ").strip() != "yes":
        return None
    return {name: answer for name, answer in answers.items() if answer}


def _one_word(question: str, ask: Callable[[str], str]) -> str:
    while len((answer := ask(question)).split()) > 1:
        print("An address has no spaces.", file=sys.stderr)
    return answer.strip()


def main(
    arguments: Sequence[str] | None = None,
    ask: Callable[[str], str] = input,
    is_answered: Callable[[], bool] = sys.stdin.isatty,
) -> int:
    parser = argparse.ArgumentParser(prog="deployment_target", description="Say where a deployment goes.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("--answers", required=True, type=Path, help="the file that receives answered parameters")
    parser.add_argument("parameters", nargs="*", metavar="Parameter=value", help="parameters that are stated already")
    given = parser.parse_args(arguments)
    try:
        target = target_of(given.stack)
    except (BotoCoreError, ClientError) as problem:
        print(f"nothing was deployed: {explain_aws(problem)}", file=sys.stderr)
        return 1
    if target.problem:
        print(f"nothing was deployed: {target.problem}", file=sys.stderr)
        return 1
    answers: Mapping[str, str] | None = {}
    if target.is_new and is_answered():
        answers = asked(target, dict(each.split("=", 1) for each in given.parameters if "=" in each), ask)
    else:
        print(f"Deploying {target.sentence}")
    if answers is None:
        print("nothing was deployed", file=sys.stderr)
        return 1
    given.answers.parent.mkdir(parents=True, exist_ok=True)
    given.answers.write_text(" ".join(f"{name}={answer}" for name, answer in answers.items()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
