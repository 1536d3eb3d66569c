"""`make connect`: what it stores, and that the buyer salt of a connection never changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amazon_to_xero.runtime.settings import SettingsError
from fakes.settings import secrets as valid_secrets
from fakes.settings import settings as valid_settings
from operations import connect

NAME = "stack/connections/main"
OTHER_SALT = "f" * 64


class ResourceNotFound(Exception):
    """Secrets Manager: there is no secret of that name."""


class ResourceExists(Exception):
    """Secrets Manager: there is a secret of that name already."""


class StubAws:
    """boto3's `secretsmanager` and `ssm` clients over dictionaries.

    created_meanwhile: a secret that a concurrent connect creates just before ours.
    writes: names of the write operations, in order.
    """

    exceptions = SimpleNamespace(ResourceNotFoundException=ResourceNotFound, ResourceExistsException=ResourceExists)

    def __init__(self, *, created_meanwhile: str = "") -> None:
        self.secrets: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        self.writes: list[str] = []
        self.created_meanwhile = created_meanwhile

    def secret(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(self.secrets[NAME])
        return stored

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # boto3's name
        if SecretId not in self.secrets:
            raise ResourceNotFound
        return {"SecretString": self.secrets[SecretId]}

    def create_secret(self, *, Name: str, SecretString: str) -> None:
        if self.created_meanwhile:
            self.secrets[Name] = self.created_meanwhile
        if Name in self.secrets:
            raise ResourceExists
        self.writes.append("create_secret")
        self.secrets[Name] = SecretString

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:
        self.writes.append("put_secret_value")
        self.secrets[SecretId] = SecretString

    def put_parameter(self, *, Name: str, Value: str, Overwrite: bool, **_: str) -> None:
        assert Overwrite
        self.writes.append("put_parameter")
        self.parameters[Name] = Value


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> StubAws:
    return install(monkeypatch, StubAws())


def install(monkeypatch: pytest.MonkeyPatch, stub: StubAws) -> StubAws:
    monkeypatch.setattr("boto3.client", lambda service: stub)
    return stub


def operators_secrets(**changes: Any) -> str:
    """Return the secrets document as an operator writes it: without a salt."""
    document = valid_secrets() | changes
    del document["buyer_salt"]
    return json.dumps(document)


def undated(secret: dict[str, Any]) -> dict[str, Any]:
    """Return the secret without the time of the connect."""
    return {name: value for name, value in secret.items() if name != "connected_at"}


def store(secrets: str, settings: str = "") -> None:
    connect.store_connection("stack", "main", settings or json.dumps(valid_settings()), secrets)


def test_first_connect_creates_a_random_buyer_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    salts = set()
    for _ in range(2):
        aws = install(monkeypatch, StubAws())
        store(operators_secrets())
        salts.add(aws.secret()["buyer_salt"])

    assert len(salts) == 2
    assert all(len(bytes.fromhex(salt)) == 32 for salt in salts)


def test_later_connect_keeps_the_buyer_salt_and_replaces_the_credentials(aws: StubAws) -> None:
    store(operators_secrets())
    first = aws.secret()

    store(operators_secrets(xero={"client_id": "new", "client_secret": "new"}))

    assert undated(aws.secret()) == undated(first) | {"xero": {"client_id": "new", "client_secret": "new"}}
    assert aws.writes == ["create_secret", "put_parameter", "put_secret_value", "put_parameter"]


def test_later_connect_with_the_stored_buyer_salt_in_its_document_is_accepted(aws: StubAws) -> None:
    store(operators_secrets())
    stored = aws.secret()

    store(json.dumps(stored))

    assert undated(aws.secret()) == undated(stored)


def test_each_connect_stores_its_time_in_the_secret(aws: StubAws) -> None:
    before = datetime.now(UTC)
    store(operators_secrets())
    first = aws.secret()
    store(json.dumps(first))

    times = [datetime.fromisoformat(secret["connected_at"]) for secret in (first, aws.secret())]
    assert before <= times[0] < times[1] <= datetime.now(UTC)


def test_later_connect_with_another_buyer_salt_is_refused(aws: StubAws) -> None:
    store(operators_secrets())
    stored, writes = aws.secret(), list(aws.writes)

    with pytest.raises(SettingsError, match="buyer_salt"):
        store(json.dumps(stored | {"buyer_salt": OTHER_SALT}))

    assert aws.secret() == stored
    assert aws.writes == writes


def test_first_connect_takes_the_buyer_salt_of_its_document(aws: StubAws) -> None:
    store(json.dumps(valid_secrets() | {"buyer_salt": OTHER_SALT}))

    assert aws.secret()["buyer_salt"] == OTHER_SALT


def test_two_concurrent_first_connects_end_with_one_buyer_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = install(monkeypatch, StubAws(created_meanwhile=json.dumps(valid_secrets() | {"buyer_salt": OTHER_SALT})))

    store(operators_secrets())

    assert aws.secret()["buyer_salt"] == OTHER_SALT


def test_stored_secret_without_a_buyer_salt_gets_one(aws: StubAws) -> None:
    aws.secrets[NAME] = operators_secrets()

    store(operators_secrets())

    assert len(aws.secret()["buyer_salt"]) == 64


@pytest.mark.parametrize("stored", ["not JSON", "[]"])
def test_unreadable_stored_secret_is_not_replaced(aws: StubAws, stored: str) -> None:
    aws.secrets[NAME] = stored

    with pytest.raises(SettingsError, match="not a JSON object"):
        store(operators_secrets())

    assert aws.secrets[NAME] == stored
    assert not aws.writes


@pytest.mark.parametrize(
    ("secrets", "field"),
    [
        ("not JSON", "document"),
        ("[]", "document"),
        (operators_secrets(xero={"client_id": "x"}), "xero.client_secret"),
        (json.dumps(valid_secrets() | {"buyer_salt": "short"}), "buyer_salt"),
    ],
)
def test_invalid_secrets_are_refused_before_anything_is_written(aws: StubAws, secrets: str, field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        store(secrets)

    assert not aws.writes


def test_invalid_settings_are_refused_before_anything_is_written(aws: StubAws) -> None:
    with pytest.raises(SettingsError, match="accounts"):
        store(operators_secrets(), json.dumps(valid_settings() | {"accounts": {}}))

    assert not aws.writes


def test_settings_are_stored_as_the_operator_wrote_them(aws: StubAws) -> None:
    text = json.dumps(valid_settings(), indent=4)

    store(operators_secrets(), text)

    assert aws.parameters == {"/stack/connections/main": text}


def test_error_of_aws_is_reported_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = install(monkeypatch, StubAws())
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")

    def refuse(**_: Any) -> Any:
        raise denied

    monkeypatch.setattr(aws, "get_secret_value", refuse)
    files = {"settings": json.dumps(valid_settings()), "secrets": operators_secrets()}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    status = connect.main(
        ["--stack", "stack", "--settings", str(tmp_path / "settings"), "--secrets", str(tmp_path / "secrets")]
    )

    assert status == 1
    assert "AccessDeniedException" in capsys.readouterr().err
    assert not aws.writes


def test_missing_file_is_reported_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "nowhere.json")

    assert connect.main(["--stack", "stack", "--settings", missing, "--secrets", missing]) == 1

    assert missing in capsys.readouterr().err
