"""The local cloud: MiniStack, with the project's real template deployed to it by SAM CLI.

    with LocalCloud() as cloud:
        outputs = cloud.deploy("amazon-to-xero", AmazonApiUrl="http://127.0.0.1:8080")
        cloud.client("sqs").send_message(QueueUrl=outputs["OrdersQueueUrl"], MessageBody="{}")
        print(cloud.log_lines(outputs["OrdersFunctionName"]))

Inside the block the AWS settings of this process point at the local cloud, so that any AWS library used here reaches
it and nothing can reach a real account; afterwards they are what they were. Nothing survives the block: not the
processes, not the state. The tools' output stays in files beside each other, by default .run/*.log.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deployable.bundle import lambda_architecture
from local.tools import environment, ministack_interpreter, sam_command

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
#: MiniStack's account when the access key is not itself an account number.
ACCOUNT = "000000000000"
#: Seconds that MiniStack may take to answer after its start; about one on an idle machine.
START_TIMEOUT = 60
#: Seconds between asking processes to end and killing them.
STOP_TIMEOUT = 5
#: Lines of a tool's output that are repeated when it fails.
LINES_SHOWN = 40


class StepFailed(Exception):
    """A tool failed. The message names the step, repeats the end of the tool's output and says where the rest is.

    :param causes: what is known of the reason, shown before the output.
    """

    def __init__(self, step: str, log: Path, causes: Sequence[str] = ()) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        self.log = log
        known = "".join(f"\n  {cause}" for cause in causes)
        end = "".join(f"\n  {line}" for line in lines[-LINES_SHOWN:])
        super().__init__(f"{step} failed.{known}\nThe end of its output (all of it: {log}):{end}")


@dataclass(frozen=True)
class QueueDepth:
    """How many messages a queue holds."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


class LocalCloud:
    """MiniStack on a free loopback port, for the time of a ``with`` block.

    :param directory: where logs, the build and temporary files go. Two clouds at a time need two directories.
    """

    def __init__(self, directory: Path = ROOT / ".run") -> None:
        self.directory = directory
        self.endpoint = ""
        self._scratch = directory / "tmp"
        self._server: subprocess.Popen[bytes] | None = None
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:  # Ctrl-C included: __exit__ is not called for a block that was never entered
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop()

    # ── deployment ────────────────────────────────────────────────────────────────────────────────────────────────────

    def deploy(self, stack: str, template: Path = ROOT / "template.yaml", **parameters: str) -> dict[str, str]:
        """Build and deploy `template` as `stack`; return the stack's outputs by name.

        The parameters Architecture (this machine's) and ObservabilityStack (false: the local cloud does not know saved
        queries and archives) are set unless given.

        :raises StepFailed: SAM could not build or deploy; the message repeats its last lines.
        """
        build = self.directory / "build"
        overrides = {"Architecture": lambda_architecture(), "ObservabilityStack": "false"} | parameters
        self._sam("sam build", "build", "--template-file", str(template), "--build-dir", str(build))
        try:
            self._sam(
                "sam deploy",
                *("deploy", "--template-file", str(build / "template.yaml"), "--stack-name", stack),
                *("--config-file", str(ROOT / "samconfig.toml"), "--region", REGION, "--no-progressbar"),
                *("--parameter-overrides", *(f'{name}="{value}"' for name, value in overrides.items())),
            )
        except StepFailed as failure:
            # SAM's own account of a deployment ends with the long list of what was rolled back.
            raise StepFailed("sam deploy", failure.log, self._refusals(stack)) from None
        return self.outputs(stack)

    def _refusals(self, stack: str) -> list[str]:
        """Each resource that could not be created, with the reason; none when the stack was not even begun."""
        try:
            events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        except ClientError:
            return []
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        ]

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a deployed stack, by name."""
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def _sam(self, step: str, *arguments: str) -> None:
        log = self.directory / f"{step.replace(' ', '-')}.log"
        with log.open("wb") as output:
            tool = subprocess.Popen(
                sam_command(*arguments),
                cwd=ROOT,
                env=environment() | {"ARCHITECTURE": "local", "SAM_CLI_POLL_DELAY": "0.5"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                tool.wait()
            finally:
                _end_group(tool)
        if tool.returncode != 0:
            raise StepFailed(step, log)

    # ── looking inside ────────────────────────────────────────────────────────────────────────────────────────────────

    def client(self, service: str) -> Any:
        """A boto3 client of `service` in the local cloud."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 2}, connect_timeout=5, read_timeout=150),
        )

    def log_lines(self, function: str) -> list[str]:
        """What `function` wrote to its log group, oldest first, without Lambda's own START, END and REPORT lines.

        Lines appear after the invocation that wrote them has ended, some only with the next one.
        """
        group = self.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        events.sort(key=lambda event: event["timestamp"])
        platform = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
        return [event["message"] for event in events if not event["message"].startswith(platform)]

    def log_records(self, function: str) -> list[dict[str, Any]]:
        """The structured lines among :meth:`log_lines`, parsed. What is not JSON (a traceback, a print) is left out."""
        records = []
        for line in self.log_lines(function):
            with contextlib.suppress(json.JSONDecodeError):
                record = json.loads(line)
                if isinstance(record, dict):
                    records.append(record)
        return records

    def queue_depth(self, url: str) -> QueueDepth:
        """How many messages of the queue at `url` wait, are in work, and are delayed."""
        counts = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return QueueDepth(
            visible=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(counts["ApproximateNumberOfMessagesDelayed"]),
        )

    def set_visibility_timeout(self, url: str, seconds: int) -> None:
        """How long a message of the queue at `url` stays away after a receive that did not end in its deletion.

        The template's value is minutes, as in production. A run that waits for a failed message to come back sets
        seconds, on the deployed queue. Messages already in work keep their old timeout.
        """
        attributes = {"VisibilityTimeout": str(seconds)}
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Run `function` with `event` and return what it returned.

        :raises RuntimeError: the function raised; the message carries its error and the end of its log.
        """
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            log = "\n".join(self.log_lines(function)[-LINES_SHOWN:])
            raise RuntimeError(f"{function} failed: {payload}\n{log}")
        return payload

    @property
    def server_pid(self) -> int:
        """The local cloud's process; the workers that run functions are the others of its process group."""
        if self._server is None:
            raise RuntimeError("the local cloud does not run")
        return self._server.pid

    # ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        log = self.directory / "ministack.log"
        port = _free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        interpreter = ministack_interpreter()
        with log.open("wb") as output:
            self._server = subprocess.Popen(
                [interpreter, "-I", ROOT / "infra" / "local" / "ministack_server.py"],
                cwd=self._scratch,
                # Functions inherit this environment: only what any of them would find in the cloud, too.
                env={
                    "PATH": os.defpath,
                    "HOME": str(self._scratch),
                    "TMPDIR": str(self._scratch),
                    "LANG": "C.UTF-8",
                    "GATEWAY_PORT": str(port),
                    "BIND_HOST": "127.0.0.1",
                    "MINISTACK_REGION": REGION,
                    "AWS_EC2_METADATA_DISABLED": "true",
                },
                stdin=subprocess.PIPE,  # held open: the server ends when it closes
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(f"{self.endpoint}/_ministack/health"):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise StepFailed("Starting the local cloud", log)
            time.sleep(0.1)
        self._undo.enter_context(_aws_settings(self.endpoint))

    def _stop(self) -> None:
        self._undo.close()
        if self._server is not None:
            _end_group(self._server)
            if self._server.stdin is not None:
                self._server.stdin.close()
            self._server = None
        shutil.rmtree(self._scratch, ignore_errors=True)


@contextlib.contextmanager
def _aws_settings(endpoint: str) -> Iterator[None]:
    """Point this process, and those that it starts, at `endpoint`; hide every profile and credential they had."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ |= before


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - a fixed scheme, on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """End `leader` and every process of its group, politely first. Harmless when they are gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            leader.wait(STOP_TIMEOUT)
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
