"""Compute what CloudFormation receives: template.yaml after the Serverless transform, without an AWS account.

cfn-lint checks the result as well as the source, because a mistake in what SAM expands (an event source mapping, a
schedule) is only visible afterwards. The template's tests read the same result.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.managed_policy_translator import (  # type: ignore[import-untyped]  # ships no types
    ManagedPolicyLoader,
)
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]  # ships no type information
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # ships no type information

ROOT = Path(__file__).resolve().parents[2]


class _NoManagedPolicies(ManagedPolicyLoader):  # type: ignore[misc]  # its base ships no type information
    """Replaces SAM's look-up of managed policies in an AWS account; the template names none."""

    def __init__(self) -> None:
        super().__init__(None)

    def load(self) -> dict[str, str]:
        return {}


def parsed(path: Path) -> dict[str, Any]:
    """Return the template at `path` as written, with !Ref and other short forms expanded."""
    template: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return template


def transformed(path: Path = ROOT / "template.yaml", parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the CloudFormation template that SAM makes of `path`, with `parameters` in place of the defaults.

    :raises samtranslator.model.exceptions.InvalidDocumentException: SAM rejects the template.
    """
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # the transform needs a region, for its partition
    template = parsed(path)
    # `sam deploy` uploads these before the transform, which accepts only addresses in S3.
    template["Globals"]["Function"]["CodeUri"] = "s3://packaged/deployable.zip"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            resource["Properties"]["TemplateURL"] = "https://s3.amazonaws.com/packaged/template.yaml"
    values = {name: rule["Default"] for name, rule in template["Parameters"].items()} | dict(parameters or {})
    result: dict[str, Any] = transform(template, values, _NoManagedPolicies())
    return result


def main() -> None:
    """Write the transformed template to the file named on the command line."""
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(transformed(), indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
