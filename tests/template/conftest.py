"""The template as CloudFormation receives it, computed once for all tests."""

from typing import Any

import pytest

from deployable.transform import ROOT, parsed, transformed


@pytest.fixture(scope="session")
def resources() -> dict[str, dict[str, Any]]:
    """Return logical id -> resource of template.yaml, after the Serverless transform."""
    found: dict[str, dict[str, Any]] = transformed()["Resources"]
    return found


@pytest.fixture(scope="session")
def observability() -> dict[str, Any]:
    """Return the nested template with alarms, dashboard, saved queries and archive."""
    return parsed(ROOT / "infra" / "observability.yaml")
