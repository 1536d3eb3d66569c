"""What an operator relies on in the deployed stack, read from what CloudFormation will see."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.adapters.aws.event_bus import EVENT_SOURCE
from amazon_to_xero.domain.amazon.notification import SHIPMENT_EVENTS
from amazon_to_xero.domain.books.document import CLAIM_DURATION
from amazon_to_xero.runtime.settings import StackSettings
from deployable.transform import ROOT, parsed, transformed

Resources = dict[str, dict[str, Any]]

DAY = 24 * 60 * 60
AMAZON_NOTIFICATIONS = "arn:aws:iam::437568002678:root"
#: Physical names. Two stacks in one account (a second stage, the local cloud's second deployment) must not collide.
NAME_PROPERTIES = {
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Logs::QueryDefinition": "Name",
    "AWS::Events::Archive": "ArchiveName",
}


def of_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id -> properties of every resource of a type. At least one, or the test looks at nothing."""
    found = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}
    assert found, f"no {kind} in the template"
    return found


def target(value: dict[str, Any]) -> str:
    """The logical id that a Ref or GetAtt points at."""
    return value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def roles_of_functions(resources: Resources) -> dict[str, dict[str, Any]]:
    """Logical id of each function -> properties of its role."""
    functions = of_type(resources, "AWS::Lambda::Function")
    return {name: resources[target(function["Role"])]["Properties"] for name, function in functions.items()}


# ── Queues ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_bad_message_does_not_bring_back_its_whole_batch(resources: Resources) -> None:
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_workers_of_a_queue_are_bounded_by_the_mapping_not_by_reserved_concurrency(resources: Resources) -> None:
    """Reserved concurrency lets pollers take messages that nobody may work on: receives without a failure."""
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["ScalingConfig"]["MaximumConcurrency"] == 2
        function = resources[target(mapping["FunctionName"])]["Properties"]
        assert "ReservedConcurrentExecutions" not in function


def test_notifications_are_worked_on_in_batches(resources: Resources) -> None:
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["BatchSize"] == 1000
        assert 1 <= mapping["MaximumBatchingWindowInSeconds"] <= 300


def test_no_message_returns_while_it_is_still_worked_on(resources: Resources) -> None:
    """AWS: at least six times the function's timeout, and the time a batch is gathered."""
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        queue = resources[target(mapping["EventSourceArn"])]["Properties"]
        timeout = resources[target(mapping["FunctionName"])]["Properties"]["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout + mapping["MaximumBatchingWindowInSeconds"]


def test_whoever_was_frozen_in_a_call_is_gone_before_its_documents_are_taken_over(resources: Resources) -> None:
    """A worker that outlived its claim could still send what another one has looked for and found absent."""
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert timedelta(seconds=function["Timeout"]) + timedelta(seconds=60) <= CLAIM_DURATION


def test_every_source_queue_has_a_dead_letter_queue_of_its_own(resources: Resources) -> None:
    dead_letter_queues = []
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        source = resources[target(mapping["EventSourceArn"])]["Properties"]
        dead_letter_queue = target(source["RedrivePolicy"]["deadLetterTargetArn"])
        dead_letter_queues.append(dead_letter_queue)
        assert source["RedrivePolicy"]["maxReceiveCount"] == 5
        allowed = resources[dead_letter_queue]["Properties"]["RedriveAllowPolicy"]
        assert allowed["redrivePermission"] == "byQueue"
        # By name, because the two queues cannot both refer to each other.
        own_name = source["QueueName"]["Fn::Sub"]
        assert [arn["Fn::Sub"].rsplit(":", 1)[-1] for arn in allowed["sourceQueueArns"]] == [
            own_name.rsplit(":", 1)[-1]
        ]
    assert len(set(dead_letter_queues)) == len(dead_letter_queues)


def test_what_failed_is_kept_longer_than_what_waits(resources: Resources) -> None:
    """A message keeps its age when it moves to the dead-letter queue."""
    queues = of_type(resources, "AWS::SQS::Queue")
    sources = {name for name, queue in queues.items() if "RedrivePolicy" in queue}
    assert {queues[name]["MessageRetentionPeriod"] for name in sources} == {4 * DAY}
    assert {queues[name]["MessageRetentionPeriod"] for name in queues.keys() - sources} == {14 * DAY}


def test_queues_are_encrypted_at_rest_and_on_the_way(resources: Resources) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    refused = set()
    for policy in of_type(resources, "AWS::SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}:
                assert statement["Action"] == "sqs:*"
                refused |= {target(resource) for resource in listed(statement["Resource"])}
    assert refused == queues.keys()


def test_amazon_may_deliver_orders_the_rule_events_and_nobody_else_may_do_anything(resources: Resources) -> None:
    """Whoever else sends (an operator's redrive) does so by a permission of their own, not by the queue's."""
    allowed = [
        (target(statement["Resource"]), statement["Principal"], listed(statement["Action"]), statement.get("Condition"))
        for policy in of_type(resources, "AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    eventbridge = {"Service": "events.amazonaws.com"}
    own_rule = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["OrderEventsRule", "Arn"]}}}
    expected = [
        ("OrdersQueue", {"AWS": AMAZON_NOTIFICATIONS}, ["sqs:SendMessage", "sqs:GetQueueAttributes"], None),
        ("ShipmentsQueue", eventbridge, ["sqs:SendMessage"], own_rule),
        ("EventsDeadLetterQueue", eventbridge, ["sqs:SendMessage"], own_rule),
    ]
    assert sorted(allowed, key=lambda entry: entry[0]) == sorted(expected, key=lambda entry: entry[0])


def test_no_queue_has_two_policies(resources: Resources) -> None:
    """The one that is deployed later would silently replace the other."""
    policies = of_type(resources, "AWS::SQS::QueuePolicy").values()
    queues = [target(queue) for policy in policies for queue in policy["Queues"]]
    assert sorted(queues) == sorted(of_type(resources, "AWS::SQS::Queue"))


# ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_word_of_shipped_and_cancelled_orders_reaches_the_shipments_queue(resources: Resources) -> None:
    (rule,) = of_type(resources, "AWS::Events::Rule").values()
    assert target(rule["EventBusName"]) == "EventBus"
    assert rule["EventPattern"] == {"source": [EVENT_SOURCE], "detail-type": list(SHIPMENT_EVENTS)}
    (queue,) = rule["Targets"]
    assert target(queue["Arn"]) == "ShipmentsQueue"
    assert "InputPath" not in queue  # the whole event: its detail-type says what happened
    assert "InputTransformer" not in queue


def test_an_event_that_could_not_be_delivered_is_kept(resources: Resources) -> None:
    for rule in of_type(resources, "AWS::Events::Rule").values():
        for destination in rule["Targets"]:
            assert target(destination["DeadLetterConfig"]["Arn"]) == "EventsDeadLetterQueue"
            assert destination["RetryPolicy"]["MaximumRetryAttempts"] > 0
            assert destination["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600


def test_only_those_who_read_orders_speak_on_the_bus_and_on_the_own_one_only(resources: Resources) -> None:
    speaks = {
        name: [target(resource) for resource in listed(statement["Resource"])]
        for name, role in roles_of_functions(resources).items()
        for statement in statements(role)
        if "events:PutEvents" in listed(statement["Action"])
    }
    assert speaks == {"OrdersFunction": ["EventBus"], "ResumeFunction": ["EventBus"]}
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["EVENT_BUS_NAME"] == {"Ref": "EventBus"}


# ── Permissions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_role_may_do_anything_to_everything(resources: Resources) -> None:
    """No exceptions: nothing these functions do needs Resource "*", a wildcard of actions or a managed policy."""
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            assert "*" not in listed(statement["Resource"]), (name, statement)
            assert not [action for action in listed(statement["Action"]) if "*" in action], (name, statement)


def test_functions_neither_scan_the_table_nor_delete_from_it(resources: Resources) -> None:
    for name, role in roles_of_functions(resources).items():
        on_table = {
            action
            for statement in statements(role)
            for action in listed(statement["Action"])
            if action.startswith("dynamodb:")
        }
        expected = {"BatchGetItem", "PutItem", "Query"}
        assert on_table == {f"dynamodb:{operation}" for operation in expected}, name


def test_each_function_has_a_role_of_its_own_that_the_account_can_bound(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    assert len({target(function["Role"]) for function in functions.values()}) == len(functions)
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert role["PermissionsBoundary"]["Fn::If"][1] == {"Ref": "PermissionsBoundaryArn"}, name


def test_settings_and_secrets_are_read_below_the_stacks_own_name_only(resources: Resources) -> None:
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        variables = function["Environment"]["Variables"]
        assert variables["SETTINGS_PATH"] == {"Fn::Sub": "/${AWS::StackName}/connections"}
        assert variables["SECRETS_PREFIX"] == {"Fn::Sub": "${AWS::StackName}/connections"}
        readable = {
            action: {resource["Fn::Sub"].split("${AWS::AccountId}:")[1] for resource in listed(statement["Resource"])}
            for statement in statements(roles_of_functions(resources)[name])
            for action in listed(statement["Action"])
            if action.startswith(("ssm:", "secretsmanager:"))
        }
        assert readable == {
            "ssm:GetParametersByPath": {
                "parameter/${AWS::StackName}/connections",
                "parameter/${AWS::StackName}/connections/*",
            },
            "secretsmanager:GetSecretValue": {"secret:${AWS::StackName}/connections/*"},
        }


def test_functions_send_to_the_dead_letter_queues_of_their_own_work_only(resources: Resources) -> None:
    """Resume does everybody's work. Runs of schedules that failed are kept by Lambda itself, in the function's name."""
    own = {
        "OrdersFunction": {"OrdersDeadLetterQueue", "SchedulesDeadLetterQueue"},
        "ShipmentsFunction": {"ShipmentsDeadLetterQueue"},
        "ResumeFunction": {"OrdersDeadLetterQueue", "ShipmentsDeadLetterQueue", "SchedulesDeadLetterQueue"},
    }
    may = {
        name: {
            target(resource)
            for statement in statements(role)
            if "sqs:SendMessage" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        for name, role in roles_of_functions(resources).items()
    }
    assert may == own
    for function in of_type(resources, "AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert target(variables["ORDERS_DLQ_URL"]) == "OrdersDeadLetterQueue"
        assert target(variables["SHIPMENTS_DLQ_URL"]) == "ShipmentsDeadLetterQueue"


def test_every_function_is_given_what_the_settings_ask_for(resources: Resources) -> None:
    """Lambda itself adds AWS_REGION."""
    asked = {field.alias for field in StackSettings.model_fields.values() if field.is_required()} - {"AWS_REGION"}
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert asked <= function["Environment"]["Variables"].keys(), name


def test_the_shipments_role_is_these_permissions_and_no_others(resources: Resources) -> None:
    role = roles_of_functions(resources)["ShipmentsFunction"]
    assert {action for statement in statements(role) for action in listed(statement["Action"])} == {
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"),
        *("ssm:GetParametersByPath", "secretsmanager:GetSecretValue"),
        *("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    }


def test_only_the_function_of_a_queue_receives_from_it(resources: Resources) -> None:
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    consumed = {(target(mapping["FunctionName"]), target(mapping["EventSourceArn"])) for mapping in mappings}
    allowed = {
        (name, target(resource))
        for name, role in roles_of_functions(resources).items()
        for statement in statements(role)
        if "sqs:ReceiveMessage" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert allowed == consumed


# ── Functions and their logs ──────────────────────────────────────────────────────────────────────────────────────────


def test_handlers_exist(resources: Resources) -> None:
    for function in of_type(resources, "AWS::Lambda::Function").values():
        package, module, name = function["Handler"].split(".")
        source = (ROOT / "functions" / package / f"{module}.py").read_text(encoding="utf-8")
        assert f"def {name}(" in source


def test_functions_run_on_the_python_that_the_project_is_tested_with(resources: Resources) -> None:
    tested = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"].startswith(f">={tested},")
    assert {function["Runtime"] for function in of_type(resources, "AWS::Lambda::Function").values()} == {
        f"python{tested}"
    }


@pytest.mark.parametrize(("chosen", "architecture"), [({}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")])
def test_functions_run_on_arm_unless_told_otherwise(chosen: dict[str, str], architecture: str) -> None:
    template = transformed(**chosen)
    for function in of_type(template["Resources"], "AWS::Lambda::Function").values():
        assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert chosen.get("Architecture", template["Parameters"]["Architecture"]["Default"]) == architecture
    assert architecture in template["Parameters"]["Architecture"]["AllowedValues"]


def test_no_variable_changes_what_the_amazon_library_talks_to(resources: Resources) -> None:
    """python-amazon-sp-api reads these two on import; and names that begin with AWS_ belong to Lambda."""
    for function in of_type(resources, "AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert "SP_API_DEFAULT_MARKETPLACE" not in variables
        assert not [name for name in variables if name.startswith("AWS_")]


def test_every_function_logs_json_to_a_group_of_its_own_that_forgets(resources: Resources) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    used = []
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        group = target(logging["LogGroup"])
        used.append(group)
        assert groups[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        may_log_to = [
            listed(statement["Resource"])
            for statement in statements(roles_of_functions(resources)[name])
            if any(action.startswith("logs:") for action in listed(statement["Action"]))
        ]
        assert may_log_to == [[{"Fn::GetAtt": [group, "Arn"]}]]
    assert sorted(used) == sorted(groups)


def test_log_levels_are_ones_that_lambda_knows() -> None:
    """Lambda says WARN where Python says WARNING, and refuses the latter."""
    level = transformed()["Parameters"]["LogLevel"]
    assert level["AllowedValues"] == ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
    assert level["Default"] == "INFO"


# ── Schedules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_schedules_run_as_promised(resources: Resources) -> None:
    promised = {
        (target(schedule["Target"]["Arn"]), schedule["ScheduleExpression"], schedule["Target"]["Input"])
        for schedule in of_type(resources, "AWS::Scheduler::Schedule").values()
    }
    assert promised == {
        ("OrdersFunction", "rate(15 minutes)", json.dumps({"sweep": "orders"})),
        ("ResumeFunction", "rate(1 minute)", json.dumps({"resume": "due"})),
    }


def test_a_run_that_could_not_start_or_failed_is_kept(resources: Resources) -> None:
    for schedule in of_type(resources, "AWS::Scheduler::Schedule").values():
        assert target(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "SchedulesDeadLetterQueue"
        assert "RetryPolicy" in schedule["Target"]
    scheduled = {target(entry["Target"]["Arn"]) for entry in of_type(resources, "AWS::Scheduler::Schedule").values()}
    kept = {
        target(config["FunctionName"]): target(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert kept == dict.fromkeys(scheduled, "SchedulesDeadLetterQueue")


def test_a_schedule_may_invoke_its_function_and_nothing_else(resources: Resources) -> None:
    for schedule in of_type(resources, "AWS::Scheduler::Schedule").values():
        role = resources[target(schedule["Target"]["RoleArn"])]["Properties"]
        may = {
            (action, target(resource))
            for statement in statements(role)
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        function = target(schedule["Target"]["Arn"])
        assert may == {("lambda:InvokeFunction", function), ("sqs:SendMessage", "SchedulesDeadLetterQueue")}
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


# ── DocumentState ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_survives_the_stack_and_can_be_wound_back(resources: Resources) -> None:
    table = resources["Table"]
    assert table["DeletionPolicy"] == "Retain"
    assert table["UpdateReplacePolicy"] == "Retain"
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_the_table_has_the_keys_that_the_code_uses(resources: Resources) -> None:
    table = resources["Table"]["Properties"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["due", "next_attempt_at"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert {entry["AttributeType"] for entry in table["AttributeDefinitions"]} == {"S"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


# ── Deployment ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_name_begins_with_the_stacks(resources: Resources, observability: dict[str, Any]) -> None:
    for own, found in (("${AWS::StackName}", resources), ("${ParentStack}", observability["Resources"])):
        for logical_id, resource in found.items():
            name = resource.get("Properties", {}).get(NAME_PROPERTIES.get(resource["Type"], ""))
            if name is None or logical_id == "PartnerEventBus":  # EventBridge dictates that one
                continue
            text = name.get("Fn::Sub") or f"${{{name['Ref']}}}"
            assert text.removeprefix("/aws/lambda/").startswith(own), logical_id


def test_the_main_template_names_no_type_that_the_local_cloud_refuses(resources: Resources) -> None:
    """It refuses a template for a type that it does not know, even behind a condition."""
    types = {resource["Type"] for resource in resources.values()}
    assert not types & {"AWS::Logs::QueryDefinition", "AWS::Events::Archive"}
    assert resources["Observability"]["Condition"] == "HasObservability"


def test_the_partner_bus_exists_only_where_amazon_created_its_source(resources: Resources) -> None:
    bus = resources["PartnerEventBus"]
    assert bus["Condition"] == "HasPartnerEventSource"
    assert bus["Properties"]["Name"] == bus["Properties"]["EventSourceName"] == {"Ref": "PartnerEventSource"}
    assert transformed()["Parameters"]["PartnerEventSource"]["Default"] == ""


def test_production_is_the_default_everywhere() -> None:
    defaults = {name: rule.get("Default") for name, rule in transformed()["Parameters"].items()}
    assert defaults["AmazonApiUrl"] == ""  # the endpoint of each connection's region
    assert defaults["LwaUrl"] == "https://api.amazon.com/auth/o2/token"
    assert defaults["XeroApiUrl"] == "https://api.xero.com"
    assert defaults["XeroTokenUrl"] == "https://identity.xero.com/connect/token"
    assert defaults["ObservabilityStack"] == "true"


def test_sam_writes_no_role_of_its_own(resources: Resources) -> None:
    """Its roles come with managed policies on every resource; each function and schedule here names a written one."""
    written = parsed(ROOT / "template.yaml")["Resources"]
    assert of_type(resources, "AWS::IAM::Role").keys() == of_type(written, "AWS::IAM::Role").keys()


# ── Alarms and saved queries ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_alarm_reaches_somebody(observability: dict[str, Any]) -> None:
    for name, alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
    (subscription,) = of_type(observability["Resources"], "AWS::SNS::Subscription").values()
    assert subscription["TopicArn"] == {"Ref": "AlarmTopic"}


def test_every_queue_and_function_is_watched(resources: Resources, observability: dict[str, Any]) -> None:
    # Given what the parent hands to the nested stack, by the name of the parameter
    handed = {
        name: target(value)
        for name, value in resources["Observability"]["Properties"]["Parameters"].items()
        if target(value) in resources
    }
    assert handed.keys() <= observability["Parameters"].keys()
    # When we look which resource each alarm is about
    watched = {
        (alarm["MetricName"], handed[target(dimension["Value"])])
        for alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
    }
    # Then nothing that can fail does so unseen
    queues = of_type(resources, "AWS::SQS::Queue")
    for name, queue in queues.items():
        metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        assert (metric, name) in watched
    for name in of_type(resources, "AWS::Lambda::Function"):
        assert ("Errors", name) in watched
        assert ("Throttles", name) in watched


def test_dead_letter_alarms_count_what_is_there(observability: dict[str, Any]) -> None:
    """NumberOfMessagesSent leaves out what SQS itself moves to a dead-letter queue."""
    for alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").values():
        assert alarm.get("MetricName") != "NumberOfMessagesSent"


def test_a_connection_that_stopped_working_raises_an_alarm(resources: Resources, observability: dict[str, Any]) -> None:
    """Its orders wait without reaching a dead-letter queue, so no other alarm would tell."""
    counted = {}
    for rule in of_type(observability["Resources"], "AWS::Logs::MetricFilter").values():
        (metric,) = rule["MetricTransformations"]
        counted[rule["LogGroupName"]["Ref"]] = (metric["MetricNamespace"]["Fn::Sub"], metric["MetricName"])
        for decision in ("XERO_GRANT_REFUSED", "SETTINGS_UNUSABLE"):
            assert f'$.message = "{decision}"' in rule["FilterPattern"]
    alarm = observability["Resources"]["ConnectionNeedsAPerson"]["Properties"]
    assert set(counted.values()) == {(alarm["Namespace"]["Fn::Sub"], alarm["MetricName"])}
    assert len(counted) == len(of_type(resources, "AWS::Logs::LogGroup"))


def test_the_log_lines_that_raise_alarms_are_ones_the_functions_write(observability: dict[str, Any]) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "functions").rglob("*.py")]
    for rule in of_type(observability["Resources"], "AWS::Logs::MetricFilter").values():
        for decision in re.findall(r'"([A-Z_]+)"', rule["FilterPattern"]):
            assert any(f'"{decision}"' in source for source in sources), decision


def test_saved_queries_search_the_logs_of_all_functions(resources: Resources, observability: dict[str, Any]) -> None:
    groups = {
        name
        for name, value in resources["Observability"]["Properties"]["Parameters"].items()
        if target(value) in of_type(resources, "AWS::Logs::LogGroup")
    }
    assert len(groups) == len(of_type(resources, "AWS::Logs::LogGroup"))
    for name, query in of_type(observability["Resources"], "AWS::Logs::QueryDefinition").items():
        assert {target(group) for group in query["LogGroupNames"]} == groups, name


def test_the_dashboard_is_valid(observability: dict[str, Any]) -> None:
    (dashboard,) = of_type(observability["Resources"], "AWS::CloudWatch::Dashboard").values()
    assert json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
