"""The local cloud itself: whole batches, functions without other libraries, clear failures, complete clean-up."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.cloud import ROOT, LocalCloud, StepFailed
from local.endpoint import CloudEndpoint

pytestmark = pytest.mark.integration

REPORT = """
import sys
def handler(event, context):
    print("records", len(event.get("Records", [])))
    try:
        import botocore
    except ImportError:
        botocore = None
    return {"path": sys.path, "has_botocore": botocore is not None}
"""


def answers(endpoint: str) -> bool:
    return CloudEndpoint(endpoint).is_running


def eventually(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Return what `condition` returns as soon as that is true; fail if it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
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


def test_function_receives_as_many_messages_as_its_batch_size_allows(cloud: LocalCloud, function: str) -> None:
    # Given two hundred messages in a queue
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
    # Then one invocation receives them all, as in AWS, and the queue is empty
    eventually(lambda: cloud.queue_depth(queue).total == 0)
    assert "records 200" in eventually(lambda: cloud.log_lines(function))


def test_functions_can_import_only_python_and_their_own_code(cloud: LocalCloud, function: str) -> None:
    report = cloud.invoke(function, {})
    assert not report["has_botocore"]
    assert not [entry for entry in report["path"] if "site-packages" in entry]


def test_error_of_a_function_is_raised_with_its_log(cloud: LocalCloud, function: str) -> None:
    with pytest.raises(RuntimeError, match="report failed"):
        cloud.invoke(function, {"Records": 5})


def test_failed_deployment_names_the_resource_and_the_reason(cloud: LocalCloud, tmp_path: Path) -> None:
    """They come first, before the long list of resources that were rolled back."""
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
def test_nothing_outlives_the_block(tmp_path: Path, interruption: type[BaseException] | None) -> None:
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


def test_server_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    # Given a process that started the local cloud
    code = f"""
import json, pathlib, time
from local.cloud import LocalCloud
with LocalCloud(pathlib.Path({str(tmp_path)!r})) as cloud:
    print(json.dumps(cloud.endpoint), flush=True)
    time.sleep(600)
"""
    parent = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "infra")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    endpoint = json.loads(parent.stdout.readline())
    assert answers(endpoint)
    # When it is killed and can clean up nothing
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    # Then the server ends by itself
    eventually(lambda: not answers(endpoint))
