"""All connections of a stack: those that can be used work, those that cannot are reported and disturb nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.runtime import composition
from amazon_to_xero.runtime.composition import Application, application
from amazon_to_xero.runtime.settings import SettingsError, StackSettings, parse
from fakes.settings import secrets, settings
from fakes.state import ManualClock, RecordingDecisionLog

STACK = {
    "TABLE_NAME": "table",
    "SETTINGS_PATH": "/stack/connections",
    "SECRETS_PREFIX": "stack/connections",
    "ORDERS_DLQ_URL": "https://sqs.example/dlq",
    "SHIPMENTS_DLQ_URL": "https://sqs.example/shipments-dlq",
    "EVENT_BUS_NAME": "amazon-to-xero-events",
    "AWS_REGION": "eu-west-1",
    "XERO_API_URL": "https://xero.example",
    "XERO_TOKEN_URL": "https://xero.example/connect/token",
}


class Aws:
    """boto3 with two connections stored in it."""

    def __init__(self) -> None:
        self.parameters = {name: json.dumps(settings()) for name in ("main", "second")}
        self.secrets = {name: json.dumps(secrets()) for name in ("main", "second")}
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def client(self, name: str, **_: Any) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        return self

    def paginate(self, Path: str, WithDecryption: bool) -> Any:
        self.asked.append(Path)
        for name, text in self.parameters.items():
            yield {"Parameters": [{"Name": f"{Path}/{name}", "Value": text}]}

    def get_secret_value(self, SecretId: str) -> Any:
        name = SecretId.rpartition("/")[2]
        if name not in self.secrets:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.secrets[name]}

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(composition.boto3, "client", made.client)
    return made


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> RecordingDecisionLog:
    made = RecordingDecisionLog()
    monkeypatch.setattr(composition, "PowertoolsDecisionLog", lambda connection: made)
    return made


@pytest.fixture
def app(aws: Aws, decisions: RecordingDecisionLog) -> Application:
    return Application(parse(StackSettings, STACK, "the function's environment"), ManualClock())


def later(app: Application, seconds: float) -> None:
    assert isinstance(app.clock, ManualClock)
    app.clock.advance(seconds)


def test_every_connection_that_is_stored_is_there_under_its_seller(app: Application) -> None:
    assert {n: c.seller_id for n, c in app.connections().items()} == dict.fromkeys(("main", "second"), "A1SELLERMADEUP")
    assert app.unusable == frozenset()


def test_settings_that_cannot_be_used_are_reported_and_disturb_no_other(
    app: Application, aws: Aws, decisions: RecordingDecisionLog
) -> None:
    aws.parameters["main"] = json.dumps(settings() | {"start": "some day"})

    assert set(app.connections()) == {"second"}
    assert app.unusable == {"main"}
    (said,) = decisions.of("SETTINGS_UNUSABLE")
    assert "start" in str(said["remedy"])


@pytest.mark.parametrize("text", ["", "{}", json.dumps(secrets() | {"xero": "S3CRET"})])
def test_a_secret_that_cannot_be_used_is_reported_without_being_repeated(
    app: Application, aws: Aws, decisions: RecordingDecisionLog, text: str
) -> None:
    aws.secrets["main"] = text

    assert set(app.connections()) == {"second"}
    assert "the secret of connection main" in str(decisions.of("SETTINGS_UNUSABLE")[0]["remedy"])
    assert "S3CRET" not in repr(decisions.notes)


def test_a_secret_that_is_not_there_disturbs_no_other_connection(
    app: Application, aws: Aws, decisions: RecordingDecisionLog
) -> None:
    del aws.secrets["main"]

    assert set(app.connections()) == {"second"}
    assert app.unusable == {"main"}
    assert "run connect again" in str(decisions.of("SETTINGS_UNUSABLE")[0]["remedy"])


def test_settings_are_read_again_after_five_minutes_and_what_did_not_change_is_kept(app: Application, aws: Aws) -> None:
    before = dict(app.connections())
    changed = settings()
    changed["amazon"]["seller_id"] = "A3NEW"
    aws.parameters["second"] = json.dumps(changed)

    later(app, 299)
    assert app.connections()["second"] is before["second"]
    later(app, 2)

    assert app.connections()["second"].seller_id == "A3NEW"
    assert app.connections()["main"] is before["main"]
    assert len(aws.asked) == 2


def test_a_connection_that_was_mended_is_used_again(app: Application, aws: Aws) -> None:
    good, aws.parameters["main"] = aws.parameters["main"], "{"
    assert app.unusable == frozenset()
    app.connections()
    assert app.unusable == {"main"}

    aws.parameters["main"] = good
    later(app, 301)

    assert set(app.connections()) == {"main", "second"}
    assert app.unusable == frozenset()


def test_a_connection_that_was_taken_away_is_gone(app: Application, aws: Aws) -> None:
    app.connections()
    del aws.parameters["second"]
    later(app, 301)

    assert set(app.connections()) == {"main"}


def test_an_incomplete_environment_is_told_at_the_first_call(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STACK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ORDERS_DLQ_URL")
    application.cache_clear()

    with pytest.raises(SettingsError, match="ORDERS_DLQ_URL"):
        application()


@pytest.mark.parametrize(
    ("work", "queue"),
    [(ORDERS, "https://sqs.example/dlq"), (SHIPMENTS, "https://sqs.example/shipments-dlq")],
)
def test_a_dead_letter_carries_its_reason_beside_a_body_that_can_be_sent_again_to_the_queue_of_its_work(
    app: Application, aws: Aws, work: Work, queue: str
) -> None:
    app.dead_letters[work].send('{"reprocess": {}}', reason="TAX_UNMAPPED", remedy="x" * 900, order_id="026-1")

    (sent,) = aws.sent
    assert (sent["QueueUrl"], sent["MessageBody"]) == (queue, '{"reprocess": {}}')
    attributes = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
    assert attributes == {"reason": "TAX_UNMAPPED", "remedy": "x" * 500, "order_id": "026-1"}
