"""Each function's role grants what the function needs, and nothing else.

The functions run as deployed, with the environment that the template gives them, against the sandboxes of Amazon and
Xero. What they ask of AWS is compared with their role; to it is added what Lambda itself does with the role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any

import pytest
from template.recorded_aws import Permission, RecordedAws
from template.template_values import ACCOUNT, REGION, STACK, TemplateValues

from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities
from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS, ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.record import StockRecord
from amazon_to_xero.runtime import composition, replay_handler
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.observability import SystemClock
from amazon_to_xero.services.planning.document_requests import request_documents
from deployable.names import logical_name
from deployable.transform import transformed
from fakes.settings import secrets
from fakes.stock import UK, availability_change
from local.settings import CONNECTION_JSON
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.testing.amazon import a_stock_level, an_order
from sandbox.wire import SandboxClock
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, XeroSandbox
from unit.adapters.live_sandboxes import listening
from unit.desired_documents import CONTACT, desired_invoice
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import (
    dead_letters,
    order_change,
    order_event,
    reprocess,
    sqs_event,
    transaction_update,
)

FUNCTIONS = ("orders", "shipments", "refunds", "inventory_alerts", "inventory_reconciliation", "resume", "replay")
#: A shorter name than the folder leaves the stack the longer one.
LOGGED_AS = {"inventory_reconciliation": "reconciliation"}
ORDER_IDS = ("204-0000001-0000001", "204-0000002-0000002")
CONNECTION = "main"
BUCKET = f"{STACK}-ReportBucket-1ABCDEF"
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # X-Ray knows no resources
#: Only the end of a resource may be open: names of connections, Secrets Manager's six characters, log streams.
OPEN_RESOURCES = {
    f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/connections/*",
    f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{STACK}/connections/*",
    f"arn:aws:s3:::{BUCKET}/*",  # names of reports
    *(
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}-{LOGGED_AS.get(name, name.replace('_', '-'))}:*"
        for name in FUNCTIONS
    ),
}


@dataclass
class Deployment:
    """The template, and the functions as it deploys them."""

    template: Mapping[str, Any]
    values: TemplateValues

    def function(self, name: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.template["Resources"][f"{logical_name(name)}Function"]["Properties"]
        return properties

    def granted(self, name: str) -> list[Permission]:
        """Return the action and the resource pattern of everything that the function's role allows."""
        role = self.template["Resources"][self.function(name)["Role"]["Fn::GetAtt"][0]]["Properties"]
        statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
        return [
            (action, self.values.of(resource))
            for statement in statements
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        ]

    def done_by_lambda(self, name: str) -> Iterator[Permission]:
        """Yield what Lambda does with the function's role: its log, its queue, its failed runs."""
        resources = self.template["Resources"].values()
        group = self.values.of(self.function(name)["LoggingConfig"]["LogGroup"])
        stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:2026/11/23/[$LATEST]1"
        yield from (("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream))
        if self.values.of(self.function(name)["TracingConfig"]["Mode"]) == "Active":
            yield from ((action, "*") for action in TRACES)
        reference = {"Ref": f"{logical_name(name)}Function"}
        for each in resources:
            properties = each.get("Properties", {})
            if properties.get("FunctionName") != reference:
                continue
            if each["Type"] == "AWS::Lambda::EventSourceMapping":
                queue = self.values.of(properties["EventSourceArn"])
                for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                    yield f"sqs:{action}", queue
            if each["Type"] == "AWS::Lambda::EventInvokeConfig":
                yield "sqs:SendMessage", self.values.of(properties["DestinationConfig"]["OnFailure"]["Destination"])


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    template = transformed()
    return Deployment(template, TemplateValues(template))


@pytest.fixture(scope="module")
def recorded(deployment: Deployment) -> Iterator[Mapping[str, RecordedAws]]:
    """Run each function through everything that it does, and yield what each of them asked of AWS."""
    with pytest.MonkeyPatch.context() as patch:
        yield {name: _run(name, deployment, patch) for name in FUNCTIONS}
    composition.application.cache_clear()


def _run(name: str, deployment: Deployment, patch: pytest.MonkeyPatch) -> RecordedAws:
    """Run a function with due documents that Xero refuses, one of each capability, and its own triggers."""
    xero = XeroSandbox(SandboxClock())
    orders = [an_order(1, updated=_now()), an_order(2, updated=_now(), status="SHIPPED")]
    amazon = AmazonSandbox(SandboxClock(), Seller(orders=orders), lambda *_: None, present=True, usage_plans={})
    amazon.put_inventory(a_stock_level())  # of which Xero has no item
    with listening(xero) as xero_url, listening(amazon) as amazon_url:
        aws = RecordedAws(
            {f"/{STACK}/connections/{CONNECTION}": _settings(xero.tenant_id)},
            {f"{STACK}/connections/{CONNECTION}": _secrets()},
        )
        aws.install(patch)
        addresses = {
            "AmazonApiUrl": amazon_url,
            "LwaUrl": f"{amazon_url}/auth/o2/token",
            "XeroApiUrl": xero_url,
            "XeroTokenUrl": f"{xero_url}/connect/token",
        }
        values = TemplateValues(deployment.template, addresses)
        function = deployment.function(name)
        environment = values.of(function["Environment"]["Variables"])
        for variable, value in (environment | {"AWS_REGION": REGION}).items():
            patch.setenv(variable, value)
        module, _, handler = function["Handler"].rpartition(".")
        replay_handler.queues.cache_clear()
        for number, event in enumerate(_events(name)):
            with aws.unrecorded():
                _make_work_due(environment["TABLE_NAME"], f"R{number}", read=name == "shipments")
            if number == 0:
                aws.delete("CURSOR#xero-token")  # the first one asks Xero for tokens, the next one finds them
            aws.waiting = _waiting_letters() if name == "replay" else {}
            composition.application.cache_clear()  # each event starts the function cold: nothing is left in memory
            getattr(import_module(module), handler)(event, FakeLambdaContext())
    return aws


def _events(name: str) -> list[dict[str, Any]]:
    """Return an event of each kind that triggers the function, at least two."""
    match name:
        case "orders":
            change = order_change(ORDER_IDS[0], "A1SELLER", datetime.now(UTC))
            return [sqs_event(change, "no JSON"), {"sweep": "orders"}]
        case "shipments":
            return [sqs_event(order_event(ORDER_IDS[1], CONNECTION), "no JSON"), sqs_event(reprocess(ORDER_IDS[1]))]
        case "refunds":
            # A notification makes a read due, which the resume function does; the sweep goes through every path.
            notices = sqs_event(transaction_update("A1SELLER", datetime.now(UTC)), "no JSON")
            return [{"sweep": "refunds"}, {"sweep": "refunds"}, notices]
        case "inventory_alerts":
            notice = json.dumps(availability_change({UK: 7}, datetime.now(UTC), seller_id="A1SELLER"))
            return [sqs_event(notice, "no JSON"), {"sweep": "inventory_alerts"}]
        case "inventory_reconciliation":
            close = {"connection": CONNECTION, "item": "KETTLE-BLUE", "word": "A sample"}
            return [{"reconcile": "due"}, {"reconcile": "now"}, {"close": close}]
        case "replay":
            preview = {"replay": {"by": "arn:aws:iam::123456789012:user/ada", "limit": 100}}
            run = {"replay": {**preview["replay"], "preview": False}}
            closed = {"replay": {**run["replay"], "closed_because": "entered manually"}}
            letters = dead_letters("stack-orders-dlq", "no JSON", reprocess(ORDER_IDS[0]))
            return [preview, preview, closed, run, _backfill("forecast"), _backfill("start"), letters]
    return [{"resume": "due"}] * 2


def _backfill(action: str) -> dict[str, Any]:
    """Return an operator's event about a backfill of yesterday."""
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    asked = {"by": "arn:aws:iam::123456789012:user/ada", "connection": CONNECTION, "reason": "we moved over"}
    return {"backfill": {**asked, "action": action, "from": day, "to": day}}


def _waiting_letters() -> dict[str, list[Mapping[str, Any]]]:
    """Return a message that is sent again, and one that is left, of each dead-letter queue; and stopped ones."""
    now = datetime.now(UTC)
    stock = json.dumps(availability_change({UK: 7}, now, seller_id="A1SELLER"))
    bodies = {
        ORDERS: order_change(ORDER_IDS[0], "A1SELLER", now + timedelta(minutes=1)),
        SHIPMENTS: order_event(ORDER_IDS[1], CONNECTION),
        REFUNDS: transaction_update("A1SELLER", now),
        INVENTORY_ALERTS: stock,
    }
    waiting = {
        f"{STACK}-{name.replace('_', '-')}-dlq": [_waiting(body, name), _waiting("no JSON", name)]
        for name, body in bodies.items()
    }
    return waiting | {f"{STACK}-stopped-letters": [_waiting(bodies[REFUNDS], REFUNDS), _waiting("no JSON", ORDERS)]}


def _waiting(body: str, capability: str) -> dict[str, Any]:
    return {
        "MessageId": f"{capability}-{body[:5]}-{datetime.now(UTC).timestamp()}",
        "ReceiptHandle": "receipt",
        "Body": body,
        "Attributes": {"SentTimestamp": "1764000000000"},
        "MessageAttributes": {"capability": {"DataType": "String", "StringValue": capability}},
    }


def _make_work_due(table: str, number: str, *, read: bool) -> None:
    """Store a notice of each order, an invoice of each capability in a currency that Xero refuses, and an alert.

    number: first part of the invoices' numbers.
    read: read the orders, too, as the orders function has done before one is shipped.
    """
    store = DynamoStateStore(table, CONNECTION, REGION)
    refused = [
        replace(invoice, body={**invoice.body, "CurrencyCode": "XXX"}, capability=capability)
        for invoice, capability in (
            (desired_invoice(f"{number}-1"), ORDERS),
            (desired_invoice(f"{number}-2"), SHIPMENTS),
            (desired_invoice(f"{number}-3"), REFUNDS),
        )
    ]
    request_documents(store, SystemClock(), [CONTACT, *refused])
    composition.application.cache_clear()
    notices = [ChangeNotice(order_id, datetime.now(UTC)) for order_id in ORDER_IDS]
    services = composition.application().connections()[CONNECTION].services
    due = services.notices.record(notices)
    alert = StockAlert(AlertKind.LOW, "", Channel.FBA, UK, number, datetime.now(UTC), StockQuantities(7))
    store.save([StockRecord(Channel.FBA, UK, number, unsent=(alert,), next_attempt_at=datetime.now(UTC))])
    if read:
        services.order_reader.read_due(due, datetime.now(UTC) + timedelta(minutes=1))


def _settings(tenant: str) -> str:
    settings = json.loads(CONNECTION_JSON.read_text(encoding="utf-8"))
    settings["xero"]["tenant_id"] = tenant
    return json.dumps(settings)


def _secrets() -> str:
    document, amazon = secrets(), Credentials()
    document["amazon"] = {
        "client_id": amazon.client_id,
        "client_secret": amazon.client_secret,
        "refresh_token": amazon.refresh_token,
    }
    document["xero"] = {
        "client_id": DEFAULT_CLIENT_ID,
        "client_secret": DEFAULT_CLIENT_SECRET,
        "refresh_token": DEFAULT_REFRESH_TOKEN,
    }
    return json.dumps(document)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _allows(granted: Permission, needed: Permission) -> bool:
    """Return whether a granted permission covers a needed one; in a resource, only * is a wildcard."""
    return granted[0] == needed[0] and fnmatchcase(needed[1], granted[1].replace("[", "[[]"))


@pytest.fixture(params=FUNCTIONS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_function_of_the_template_is_run(deployment: Deployment) -> None:
    functions = {
        name for name, each in deployment.template["Resources"].items() if each["Type"] == "AWS::Lambda::Function"
    }
    assert {f"{logical_name(name)}Function" for name in FUNCTIONS} == functions


def test_function_may_do_everything_that_it_does(
    deployment: Deployment, recorded: Mapping[str, RecordedAws], name: str
) -> None:
    needed = recorded[name].calls | set(deployment.done_by_lambda(name))
    granted = deployment.granted(name)
    assert [each for each in sorted(needed) if not any(_allows(grant, each) for grant in granted)] == []


def test_function_may_do_nothing_that_it_never_does(
    deployment: Deployment, recorded: Mapping[str, RecordedAws], name: str
) -> None:
    needed = recorded[name].calls | set(deployment.done_by_lambda(name))
    granted = deployment.granted(name)
    assert [grant for grant in granted if not any(_allows(grant, each) for each in needed)] == []


def test_run_reached_the_end_of_every_path(recorded: Mapping[str, RecordedAws], name: str) -> None:
    """Otherwise the comparison would prove little: each function sends dead letters of every capability that posts."""
    aws = recorded[name]
    if name == "replay":
        queues = {f"{STACK}-{each.replace('_', '-')}" for each in CAPABILITIES}
        assert {queue for queue, _ in aws.sent} == {*queues, f"{STACK}-stopped-letters"}
        return
    own = [CAPABILITIES[name]] if name == INVENTORY_ALERTS else [each for each in CAPABILITIES.values() if each.posts]
    if name == "inventory_reconciliation":
        own = []  # it posts nothing, and takes no messages
        assert ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/main/stock.csv") in {
            (action, re.sub("/main/[^/]+/", "/main/", resource)) for action, resource in aws.calls
        }
    assert {queue for queue, _ in aws.sent} == {f"{STACK}-{each.name.replace('_', '-')}-dlq" for each in own}
    assert bool(aws.events) == (name in ("orders", "inventory_alerts", "inventory_reconciliation", "resume"))


def test_no_permission_is_wider_than_a_name_that_nobody_knows_at_deployment(deployment: Deployment, name: str) -> None:
    wide = {each for each in deployment.granted(name) if "*" in each[1] or "*" in each[0]}
    assert {action for action, resource in wide if resource not in OPEN_RESOURCES} == TRACES
