"""The template as CloudFormation sees it, worked out once for all tests."""

from typing import Any

import pytest

from deployable.transform import ROOT, parsed, transformed


@pytest.fixture(scope="session")
def resources() -> dict[str, dict[str, Any]]:
    """Logical id -> resource of template.yaml, after the Serverless transform."""
    found: dict[str, dict[str, Any]] = transformed()["Resources"]
    return found


@pytest.fixture(scope="session")
def observability() -> dict[str, Any]:
    """The nested template with alarms, dashboard, saved queries and archive."""
    return parsed(ROOT / "infra" / "observability.yaml")
