"""Build the deployable: functions/ and the locked dependencies, for the processor that will run them.

All functions share one deployable. SAM asks for it once per function (``make build-<FunctionLogicalId>``), so the
dependencies are installed only once, into a folder of ``.build/`` named after a hash of everything that determines its
content, and hard-linked from there.

Three things distinguish it from an ordinary ``pip install --target``:

* The wheels are those of the target platform, checked against the hashes in uv.lock, whatever machine builds.
* The parts of the SDKs that never run here are left out (botocore alone describes every AWS service in 28 MB).
* The bytecode does not depend on file times. A deployment package is read-only and its unpacked files have other times
  than the sources had, so Python would compile every module again at each cold start.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
BUILD = ROOT / ".build"
UV = ROOT / ".tools" / "bin" / "uv"

#: Lambda's name of a processor -> the platform whose wheels run there (Amazon Linux 2023 has glibc 2.34).
WHEELS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
#: "native" takes the wheels of this machine: for a local cloud on something other than Linux.
ARCHITECTURES = (*WHEELS, "native")
#: The folder into which Lambda unpacks the deployable. Bytecode contains it, so that equal sources give equal bytes.
TASK_ROOT = "/var/task"

#: The AWS services that the functions call. A client of any other service raises botocore's UnknownServiceError.
AWS_SERVICES = {"dynamodb", "events", "kms", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts"}
#: The APIs of Amazon that the functions call. Importing one imports the package, which would import all sixty.
AMAZON_APIS = {"finances", "inventories", "notifications", "orders"}
#: What Powertools' class for messages of SQS is made of. Its package would import the classes of all forty services.
POWERTOOLS_EVENTS = {"common", "event_bridge_event", "s3_event", "shared_functions", "sns_event", "sqs_event"}
#: Installed, but read by no function. Each must exist: a name that disappeared means that upstream has changed.
UNUSED = (
    # xero-python: the APIs other than accounting, each self-contained ...
    *(f"xero_python/{api}" for api in ("appstore", "assets", "file", "finance", "project")),
    *(f"xero_python/{payroll}" for payroll in ("payrollau", "payrollauv2", "payrollnz", "payrolluk")),
    # ... and setuptools, which it declares as a requirement although only its own installation needs it
    "setuptools",
    "_distutils_hack",
    "distutils-precedence.pth",
    # python-amazon-sp-api: the same API again for asyncio; httpx imports anyio only if it is installed
    "sp_api/asyncio",
    "anyio",
    # Powertools: what no function imports. Importing one module of the package parameters imports all of them.
    "aws_lambda_powertools/event_handler",
    *(
        f"aws_lambda_powertools/utilities/{utility}"
        for utility in (
            *("auth_alpha", "batch", "circuit_breaker", "data_masking", "feature_flags", "idempotency", "kafka"),
            *("metadata", "parser", "streaming", "validation"),
        )
    ),
    "aws_lambda_powertools/metrics/provider/datadog",  # metrics go to CloudWatch
    "pydantic/v1",  # for models written for version 1
    "pydantic/experimental",
    "pydantic/mypy.py",
    "boto3/ec2",  # boto3 imports it for clients of that service
    "s3transfer/crt.py",  # boto3 imports it where the AWS common runtime is installed
    "s3transfer/processpool.py",  # for downloads by several processes
    "botocore/cacert.pem",  # botocore reads certifi's where that is installed
    "dateutil/rrule.py",  # dateutil imports it to read calendars
    "dateutil/easter.py",
    "botocore/stub.py",  # for tests of clients
    "urllib3/contrib/emscripten",  # urllib3 imports it in a browser
    "urllib3/contrib/pyopenssl.py",  # for another library of TLS than Python's own
    "urllib3/contrib/socks.py",  # for proxies of that kind
    "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",  # a second set of time zones; tzdata has them too
    "tzdata/zoneinfo/tzdata.zi",  # the source from which tzdata's zones were compiled
    "bin",
    ".lock",  # uv's
)
#: Found by pattern: type stubs, C sources, tests, and the records of the installation. Nothing reads a package's
#: version at run time, and pydantic would read each record at every cold start, looking for plugins.
UNUSED_PATTERNS = (
    "*.dist-info",
    "**/py.typed",
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.c",
    "**/*.h",
    "yaml/_yaml.*",  # the compiled half of PyYAML: confuse imports yaml, but nothing here parses any
    "**/tests",
    "**/__pycache__",
    "tzdata/zoneinfo/*.tab",
    "botocore/data/*/*/examples-1.json",
)


def local_architecture() -> str:
    """Return the architecture that runs on this machine: Lambda's own build on Linux, native wheels elsewhere."""
    return lambda_architecture() if sys.platform == "linux" else "native"


def lambda_architecture() -> str:
    """Return Lambda's name ("arm64" or "x86_64") of this machine's processor."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def handler_modules(functions: Path = FUNCTIONS) -> list[str]:
    """Return the names of the modules that hold the handlers, one per function: ["orders.handler", ...]."""
    return sorted(f"{handler.parent.name}.handler" for handler in functions.glob("*/handler.py"))


def install(tree: Path, architecture: str) -> None:
    """Install the locked run-time dependencies into `tree`, complete and without bytecode.

    :raises subprocess.CalledProcessError: uv failed; its message is on standard error.
    """
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        export = ["export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--output-file", str(requirements)]
        subprocess.run([UV, *export], check=True, cwd=ROOT)
        target = ["--python-version", "3.13", "--python-platform", WHEELS[architecture]]
        subprocess.run(
            [
                *(UV, "pip", "install", "--quiet", "--require-hashes", "--requirements", requirements),
                *("--target", tree, "--python", sys.executable),
                *(target if architecture in WHEELS else ()),
                # A source distribution could compile for this machine. Only xero-python, pure Python, has no wheel.
                *("--only-binary", ":all:", "--no-binary", "xero-python"),
            ],
            check=True,
            cwd=ROOT,
        )


def prune(tree: Path) -> None:
    """Delete from `tree` what no function reads.

    :raises FileNotFoundError: a name in UNUSED does not exist.
    """
    unused = [tree / name for name in UNUSED]
    for package in ("botocore", "boto3"):
        unused += [
            entry for entry in (tree / package / "data").iterdir() if entry.is_dir() and entry.name not in AWS_SERVICES
        ]
    apis = tree / "sp_api" / "api"
    unused += [entry for entry in apis.iterdir() if entry.is_dir() and entry.name not in AMAZON_APIS]
    events = tree / "aws_lambda_powertools" / "utilities" / "data_classes"
    unused += [entry for entry in events.iterdir() if entry.stem not in {"__init__", *POWERTOOLS_EVENTS}]
    for entry in unused:
        _delete(entry)
    _replace(apis / "__init__.py", "")
    _replace(events / "__init__.py", "from .s3_event import S3Event\n")  # which sqs_event imports from the package
    for pattern in UNUSED_PATTERNS:
        for entry in list(tree.glob(pattern)):
            _delete(entry)


def drop_documentation(tree: Path) -> None:
    """Take the texts for readers out of botocore's descriptions of services: two thirds of what a client loads."""
    for description in tree.glob("botocore/data/*/*/service-2.json.gz"):
        model = _without_documentation(json.loads(gzip.decompress(description.read_bytes())))
        _replace(description, gzip.compress(json.dumps(model, separators=(",", ":")).encode(), mtime=0))


def _without_documentation(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_documentation(each) for each in part]
    if not isinstance(part, dict):
        return part
    # A member of an API may have the name "documentation", too: that is an object.
    kept = {name: each for name, each in part.items() if name != "documentation" or not isinstance(each, str)}
    return {
        # botocore reads the texts of these parameters of a client, which S3 has.
        name: each if name == "clientContextParams" else _without_documentation(each)
        for name, each in kept.items()
    }


def _replace(file: Path, content: str | bytes) -> None:
    file.unlink()  # it may be a hard link into uv's cache, which must stay as it is
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def _delete(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def compile_bytecode(tree: Path, *folders: Path) -> None:
    """Compile every module in `folders` of `tree` to bytecode that Python uses without checking the source.

    :raises subprocess.CalledProcessError: a module does not compile; its name and error were printed.
    """
    options: list[str | Path] = ["--invalidation-mode", "unchecked-hash", "-s", tree, "-p", TASK_ROOT]
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", *options, *folders], check=True)


def dependencies(architecture: str) -> Path:
    """Return the folder with the pruned and compiled dependencies for `architecture`; install them if it is missing.

    The folder's name contains a hash of what determines its content: the lock file, the rules above and the target.
    """
    digest = hashlib.sha256()
    for part in (ROOT / "uv.lock", Path(__file__)):
        digest.update(part.read_bytes())
    digest.update(f"{architecture} {platform.python_version()}".encode())
    finished = BUILD / f"dependencies-{architecture}-{digest.hexdigest()[:16]}"
    if finished.is_dir():
        return finished

    BUILD.mkdir(exist_ok=True)
    for superseded in BUILD.glob(f"dependencies-{architecture}-*"):
        if superseded != finished:  # a concurrent build may just have finished it
            shutil.rmtree(superseded, ignore_errors=True)
    # Under another name until complete: an interrupted build must not be taken for a finished one.
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=BUILD))
    try:
        install(unfinished, architecture)
        prune(unfinished)
        drop_documentation(unfinished)
        compile_bytecode(unfinished, unfinished)
        unfinished.rename(finished)
    except OSError:
        if not finished.is_dir():  # otherwise a concurrent build finished first, with the same content
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return finished


def bundle(out: Path, architecture: str, functions: Path = FUNCTIONS) -> None:
    """Put the complete deployable into `out`, whose previous content is deleted.

    :param architecture: one of ARCHITECTURES.
    :param functions: the folder whose packages hold the handlers.
    """
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(dependencies(architecture), out, symlinks=True, copy_function=_link_or_copy)
    packages = [module.parent for module in functions.glob("*/__init__.py")]
    for package in packages:
        shutil.copytree(package, out / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    compile_bytecode(out, *(out / package.name for package in packages))


def _link_or_copy(source: str, destination: str) -> None:
    """Hard-link a file that nobody changes, thirty times faster than a copy; copy it where the disk has no links."""
    try:
        os.link(source, destination)
    except OSError:  # another disk, or a file system without hard links
        shutil.copy2(source, destination)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the deployable of all functions into a folder.")
    parser.add_argument("--out", type=Path, required=True, help="the folder; its previous content is deleted")
    parser.add_argument(
        "--architecture",
        choices=(*ARCHITECTURES, "local"),
        default=os.environ.get("ARCHITECTURE") or "arm64",
        help="processor that will run it; local: this machine's. Default: $ARCHITECTURE, else arm64",
    )
    arguments = parser.parse_args()
    architecture = local_architecture() if arguments.architecture == "local" else arguments.architecture
    bundle(arguments.out.resolve(), architecture)


if __name__ == "__main__":
    main()
