"""The side of AWS: settings and secret, the queues that Amazon writes to, functions, the key, who receives alarms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from deployable.names import logical_name
from operations.connect import subscriptions_of
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.finding import DoctorFinding, Severity, Side
from operations.logs import functions_of
from operations.recipients import NOBODY, recipients_of

# Amazon: the account from which notifications of the Selling Partner API come, for every seller.
_AMAZON = "arn:aws:iam::437568002678:root"
_SEND = "sqs:SendMessage"


def check_documents(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Read settings and secret as the functions do. Raises SettingsError for the first that cannot be used."""
    _ = checked.settings, checked.secrets
    if checked.secrets.connected_at is None:
        yield _finding(
            Severity.AT_RISK,
            f"the secret of {checked.name} does not state when it was stored",
            "Run connect amazon again, which adds it: else two functions cannot tell which secret is newer.",
        )


def check_queue_policies(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find queues that Amazon may not send notifications to."""
    for kind, output in subscriptions_of(checked.settings).items():
        queue = checked.session.output(output)
        url = checked.session.output(output.removesuffix("Arn") + "Url")
        answer = checked.session.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        policy = json.loads(answer.get("Attributes", {}).get("Policy") or "{}")
        if not any(_allows_amazon(statement) for statement in policy.get("Statement", ())):
            yield _finding(
                Severity.BROKEN,
                f"Amazon may not send {kind} to the queue {queue}",
                "Run make deploy: the template's policy allows it.",
            )


def _allows_amazon(statement: dict[str, Any]) -> bool:
    principal, actions = statement.get("Principal"), statement.get("Action", ())
    allowed = principal.get("AWS") if isinstance(principal, dict) else principal
    named = allowed if isinstance(allowed, list) else [allowed]
    actions = [actions] if isinstance(actions, str) else actions
    return statement.get("Effect") == "Allow" and _AMAZON in named and _SEND in actions


_TRIGGERED_BY_CHOICE = ("replay",)  # by the parameter AutomaticReplay, and off by default
_OTHER_QUEUES = {"stopped letters": "StoppedLettersUrl", "schedules": "SchedulesDlqUrl", "events": "EventsDlqUrl"}


def check_functions(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find functions that cannot run, whose queue is not read, or that raised exceptions in the last day."""
    client, session = checked.session.client("lambda"), checked.session
    for short, name in functions_of(session.outputs).items():
        state = client.get_function_configuration(FunctionName=name).get("State", "Active")
        if state not in ("Active", "Inactive"):  # Lambda lets a function become inactive that was not called for weeks
            yield _finding(Severity.BROKEN, f"the function {short} is {state}", "Run make deploy.")
        mappings = client.list_event_source_mappings(FunctionName=name).get("EventSourceMappings", ())
        for mapping in () if short in _TRIGGERED_BY_CHOICE else mappings:
            if mapping["State"] not in ("Enabled", "Enabling", "Creating", "Updating"):
                yield _finding(
                    Severity.BROKEN,
                    f"the function {short} does not read its queue ({mapping['State']})",
                    f"Enable the trigger of {name} in the Lambda console, or run make deploy.",
                )
        if errors := _errors(checked, name):
            yield _finding(
                Severity.AT_RISK,
                f"the function {short} raised {errors} exceptions in the last day",
                f"Read its log: make logs FUNCTION={short} MINUTES=1440. With {FailureCode.ROW_OF_NEWER_VERSION} "
                "deploy the newer version again; report any other exception as a defect.",
            )


def _errors(checked: CheckedConnection, function: str) -> int:
    now = checked.session.clock.now()
    answer = checked.session.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - timedelta(days=1),
        EndTime=now,
        Period=86_400,
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in answer.get("Datapoints", ())))


def check_key(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find a key of Xero's tokens that cannot be used."""
    key = checked.session.client("kms").describe_key(KeyId=checked.session.output("TokenKeyArn"))["KeyMetadata"]
    if key["KeyState"] != "Enabled":
        yield _finding(
            Severity.BROKEN,
            f"the key TokenKey of Xero's tokens is {key['KeyState']}",
            "Enable the key in the KMS console (cancel its deletion first, where it is pending).",
        )


def check_alarms(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find out whether anybody receives the alarms."""
    topic = checked.stack.alarm_topic
    sentence = recipients_of(checked.session.client("sns"), topic, checked.session.stack) if topic else NOBODY
    if sentence.startswith(NOBODY):
        how = sentence.partition(". ")[2] or "Deploy with ObservabilityStack=true and AlarmEmail."
        yield _finding(Severity.AT_RISK, "nobody receives the alarms and the daily reminder", how)


def check_dead_letters(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find messages in the dead-letter queues."""
    sqs = checked.session.client("sqs")
    outputs = {name: f"{logical_name(name)}DlqUrl" for name in CAPABILITIES}
    for queue, output in (outputs | _OTHER_QUEUES).items():
        answer = sqs.get_queue_attributes(QueueUrl=checked.session.output(output), AttributeNames=["All"])
        count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        if count:
            yield _finding(
                Severity.AT_RISK,
                f"{count} dead letters of {queue}",
                "Do what the attribute remedy of each says, then replay it (docs/operating.md, Dead-letter queues).",
            )


def _finding(severity: Severity, what: str, remedy: str) -> DoctorFinding:
    return DoctorFinding(severity, Side.AWS, what, remedy)
