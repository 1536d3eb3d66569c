"""`make disconnect`: ends what `make connect` began, for one connection, and keeps what is needed to connect again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from sp_api.auth.access_token_client import cache as seller_tokens
from sp_api.auth.access_token_client import grantless_cache as grantless_tokens

from fakes.settings import settings
from operations import connect, disconnect
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.amazon.errors import conflict
from sandbox.wire import Fault, Response, SandboxClock
from unit.adapters.live_sandboxes import listening
from unit.operations.aws_account import (
    INVENTORY_QUEUE,
    NAME,
    QUEUE,
    REFUNDS_QUEUE,
    StubAws,
    documents,
    install,
    operators_secrets,
)

PARTNER_SOURCE = "aws.partner/sellingpartnerapi.amazon.com/123456789012/amzn1.sp.solution.sandbox"
OTHER_QUEUE = "arn:aws:sqs:eu-west-1:123456789012:other"


class Operator:
    """Somebody who connects and disconnects with the commands, and what there is at Amazon."""

    def __init__(self, aws: StubAws, amazon: AmazonSandbox, url: str, folder: Path) -> None:
        self.aws = aws
        self.amazon = amazon
        self.asked: list[str] = []
        self._files = documents(folder, secrets=_secrets())
        aws.environment = {"AMAZON_API_URL": url, "LWA_URL": f"{url}/auth/o2/token"}

    def connect(self) -> None:
        assert connect.main(["--stack", "stack", *self._files]) == 0

    def disconnect(self, *options: str, answer: str = "yes", connection: str = "main") -> int:
        self.asked.clear()

        def ask(question: str) -> str:
            self.asked.append(question)
            return answer

        names = ["--stack", "stack", "--connection", connection]
        return disconnect.main([*names, *options], ask)

    @property
    def subscriptions(self) -> int:
        return len(self.amazon.subscriptions.all())

    @property
    def destinations(self) -> list[str]:
        """The queues and partner event sources that Amazon sends to."""
        resources = [each["resource"] for each in self.amazon.subscriptions._destinations.values()]
        return [each["sqs"]["arn"] if each["sqs"] else each["eventBridge"]["name"] for each in resources]

    def watch_own_stock(self, folder: Path) -> None:
        watching = json.dumps(settings() | {"inventory": {"alerts": True, "merchant_quantities": True}})
        self._files = documents(folder, settings=watching, secrets=_secrets())
        self.connect()


def _secrets() -> str:
    amazon = Credentials()
    return operators_secrets(
        amazon={
            "client_id": amazon.client_id,
            "client_secret": amazon.client_secret,
            "refresh_token": amazon.refresh_token,
        }
    )


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Operator]:
    seller_tokens.clear()
    grantless_tokens.clear()
    amazon = AmazonSandbox(SandboxClock(), Seller(), lambda *_: None, usage_plans={})
    with listening(amazon) as url:
        connected = Operator(install(monkeypatch, StubAws()), amazon, url, tmp_path)
        connected.connect()
        connected.aws.writes.clear()
        yield connected


def test_subscription_destination_settings_and_secret_end(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (operator.subscriptions, operator.destinations) == (2, [QUEUE, REFUNDS_QUEUE])

    assert operator.disconnect() == 0

    assert (operator.subscriptions, operator.destinations) == (0, [])
    assert operator.aws.writes == ["delete_parameter", "delete_secret"]
    printed = capsys.readouterr().out
    assert "Its rows stay in the table stack-Table-1" in printed
    assert "connect xero restores it" in printed


def test_orders_stay_subscribed_where_amazon_refuses_notifications_of_transactions(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.disconnect("--yes")
    refused = Fault("fail", path="/notifications/v1/subscriptions/TRANSACTION_UPDATE", status=403, times=9)
    operator.amazon.faults.append(refused)

    assert connect.main(["--stack", "stack", *operator._files]) == 1

    printed = capsys.readouterr()
    assert "Amazon sends ORDER_CHANGE to" in printed.out
    assert "stored, but not subscribed: " in printed.err
    assert operator.subscriptions == 1


def test_notifications_of_stock_are_subscribed_to_where_the_settings_ask_for_alerts(
    operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.connect()
    assert operator.subscriptions == 2
    assert "inventory.alerts is not set: nobody will hear of stock" in capsys.readouterr().out
    alerting = json.dumps(settings() | {"inventory": {"alerts": True}})
    operator._files = documents(tmp_path, settings=alerting, secrets=_secrets())

    operator.connect()

    assert operator.subscriptions == 3
    assert f"Amazon sends FBA_INVENTORY_AVAILABILITY_CHANGES to {INVENTORY_QUEUE}" in capsys.readouterr().out
    assert operator.disconnect("--yes") == 0
    assert (operator.subscriptions, operator.destinations) == (0, [])


def test_stack_of_an_earlier_version_is_connected_unless_the_settings_ask_for_alerts(
    operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del operator.aws.outputs["InventoryAlertsQueueArn"]
    operator.connect()
    alerting = json.dumps(settings() | {"inventory": {"alerts": True}})

    files = documents(tmp_path, settings=alerting, secrets=_secrets())

    assert connect.main(["--stack", "stack", *files]) == 1
    assert "has no output InventoryAlertsQueueArn. Run make deploy first." in capsys.readouterr().err


def test_own_stock_comes_over_the_partner_event_source_that_the_stack_is_then_deployed_with(
    operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.watch_own_stock(tmp_path)

    printed = capsys.readouterr().out
    assert f"Amazon sends LISTINGS_ITEM_MFN_QUANTITY_CHANGE to the partner event source {PARTNER_SOURCE}" in printed
    assert f'Run make deploy STACK=stack PARAMETERS="PartnerEventSource={PARTNER_SOURCE}"' in printed
    bus = [each["resource"]["eventBridge"] for each in operator.amazon.subscriptions._destinations.values()][-1]
    assert bus == {"name": PARTNER_SOURCE, "accountId": "123456789012", "region": "eu-west-1"}

    operator.aws.outputs["PartnerEventSource"] = PARTNER_SOURCE
    operator.connect()

    assert "make deploy" not in capsys.readouterr().out
    assert (operator.subscriptions, len(operator.destinations)) == (4, 4)


def test_own_stock_ends_with_the_connection_and_the_stack_is_to_be_deployed_without_its_source(
    operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.aws.outputs["PartnerEventSource"] = PARTNER_SOURCE
    operator.watch_own_stock(tmp_path)

    assert operator.disconnect("--yes") == 0

    assert (operator.subscriptions, operator.destinations) == (0, [])
    assert "has ended. Deploy the stack with PartnerEventSource empty" in capsys.readouterr().out


def test_partner_event_source_that_another_seller_uses_is_left(
    operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def used(destination_id: str) -> Response:
        raise conflict("The destination is used by a subscription.")

    operator.aws.outputs["PartnerEventSource"] = PARTNER_SOURCE
    operator.watch_own_stock(tmp_path)
    monkeypatch.setattr(operator.amazon.subscriptions, "delete_destination", used)

    assert operator.disconnect("--yes") == 0

    assert PARTNER_SOURCE in operator.destinations
    assert "has ended" not in capsys.readouterr().out


def test_event_bridge_destination_in_another_region_is_reported_with_what_to_do(
    operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.aws.outputs["PartnerEventSource"] = PARTNER_SOURCE
    operator.watch_own_stock(tmp_path)
    (bus,) = [each for each in operator.amazon.subscriptions._destinations.values() if each["resource"]["eventBridge"]]
    bus["resource"]["eventBridge"]["region"] = "us-east-1"

    assert connect.main(["--stack", "stack", *operator._files]) == 1

    assert "that of 123456789012 is in us-east-1, not in eu-west-1. Delete the destination" in capsys.readouterr().err


def test_nothing_happens_without_a_yes(operator: Operator) -> None:
    for answer in ("", "no", "y"):
        assert operator.disconnect(answer=answer) == 1

    assert len(operator.asked) == 1
    assert (operator.subscriptions, operator.aws.writes) == (2, [])


def test_no_question_is_asked_with_yes(operator: Operator) -> None:
    assert operator.disconnect("--yes") == 0
    assert operator.asked == []


def test_connecting_again_restores_the_secret_with_its_buyer_salt(operator: Operator) -> None:
    salt = operator.aws.secret()["buyer_salt"]
    operator.disconnect("--yes")

    operator.connect()

    assert operator.aws.secret()["buyer_salt"] == salt
    assert operator.aws.deleted == set()
    assert operator.subscriptions == 2


def test_connection_that_does_not_exist_is_reported_and_nothing_is_asked(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operator.disconnect(connection="mistyped") == 1

    assert "the stack stack has no connection mistyped" in capsys.readouterr().err
    assert (operator.asked, operator.subscriptions) == ([], 2)


def test_disconnecting_twice_reports_that_there_is_no_connection(operator: Operator) -> None:
    assert operator.disconnect("--yes") == 0
    assert operator.disconnect("--yes") == 1


def test_subscription_to_another_destination_is_left(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    subscription = operator.amazon.subscriptions.all()[0]
    operator.amazon.subscriptions._destinations[subscription.destination_id]["resource"]["sqs"]["arn"] = OTHER_QUEUE

    assert operator.disconnect("--yes") == 0

    assert (operator.subscriptions, operator.destinations) == (1, [OTHER_QUEUE])
    assert "another destination, which was left as it is" in capsys.readouterr().out


def test_destination_that_another_seller_uses_is_left(
    operator: Operator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def used(destination_id: str) -> Response:
        raise conflict("The destination is used by a subscription.")

    monkeypatch.setattr(operator.amazon.subscriptions, "delete_destination", used)

    assert operator.disconnect("--yes") == 0

    assert operator.destinations == [QUEUE, REFUNDS_QUEUE]
    assert "another seller's subscription uses it" in capsys.readouterr().out


def test_outage_of_amazon_leaves_everything_that_is_stored(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.amazon.faults.append(Fault("fail", path="/notifications/v1/destinations", status=503, times=9))

    assert operator.disconnect("--yes") == 1

    assert "settings and secret were left: Amazon does not answer at the moment" in capsys.readouterr().err
    assert operator.aws.writes == []


def test_authorisation_that_was_revoked_at_amazon_does_not_keep_the_connection(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    seller_tokens.clear()
    grantless_tokens.clear()
    stored = operator.aws.secret()
    stored["amazon"]["client_secret"] = "S3CRET-revoked"
    operator.aws.secrets[NAME] = json.dumps(stored)

    assert operator.disconnect("--yes") == 0

    assert "the subscriptions at Amazon were left: Amazon refuses the credentials" in (out := capsys.readouterr().out)
    assert "S3CRET" not in out
    assert operator.aws.writes == ["delete_parameter", "delete_secret"]


def test_refusal_of_aws_is_explained(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    operator.aws.problem = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    assert operator.disconnect("--yes") == 1

    assert "not disconnected: these AWS credentials may not do DescribeStacks" in capsys.readouterr().err
    assert operator.subscriptions == 2


def test_question_that_nobody_can_answer_changes_nothing(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(question: str) -> str:
        raise EOFError

    assert disconnect.main(["--stack", "stack", "--connection", "main"], nobody) == 1

    assert "Add YES=1" in capsys.readouterr().err
    assert operator.aws.writes == []
