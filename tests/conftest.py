"""What every test relies on: what a function's environment gives the runtime, and how property tests draw examples."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "tests")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

# A property draws the same examples in every run, so that a red run always means the change. Fresh ones, as make sim
# draws fresh worlds: --hypothesis-profile fresh. A busy machine may take its time: a slow example is no failure.
settings.register_profile("fresh", deadline=None)
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.load_profile("fixed")
