"""What CloudFormation puts in place of Ref, Fn::GetAtt, Fn::Sub and Fn::If, for one stack in one account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

STACK, REGION, ACCOUNT = "stack", "eu-west-1", "123456789012"
_PSEUDO_PARAMETERS = {
    "AWS::StackName": STACK,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
}
_QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/"
#: Property with the physical name, and the ARN of that name.
_NAMED = {
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::Events::EventBus": ("Name", "events:{region}:{account}:event-bus/{name}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::KMS::Key": ("", "kms:{region}:{account}:key/{name}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::S3::Bucket": ("", "s3:::{name}"),
}


class TemplateValues:
    """Resolves values of a transformed template. Raises KeyError for what it does not know."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> None:
        self._resources = template["Resources"]
        self._conditions = template["Conditions"]
        self._parameters = {name: rule["Default"] for name, rule in template["Parameters"].items()}
        self._parameters |= parameters or {}

    def of(self, value: Any) -> Any:
        """Return a value without intrinsic functions."""
        match value:
            case {"Ref": name}:
                return self._reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self._arn(name)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:.]+)\}", lambda found: self._substituted(found[1]), text)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.of(then if self.holds(condition) else otherwise)
            case dict():
                return {name: self.of(each) for name, each in value.items()}
            case list():
                return [self.of(each) for each in value]
        return value

    def holds(self, condition: str) -> bool:
        return self._is_true(self._conditions[condition])

    def _is_true(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Not": [negated]}:
                return not self._is_true(negated)
            case {"Fn::Equals": [left, right]}:
                return bool(self.of(left) == self.of(right))
        raise KeyError(str(condition))

    def _substituted(self, name: str) -> str:
        resource, _, attribute = name.partition(".")
        return self._arn(resource) if attribute == "Arn" else self._reference(name)

    def _reference(self, name: str) -> str:
        known = _PSEUDO_PARAMETERS | self._parameters
        if name in known:
            return str(known[name])
        if self._resources[name]["Type"] == "AWS::SQS::Queue":
            return _QUEUE_URL + self._physical_name(name)
        if self._resources[name]["Type"] == "AWS::SNS::Topic":
            return self._arn(name)
        return self._physical_name(name)

    def _arn(self, name: str) -> str:
        _, arn = _NAMED[self._resources[name]["Type"]]
        return "arn:aws:" + arn.format(region=REGION, account=ACCOUNT, name=self._physical_name(name))

    def _physical_name(self, name: str) -> str:
        """Return the name that the template gives the resource, or one as CloudFormation would make."""
        resource = self._resources[name]
        named, _ = _NAMED[resource["Type"]]
        return str(self.of(resource["Properties"].get(named, f"{STACK}-{name}-1ABCDEF")))
