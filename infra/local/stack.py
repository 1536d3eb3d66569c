"""The whole system on this machine: the local cloud with the real template, both sandboxes, a connected seller."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS, REFUNDS
from amazon_to_xero.ports.state import DOCUMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, parse
from deployable.names import logical_name
from local.cloud import ROOT, LocalCloud
from local.endpoint import REGION
from local.inventory_report import subscribe_recipient
from local.sandboxes import Sandbox, sandbox
from local.settings import CONNECTION_JSON, merged
from operations import connect
from operations.merchant_quantities import OUTPUT, subscribe_merchant_quantities
from sandbox.amazon import OWN_SELLER, Credentials, Seller
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

STACK = "amazon-to-xero"
CONNECTION = "main"
SETTINGS = CONNECTION_JSON
#: Partner event source of the sandbox Amazon's application in the local cloud's account.
PARTNER_SOURCE = "aws.partner/sellingpartnerapi.amazon.com/000000000000/amzn1.sp.solution.sandbox"
_MAX_DUE = 2000
_ALERTS_WITHIN = 150  # seconds: statements are collected, then the resume function runs, every minute


@dataclass(frozen=True)
class Stack:
    """The deployed system, with the sandboxes around it.

    seller_id: the connected seller.
    order_ids: of the seller folder, oldest first.
    stops: times at which the seller's history waits until everything is processed, oldest first.
    """

    cloud: LocalCloud
    amazon: Sandbox
    xero: Sandbox
    outputs: dict[str, str]
    store: DynamoStateStore
    seller_id: str
    order_ids: tuple[str, ...]
    stops: tuple[str, ...] = ()

    def calls(self) -> list[dict[str, Any]]:
        """Return every request to Amazon and Xero so far, oldest first."""
        both = [*self.amazon.control("GET", "calls"), *self.xero.control("GET", "calls")]
        return sorted(both, key=lambda call: str(call["at"]))

    def unfinished(self, *, alerts: bool = True) -> str:
        """Describe the unfinished work; work that is due in more than two minutes does not count. Empty if none.

        alerts: whether inventory alerts count that are still to be concluded or sent.
        """
        for capability in CAPABILITIES:
            depth = self.cloud.queue_depth(self.outputs[f"{logical_name(capability)}QueueUrl"])
            if depth.total:
                return f"{depth.total} messages in the queue {capability}"
        soon = datetime.now(UTC) + timedelta(minutes=2)
        due = {queue: len(self.store.due(queue, soon, _MAX_DUE)) for queue in (*CAPABILITIES, DOCUMENTS)}
        due |= {} if alerts else {INVENTORY_ALERTS: 0}
        return ", ".join(f"{count} due rows of {queue}" for queue, count in due.items() if count)

    def play(self, seconds: float) -> str:
        """Play the seller's history; wait at each stop and at the end until everything is processed. Sweep for refunds
        and stock, and reconcile the stock.

        Return what was unfinished after waiting `seconds`, empty if nothing was.
        """
        unfinished = []
        for until in (*self.stops, None):
            self.amazon.control("POST", "play", {"until": until} if until else {})
            # The alerts of stock follow from Amazon's times, and need no stop.
            unfinished.append(self.wait_until_idle(seconds, alerts=False))
        # Each posting date is old by now: what no notification has reported so far is not left to the hourly schedule.
        self.cloud.invoke(self.outputs["RefundsFunctionName"], {"sweep": REFUNDS})
        self.cloud.invoke(self.outputs["InventoryAlertsFunctionName"], {"sweep": INVENTORY_ALERTS})
        unfinished.append(self.wait_until_idle(max(seconds, _ALERTS_WITHIN)))
        # A seller without goods at Amazon has nothing to reconcile, which is no unfinished work.
        self.cloud.invoke(self.outputs["InventoryReconciliationFunctionName"], {"reconcile": "now"})
        return "; ".join(filter(None, unfinished))

    def wait_until_idle(self, seconds: float, *, alerts: bool = True) -> str:
        """Wait until three checks in a row find no work and no new call; return what is unfinished after `seconds`."""
        end, idle_checks, calls_before = time.monotonic() + seconds, 0, -1
        while time.monotonic() < end:
            unfinished, calls = self.unfinished(alerts=alerts), len(self.calls())
            idle_checks = idle_checks + 1 if not unfinished and calls == calls_before else 0
            calls_before = calls
            if idle_checks == 3:
                return ""
            time.sleep(0.5)
        return self.unfinished(alerts=alerts) or "calls to Amazon or Xero"


@contextlib.contextmanager
def deployed(
    directory: Path, seller: Path = OWN_SELLER, parts: Mapping[str, Any] | None = None, *, present: bool = False
) -> Iterator[Stack]:
    """Build and deploy the real template, start the sandboxes and connect the seller.

    parts: of the connection's settings, to replace those of connection.json; see settings.merged. The Xero tenant is
        always the sandbox's, and the seller id the one in the seller's transactions, if there are any.
    present: Amazon has the seller's whole history from the start, without notifications. Otherwise nothing has happened
        until it is played.

    Raises local.cloud.StepFailed, and SettingsError before anything is started.
    """
    loaded = Seller.load(seller)
    settings = _settings(loaded, parts or {})
    named = "the settings (infra/local/connection.json with the given parts)"
    parsed = parse(ConnectionSettings, json.dumps(settings), named)
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as running:
        cloud = running.enter_context(LocalCloud(directory))
        xero = running.enter_context(sandbox("xero", log=directory / "xero.log"))
        options = ["--seller", str(seller), "--aws-endpoint", cloud.endpoint, *(["--present"] if present else [])]
        amazon = running.enter_context(sandbox("amazon", *options, log=directory / "amazon.log"))
        lwa_url = f"{amazon.url}/auth/o2/token"
        outputs = cloud.deploy(
            STACK,
            ROOT / "template.yaml",
            **_own_stock_parameters(parsed),
            AmazonApiUrl=amazon.url,
            LwaUrl=lwa_url,
            XeroApiUrl=xero.url,
            XeroTokenUrl=f"{xero.url}/connect/token",
        )
        if items := items_of(seller):
            xero.control("POST", "stock", {"Items": items})
        organisation = xero.control("GET", "books")["Organisations"][0]
        settings["xero"] |= {"tenant_id": organisation["OrganisationID"]}
        stored = connect.store_connection(STACK, CONNECTION, json.dumps(settings), json.dumps(_secrets()))
        _subscribe(stored, outputs, amazon.url)
        store = DynamoStateStore(outputs["TableName"], CONNECTION, REGION, cloud.endpoint)
        subscribe_recipient(cloud, outputs["InventoryAlertsTopicArn"])
        ids = dict.fromkeys(version.key for version in loaded.history() if version.kind == "order")
        seller_id = settings["amazon"]["seller_id"]
        yield Stack(cloud, amazon, xero, outputs, store, seller_id, tuple(ids), stops_of(seller))


def stops_of(seller: Path) -> tuple[str, ...]:
    """Return the times at which a seller's history waits until everything is processed; none without a stops.txt."""
    stops = seller / "stops.txt"
    return tuple(stops.read_text(encoding="utf-8").split()) if stops.is_file() else ()


def items_of(seller: Path) -> list[dict[str, Any]]:
    """Return the tracked items that the seller has in Xero, with their quantities; none without an items.json."""
    items = seller / "items.json"
    return list(json.loads(items.read_text(encoding="utf-8"))) if items.is_file() else []


def seller_folder(text: str) -> Path:
    """Return the folder that a user named, relative to the project. Raises NotADirectoryError if there is none."""
    folder = project_path(text)
    if not folder.is_dir():
        raise NotADirectoryError(f"the seller folder {folder} does not exist; it should hold orders.jsonl")
    return folder


def project_path(text: str) -> Path:
    """Return the absolute path that a user named; a relative one is relative to the project, wherever `make` runs."""
    path = Path(text).expanduser()
    return (path if path.is_absolute() else ROOT / path).resolve()


def _settings(seller: Seller, parts: Mapping[str, Any]) -> dict[str, Any]:
    settings = merged(json.loads(SETTINGS.read_text(encoding="utf-8")), parts)
    if isinstance(settings.get("inventory"), dict):
        # On this machine no notification of stock is later than that, and a run should not last longer.
        settings["inventory"] = {"collect_seconds": 15} | settings["inventory"]
    if seller.seller_id and isinstance(settings["amazon"], dict):
        settings["amazon"] |= {"seller_id": seller.seller_id}
    return settings


def _own_stock_parameters(settings: ConnectionSettings) -> dict[str, str]:
    """Return the parameter by which the stack takes the changes of own stock; nothing where it is not watched."""
    return {OUTPUT: PARTNER_SOURCE} if settings.inventory.merchant_quantities else {}


def _subscribe(stored: tuple[ConnectionSettings, ConnectionSecrets], outputs: Mapping[str, str], amazon: str) -> None:
    """Subscribe to what `make connect` subscribes to, at the address of the sandbox Amazon."""
    lwa_url = f"{amazon}/auth/o2/token"
    for notification_type, queue in connect.subscriptions_of(stored[0]).items():
        connect.subscribe(*stored, notification_type, outputs[queue], amazon, lwa_url)
    if stored[0].inventory.merchant_quantities:
        notifications = connect.notifications_of(*stored, amazon, lwa_url)
        subscribe_merchant_quantities(notifications, outputs[connect.SUBSCRIPTIONS[connect.STOCK_NOTIFICATION]])


def _secrets() -> dict[str, dict[str, str]]:
    amazon = Credentials()
    return {
        "amazon": {
            "client_id": amazon.client_id,
            "client_secret": amazon.client_secret,
            "refresh_token": amazon.refresh_token,
        },
        "xero": {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET},
    }
