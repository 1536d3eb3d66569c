"""`operate doctor` against the sandboxes of Amazon and Xero: each thing that is wrong is named, with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sp_api.auth.access_token_client import cache as seller_tokens
from sp_api.auth.access_token_client import grantless_cache as grantless_tokens

from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.domain.amazon.stock_statements import MERCHANT_QUANTITY_CHANGE
from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, parse
from amazon_to_xero.services.inventory.pool_check import store_sample
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, Outputs, as_text, operate
from fakes.operator_aws import StubStack
from fakes.orders import item, order
from fakes.state import NOON
from fakes.stock import DE, UK, stated
from local.sandboxes import Sandbox, sandbox
from local.stack import SETTINGS
from operations import connect
from operations.command_line.doctor import doctor
from operations.merchant_quantities import subscribe_merchant_quantities
from sandbox.amazon import OWN_SELLER, Credentials
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

FUNCTIONS = {"OrdersFunctionName": "stack-orders", "ResumeFunctionName": "stack-resume"}
SERVICES = ("lambda", "sqs", "sns", "secretsmanager", "kms", "cloudwatch")
AUSTRALIA, POLAND = "A39IBJ37TRP1C6", "A1C3SOZRARQ6R3"
ORDER_CHANGE = "ORDER_CHANGE"
PARTNER_SOURCE = "aws.partner/sellingpartnerapi.amazon.com/123456789012/amzn1.sp.solution.sandbox"


@dataclass
class World:
    """A stack with one healthy connection, until something in it is changed."""

    amazon: Sandbox
    xero: Sandbox
    connection: FakeConnection
    aws: StubStack
    settings: dict[str, Any]
    secrets: dict[str, Any]

    def session(self) -> OperatorSession:
        """Return the operator's session over what the settings and secrets hold now."""
        session = OperatorSession(self.connection, **dict.fromkeys(SERVICES, self.aws))
        session.stored = {"main": json.dumps(self.settings)} if self.settings else {}
        session.stated_outputs = Outputs(FUNCTIONS | {name: _arn(name) for name in connect.SUBSCRIPTIONS.values()})
        self.amazon.control("POST", "clock", {"advance": 3600})  # Amazon's quotas are full again
        if self.aws.secret is not None:
            self.aws.secret = json.dumps(self.secrets)
        return session

    def notifications(self) -> AmazonNotifications:
        return connect.notifications_of(*self._parsed(), self.amazon.url, f"{self.amazon.url}/auth/o2/token")

    def subscribe(self, kind: str, queue: str) -> None:
        connect.subscribe(*self._parsed(), kind, queue, self.amazon.url, f"{self.amazon.url}/auth/o2/token")

    def unsubscribe(self, kind: str) -> None:
        notifications = self.notifications()
        subscription = notifications.get_subscription(kind)
        if subscription:
            notifications.delete_subscription(kind, subscription["subscriptionId"])

    def configure_xero(self, *, replace: bool = False, **settings: Any) -> None:
        self.xero.control("POST", f"organisation{'?replace=true' if replace else ''}", settings)

    def _parsed(self) -> tuple[ConnectionSettings, ConnectionSecrets]:
        settings, secrets = json.dumps(self.settings), json.dumps(self.secrets)
        return parse(ConnectionSettings, settings, "settings"), parse(ConnectionSecrets, secrets, "secrets")


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    log = tmp_path_factory.mktemp("amazon") / "log"
    with sandbox("amazon", "--seller", str(OWN_SELLER), "--present", log=log) as running:
        yield running


@pytest.fixture(scope="module")
def xero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox("xero", log=tmp_path_factory.mktemp("xero") / "log") as running:
        yield running


@pytest.fixture
def world(amazon: Sandbox, xero: Sandbox) -> World:
    xero.control("POST", "reset")
    amazon.control("POST", "refusals")
    amazon.control("POST", "authorise")
    amazon.control("POST", "clock", {"advance": 60})  # the test before has used up calls
    seller_tokens.clear()
    grantless_tokens.clear()
    connection = FakeConnection()
    connection.sweep()
    connection.sweep_transactions()
    urls = {"AMAZON_API_URL": amazon.url, "LWA_URL": f"{amazon.url}/auth/o2/token"}
    urls |= {"XERO_API_URL": xero.url, "XERO_TOKEN_URL": f"{xero.url}/connect/token"}
    names = ("STACK_NAME", "TABLE_NAME", "SETTINGS_PATH", "SECRETS_PREFIX", "TOKEN_KEY_ARN", "EVENT_BUS_NAME")
    environment = urls | {name: name for name in (*names, "INVENTORY_TOPIC_ARN", "ALARM_TOPIC_ARN")}
    made = World(amazon, xero, connection, StubStack(environment, "{}"), _settings(amazon, xero), _secrets())
    for kind, queue in connect.SUBSCRIPTIONS.items():
        made.unsubscribe(kind)
        made.subscribe(kind, _arn(queue))
        amazon.control("POST", "clock", {"advance": 60})
    return made


def _arn(queue: str) -> str:
    return f"arn:aws:sqs:eu-west-1:123456789012:{queue}"


def _settings(amazon: Sandbox, xero: Sandbox) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SETTINGS.read_text(encoding="utf-8"))
    document["xero"] = {"tenant_id": xero.control("GET", "books")["Organisations"][0]["OrganisationID"]}
    document["accounts"]["clearing"]["AUD"] = "CLR-AUD"
    document["amazon"]["ignored_marketplaces"] = ["A13V1IB3VIYZZH"]
    return document


def _secrets() -> dict[str, Any]:
    seller = Credentials()
    return {
        "amazon": {
            "client_id": seller.client_id,
            "client_secret": seller.client_secret,
            "refresh_token": seller.refresh_token,
        },
        "xero": {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET},
        "buyer_salt": "0" * 32,
        "connected_at": (NOON - timedelta(days=10)).isoformat(),
    }


def test_healthy_connection_has_no_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, world.session(), "doctor")

    assert answer.stdout.strip() == "Connection main: everything that can be checked is fine."
    assert answer.exit_code == 0


def test_branding_theme_and_tracking_that_the_organisation_has_are_no_finding(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    book_with(world, tracking={"Channel": "FBA"})

    answer = operate(monkeypatch, world.session(), "doctor")

    assert answer.stdout.strip() == "Connection main: everything that can be checked is fine."


def test_own_stock_that_the_stack_takes_is_no_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe_to_own_stock(world)
    session = world.session()
    session.stated_outputs["PartnerEventSource"] = PARTNER_SOURCE

    answer = operate(monkeypatch, session, "doctor")

    assert answer.stdout.strip() == "Connection main: everything that can be checked is fine."


def account(world: World, name: str, code: str) -> None:
    world.settings["accounts"][name] = code


def book_with(world: World, **rule: Any) -> None:
    """Have the lines of all items booked with what `rule` names, and documents look like those of the theme Amazon."""
    world.settings["accounts"].setdefault("rules", []).append(rule)
    world.settings["invoices"] = world.settings.get("invoices", {}) | {"branding_theme": "Amazon"}


def have_identical_stock(world: World) -> None:
    for marketplace in (UK, DE):
        statements = [stated(30 + number, sku=f"SKU-{number}") for number in range(5)]
        store_sample(world.connection.store, marketplace, statements, NOON)


def reconcile_without_alerts(world: World) -> None:
    world.settings["inventory"] = {"reconcile": True}
    refuse(world, "getInventorySummaries")


def archive(world: World, code: str) -> None:
    world.configure_xero(Accounts=[{"Code": code, "Status": "ARCHIVED"}])


def refuse(world: World, operation: str) -> None:
    world.amazon.control("POST", "refusals", {"operations": [operation]})


def organisation_without_yen(world: World) -> None:
    held = world.xero.control("GET", "books")["Currencies"]
    world.configure_xero(replace=True, Currencies=[each for each in held if each["Code"] != "JPY"])


def bind_to_another_organisation(world: World) -> None:
    world.connection.store.save([Cursor("xero-tenant", {"tenant_id": "00000000-0000-4000-8000-00000000000a"})])


def send_order_changes_elsewhere(world: World) -> None:
    world.unsubscribe(ORDER_CHANGE)
    world.subscribe(ORDER_CHANGE, _arn("another-stack-orders"))


def no_longer_name_australia(world: World) -> None:
    world.settings["amazon"]["marketplaces"].remove(AUSTRALIA)
    for rule in world.settings["tax"]["rules"]:
        if AUSTRALIA in rule["marketplaces"]:
            rule["marketplaces"].remove(AUSTRALIA)


def _without_attachments(world: World) -> None:
    world.settings["invoices"] = {"per": "day"}
    scopes = ["accounting.invoices", "accounting.payments", "accounting.contacts", "accounting.settings.read"]
    world.xero.control("POST", "scopes", {"scopes": scopes})


def ask_for_own_stock(world: World) -> None:
    world.settings["inventory"]["merchant_quantities"] = True
    world.unsubscribe(MERCHANT_QUANTITY_CHANGE)


def subscribe_to_own_stock(world: World) -> None:
    ask_for_own_stock(world)
    subscribe_merchant_quantities(world.notifications(), _arn(connect.SUBSCRIPTIONS[connect.STOCK_NOTIFICATION]))


def have_an_order_fail(world: World) -> None:
    world.connection.amazon.hold(order(item("9.00"), order_id="B", marketplace="NOWHERE"))
    world.connection.read(world.connection.notice(["B"]))
    world.connection.plan_drafts()


def have_a_document_changed(world: World) -> None:
    differences = (FieldDifference("Date", "2026-11-05", "2026-11-04"),)
    world.connection.store.save([XeroChange("invoice#A", ChangeKind.EDITED, "order#A", "A", differences)])


def have_a_secret_of(days: int) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.secrets["connected_at"] = (NOON - timedelta(days=days)).isoformat()

    return plant


def have_a_client_secret_of(days: int) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.secrets["amazon"]["client_secret_since"] = (NOON - timedelta(days=days)).isoformat()

    return plant


def have_no_secret(world: World) -> None:
    world.aws.secret = None


#: What is wrong, and what the doctor says: the finding, and the beginning of what to do.
CASES: dict[str, tuple[Callable[[World], Any], str, str]] = {
    # --- settings and organisation ---
    "account that does not exist": (
        lambda world: account(world, "item", "999"),
        "ACCOUNT_UNKNOWN: The organisation has no account 999",
        "Add the account in Xero",
    ),
    "account that is archived": (
        lambda world: archive(world, "205"),
        "ACCOUNT_ARCHIVED: Account 205 is archived",
        "Restore the account in Xero",
    ),
    "sales on a bank account": (
        lambda world: account(world, "shipping", "090"),
        "account 090 (Business bank account) is of type BANK, and sales are booked on it",
        "Name an account of type Revenue",
    ),
    "currency that the organisation does not use": (
        organisation_without_yen,
        "CURRENCY_NOT_SUBSCRIBED: The organisation does not use JPY",
        "Add the currency in Xero",
    ),
    "no clearing account of a currency": (
        lambda world: world.settings["accounts"]["clearing"].pop("AUD"),
        "NO_CLEARING: No clearing account is set for AUD",
        "Set accounts.clearing for AUD",
    ),
    "clearing account that takes no payments": (
        lambda world: world.settings["accounts"]["clearing"].update(GBP="200"),
        "CLEARING_UNUSABLE: Account 200 cannot take payments in GBP",
        "Correct the account in Xero",
    ),
    "tax type that does not exist": (
        lambda world: world.settings["tax"]["rules"][2].update(tax_type="TAX999"),
        "TAX_RATE_UNUSABLE",
        "Correct tax",
    ),
    "tracking option that does not exist": (
        lambda world: book_with(world, tracking={"Channel": "Shop"}),
        "TRACKING_UNKNOWN",
        "Add or restore it in Xero",
    ),
    "item that does not exist": (
        lambda world: book_with(world, item_code="NO-SUCH-ITEM"),
        "ITEM_UNUSABLE: The organisation has no item NO-SUCH-ITEM",
        "Add",
    ),
    "no rounding account": (
        lambda world: archive(world, "498"),
        "NO_ROUNDING_ACCOUNT: The organisation has no active rounding account",
        "Restore Xero's system account ROUNDING",
    ),
    "lock date after the start": (
        lambda world: world.configure_xero(Organisation={"PeriodLockDate": "2026-10-31"}),
        "LOCKED_BEFORE_START: Orders are booked from",
        "Set invoices.lock_dates",
    ),
    "another organisation in the settings": (
        lambda world: world.settings["xero"].update(tenant_id="00000000-0000-4000-8000-000000000001"),
        "the app is not connected to the organisation 00000000-0000-4000-8000-000000000001; it is connected to: ",
        "Correct xero.tenant_id",
    ),
    "another organisation than the connection has posted to": (
        bind_to_another_organisation,
        "XERO_TENANT_CHANGED",
        "Put the earlier xero.tenant_id back",
    ),
    "Starter plan": (
        lambda world: world.configure_xero(Organisation={"Class": "STARTER"}),
        "the organisation's Xero plan is STARTER",
        "Change the plan in Xero",
    ),
    # --- consent and calls of Xero ---
    "app that was disconnected in Xero": (
        lambda world: world.xero.control("POST", "connection", {"connected": False}),
        "it is connected to: none",
        "Correct xero.tenant_id in the settings, or connect the app",
    ),
    "wrong secret of the Xero app": (
        lambda world: world.secrets["xero"].update(client_secret="wrong"),
        "Xero refuses the app's client id or secret (invalid_client)",
        "Copy both from developer.xero.com",
    ),
    "missing scope": (
        lambda world: world.xero.control(
            "POST", "scopes", {"scopes": ["accounting.invoices", "accounting.contacts", "accounting.settings.read"]}
        ),
        "the consent in Xero does not let the app write payments: it lacks the scope accounting.payments",
        "Add accounting.payments",
    ),
    "missing scope of days": (
        _without_attachments,
        "does not let the app attach the lists of orders to the invoices of days: it lacks the scope accounting.attach",
        "Add accounting.attachments",
    ),
    "fewer calls a day than in the settings": (
        lambda world: world.xero.control("POST", "limits", {"day": 1000}),
        "xero.calls_per_day is 5000, and Xero allows 99",
        "Set xero.calls_per_day to 1000",
    ),
    "calls of the day used up": (
        lambda world: world.xero.control("POST", "limits", {"day": 40}),
        "more calls today",
        "Find out which other app",
    ),
    # --- Amazon ---
    "wrong secret of the Amazon application": (
        lambda world: world.secrets["amazon"].update(client_secret="wrong"),
        "Amazon does not know the application's client id or secret",
        "Copy both from Seller Central",
    ),
    "authorisation that was withdrawn": (
        lambda world: world.amazon.control("POST", "revoke", {"authorisation": True}),
        "the seller's authorisation of the application has ended or was withdrawn",
        "Authorise the application in Seller Central",
    ),
    "marketplace in which the seller does not sell": (
        lambda world: world.settings["amazon"]["marketplaces"].append(POLAND),
        "the seller does not sell on Amazon.pl (A1C3SOZRARQ6R3)",
        "Remove it from amazon.marketplaces",
    ),
    "marketplace that the settings do not name": (
        no_longer_name_australia,
        "the seller sells on Amazon.com.au (A39IBJ37TRP1C6), which the settings do not name",
        "Add it to amazon.marketplaces",
    ),
    "no role for orders": (
        lambda world: refuse(world, "searchOrders"),
        "Amazon refuses to return orders (searchOrders)",
        "Give the application the role Inventory and Order Tracking",
    ),
    "no role for transactions": (
        lambda world: refuse(world, "listTransactions"),
        "Amazon refuses to return transactions (listTransactions)",
        "Give the application the role Finance and Accounting",
    ),
    "no role for stock": (
        lambda world: refuse(world, "getInventorySummaries"),
        "Amazon refuses to return stock (getInventorySummaries)",
        "Give the application the role Amazon Fulfillment",
    ),
    "no role for stock that is only reconciled": (
        reconcile_without_alerts,
        "Amazon refuses to return stock (getInventorySummaries)",
        "Give the application the role Amazon Fulfillment",
    ),
    "no subscription": (
        lambda world: world.unsubscribe(ORDER_CHANGE),
        "Amazon sends no ORDER_CHANGE",
        "Run make connect",
    ),
    "subscription of another stack": (
        send_order_changes_elsewhere,
        "Amazon sends ORDER_CHANGE to arn:aws:sqs:eu-west-1:123456789012:another-stack-orders",
        "Disconnect the other stack",
    ),
    "own stock without a subscription": (
        ask_for_own_stock,
        "Amazon sends no LISTINGS_ITEM_MFN_QUANTITY_CHANGE",
        "Run make connect",
    ),
    "own stock that the stack does not take": (
        subscribe_to_own_stock,
        f"the stack does not take the events of Amazon's partner event source {PARTNER_SOURCE}",
        f'Run make deploy STACK=stack PARAMETERS="PartnerEventSource={PARTNER_SOURCE}"',
    ),
    "client secret that ends soon": (
        have_a_client_secret_of(160),
        "the application's client secret is 160 days old or older; Amazon ends it by 2026-12-",
        "Rotate it in Seller Central",
    ),
    "client secret of a secret that an earlier version stored": (
        have_a_secret_of(160),
        "the application's client secret is 160 days old or older",
        "Rotate it in Seller Central",
    ),
    # --- AWS ---
    "settings that lack a field": (
        lambda world: world.settings.pop("accounts"),
        "accounts: Field required",
        "Correct it and run connect again",
    ),
    "no settings": (lambda world: world.settings.clear(), "has no connection", "Run connect xero, then connect amazon"),
    "no secret": (have_no_secret, "there is no secret SecretsPrefix/main", "Run connect xero, then connect amazon"),
    "secret that is marked for deletion": (
        lambda world: setattr(world.aws, "is_deleted", True),
        "the secret SecretsPrefix/main is marked for deletion",
        "Run connect xero, which restores it",
    ),
    "secret without its time": (
        lambda world: world.secrets.pop("connected_at"),
        "the secret of main does not state when it was stored",
        "Run connect amazon again, which adds it",
    ),
    "queue that Amazon may not write to": (
        lambda world: world.aws.policies.update(OrdersQueueUrl=[]),
        "Amazon may not send ORDER_CHANGE to the queue",
        "Run make deploy",
    ),
    "trigger that is off": (
        lambda world: setattr(world.aws, "mapping_state", "Disabled"),
        "the function orders does not read its queue (Disabled)",
        "Enable the trigger of stack-orders",
    ),
    "function that cannot run": (
        lambda world: setattr(world.aws, "function_state", "Failed"),
        "the function resume is Failed",
        "Run make deploy",
    ),
    "exceptions": (
        lambda world: setattr(world.aws, "errors", 3),
        "the function orders raised 3 exceptions in the last day",
        "Read its log: make logs FUNCTION=orders MINUTES=1440. With ROW_OF_NEWER_VERSION deploy the newer",
    ),
    "key that is disabled": (
        lambda world: setattr(world.aws, "key_state", "Disabled"),
        "the key TokenKey of Xero's tokens is Disabled",
        "Enable the key",
    ),
    "alarms without a recipient": (
        lambda world: world.aws.recipients.clear(),
        "nobody receives the alarms",
        "Deploy again with PARAMETERS",
    ),
    "dead letters": (
        lambda world: world.aws.dead_letters.update(SchedulesDlqUrl=2),
        "2 dead letters of schedules",
        "Do what the attribute remedy of each says",
    ),
    # --- what the functions have stored ---
    "marketplaces that seem to be a pool": (
        have_identical_stock,
        "STOCK_POOL_PROPOSED: Amazon.co.uk, Amazon.de state identical quantities of stock (5 of 5 common SKUs)",
        'Write "eu": [',
    ),
    "order that failed": (have_an_order_fail, "1 failed with UNKNOWN_MARKETPLACE", "Add it to"),
    "document that somebody changed": (have_a_document_changed, "1 documents were changed in Xero", "drift list"),
    "sweeps that stopped": (
        lambda world: world.connection.clock.advance(5 * 3600),
        "Amazon answered a sweep of orders last 5 hours ago",
        "Check that the schedules",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named_with_what_to_do(world: World, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, what, remedy = CASES[case]
    plant(world)

    answer = operate(monkeypatch, world.session(), "doctor", "--json")

    assert answer.exit_code == 1
    document = json.loads(answer.stdout)
    findings = [each for found in document.get("connections", {}).values() for each in found]
    named = [each for each in findings if what in each["what"]]
    assert len(named) == 1 or what in document.get("error", ""), [each["what"] for each in findings]
    assert (named[0]["remedy"] if named else document["error"]).find(remedy) >= 0


def test_age_of_the_client_secret_is_not_that_of_the_consent_in_xero(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_a_client_secret_of(160)(world)
    have_a_secret_of(1)(world)  # connect xero was run yesterday

    answer = operate(monkeypatch, world.session(), "doctor")

    assert "the application's client secret is 160 days old or older" in " ".join(answer.stdout.split())


def test_new_client_secret_beside_an_old_authorisation_is_only_a_note_about_the_latter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.secrets["amazon"]["refresh_token_since"] = (NOON - timedelta(days=340)).isoformat()
    have_a_client_secret_of(1)(world)

    answer = operate(monkeypatch, world.session(), "doctor", "--json")

    ((finding,),) = json.loads(answer.stdout)["connections"].values()
    assert finding["what"].startswith("the seller's authorisation was stored 340 days ago")
    assert (finding["severity"], answer.exit_code) == ("note", 0)  # of a private application it does not end


def test_several_wrongs_are_all_named_the_worst_first(world: World) -> None:
    account(world, "item", "999")
    world.settings["accounts"]["clearing"].pop("AUD")
    refuse(world, "listTransactions")
    world.aws.recipients.clear()

    shown = doctor(world.session())

    (findings,) = shown.data["connections"].values()
    assert [each["severity"] for each in findings] == ["broken", "at risk", "at risk", "at risk"]
    assert "Give the application the role Finance and Accounting" in as_text(shown)
