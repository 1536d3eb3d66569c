"""The local cloud: MiniStack, with the project's real template deployed to it by SAM CLI.

    with LocalCloud() as cloud:
        outputs = cloud.deploy("amazon-to-xero", AmazonApiUrl="http://127.0.0.1:8080")
        cloud.client("sqs").send_message(QueueUrl=outputs["OrdersQueueUrl"], MessageBody="{}")
        print(cloud.log_lines(outputs["OrdersFunctionName"]))

Inside the block the AWS settings of this process point at the local cloud: any AWS library used here reaches it, and
nothing can reach a real account. Afterwards the settings are restored. Nothing outlives the block, neither processes
nor state. The tools' output stays in one folder, by default .run/*.log.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deployable.bundle import lambda_architecture
from local.endpoint import LINES_SHOWN, REGION, CloudEndpoint
from local.tools import environment, ministack_interpreter, sam_command
from operations.failed_resources import failed_resources

ROOT = Path(__file__).resolve().parents[2]
#: Seconds within which MiniStack must answer after its start. It takes about one on an idle machine.
START_TIMEOUT = 60
#: Seconds between SIGTERM and SIGKILL.
STOP_TIMEOUT = 5


class StepFailed(Exception):
    """A tool failed. The message names the step, the end of the tool's output, and the file with all of it.

    :param causes: known reasons, shown before the output.
    """

    def __init__(self, step: str, log: Path, causes: Sequence[str] = ()) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        self.log = log
        reasons = "".join(f"\n  {cause}" for cause in causes)
        end = "".join(f"\n  {line}" for line in lines[-LINES_SHOWN:])
        super().__init__(f"{step} failed.{reasons}\nThe end of its output (all of it: {log}):{end}")


class LocalCloud(CloudEndpoint):
    """MiniStack on a free loopback port, running for the time of a ``with`` block.

    :param directory: receives logs, the build and temporary files. Two clouds at the same time need two directories.
    """

    def __init__(self, directory: Path = ROOT / ".run") -> None:
        super().__init__("")
        self.directory = directory
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

        The parameters Architecture (this machine's) and ObservabilityStack (false: the local cloud does not support
        saved queries and archives) are set unless given.

        :raises StepFailed: SAM failed to build or deploy; the message repeats the end of its output.
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
            # SAM's output ends with the long list of resources that were rolled back.
            raise StepFailed(
                "sam deploy", failure.log, failed_resources(self.client("cloudformation"), stack)
            ) from None
        return self.outputs(stack)

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

    @property
    def server_pid(self) -> int:
        """The process id of the local cloud; the workers that run functions are the rest of its process group."""
        if self._server is None:
            raise RuntimeError("the local cloud is not running")
        return self._server.pid

    # ── start and stop ────────────────────────────────────────────────────────────────────────────────────────────────

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
                # Functions inherit this environment, so it has only what they would find in the cloud as well.
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
                stdin=subprocess.PIPE,  # kept open: the server ends when it closes
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_running:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise StepFailed("Starting the local cloud", log)
            time.sleep(0.1)
        self._undo.enter_context(aws_settings(self.endpoint))

    def _stop(self) -> None:
        self._undo.close()
        if self._server is not None:
            _end_group(self._server)
            if self._server.stdin is not None:
                self._server.stdin.close()
            self._server = None
        shutil.rmtree(self._scratch, ignore_errors=True)


@contextlib.contextmanager
def aws_settings(endpoint: str) -> Iterator[None]:
    """Direct AWS libraries in this process and its children to `endpoint`; hide any profiles and credentials."""
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


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """End `leader` and every process of its group: SIGTERM first, then SIGKILL. Does nothing if they have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            leader.wait(STOP_TIMEOUT)
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
