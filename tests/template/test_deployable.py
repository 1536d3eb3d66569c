"""The deployable, built as SAM builds it: small, complete, for the right processor, and fast to import."""

import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deployable.bundle import AWS_SERVICES, FUNCTIONS, WHEELS, bundle, handler_modules, lambda_architecture

#: Bytes that each deployment uploads, and that Lambda loads before a cold start.
LARGEST_ZIP = 10_000_000
#: ELF's number of the processor (System V ABI, e_machine), in the header of every shared library.
PROCESSORS = {"arm64": 0xB7, "x86_64": 0x3E}
#: Of the flags in a .pyc: bit 0 hash instead of file time, bit 1 compare the hash with the source (PEP 552).
UNCHECKED_HASH = 0b01


@pytest.fixture(scope="module", params=WHEELS)
def deployable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return Lambda's name of a processor, and the folder with the deployable for it."""
    out = tmp_path_factory.mktemp(request.param) / "deployable"
    bundle(out, request.param)
    return request.param, out


@pytest.fixture(scope="module")
def runnable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the deployable for this machine's processor."""
    out = tmp_path_factory.mktemp("runnable") / "deployable"
    bundle(out, lambda_architecture())
    return out


def run(deployable: Path, code: str, **environment: str) -> str:
    """Return what `code` prints, run by the bare interpreter, which can import from the deployable only."""
    script = f"import sys; sys.path.insert(0, {str(deployable)!r})\n{code}"
    # -I: no environment variables, no current folder; -S: no site-packages; -B: no bytecode is written.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-I", "-S", "-B", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_zip_is_at_most_ten_megabytes(deployable: tuple[str, Path], tmp_path: Path) -> None:
    _, folder = deployable
    archive = tmp_path / "deployable.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in folder.rglob("*"):
            zipped.write(path, path.relative_to(folder))
    assert archive.stat().st_size <= LARGEST_ZIP


def test_compiled_libraries_are_for_the_requested_processor(deployable: tuple[str, Path]) -> None:
    architecture, folder = deployable
    libraries = list(folder.rglob("*.so"))
    assert libraries, "pydantic alone brings one"
    for library in libraries:
        header = library.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == PROCESSORS[architecture], library.name


def test_no_module_is_compiled_at_a_cold_start(deployable: tuple[str, Path]) -> None:
    """Unpacked files have other times than a .pyc records, so it must be one that Python uses without checking."""
    _, folder = deployable
    modules = list(folder.rglob("*.py"))
    assert len(modules) > 500
    for module in modules:
        compiled = Path(importlib.util.cache_from_source(str(module)))
        assert compiled.read_bytes()[4:8] == UNCHECKED_HASH.to_bytes(4, "little"), module.relative_to(folder)


def test_equal_sources_build_an_equal_deployable(tmp_path: Path) -> None:
    """Otherwise every deployment would update every function."""
    contents = []
    for name in ("first", "second"):
        out = tmp_path / name
        bundle(out, lambda_architecture())
        files = sorted(path for path in (out / "amazon_to_xero").rglob("*") if path.is_file())
        contents.append([(path.relative_to(out), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_handlers_import_from_the_deployable_alone(runnable: Path) -> None:
    """Every dependency is in it: the project's environment and Lambda's own boto3 are not used."""
    modules = handler_modules()
    code = "".join(f"import {module}; print({module}.__file__)\n" for module in modules)
    printed = run(runnable, code).split()
    assert printed == [str(runnable / f"{module.replace('.', '/')}.py") for module in modules]


def test_every_function_folder_has_its_handler_in_the_deployable(runnable: Path) -> None:
    folders = {module.parent.name for module in FUNCTIONS.glob("*/__init__.py")} - {"amazon_to_xero"}
    assert {module.partition(".")[0] for module in handler_modules()} == folders
    assert all((runnable / folder / "handler.py").is_file() for folder in folders)


def test_every_aws_service_that_the_functions_call_is_in_the_deployable() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in FUNCTIONS.rglob("*.py"))
    called = set(re.findall(r"""boto3\.client\(\s*["']([a-z0-9-]+)["']""", sources))
    assert {"sns", "sqs"} <= called
    assert called <= AWS_SERVICES


def test_client_of_every_aws_service_in_use_can_be_created(runnable: Path) -> None:
    code = f"""
import boto3
for service in {sorted(AWS_SERVICES)}:
    boto3.client(service, region_name="eu-west-1")
print(boto3.client("sqs", region_name="eu-west-1").meta.endpoint_url)
"""
    assert run(runnable, code).strip() == "https://sqs.eu-west-1.amazonaws.com"


def test_https_finds_certificates_in_the_deployable(runnable: Path) -> None:
    code = """
import httpx, ssl, certifi
from botocore.httpsession import get_cert_path
assert get_cert_path(True) == certifi.where()
print(len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs()))
"""
    assert int(run(runnable, code)) > 100


def test_time_zones_do_not_depend_on_the_operating_system(runnable: Path) -> None:
    code = """
import zoneinfo
zoneinfo.reset_tzpath(())
print(zoneinfo.ZoneInfo("Pacific/Auckland"), zoneinfo.ZoneInfo("America/New_York"))
"""
    assert run(runnable, code).strip() == "Pacific/Auckland America/New_York"
