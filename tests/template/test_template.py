"""What an operator relies on in the deployed stack, checked in the template that CloudFormation receives."""

import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from template.template_values import ACCOUNT, REGION, TemplateValues

from amazon_to_xero.adapters.aws.event_bus import EVENT_SOURCE
from amazon_to_xero.domain.amazon.notification import SHIPMENT_EVENTS
from amazon_to_xero.domain.amazon.stock_statements import MERCHANT_QUANTITY_CHANGE
from amazon_to_xero.domain.books.document import CLAIM_DURATION
from amazon_to_xero.domain.failures import FAILURES, Audience
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.observability import WARNINGS
from amazon_to_xero.runtime.reconciliation_handler import REQUESTED
from amazon_to_xero.runtime.settings import StackSettings
from amazon_to_xero.runtime.status_metrics import STACK, STATUS_METRICS
from deployable.names import NAME_PROPERTIES, logical_name
from deployable.transform import ROOT, parsed, transformed
from documentation.markdown import pages

Resources = dict[str, dict[str, Any]]

DAY = 24 * 60 * 60
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
TAGGED = {
    *("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role"),
    *("AWS::Events::EventBus", "AWS::Lambda::Function", "AWS::CloudFormation::Stack"),
}
LOG_LEVELS = {"WARNING", "ERROR", "CRITICAL"}
REPLAY = "ReplayFunction"
AMAZON_NOTIFICATIONS = "arn:aws:iam::437568002678:root"


def of_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    """Return logical id -> properties of every resource of a type; fail if there is none to check."""
    found = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}
    assert found, f"no {kind} in the template"
    return found


def target(value: dict[str, Any]) -> str:
    """Return the logical id in a Ref or GetAtt, also where it is the first choice of a condition."""
    if "Fn::If" in value:
        return target(value["Fn::If"][1])
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


PARTNER_SOURCE = f"aws.partner/sellingpartnerapi.amazon.com/{ACCOUNT}/amzn1.sp.solution.1"


def queue_statements(policy: dict[str, Any], partner_source: str = "") -> Iterator[dict[str, Any]]:
    """Yield the statements of a queue's policy as they are deployed with this partner event source, or with none."""
    values = TemplateValues(transformed(), {"PartnerEventSource": partner_source})
    for statement in policy["PolicyDocument"]["Statement"]:
        match statement:
            case {"Fn::If": [condition, then, {"Ref": "AWS::NoValue"}]}:
                if values.holds(condition):
                    yield then
            case _:
                yield statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


RECONCILIATION = "InventoryReconciliationFunction"


def roles_of_functions(resources: Resources) -> dict[str, dict[str, Any]]:
    """Return the logical id of each function -> properties of its role."""
    functions = of_type(resources, "AWS::Lambda::Function")
    return {name: resources[target(function["Role"])]["Properties"] for name, function in functions.items()}


# ── Queues ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def mappings_of_capabilities(resources: Resources) -> list[dict[str, Any]]:
    """Return the event source mappings of the queues that the functions of capabilities work on."""
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    return [each for each in mappings if target(each["FunctionName"]) != REPLAY]


def mappings_of_replay(resources: Resources) -> list[dict[str, Any]]:
    """Return the event source mappings of the dead-letter queues."""
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    return [each for each in mappings if target(each["FunctionName"]) == REPLAY]


def test_failed_message_returns_to_the_queue_without_the_rest_of_its_batch(resources: Resources) -> None:
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_concurrency_of_a_queue_is_limited_by_its_mapping_not_by_reserved_concurrency(resources: Resources) -> None:
    """With reserved concurrency, pollers also receive messages that no function may process, using up receives."""
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["ScalingConfig"]["MaximumConcurrency"] == 2
        function = resources[target(mapping["FunctionName"])]["Properties"]
        assert "ReservedConcurrentExecutions" not in function


def test_messages_are_processed_in_batches(resources: Resources) -> None:
    for mapping in mappings_of_capabilities(resources):
        assert mapping["BatchSize"] == 1000
        assert 1 <= mapping["MaximumBatchingWindowInSeconds"] <= 300


def test_message_stays_invisible_while_it_is_processed(resources: Resources) -> None:
    """AWS recommends six times the function's timeout plus the batching window."""
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        queue = resources[target(mapping["EventSourceArn"])]["Properties"]
        timeout = resources[target(mapping["FunctionName"])]["Properties"]["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout + mapping["MaximumBatchingWindowInSeconds"]


def test_frozen_worker_has_ended_before_another_takes_over_its_documents(resources: Resources) -> None:
    """A worker that outlived its claim could still create a document that another worker has just found absent."""
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        if name != RECONCILIATION:  # it writes no document
            assert timedelta(seconds=function["Timeout"]) + timedelta(seconds=60) <= CLAIM_DURATION


def test_every_source_queue_has_a_dead_letter_queue_of_its_own(resources: Resources) -> None:
    dead_letter_queues = []
    for mapping in mappings_of_capabilities(resources):
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


def test_dead_letters_are_replayed_automatically_only_where_the_parameter_says_so(resources: Resources) -> None:
    mappings = mappings_of_replay(resources)
    sources = {target(mapping["EventSourceArn"]) for mapping in mappings}
    assert sources == {f"{logical_name(each)}DeadLetterQueue" for each in CAPABILITIES}
    assert transformed()["Parameters"]["AutomaticReplay"]["Default"] == "false"
    for parameters, is_enabled in (({}, False), ({"AutomaticReplay": "true"}, True)):
        values = TemplateValues(transformed(), parameters)
        assert {values.of(mapping["Enabled"]) for mapping in mappings} == {is_enabled}


def test_stopped_letters_are_received_by_no_function_on_its_own_and_raise_an_alarm(
    resources: Resources, observability: dict[str, Any]
) -> None:
    """Otherwise a letter that always fails would be replayed for ever."""
    sources = {
        target(each["EventSourceArn"]) for each in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    }
    assert "StoppedLettersQueue" not in sources
    alarm = observability["Resources"]["ReplayStopped"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Ref": "StoppedLettersQueueName"}}]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)


def test_dead_letters_are_kept_longer_than_other_messages(resources: Resources) -> None:
    """A message keeps its age when SQS moves it to the dead-letter queue."""
    queues = of_type(resources, "AWS::SQS::Queue")
    sources = {name for name, queue in queues.items() if "RedrivePolicy" in queue}
    assert {queues[name]["MessageRetentionPeriod"] for name in sources} == {4 * DAY}
    assert {queues[name]["MessageRetentionPeriod"] for name in queues.keys() - sources} == {14 * DAY}


def test_queues_are_encrypted_at_rest_and_in_transit(resources: Resources) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    refused = set()
    for policy in of_type(resources, "AWS::SQS::QueuePolicy").values():
        for statement in queue_statements(policy):
            if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}:
                assert statement["Action"] == "sqs:*"
                refused |= {target(resource) for resource in listed(statement["Resource"])}
    assert refused == queues.keys()


@pytest.mark.parametrize("partner_source", ["", PARTNER_SOURCE])
def test_queue_policies_allow_only_amazon_to_send_notices_and_the_rule_to_send_events(
    resources: Resources, partner_source: str
) -> None:
    """Other senders (an operator's redrive) need a permission of their own; the queue's policy gives them none."""
    allowed = [
        (target(statement["Resource"]), statement["Principal"], listed(statement["Action"]), statement.get("Condition"))
        for policy in of_type(resources, "AWS::SQS::QueuePolicy").values()
        for statement in queue_statements(policy, partner_source)
        if statement["Effect"] == "Allow"
    ]
    eventbridge = {"Service": "events.amazonaws.com"}
    own_rule = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["OrderEventsRule", "Arn"]}}}
    requests_rule = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["ReconciliationRequestsRule", "Arn"]}}}
    expected = [
        ("OrdersQueue", {"AWS": AMAZON_NOTIFICATIONS}, ["sqs:SendMessage", "sqs:GetQueueAttributes"], None),
        ("RefundsQueue", {"AWS": AMAZON_NOTIFICATIONS}, ["sqs:SendMessage", "sqs:GetQueueAttributes"], None),
        ("InventoryAlertsQueue", {"AWS": AMAZON_NOTIFICATIONS}, ["sqs:SendMessage", "sqs:GetQueueAttributes"], None),
        ("ShipmentsQueue", eventbridge, ["sqs:SendMessage"], own_rule),
        ("EventsDeadLetterQueue", eventbridge, ["sqs:SendMessage"], own_rule),
        ("EventsDeadLetterQueue", eventbridge, ["sqs:SendMessage"], requests_rule),
    ]
    if partner_source:
        quantities_rule = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["MerchantQuantitiesRule", "Arn"]}}}
        expected += [
            ("InventoryAlertsQueue", eventbridge, ["sqs:SendMessage"], quantities_rule),
            ("EventsDeadLetterQueue", eventbridge, ["sqs:SendMessage"], quantities_rule),
        ]
    assert sorted(allowed, key=lambda entry: entry[0]) == sorted(expected, key=lambda entry: entry[0])


def test_every_queue_has_one_policy_of_its_own(resources: Resources) -> None:
    """A second policy of a queue would replace the first without a warning.

    A policy of several queues would be deleted and written for all of them whenever one of them is added or removed.
    """
    policies = of_type(resources, "AWS::SQS::QueuePolicy")
    assert {name: [target(queue) for queue in policy["Queues"]] for name, policy in policies.items()} == {
        f"{queue}Policy": [queue] for queue in of_type(resources, "AWS::SQS::Queue")
    }
    for name, policy in policies.items():
        for statement in queue_statements(policy, PARTNER_SOURCE):
            assert [target(statement["Resource"])] == [target(queue) for queue in policy["Queues"]], name


# ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_events_of_shipped_and_cancelled_orders_reach_the_shipments_queue(resources: Resources) -> None:
    rule = of_type(resources, "AWS::Events::Rule")["OrderEventsRule"]
    assert target(rule["EventBusName"]) == "EventBus"
    assert rule["EventPattern"] == {"source": [EVENT_SOURCE], "detail-type": list(SHIPMENT_EVENTS)}
    (queue,) = rule["Targets"]
    assert target(queue["Arn"]) == "ShipmentsQueue"
    assert "InputPath" not in queue  # the whole event is delivered: its detail-type says what happened
    assert "InputTransformer" not in queue


@pytest.mark.parametrize(("partner_source", "is_deployed"), [("", False), (PARTNER_SOURCE, True)])
def test_changes_of_the_sellers_own_stock_reach_their_queue_where_there_is_a_partner_event_source(
    resources: Resources, partner_source: str, is_deployed: bool
) -> None:
    template = transformed()
    values = TemplateValues(template, {"PartnerEventSource": partner_source})
    conditional = [resources["PartnerEventBus"], resources["MerchantQuantitiesRule"]]
    for each in (*conditional, template["Outputs"]["PartnerEventSource"]):
        assert values.holds(each["Condition"]) is is_deployed
    # EventBridge refuses a bus of a partner's source under another name.
    bus = values.of(resources["PartnerEventBus"]["Properties"])
    assert (bus["Name"], bus["EventSourceName"]) == (partner_source, partner_source)
    rule = resources["MerchantQuantitiesRule"]["Properties"]
    assert target(rule["EventBusName"]) == "PartnerEventBus"
    assert rule["EventPattern"] == {
        "source": [{"prefix": PARTNER_SOURCE.rpartition(f"/{ACCOUNT}")[0]}],
        "detail-type": [MERCHANT_QUANTITY_CHANGE],
    }
    (queue,) = rule["Targets"]
    assert target(queue["Arn"]) == "InventoryAlertsQueue"
    assert not queue.keys() & {"InputPath", "InputTransformer"}  # the notification is the event's `detail`


@pytest.mark.parametrize(
    ("source", "is_accepted"),
    [("", True), (PARTNER_SOURCE, True), (f"{PARTNER_SOURCE}/more", False), ("amzn1.sp.solution.1", False)],
)
def test_partner_event_source_is_a_whole_name(source: str, is_accepted: bool) -> None:
    allowed = transformed()["Parameters"]["PartnerEventSource"]["AllowedPattern"]
    assert bool(re.fullmatch(allowed, source)) is is_accepted


def test_undeliverable_event_goes_to_a_dead_letter_queue(resources: Resources) -> None:
    for rule in of_type(resources, "AWS::Events::Rule").values():
        for destination in rule["Targets"]:
            assert target(destination["DeadLetterConfig"]["Arn"]) == "EventsDeadLetterQueue"
            assert destination["RetryPolicy"]["MaximumRetryAttempts"] > 0
            assert destination["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600


def test_only_functions_that_read_orders_or_send_alerts_publish_events_and_only_on_the_stacks_bus(
    resources: Resources,
) -> None:
    publishes_to = {
        name: [target(resource) for resource in listed(statement["Resource"])]
        for name, role in roles_of_functions(resources).items()
        for statement in statements(role)
        if "events:PutEvents" in listed(statement["Action"])
    }
    functions = ("OrdersFunction", "InventoryAlertsFunction", RECONCILIATION, "ResumeFunction")
    assert publishes_to == {function: ["EventBus"] for function in functions}
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["EVENT_BUS_NAME"] == {"Ref": "EventBus"}


# ── Permissions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_role_has_wildcard_permissions(resources: Resources) -> None:
    """No function needs a wildcard of actions or a managed policy; X-Ray alone knows no resources."""
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            if "*" in listed(statement["Resource"]):
                assert set(listed(statement["Action"])) == TRACES, (name, statement)
            assert not [action for action in listed(statement["Action"]) if "*" in action], (name, statement)


def test_functions_may_neither_scan_the_table_nor_delete_from_it(resources: Resources) -> None:
    for name, role in roles_of_functions(resources).items():
        on_table = {
            action
            for statement in statements(role)
            for action in listed(statement["Action"])
            if action.startswith("dynamodb:")
        }
        expected = {"BatchGetItem", "PutItem", "Query"}
        assert on_table == {f"dynamodb:{operation}" for operation in expected}, name


def test_each_function_has_its_own_role_with_the_accounts_permissions_boundary(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    assert len({target(function["Role"]) for function in functions.values()}) == len(functions)
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert role["PermissionsBoundary"]["Fn::If"][1] == {"Ref": "PermissionsBoundaryArn"}, name


def test_functions_may_read_settings_and_secrets_of_their_own_stack_only(resources: Resources) -> None:
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


def test_functions_may_send_to_the_dead_letter_queues_that_they_need_and_no_others(resources: Resources) -> None:
    """Each function posts whatever documents are due, so it dead-letters the failures of every capability that posts.

    The function of a capability that posts nothing has its own only. Lambda sends a failed scheduled run with the
    permissions of the function.
    """
    of_capabilities = {f"{logical_name(each.name)}DeadLetterQueue" for each in CAPABILITIES.values() if each.posts}
    needed = {
        "OrdersFunction": of_capabilities | {"SchedulesDeadLetterQueue"},
        "ShipmentsFunction": of_capabilities,
        "RefundsFunction": of_capabilities | {"SchedulesDeadLetterQueue"},
        "InventoryAlertsFunction": {"InventoryAlertsDeadLetterQueue", "SchedulesDeadLetterQueue"},
        RECONCILIATION: {"SchedulesDeadLetterQueue"},
        "ResumeFunction": of_capabilities | {"SchedulesDeadLetterQueue"},
        # What it sends goes to the queues of the functions; what it stops, to a queue that a person sees.
        REPLAY: {f"{logical_name(each)}Queue" for each in CAPABILITIES} | {"StoppedLettersQueue"},
    }
    allowed = {
        name: {
            target(resource)
            for statement in statements(role)
            if "sqs:SendMessage" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        for name, role in roles_of_functions(resources).items()
    }
    assert allowed == needed


def test_every_function_has_the_environment_variables_that_the_settings_require(resources: Resources) -> None:
    """Lambda itself sets AWS_REGION."""
    required = {field.alias for field in StackSettings.model_fields.values() if field.is_required()} - {"AWS_REGION"}
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert required <= function["Environment"]["Variables"].keys(), name


def test_shipments_role_has_exactly_these_permissions(resources: Resources) -> None:
    role = roles_of_functions(resources)["ShipmentsFunction"]
    assert {action for statement in statements(role) for action in listed(statement["Action"])} == {
        *("logs:CreateLogStream", "logs:PutLogEvents", *TRACES),
        *("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"),
        *("ssm:GetParametersByPath", "secretsmanager:GetSecretValue", "kms:Encrypt", "kms:Decrypt"),
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
    assert allowed == consumed | {(REPLAY, "StoppedLettersQueue")}


# ── Functions and their logs ──────────────────────────────────────────────────────────────────────────────────────────


def test_handlers_exist(resources: Resources) -> None:
    for function in of_type(resources, "AWS::Lambda::Function").values():
        module, _, name = function["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


def test_functions_run_on_the_python_version_that_the_tests_run_on(resources: Resources) -> None:
    tested = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"].startswith(f">={tested},")
    assert {function["Runtime"] for function in of_type(resources, "AWS::Lambda::Function").values()} == {
        f"python{tested}"
    }


@pytest.mark.parametrize(("chosen", "architecture"), [({}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")])
def test_functions_run_on_arm_by_default(chosen: dict[str, str], architecture: str) -> None:
    template = transformed(parameters=chosen)
    for function in of_type(template["Resources"], "AWS::Lambda::Function").values():
        assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert chosen.get("Architecture", template["Parameters"]["Architecture"]["Default"]) == architecture
    assert architecture in template["Parameters"]["Architecture"]["AllowedValues"]


def test_no_environment_variable_changes_the_endpoint_of_the_amazon_library(resources: Resources) -> None:
    """python-amazon-sp-api reads AWS_ENV and SP_API_DEFAULT_MARKETPLACE; names that begin with AWS_ are Lambda's."""
    for function in of_type(resources, "AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert "SP_API_DEFAULT_MARKETPLACE" not in variables
        assert not [name for name in variables if name.startswith("AWS_")]


def test_every_function_logs_json_to_its_own_log_group_with_a_retention(resources: Resources) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    used = []
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        group = target(logging["LogGroup"])
        used.append(group)
        assert groups[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        allowed = [
            listed(statement["Resource"])
            for statement in statements(roles_of_functions(resources)[name])
            if any(action.startswith("logs:") for action in listed(statement["Action"]))
        ]
        assert allowed == [[{"Fn::GetAtt": [group, "Arn"]}]]
    assert sorted(used) == sorted(groups)


def test_no_log_level_can_be_chosen_that_drops_decisions() -> None:
    """Most decisions are logged at INFO: they are the history of an order."""
    level = transformed()["Parameters"]["LogLevel"]
    assert level["AllowedValues"] == ["DEBUG", "INFO"]
    assert level["Default"] == "INFO"


# ── Schedules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sweeps_run_every_15_minutes_and_every_hour_and_resume_every_minute(resources: Resources) -> None:
    schedules = {
        (target(schedule["Target"]["Arn"]), schedule["ScheduleExpression"], schedule["Target"]["Input"])
        for schedule in of_type(resources, "AWS::Scheduler::Schedule").values()
    }
    assert schedules == {
        ("OrdersFunction", "rate(15 minutes)", json.dumps({"sweep": "orders"})),
        ("RefundsFunction", "rate(1 hour)", json.dumps({"sweep": "refunds"})),
        # It sweeps once a day; the runs in between continue a sweep that was interrupted.
        ("InventoryAlertsFunction", "rate(1 hour)", json.dumps({"sweep": "inventory_alerts"})),
        # It reconciles once a week; the runs in between try again what could not be read.
        (RECONCILIATION, "rate(1 hour)", json.dumps({"reconcile": "due"})),
        ("ResumeFunction", "rate(1 minute)", json.dumps({"resume": "due"})),
    }


def test_failed_scheduled_run_goes_to_a_dead_letter_queue(resources: Resources) -> None:
    for schedule in of_type(resources, "AWS::Scheduler::Schedule").values():
        assert target(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "SchedulesDeadLetterQueue"
        assert "RetryPolicy" in schedule["Target"]
    scheduled = {target(entry["Target"]["Arn"]) for entry in of_type(resources, "AWS::Scheduler::Schedule").values()}
    destinations = {
        target(config["FunctionName"]): target(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert destinations == dict.fromkeys(scheduled, "SchedulesDeadLetterQueue")


def test_schedule_may_invoke_its_own_function_only(resources: Resources) -> None:
    for schedule in of_type(resources, "AWS::Scheduler::Schedule").values():
        role = resources[target(schedule["Target"]["RoleArn"])]["Properties"]
        allowed = {
            (action, target(resource))
            for statement in statements(role)
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        function = target(schedule["Target"]["Arn"])
        assert allowed == {("lambda:InvokeFunction", function), ("sqs:SendMessage", "SchedulesDeadLetterQueue")}
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


# ── State ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_table_outlives_the_stack_and_can_be_restored_to_a_point_in_time(resources: Resources) -> None:
    table = resources["Table"]
    assert table["DeletionPolicy"] == "Retain"
    assert table["UpdateReplacePolicy"] == "Retain"
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_table_has_the_keys_and_the_index_that_the_code_uses(resources: Resources) -> None:
    table = resources["Table"]["Properties"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {"due": ["due", "next_attempt_at"], "watched": ["watched", "reason"]}
    assert [index["Projection"] for index in table["GlobalSecondaryIndexes"]] == [{"ProjectionType": "KEYS_ONLY"}] * 2
    assert {entry["AttributeType"] for entry in table["AttributeDefinitions"]} == {"S"}


def test_existing_table_replaces_the_new_one_everywhere(resources: Resources) -> None:
    template = transformed(parameters={"ExistingTableName": "restored"})
    values = TemplateValues(template, {"ExistingTableName": "restored"})
    assert not values.holds(resources["Table"]["Condition"])
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/restored"
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert values.of(function["Environment"]["Variables"]["TABLE_NAME"]) == "restored"
        allowed = {
            values.of(resource)
            for statement in statements(roles_of_functions(resources)[name])
            if any(action.startswith("dynamodb:") for action in listed(statement["Action"]))
            for resource in listed(statement["Resource"])
        }
        both = {"due", "watched"}
        indexes = {"ResumeFunction": both, "RefundsFunction": both, REPLAY: {"watched"}, RECONCILIATION: {"watched"}}
        assert allowed == {arn, *(f"{arn}/index/{index}" for index in indexes.get(name, {"due"}))}
    assert values.of(template["Outputs"]["TableName"]["Value"]) == "restored"
    assert values.of(resources["Observability"]["Properties"]["Parameters"]["TableName"]) == "restored"


def test_nothing_but_a_choice_refers_to_a_table_that_may_not_exist(resources: Resources) -> None:
    """CloudFormation refuses a reference to a resource whose condition is false."""

    def references(value: Any, *, in_choice: bool = False) -> Iterator[bool]:
        match value:
            case {"Ref": "Table"} | {"Fn::GetAtt": ["Table", _]}:
                yield in_choice
            case {"Fn::Sub": str(text)} if "${Table" in text:
                yield in_choice
            case {"Fn::If": ["CreatesTable", own, other]}:
                yield from references(own, in_choice=True)
                yield from references(other)
            case dict():
                for each in value.values():
                    yield from references(each)
            case list():
                for each in value:
                    yield from references(each)

    found = list(references([resources, transformed()["Outputs"]]))
    assert found
    assert all(found)


def test_no_row_expires(resources: Resources) -> None:
    """Without its row, an order or document would be entered in Xero a second time."""
    assert "TimeToLiveSpecification" not in resources["Table"]["Properties"]


# ── Deployment ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_physical_name_begins_with_the_stack_name(resources: Resources, observability: dict[str, Any]) -> None:
    for own, found in (("${AWS::StackName}", resources), ("${ParentStack}", observability["Resources"])):
        for logical_id, resource in found.items():
            name = resource.get("Properties", {}).get(NAME_PROPERTIES.get(resource["Type"], ("", 0))[0])
            if name is None or logical_id == "PartnerEventBus":  # whose name is its source's
                continue
            text = name.get("Fn::Sub") or f"${{{name['Ref']}}}"
            assert text.removeprefix("/aws/lambda/").startswith(own), logical_id


def test_main_template_has_no_resource_type_that_the_local_cloud_rejects(resources: Resources) -> None:
    """It rejects a template with an unsupported type, even under a condition."""
    types = {resource["Type"] for resource in resources.values()}
    assert not types & {"AWS::Logs::QueryDefinition", "AWS::Events::Archive"}
    assert resources["Observability"]["Condition"] == "HasObservability"


def test_every_resource_that_can_have_tags_names_project_and_stage(resources: Resources) -> None:
    tags = {"project": "amazon-to-xero", "stage": {"Ref": "Stage"}}
    tagged = {name for name, resource in resources.items() if resource["Type"] in TAGGED}
    assert len(tagged) > 15
    for name in tagged:
        found = {tag["Key"]: tag["Value"] for tag in resources[name]["Properties"]["Tags"]}
        assert tags.items() <= found.items(), name


def test_functions_are_traced_unless_the_deployment_says_otherwise(resources: Resources) -> None:
    assert transformed()["Parameters"]["Tracing"]["Default"] == "Active"
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert function["TracingConfig"] == {"Mode": {"Ref": "Tracing"}}, name


def test_parameters_default_to_production() -> None:
    defaults = {name: rule.get("Default") for name, rule in transformed()["Parameters"].items()}
    assert defaults["AmazonApiUrl"] == ""  # the endpoint of each connection's region
    assert defaults["LwaUrl"] == "https://api.amazon.com/auth/o2/token"
    assert defaults["XeroApiUrl"] == "https://api.xero.com"
    assert defaults["XeroTokenUrl"] == "https://identity.xero.com/connect/token"
    assert defaults["ObservabilityStack"] == "true"


def test_sam_generates_no_roles(resources: Resources) -> None:
    """Generated roles have managed policies for all resources; each function and schedule here names its own role."""
    written = parsed(ROOT / "template.yaml")["Resources"]
    assert of_type(resources, "AWS::IAM::Role").keys() == of_type(written, "AWS::IAM::Role").keys()


# ── Alarms and saved queries ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_alarm_is_published_to_the_alarm_topic(observability: dict[str, Any]) -> None:
    for name, alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
    (subscription,) = of_type(observability["Resources"], "AWS::SNS::Subscription").values()
    assert subscription["TopicArn"] == {"Ref": "AlarmTopic"}


def test_deployment_guide_states_what_the_alarms_cost(observability: dict[str, Any]) -> None:
    alarms = len(of_type(observability["Resources"], "AWS::CloudWatch::Alarm"))
    (guide,) = (page for page in pages(ROOT) if page.path == "docs/deploy.md")
    assert f"| Alarms | {alarms} | 0.10 | {alarms / 10:.2f} |" in guide.text


def test_every_queue_and_function_has_alarms(resources: Resources, observability: dict[str, Any]) -> None:
    # Given the resources that the main template passes to the nested stack, by the name of the parameter
    passed = {
        name: target(value)
        for name, value in resources["Observability"]["Properties"]["Parameters"].items()
        if target(value) in resources
    }
    assert passed.keys() <= observability["Parameters"].keys()
    # When the resource of each alarm is looked up
    watched = {
        (alarm["MetricName"], passed[target(dimension["Value"])])
        for alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] in ("QueueName", "FunctionName")
    }
    # Then every queue and function has the alarms for its failures
    queues = of_type(resources, "AWS::SQS::Queue")
    for name, queue in queues.items():
        metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        assert (metric, name) in watched
    for name in of_type(resources, "AWS::Lambda::Function"):
        assert ("Errors", name) in watched
        assert ("Throttles", name) in watched


def test_table_and_each_of_its_indexes_have_alarms_for_throttling(
    resources: Resources, observability: dict[str, Any]
) -> None:
    watched = {
        (alarm["MetricName"], dimensions.get("GlobalSecondaryIndexName", ""))
        for alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/DynamoDB"
        for dimensions in [{each["Name"]: each["Value"] for each in alarm["Dimensions"]}]
        if dimensions["TableName"] == {"Ref": "TableName"}
    }
    indexes = [index["IndexName"] for index in resources["Table"]["Properties"]["GlobalSecondaryIndexes"]]
    metrics = ("ReadThrottleEvents", "WriteThrottleEvents")
    assert watched == {(metric, index) for metric in metrics for index in ("", *indexes)}


def status_metrics_of(alarm: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and definition of each metric of the connections' status that an alarm watches."""
    queries = alarm.get("Metrics", [])
    metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query] or [alarm]
    for metric in metrics:
        if metric.get("Namespace") == "AmazonToXero":
            yield metric["MetricName"], metric


def test_alarms_watch_the_status_that_the_code_states_and_all_of_it_is_watched_or_on_the_dashboard(
    resources: Resources, observability: dict[str, Any]
) -> None:
    alarms = of_type(observability["Resources"], "AWS::CloudWatch::Alarm").values()
    watched = {name: metric for alarm in alarms for name, metric in status_metrics_of(alarm)}
    assert {"ConnectionRefused", "OldestDueSeconds", "FailedSources"} <= watched.keys() <= STATUS_METRICS.keys()
    for metric in watched.values():
        assert metric["Dimensions"] == [{"Name": STACK, "Value": {"Ref": "ParentStack"}}]
    (dashboard,) = of_type(observability["Resources"], "AWS::CloudWatch::Dashboard").values()
    shown = set(re.findall(r'"AmazonToXero", "(\w+)", "stack"', dashboard["DashboardBody"]["Fn::Sub"]))
    assert shown <= STATUS_METRICS.keys()
    # Which service is paused is told apart on the connection's own metrics; that one is, is on the dashboard
    told_apart = {"XeroPaused", "AmazonPaused", "AmazonOperationPaused"}
    assert watched.keys() | shown | told_apart == STATUS_METRICS.keys()
    # And the functions print them in that namespace, under the stack's name
    variables = resources["ResumeFunction"]["Properties"]["Environment"]["Variables"]
    assert (variables["POWERTOOLS_METRICS_NAMESPACE"], variables["STACK_NAME"]) == (
        "AmazonToXero",
        {"Ref": "AWS::StackName"},
    )
    assert resources["Observability"]["Properties"]["Parameters"]["ParentStack"] == {"Ref": "AWS::StackName"}


def test_silence_neither_ends_nor_raises_an_alarm_of_the_status(observability: dict[str, Any]) -> None:
    """That the function is silent has an alarm of its own, for which missing data is a breach."""
    alarms = of_type(observability["Resources"], "AWS::CloudWatch::Alarm")
    of_status = {name for name, alarm in alarms.items() if list(status_metrics_of(alarm))}
    assert {alarms[name]["TreatMissingData"] for name in of_status} == {"missing"}
    assert {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"} == {"ResumeStopped"}


def test_dead_connection_raises_its_alarm_within_five_minutes_and_one_value_ends_no_alarm(
    observability: dict[str, Any],
) -> None:
    alarm = observability["Resources"]["ConnectionNeedsAPerson"]["Properties"]
    # The first refused call is stated a minute later
    assert alarm["Period"] * (1 + alarm["DatapointsToAlarm"]) <= 300
    assert 1 < alarm["DatapointsToAlarm"] < alarm["EvaluationPeriods"]


def test_alarm_for_new_failures_ends_by_itself_so_that_the_next_failure_is_reported(
    observability: dict[str, Any],
) -> None:
    alarm = observability["Resources"]["NewFailures"]["Properties"]
    assert (alarm["Statistic"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == ("Sum", 1, "notBreaching")
    assert "OKActions" not in alarm  # it would say that the failures were dealt with


def test_amount_on_the_suspense_account_raises_the_alarm_of_new_failures(observability: dict[str, Any]) -> None:
    filters = [
        each["Properties"]
        for each in observability["Resources"].values()
        if each["Type"] == "AWS::Logs::MetricFilter"
        and '"CHARGE_TYPE_SUSPENDED"' in each["Properties"]["FilterPattern"]
    ]
    # Refunds are planned by these two functions.
    assert {each["LogGroupName"]["Ref"] for each in filters} == {"RefundsLogGroupName", "ResumeLogGroupName"}
    assert {each["MetricTransformations"][0]["MetricName"] for each in filters} == {"NewFailures"}


def test_only_the_resume_function_publishes_to_the_alarm_topic(
    resources: Resources, observability: dict[str, Any]
) -> None:
    name = observability["Resources"]["AlarmTopic"]["Properties"]["TopicName"]["Fn::Sub"]
    topic = name.replace("${ParentStack}", "${AWS::StackName}")
    publishes = {
        function: resource["Fn::Sub"].partition("${AWS::AccountId}:")[2]
        for function, role in roles_of_functions(resources).items()
        for statement in statements(role)
        if "sns:Publish" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if "Fn::Sub" in resource
    }
    assert publishes == {"ResumeFunction": topic}
    arn = resources["ResumeFunction"]["Properties"]["Environment"]["Variables"]["ALARM_TOPIC_ARN"]["Fn::If"]
    assert (arn[0], arn[1]["Fn::Sub"].partition("${AWS::AccountId}:")[2], arn[2]) == ("HasObservability", topic, "")


def test_inventory_alerts_have_a_topic_of_their_own_whose_email_is_a_choice(resources: Resources) -> None:
    publishes = {
        function
        for function, role in roles_of_functions(resources).items()
        for statement in statements(role)
        if "sns:Publish" in listed(statement["Action"])
        and {"Ref": "InventoryAlertsTopic"} in listed(statement["Resource"])
    }
    assert publishes == {"InventoryAlertsFunction", RECONCILIATION, "ResumeFunction"}
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["INVENTORY_TOPIC_ARN"] == {"Ref": "InventoryAlertsTopic"}
    subscription = resources["InventoryAlertsSubscription"]
    assert subscription["Properties"]["TopicArn"] == {"Ref": "InventoryAlertsTopic"}
    values = TemplateValues(transformed())
    assert not values.holds(subscription["Condition"])


@pytest.mark.parametrize("function", ["InventoryAlerts", "Resume"])
def test_alerts_that_cannot_be_sent_raise_an_alarm(observability: dict[str, Any], function: str) -> None:
    alarm = observability["Resources"]["InventoryAlertsNotSent"]["Properties"]
    filters = of_type(observability["Resources"], "AWS::Logs::MetricFilter").values()
    counted = {
        rule["LogGroupName"]["Ref"]
        for rule in filters
        if rule["MetricTransformations"][0]["MetricName"] == alarm["MetricName"]
        and rule["FilterPattern"] == '{ $.message = "ALERTS_NOT_SENT" }'
    }
    assert f"{function}LogGroupName" in counted


def test_dead_letter_alarms_count_the_messages_in_the_queue(observability: dict[str, Any]) -> None:
    """NumberOfMessagesSent does not count messages that SQS moves to a dead-letter queue."""
    for alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").values():
        assert alarm.get("MetricName") != "NumberOfMessagesSent"


@pytest.mark.parametrize(
    ("alarm_id", "conditions"),
    [
        ("DeadLettersNotSent", ['$.message = "DEAD_LETTER_NOT_SENT"']),
        ("NewFailures", ['$.message = "FAILED"']),
    ],
)
def test_log_lines_of_all_functions_raise_the_alarm(
    resources: Resources, observability: dict[str, Any], alarm_id: str, conditions: list[str]
) -> None:
    alarm = observability["Resources"][alarm_id]["Properties"]
    counted = set()
    for rule in of_type(observability["Resources"], "AWS::Logs::MetricFilter").values():
        (metric,) = rule["MetricTransformations"]
        if metric["MetricName"] == alarm["MetricName"]:
            counted.add(rule["LogGroupName"]["Ref"])
            assert metric["MetricNamespace"] == alarm["Namespace"]
            assert all(condition in rule["FilterPattern"] for condition in conditions)
    without = {f"{RECONCILIATION.removesuffix('Function')}LogGroupName"}  # it sends no dead letters
    expected = {f"{name}Name" for name in of_type(resources, "AWS::Logs::LogGroup")}
    assert counted == (expected - without if alarm_id == "DeadLettersNotSent" else expected)


def test_log_messages_in_alarms_and_saved_queries_are_written_by_the_code(observability: dict[str, Any]) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "functions").rglob("*.py")]
    filters = of_type(observability["Resources"], "AWS::Logs::MetricFilter").values()
    queries = of_type(observability["Resources"], "AWS::Logs::QueryDefinition").values()
    texts = [rule["FilterPattern"] for rule in filters] + [query["QueryString"] for query in queries]
    named = {word for text in texts for word in re.findall(r'"([A-Z_]+)"', text)} - LOG_LEVELS
    assert {"FAILED", "PREFLIGHT_FINDING"} <= named
    for message in sorted(named):
        assert any(f'"{message}"' in source for source in sources), message


def test_findings_are_not_listed_among_what_waits(observability: dict[str, Any]) -> None:
    waits = observability["Resources"]["Waits"]["Properties"]["QueryString"]
    findings = {code for code, info in FAILURES.items() if info.audience is Audience.REPORT}
    for finding in sorted(WARNINGS & findings):
        assert f'"{finding}"' in waits


def test_saved_queries_and_dashboard_use_field_names_of_the_log(observability: dict[str, Any]) -> None:
    log_fields = {"connection", "correlation_id", "document", "level", "message", "order_id", "reason", "remedy"}
    log_fields |= {"service", "@timestamp", "@message", "@log", *STATUS_METRICS}
    log_fields |= {"author", "change", "differences"}  # of changes in Xero
    # Lambda's own line about an invocation
    of_report = ("durationMs", "initDurationMs", "maxMemoryUsedMB")
    log_fields |= {"type", "record.requestId", *(f"record.metrics.{name}" for name in of_report)}
    queries = [
        query["QueryString"] for query in of_type(observability["Resources"], "AWS::Logs::QueryDefinition").values()
    ]
    (dashboard,) = of_type(observability["Resources"], "AWS::CloudWatch::Dashboard").values()
    queries += re.findall(r'"query": "(.*)"', dashboard["DashboardBody"]["Fn::Sub"])
    for query in queries:
        for listed_fields in re.findall(r"^ *(?:.*\| )?fields ([^|\n]+)", query, re.MULTILINE):
            assert {name.strip() for name in listed_fields.split(",")} <= log_fields, query
        for name in re.findall(r"filter (\w+)|(?:count_distinct|latest|ispresent)\((\w+)\)", query):
            assert (name[0] or name[1]) in log_fields, query


def test_saved_queries_search_all_log_groups(resources: Resources, observability: dict[str, Any]) -> None:
    groups = {
        name
        for name, value in resources["Observability"]["Properties"]["Parameters"].items()
        if target(value) in of_type(resources, "AWS::Logs::LogGroup")
    }
    assert len(groups) == len(of_type(resources, "AWS::Logs::LogGroup"))
    for name, query in of_type(observability["Resources"], "AWS::Logs::QueryDefinition").items():
        assert {target(group) for group in query["LogGroupNames"]} == groups, name


def widgets_of(observability: dict[str, Any]) -> list[dict[str, Any]]:
    (dashboard,) = of_type(observability["Resources"], "AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    return widgets


def test_widgets_of_the_dashboard_fill_its_width_and_do_not_overlap(observability: dict[str, Any]) -> None:
    taken = [
        (x, y)
        for each in widgets_of(observability)
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(taken) == len(set(taken))
    assert {x for x, _ in taken} == set(range(24))
    assert {y for _, y in taken} == set(range(max(y for _, y in taken) + 1))


def test_dashboard_begins_with_every_alarm(observability: dict[str, Any]) -> None:
    (shown,) = [each["properties"]["alarms"] for each in widgets_of(observability) if each["type"] == "alarm"]
    alarms = of_type(observability["Resources"], "AWS::CloudWatch::Alarm")
    assert shown == [f"${{{name}.Arn}}" for name in alarms]


def test_text_of_every_alarm_links_to_its_part_of_the_runbook(
    resources: Resources, observability: dict[str, Any]
) -> None:
    (runbook,) = [page for page in pages(ROOT) if str(page.path) == "docs/operating.md"]
    for name, alarm in of_type(observability["Resources"], "AWS::CloudWatch::Alarm").items():
        text = alarm["AlarmDescription"]["Fn::Sub"].strip()
        _, _, anchor = text.rpartition("Runbook: ${Runbook}#")
        assert anchor in runbook.anchors, (
            f"{name}: end its text with Runbook: ${{Runbook}}#heading of docs/operating.md"
        )
        assert len(text) < 900, name  # CloudWatch: 1,024 characters, with the address of the runbook
    assert resources["Observability"]["Properties"]["Parameters"]["Runbook"] == {"Ref": "Runbook"}


@pytest.mark.parametrize(
    "query", ["OrderHistory", "FailuresByReason", "Waits", "CallsSpent", "SlowestRuns", "ChangedByPeople"]
)
def test_operators_questions_have_saved_queries(observability: dict[str, Any], query: str) -> None:
    assert observability["Resources"][query]["Type"] == "AWS::Logs::QueryDefinition"


# ── Reports of reconciled stock ───────────────────────────────────────────────────────────────────────────────────────


def test_bucket_of_reports_is_private_versioned_encrypted_and_kept_for_a_stated_time(resources: Resources) -> None:
    bucket = resources["ReportBucket"]
    properties = bucket["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "ReportRetentionDays"})
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_bucket_of_reports_takes_encrypted_connections_only_and_allows_nobody_by_itself(resources: Resources) -> None:
    (policy,) = of_type(resources, "AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert {target(each) if "Fn::GetAtt" in each else each["Fn::Sub"] for each in statement["Resource"]} == {
        "ReportBucket",
        "${ReportBucket.Arn}/*",
    }


def test_event_that_asks_for_a_reconciliation_invokes_its_function(resources: Resources) -> None:
    rule = of_type(resources, "AWS::Events::Rule")["ReconciliationRequestsRule"]
    assert target(rule["EventBusName"]) == "EventBus"
    assert rule["EventPattern"] == {"detail-type": [REQUESTED]}
    (asked,) = rule["Targets"]
    assert target(asked["Arn"]) == RECONCILIATION
    permissions = of_type(resources, "AWS::Lambda::Permission").values()
    assert [(each["FunctionName"], target(each["SourceArn"])) for each in permissions] == [
        ({"Ref": RECONCILIATION}, "ReconciliationRequestsRule")
    ]


def test_only_the_function_that_makes_reports_may_write_them_and_knows_their_bucket(resources: Resources) -> None:
    writers = {
        name
        for name, role in roles_of_functions(resources).items()
        for statement in statements(role)
        if any(action.startswith("s3:") for action in listed(statement["Action"]))
    }
    knows = {
        name
        for name, function in of_type(resources, "AWS::Lambda::Function").items()
        if "REPORT_BUCKET_NAME" in function["Environment"]["Variables"]
    }
    assert writers == knows == {RECONCILIATION}
