"""`make connect`: what it stores, and that the buyer salt of a connection never changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from amazon_to_xero.runtime.settings import SettingsError
from fakes.settings import secrets as valid_secrets
from fakes.settings import settings as valid_settings
from operations import connect
from operations.connection_secret import store_part
from operations.credential_dates import DATE_OF
from sandbox.amazon import AmazonSandbox, Seller
from sandbox.wire import SandboxClock
from unit.adapters.live_sandboxes import listening
from unit.operations.aws_account import NAME, StubAws, documents, install, operators_secrets

LONG_AGO = "2026-01-01T00:00:00+00:00"
LATER = "2026-03-01T00:00:00+00:00"
OTHER_SALT = "f" * 64


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> StubAws:
    return install(monkeypatch, StubAws())


def undated(secret: dict[str, Any]) -> dict[str, Any]:
    """Return the secret without times."""
    amazon = {name: value for name, value in secret["amazon"].items() if name not in DATE_OF.values()}
    return {name: value for name, value in secret.items() if name != "connected_at"} | {"amazon": amazon}


def age_secret(aws: StubAws, **amazon: str) -> None:
    """Have the stored secret be as an earlier day left it, with other values of Amazon's part."""
    secret = aws.secret()
    aws.secrets[NAME] = json.dumps(secret | {"connected_at": LONG_AGO, "amazon": undated(secret)["amazon"] | amazon})


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


def test_date_of_a_credential_changes_only_with_the_credential(aws: StubAws) -> None:
    store(operators_secrets())
    age_secret(aws, client_secret_since=LONG_AGO, refresh_token_since=LATER)

    document = json.loads(operators_secrets())
    store(json.dumps(document | {"amazon": document["amazon"] | {"refresh_token": "new"}}))

    amazon = aws.secret()["amazon"]
    assert amazon["client_secret_since"] == LONG_AGO
    assert amazon["refresh_token_since"] == aws.secret()["connected_at"]


def test_connecting_xero_again_leaves_the_dates_of_amazons_credentials(aws: StubAws) -> None:
    store(operators_secrets())
    age_secret(aws, client_secret_since=LONG_AGO, refresh_token_since=LATER)

    store_part(NAME, "xero", {"client_id": "app", "client_secret": "new"})

    amazon = aws.secret()["amazon"]
    assert (amazon["client_secret_since"], amazon["refresh_token_since"]) == (LONG_AGO, LATER)
    assert aws.secret()["connected_at"] > LATER


def test_credentials_of_a_secret_without_dates_are_as_old_as_that_secret(aws: StubAws) -> None:
    store(operators_secrets())
    age_secret(aws)

    store_part(NAME, "xero", {"client_id": "app", "client_secret": "new"})

    amazon = aws.secret()["amazon"]
    assert (amazon["client_secret_since"], amazon["refresh_token_since"]) == (LONG_AGO, LONG_AGO)


def test_age_that_nothing_states_is_not_made_up(aws: StubAws) -> None:
    aws.secrets[NAME] = operators_secrets()

    store_part(NAME, "xero", {"client_id": "app", "client_secret": "new"})

    assert "client_secret_since" not in aws.secret()["amazon"]


@pytest.mark.parametrize(("stated", "is_kept"), [(LATER, True), (LONG_AGO, False)], ids=["its own", "of the old one"])
def test_date_that_the_document_states_of_a_new_client_secret_is_kept(aws: StubAws, stated: str, is_kept: bool) -> None:
    store(operators_secrets())
    age_secret(aws, client_secret_since=LONG_AGO)

    amazon = aws.secret()["amazon"] | {"client_secret": "new", "client_secret_since": stated}
    store(json.dumps(aws.secret() | {"amazon": amazon}))

    assert (aws.secret()["amazon"]["client_secret_since"] == stated) is is_kept


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


# --- what an operator gets wrong --------------------------------------------------------------------------------------


def refused(code: str, operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        (NoCredentialsError(), "Sign in (aws sso login) or set AWS_PROFILE"),
        (NoRegionError(), "Set AWS_REGION to the region of the stack"),
        (ProfileNotFound(profile="mistyped"), "mistyped) could not be found. Correct AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="https://cloudformation"), "Check AWS_REGION and the network"),
        (refused("ExpiredToken"), "AWS refuses the credentials (ExpiredToken). Sign in again"),
        (refused("AccessDenied"), "may not do DescribeStacks (AccessDenied). Use those of an administrator"),
        (refused("Throttling"), "Throttling"),
    ],
)
def test_refusal_of_aws_is_explained_and_nothing_is_stored(
    aws: StubAws, tmp_path: Path, capsys: pytest.CaptureFixture[str], problem: Exception, remedy: str
) -> None:
    aws.problem = problem

    assert connect.main(["--stack", "stack", *documents(tmp_path)]) == 1

    assert remedy in capsys.readouterr().err
    assert not aws.writes


def test_missing_stack_is_reported_before_anything_is_stored(
    aws: StubAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert connect.main(["--stack", "mistyped", *documents(tmp_path)]) == 1

    assert "there is no stack mistyped in this account in eu-west-1. Run make deploy first" in capsys.readouterr().err
    assert not aws.writes


def test_interchanged_files_are_recognised(aws: StubAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = documents(tmp_path, settings=operators_secrets(), secrets=json.dumps(valid_settings()))

    assert connect.main(["--stack", "stack", *files]) == 1

    assert "SECRETS names the settings" in capsys.readouterr().err
    assert not aws.writes


def test_invalid_document_is_reported_without_asking_aws(
    aws: StubAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.problem = AssertionError("AWS was asked")

    assert connect.main(["--stack", "stack", *documents(tmp_path, settings="not JSON")]) == 1

    assert "the settings" in capsys.readouterr().err


def test_seller_of_another_connection_is_refused_before_anything_is_stored(
    aws: StubAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(operators_secrets())
    aws.writes.clear()

    assert connect.main(["--stack", "stack", "--connection", "second", *documents(tmp_path)]) == 1

    seller = valid_settings()["amazon"]["seller_id"]
    error = capsys.readouterr().err
    assert f"the connection main of this stack has the seller {seller} already" in error
    assert "Correct amazon.seller_id, or give second a stack of its own." in error
    assert not aws.writes


@pytest.mark.parametrize("file", ["nowhere.json", "."])
def test_file_that_cannot_be_read_is_reported_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    name = str(tmp_path / file)

    assert connect.main(["--stack", "stack", "--settings", name, "--secrets", name]) == 1

    assert f"{name} cannot be read" in capsys.readouterr().err


def test_refused_credentials_of_amazon_are_explained(
    aws: StubAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    amazon = AmazonSandbox(SandboxClock(), Seller(), lambda *_: None)
    with listening(amazon) as url:
        aws.environment = {"AMAZON_API_URL": url, "LWA_URL": f"{url}/auth/o2/token"}
        assert connect.main(["--stack", "stack", *documents(tmp_path)]) == 1

    assert "stored, but not subscribed: Amazon refuses the credentials" in (error := capsys.readouterr().err)
    assert "S3CRET" not in error
