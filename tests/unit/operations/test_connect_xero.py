"""`operate connect xero`: a person's consent in the browser becomes a stored, checked authorisation of Xero."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import Result

from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate
from fakes.operator_aws import StubStack
from fakes.settings import settings as valid_settings
from sandbox.wire import SandboxClock
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, XeroSandbox
from unit.adapters.live_sandboxes import listening
from unit.operations.aws_account import StubAws, install

APP = f"{DEFAULT_CLIENT_ID}\n{DEFAULT_CLIENT_SECRET}\n"  # what the operator types
OTHER = {"tenantId": "00000000-0000-4000-8000-00000000000b", "tenantName": "Other Ltd", "tenantType": "ORGANISATION"}
SCOPES = ["offline_access", "accounting.invoices", "accounting.payments", "accounting.contacts"]


def follow(url: str) -> None:
    """Do what a browser does whose user consents: follow Xero back to the local address."""
    urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - http on this machine


@dataclass
class Desk:
    """An operator with a deployed stack, an app at Xero and a browser.

    visited: the addresses that the browser was sent to.
    browse: what it does there.
    """

    aws: StubAws
    xero: XeroSandbox
    session: OperatorSession
    monkeypatch: pytest.MonkeyPatch
    port: int
    visited: list[str]
    browse: Callable[[str], None] = follow

    def connect(self, *options: str, answer: str = APP) -> Result:
        def opened(url: str) -> bool:
            self.visited.append(url)
            self.browse(url)
            return True

        self.monkeypatch.setattr("webbrowser.open", opened)
        self.session.stored = dict.fromkeys(self.session.stored, self.aws.parameters.get("main", "")) or {}
        arguments = ("connect", "xero", "--port", str(self.port), *options)
        return operate(self.monkeypatch, self.session, *arguments, answer=answer)

    @property
    def stored(self) -> dict[str, Any]:
        """The part xero of the stored secret."""
        part: dict[str, Any] = self.aws.secret()["xero"]
        return part


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    aws, sandbox = install(monkeypatch, StubAws()), XeroSandbox(SandboxClock())
    with listening(sandbox) as url, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        names = ("STACK_NAME", "TABLE_NAME", "SETTINGS_PATH", "SECRETS_PREFIX", "TOKEN_KEY_ARN", "EVENT_BUS_NAME")
        environment = {name: name for name in (*names, "INVENTORY_TOPIC_ARN")}
        environment |= {"XERO_API_URL": url, "XERO_TOKEN_URL": f"{url}/connect/token"}
        session = OperatorSession(FakeConnection(), **{"lambda": StubStack(environment, "{}")})
        session.stored = {}
        yield Desk(aws, sandbox, session, monkeypatch, port, [])


def test_consent_in_the_browser_stores_a_refresh_token_that_xero_accepts(desk: Desk) -> None:
    answer = desk.connect()

    assert answer.exit_code == 0, answer.output
    assert "Stored Xero's credentials of main: organisation" in answer.stdout
    assert f"Set xero.tenant_id to {desk.xero.tenant_id} in the settings" in answer.stdout
    assert desk.stored["client_id"] == DEFAULT_CLIENT_ID
    assert desk.stored["refresh_token"] in desk.xero.identity.refresh_tokens
    assert len(desk.aws.secret()["buyer_salt"]) == 64


def test_consent_asks_for_exactly_the_scopes_that_are_needed(desk: Desk) -> None:
    desk.connect()

    query = parse_qs(urlsplit(desk.visited[0]).query)
    assert query["scope"] == [" ".join([*SCOPES, "accounting.settings.read", "accounting.attachments"])]
    assert query["redirect_uri"] == [f"http://localhost:{desk.port}/callback"]


def test_no_token_and_no_secret_is_printed(desk: Desk) -> None:
    answer = desk.connect()

    for secret in (DEFAULT_CLIENT_SECRET, desk.stored["refresh_token"], *desk.xero.identity.access_tokens):
        assert secret not in answer.output


def test_nothing_is_written_to_disk(desk: Desk, tmp_path: Path) -> None:
    desk.monkeypatch.chdir(tmp_path)

    desk.connect()

    assert not list(tmp_path.rglob("*"))


def test_other_page_cannot_answer_in_the_place_of_xero(desk: Desk) -> None:
    statuses, pages = [], []

    def browse(url: str) -> None:
        forged = f"http://127.0.0.1:{desk.port}/callback?code=stolen&state=guessed"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(forged, timeout=10)
        statuses.append(refused.value.code)
        pages.append(refused.value.read().decode())
        follow(url)

    desk.browse = browse

    assert desk.connect().exit_code == 0
    assert statuses == [400]
    assert "open the address that the terminal printed last" in pages[0]
    assert "refresh_token" in desk.stored


def test_declined_consent_is_explained_and_nothing_is_stored(desk: Desk) -> None:
    desk.xero.identity.is_consent_given = False

    answer = desk.connect()

    assert answer.exit_code == 1
    assert "the consent was not given (access_denied), and nothing was stored" in " ".join(answer.stderr.split())
    assert not desk.aws.writes


@pytest.mark.parametrize(
    ("is_given", "title"), [(True, "Consent received"), (False, "No consent given")], ids=["given", "declined"]
)
def test_page_in_the_browser_says_whether_there_is_a_consent(desk: Desk, is_given: bool, title: str) -> None:
    desk.xero.identity.is_consent_given = is_given
    pages = []

    def browse(url: str) -> None:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http on this machine
            pages.append(answer.read().decode())
            assert answer.headers["referrer-policy"] == "no-referrer"  # the address has the code

    desk.browse = browse
    desk.connect()

    assert f"<h1>{title}</h1>" in pages[0]
    assert "Return to the terminal" in pages[0]


def test_consent_that_does_not_come_ends_with_the_redirect_uri_to_register(desk: Desk) -> None:
    desk.browse = lambda url: None

    answer = desk.connect("--timeout", "1")

    assert answer.exit_code == 1
    text = " ".join(answer.stderr.split())
    assert "nobody consented in the browser within 1 seconds, and nothing was stored" in text
    assert (
        f"compare the client id and the redirect URI http://localhost:{desk.port}/callback with those of the app"
        in text
    )


@pytest.mark.parametrize(
    ("scopes", "named"),
    [
        (SCOPES, "does not let the app read the settings: it lacks the scope accounting.settings.read"),
        ([*SCOPES[1:], "accounting.settings.read"], "for longer than 30 minutes: it lacks the scope offline_access"),
    ],
)
def test_missing_scope_is_named_with_its_cure_and_nothing_is_stored(desk: Desk, scopes: list[str], named: str) -> None:
    desk.xero.identity.stated_scopes = scopes

    answer = desk.connect()

    text = " ".join(answer.stderr.split())
    assert named in text
    assert "Add the scope to the app at developer.xero.com" in text
    assert not desk.aws.writes


def test_code_that_xero_takes_for_too_old_is_explained(desk: Desk) -> None:
    def browse(url: str) -> None:
        follow(url)
        desk.xero.identity.clock.advance(timedelta(minutes=6).total_seconds())

    desk.browse = browse

    assert "valid for 5 minutes and once" in " ".join(desk.connect().stderr.split())
    assert not desk.aws.writes


def test_wrong_client_secret_is_explained(desk: Desk) -> None:
    answer = desk.connect(answer=f"{DEFAULT_CLIENT_ID}\nwrong\n")

    assert "Xero refuses the app's client id or secret (invalid_client)" in " ".join(answer.stderr.split())
    assert not desk.aws.writes


def test_operator_chooses_among_several_organisations(desk: Desk) -> None:
    desk.xero.identity.other_tenants = [OTHER]

    answer = desk.connect(answer=f"{APP}2\n")

    assert "organisation Other Ltd" in answer.stdout


def test_organisation_may_be_named_and_a_program_has_to_name_it(desk: Desk) -> None:
    desk.xero.identity.other_tenants = [OTHER]
    document = json.dumps({"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET})

    unnamed = desk.connect("--stdin", answer=document)
    assert "Name one organisation with --tenant" in " ".join(unnamed.stderr.split())
    assert unnamed.exit_code == 2
    assert not desk.aws.writes
    named = desk.connect("--stdin", "--tenant", "other ltd", "--json", answer=document)
    assert json.loads(named.stdout)["tenant_id"] == OTHER["tenantId"]


def test_consent_for_another_organisation_than_that_of_the_settings_is_not_stored(desk: Desk) -> None:
    desk.aws.parameters["main"] = json.dumps(valid_settings())
    desk.session.stored = {"main": ""}

    answer = desk.connect()

    assert "the app is not connected to one organisation" in " ".join(answer.stderr.split())
    assert not desk.aws.writes


def test_custom_connection_is_checked_live_and_stored_without_a_refresh_token(desk: Desk) -> None:
    answer = desk.connect("--custom-connection")

    assert answer.exit_code == 0, answer.output
    assert not desk.visited
    assert desk.stored == {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}


def test_scope_that_only_one_invoice_per_day_needs_is_missed_where_the_settings_have_it(desk: Desk) -> None:
    stored = valid_settings()
    stored["xero"] |= {"tenant_id": desk.xero.tenant_id}
    stored["invoices"] = {**stored.get("invoices", {}), "per": "day"}
    desk.aws.parameters["main"] = json.dumps(stored)
    desk.session.stored = {"main": ""}
    desk.xero.identity.stated_scopes = [*SCOPES, "accounting.settings.read"]

    for options in ((), ("--custom-connection",)):
        assert "it lacks the scope accounting.attachments" in " ".join(desk.connect(*options).stderr.split())
    assert not desk.aws.writes


def test_organisation_that_is_named_against_the_settings_is_the_one_that_the_refusal_names(desk: Desk) -> None:
    stored = valid_settings()
    stored["xero"] |= {"tenant_id": desk.xero.tenant_id}
    desk.aws.parameters["main"] = json.dumps(stored)
    desk.session.stored = {"main": ""}
    desk.xero.identity.other_tenants = [OTHER]

    text = " ".join(desk.connect("--tenant", "Other Ltd").stderr.split())

    assert f"{desk.xero.tenant_id}, and this is Other Ltd ({OTHER['tenantId']}). Nothing was stored." in text


def test_custom_connection_without_a_scope_is_not_stored(desk: Desk) -> None:
    desk.xero.identity.stated_scopes = ["accounting.invoices"]

    assert "it lacks the scope accounting.payments" in " ".join(desk.connect("--custom-connection").stderr.split())
    assert not desk.aws.writes


def test_consent_is_renewed_without_typing_the_credentials_again(desk: Desk) -> None:
    desk.connect()
    first = desk.aws.secret()

    answer = desk.connect(answer="\n\n")

    assert answer.exit_code == 0, answer.output
    assert desk.stored["client_secret"] == DEFAULT_CLIENT_SECRET
    assert desk.stored["refresh_token"] != first["xero"]["refresh_token"]
    assert desk.aws.secret()["buyer_salt"] == first["buyer_salt"]


def test_nobody_at_the_keyboard_is_told_of_stdin(desk: Desk) -> None:
    answer = desk.connect(answer="")

    assert answer.exit_code == 2
    assert "Add --stdin to send JSON instead" in " ".join(answer.stderr.split())


def test_port_that_cannot_be_is_refused_as_an_option(desk: Desk) -> None:
    answer = desk.connect("--port", "70000")

    assert answer.exit_code == 2
    assert not isinstance(answer.exception, OverflowError)


def test_used_port_is_named_with_what_to_do(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", desk.port)):
        answer = desk.connect()

    assert f"port {desk.port} of this machine cannot be used" in " ".join(answer.stderr.split())
