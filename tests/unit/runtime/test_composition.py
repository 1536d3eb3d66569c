"""All connections of a stack: the usable ones work; an unusable one is reported and does not affect the others."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from amazon_to_xero.adapters.aws.parameters import SettingsUnavailable
from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS, ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.runtime import composition
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.composition import Application, application, included_data
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse, stack_settings
from amazon_to_xero.services.stored_categories import compressed, store_categories
from fakes.settings import secrets, settings
from fakes.state import ManualClock, MemoryStateStore, RecordingDecisionLog
from unit.parameter_store import CacheClock, FakeParameterStore

STACK = {
    "STACK_NAME": "amazon-to-xero",
    "TABLE_NAME": "table",
    "TOKEN_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "SETTINGS_PATH": "/stack/connections",
    "SECRETS_PREFIX": "stack/connections",
    "ORDERS_DLQ_URL": "https://sqs.example/orders-dlq",
    "SHIPMENTS_DLQ_URL": "https://sqs.example/shipments-dlq",
    "REFUNDS_DLQ_URL": "https://sqs.example/refunds-dlq",
    "INVENTORY_ALERTS_DLQ_URL": "https://sqs.example/inventory-alerts-dlq",
    "INVENTORY_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:amazon-to-xero-inventory-alerts",
    "EVENT_BUS_NAME": "amazon-to-xero-events",
    "AWS_REGION": "eu-west-1",
    "XERO_API_URL": "https://xero.example",
    "XERO_TOKEN_URL": "https://xero.example/connect/token",
}
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "GetParametersByPath")
QUEUES = [capability.dead_letter_queue for capability in CAPABILITIES.values()]


class Aws(FakeParameterStore):
    """boto3 with two connections stored in it, whichever client is made.

    sent: the messages that were sent to queues.
    encrypted: the requests to encrypt.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.encrypted: list[dict[str, Any]] = []

    def client(self, name: str, **_: Any) -> Aws:
        return self

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)

    def encrypt(self, **request: Any) -> dict[str, bytes]:
        self.encrypted.append(request)
        return {"CiphertextBlob": b"encrypted"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    monkeypatch.setattr(boto3, "client", aws.client)
    return aws


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> RecordingDecisionLog:
    decisions = RecordingDecisionLog()
    monkeypatch.setattr(composition, "PowertoolsDecisionLog", lambda connection: decisions)
    return decisions


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> CacheClock:
    return CacheClock(monkeypatch)


@pytest.fixture
def app(aws: Aws, decisions: RecordingDecisionLog, cache: CacheClock) -> Application:
    return Application(stack_settings(STACK, QUEUES), ManualClock())


def test_every_stored_connection_is_there_with_its_seller(app: Application) -> None:
    sellers = {name: connection.seller_id for name, connection in app.connections().items()}

    assert sellers == dict.fromkeys(("main", "second"), "A1SELLERMADEUP")
    assert app.unusable == frozenset()


def test_unusable_settings_are_reported_and_do_not_affect_another_connection(
    app: Application, aws: Aws, decisions: RecordingDecisionLog
) -> None:
    aws.parameters["main"] = json.dumps(settings() | {"start": "some day"})

    assert set(app.connections()) == {"second"}
    assert app.unusable == {"main"}
    (line,) = decisions.of("SETTINGS_UNUSABLE")
    assert line["reason"] == "SETTINGS_UNUSABLE"
    assert "start" in str(line["remedy"])


def test_connection_has_the_categories_of_the_file_that_its_settings_name(
    app: Application, aws: Aws, decisions: RecordingDecisionLog
) -> None:
    content = compressed({"BOOK-1": "books"})
    document = settings()
    document["tax"]["category_file"] = {"digest": content.digest, "categories": ["books"]}
    aws.parameters["main"] = json.dumps(document)
    store = app._stores["main"] = MemoryStateStore(ManualClock())

    # Without the row the connection is left out, and the log says what to do
    assert "main" not in app.connections()
    (line,) = decisions.of("SETTINGS_UNUSABLE")
    assert "tax.category_file" in str(line["remedy"])
    assert "Run make connect again with CATEGORIES" in str(line["remedy"])

    store_categories(store, content)
    app.clock.advance(301)  # type: ignore[attr-defined]  # a clock of tests

    assert "main" in app.connections()


@pytest.mark.parametrize("text", ["", "{}", json.dumps(secrets() | {"xero": "S3CRET"})])
def test_unusable_secret_is_reported_and_not_repeated(
    app: Application, aws: Aws, decisions: RecordingDecisionLog, text: str
) -> None:
    aws.secrets["main"] = text

    assert set(app.connections()) == {"second"}
    assert "the secret of connection main" in str(decisions.of("SETTINGS_UNUSABLE")[0]["remedy"])
    assert "S3CRET" not in repr(decisions.notes)


def test_missing_secret_is_reported_and_does_not_affect_another_connection(
    app: Application, aws: Aws, decisions: RecordingDecisionLog
) -> None:
    del aws.secrets["main"]

    assert set(app.connections()) == {"second"}
    assert app.unusable == {"main"}
    (line,) = decisions.of("SETTINGS_UNUSABLE")
    assert line["reason"] == "SECRET_UNREADABLE"
    assert "Run connect xero, then connect amazon" in str(line["remedy"])


def test_changed_settings_make_a_new_connection_and_an_unchanged_one_is_kept(
    app: Application, aws: Aws, cache: CacheClock
) -> None:
    before = dict(app.connections())
    changed = settings()
    changed["amazon"]["seller_id"] = "A3NEW"
    aws.parameters["second"] = json.dumps(changed)

    assert app.connections()["second"] is before["second"]
    cache.advance(301)

    assert app.connections()["second"].seller_id == "A3NEW"
    assert app.connections()["main"] is before["main"]


def test_changed_secret_makes_a_new_connection(app: Application, aws: Aws, cache: CacheClock) -> None:
    before = dict(app.connections())
    changed = secrets()
    changed["amazon"]["refresh_token"] = "S3CRET-another"
    aws.secrets["second"] = json.dumps(changed)

    cache.advance(301)

    assert app.connections()["second"] is not before["second"]
    assert app.connections()["main"] is before["main"]


def test_connection_is_used_again_once_its_settings_are_corrected(
    app: Application, aws: Aws, cache: CacheClock
) -> None:
    correct, aws.parameters["main"] = aws.parameters["main"], "{"
    assert app.unusable == frozenset()
    app.connections()
    assert app.unusable == {"main"}

    aws.parameters["main"] = correct
    cache.advance(301)
    app.clock.sleep(301)

    assert set(app.connections()) == {"main", "second"}
    assert app.unusable == frozenset()


def test_unusable_connection_is_reported_once_in_five_minutes(
    app: Application, aws: Aws, decisions: RecordingDecisionLog
) -> None:
    aws.parameters["main"] = "{"
    for _ in range(3):
        app.connections()
    assert len(decisions.of("SETTINGS_UNUSABLE")) == 1
    assert app.unusable == {"main"}

    app.clock.sleep(301)
    app.connections()

    assert len(decisions.of("SETTINGS_UNUSABLE")) == 2


def test_status_is_read_of_every_stored_connection_whether_it_is_usable_or_not(
    app: Application, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.parameters["main"] = "{"
    app.connections()
    monkeypatch.setattr(composition, "DynamoStateStore", lambda *_: MemoryStateStore(ManualClock()))
    main, second = sorted(app.statuses(), key=lambda reader: reader.name)

    assert (main.name, second.name) == ("main", "second")
    assert main.read().refusals == {"settings": "SETTINGS_UNUSABLE"}


def test_xeros_tokens_are_encrypted_with_the_stacks_key_for_their_connection(app: Application, aws: Aws) -> None:
    connection = app.connections()["second"]
    encryption = connection.tokens._encryption
    assert encryption

    encryption.encrypt("token")

    assert aws.encrypted == [
        {"Plaintext": b"token", "KeyId": STACK["TOKEN_KEY_ARN"], "EncryptionContext": {"connection": "second"}}
    ]


def test_connections_stay_in_use_while_aws_does_not_answer(
    app: Application, aws: Aws, cache: CacheClock, decisions: RecordingDecisionLog
) -> None:
    before = dict(app.connections())
    aws.problem = THROTTLED
    cache.advance(301)

    assert app.connections() == before
    assert app.unusable == frozenset()
    assert len(decisions.of("SETTINGS_UNAVAILABLE")) == 3


def test_cold_function_fails_visibly_while_aws_does_not_answer(app: Application, aws: Aws) -> None:
    aws.problem = THROTTLED
    with pytest.raises(SettingsUnavailable, match="ThrottlingException"):
        app.connections()

    aws.problem = None
    assert set(app.connections()) == {"main", "second"}


def test_secret_that_is_unavailable_affects_its_connection_only_and_is_read_by_the_next_run(
    app: Application, aws: Aws, decisions: RecordingDecisionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = aws.get_secret_value

    def throttled_once(SecretId: str) -> dict[str, Any]:
        if SecretId.endswith("main"):
            raise THROTTLED
        return read(SecretId)

    with monkeypatch.context() as outage:
        outage.setattr(aws, "get_secret_value", throttled_once)
        assert set(app.connections()) == {"second"}
    assert app.unusable == {"main"}
    assert decisions.of("SETTINGS_UNUSABLE") == []

    # The status of both is stated, and no person is needed for an outage
    monkeypatch.setattr(composition, "DynamoStateStore", lambda *_: MemoryStateStore(ManualClock()))
    main, second = sorted(app.statuses(), key=lambda reader: reader.name)
    assert (main.name, second.name) == ("main", "second")
    assert main.read().refusals == {}

    assert set(app.connections()) == {"main", "second"}


def test_function_fails_visibly_when_no_secret_can_be_read(
    app: Application, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(SecretId: str) -> dict[str, Any]:
        raise THROTTLED

    monkeypatch.setattr(aws, "get_secret_value", throttled)

    with pytest.raises(SettingsUnavailable, match="main, second"):
        app.connections()


def test_removed_connection_is_not_used_any_more(app: Application, aws: Aws, cache: CacheClock) -> None:
    app.connections()
    del aws.parameters["second"]
    cache.advance(301)

    assert set(app.connections()) == {"main"}
    assert app.unusable == frozenset()


@pytest.mark.parametrize(
    "missing", ["ORDERS_DLQ_URL", "SHIPMENTS_DLQ_URL", "REFUNDS_DLQ_URL", "INVENTORY_ALERTS_DLQ_URL", "TABLE_NAME"]
)
def test_incomplete_environment_is_reported_at_the_first_call(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name, value in STACK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(missing)
    application.cache_clear()

    with pytest.raises(SettingsError, match=missing):
        application()


@pytest.mark.parametrize(
    ("capability", "queue"),
    [
        (ORDERS, STACK["ORDERS_DLQ_URL"]),
        (SHIPMENTS, STACK["SHIPMENTS_DLQ_URL"]),
        (REFUNDS, STACK["REFUNDS_DLQ_URL"]),
        (INVENTORY_ALERTS, STACK["INVENTORY_ALERTS_DLQ_URL"]),
    ],
)
def test_dead_letter_goes_to_its_capability_s_queue_with_its_reason_beside_the_body(
    app: Application, aws: Aws, capability: str, queue: str
) -> None:
    body = '{"reprocess": {"connection": "main", "source": "order#026-1"}}'

    app.dead_letter_queues[capability].send(body, reason="TAX_UNMAPPED", remedy="x" * 900, order_id="026-1")

    (sent,) = aws.sent
    assert (sent["QueueUrl"], sent["MessageBody"]) == (queue, body)
    attributes = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
    assert attributes == {"reason": "TAX_UNMAPPED", "remedy": "x" * 500, "order_id": "026-1"}


@pytest.mark.parametrize(
    ("scope", "read_destination", "requested"),
    [
        ("marketplace", True, {"RECIPIENT"}),
        ("marketplace", False, set()),
        ("buyers", True, {"RECIPIENT", "BUYER"}),
        ("business_buyers", False, {"BUYER"}),
    ],
)
def test_buyer_data_is_requested_from_amazon_only_where_the_settings_need_it(
    scope: str, read_destination: bool, requested: set[str]
) -> None:
    document = settings()
    document["amazon"]["read_destination"] = read_destination
    document["contacts"] = {"policy": scope}

    parts = included_data(parse(ConnectionSettings, json.dumps(document), "the settings"))

    assert requested == {"RECIPIENT", "BUYER"} & set(parts)


@pytest.mark.parametrize(
    ("references", "is_requested"), [([], False), (["vat_number"], False), (["purchase_order"], True)]
)
def test_buyer_is_requested_where_invoices_state_purchase_order_numbers(
    references: list[str], is_requested: bool
) -> None:
    document = settings()
    document["invoices"] = {"buyer_references": references}

    parts = included_data(parse(ConnectionSettings, json.dumps(document), "the settings"))

    assert ("BUYER" in parts) is is_requested
