"""Every capability of the registry has its resources in the template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.runtime.capabilities import CAPABILITIES, Capability
from deployable.names import logical_name
from deployable.transform import transformed

Resources = dict[str, dict[str, Any]]


def missing_resources(
    capabilities: Iterable[Capability], template: dict[str, Any], observability: dict[str, Any]
) -> list[str]:
    """Return what the templates lack for these capabilities, as texts that name the capability and the resource."""
    return [
        f"{capability.name}: {resource}"
        for capability in capabilities
        for resource in _missing(capability, template, observability)
    ]


def _missing(capability: Capability, template: dict[str, Any], observability: dict[str, Any]) -> Iterator[str]:
    resources: Resources = template["Resources"]
    name = logical_name(capability.name)
    queue, dead_letter_queue, function = f"{name}Queue", f"{name}DeadLetterQueue", f"{name}Function"
    own_queue = _properties(resources, queue)
    if own_queue is None:
        yield "queue"
    elif own_queue.get("RedrivePolicy", {}).get("deadLetterTargetArn") != _arn(dead_letter_queue):
        yield "redrive policy from its queue to its dead-letter queue"
    if dead_letter_queue not in resources:
        yield "dead-letter queue"
    own_function = _properties(resources, function)
    if own_function is None:
        yield "function"
    elif own_function["Handler"] != f"{capability.name}.handler.handler":
        yield "handler of its function"
    mappings = _of_type(resources, "AWS::Lambda::EventSourceMapping")
    if not any(each["EventSourceArn"] == _arn(queue) and each["FunctionName"]["Ref"] == function for each in mappings):
        yield "event source mapping"
    for variables in _environments(resources):
        if variables.get(capability.dead_letter_queue) != {"Ref": dead_letter_queue}:
            yield "environment variable of its dead-letter queue in every function"
            break
    if not _has_alarm(dead_letter_queue, resources, observability["Resources"]):
        yield "alarm on its dead-letter queue"
    for output in ("QueueUrl", "DlqUrl", "FunctionName"):
        if f"{name}{output}" not in template["Outputs"]:
            yield f"output {name}{output}"


def _properties(resources: Resources, logical_id: str) -> dict[str, Any] | None:
    return resources[logical_id]["Properties"] if logical_id in resources else None


def _of_type(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


def _environments(resources: Resources) -> list[dict[str, Any]]:
    functions = _of_type(resources, "AWS::Lambda::Function")
    assert functions
    return [function["Environment"]["Variables"] for function in functions]


def _arn(logical_id: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _has_alarm(dead_letter_queue: str, resources: Resources, observability: Resources) -> bool:
    """Return whether an alarm fires as soon as there is a message in the dead-letter queue."""
    passed = resources["Observability"]["Properties"]["Parameters"]
    parameters = {name for name, value in passed.items() if value == {"Fn::GetAtt": [dead_letter_queue, "QueueName"]}}
    return any(
        alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and alarm["Threshold"] == 0
        and {dimension["Value"]["Ref"] for dimension in alarm["Dimensions"]} <= parameters
        for alarm in _of_type(observability, "AWS::CloudWatch::Alarm")
        if alarm.get("Dimensions")
    )


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return transformed()


def test_every_capability_has_its_resources(template: dict[str, Any], observability: dict[str, Any]) -> None:
    assert missing_resources(CAPABILITIES.values(), template, observability) == []


def test_capability_without_resources_is_reported(template: dict[str, Any], observability: dict[str, Any]) -> None:
    new = replace(CAPABILITIES["orders"], name="stock_counts", dead_letter_queue="STOCK_COUNTS_DLQ_URL")

    assert missing_resources([new], template, observability) == [
        "stock_counts: queue",
        "stock_counts: dead-letter queue",
        "stock_counts: function",
        "stock_counts: event source mapping",
        "stock_counts: environment variable of its dead-letter queue in every function",
        "stock_counts: alarm on its dead-letter queue",
        "stock_counts: output StockCountsQueueUrl",
        "stock_counts: output StockCountsDlqUrl",
        "stock_counts: output StockCountsFunctionName",
    ]


def test_every_event_source_mapping_belongs_to_a_capability_or_to_the_replay(template: dict[str, Any]) -> None:
    mapped = {
        mapping["FunctionName"]["Ref"] for mapping in _of_type(template["Resources"], "AWS::Lambda::EventSourceMapping")
    }
    assert mapped == {*(f"{logical_name(capability)}Function" for capability in CAPABILITIES), "ReplayFunction"}


def test_every_environment_variable_of_a_dead_letter_queue_belongs_to_a_capability(template: dict[str, Any]) -> None:
    for variables in _environments(template["Resources"]):
        urls = {name for name in variables if name.endswith("_DLQ_URL")}
        assert urls == {capability.dead_letter_queue for capability in CAPABILITIES.values()}
