"""The output of `make preflight` against the sandbox Xero, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sandboxes import Sandbox, sandbox
from local.stack import SETTINGS
from operations import preflight
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN


@pytest.fixture(scope="module")
def xero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox("xero", log=tmp_path_factory.mktemp("xero") / "log") as running:
        yield running


def run(xero: Sandbox, folder: Path, *more: str, refresh_token: str = "", **changed: Any) -> int:
    document = json.loads(SETTINGS.read_text(encoding="utf-8")) | changed
    document["xero"] = {"tenant_id": xero.control("GET", "books")["Organisations"][0]["OrganisationID"]}
    secrets: dict[str, dict[str, str]] = {
        "amazon": {"client_id": "a", "client_secret": "b", "refresh_token": "c"},
        "xero": {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET},
    }
    if refresh_token:
        secrets["xero"]["refresh_token"] = refresh_token
    files = {"settings": folder / "settings.json", "secrets": folder / "secrets.json"}
    files["settings"].write_text(json.dumps(document), encoding="utf-8")
    files["secrets"].write_text(json.dumps(secrets), encoding="utf-8")
    endpoints = ["--xero-api-url", xero.url, "--xero-token-url", f"{xero.url}/connect/token"]
    return preflight.main(["--settings", str(files["settings"]), "--secrets", str(files["secrets"]), *endpoints, *more])


def proposed_rules(output: str) -> list[dict[str, Any]]:
    text = output[output.index('"rules": [') + len('"rules": ') :]
    rules: list[dict[str, Any]] = json.loads(text[: text.index("\n  ]") + 4])
    return rules


def test_invalid_setting_is_reported_with_its_remedy(
    xero: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = json.loads(SETTINGS.read_text(encoding="utf-8"))["accounts"] | {"item": "999"}

    assert run(xero, tmp_path, accounts=accounts) == 1

    output = capsys.readouterr().out
    assert "ACCOUNT_UNKNOWN: The organisation has no account 999" in output
    assert "NO_CLEARING" in output  # Australian dollars have no clearing account in the example settings


def test_proposed_tax_rules_are_valid_settings(
    xero: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(xero, tmp_path)
    rules = proposed_rules(capsys.readouterr().out)

    again = run(xero, tmp_path, tax={"rules": rules})

    output = capsys.readouterr().out
    assert {"OUTPUT2", "NONE"} <= {rule["tax_type"] for rule in rules}
    assert "TAX_" not in output.partition("proposed tax rules")[0]  # every rule is valid for this organisation
    assert again == 1  # a currency still has no clearing account
    assert proposed_rules(output) == rules


def test_preflight_never_uses_the_refresh_token_of_the_deployed_functions(
    xero: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(xero.control("GET", "calls"))

    assert run(xero, tmp_path, refresh_token=DEFAULT_REFRESH_TOKEN) == 1

    assert "Run make connect first" in capsys.readouterr().err
    assert not [call for call in xero.control("GET", "calls")[before:] if "connect" in call["path"]]
