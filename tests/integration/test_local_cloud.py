"""The local cloud itself: whole batches, bare functions, clear failures, and nothing left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.cloud import ROOT, LocalCloud, StepFailed

pytestmark = pytest.mark.integration

REPORT = """
import sys
def handler(event, context):
    print("records", len(event.get("Records", [])))
    try:
        import botocore
    except ImportError:
        botocore = None
    return {"path": sys.path, "borrowed": botocore is not None}
"""


def answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False


def eventually(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """What `condition` returns once that is true; fails when it never becomes true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with LocalCloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("report.py", REPORT)
    cloud.client("logs").create_log_group(logGroupName="report")
    cloud.client("lambda").create_function(
        FunctionName="report",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/report",
        Handler="report.handler",
        Code={"ZipFile": archive.getvalue()},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "report"},
    )
    return "report"


def test_a_function_is_handed_as_many_messages_as_its_batch_size_allows(cloud: LocalCloud, function: str) -> None:
    # Given two hundred messages that wait
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="many")["QueueUrl"]
    for _ in range(20):
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": "{}"} for n in range(10)])
    assert cloud.queue_depth(queue).visible == 200
    # When a mapping with a larger batch size is created
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.client("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=arn, BatchSize=1000, MaximumBatchingWindowInSeconds=1
    )
    # Then one invocation gets them all, as in AWS, and the queue is empty
    eventually(lambda: cloud.queue_depth(queue).total == 0)
    assert "records 200" in eventually(lambda: cloud.log_lines(function))


def test_functions_can_import_nothing_but_python_and_their_own_code(cloud: LocalCloud, function: str) -> None:
    report = cloud.invoke(function, {})
    assert not report["borrowed"]
    assert not [entry for entry in report["path"] if "site-packages" in entry]


def test_an_error_of_a_function_is_shown_with_its_log(cloud: LocalCloud, function: str) -> None:
    with pytest.raises(RuntimeError, match="report failed"):
        cloud.invoke(function, {"Records": 5})


def test_a_deployment_that_fails_says_why(cloud: LocalCloud, tmp_path: Path) -> None:
    """First of all the resource and the reason, not the long list of what was rolled back."""
    template = tmp_path / "template.yaml"
    parameter = "{Type: String, Default: x}"
    template.write_text(
        f"Parameters: {{Architecture: {parameter}, ObservabilityStack: {parameter}}}\n"
        "Resources:\n"
        "  Watch: {Type: 'AWS::CloudWatch::Alarm', Properties: {Metrics: [{Id: a, Expression: '1'}], Threshold: 1,\n"
        "    EvaluationPeriods: 1, ComparisonOperator: GreaterThanThreshold}}\n",
        encoding="utf-8",
    )
    with pytest.raises(StepFailed, match=r"^sam deploy failed\.\n  Watch \(AWS::CloudWatch::Alarm\): .*supported"):
        cloud.deploy("refused", template)


@pytest.mark.parametrize("interruption", [None, KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_the_block(tmp_path: Path, interruption: type[BaseException] | None) -> None:
    before = dict(os.environ)
    raised: type[BaseException] | None = None
    try:
        with LocalCloud(tmp_path) as started:
            endpoint, server = started.endpoint, started._server
            assert answers(endpoint)
            assert os.environ["AWS_ENDPOINT_URL"] == endpoint
            if interruption:
                raise interruption
    except (KeyboardInterrupt, ValueError) as error:
        raised = type(error)
    assert raised is interruption
    assert not answers(endpoint)
    assert server is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(server.pid, 0)
    assert dict(os.environ) == before
    assert [path.name for path in tmp_path.iterdir()] == ["ministack.log"]


def test_the_server_ends_even_when_its_starter_is_killed(tmp_path: Path) -> None:
    # Given a process that started the local cloud
    code = f"""
import json, pathlib, time
from local.cloud import LocalCloud
with LocalCloud(pathlib.Path({str(tmp_path)!r})) as cloud:
    print(json.dumps(cloud.endpoint), flush=True)
    time.sleep(600)
"""
    starter = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "infra")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    endpoint = json.loads(starter.stdout.readline())
    assert answers(endpoint)
    # When it is killed and can clean up nothing
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    # Then the server goes by itself
    eventually(lambda: not answers(endpoint))
