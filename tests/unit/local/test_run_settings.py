"""`make run SETTINGS=file`: parts of the settings replace those of infra/local/connection.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from local.cloud import LocalCloud
from local.settings import CONNECTION_JSON, merged, read_parts
from local.stack import deployed

DEFAULT: dict[str, Any] = json.loads(CONNECTION_JSON.read_text(encoding="utf-8"))


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.json"
    file.write_text(text, encoding="utf-8")
    return file


def test_given_fields_replace_those_of_their_part_and_the_rest_stays() -> None:
    settings = merged(DEFAULT, {"accounts": {"item": "201"}, "invoices": {"per": "shipment"}})

    assert settings["accounts"] == DEFAULT["accounts"] | {"item": "201"}
    assert settings["invoices"] == {"per": "shipment"}
    assert settings["tax"] == DEFAULT["tax"]
    assert parse(ConnectionSettings, json.dumps(settings), "the settings").invoices.per == "shipment"


def test_given_field_is_replaced_as_a_whole() -> None:
    settings = merged(DEFAULT, {"accounts": {"clearing": {"GBP": "CLR"}}, "tax": {"rules": []}})

    assert settings["accounts"]["clearing"] == {"GBP": "CLR"}
    assert settings["tax"]["rules"] == []


def test_part_that_is_no_object_is_replaced() -> None:
    assert merged(DEFAULT, {"start": "2026-11-01T00:00:00Z"})["start"] == "2026-11-01T00:00:00Z"


def test_merging_leaves_the_default_settings_unchanged() -> None:
    before = json.dumps(DEFAULT)

    merged(DEFAULT, {"accounts": {"item": "201"}, "start": "2026-11-01T00:00:00Z"})

    assert json.dumps(DEFAULT) == before


def test_parts_are_read_from_a_file(tmp_path: Path) -> None:
    assert read_parts(written(tmp_path, '{"contacts": {"policy": "buyers"}}')) == {"contacts": {"policy": "buyers"}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"invoicing": {}, "tax": {}}', "unknown parts: invoicing. The parts are amazon, xero, accounts"),
        ("{", "not JSON"),
        ("[]", "JSON list"),
    ],
)
def test_unusable_file_is_reported_by_name(tmp_path: Path, text: str, problem: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(SettingsError) as raised:
        read_parts(file)

    assert str(file) in str(raised.value)
    assert problem in str(raised.value)


def test_missing_file_is_reported_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.json cannot be read"):
        read_parts(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"invoices": {"per": "week"}}, "invoices.per"),
        ({"invoices": {"colour": "red"}}, "invoices.colour"),
        ({"amazon": "A1SELLER"}, "amazon"),
    ],
)
def test_invalid_settings_are_reported_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any], field: str
) -> None:
    def start(_: LocalCloud) -> None:
        raise AssertionError("the local cloud was started")

    monkeypatch.setattr(LocalCloud, "__enter__", start)

    with pytest.raises(SettingsError, match=field), deployed(tmp_path / "run", parts=parts):
        pass

    assert not (tmp_path / "run").exists()
