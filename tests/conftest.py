"""What every test relies on: what a function's environment gives the runtime, and how property tests draw examples."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "tests")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

# A property draws the same examples in every run, so that a red run always means the change. Fresh ones, as make sim
# draws fresh worlds: --hypothesis-profile fresh. A busy machine may take its time: a slow example is no failure.
settings.register_profile("fresh", deadline=None)
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.load_profile("fixed")


def pytest_configure(config: pytest.Config) -> None:
    """Leave out of the fixed examples the constants of the project's modules.

    Hypothesis collects them from whatever a process has imported so far, so that the examples of a property would
    depend on the tests that ran before it in the same process.
    """
    if config.getoption("--hypothesis-profile") in (None, "fixed"):
        none = Constants()
        assert callable(providers._get_local_constants)  # otherwise a newer Hypothesis collects them elsewhere
        providers._get_local_constants = lambda: none
