"""How the templates name resources: logical ids of a capability, and physical names of a stack with their limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Property with the physical name, and how many characters AWS allows in it.
NAME_PROPERTIES: Mapping[str, tuple[str, int]] = {
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::Serverless::Function": ("FunctionName", 64),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::Scheduler::Schedule": ("Name", 64),
    "AWS::Events::EventBus": ("Name", 256),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::Events::Archive": ("ArchiveName", 48),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::DynamoDB::Table": ("TableName", 255),
    "AWS::SNS::Topic": ("TopicName", 256),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::CloudWatch::Dashboard": ("DashboardName", 255),
    "AWS::Logs::QueryDefinition": ("Name", 255),
}
_STACK_NAME = r"\$\{(AWS::StackName|ParentStack)\}"


@dataclass(frozen=True)
class PhysicalName:
    """The name that a template gives a resource.

    pattern: the name with `{stack}` in the place of the stack's name.
    limit: how many characters AWS allows.
    """

    logical_id: str
    kind: str
    pattern: str
    limit: int

    @property
    def longest_stack_name(self) -> int:
        """How many characters the stack's name may have."""
        return self.limit - len(self.pattern.format(stack=""))


def logical_name(name: str) -> str:
    """Return the first part of the logical ids and outputs of a capability: `inventory_alerts` -> `InventoryAlerts`."""
    return "".join(part.capitalize() for part in name.split("_"))


def physical_names(template: Mapping[str, Any]) -> Iterator[PhysicalName]:
    """Yield the names in a template that contain the name of the stack."""
    for logical_id, resource in template["Resources"].items():
        named, limit = NAME_PROPERTIES.get(resource["Type"], ("", 0))
        match resource.get("Properties", {}).get(named):
            case {"Fn::Sub": str(text)}:
                pass
            case {"Ref": str(reference)}:
                text = f"${{{reference}}}"
            case _:
                continue
        pattern, found = re.subn(_STACK_NAME, "{stack}", text)
        if found:
            yield PhysicalName(logical_id, resource["Type"], pattern, limit)
