"""`make preflight`: what Xero or AWS refuses is explained with what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from fakes.settings import settings
from operations import logs, preflight
from operations.connection_secret import store_part
from sandbox.wire import Fault, SandboxClock
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, XeroSandbox
from unit.adapters.live_sandboxes import listening
from unit.operations.aws_account import NAME, StubAws, documents, install, operators_secrets


class Preflight:
    """The command against the sandbox Xero, with a custom connection."""

    def __init__(self, xero: XeroSandbox, url: str, folder: Path) -> None:
        self.xero = xero
        self._urls = ["--xero-api-url", url, "--xero-token-url", f"{url}/connect/token"]
        self._folder = folder
        self.addresses = {"XERO_API_URL": url, "XERO_TOKEN_URL": f"{url}/connect/token"}  # of a stack's functions

    def run(self, *options: str, tenant: str = "", **credentials: str) -> int:
        document = settings()
        document["xero"]["tenant_id"] = tenant or self.xero.tenant_id
        xero = {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET} | credentials
        files = documents(self._folder, json.dumps(document), operators_secrets(xero=xero))
        return preflight.main([*files, *self._urls, *options])

    def run_without_secrets(self, *options: str) -> int:
        document = settings()
        document["xero"]["tenant_id"] = self.xero.tenant_id
        named_settings = documents(self._folder, json.dumps(document))[:2]
        return preflight.main([*named_settings, *options])


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Preflight]:
    xero = XeroSandbox(SandboxClock())
    with listening(xero) as url:
        yield Preflight(xero, url, tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"client_secret": "S3CRET-wrong"}, {"tenant": "00000000-0000-4000-8000-00000000ffff"}]
)
def test_refusal_of_xero_names_the_fields_to_check(
    command: Preflight, capsys: pytest.CaptureFixture[str], wrong: dict[str, Any]
) -> None:
    assert command.run(**wrong) == 1

    error = capsys.readouterr().err
    assert "Xero refuses the credentials" in error
    assert "xero.tenant_id of the settings" in error
    assert "S3CRET" not in error


def test_outage_of_xero_says_to_run_it_again(command: Preflight, capsys: pytest.CaptureFixture[str]) -> None:
    command.xero.faults.append(Fault("fail", path="/api.xro/", status=503, times=9))

    assert command.run() == 1

    assert "Run it again in a few minutes" in capsys.readouterr().err


def test_missing_stack_and_missing_credentials_of_aws_are_explained(
    command: Preflight, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = install(monkeypatch, StubAws())
    assert command.run("--stack", "mistyped", refresh_token="token") == 1
    assert "there is no stack mistyped" in capsys.readouterr().err

    aws.problem = NoCredentialsError()
    assert command.run("--stack", "stack", refresh_token="token") == 1
    assert "Sign in (aws sso login)" in capsys.readouterr().err


def test_stack_of_an_earlier_version_is_reported(
    command: Preflight, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, StubAws())  # its outputs name no key

    assert command.run("--stack", "stack", refresh_token="token") == 1

    assert "is of an earlier version. Run make deploy first" in capsys.readouterr().err


def test_logs_of_a_missing_stack_are_explained_in_the_same_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, StubAws())

    assert logs.main(["--stack", "mistyped"]) == 1

    assert "there is no stack mistyped" in capsys.readouterr().err


def test_preflight_uses_the_credentials_that_connect_xero_has_stored(
    command: Preflight, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = install(monkeypatch, StubAws())
    aws.environment = command.addresses
    credentials = {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}

    assert command.run_without_secrets("--stack", "stack") == 1
    assert 'run make operate DO="connect xero"' in capsys.readouterr().err

    store_part(NAME, "xero", credentials)
    command.run_without_secrets("--stack", "stack")
    assert command.xero.books.organisation["Name"] in capsys.readouterr().out
