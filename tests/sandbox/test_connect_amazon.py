"""`operate connect amazon` against the sandbox Amazon: what works is stored and subscribed, what lacks is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sp_api.auth.access_token_client import cache as seller_tokens
from sp_api.auth.access_token_client import grantless_cache as grantless_tokens
from typer.testing import Result

from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, parse
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate
from fakes.operator_aws import StubStack
from local.stack import SETTINGS
from operations import connect
from operations.connection_secret import store_part
from sandbox.amazon import OWN_SELLER, AmazonSandbox, Credentials, Seller
from sandbox.amazon.refusals import Refusals
from sandbox.wire import SandboxClock
from unit.adapters.live_sandboxes import listening
from unit.operations.aws_account import NAME, StubAws, install

SELLER = Credentials()
TYPED = f"{SELLER.client_id}\n{SELLER.client_secret}\n{SELLER.refresh_token}\n"
XERO = {"client_id": "the Xero app", "client_secret": "its secret", "refresh_token": "consented"}


@dataclass
class Desk:
    """An operator with a deployed stack whose Xero is connected, a file of settings and an application at Amazon."""

    aws: StubAws
    amazon: AmazonSandbox
    session: OperatorSession
    monkeypatch: pytest.MonkeyPatch
    file: Path
    settings: dict[str, Any] = field(default_factory=lambda: json.loads(SETTINGS.read_text(encoding="utf-8")))

    def connect(self, *options: str, answer: str = TYPED) -> Result:
        self.file.write_text(json.dumps(self.settings), encoding="utf-8")
        stored = self.aws.parameters.get("/stack/connections/main")
        self.session.stored = {"main": stored} if stored else {}
        return operate(self.monkeypatch, self.session, "connect", "amazon", *options, answer=answer)

    def connect_first(self, *options: str, answer: str = TYPED) -> Result:
        return self.connect("--settings", str(self.file), *options, answer=answer)

    def queues(self) -> set[str]:
        """The queues that Amazon sends to."""
        settings = parse(ConnectionSettings, self.aws.parameters["/stack/connections/main"], "the settings")
        secrets = parse(ConnectionSecrets, self.aws.secrets[NAME], "the secret")
        environment = self.session.clients["lambda"].environment
        self.amazon.clock.advance(3600)  # Amazon's quotas are full again
        notifications = connect.notifications_of(
            settings, secrets, environment["AMAZON_API_URL"], environment["LWA_URL"]
        )
        return {str(arn) for arn in connect.queue_destinations(notifications).values()}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desk]:
    seller_tokens.clear()
    grantless_tokens.clear()
    aws = install(monkeypatch, StubAws())
    amazon = AmazonSandbox(SandboxClock(), Seller.load(OWN_SELLER), lambda *_: None, present=True)
    with listening(amazon) as url:
        names = ("STACK_NAME", "TABLE_NAME", "SETTINGS_PATH", "SECRETS_PREFIX", "TOKEN_KEY_ARN", "EVENT_BUS_NAME")
        environment = {name: name for name in (*names, "INVENTORY_TOPIC_ARN")}
        environment |= {"XERO_API_URL": "http://127.0.0.1:9", "XERO_TOKEN_URL": "http://127.0.0.1:9/connect/token"}
        environment |= {"AMAZON_API_URL": url, "LWA_URL": f"{url}/auth/o2/token"}
        session = OperatorSession(FakeConnection(), **{"lambda": StubStack(environment, "{}")})
        session.stated_outputs.update(aws.outputs)
        store_part(NAME, "xero", XERO)
        aws.writes.clear()
        yield Desk(aws, amazon, session, monkeypatch, tmp_path / "connection.json")


def text_of(stream: str) -> str:
    return " ".join(stream.split())


def test_first_connect_stores_settings_and_credentials_and_has_amazon_notify(desk: Desk) -> None:
    answer = desk.connect_first("--yes")

    assert answer.exit_code == 0, answer.output
    assert "Amazon sends ORDER_CHANGE to" in answer.stdout
    assert answer.stdout.strip().endswith("connected main")
    secret = desk.aws.secret()
    assert secret["amazon"]["refresh_token"] == SELLER.refresh_token
    assert secret["xero"] == XERO
    assert json.loads(desk.aws.parameters["/stack/connections/main"]) == desk.settings
    assert desk.aws.outputs["OrdersQueueArn"] in desk.queues()


def test_settings_of_another_connection_s_seller_are_refused_before_a_credential_is_asked_for(desk: Desk) -> None:
    desk.connect_first("--yes")
    store_part("stack/connections/second", "xero", XERO)
    desk.aws.writes.clear()
    desk.session.naming("second")

    answer = desk.connect_first("--yes", answer="")

    assert answer.exit_code == 1
    assert "the connection main of this stack has the seller A1SELLER already" in text_of(answer.stderr)
    assert not desk.aws.writes


def test_no_credential_is_printed(desk: Desk) -> None:
    answer = desk.connect_first("--yes")

    assert SELLER.client_secret not in answer.output
    assert SELLER.refresh_token not in answer.output


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (f"{SELLER.client_id}\nwrong\n{SELLER.refresh_token}\n", "Amazon does not know the application's client id"),
        (f"{SELLER.client_id}\n{SELLER.client_secret}\nwrong\n", "authorisation of the application has ended"),
    ],
)
def test_credentials_that_amazon_refuses_are_not_stored(desk: Desk, typed: str, named: str) -> None:
    answer = desk.connect_first("--yes", answer=typed)

    assert answer.exit_code == 1
    assert named in text_of(answer.stdout)
    assert "Nothing was stored." in answer.stdout
    assert not desk.aws.writes


def test_missing_role_without_which_nothing_works_is_named_and_nothing_is_stored(desk: Desk) -> None:
    desk.amazon.refusals = Refusals(operations=["searchOrders"])

    answer = desk.connect_first("--yes")

    assert answer.exit_code == 1
    assert "Give the application the role Inventory and Order Tracking" in text_of(answer.stdout)
    assert not desk.aws.writes


def test_operator_decides_about_a_missing_role_that_leaves_a_part_out(desk: Desk) -> None:
    desk.amazon.refusals = Refusals(operations=["listTransactions"])

    refused = desk.connect_first(answer=f"{TYPED}no\n")

    assert "Amazon refuses to return transactions" in text_of(refused.stderr)
    assert not desk.aws.writes
    desk.amazon.clock.advance(3600)  # Amazon's quotas are full again
    assert desk.connect_first(answer=f"{TYPED}yes\n").exit_code == 0
    assert "amazon" in desk.aws.secret()


def test_new_credentials_of_a_connected_seller_need_no_settings(desk: Desk) -> None:
    desk.connect_first("--yes")
    first = desk.aws.secret()
    desk.amazon.clock.advance(3600)

    document = {"client_id": SELLER.client_id, "client_secret": SELLER.client_secret}
    answer = desk.connect(
        "--stdin", "--yes", "--json", answer=json.dumps(document | {"refresh_token": SELLER.refresh_token})
    )

    assert json.loads(answer.stdout)["stored"] is True
    assert desk.aws.secret()["buyer_salt"] == first["buyer_salt"]
    assert desk.aws.secret()["connected_at"] > first["connected_at"]


def test_day_on_which_the_client_secret_was_made_is_stored_and_the_day_of_its_end_printed(desk: Desk) -> None:
    answer = desk.connect_first("--yes", "--secret-made", "2026-11-01")

    assert "Rotate the client secret by 2027-04-30" in text_of(answer.stdout)
    assert desk.aws.secret()["amazon"]["client_secret_since"] == "2026-11-01T00:00:00+00:00"


def test_client_secret_is_not_made_tomorrow(desk: Desk) -> None:
    answer = desk.connect_first("--yes", "--secret-made", "2036-11-01")

    assert answer.exit_code == 2
    assert "--secret-made names 2036-11-01, which has not come yet" in text_of(answer.stderr)
    assert not desk.aws.writes


def test_credentials_that_are_given_again_keep_their_age(desk: Desk) -> None:
    desk.connect_first("--yes", "--secret-made", "2026-11-01")
    desk.amazon.clock.advance(3600)

    answer = desk.connect("--yes")

    assert "Rotate the client secret by 2027-04-30" in text_of(answer.stdout)
    assert desk.aws.secret()["amazon"]["client_secret_since"] == "2026-11-01T00:00:00+00:00"


def test_document_that_lacks_a_credential_is_refused_without_repeating_a_value(desk: Desk) -> None:
    answer = desk.connect_first("--stdin", answer='{"client_id": "a", "client_secret": "S3CRET"}')

    assert answer.exit_code == 2
    assert "exactly client_id, client_secret, refresh_token" in answer.stderr
    assert "S3CRET" not in answer.output


def test_xero_comes_first(desk: Desk) -> None:
    desk.aws.secrets.clear()

    assert "Xero is not connected yet, and comes first. Run connect xero." in text_of(desk.connect_first().stderr)


def test_settings_are_asked_for_where_none_are_stored(desk: Desk) -> None:
    answer = desk.connect()

    assert answer.exit_code == 2
    assert "Name a file of them with --settings" in text_of(answer.stderr)


def test_categories_are_not_left_out_silently_where_no_settings_are_named(desk: Desk) -> None:
    desk.connect_first("--yes")
    desk.aws.writes.clear()

    answer = desk.connect("--categories", "skus.csv", "--yes")

    assert answer.exit_code == 2
    assert "Name the file of the settings with --settings, too" in text_of(answer.stderr)
    assert not desk.aws.writes


def test_settings_are_changed_without_the_credentials(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.connect_first("--yes")
    secret = dict(desk.aws.secrets)
    desk.settings["start"] = "2026-02-01T00:00:00Z"
    desk.amazon.clock.advance(3600)
    desk.file.write_text(json.dumps(desk.settings), encoding="utf-8")
    url = desk.session.clients["lambda"].environment["AMAZON_API_URL"]

    options = ["--stack", "stack", "--settings", str(desk.file), "--amazon-api-url", url]
    assert connect.main([*options, "--lwa-url", f"{url}/auth/o2/token"]) == 0

    assert json.loads(desk.aws.parameters["/stack/connections/main"])["start"] == "2026-02-01T00:00:00Z"
    assert desk.aws.secrets == secret


def test_settings_alone_connect_nothing_before_amazon_is_connected(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.file.write_text(json.dumps(desk.settings), encoding="utf-8")

    assert connect.main(["--stack", "stack", "--settings", str(desk.file)]) == 1

    assert 'lacks the part amazon. Run make operate DO="connect amazon", or name SECRETS' in capsys.readouterr().err
    assert not desk.aws.writes
